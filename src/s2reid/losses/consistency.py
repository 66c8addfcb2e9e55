"""L1C, L2C: student and teacher put a clip into the same cluster, and clusters are tight.  Eq. (14) to (16)."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from s2reid.losses.clusters import Clusters, unit


def same_cluster(student: Float[Tensor, "b d"], clusters: Clusters, temperature: float = 0.1) -> Float[Tensor, ""]:
    """Compute L1C: the cross-entropy of the student's nearness to each centroid with the teacher's cluster, Eq. (14).

    The logits are cosines to the centroids over `temperature`. Only the student receives a gradient.

    Departure: Eq. (14) counts the clips whose two features fell into different clusters, which has no gradient. This is
    its usual convex bound: at least log 2 for a clip that is nearest to another centroid, zero for one that is surely
    in the teacher's cluster. The count itself is `cluster_disagreement`. A mean over clips where Eq. (14) has a sum.

    >>> one, two = torch.tensor([0]), torch.tensor([1])
    >>> student = torch.tensor([[1.0, 0.0]])
    >>> round(same_cluster(student, Clusters(one, two, torch.eye(2)), temperature=1.0).item(), 4)  # log(1 + e)
    1.3133
    """
    if not temperature > 0:
        raise ValueError(f"the temperature of same_cluster is {temperature}, expected more than 0")
    # Whatever the precision of the network: the temperature multiplies the error of a bf16 cosine by ten.
    with torch.autocast(student.device.type, enabled=False):
        return functional.cross_entropy(unit(student) @ clusters.centroids.T / temperature, clusters.index_teacher)


def cluster_disagreement(clusters: Clusters) -> Float[Tensor, ""]:
    """Compute Eq. (14) as it is written, as a share: clips whose two features fell into different clusters.

    >>> student, teacher = torch.tensor([0, 1, 1, 0]), torch.tensor([0, 1, 0, 0])
    >>> cluster_disagreement(Clusters(student, teacher, torch.eye(2))).item()
    0.25
    """
    return (clusters.index_student != clusters.index_teacher).float().mean()


def cluster_pull(student: Float[Tensor, "b d"], clusters: Clusters) -> Float[Tensor, ""]:
    """Compute L2C: the mean squared distance of the student's unit vectors to their own clusters' centroids, Eq. (15).

    Own, not the teacher's: Eq. (15) runs over the members of each cluster (`same_cluster` moves a clip between them).
    A feature that is alone in its cluster costs nothing. The distance is 2 - 2 cosine, in [0, 4].

    Departure: a mean over clips where Eq. (15) has a sum over clusters. The teacher's features shape the centroids but
    have no term, which would have no gradient; nor has a centroid.

    >>> own = torch.tensor([0, 1])
    >>> cluster_pull(torch.tensor([[2.0, 0.0], [3.0, 0.0]]), Clusters(own, own, torch.eye(2))).item()  # (0 + 2) / 2
    1.0
    """
    return (unit(student) - clusters.centroids[clusters.index_student]).square().sum(1).mean()
