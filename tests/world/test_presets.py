"""What worlds exist, and who is seen by whom."""

import numpy as np
import pytest

from s2reid.world import presets


def test_the_presets_that_exist() -> None:
    assert presets.NAMES == ("svreid", "svreid-large", "standin-ilids")
    assert len({preset.space for preset in presets.PRESETS.values()}) == 3
    for name in presets.NAMES:
        assert presets.find(name).name == name
    with pytest.raises(
        ValueError, match=r"no world preset named 'svried': there are svreid, .*; did you mean 'svreid'\?"
    ):
        presets.find("svried")


def test_svreid_has_exactly_the_published_counts() -> None:
    for seed in (0, 1):
        planned = presets.plan(presets.find("svreid"), seed)
        assert len(planned) == 1164
        assert len({item.person for item in planned}) == 333
        assert {item.camera for item in planned} == set(range(10))
        assert {item.outfit for item in planned} == {0}


@pytest.mark.parametrize(
    ("name", "persons", "tracklets"), [("svreid", 100, 350), ("svreid-large", 50, 200), ("standin-ilids", 9, 18)]
)
def test_a_plan_keeps_its_ratio_and_shows_everyone_to_two_cameras(name: str, persons: int, tracklets: int) -> None:
    planned = presets.plan(presets.sized(presets.find(name), persons, None, None), seed=3)
    assert len(planned) == tracklets
    assert [item.index for item in planned] == list(range(tracklets))
    views = [[item.camera for item in planned if item.person == person] for person in range(persons)]
    for cameras in views:
        assert len(set(cameras)) == len(cameras) >= 2


def test_a_plan_follows_its_seed() -> None:
    small = presets.sized(presets.find("svreid"), 20, None, None)
    assert presets.plan(small, 0) == presets.plan(small, 0)
    assert presets.plan(small, 0) != presets.plan(small, 1)


def test_every_camera_of_the_large_world_is_used() -> None:
    planned = presets.plan(presets.sized(presets.find("svreid-large"), 400, None, None), 0)
    counts = np.bincount([item.camera for item in planned])
    assert len(counts) == 96
    assert counts.min() > 0


@pytest.mark.parametrize(
    ("size", "message"),
    [
        ({"persons": 1}, "at least 2 for persons, found 1"),
        ({"frames": 0}, "at least 1 for frames, found 0"),
        ({"height": 8}, "at least 16 for height, found 8"),
    ],
)
def test_impossible_sizes_are_refused(size: dict[str, int], message: str) -> None:
    asked = {"persons": None, "frames": None, "height": None} | size
    with pytest.raises(ValueError, match=message):
        presets.sized(presets.find("svreid"), **asked)
