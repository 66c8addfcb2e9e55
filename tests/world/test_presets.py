"""What worlds exist, how large they are, and who is seen by whom."""

from collections import Counter, defaultdict

import numpy as np
import pytest

from s2reid.datasets.svreid import select
from s2reid.types import Tracklet
from s2reid.world import layouts, presets
from s2reid.world.domain import Preset
from s2reid.world.layouts.deal import FEWEST, deal, share

STANDINS = ("standin-mars", "standin-ilids", "standin-prid", "standin-ccvid")


def sized(name: str, size: str | None = None, **asked: int) -> Preset:
    numbers = {"persons": None, "frames": None, "height": None} | asked
    return presets.sized(presets.find(name), **numbers, size=size)


def counts(name: str, size: str) -> dict:
    preset = sized(name, size)
    return layouts.counts(preset, presets.plan(preset, 0), 0)


def test_the_presets_that_exist() -> None:
    sources = ["svreid", "svreid-cc", "svreid-full", "svreid-large"]
    assert [*presets.NAMES] == [*sources, *STANDINS]
    assert len({preset.space for preset in presets.PRESETS.values()}) == 6  # three are lists of one world
    assert {presets.find(name).version for name in sources} == {presets.LOOKS}
    assert {name: presets.find(name).version for name in STANDINS if name != "standin-ilids"} == dict.fromkeys(
        ("standin-mars", "standin-prid", "standin-ccvid"), 1
    )
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
        assert {item.frames for item in planned} == {16}


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_full_svreid_has_exactly_the_published_counts_in_every_list(seed: int) -> None:
    preset = presets.find("svreid-full")
    planned = presets.plan(preset, seed)
    assert len(planned) == 9620
    worn = defaultdict(set)
    views = Counter()
    for item in planned:
        worn[item.person].add(item.outfit)
        views[item.person, item.outfit] += 1
    assert len(worn) == 333
    assert all(outfits == set(range(len(outfits))) for outfits in worn.values())
    assert (min(map(len, worn.values())), max(map(len, worn.values()))) == (2, 37)
    assert all(count >= 2 if outfit == 0 else count == 1 for (_, outfit), count in views.items())
    assert {item.camera for item in planned} == set(range(10))
    found = layouts.counts(preset, planned, seed)
    assert {name: found[name]["tracklets"] for name in ("svreid", "svreid_cc", "svreid_plus")} == {
        "svreid": 1164,
        "svreid_cc": 3187,
        "svreid_plus": 9620,
    }
    assert found["svreid_cc"]["outfits"] == sum(min(8, len(outfits)) for outfits in worn.values())
    assert found["svreid"]["outfits"] == found["persons"] == 333


def test_the_lists_are_those_that_the_loader_would_choose() -> None:
    planned = presets.plan(presets.find("svreid-full"), 4)
    tracklets = [Tracklet("", (str(item.index),), item.person, item.camera, item.outfit) for item in planned]
    for name, outfits in (("svreid", 1), ("svreid-cc", 8)):
        chosen = [int(tracklet.frames[0]) for tracklet in select(tracklets, outfits)]
        own = presets.plan(presets.find(name), 4)
        assert [planned[index] for index in chosen] == [*own]  # the very same tracklets, so the very same images
        assert chosen == list(range(len(own)))


def test_the_full_svreid_can_be_planned_for_few_and_for_many() -> None:
    planned = 0
    for persons in [*range(3, 40), 100, 700]:
        for name, tracklets in (("svreid", 1164), ("svreid-cc", 3187), ("svreid-full", 9620)):
            items = presets.plan(sized(name, persons=persons), persons)
            assert len(items) == round(persons * tracklets / 333)
            assert len({item.person for item in items}) == persons
            assert max(item.outfit for item in items) < {"svreid": 1, "svreid-cc": 8, "svreid-full": 37}[name]
            planned += 1
    assert planned == 39 * 3
    with pytest.raises(ValueError, match="svreid-full cannot be planned with 2 persons: ask for at least 3"):
        presets.plan(sized("svreid-full", persons=2), 0)


def test_nobody_walks_for_longer_than_the_place_goes() -> None:
    for frames in (16, 32, 200):
        long = sized("svreid", frames=frames)
        assert frames * long.interval[1] <= presets.LONGEST + 1e-9
    assert sized("svreid", frames=16).interval == presets.find("svreid").interval


