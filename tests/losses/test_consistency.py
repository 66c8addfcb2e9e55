"""L1C, L2C against their definitions, Eq. (14) and (15), and what they do to a student."""

import math

import pytest
import torch
from torch.nn import functional

from s2reid.losses.clusters import Clusters, cluster
from s2reid.losses.consistency import cluster_disagreement, cluster_pull, same_cluster


def random(number, seed=0, features=5):
    given = torch.Generator().manual_seed(seed)
    return torch.randn(number, features, dtype=torch.float64, generator=given, requires_grad=True)


def found(student, teacher, num_clusters=4):
    return cluster(student, teacher, num_clusters, torch.Generator().manual_seed(0))


def cosine(one, other):
    return (one * other).sum() / (one.square().sum().sqrt() * other.square().sum().sqrt())


def same_by_loops(student, clusters, temperature=0.1):
    terms = []
    for feature, right in zip(student, clusters.index_teacher.tolist()):
        scores = [torch.exp(cosine(feature, centroid) / temperature) for centroid in clusters.centroids]
        terms.append(-torch.log(scores[right] / sum(scores)))
    return sum(terms) / len(terms)


def pull_by_loops(student, clusters):
    """Eq. (15) over the student's features: cluster by cluster, its members' squared distances to its mean."""
    total = 0
    for m, centroid in enumerate(clusters.centroids):
        for feature, own in zip(student, clusters.index_student.tolist()):
            if own == m:
                total = total + (feature / feature.square().sum().sqrt() - centroid).square().sum()
    return total / len(student)


LOSSES = {"same_cluster": (same_cluster, same_by_loops), "cluster_pull": (cluster_pull, pull_by_loops)}


