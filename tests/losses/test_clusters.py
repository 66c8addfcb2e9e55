"""Spherical k-means against NumPy loops, on clusters that are known, and where points run out."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from s2reid.losses.clusters import cluster, lloyd, seeds


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def directions(number, features=6, seed=0):
    points = torch.randn(number, features, dtype=torch.float64, generator=generator(seed))
    return functional.normalize(points, dim=1)


def groups(num_groups, each, spread=0.05, seed=0):
    """Draw points around the axes, far apart, in mixed order; return them and their group."""
    group = torch.arange(num_groups * each) % num_groups
    noise = spread * torch.randn(len(group), num_groups, generator=generator(seed))
    return torch.eye(num_groups)[group] * 3 + noise, group


def is_same_partition(one, other):
    return torch.equal(one[:, None] == one[None], other[:, None] == other[None])


def gaps_to(seeds, points):
    return [min([((point - points[seed]) ** 2).sum() for seed in seeds], default=4.0) for point in points]


def seeds_by_loops(points, num_clusters, noise, trials):
    """k-means++: draw in proportion to the squared distance to the nearest seed; keep the draw that leaves least."""
    chosen = []
    for row in noise:
        gaps = gaps_to(chosen, points)
        drawn = sorted(range(len(points)), key=lambda i: -gaps[i] / row[i])[:trials]
        one = min(drawn, key=lambda i: sum(gaps_to([*chosen, i], points)))
        if gaps[one] > 1e-10:
            chosen.append(one)
    return points[chosen]


def lloyd_by_loops(points, centroids, rounds):
    """Assign, give each empty cluster the farthest point that is not alone, move to the mean direction."""
    for _ in range(rounds):
        similarity = [[sum(a * b for a, b in zip(point, centroid)) for centroid in centroids] for point in points]
        index = [max(range(len(centroids)), key=row.__getitem__) for row in similarity]
        for m in range(len(centroids)):
            if m not in index:
                movable = [i for i in range(len(points)) if index.count(index[i]) > 1]
                index[min(movable, key=lambda i: similarity[i][index[i]])] = m
        means = [sum(points[i] for i in range(len(points)) if index[i] == m) for m in range(len(centroids))]
        centroids = np.stack([mean / np.sqrt((mean**2).sum()) for mean in means])
    return index, centroids


@pytest.mark.parametrize(("number", "num_clusters"), [(40, 7), (12, 12), (9, 1), (64, 16)])
@pytest.mark.parametrize(("seed", "trials"), [(0, 1), (1, 2), (2, 16)])
def test_seeds_are_those_of_loops(number, num_clusters, seed, trials):
    points = directions(number, seed=seed)
    found = seeds(points, num_clusters, generator(seed), trials)
    uniform = torch.rand(num_clusters, number, generator=generator(seed), dtype=torch.float64)
    expected = seeds_by_loops(points.numpy(), num_clusters, -np.log(uniform.numpy()), trials)
    assert np.array_equal(found.numpy(), expected)
    assert len(found) == num_clusters


@pytest.mark.parametrize(("number", "num_clusters"), [(40, 7), (12, 12), (9, 1), (64, 16)])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_rounds_are_those_of_loops(number, num_clusters, seed):
    points, start = directions(number, seed=seed), directions(num_clusters, seed=seed + 100)
    for rounds in (1, 2, 10):
        index, centroids = lloyd(points, start, rounds)
        expected, means = lloyd_by_loops(points.numpy(), start.numpy(), rounds)
        assert index.tolist() == expected
        np.testing.assert_allclose(centroids.numpy(), means, rtol=1e-9, atol=1e-12)


def test_empty_clusters_take_the_farthest_points():
    # All points are nearest to the first centroid; the other two are behind them.
    points = functional.normalize(torch.tensor([[1.0, 0.0], [1.0, 0.1], [1.0, 0.5], [1.0, -0.9]]).double(), dim=1)
    start = torch.tensor([[1.0, 0.0], [-1.0, 0.1], [-1.0, -0.1]]).double()
    assert lloyd(points, start, 1)[0].tolist() == [0, 0, 2, 1]
    index, centroids = lloyd(points, start)
    expected, means = lloyd_by_loops(points.numpy(), start.numpy(), 10)
    assert index.tolist() == expected
    np.testing.assert_allclose(centroids.numpy(), means)
    assert set(index.tolist()) == {0, 1, 2}


def test_kmeans_pp_draws_in_proportion_to_the_squared_distance():
    # From the point (1, 0): squared distances 0, 2 and 4; from (0, 1): 2, 0, 2; from (-1, 0): 4, 2, 0.
    points = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]], dtype=torch.float64)
    pairs = [[points.tolist().index(row) for row in seeds(points, 2, generator(s), 1).tolist()] for s in range(3000)]
    share = {pair: pairs.count(list(pair)) / 3000 for pair in [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)]}
    expected = {(0, 1): 1 / 9, (0, 2): 2 / 9, (1, 0): 1 / 6, (1, 2): 1 / 6, (2, 0): 2 / 9, (2, 1): 1 / 9}
    assert share == pytest.approx(expected, abs=0.025)


@pytest.mark.parametrize("seed", range(10))
def test_separated_groups_are_found(seed):
    points, group = groups(8, 6, seed=seed)
    found = cluster(points[:24], points[24:], 8, generator(seed))
    index = torch.cat([found.index_student, found.index_teacher])
    assert is_same_partition(index, group)
    unit = functional.normalize(points, dim=1)
    for m in range(8):
        torch.testing.assert_close(found.centroids[m], functional.normalize(unit[index == m].mean(0), dim=0))


def test_many_candidates_find_what_one_misses():
    found = dict.fromkeys((1, 16), 0)
    for seed in range(40):
        points, group = groups(16, 4, 0.25, seed)
        points = functional.normalize(points, dim=1)
        for trials in found:
            index, _ = lloyd(points, seeds(points, 16, generator(seed), trials))
            found[trials] += is_same_partition(index, group)
    assert found[1] < 20
    assert found[16] >= 39


def test_equal_generators_give_equal_clusters_and_the_global_one_is_left_alone():
    student, teacher, state = directions(32, seed=1), directions(32, seed=2), torch.get_rng_state()
    one, again = (cluster(student, teacher, 16, generator(5)) for _ in range(2))
    assert torch.equal(one.index_student, again.index_student)
    assert torch.equal(one.index_teacher, again.index_teacher)
    assert torch.equal(one.centroids, again.centroids)
    other = cluster(student, teacher, 16, generator(6))
    assert not torch.equal(one.centroids, other.centroids)
    assert torch.equal(torch.get_rng_state(), state)


def test_only_directions_count():
    student, teacher = directions(20, seed=1), directions(20, seed=2)
    scales = torch.arange(1, 21, dtype=torch.float64)[:, None]
    one, scaled = cluster(student, teacher, 5, generator()), cluster(student * scales, teacher / scales, 5, generator())
    assert torch.equal(one.index_student, scaled.index_student)
    assert torch.equal(one.index_teacher, scaled.index_teacher)
    torch.testing.assert_close(one.centroids.norm(dim=1), torch.ones(5, dtype=torch.float64))


@pytest.mark.parametrize("number", [1, 2, 32])
def test_clips_that_are_all_alike_are_one_cluster(number):
    features = torch.full((number, 4), 0.3)
    found = cluster(features, 2 * features, 16, generator())
    assert found.index_student.tolist() == found.index_teacher.tolist() == [0] * number
    torch.testing.assert_close(found.centroids, torch.full((1, 4), 0.5))


def test_fewer_points_than_clusters():
    points = directions(3)
    found = cluster(points, points, 16, generator())
    assert torch.equal(found.index_student, found.index_teacher)
    assert sorted(found.index_student.tolist()) == [0, 1, 2]
    torch.testing.assert_close(found.centroids[found.index_student], points)


def test_one_clip_has_two_points():
    found = cluster(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]]), 16, generator())
    assert sorted([found.index_student.item(), found.index_teacher.item()]) == [0, 1]


def test_features_of_zeros_stay_finite():
    found = cluster(torch.zeros(4, 3), torch.zeros(4, 3), 2, generator())
    assert found.centroids.isfinite().all()
    assert found.index_student.tolist() == [0] * 4


def test_nothing_keeps_a_gradient():
    student, teacher = directions(8, seed=1).requires_grad_(), directions(8, seed=2).requires_grad_()
    assert not cluster(student, teacher, 4, generator()).centroids.requires_grad


def test_full_precision_under_autocast():
    # Points that differ by less than bf16 can tell.
    points = (torch.ones(16, 64) + 1e-3 * torch.randn(16, 64, generator=generator())).float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = cluster(points, points, 8, generator())
    expected = cluster(points, points, 8, generator())
    assert torch.equal(found.index_student, expected.index_student)
    assert torch.equal(found.centroids, expected.centroids)
    assert found.centroids.dtype == torch.float32
    assert cluster(points.bfloat16(), points.bfloat16(), 8, generator()).centroids.dtype == torch.float32


@pytest.mark.parametrize(("number", "num_clusters"), [(0, 4), (3, 0), (3, -1)])
def test_nothing_to_group_is_refused(number, num_clusters):
    expected = f"cannot group {number} clips into {num_clusters} clusters: expected 1 or more of both"
    with pytest.raises(ValueError, match=expected):
        cluster(torch.zeros(number, 2), torch.zeros(number, 2), num_clusters, generator())
