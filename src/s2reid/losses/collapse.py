"""Guards, not losses: do the features still differ?  A consistency loss is lowest where they are all alike."""

import torch
from jaxtyping import Float
from torch import Tensor

from s2reid.losses.clusters import unit


@torch.no_grad()
def mean_cosine(features: Float[Tensor, "b d"]) -> Float[Tensor, ""]:
    """Compute the mean cosine over pairs of clips: 1 where all features point the same way.

    >>> round(mean_cosine(torch.tensor([[1.0, 0.0], [3.0, 0.0], [0.0, 2.0]])).item(), 4)  # one of three pairs
    0.3333
    """
    if len(features) < 2:
        raise ValueError(f"mean_cosine compares pairs of clips, found {len(features)}: expected 2 clips or more")
    directions = unit(features)
    both_orders = directions.sum(0).square().sum() - directions.square().sum()
    return both_orders / (len(features) * (len(features) - 1))


@torch.no_grad()
def effective_rank(features: Float[Tensor, "b d"]) -> Float[Tensor, ""]:
    """Compute how many directions the features use: exp of the entropy of the singular values' shares, of unit vectors.

    Between 1 (all alike) and min(b, d); Roy and Vetterli (2007).

    >>> round(effective_rank(torch.tensor([[1.0, 0.0], [0.0, 5.0]])).item(), 4)
    2.0
    """
    values = torch.linalg.svdvals(unit(features))
    shares = values / values.sum().clamp_min(torch.finfo(values.dtype).tiny)
    return torch.special.entr(shares).sum().exp()
