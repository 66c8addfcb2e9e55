"""L_CAL against its definition."""

import pytest
import torch

from s2reid.losses.identity import identity
from s2reid.losses.outfit import outfit

WEARER = [0, 0, 0, 1, 2, 2]


def by_loops(logits, worn, wearer, smoothing):
    """Sum over the right person's outfits k: -q_k log(exp s_k / (exp s_k + sum over others' outfits exp s_j))."""
    total = torch.zeros((), dtype=logits.dtype)
    for row, right in zip(logits, worn.tolist()):
        own = [k for k in range(len(wearer)) if wearer[k] == wearer[right]]
        others = sum(torch.exp(row[j]) for j in range(len(wearer)) if j not in own)
        for k in own:
            label = (1 - smoothing) * (k == right) + smoothing / len(own)
            total = total - label * torch.log(torch.exp(row[k]) / (torch.exp(row[k]) + others))
    return total / len(logits)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
def test_value_and_gradient_are_those_of_loops(smoothing):
    logits = 3 * torch.randn(7, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    logits.requires_grad_()
    worn = torch.tensor([0, 1, 2, 3, 4, 5, 1])
    value, expected = (
        outfit(logits, worn, torch.tensor(WEARER), smoothing),
        by_loops(logits, worn, WEARER, smoothing),
    )
    torch.testing.assert_close(value, expected, rtol=1e-12, atol=0)
    grads = [torch.autograd.grad(loss, logits)[0] for loss in (value, expected)]
    assert grads[1].abs().min() > 0 or smoothing == 0
    torch.testing.assert_close(*grads, rtol=1e-10, atol=1e-14)


def test_with_one_outfit_a_person_it_is_the_identity_loss():
    logits, person = torch.randn(5, 4, generator=torch.Generator().manual_seed(1)), torch.tensor([0, 3, 2, 1, 1])
    torch.testing.assert_close(outfit(logits, person, torch.arange(4)), identity(logits, person))


def test_a_persons_other_outfits_do_not_compete():
    logits = torch.zeros(1, 4)
    raised = logits + torch.tensor([0.0, 50.0, 0.0, 0.0])  # another outfit of the right person
    arguments = torch.tensor([0]), torch.tensor([0, 0, 1, 2])
    assert outfit(raised, *arguments, smoothing=0.0) == outfit(logits, *arguments, smoothing=0.0)
    assert outfit(raised, *arguments) < outfit(logits, *arguments)


def test_large_scores_stay_finite():
    logits = torch.tensor([[1e4, -1e4, 0.0], [-1e4, 1e4, 0.0]], requires_grad=True)
    loss = outfit(logits, torch.tensor([2, 0]), torch.tensor([0, 1, 1]))
    loss.backward()
    assert loss.isfinite()
    assert logits.grad.isfinite().all()
