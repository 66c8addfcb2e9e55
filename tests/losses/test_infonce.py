"""The temporal-diversity InfoNCE against its definition."""

import math

import pytest
import torch

from s2reid.losses.infonce import infonce


def by_loops(frames, person, temperature):
    """The mean over pairs of a person's frames in one slot; 8 frames are two clips of 4."""
    slots = 4 if frames.shape[1] == 8 else frames.shape[1]
    items = [
        (owner, slot % slots, frame / frame.square().sum().sqrt())
        for clip, owner in zip(frames, person.tolist())
        for slot, frame in enumerate(clip)
    ]
    values = []
    for i, (owner, slot, one) in enumerate(items):
        others = [torch.exp((one * f).sum() / temperature) for o, s, f in items if o == owner and s != slot]
        for j, (other_owner, other_slot, other) in enumerate(items):
            if i != j and other_owner == owner and other_slot == slot:
                like = torch.exp((one * other).sum() / temperature)
                values.append(-torch.log(like / (like + sum(others))))
    return sum(values) / len(values), len(values)


def frames(clips, t, d=5, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(clips, t, d, dtype=torch.float64, generator=generator, requires_grad=True)


PERSONS = {"P x K": [0, 0, 0, 1, 1, 1], "mixed up": [2, 0, 2, 1, 0, 2], "one clip of some": [0, 0, 1, 2, 3, 3]}
PAIRS = {
    ("P x K", 4): 2 * 4 * 3 * 2,
    ("mixed up", 4): 4 * (3 * 2 + 2 * 1),
    ("one clip of some", 4): 2 * 4 * 2,
    ("P x K", 8): 2 * 4 * 6 * 5,
    ("mixed up", 8): 4 * (6 * 5 + 4 * 3 + 2 * 1),
    ("one clip of some", 8): 4 * 2 * (4 * 3 + 2 * 1),
    ("P x K", 2): 2 * 2 * 3 * 2,
}


@pytest.mark.parametrize("temperature", [0.07, 1.0])
@pytest.mark.parametrize(("name", "t"), PAIRS)
def test_value_and_gradient_are_those_of_loops(name, t, temperature):
    features, person = frames(6, t), torch.tensor(PERSONS[name])
    value = infonce(features, person, temperature)
    expected, pairs = by_loops(features, person, temperature)
    assert pairs == PAIRS[name, t]
    torch.testing.assert_close(value, expected, rtol=1e-10, atol=0)
    grads = [torch.autograd.grad(loss, features)[0] for loss in (value, expected)]
    torch.testing.assert_close(*grads, rtol=1e-8, atol=1e-12)


def test_by_hand():
    # Two clips of a person with slots at right angles, turned against each other by 60 degrees: same slot 1/2,
    # other slots of the other clip cos 30 or cos 150, other slot of the same clip 0.
    first = torch.eye(2, dtype=torch.float64)
    turn = torch.tensor([[0.5, math.sqrt(3) / 2], [-math.sqrt(3) / 2, 0.5]], dtype=torch.float64)
    value = infonce(torch.stack([first, turn]), torch.tensor([7, 7]), temperature=1.0)
    near, far = (math.exp(sign * math.sqrt(3) / 2) for sign in (1, -1))
    expected = sum(math.log(1 + (1 + other) / math.exp(0.5)) for other in (near, far)) / 2
    assert value.item() == pytest.approx(expected)


def test_a_permuted_batch_and_scaled_frames_change_nothing():
    features, person = frames(8, 4), torch.arange(8) % 3
    order = torch.randperm(8, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(infonce(features[order], person[order]), infonce(features, person))
    torch.testing.assert_close(infonce(3 * features, person), infonce(features, person))


def test_another_person_changes_nothing():
    features = frames(6, 4)
    alone = infonce(features[:3], torch.zeros(3, dtype=torch.long))
    torch.testing.assert_close(infonce(features[:4], torch.tensor([0, 0, 0, 1])), alone)


@pytest.mark.parametrize(("clips", "t", "person"), [(3, 4, [0, 1, 2]), (4, 1, [0, 0, 1, 1]), (1, 1, [0])])
def test_without_pairs_or_other_slots_the_loss_is_zero_and_still_has_a_gradient(clips, t, person):
    features = frames(clips, t)
    loss = infonce(features, torch.tensor(person))
    loss.backward()
    assert loss.item() == 0
    assert not features.grad.any()


@pytest.mark.parametrize("value", [0.0, 1.0, 1e4])
def test_identical_frames_give_a_finite_gradient(value):
    features = torch.full((4, 4, 3), value, requires_grad=True)
    loss = infonce(features, torch.tensor([0, 0, 1, 1]))
    loss.backward()
    assert loss.item() == pytest.approx(math.log(1 + 2 * 3), rel=1e-5)
    assert features.grad.isfinite().all()


def test_full_precision_under_autocast():
    features, person = frames(4, 4).detach().float(), torch.tensor([0, 0, 1, 1])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = infonce(features.bfloat16(), person)
    torch.testing.assert_close(found, infonce(features.bfloat16().float(), person))
    assert found.dtype == torch.float32
