"""Combined sequences against a loop that stitches and pools them one by one."""

from collections import Counter

import pytest
import torch
from torch.nn import functional

from s2reid.layers.mixture import combine

IS_TARGET = torch.tensor([False, True, True, False, False, True, False, True, True, False, False, True])


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def named(num_clips, num_frames):
    """Give each clip a feature of its own in its first dimensions, and each frame of a clip one in the rest."""
    clip = torch.eye(num_clips, dtype=torch.float64)[:, None].expand(-1, num_frames, -1)
    frame = torch.eye(num_frames, dtype=torch.float64)[None].expand(num_clips, -1, -1)
    return torch.cat([clip, frame], 2)


def clips_of(sequence, size, num_clips):
    """Read the stitched clips off a combined sequence; a segment of two clips would have no single name."""
    names = sequence[:, :num_clips]
    assert (names.amax(1) > 1 - 1e-12).all()
    return names.argmax(1)[:: len(sequence) // size].tolist()


@pytest.mark.parametrize("slots", [8, 16])
@pytest.mark.parametrize("num_frames", [1, 2, 3, 4, 5, 8])
@pytest.mark.parametrize("size", [2, 4, 8])
def test_segments_and_labels_are_those_of_a_loop(size, num_frames, slots):
    frames = named(12, num_frames)
    combined, occupancy = combine(frames, IS_TARGET, 40, generator(), (size,), slots)
    assert combined.shape == (40, slots, 12 + num_frames)
    for sequence, shares in zip(combined, occupancy):
        clips = clips_of(sequence, size, 12)
        stitched = torch.cat([frames[clip] for clip in clips])
        pooled = functional.adaptive_avg_pool1d(stitched.T[None], slots)[0].T
        torch.testing.assert_close(sequence, pooled)
        # The share of target among a segment's frames, from the domain of every stitched frame.
        domains = torch.cat([IS_TARGET[clip].repeat(num_frames) for clip in clips]).double()
        torch.testing.assert_close(shares, functional.adaptive_avg_pool1d(domains[None, None], slots)[0, 0])
        assert set(shares.tolist()) <= {0.0, 1.0}
        assert len(set(clips)) == size or max(Counter(IS_TARGET[clips].tolist()).values()) > 6  # six of each domain


def test_sizes_and_numbers_of_targets_are_drawn_evenly():
    combined, occupancy = combine(named(12, 4), IS_TARGET, 6000, generator())
    # Frames 0 and 1 of a clip share a segment where S = 4, all four where S = 8; none where S = 2.
    width = combined[:, 0, 12:].amax(1)
    sizes = Counter((1 / width).round().int().tolist())
    assert set(sizes) == {1, 2, 4}
    assert all(abs(count / 6000 - 1 / 3) < 0.03 for count in sizes.values())
    for size, frames in ((2, 1), (4, 2), (8, 4)):
        chosen = occupancy[(1 / width).round() == frames]
        numbers = Counter((chosen.mean(1) * size).round().int().tolist())
        assert set(numbers) == set(range(size + 1))
        assert all(abs(count / len(chosen) - 1 / (size + 1)) < 0.04 for count in numbers.values())
        assert (chosen.mean(0) - 0.5).abs().max() < 0.06  # every place is as often target


def test_every_clip_and_every_order_comes():
    combined, _ = combine(named(4, 1), torch.tensor([True, False, True, False]), 4000, generator(1), (2,), 2)
    orders = Counter(tuple(clips_of(sequence, 2, 4)) for sequence in combined)
    # A third each: two sources, one of both, two targets; no clip beside itself.
    assert len(orders) == 12
    for (one, other), count in orders.items():
        assert abs(count / 4000 - (1 / 6 if one % 2 == other % 2 else 1 / 24)) < 0.025


def test_a_small_domain_begins_again_only_when_it_is_used_up():
    is_target = torch.tensor([False, True, True, False, False])
    combined, occupancy = combine(named(5, 2), is_target, 300, generator(), (8,))
    for sequence, shares in zip(combined, occupancy):
        times = Counter(clips_of(sequence, 8, 5))
        for domain, total in ((1.0, shares.sum()), (0.0, 8 - shares.sum())):
            members = [clip for clip in range(5) if is_target[clip] == domain]
            counts = [times[clip] for clip in members]
            assert sum(counts) == total
            assert max(counts) - min(counts) <= 1


def test_one_frame_and_two_clips_fill_four_segments_each():
    frames = torch.tensor([[[3.0]], [[5.0]]])
    combined, occupancy = combine(frames, torch.tensor([False, True]), 50, generator(), (2,))
    rows = {tuple(row) for row in combined[..., 0].tolist()}
    assert rows == {(a,) * 4 + (b,) * 4 for a in (3.0, 5.0) for b in (3.0, 5.0)}
    assert torch.equal(occupancy, (combined[..., 0] == 5).float())


def test_the_gradient_of_a_frame_is_its_share_of_each_segment():
    frames = torch.randn(6, 4, 3, dtype=torch.float64, generator=generator(3), requires_grad=True)
    is_target = torch.arange(6) % 2 == 0
    weights = torch.randn(9, 8, 3, dtype=torch.float64, generator=generator(4))
    names, _ = combine(named(6, 4), is_target, 9, generator(5))
    combined, occupancy = combine(frames, is_target, 9, generator(5))
    expected = torch.zeros_like(frames)
    for j in range(9):
        for slot in range(8):
            clip, shares = names[j, slot, :6].argmax(), names[j, slot, 6:]
            for t in range(4):
                expected[clip, t] = expected[clip, t] + shares[t] * weights[j, slot]
    (found,) = torch.autograd.grad((combined * weights).sum(), frames)
    torch.testing.assert_close(found, expected.detach())
    assert not occupancy.requires_grad


def test_the_generator_decides_and_the_global_one_is_left_alone():
    frames, state = named(12, 4), torch.get_rng_state()
    one, again, other = (combine(frames, IS_TARGET, 16, generator(seed))[0] for seed in (7, 7, 8))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    assert torch.equal(torch.get_rng_state(), state)


def test_dtypes():
    combined, occupancy = combine(named(12, 4).bfloat16(), IS_TARGET, 4, generator())
    assert combined.dtype == occupancy.dtype == torch.bfloat16


@pytest.mark.parametrize(
    ("sizes", "size", "slots"), [((3,), 3, 8), ((2, 16), 16, 8), ((2, 4, 8), 4, 6), ((0, 2), 0, 8)]
)
def test_mixed_segments_are_refused(sizes, size, slots):
    expected = (
        f"S = {size} clips of T = 4 frames cannot be cut into slots = {slots} segments of one clip each: slots must"
    )
    with pytest.raises(ValueError, match=expected):
        combine(named(12, 4), IS_TARGET, 4, generator(), sizes, slots)


@pytest.mark.parametrize(("is_target", "targets"), [(torch.zeros(5).bool(), 0), (torch.ones(5).bool(), 5)])
def test_one_domain_is_refused(is_target, targets):
    with pytest.raises(ValueError, match=f"a batch of 5 clips, {targets} of them target, mixes no domains: give clips"):
        combine(named(5, 4), is_target, 4, generator())


@pytest.mark.parametrize(("number", "sizes"), [(0, (2,)), (4, ())])
def test_nothing_to_combine_is_refused(number, sizes):
    with pytest.raises(
        ValueError, match=f"expected 1 combination or more, and sizes to draw from, found {number} and "
    ):
        combine(named(12, 4), IS_TARGET, number, generator(), sizes)
