"""k-means: groups of embeddings, the same for the same seed."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


@torch.no_grad()
def kmeans(features: Float[Tensor, "n d"], num_groups: int, seed: int, most_rounds: int = 300) -> Int[Tensor, " n"]:
    """Group features by Lloyd's rounds from k-means++ centres (Arthur & Vassilvitskii 2007), until no label changes.

    No group is empty: one that loses its last member takes the feature that is farthest from its own centre.
    Raises `ValueError` where there are fewer features than groups.

    >>> kmeans(torch.tensor([[0.0], [0.1], [5.0], [5.1]]), 2, seed=0).unique(return_counts=True)[1].tolist()
    [2, 2]
    """
    if not 1 <= num_groups <= len(features):
        raise ValueError(f"{len(features)} features in {num_groups} groups: expected 1 to {len(features)} groups")
    # On the CPU in float64, so that a label does not hang on the rounding of one device.
    points = features.double().cpu()
    centres = _spread(points, num_groups, torch.Generator().manual_seed(seed))
    labels = torch.full((len(points),), -1)
    for _ in range(most_rounds):
        previous, labels = labels, _nearest(points, centres)
        if torch.equal(previous, labels):
            break
        sizes = labels.bincount(minlength=num_groups)
        centres = torch.zeros_like(centres).index_add_(0, labels, points) / sizes[:, None]
    return labels.to(features.device)


def _spread(points: Float[Tensor, "n d"], num_groups: int, generator: torch.Generator) -> Float[Tensor, "m d"]:
    """Draw centres among the points, each with a chance that grows with the squared distance to those drawn."""
    chosen = [int(torch.randint(len(points), (1,), generator=generator))]
    away = torch.full((len(points),), torch.inf, dtype=points.dtype)
    while len(chosen) < num_groups:
        away = torch.minimum(away, (points - points[chosen[-1]]).square().sum(1))
        away[chosen] = 0
        chances = away if away.any() else torch.ones_like(away).index_fill_(0, torch.tensor(chosen), 0)
        chosen.append(int(chances.multinomial(1, generator=generator)))
    return points[chosen]


def _nearest(points: Float[Tensor, "n d"], centres: Float[Tensor, "m d"]) -> Int[Tensor, " n"]:
    """Label each point by its nearest centre, then fill the groups that got none."""
    distances, labels = torch.cdist(points, centres).min(1)
    sizes = labels.bincount(minlength=len(centres))
    for group in (sizes == 0).nonzero()[:, 0].tolist():
        farthest = int(distances.masked_fill(sizes[labels] < 2, -1).argmax())
        sizes[labels[farthest]] -= 1
        labels[farthest], distances[farthest], sizes[group] = group, 0, 1
    return labels
