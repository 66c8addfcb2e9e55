"""Gradient reversal: exactly -strength times identity's gradient; its schedule."""

import math

import pytest
import torch

from s2reid.layers.reversal import reverse, strength_at


def gradient(passed, x):
    """What arrives at x where `passed` stands between two functions that are not linear."""
    return torch.autograd.grad((passed(x.square()).sin() * torch.arange(x.numel()).view(x.shape)).sum(), x)[0]


@pytest.mark.parametrize("strength", [0.0, 0.25, 1.0, 3.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_the_gradient_is_minus_strength_times_identitys(strength, dtype):
    x = torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64).to(dtype)
    x.requires_grad_()
    found, expected = gradient(lambda y: reverse(y, strength), x), gradient(lambda y: y, x)
    assert found.dtype == dtype
    assert expected.abs().max() > 0
    if dtype is torch.bfloat16:  # products round in another order
        torch.testing.assert_close(found, -strength * expected, rtol=2e-2, atol=1e-3)
    else:
        torch.testing.assert_close(found, -strength * expected)


def test_half_and_whole_strength_are_exact():
    x = torch.randn(20, generator=torch.Generator().manual_seed(1), requires_grad=True)
    identity = gradient(lambda y: y, x)
    for strength in (0.5, 1.0, 2.0):
        assert torch.equal(gradient(lambda y, s=strength: reverse(y, s), x), -strength * identity)


def test_values_pass_unchanged_and_twice_reversed_is_not_reversed():
    x = torch.randn(4, 3, generator=torch.Generator().manual_seed(2), requires_grad=True)
    assert torch.equal(reverse(x, 0.7), x)
    found = gradient(lambda y: reverse(reverse(y, 1.0), 1.0), x)
    assert torch.equal(found, gradient(lambda y: y, x))


def test_the_schedule():
    found = [strength_at(step / 100) for step in range(101)]
    expected = [2 / (1 + math.exp(-10 * step / 100)) - 1 for step in range(101)]
    assert found == pytest.approx(expected, abs=1e-12)
    assert found == sorted(found)
    assert found[0] == 0
    assert 0.9999 < found[-1] <= 1
    assert [strength_at(step / 100, 0.3) for step in range(101)] == [min(0.3, value) for value in found]


@pytest.mark.parametrize("progress", [-0.1, 1.5, float("nan")])
def test_progress_is_a_share(progress):
    with pytest.raises(ValueError, match=rf"progress is {progress}, expected a share of the run in \[0, 1\]: divide"):
        strength_at(progress)


@pytest.mark.parametrize("cap", [-1.0, float("nan")])
def test_a_negative_cap_is_refused(cap):
    with pytest.raises(ValueError, match=f"the cap on the reversal's strength is {cap}, expected 0"):
        strength_at(0.5, cap)
