"""Sinkhorn's transfer of labels: soft ones become groups of equal size (Zheng et al. 2021, after Asano et al. 2020)."""

import math

import torch
from jaxtyping import Float
from torch import Tensor


@torch.no_grad()
def sinkhorn(
    log_probabilities: Float[Tensor, "n m"], power: float = 25.0, tolerance: float = 1e-2, most_rounds: int = 1000
) -> Float[Tensor, "n m"]:
    """Compute the optimal transport of n tracklets to m groups of equal mass (Cuturi 2013), in float64.

    Rows of P^power and its columns are scaled in turn until each row sums to 1/n and each column to 1/m. The new label
    of a tracklet is the group that gets most of its mass.

    Args:
        log_probabilities: of the groups, for each tracklet (a constant added to a row changes nothing in the end).
        power: lambda, the inverse temperature; the larger, the harder the labels.
        tolerance: a round that changes the row scales by less than this share, summed over the n rows, is the last.
        most_rounds: where the scales still move after so many rounds, the last ones are taken.

    Departure: the scales are logarithms, since a probability of 1e-13 to the power 25 is no float64.

    >>> soft = torch.tensor([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4]])
    >>> sinkhorn(soft.log()).argmax(1).tolist()  # all prefer group 0, and there is room for two
    [0, 0, 1, 1]
    """
    scores = power * log_probabilities.double()
    num_rows, num_groups = scores.shape
    rows = scores.new_full((num_rows, 1), -math.log(num_rows))
    for _ in range(most_rounds):
        columns = -math.log(num_groups) - (scores + rows).logsumexp(0, keepdim=True)
        previous, rows = rows, -math.log(num_rows) - (scores + columns).logsumexp(1, keepdim=True)
        if (previous - rows).expm1().abs().sum() < tolerance:
            break
    return (scores + rows + columns).exp()
