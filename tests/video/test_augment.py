"""Augmentation: every part by itself, consistent over a clip, a function of its generator."""

from dataclasses import fields, replace

import numpy as np
import pytest
from tests import tiny

from s2reid.video.augment import NONE, Augmentation, augment, without
from s2reid.video.decode import resize

PARTS = {"flip": 1.0, "zoom": 0.2, "shift": 0.2, "erase": 1.0, "light": 0.3, "colour": 0.3, "blur": 1.0, "noise": 20.0}
MOVING = ("flip", "zoom", "shift")


def run(clip, how, seed=1, size=(32, 16)):
    return augment(clip, *size, how, np.random.default_rng(seed))


def still(num_frames=3):
    return [tiny.image(1, 0)] * num_frames


def test_the_parts_are_all():
    assert PARTS.keys() == {field.name for field in fields(Augmentation)}
    assert len(PARTS) == 8


@pytest.mark.parametrize("size", [(32, 16), (16, 8), (48, 24)])
def test_none_only_resizes(size):
    clip = [tiny.image(1, 0, t, height, width) for t, (height, width) in enumerate([(32, 16), (40, 11), (20, 20)])]
    found = run(clip, NONE, size=size)
    assert found.shape == (3, *size, 3)
    assert found.dtype == np.uint8
    for frame, image in zip(found, clip):
        assert (frame == resize(image, *size)).all()


@pytest.mark.parametrize("part", PARTS)
def test_each_part_does_something_by_itself_and_can_be_switched_off(part):
    alone = replace(NONE, **{part: PARTS[part]})
    found = run(still(), alone)
    assert found.dtype == np.uint8
    assert (found != run(still(), NONE)).any()
    assert without(alone, part) == NONE
    assert without(Augmentation(), *PARTS) == NONE


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_clip_is_varied_in_the_same_way_all_along_but_for_the_noise(part, seed):
    first, *later = run(still(), replace(NONE, **{part: PARTS[part]}), seed)
    assert all((frame == first).all() == (part != "noise") for frame in later)


def test_all_parts_but_noise_together_are_consistent():
    first, *later = run(still(), without(Augmentation(**PARTS), "noise"))
    assert all((frame == first).all() for frame in later)


def test_the_generator_decides_everything():
    one, again, other = (run(still(), Augmentation(**PARTS), seed) for seed in (1, 1, 2))
    assert (one == again).all()
    assert (one != other).any()


def test_the_input_is_left_alone():
    clip = [tiny.image(1, 0)]
    run(clip, Augmentation(**PARTS))
    assert (clip[0] == tiny.image(1, 0)).all()


def test_a_flip_mirrors_and_two_give_the_clip_back():
    flip = replace(NONE, flip=1.0)
    once = run(still(), flip)
    assert (once == tiny.image(1, 0)[:, ::-1]).all()
    assert (run(list(once), flip) == tiny.image(1, 0)).all()


def test_flip_is_a_probability():
    mirrored = sum((run(still(1), replace(NONE, flip=0.25), seed) != tiny.image(1, 0)).any() for seed in range(400))
    assert 70 < mirrored < 130


@pytest.mark.parametrize("seed", range(20))
def test_an_erased_box_is_flat_and_2_to_30_percent(seed):
    clip = [np.full((64, 32, 3), 300 * t % 256, np.uint8) for t in range(2)]
    found = run(clip, replace(NONE, erase=1.0), seed, (64, 32))
    box = (found[0] != clip[0]).any(-1) | (found[1] != clip[1]).any(-1)
    rows, columns = np.flatnonzero(box.any(1)), np.flatnonzero(box.any(0))
    assert box[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()
    assert box.sum() == len(rows) * len(columns)
    assert 0.01 < box.mean() <= 0.3
    assert len(np.unique(found[:, box].reshape(-1, 3), axis=0)) == 1


def test_noise_has_no_bias_and_at_most_its_deviation():
    grey = [np.full((64, 32, 3), 128, np.uint8)] * 4
    deviations = [(run(grey, replace(NONE, noise=10.0), seed, (64, 32)) - 128.0) for seed in range(20)]
    assert max(d.std() for d in deviations) < 10.5
    assert max(d.std() for d in deviations) > 5
    assert abs(np.mean(deviations)) < 0.1


def test_colour_and_light_keep_their_range():
    for seed in range(20):
        found = run([np.zeros((8, 4, 3), np.uint8), np.full((8, 4, 3), 255, np.uint8)], Augmentation(light=1.0), seed)
        assert found.min() >= 0
        assert found.max() <= 255


@pytest.mark.parametrize("size", [(1, 1), (2, 1), (3, 2)])
def test_the_smallest_sizes(size):
    for seed in range(10):
        assert run(still(2), Augmentation(**PARTS), seed, size).shape == (2, *size, 3)


def test_unknown_parts():
    with pytest.raises(ValueError, match=r"no augmentation named \['jitter'\]: there are flip, zoom, shift, erase"):
        without(Augmentation(), "flip", "jitter")
