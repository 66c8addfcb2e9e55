"""What a dataset holds beside what it should hold."""

from pathlib import Path

import pytest

from s2reid.datasets._counts import check_counts, count
from s2reid.types import DISTRACTOR, UNKNOWN, Dataset, Tracklet

TRACKLETS = (
    Tracklet(".", ("1", "2"), person=4, camera=1, outfit=0),
    Tracklet(".", ("3",), person=4, camera=2, outfit=3),
    Tracklet(".", ("4",), person=5, camera=2, outfit=3),
    Tracklet(".", ("5",), person=DISTRACTOR, camera=3),
    Tracklet(".", ("6",), person=UNKNOWN, camera=1),
)


def test_a_count_by_hand():
    found = {"persons": 2, "cameras": 3, "outfits": 3, "tracklets": 5, "images": 6}
    assert count(TRACKLETS) == count(iter(TRACKLETS)) == found
    assert count(()) == dict.fromkeys(found, 0)


@pytest.fixture
def dataset():
    parts = TRACKLETS[:2], TRACKLETS[2:3], TRACKLETS[3:]
    return Dataset("set", *parts, origin={"counted": {"cam_a": {"persons": 385}}})


def test_what_is_as_promised_or_not_mentioned_passes(dataset):
    inner = {"train": {"tracklets": 2}, "gallery": {"persons": 0}, "cam_a": {"persons": 385}, "cam_b": {"persons": 1}}
    check_counts(dataset, {"persons": 2, "images": 6, "scenes": 9, **inner}, Path("x"))
    check_counts(dataset, {}, Path("x"))
    check_counts(dataset, {"train": 3, "persons": {"in": 4}}, Path("x"))  # counts of something else


@pytest.mark.parametrize(
    ("expected", "message"),
    [
        ({"images": 6_000}, "set at x has 6 images, expected 6,000: was the copy or the extraction cut short?"),
        ({"images": 5}, "set at x has 6 images, expected 5: were files added?"),
        (
            {"cam_a": {"persons": 386}},
            "set at x has 385 cam_a persons, expected 386: was the copy or the extraction cut short?",
        ),
        (
            {"tracklets": 4, "train": {"tracklets": 3}},
            "set at x has 2 train tracklets, expected 3; 5 tracklets, expected 4: was the copy or the extraction cut "
            "short, or were files added?",
        ),
        (
            {"train": dict.fromkeys(("persons", "cameras", "outfits", "tracklets", "images"), 9)},
            "set at x has 1 train persons, expected 9; 2 train cameras, expected 9; 2 train outfits, expected 9; 2 "
            "train tracklets, expected 9; and 1 more counts differ: was the copy or the extraction cut short?",
        ),
    ],
)
def test_what_differs_and_the_likely_cause(dataset, expected, message):
    with pytest.raises(ValueError) as error:
        check_counts(dataset, expected, Path("x"))
    assert str(error.value) == message
