"""L_match against its definition, and where it has nothing to say."""

import pytest
import torch

from s2reid.losses.matching import matching

PERSONS = {
    "P x 2": [0, 0, 1, 1, 2, 2, 3, 3],
    "several of one": [0, 0, 0, 0, 0, 1, 1, 2],
    "anchors without a positive": [0, 1, 2, 2, 3, 3, 3, 4],
}


def by_loops(scores, person, margin):
    values = []
    for a in range(len(person)):
        matches = [scores[a, b] for b in range(len(person)) if b != a and person[b] == person[a]]
        mismatches = [scores[a, b] for b in range(len(person)) if person[b] != person[a]]
        if matches and mismatches:
            values.append(torch.clamp(max(mismatches) - min(matches) + margin, min=0))
    return sum(values) / len(values)


@pytest.mark.parametrize("margin", [0.0, 1.0, 16.0])
@pytest.mark.parametrize("person", PERSONS.values(), ids=PERSONS)
def test_value_and_gradient_are_those_of_loops(person, margin):
    scores = torch.randn(8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    value, expected = matching(scores, torch.tensor(person), margin), by_loops(scores, person, margin)
    assert value.item() > 0
    torch.testing.assert_close(value, expected, rtol=1e-12, atol=0)
    grads = [torch.autograd.grad(loss, scores)[0] for loss in (value, expected)]
    torch.testing.assert_close(*grads, rtol=1e-12, atol=0)


@pytest.mark.parametrize("person", [[0, 0, 0], [0, 1, 2]], ids=["no mismatch", "no match"])
def test_without_a_triplet_the_loss_is_zero_and_still_has_a_gradient(person):
    scores = torch.randn(3, 3, generator=torch.Generator().manual_seed(0), requires_grad=True)
    loss = matching(scores, torch.tensor(person))
    loss.backward()
    assert loss.item() == 0
    assert torch.equal(scores.grad, torch.zeros(3, 3))


def test_half_precision_scores_are_compared_in_full():
    scores = torch.randn(4, 4, generator=torch.Generator().manual_seed(1)).half()
    assert matching(scores, torch.tensor([0, 0, 1, 1])).dtype == torch.float32
