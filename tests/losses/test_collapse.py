"""The guards against collapse against their definitions and at their extremes."""

import math

import pytest
import torch

from s2reid.losses.collapse import effective_rank, mean_cosine


def random(number, features, seed=0):
    return torch.randn(number, features, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def test_mean_cosine_is_that_of_a_loop_over_pairs():
    features = random(7, 4)
    pairs = [(one, other) for i, one in enumerate(features) for other in features[:i]]
    cosines = [(a @ b / (a.norm() * b.norm())).item() for a, b in pairs]
    assert len(cosines) == 21
    assert mean_cosine(features).item() == pytest.approx(sum(cosines) / 21)


@pytest.mark.parametrize("shape", [(7, 4), (4, 7), (5, 5), (1, 3)])
def test_effective_rank_is_exp_of_the_entropy_of_singular_values(shape):
    features = random(*shape)
    unit = torch.stack([row / row.norm() for row in features])
    # The singular values are the roots of the eigenvalues of the products of all pairs.
    squares = torch.linalg.eigvalsh(unit @ unit.T if shape[0] <= shape[1] else unit.T @ unit)
    values = [math.sqrt(max(square, 0)) for square in squares.tolist()]
    entropy = -sum(v / sum(values) * math.log(v / sum(values)) for v in values)
    assert effective_rank(features).item() == pytest.approx(math.exp(entropy))


def test_extremes():
    assert mean_cosine(torch.ones(5, 3)).item() == pytest.approx(1)
    assert effective_rank(torch.ones(5, 3)).item() == pytest.approx(1, abs=1e-3)
    assert mean_cosine(torch.eye(5)).item() == 0
    assert effective_rank(torch.eye(5) * torch.arange(1.0, 6.0)).item() == pytest.approx(5)
    assert mean_cosine(torch.tensor([[1.0, 0.0], [-4.0, 0.0]])).item() == pytest.approx(-1)
    assert effective_rank(torch.zeros(5, 3)).isfinite()
    assert mean_cosine(torch.zeros(5, 3)).item() == 0


def test_a_permuted_or_rescaled_batch_changes_nothing():
    features, order = random(9, 6), torch.randperm(9, generator=torch.Generator().manual_seed(1))
    scales = torch.arange(1.0, 10.0, dtype=torch.float64)[:, None]
    for guard in (mean_cosine, effective_rank):
        torch.testing.assert_close(guard((features * scales)[order]), guard(features))


def test_no_gradient_and_full_precision_under_autocast():
    features = random(8, 6).float().requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = [guard(features) for guard in (mean_cosine, effective_rank)]
        half = effective_rank(features.bfloat16())
    assert [value.item() for value in found] == [mean_cosine(features).item(), effective_rank(features).item()]
    assert half.item() == pytest.approx(found[1].item(), rel=0.01)
    assert not any(value.requires_grad for value in found)


def test_one_clip_has_no_pair():
    with pytest.raises(ValueError, match="mean_cosine compares pairs of clips, found 1: expected 2 clips or more"):
        mean_cosine(torch.ones(1, 3))
