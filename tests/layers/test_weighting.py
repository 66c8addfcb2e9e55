"""The weight vector against its formula, at its bounds, and where losses come later."""

import math

import pytest
import torch

from s2reid.layers.weighting import LossWeights

NAMES = ("identity", "triplet", "domain", "consistency")
INITIAL = {"domain": 0.2, "consistency": 0.6}


def terms(*values):
    return {name: torch.tensor(value, dtype=torch.float64, requires_grad=True) for name, value in zip(NAMES, values)}


def test_value_and_gradients_are_those_of_the_formula():
    weights, given = LossWeights(NAMES, INITIAL).double(), terms(2.0, 0.3, 1.5, 0.7)
    s = [0.0, 0.0, -math.log(0.2), -math.log(0.6)]
    total = weights(given)
    expected = sum(math.exp(-s[k]) * given[name].item() + s[k] for k, name in enumerate(NAMES))
    assert total.item() == pytest.approx(expected)
    slopes = torch.autograd.grad(total, [*given.values(), weights.log_variance])
    assert [slope.item() for slope in slopes[:4]] == pytest.approx([1, 1, 0.2, 0.6])
    assert slopes[4].tolist() == pytest.approx([1 - w * given[n].item() for n, w in zip(NAMES, (1, 1, 0.2, 0.6))])


def test_the_start_is_as_given_and_otherwise_one():
    found = LossWeights(NAMES, INITIAL).weights()
    assert {name: value.item() for name, value in found.items()} == pytest.approx(
        {"identity": 1, "triplet": 1, "domain": 0.2, "consistency": 0.6}
    )
    assert not any(value.requires_grad for value in found.values())


def test_a_constant_loss_gets_the_inverse_of_itself():
    weights = LossWeights(NAMES, {})
    optimizer = torch.optim.SGD(weights.parameters(), 0.1)
    losses = {"identity": 4.0, "triplet": 0.5, "domain": 100.0, "consistency": 0.0}
    for _ in range(300):
        optimizer.zero_grad()
        weights({name: torch.tensor(value) for name, value in losses.items()}).backward()
        optimizer.step()
    found = [weights.weights()[name].item() for name in NAMES]
    assert found == pytest.approx([1 / 4, 2, math.exp(-2), math.exp(2)], rel=1e-3)


@pytest.mark.parametrize(("outside", "held", "loss"), [(5.0, 2.0, 0.0), (-5.0, -2.0, 1e6), (1e9, 2.0, 0.01)])
def test_a_weight_outside_its_bounds_is_put_on_them_and_can_come_back(outside, held, loss):
    weights = LossWeights(("frame",), {})
    with torch.no_grad():
        weights.log_variance.fill_(outside)
    assert weights.weights()["frame"].item() == pytest.approx(math.exp(-held))
    total = weights({"frame": torch.tensor(loss)})
    assert total.item() == pytest.approx(math.exp(-held) * loss + held)
    total.backward()
    assert weights.log_variance.item() == held
    assert weights.log_variance.grad.item() * held > 0  # a step against it goes inside


def test_a_loss_that_is_absent_leaves_its_weight_alone():
    weights = LossWeights(NAMES, INITIAL)
    optimizer = torch.optim.Adam(weights.parameters(), 0.1)
    for _ in range(5):
        optimizer.zero_grad()
        weights({"triplet": torch.tensor(3.0), "identity": torch.tensor(2.0)}).backward()
        optimizer.step()
    start = LossWeights(NAMES, INITIAL).log_variance
    is_moved = (weights.log_variance != start).tolist()
    assert is_moved == [True, True, False, False]


def test_the_order_of_the_losses_does_not_matter_and_two_passes_share_one_gradient():
    weights, given = LossWeights(NAMES, INITIAL).double(), terms(2.0, 0.3, 1.5, 0.7)
    one, other = weights(given), weights(dict(reversed(given.items())))
    torch.testing.assert_close(one, other)
    (one + other).backward()
    assert weights.log_variance.grad.isfinite().all()


def test_the_vector_is_saved():
    weights, again = LossWeights(NAMES, INITIAL), LossWeights(NAMES, {})
    again.load_state_dict(weights.state_dict())
    assert list(weights.state_dict()) == ["log_variance"]
    assert again.weights() == weights.weights()


def test_a_loss_without_a_weight_is_refused():
    with pytest.raises(ValueError, match=r"no weight for the losses \['frame'\]: there are weights for \['identity'"):
        LossWeights(NAMES, {})({"frame": torch.tensor(1.0)})


def test_a_weight_without_a_loss_is_refused():
    with pytest.raises(ValueError, match=r"initial weights for \['frame'\], expected some of \['identity', 'triplet'"):
        LossWeights(NAMES, {"frame": 1.0})


@pytest.mark.parametrize("weight", [0.0, -1.0, 0.1, 8.0, float("nan")])
def test_a_weight_that_cannot_be_held_is_refused(weight):
    expected = (
        rf"initial weight of 'domain' is {weight}, expected 0.135 to 7.39 \(s within \+-2.0\): leave the term out"
    )
    with pytest.raises(ValueError, match=expected):
        LossWeights(NAMES, {"domain": weight})
