"""QAConv's matcher against loops over places, in blocks or at once."""

import pytest
import torch
from torch.nn import functional

from s2reid.layers.matcher import Matcher, resemblance


def maps(n, seed, height=3, width=2):
    generator = torch.Generator().manual_seed(seed)
    return functional.normalize(torch.randn(n, 5, height, width, dtype=torch.float64, generator=generator), dim=1)


def standardise(values, norm):
    """Batch norm of a list of numbers in training mode."""
    mean = sum(values) / len(values)
    variance = sum((value - mean) ** 2 for value in values) / len(values)
    return [norm.weight[0] * (value - mean) / torch.sqrt(variance + norm.eps) + norm.bias[0] for value in values]


def by_loops(matcher, query, gallery):
    best = []
    for q in query.flatten(2):
        for g in gallery.flatten(2):
            best += [max((q[:, s] * g[:, r]).sum() for r in range(g.shape[1])) for s in range(q.shape[1])]
            best += [max((q[:, s] * g[:, r]).sum() for s in range(q.shape[1])) for r in range(g.shape[1])]
    best = standardise(best, matcher.norm)
    places = len(matcher.weight)
    scores = [
        sum(matcher.weight[s] * (best[start + s] + best[start + places + s]) for s in range(places))
        for start in range(0, len(best), 2 * places)
    ]
    return torch.stack(standardise(scores, matcher.score_norm)).view(len(query), len(gallery))


def perturbed(seed=0):
    generator = torch.Generator().manual_seed(seed)
    matcher = Matcher(3, 2).double()
    with torch.no_grad():
        for parameter in matcher.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, dtype=torch.float64, generator=generator))
    return matcher


@pytest.mark.parametrize("elements", [1, 36 * 4, 2**24])
def test_value_and_gradients_are_those_of_loops(elements):
    matcher, query, gallery = perturbed().train(), maps(3, 0).requires_grad_(), maps(4, 1).requires_grad_()
    found, expected = matcher(query, gallery, elements), by_loops(matcher, query, gallery)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-11)
    weight = torch.randn(3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    inputs = [query, gallery, *matcher.parameters()]
    grads = [torch.autograd.grad((weight * scores).sum(), inputs) for scores in (found, expected)]
    assert len(inputs) == 7
    # The first norm's scale and shift pass through the second one: their gradients are all but zero.
    torch.testing.assert_close(*grads, rtol=1e-7, atol=1e-9)


def test_the_score_is_symmetric_and_largest_for_a_map_itself():
    matcher = Matcher(3, 2).double().eval()
    some = maps(6, 3)
    scores = matcher(some, some)
    torch.testing.assert_close(scores, scores.T)
    assert scores.argmax(1).tolist() == list(range(6))
    # Both directions sum weights of 1 over cosines of 1, through two norms at their start.
    torch.testing.assert_close(scores.diagonal(), torch.full((6,), 2 / (1 + 1e-5), dtype=torch.float64))


def test_moving_a_person_within_the_image_changes_nothing():
    matcher, some = Matcher(3, 2).double().eval(), maps(2, 4)
    torch.testing.assert_close(matcher(some, some.roll(1, dims=2)), matcher(some, some))


def test_in_evaluation_a_pair_does_not_depend_on_the_others():
    matcher, query, gallery = perturbed().eval(), maps(3, 0), maps(4, 1)
    torch.testing.assert_close(matcher(query[1:2], gallery[2:3])[0, 0], matcher(query, gallery)[1, 2])


def test_no_more_products_are_held_than_said(monkeypatch):
    sizes, einsum = [], torch.einsum

    def counting(*arguments):
        out = einsum(*arguments)
        sizes.append(out.numel())
        return out

    monkeypatch.setattr(torch, "einsum", counting)
    query, gallery = maps(7, 0).flatten(2), maps(5, 1).flatten(2)
    found = resemblance(query, gallery, elements=36 * 11)
    assert len(sizes) == 4
    assert max(sizes) <= 36 * 11
    assert sum(sizes) == 7 * 5 * 36
    resemblance(query, gallery, elements=36 * 3)
    assert max(sizes[4:]) <= 36 * 3
    torch.testing.assert_close(found, resemblance(query, gallery))


def test_in_evaluation_nothing_of_all_pairs_is_held_but_the_scores(monkeypatch):
    matcher, query, gallery = perturbed().eval(), maps(7, 0), maps(5, 1)
    held, expected = [], matcher(query, gallery)
    monkeypatch.setattr(matcher.norm, "forward", lambda values: held.append(values.numel()) or values)
    monkeypatch.setattr(matcher.score_norm, "forward", lambda values: values)
    matcher(query, gallery, elements=36 * 11)
    assert sum(held) == 7 * 5 * 12
    assert max(held) <= 11 * 12
    monkeypatch.undo()
    torch.testing.assert_close(matcher(query, gallery, elements=36 * 11), expected)


def test_maps_of_another_size_are_refused():
    with pytest.raises(ValueError, match="weighs the places of maps of 3x2, found 6x4: match images of the size"):
        Matcher(3, 2)(torch.zeros(1, 5, 6, 4), torch.zeros(2, 5, 6, 4))
