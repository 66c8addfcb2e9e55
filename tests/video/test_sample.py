"""Which frames make a clip: loops, and cases by hand."""

import inspect

import numpy as np
import pytest

from s2reid.video.sample import all_frames, clips_to_test, restricted_begin, restricted_random

LENGTHS = [(num_frames, length) for num_frames in (1, 2, 3, 4, 5, 7, 8, 9, 73) for length in (1, 2, 4, 8)]


def blocks(num_frames, length):
    """Cut positions into `length` equal blocks, the last one with the remainder; missing ones repeat the last frame."""
    padded = [min(place, num_frames - 1) for place in range(max(num_frames, length))]
    size = len(padded) // length
    return [padded[i * size : (i + 1) * size if i < length - 1 else None] for i in range(length)]


@pytest.mark.parametrize(("num_frames", "length"), LENGTHS)
def test_restricted_random_takes_each_frame_of_each_block(num_frames, length):
    rng, expected = np.random.default_rng(0), blocks(num_frames, length)
    drawn = np.array([restricted_random(num_frames, length, rng) for _ in range(60 * max(map(len, expected)))])
    assert [set(column) for column in drawn.T.tolist()] == [set(block) for block in expected]


@pytest.mark.parametrize(("num_frames", "length"), LENGTHS)
def test_restricted_begin_takes_the_first_of_each_block(num_frames, length):
    assert restricted_begin(num_frames, length).tolist() == [block[0] for block in blocks(num_frames, length)]


@pytest.mark.parametrize(("num_frames", "length"), LENGTHS)
def test_all_frames_shows_every_frame_in_order_and_pads_with_the_last(num_frames, length):
    found = all_frames(num_frames, length)
    num_clips = -(-num_frames // length)
    expected = [[min(clip + step * num_clips, num_frames - 1) for step in range(length)] for clip in range(num_clips)]
    assert found.tolist() == expected
    counts = np.bincount(found.ravel(), minlength=num_frames)
    assert (counts[:-1] == 1).all()
    assert counts[-1] == 1 + num_clips * length - num_frames


def test_by_hand():
    assert all_frames(8, 4).tolist() == [[0, 2, 4, 6], [1, 3, 5, 7]]
    assert all_frames(1, 4).tolist() == [[0, 0, 0, 0]]
    assert all_frames(3, 4).tolist() == [[0, 1, 2, 2]]
    assert restricted_begin(11, 4).tolist() == [0, 2, 4, 6]
    assert [set(block) for block in blocks(11, 4)] == [{0, 1}, {2, 3}, {4, 5}, {6, 7, 8, 9, 10}]


def test_the_random_clip_is_the_generators():
    one, other = (restricted_random(73, 4, np.random.default_rng(seed)).tolist() for seed in (3, 4))
    assert one == restricted_random(73, 4, np.random.default_rng(3)).tolist()
    assert one != other


def test_clips_to_test():
    assert clips_to_test(10, 4, "begin").tolist() == [[0, 2, 4, 6]]
    assert clips_to_test(10, 4, "all").shape == (3, 4)
    with pytest.raises(ValueError, match="no test coverage named 'end': there are begin, all"):
        inspect.unwrap(clips_to_test)(10, 4, "end")  # before the annotation's check, where the tests have one
