"""L_tri against its definition, and where it has nothing to say."""

import math

import pytest
import torch

from s2reid.losses.triplet import distances, triplet

METRICS = ("cosine", "euclidean")


def distance_by_loop(one, other, metric):
    if metric == "cosine":
        return 1 - (one * other).sum() / (one.square().sum().sqrt() * other.square().sum().sqrt())
    return (one - other).square().sum().sqrt()


def by_loops(features, person, margin, metric):
    """Eq. (6) for each anchor that has a positive and a negative, the hardest of both."""
    values = []
    for a in range(len(features)):
        apart = {b: distance_by_loop(features[a], features[b], metric) for b in range(len(features)) if b != a}
        positives = [far for b, far in apart.items() if person[b] == person[a]]
        negatives = [far for b, far in apart.items() if person[b] != person[a]]
        if positives and negatives:
            gap = max(positives) - min(negatives)
            soft = torch.log(1 + torch.exp(gap))
            values.append(soft if margin is None else torch.clamp(gap + margin, min=0))
    return sum(values) / len(values)


PERSONS = {
    "P x K": [0, 0, 1, 1, 2, 2, 3, 3],
    "several of one": [0, 0, 0, 0, 0, 1, 1, 2],
    "anchors without a positive": [0, 1, 2, 2, 3, 3, 3, 4],
}


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("margin", [None, 0.0, 0.3, 2.0])
@pytest.mark.parametrize("person", PERSONS.values(), ids=PERSONS)
def test_value_and_gradient_are_those_of_loops(person, margin, metric):
    features = torch.randn(8, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(3), requires_grad=True)
    value, expected = (
        triplet(features, torch.tensor(person), margin, metric),
        by_loops(features, person, margin, metric),
    )
    assert value.item() > 0
    torch.testing.assert_close(value, expected, rtol=1e-10, atol=0)
    grads = [torch.autograd.grad(loss, features)[0] for loss in (value, expected)]
    torch.testing.assert_close(*grads, rtol=1e-8, atol=1e-12)


def test_angles_by_hand():
    # Person 0 at 0 and 60 degrees, person 1 at 90 and 180 degrees; 1 - cosine: 60 -> 1/2, 90 -> 1, 30 -> 1 - sqrt(3)/2.
    angles = torch.deg2rad(torch.tensor([0.0, 60.0, 90.0, 180.0], dtype=torch.float64))
    features = torch.stack([angles.cos(), angles.sin()], 1) * torch.tensor([[1.0], [2.0], [3.0], [4.0]])
    near = 1 - math.sqrt(3) / 2
    gaps = [0.5 - 1, 0.5 - near, 1 - near, 1 - 1.5]
    expected = sum(max(0, gap + 0.3) for gap in gaps) / 4
    assert triplet(features, torch.tensor([0, 0, 1, 1])).item() == pytest.approx(expected)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("person", [[0, 0, 0, 0], [0, 1, 2, 3]], ids=["no negative", "no positive"])
def test_without_a_triplet_the_loss_is_zero_and_still_has_a_gradient(person, metric):
    features = torch.randn(4, 3, generator=torch.Generator().manual_seed(0), requires_grad=True)
    loss = triplet(features, torch.tensor(person), metric=metric)
    loss.backward()
    assert loss.item() == 0
    assert torch.equal(features.grad, torch.zeros(4, 3))


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("margin", [None, 0.3])
@pytest.mark.parametrize("value", [0.0, 1.0, 1e3])
def test_identical_features_give_a_finite_gradient(value, margin, metric):
    features = torch.full((4, 3), value, requires_grad=True)
    loss = triplet(features, torch.tensor([0, 0, 1, 1]), margin, metric)
    loss.backward()
    assert loss.item() == pytest.approx(math.log(2) if margin is None else margin, abs=0.2)
    assert features.grad.isfinite().all()


@pytest.mark.parametrize("metric", METRICS)
def test_a_permuted_batch_changes_nothing(metric):
    features, person = torch.randn(9, 4, generator=torch.Generator().manual_seed(5)), torch.arange(9) % 3
    order = torch.randperm(9, generator=torch.Generator().manual_seed(6))
    torch.testing.assert_close(
        triplet(features[order], person[order], metric=metric), triplet(features, person, metric=metric)
    )


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("size", [3, 70])
def test_distances_are_those_of_loops(size, metric):
    features = torch.randn(size, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(7))
    found = distances(features, metric)
    apart = ~torch.eye(size, dtype=torch.bool)
    expected = torch.stack([torch.stack([distance_by_loop(a, b, metric) for b in features]) for a in features])
    torch.testing.assert_close(found[apart], expected[apart], rtol=1e-9, atol=1e-12)
    assert found.diagonal().abs().max() < 1e-5


@pytest.mark.parametrize("metric", METRICS)
def test_distances_keep_full_precision_under_autocast(metric):
    # Far from the origin and close together: what features look like before the neck.
    features = 30 + 0.1 * torch.randn(6, 64, generator=torch.Generator().manual_seed(8))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = distances(features, metric)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, distances(features, metric), rtol=0, atol=0)
