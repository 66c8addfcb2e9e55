"""The clusters that student and teacher features form together: spherical k-means.  Eq. (13)."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

SMALLEST_GAP = 1e-10
"""Unit vectors whose squared distance is below it count as one point."""
LARGEST_GAP = 4.0
"""The squared distance of opposite unit vectors."""
TRIALS = 16
"""Candidates for a seed. With one, k-means misses some of 16 distinct groups of four points in 9 runs of 10, and every
miss is noise in the teacher's word; with 16 in about one of 100."""


@dataclass(frozen=True)
class Clusters:
    """Where each clip's two features fell, and the clusters' centroids: unit vectors without gradient."""

    index_student: Int[Tensor, " b"]
    index_teacher: Int[Tensor, " b"]
    centroids: Float[Tensor, "m d"]


def unit(features: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    """Scale features to length 1, in float32 at least; zeros stay.

    >>> [round(x, 4) for x in unit(torch.tensor([[3.0, 4.0]], dtype=torch.bfloat16))[0].tolist()]
    [0.6, 0.8]
    """
    return functional.normalize(features.to(torch.promote_types(features.dtype, torch.float32)), dim=1)


@torch.no_grad()
def cluster(
    student: Float[Tensor, "b d"], teacher: Float[Tensor, "b d"], num_clusters: int, generator: torch.Generator
) -> Clusters:
    """Group the 2b features, at length 1, into `num_clusters` clusters, or fewer where fewer points differ; Eq. (13).

    Greedy k-means++ seeds and 10 rounds, on the features' device; equal generators (of the CPU) give equal clusters.
    A centroid is the direction of the mean of its members, of both networks.

    Departure: clusters are those of a batch, as in the release; Eq. (13) has those of the whole training set, for which
    the paper's M = 16 would be too few.

    >>> features = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 2.0]])
    >>> found = cluster(features, features, 3, torch.Generator().manual_seed(0))  # two directions: two clusters
    >>> found.centroids[found.index_student].tolist()
    [[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]
    """
    if num_clusters < 1 or not len(student):
        raise ValueError(f"cannot group {len(student)} clips into {num_clusters} clusters: expected 1 or more of both")
    # Whatever the precision of the network: in bf16 near points would be one.
    with torch.autocast(student.device.type, enabled=False):
        points = unit(torch.cat([student, teacher]))
        index, centroids = lloyd(points, seeds(points, num_clusters, generator))
    return Clusters(index[: len(student)], index[len(student) :], centroids)


def seeds(
    points: Float[Tensor, "n d"], num_clusters: int, generator: torch.Generator, trials: int = TRIALS
) -> Float[Tensor, "m d"]:
    """Choose unit vectors to start from: greedy k-means++ (Arthur and Vassilvitskii 2007).

    For each seed, `trials` candidates are drawn in proportion to their squared distance to the nearest seed so far, and
    the one that leaves the least sum of such distances is taken. Fewer seeds come back where fewer points differ.

    >>> seeds(torch.tensor([[1.0, 0.0], [1.0, 0.0]]), 2, torch.Generator().manual_seed(0)).tolist()
    [[1.0, 0.0]]
    """
    apart = torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist").square()
    uniform = torch.rand(num_clusters, len(points), generator=generator, dtype=torch.float64)
    gaps, chosen, is_new = points.new_full((len(points),), LARGEST_GAP), [], []
    for noise in -uniform.log().to(points):
        # The largest of gap / (exponential noise) are draws in proportion to the gaps; points without a gap come last.
        candidates = (gaps / noise).topk(min(trials, len(points))).indices
        remaining = torch.minimum(gaps, apart[candidates])
        best = remaining.sum(1).argmin(0, keepdim=True)
        chosen.append(candidates[best])
        is_new.append(gaps[candidates[best]] > SMALLEST_GAP)
        gaps = remaining[best][0]
    return points[torch.cat(chosen)[torch.cat(is_new)]]


def lloyd(
    points: Float[Tensor, "n d"], centroids: Float[Tensor, "m d"], rounds: int = 10
) -> tuple[Int[Tensor, " n"], Float[Tensor, "m d"]]:
    """Assign unit vectors to their nearest centroid and move each centroid to its members' mean, in turn.

    What comes back belongs together: each centroid is the mean direction of the points that carry its index.

    >>> points = torch.tensor([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])
    >>> index, centroids = lloyd(points, points[[0, 2]])
    >>> index.tolist(), [[round(x, 3) for x in row] for row in centroids.tolist()]
    ([0, 0, 1], [[0.949, 0.316], [0.0, 1.0]])
    """
    for _ in range(rounds):
        similarity = points @ centroids.T
        index = _refill(similarity.argmax(1), similarity)
        centroids = functional.normalize(_members(index, len(centroids)).T.to(points) @ points, dim=1)
    return index, centroids


def _members(index: Int[Tensor, " n"], num_clusters: int) -> Bool[Tensor, "n m"]:
    return index[:, None] == torch.arange(num_clusters, device=index.device)


def _refill(index: Int[Tensor, " n"], similarity: Float[Tensor, "n m"]) -> Int[Tensor, " n"]:
    """Give each empty cluster the point that is farthest from its own centroid and not alone with it."""
    counts = _members(index, similarity.shape[1]).sum(0)
    for empty in (counts == 0).nonzero()[:, 0]:
        own = similarity.gather(1, index[:, None])[:, 0]
        farthest = own.masked_fill(counts[index] == 1, torch.inf).argmin()
        index = torch.where(torch.arange(len(index), device=index.device) == farthest, empty, index)
        counts = _members(index, similarity.shape[1]).sum(0)
    return index
