"""L_cse against its definition."""

import math

import pytest
import torch

from s2reid.losses.identity import identity


def by_loops(logits, person, smoothing):
    """Eq. (5), with a label that is (1 - smoothing) on the right person plus smoothing / k on everybody."""
    total = torch.zeros((), dtype=logits.dtype)
    for row, right in zip(logits, person.tolist()):
        exponentials = [torch.exp(score) for score in row]
        for k, exponential in enumerate(exponentials):
            label = (1 - smoothing) * (k == right) + smoothing / len(row)
            total = total - label * torch.log(exponential / sum(exponentials))
    return total / len(logits)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
def test_value_and_gradient_are_those_of_loops(smoothing):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(6, 5, dtype=torch.float64, generator=generator, requires_grad=True)
    person = torch.tensor([0, 4, 2, 2, 1, 0])
    value, expected = identity(logits, person, smoothing), by_loops(logits, person, smoothing)
    torch.testing.assert_close(value, expected, rtol=1e-12, atol=0)
    grads = [torch.autograd.grad(loss, logits)[0] for loss in (value, expected)]
    torch.testing.assert_close(*grads, rtol=1e-10, atol=1e-14)


def test_by_hand():
    # Odds of 3 to 1 for person 0: -log(3/4) where it is right, -log(1/4) where it is wrong.
    logits = torch.tensor([[math.log(3.0), 0.0]] * 2)
    assert identity(logits, torch.tensor([0, 1])).item() == pytest.approx((math.log(4 / 3) + math.log(4)) / 2)


def test_a_permuted_batch_and_a_shifted_row_change_nothing():
    logits, person = torch.randn(8, 4, generator=torch.Generator().manual_seed(1)), torch.arange(8) % 4
    order = torch.randperm(8, generator=torch.Generator().manual_seed(2))
    expected = identity(logits, person)
    torch.testing.assert_close(identity(logits[order], person[order]), expected)
    torch.testing.assert_close(identity(logits + torch.arange(8.0)[:, None], person), expected)


def test_large_scores_stay_finite():
    logits = torch.tensor([[1e4, -1e4], [-1e4, 1e4]], requires_grad=True)
    loss = identity(logits, torch.tensor([1, 1]), 0.1)
    loss.backward()
    assert loss.isfinite()
    assert logits.grad.isfinite().all()
