"""The learnable weight vector of Eq. (17), as uncertainty weighting (Kendall et al. 2018)."""

import math
from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn


class LossWeights(nn.Module):
    """Learns s_k for each named loss; the total is the sum of exp(-s_k) L_k + s_k, so that the weight is exp(-s_k).

    Left alone, a weight tends to 1 / L_k. Each s_k stays within +-`bound`.

    Args:
        names: the losses that may come.
        initial: weights to start from; a loss that is not named there starts at 1.
        bound: of s_k; with 2 a weight stays between 0.135 and 7.39.

    Departure: the paper says only "a learnable weight vector"; without the + s_k all weights would fall to zero.

    >>> weights = LossWeights(["identity", "frame"], {"frame": 0.5})
    >>> total = weights({"identity": torch.tensor(2.0), "frame": torch.tensor(1.0)})  # 2 + 0 and 0.5 + log 2
    >>> round(total.item(), 4)
    3.1931
    """

    def __init__(self, names: Sequence[str], initial: Mapping[str, float], bound: float = 2.0) -> None:
        super().__init__()
        self.names, self.bound = tuple(names), bound
        if unknown := sorted(initial.keys() - set(names)):
            raise ValueError(f"initial weights for {unknown}, expected some of {list(names)}")
        low, high = math.exp(-bound), math.exp(bound)
        for name, weight in initial.items():
            if not low <= weight <= high:
                raise ValueError(
                    f"the initial weight of {name!r} is {weight}, expected {low:.3g} to {high:.3g} "
                    f"(s within +-{bound}): leave the term out instead of giving it no weight"
                )
        self.log_variance = nn.Parameter(torch.tensor([-math.log(initial.get(name, 1.0)) for name in names]))

    def forward(self, terms: Mapping[str, Float[Tensor, ""]]) -> Float[Tensor, ""]:
        """Weigh the losses into the total; a loss that is absent (of a later stage) leaves its weight alone."""
        if unknown := sorted(terms.keys() - set(self.names)):
            raise ValueError(f"no weight for the losses {unknown}: there are weights for {list(self.names)}")
        # A projection and not a clamp in the graph, whose gradient outside would be zero: no weight would come back.
        with torch.no_grad():
            self.log_variance.clamp_(-self.bound, self.bound)
        held = dict(zip(self.names, self.log_variance, strict=True))
        return torch.stack([(-held[name]).exp() * loss + held[name] for name, loss in terms.items()]).sum()

    def weights(self) -> dict[str, Float[Tensor, ""]]:
        """Give the present weight of each loss, without gradient, to log."""
        held = self.log_variance.detach().clamp(-self.bound, self.bound)
        return dict(zip(self.names, (-held).exp().unbind(), strict=True))
