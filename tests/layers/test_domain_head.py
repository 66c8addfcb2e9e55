"""The domain heads against their formulas, and which way their gradients point."""

import math

import pytest
import torch

from s2reid.layers.domain_head import DomainHead, MixtureHead


def domain_head():
    torch.manual_seed(0)
    return DomainHead(num_features=5, hidden=6).double()


def mixture_head(**numbers):
    torch.manual_seed(0)
    return MixtureHead(num_features=5, **{"projected": 3, "hidden": 7, "slots": 4} | numbers).double()


def random(*shape):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1), requires_grad=True)


def linear(x, layer):
    return torch.stack([sum(w * v for w, v in zip(row, x)) + b for row, b in zip(layer.weight, layer.bias)])


def relu(x):
    return torch.stack([torch.clamp(v, min=0) for v in x])


def by_loop(head, feature):
    first, _, _, last = head.layers
    return linear(relu(linear(feature, first)), last)


def mixture_by_loop(head, sequence):
    first, _, _, second, _, _, last = head.layers
    flat = torch.cat([relu(linear(segment, first)) for segment in sequence])
    return torch.stack([1 / (1 + torch.exp(-z)) for z in linear(relu(linear(flat, second)), last)])


@pytest.mark.parametrize("strength", [0.0, 0.4, 1.0])
def test_frames_and_clips_value_and_gradient(strength):
    head, frames = domain_head().eval(), random(3, 2, 5)
    found = head(frames, strength)
    expected = torch.stack([torch.stack([by_loop(head, feature) for feature in clip]) for clip in frames])
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(head(frames[:, 0], strength), expected[:, 0])
    check_gradients(head, frames, found, expected, strength)


@pytest.mark.parametrize("strength", [0.0, 0.4, 1.0])
def test_sequences_value_and_gradient(strength):
    head, combined = mixture_head().eval(), random(3, 4, 5)
    found = head(combined, strength)
    expected = torch.stack([mixture_by_loop(head, sequence) for sequence in combined])
    torch.testing.assert_close(found, expected)
    check_gradients(head, combined, found, expected, strength)


def check_gradients(head, features, found, expected, strength):
    """The features' is reversed, the head's own is not."""
    inputs = [features, *head.parameters()]
    assert len(inputs) in (5, 7)
    mine, plain = (torch.autograd.grad(value.square().sum(), inputs) for value in (found, expected))
    assert all(gradient.abs().max() > 0 for gradient in plain)
    torch.testing.assert_close(mine[0], -strength * plain[0])
    torch.testing.assert_close(mine[1:], plain[1:])


@pytest.mark.parametrize(("make", "shape"), [(domain_head, (64, 5)), (mixture_head, (64, 4, 5))])
def test_only_training_drops(make, shape):
    head, features = make(), random(*shape)
    torch.manual_seed(0)
    assert not torch.equal(head.train()(features, 1.0), head(features, 1.0))
    assert torch.equal(head.eval()(features, 1.0), head(features, 1.0))


@pytest.mark.parametrize("bias", [30.0, -30.0])
def test_a_certain_mixture_head_is_held_and_still_learns(bias):
    head = mixture_head().eval()
    with torch.no_grad():
        head.layers[-1].bias.fill_(bias)
    predicted = head(random(2, 4, 5), 1.0)
    limit = 1 / (1 + math.exp(-math.copysign(8, bias)))
    assert predicted.flatten().tolist() == pytest.approx([limit] * 8)
    wrong = (predicted - float(bias < 0)).square().sum()
    (slope,) = torch.autograd.grad(wrong, head.layers[-1].bias)
    assert (slope * bias > 1e-4).all()  # a step against it makes the bias smaller


def test_mixture_predictions_are_float32_under_autocast():
    head, combined = mixture_head().float().eval(), random(2, 4, 5).detach().float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        predicted = head(combined, 1.0)
    assert predicted.dtype == torch.float32
    torch.testing.assert_close(predicted, head(combined, 1.0), rtol=0, atol=0.02)


def test_default_sizes():
    # 2048 -> 512 -> 2; 2048 -> 256 each segment, 8 x 256 -> 512 -> 8.
    assert sum(p.numel() for p in DomainHead(2048, 512).parameters()) == 2049 * 512 + 513 * 2
    assert sum(p.numel() for p in MixtureHead(2048).parameters()) == 2049 * 256 + (8 * 256 + 1) * 512 + 513 * 8


def test_reversal_makes_domains_alike_and_the_head_alone_tells_them_apart():
    """A toy: the target's features are the source's plus a shift that the "network" can learn away."""
    for strength, expected in ((0.0, 1.0), (1.0, 0.5)):
        torch.manual_seed(0)
        head, shift = DomainHead(4, 16, dropout=0.0), torch.full((4,), 2.0, requires_grad=True)
        optimizer = torch.optim.Adam([*head.parameters(), shift], 0.02)
        is_target = torch.arange(64) >= 32
        for _ in range(400):
            features = torch.randn(64, 4) + is_target[:, None] * shift
            logits = head(features, strength)
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(logits, is_target.long()).backward()
            optimizer.step()
        right = ((logits[:, 1] > logits[:, 0]) == is_target).float().mean().item()
        assert right == pytest.approx(expected, abs=0.15)
