"""L_tri: the farthest clip of the same person must be nearer than the nearest of another.  Eq. (6)."""

from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

Metric = Literal["cosine", "euclidean"]


def distances(features: Float[Tensor, "b d"], metric: Metric = "cosine") -> Float[Tensor, "b b"]:
    """Compute all pairwise distances: 1 - cosine, or Euclidean (with a gradient of zero, not NaN, at distance zero)."""
    # Whatever the precision of the network: a product in bf16 is off by more than the distances that matter.
    with torch.autocast(features.device.type, enabled=False):
        features = features.to(torch.promote_types(features.dtype, torch.float32))
        if metric == "cosine":
            unit = functional.normalize(features, dim=1)
            return 1 - unit @ unit.T
        norms = features.square().sum(1)
        squared = norms[:, None] + norms[None] - 2 * features @ features.T
        return squared.clamp_min(1e-12).sqrt()


def triplet(
    features: Float[Tensor, "b d"],
    person: Int[Tensor, " b"],
    margin: float | None = 0.3,
    metric: Metric = "cosine",
) -> Float[Tensor, ""]:
    """Compute the batch-hard triplet loss, Eq. (6) with the hardest positive and negative of each anchor.

    Args:
        features: one feature a clip.
        person: whose clip it is; an anchor without another clip of its person, or without another person, is left out.
        margin: m of Eq. (6); None takes the soft margin log(1 + exp(.)) of Hermans et al. (2017).
        metric: the paper writes Euclidean, its released code uses cosine, which is the default here.

    Departure: the batch-hard choice of triplets is the release's; the paper does not say which triplets it takes.

    >>> corners = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
    >>> triplet(corners, torch.tensor([0, 1, 0, 1])).item()  # same person 0, other 1: max(0, 0 - 1 + 0.3)
    0.0
    >>> round(triplet(corners, torch.tensor([0, 0, 1, 1])).item(), 4)  # same person 1, other 0: 1 - 0 + 0.3
    1.3
    """
    distance = distances(features, metric)
    is_same = person[:, None] == person[None]
    is_self = torch.eye(len(person), dtype=torch.bool, device=person.device)
    is_positive = is_same & ~is_self
    hardest_positive = distance.masked_fill(~is_positive, -torch.inf).amax(1)
    hardest_negative = distance.masked_fill(is_same, torch.inf).amin(1)
    is_anchor = is_positive.any(1) & (~is_same).any(1)
    if not is_anchor.any():
        return features.sum() * 0.0
    gap = (hardest_positive - hardest_negative)[is_anchor]
    return (functional.softplus(gap) if margin is None else functional.relu(gap + margin)).mean()