@pytest.mark.parametrize(
    ("name", "persons", "tracklets"), [("svreid", 100, 350), ("svreid-large", 50, 200), ("standin-ilids", 9, 18)]
)
def test_a_plan_keeps_its_ratio_and_shows_everyone_to_two_cameras(name: str, persons: int, tracklets: int) -> None:
    planned = presets.plan(sized(name, persons=persons), seed=3)
    assert len(planned) == tracklets
    views = [[item.camera for item in planned if item.person == person] for person in range(persons)]
    for cameras in views:
        assert len(set(cameras)) == len(cameras) >= 2


def test_a_plan_follows_its_seed_and_numbers_its_tracklets() -> None:
    for name in presets.NAMES:
        small = sized(name, persons=20)
        planned = presets.plan(small, 0)
        assert planned == presets.plan(small, 0)
        assert planned != presets.plan(small, 1)
        assert [item.index for item in planned] == list(range(len(planned)))
        layout = layouts.find(small.layout)
        paths = {f"{layout.folder(item)}/{layout.frame_name(item, 0)}" for item in planned}
        assert len(paths) == len(planned)


def test_every_camera_of_the_large_world_is_used() -> None:
    planned = presets.plan(sized("svreid-large", persons=400), 0)
    counts = np.bincount([item.camera for item in planned])
    assert len(counts) == 96
    assert counts.min() > 0


# Sizes


def test_a_stand_in_has_three_sizes_and_is_small_by_itself() -> None:
    for name in STANDINS:
        sizes = presets.find(name).sizes
        assert [*sizes] == ["tiny", "small", "full"]
        assert sized(name) == sized(name, "small")
        persons = [sized(name, size).persons for size in sizes]
        assert persons == sorted(persons)
        assert len(set(persons)) == 3
        assert sized(name, "tiny", persons=30, height=32).frames == sizes["tiny"].frames
        assert sized(name, "tiny", persons=30, height=32).persons == 30


def test_a_full_mars_has_the_real_counts() -> None:
    preset = sized("standin-mars", "full")
    planned = presets.plan(preset, 5)
    found = layouts.counts(preset, planned, 5)
    assert found["cameras"] == 6
    assert (found["train"]["persons"], found["train"]["tracklets"]) == (625, 8298)
    assert (found["query"]["persons"], found["query"]["tracklets"]) == (626, 1980)
    assert found["gallery"]["tracklets"] == 9330
    assert len(planned) == 8298 + 12180
    parts = Counter((item.part, item.kind == "person") for item in planned)
    assert parts["junk", False] == 870
    assert parts["gallery", False] == 3248
    alone = Counter()
    for half in ("train", "test"):
        cameras = defaultdict(set)
        for item in planned:
            if item.kind == "person" and (item.part == "train") == (half == "train"):
                cameras[item.person].add(item.camera)
        alone[half] = sum(len(seen) == 1 for seen in cameras.values())
    assert alone == {"train": 6, "test": 8}


def test_a_full_ccvid_has_the_real_counts() -> None:
    found = counts("standin-ccvid", "full")
    assert {name: found[name] for name in ("persons", "tracklets", "outfits", "cameras")} == {
        "persons": 226,
        "tracklets": 2856,
        "outfits": 480,
        "cameras": 24,
    }
    assert (found["train"]["persons"], found["train"]["tracklets"], found["train"]["outfits"]) == (75, 948, 159)
    assert (found["query"]["persons"], found["query"]["tracklets"]) == (151, 834)
    assert (found["gallery"]["persons"], found["gallery"]["tracklets"]) == (151, 1074)
    sessions = Counter(item.setting for item in presets.plan(sized("standin-ccvid", "full"), 0))
    assert sessions == {0: 1764, 1: 948, 2: 144}


def test_a_full_prid_and_a_full_ilids_have_the_real_counts() -> None:
    found = counts("standin-prid", "full")
    assert (found["persons"], found["tracklets"], found["cameras"]) == (178, 356, 2)
    for part in ("query", "gallery"):
        assert (found[part]["persons"], found[part]["tracklets"]) == (89, 89)
    planned = presets.plan(sized("standin-prid", "full"), 0)
    assert Counter(item.camera for item in planned) == {0: 385, 1: 749}
    views = Counter(item.person for item in planned)
    assert sum(count == 2 for count in views.values()) == 200
    found = counts("standin-ilids", "full")
    assert (found["persons"], found["tracklets"], found["query"]["tracklets"]) == (300, 600, 150)


