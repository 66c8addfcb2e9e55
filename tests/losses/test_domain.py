"""L1S, L2S, L3S against their definitions, Eq. (7) to (10)."""

import math

import pytest
import torch

from s2reid.losses.domain import domain_accuracy, frame, mixture, video


def random(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed), requires_grad=True)


def cross_entropy(logits, is_target):
    source, target = torch.exp(logits[0]), torch.exp(logits[1])
    return -torch.log((target if is_target else source) / (source + target))


def frame_by_loops(logits, is_target):
    terms = [cross_entropy(scores, label) for clip, label in zip(logits, is_target) for scores in clip]
    return sum(terms) / len(terms)


def video_by_loops(logits, is_target):
    return sum(cross_entropy(scores, label) for scores, label in zip(logits, is_target)) / len(logits)


def mixture_by_loops(predicted, occupancy):
    errors = [(p - o) ** 2 for row, right in zip(predicted, occupancy) for p, o in zip(row, right)]
    return sum(errors) / len(errors)


IS_TARGET = torch.tensor([True, False, False, True, True])
OCCUPANCY = (torch.arange(20).view(5, 4) % 3 == 0).double()
CASES = {
    "frame": (frame, frame_by_loops, (5, 3, 2), IS_TARGET),
    "video": (video, video_by_loops, (5, 2), IS_TARGET),
    "mixture": (mixture, mixture_by_loops, (5, 4), OCCUPANCY),
}


@pytest.mark.parametrize(("loss", "by_loops", "shape", "label"), CASES.values(), ids=CASES)
def test_value_and_gradient_are_those_of_loops(loss, by_loops, shape, label):
    given = random(*shape)
    values = loss(given, label), by_loops(given, label)
    torch.testing.assert_close(*values, rtol=1e-12, atol=0)
    torch.testing.assert_close(*(torch.autograd.grad(value, given)[0] for value in values), rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize(("loss", "by_loops", "shape", "label"), CASES.values(), ids=CASES)
def test_a_permuted_or_doubled_batch_changes_nothing(loss, by_loops, shape, label):
    given, order = random(*shape), torch.tensor([3, 0, 4, 1, 2])
    torch.testing.assert_close(loss(given[order], label[order]), loss(given, label))
    torch.testing.assert_close(
        loss(given.repeat(2, *[1] * (given.ndim - 1)), torch.cat([label, label])), loss(given, label)
    )


def test_frames_are_labelled_by_their_clip():
    # Every frame of the target is called target, two of the source's three frames source.
    logits = torch.tensor([[[0.0, 20.0]] * 3, [[20.0, 0.0], [20.0, 0.0], [0.0, 20.0]]])
    assert frame(logits, torch.tensor([True, False])).item() == pytest.approx(20 / 6)


def test_one_frame_a_clip_is_the_video_loss():
    logits = random(5, 2)
    torch.testing.assert_close(frame(logits[:, None], IS_TARGET), video(logits, IS_TARGET))


def test_chance():
    assert frame(torch.zeros(5, 3, 2), IS_TARGET).item() == pytest.approx(math.log(2))
    assert video(torch.zeros(5, 2), IS_TARGET).item() == pytest.approx(math.log(2))
    assert mixture(torch.full((5, 4), 0.5), OCCUPANCY.float()).item() == 0.25


@pytest.mark.parametrize("shape", [(5, 2), (5, 3, 2)])
def test_accuracy_counts(shape):
    logits = random(*shape, seed=2)
    guesses = [(scores[1] > scores[0]).item() for scores in logits.reshape(-1, 2)]
    labels = IS_TARGET.repeat_interleave(logits[..., 0].numel() // 5).tolist()
    found = domain_accuracy(logits, IS_TARGET)
    assert found.item() == pytest.approx(sum(map(bool.__eq__, guesses, labels)) / len(labels))
    assert not found.requires_grad


def test_accuracy_of_sure_logits():
    right = torch.stack([-IS_TARGET.float(), IS_TARGET.float()], 1)
    assert domain_accuracy(right, IS_TARGET).item() == 1
    assert domain_accuracy(right[:, None].expand(-1, 4, -1), ~IS_TARGET).item() == 0
    assert domain_accuracy(torch.zeros(5, 2), IS_TARGET).item() == pytest.approx(0.4)  # ties count as source


def test_bf16_logits_under_autocast_are_summed_in_float32():
    with torch.autocast("cpu", dtype=torch.bfloat16):
        for loss, _, shape, label in CASES.values():
            assert loss(random(*shape).bfloat16(), label).dtype in (torch.float32, torch.float64)
