"""Circle softmax against its definition; its factors carry no gradient."""

import math

import pytest
import torch

from s2reid.losses.circle import circle
from s2reid.losses.identity import identity

PERSON = [0, 3, 2, 2, 1, 0]


def by_loops(features, weights, person, scale, margin, smoothing):
    """One clip and one person at a time; the factors are plain numbers, so that no gradient passes through them."""
    total = 0.0
    for feature, right in zip(features, person):
        logits = []
        for k, weight in enumerate(weights):
            cosine = (feature * weight).sum() / (feature.square().sum().sqrt() * weight.square().sum().sqrt())
            if k == right:
                logits.append(scale * max(0.0, 1 + margin - cosine.item()) * (cosine - (1 - margin)))
            else:
                logits.append(scale * max(0.0, cosine.item() + margin) * (cosine - margin))
        normaliser = torch.logsumexp(torch.stack(logits), 0)
        for k, logit in enumerate(logits):
            label = 1 - smoothing if k == right else smoothing / (len(weights) - 1)
            total = total - label * (logit - normaliser)
    return total / len(features)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
@pytest.mark.parametrize(("scale", "margin"), [(64.0, 0.3), (16.0, 0.0), (1.0, 0.25)])
def test_value_and_gradient_are_those_of_loops(scale, margin, smoothing):
    generator = torch.Generator().manual_seed(0)
    features, weights = (torch.randn(n, 5, dtype=torch.float64, generator=generator) for n in (6, 4))
    features.requires_grad_(), weights.requires_grad_()
    numbers = (scale, margin, smoothing)
    value, expected = (
        circle(features, weights, torch.tensor(PERSON), *numbers),
        by_loops(features, weights, PERSON, *numbers),
    )
    assert value > 0
    torch.testing.assert_close(value, expected, rtol=1e-10, atol=1e-12)
    gradients = [torch.autograd.grad(loss, [features, weights]) for loss in (value, expected)]
    torch.testing.assert_close(*gradients, rtol=1e-8, atol=1e-12)


def test_by_hand():
    # Cosine 1 with the right person, 0 with the other: 64 * 0.3 * 0.3 against 64 * 0.3 * (0 - 0.3).
    axes = torch.eye(2, dtype=torch.float64)
    found = circle(3 * axes, 5 * axes, torch.tensor([0, 1]))
    assert found.item() == pytest.approx(math.log(1 + math.exp(-2 * 64 * 0.09)))


def test_a_wrong_person_who_is_far_enough_pushes_nobody():
    # Cosine -1 with the other: its factor is 0, and so is its logit.
    weights = torch.tensor([[1.0, 0.0], [-1.0, 0.0]], dtype=torch.float64)
    found = circle(weights[:1], weights, torch.tensor([0]))
    assert found.item() == pytest.approx(math.log(1 + math.exp(-64 * 0.09)))


def test_without_its_factors_it_would_be_a_scaled_cosine_softmax():
    # At cosine 1 + m - z = 1 and z + m = 1 the factors are 1: right z = m, other z = 1 - m.
    margin = 0.5
    angle = math.acos(margin)
    features = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    weights = torch.tensor([[math.cos(a), math.sin(a)] for a in (angle, -angle)], dtype=torch.float64)
    logits = 8 * (features @ weights.T - torch.tensor([[1 - margin, margin]], dtype=torch.float64))
    person = torch.tensor([0])
    torch.testing.assert_close(circle(features, weights, person, 8.0, margin), identity(logits, person))


def test_lengths_and_the_order_of_a_batch_change_nothing():
    generator = torch.Generator().manual_seed(1)
    features, weights = (torch.randn(n, 5, dtype=torch.float64, generator=generator) for n in (6, 4))
    person, order = torch.tensor(PERSON), torch.randperm(6, generator=generator)
    expected = circle(features, weights, person)
    torch.testing.assert_close(circle(features[order], weights, person[order]), expected)
    torch.testing.assert_close(circle(7 * features, 0.1 * weights, person), expected)


def test_zero_features_give_a_finite_gradient():
    features = torch.zeros(2, 3, requires_grad=True)
    circle(features, torch.eye(3), torch.tensor([0, 1])).backward()
    assert features.grad.isfinite().all()


def test_it_keeps_full_precision_under_autocast():
    generator = torch.Generator().manual_seed(2)
    features, weights = (torch.randn(n, 64, generator=generator) for n in (6, 4))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = circle(features, weights, torch.tensor(PERSON))
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, circle(features, weights, torch.tensor(PERSON)), rtol=0, atol=0)


def test_one_person_is_refused():
    with pytest.raises(ValueError, match="circle softmax compares persons and found 1: give at least 2"):
        circle(torch.ones(2, 3), torch.ones(1, 3), torch.tensor([0, 0]))