# What the plans hold


def test_mars_has_queries_with_and_without_a_match_in_the_gallery() -> None:
    planned = presets.plan(presets.find("standin-mars"), 0)
    gallery = {(item.person, item.camera) for item in planned if item.part == "gallery" and item.kind == "person"}
    queries = [item for item in planned if item.part == "query"]
    matched = [
        any(person == query.person and camera != query.camera for person, camera in gallery) for query in queries
    ]
    assert len(queries) == 253
    assert 0.8 < np.mean(matched) < 1
    views = Counter((item.person, item.camera) for item in queries)
    assert set(views.values()) == {1}
    takes = defaultdict(list)
    for item in planned:
        takes[item.part == "train", item.person if item.kind == "person" else item.part].append(item.take)
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in takes.values())
    assert {item.kind for item in planned if item.part == "junk"} == {"piece", "crowd", "nobody"}
    assert {item.kind for item in planned if item.part == "gallery"} == {
        "person",
        "stranger",
        "piece",
        "crowd",
        "nobody",
    }
    assert {item.kind for item in planned if item.part in ("train", "query")} == {"person"}
    train = {item.person for item in planned if item.part == "train"}
    assert {person % 2 for person in train} == {1}


def test_ccvid_shows_both_outfits_in_query_and_gallery() -> None:
    planned = presets.plan(presets.find("standin-ccvid"), 0)
    outfits = defaultdict(set)
    for item in planned:
        outfits[item.part, item.person].add((item.setting, item.outfit))
    asked = {person for part, person in outfits if part == "query"}
    assert len(asked) == 60
    for person in asked:
        assert outfits["query", person] == outfits["gallery", person]
        assert 2 <= len(outfits["query", person]) <= 5
    for person in {item.person for item in planned}:
        walks = Counter(item.setting for item in planned if item.person == person)
        assert set(walks.values()) == {12}
        assert set(walks) in ({0}, {1}, {0, 2}, {1, 2})


def test_prid_lists_only_long_tracklets() -> None:
    planned = presets.plan(presets.find("standin-prid"), 0)
    short = {item.person for item in planned if item.frames < FEWEST}
    listed = {item.person for item in planned if item.part == "split"}
    assert len(listed) == 130
    assert len(short) == 146 - 130
    assert not short & listed


def test_tracklets_differ_in_length() -> None:
    for name in STANDINS:
        preset = presets.find(name)
        lengths = [item.frames for item in presets.plan(preset, 0) if item.part]
        lengths = lengths or [item.frames for item in presets.plan(preset, 0)]
        assert min(lengths) >= FEWEST
        assert max(lengths) == preset.frames
        assert len(set(lengths)) > 3


def test_the_smallest_worlds_can_be_planned() -> None:
    planned = 0
    for name in STANDINS:
        for persons in range(2, 12):
            preset = sized(name, persons=persons, frames=1)
            items = presets.plan(preset, persons)
            found = layouts.counts(preset, items, persons)
            assert found["train"]["tracklets"] > 0
            assert found["query"]["tracklets"] > 0
            assert found["gallery"]["tracklets"] > 0
            planned += 1
    assert planned == 40


def test_cards_are_dealt_out() -> None:
    hands = deal(np.random.default_rng(0), 11, hands=4, least=2, most=3)
    assert sorted(hands) == [2, 3, 3, 3]
    assert deal(np.random.default_rng(0), 0, hands=0, least=2, most=3).tolist() == []
    assert [share(n, 1, 2) for n in range(5)] == [0, 1, 1, 2, 2]


@pytest.mark.parametrize(
    ("size", "message"),
    [
        ({"persons": 1}, "at least 2 for persons, found 1"),
        ({"frames": 0}, "at least 1 for frames, found 0"),
        ({"height": 8}, "at least 16 for height, found 8"),
        ({"persons": 10**12}, "at most 1,000,000 for persons, found 1,000,000,000,000: ask for less"),
    ],
)
def test_impossible_sizes_are_refused(size: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sized("svreid", **size)


def test_sizes_that_do_not_exist_are_refused() -> None:
    with pytest.raises(ValueError, match="svreid has no size 'tiny': only stand-ins have sizes; say --persons"):
        sized("svreid", "tiny")
    with pytest.raises(ValueError, match="standin-mars has no size 'huge': it has tiny, small, full"):
        sized("standin-mars", "huge")