@pytest.mark.parametrize(("loss", "by_loops"), LOSSES.values(), ids=LOSSES)
@pytest.mark.parametrize("num_clusters", [2, 4, 16])
def test_value_and_gradient_are_those_of_loops(num_clusters, loss, by_loops):
    student = random(12)
    clusters = found(student, random(12, seed=1), num_clusters)
    values = loss(student, clusters), by_loops(student, clusters)
    assert values[0] > 0
    torch.testing.assert_close(*values, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(*(torch.autograd.grad(value, student)[0] for value in values), rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("temperature", [0.05, 1.0])
def test_temperature(temperature):
    student = random(6)
    clusters = found(student, random(6, seed=1))
    torch.testing.assert_close(
        same_cluster(student, clusters, temperature), same_by_loops(student, clusters, temperature)
    )


@pytest.mark.parametrize("loss", [same_cluster, cluster_pull])
def test_the_teacher_gets_no_gradient(loss):
    student, teacher = random(8), random(8, seed=1)
    loss(student, found(student, teacher)).backward()
    assert teacher.grad is None
    assert student.grad.abs().max() > 0


@pytest.mark.parametrize("loss", [same_cluster, cluster_pull])
def test_a_permuted_batch_and_renamed_clusters_change_nothing(loss):
    student, order = random(9).detach(), torch.randperm(9, generator=torch.Generator().manual_seed(3))
    clusters = found(student, random(9, seed=1))
    expected = loss(student, clusters)
    moved = Clusters(clusters.index_student[order], clusters.index_teacher[order], clusters.centroids)
    torch.testing.assert_close(loss(student[order], moved), expected)
    names = torch.tensor([2, 0, 3, 1])  # cluster m is now called names[m]
    renamed = Clusters(
        names[clusters.index_student], names[clusters.index_teacher], clusters.centroids[names.argsort()]
    )
    torch.testing.assert_close(loss(student, renamed), expected)
    torch.testing.assert_close(loss(7 * student, clusters), expected)


def test_disagreement_counts():
    student, teacher = random(30), random(30, seed=1)
    clusters = found(student, teacher)
    count = sum(s != t for s, t in zip(clusters.index_student.tolist(), clusters.index_teacher.tolist()))
    assert 0 < count < 30
    assert cluster_disagreement(clusters).item() == pytest.approx(count / 30)
    assert cluster_disagreement(found(student, student)).item() == 0


def test_the_surrogate_has_a_gradient_where_the_indicator_is_one():
    student = torch.tensor([[1.0, 0.2]], dtype=torch.float64, requires_grad=True)
    clusters = Clusters(torch.tensor([0]), torch.tensor([1]), torch.eye(2, dtype=torch.float64))
    loss = same_cluster(student, clusters)
    loss.backward()
    assert cluster_disagreement(clusters).item() == 1
    assert loss.item() > math.log(2)
    assert student.grad[0, 1] < 0 < student.grad[0, 0]  # a step against it turns towards the teacher's centroid


def test_the_surrogate_bounds_the_indicator_and_vanishes_on_agreement():
    student = random(40)
    clusters = found(student, random(40, seed=1), 8)
    nearest = (functional.normalize(student.detach(), dim=1) @ clusters.centroids.T).argmax(1)
    for one in range(40):
        alone = Clusters(nearest[[one]], clusters.index_teacher[[one]], clusters.centroids)
        assert same_cluster(student[[one]], alone) >= math.log(2) * cluster_disagreement(alone)
    axes = torch.eye(4, dtype=torch.float64)
    assert same_cluster(axes, found(axes, axes)).item() < 2e-4


def test_singletons_and_one_common_cluster_cost_nothing():
    axes = torch.eye(4, dtype=torch.float64)
    apart = Clusters(torch.arange(4), torch.arange(4), axes)
    assert cluster_pull(axes, apart).item() == 0
    alike = torch.ones(4, 3, requires_grad=True)
    clusters = found(alike, alike)
    loss = same_cluster(alike, clusters) + cluster_pull(alike, clusters)
    loss.backward()
    assert loss.item() == pytest.approx(0, abs=1e-6)
    assert alike.grad.abs().max() < 1e-6


def test_own_cluster_pulls_not_the_teachers():
    clusters = Clusters(torch.tensor([0]), torch.tensor([1]), torch.eye(2))
    assert cluster_pull(torch.tensor([[5.0, 0.0]]), clusters).item() == 0


def clips_of_persons(noise, seed, clips=4, persons=8):
    """Draw what a network says of the clips of a few persons."""
    given = torch.Generator().manual_seed(seed)
    centres = torch.eye(persons, dtype=torch.float64).repeat_interleave(clips, 0)
    return centres + noise * torch.randn(clips * persons, persons, dtype=torch.float64, generator=given)


@pytest.mark.parametrize("terms", [(same_cluster,), (same_cluster, cluster_pull)])
def test_disagreement_falls_under_gradient_descent(terms):
    student, teacher = clips_of_persons(0.5, seed=1).requires_grad_(), clips_of_persons(0.1, seed=2)
    generator = torch.Generator().manual_seed(0)
    optimizer, past = torch.optim.SGD([student], 1.0), []
    for _ in range(60):
        clusters = cluster(student, teacher, 8, generator)
        past.append(cluster_disagreement(clusters).item())
        optimizer.zero_grad()
        sum(term(student, clusters) for term in terms).backward()
        optimizer.step()
    assert past[0] > 0.2
    assert sum(past[-20:]) / 20 < past[0] / 5


def test_the_pull_tightens_clusters():
    student = clips_of_persons(0.3, seed=1).requires_grad_()
    clusters = found(student, student.detach(), 8)
    optimizer, before = torch.optim.SGD([student], 1.0), cluster_pull(student, clusters).item()
    for _ in range(20):
        optimizer.zero_grad()
        cluster_pull(student, clusters).backward()
        optimizer.step()
    assert cluster_pull(student, clusters).item() < before / 2


@pytest.mark.parametrize("loss", [same_cluster, cluster_pull])
def test_full_precision_under_autocast(loss):
    student, teacher = random(16, features=64).detach().float(), random(16, seed=1, features=64).detach().float()
    clusters = found(student, teacher)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = loss(student, clusters)
        assert loss(student.bfloat16(), clusters).dtype == torch.float32
    assert torch.equal(value, loss(student, clusters))


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
@pytest.mark.parametrize("loss", [same_cluster, cluster_pull])
def test_a_broken_feature_shows_in_the_loss(loss, broken):
    student = random(8).detach()
    student[3, 2] = broken
    assert loss(student, found(student, random(8, seed=1))).isnan()


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan")])
def test_a_temperature_of_zero_is_refused(temperature):
    student = random(2)
    with pytest.raises(ValueError, match=f"the temperature of same_cluster is {temperature}, expected more than 0"):
        same_cluster(student, found(student, student, 1), temperature)
