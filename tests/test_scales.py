"""Scales and schedules."""

import math
from dataclasses import replace
from itertools import pairwise

import pytest

from s2reid import scales
from s2reid.scales import Schedule, TestSetting, shorter


def schedule(steps=100, **changes):
    return Schedule(steps, 4, 2, 3, 1e-3, 0.0, **changes)


def test_the_rate_is_a_half_cosine_after_a_warm_up():
    plain, warm = schedule(), schedule(warmup=9)
    for step in range(100):
        cosine = 0.5 * (1 + math.cos(math.pi * step / 100))
        assert plain.rate(step) == pytest.approx(cosine)
        assert warm.rate(step) == pytest.approx(cosine * min(1, (step + 1) / 10))
    assert plain.rate(0) == 1
    assert 0 < plain.rate(99) < 0.001


def test_milestones_divide_by_ten_or_as_asked():
    rates = [schedule(milestones=(0.25, 0.5)).rate(step) for step in (0, 24, 25, 49, 50, 99)]
    assert rates == pytest.approx([1, 1, 0.1, 0.1, 0.01, 0.01])
    slower = [schedule(milestones=(0.25, 0.5), fall=0.3).rate(step) for step in (0, 24, 25, 49, 50, 99)]
    assert slower == pytest.approx([1, 1, 0.3, 0.3, 0.09, 0.09])


@pytest.mark.parametrize("steps", [0, 2, 3, 7, 10, 1000])
def test_every_step_has_a_height_that_only_grows(steps):
    heights = schedule(steps, sizes=((0.3, 0.5), (0.4, 0.75), (0.3, 1.0))).heights(128)
    assert len(heights) == steps
    assert all(one <= other for one, other in pairwise(heights))
    assert set(heights) <= {64, 96, 128}
    assert heights[-1:] in ([], [128])


def test_heights_are_multiples_of_16_and_at_least_16():
    assert schedule(2, sizes=((0.5, 0.3), (0.5, 0.01))).heights(128) == [32, 16]
    assert schedule(3).heights(64) == [64] * 3


def test_images():
    assert schedule().images_per_step == 24


def test_shorter_keeps_all_else():
    whole = schedule(100, warmup=20)
    assert shorter(whole, 10) == replace(whole, steps=10, warmup=2)
    assert shorter(whole, 10).rate(2) == whole.rate(20)  # warm at the same share of the steps
    assert shorter(whole, 1000) == replace(whole, steps=1000)
    assert shorter(whole, 0) == replace(whole, steps=0, warmup=0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": -1}, r"steps is -1, expected 0 \(an untrained network\) or more"),
        ({"num_persons": 0}, "num_persons is 0, expected at least 1"),
        ({"clips_per_person": -3}, "clips_per_person is -3, expected at least 1"),
        ({"num_frames": 0}, "num_frames is 0, expected at least 1"),
        ({"sizes": ((0.5, 1.0),)}, r"the shares of sizes \(\(0.5, 1.0\),\) must add up to 1"),
    ],
)
def test_schedules_that_cannot_be(change, message):
    values = {"steps": 1, "num_persons": 1, "clips_per_person": 1, "num_frames": 1, "learning_rate": 0.1}
    with pytest.raises(ValueError, match=message):
        Schedule(**{**values, "weight_decay": 0.0, **change})


def test_scales_by_name():
    assert [(scale.height, scale.width) for scale in map(scales.find, ("small", "paper"))] == [(128, 64), (256, 128)]
    with pytest.raises(ValueError, match="no scale named 'huge': there are small, paper"):
        scales.find("huge")


def test_a_setting_says_itself():
    assert str(TestSetting()) == "all frames, flip-averaged"
    assert str(TestSetting("begin", False)) == "restricted-begin frames, no flip"
