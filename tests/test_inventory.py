"""Stock-taking: counts beside what is expected, labels that cannot be scored, frames that are not as they should be."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console
from tests import tiny
from tests.datasets import layouts

from s2reid import datasets, frames, inventory
from s2reid.types import DISTRACTOR, UNKNOWN, Dataset, Tracklet


def text(table):
    console = Console(file=io.StringIO(), width=120)
    console.print(table)
    return console.file.getvalue()


@pytest.fixture
def mars(tmp_path):
    """A complete MARS of three training tracklets, two queries and three in the gallery."""
    root = layouts.write_mars(tmp_path / "mars")
    counts = {
        "cameras": 5,
        "train": {"persons": 2, "tracklets": 3},
        "query": {"tracklets": 2},
        "gallery": {"images": 9},
    }
    layouts.write_marker(root, name="standin-mars", counts=counts)
    return root


def load(root, name="mars"):
    return datasets.load(f"{name}:{root}", check=False)


# Counts


def test_a_part_is_counted_by_hand(mars):
    found = inventory.take(load(mars))
    assert {kind: found.parts["train"][kind] for kind in inventory.COUNTED} == {
        "persons": 2, "distractors": 0, "unlabelled": 0, "cameras": 3, "outfits": 2, "tracklets": 3, "images": 9,
    }  # fmt: skip
    gallery = found.parts["gallery"]
    assert (gallery["persons"], gallery["distractors"], gallery["tracklets"], gallery["cameras"]) == (2, 1, 3, 3)
    assert gallery["lengths"] == {"min": 3, "median": 3, "max": 3}
    assert found.parts["whole"]["tracklets"] == 8
    assert (found.name, found.protocol, found.frames.files) == ("standin-mars", "mars", 24)
    assert (found.problems(), found.differences) == ([], ())
    assert found.expected["gallery"] == {"images": 9}


def test_lengths_of_nothing_and_of_an_even_number():
    assert inventory.measure(())["lengths"] == {}
    two = [Tracklet(".", tuple("ab"), UNKNOWN, 1), Tracklet(".", tuple("abc"), UNKNOWN, 1)]
    assert inventory.measure(two)["lengths"] == {"min": 2, "median": 2.5, "max": 3}
    assert inventory.measure(two)["unlabelled"] == 2


def test_every_difference_is_named(mars):
    expected = {"persons": 4, "images": 25, "seed": 3, "train": {"tracklets": 3, "persons": 7}, "query": {"outfits": 2}}
    found = inventory.take(replace(load(mars), expected=expected))
    assert {(d.part, d.kind, d.found, d.expected) for d in found.differences} == {
        ("whole", "images", 24, 25),
        ("train", "persons", 2, 7),
        ("query", "outfits", 1, 2),
    }
    assert "whole has 24 frames, expected 25" in found.problems()
    assert "train has 2 persons, expected 7" in found.problems()
    table = text(inventory.as_table(found))
    assert "24 ≠ 25" in table
    assert "2 ≠ 7" in table
    assert "3 ✓" in table


def test_a_published_set_that_is_cut_short_says_where(tmp_path):
    found = inventory.take(load(layouts.write_mars(tmp_path)))
    assert "gallery has 3 tracklets, expected 9,330" in found.problems()
    assert "query has 2 tracklets, expected 1,980" in found.problems()


def test_what_a_loader_counts_besides_is_compared_too(tmp_path):
    dataset = Dataset("x", origin={"counted": {"cam_a": {"persons": 5}}}, expected={"cam_a": {"persons": 385}})
    found = inventory.take(dataset)
    assert found.problems() == ["cam_a has 5 persons, expected 385"]
    assert "cam_a: 5 ≠ 385 persons" in inventory.as_lines(found)
    assert [column.header for column in inventory.as_table(found).columns] == [""]


# Labels


def test_queries_without_a_match_under_the_dataset_s_own_protocol(mars):
    """Person 2 asks from cameras 1 and 3; the gallery has it before camera 1 only, unless the queries are put there."""
    dataset = load(mars)
    found = inventory.take(dataset)
    assert found.without_match == {"mars": 0}
    assert "queries without a match, mars: 0 of 2" in inventory.as_lines(found)
    assert inventory.take(replace(dataset, protocol="mars_excluded")).without_match == {"mars_excluded": 1}


def test_each_setting_of_a_protocol_counts_for_itself(tmp_path):
    found = inventory.take(load(layouts.write_ccvid(tmp_path), "ccvid"))
    expected = {"ccvid general": 0, "ccvid same_clothes": 1, "ccvid clothes_changing": 0}
    assert found.without_match == expected  # the query in outfit u0 finds no other u0


@pytest.mark.parametrize("protocol", ["cross_camera", "same_clothes", "clothes_changing", "mars"])
def test_a_query_without_a_match_is_a_loop_over_labels(protocol):
    rng = np.random.default_rng(3)

    def tracklets(number, least):
        drawn = zip(rng.integers(least, 60, number), rng.integers(0, 3, number), rng.integers(0, 3, number))
        return tuple(Tracklet("s", (f"{number}{row}",), *map(int, drawn)) for row, drawn in enumerate(drawn))

    query, gallery = tracklets(300, UNKNOWN), tracklets(100, DISTRACTOR)
    searched = gallery + query if protocol == "mars" else gallery

    def fits(asked, other):
        same = asked.outfit == other.outfit
        right = {"same_clothes": same, "clothes_changing": not same}.get(protocol, True)
        return asked.person == other.person >= 0 and asked.camera != other.camera and right

    without = sum(not any(fits(asked, other) for other in searched) for asked in query)
    assert 0 < without < 300
    found = inventory.take(Dataset("x", query=query, gallery=gallery, protocol=protocol))
    assert found.without_match == {protocol: without}


def test_a_dataset_without_queries_has_none_without_a_match(tmp_path):
    assert inventory.take(load(layouts.write_persons(tmp_path), "cameras")).without_match == {}


def test_a_protocol_that_refuses_the_data_is_a_problem():
    query, gallery = Tracklet("s", ("1",), 4, camera=1), Tracklet("s", ("2",), 4, camera=2)
    found = inventory.take(Dataset("x", query=(query,), gallery=(gallery,), protocol="no_such"))
    assert "the protocol no_such cannot score it: no protocol named 'no_such': there are" in "; ".join(found.problems())


def test_persons_on_both_sides_and_queries_that_nobody_can_answer():
    one, other = Tracklet("s", ("1",), 4, camera=1), Tracklet("s", ("2",), 4, camera=1)
    found = inventory.take(Dataset("x", (one,), (replace(one, frames=("3",)),), (other,)))
    assert found.in_train_and_test == (4,)
    problems = found.problems()
    assert "persons in both train and test: 1, such as 4" in problems
    assert "none of 1 queries has a match under cross_camera" in problems


# Frames


@pytest.fixture
def pictures(tmp_path):
    """Three tracklets of real pictures, three frames each, all in one folder."""
    return tmp_path, tiny.write_tracklets(tmp_path, [2, 1])


def test_all_is_well(pictures):
    _, tracklets = pictures
    found = frames.look(tracklets, deep=True)
    assert (found.files, found.decoded) == (9, 9)
    assert all(getattr(found, kind).count == 0 for kind in ("repeated", "missing", "empty", "unreadable", "copies"))
    assert frames.look(tracklets).decoded == 0


@pytest.mark.parametrize("threads", [1, 4])
def test_every_kind_of_trouble(pictures, threads):
    root, (first, second, third) = pictures
    (root / first.frames[0]).unlink()
    (root / first.frames[1]).write_bytes(b"")
    (root / second.frames[0]).write_bytes((root / second.frames[0]).read_bytes()[:200])
    (root / second.frames[1]).write_bytes(b"no picture")
    (root / third.frames[0]).write_bytes((root / second.frames[2]).read_bytes())
    (root / third.frames[1]).unlink()
    (root / third.frames[1]).symlink_to(root / "nowhere")
    listed = (first, second, third, Tracklet(str(root / "gone"), ("1.jpg",), 9, 9), replace(third, person=5))
    found = frames.look(listed, deep=True, threads=threads)
    assert (found.files, found.decoded) == (10, 6)
    assert found.missing == frames.Trouble(
        3, tuple(f"{root}/{name}" for name in (first.frames[0], third.frames[1], "gone/1.jpg"))
    )
    assert found.empty == frames.Trouble(1, (f"{root}/{first.frames[1]}",))
    assert found.repeated == frames.Trouble(3, third.paths())
    assert found.copies == frames.Trouble(1, (f"{root}/{third.frames[0]} of {root}/{second.frames[2]}",))
    assert found.unreadable.count == 2
    assert [second.frames[0] in found.unreadable.first[0], second.frames[1] in found.unreadable.first[1]] == [True] * 2

    problems = inventory.take(Dataset("x", listed), deep=True).problems()
    assert [problem.partition(",")[0] for problem in problems] == [
        "frames listed twice: 3",
        "frames missing: 3",
        "frames empty (0 bytes): 1",
        "frames unreadable: 2",
    ]


def test_equal_pictures_within_a_tracklet_are_no_copies(pictures):
    root, (first, *_) = pictures
    (root / first.frames[1]).write_bytes((root / first.frames[0]).read_bytes())
    assert frames.look([first], deep=True).copies.count == 0


def test_a_frame_may_be_named_with_its_folder_or_with_the_store(tmp_path):
    layouts.write_frames(tmp_path / "a", ["1.jpg"])
    one, other = Tracklet(str(tmp_path), ("a/1.jpg",), 1, 1), Tracklet(str(tmp_path / "a"), ("1.jpg",), 2, 1)
    found = frames.look([one, other])
    assert (found.files, found.repeated.count, found.missing.count) == (1, 1, 0)


def test_only_the_first_few_are_named(tmp_path):
    found = frames.look([Tracklet(str(tmp_path), tuple(map(str, range(99))), 1, 1)])
    assert (found.missing.count, len(found.missing.first)) == (99, frames.NAMED)


@pytest.mark.parametrize(("deep", "last"), [(False, (9, 9)), (True, (18, 18))])
def test_progress_rises_to_the_end(pictures, deep, last):
    told = []
    frames.look(pictures[1], deep=deep, advance=lambda done, total: told.append((done, total)))
    assert told[-1] == last
    assert sorted(told) == told


def test_work_is_cut_into_chunks_and_stays_in_order():
    folders = {"a": {"1": 0, "2": 0}, "b": {"3": 1}}
    assert [*frames._chunks(folders, {"a/2"}, size=1)] == [[("a/1", 0)], [("b/3", 1)]]
    assert [len(chunk) for chunk in frames._chunks(folders, set(), size=2)] == [2, 1]


# What is said


def test_it_goes_through_json(mars):
    found = json.loads(json.dumps(inventory.take(load(mars)).to_dict()))
    assert (found["as_expected"], found["problems"], found["name"]) == (True, [], "standin-mars")
    assert found["frames"]["missing"] == {"count": 0, "first": []}


def test_nothing_expected_is_said(tmp_path):
    dataset = load(layouts.write_persons(tmp_path), "persons")
    lines = inventory.as_lines(inventory.take(dataset))
    assert "nothing is published or promised about this data: it was counted, and compared with nothing" in lines
    assert lines[-1] == "no problem found"


def test_copies_are_a_note_and_no_problem(pictures):
    root, (first, second, _) = pictures
    (root / second.frames[0]).write_bytes((root / first.frames[0]).read_bytes())
    found = inventory.take(Dataset("x", (first, second)), deep=True)
    assert found.problems() == []
    said = "note: frames that are copies of another tracklet's: 1, such as"
    assert any(line.startswith(said) for line in inventory.as_lines(found))
