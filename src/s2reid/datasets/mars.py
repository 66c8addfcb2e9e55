"""MARS: 1,261 persons before six cameras, several tracklets each, with distractors.

    bbox_train/<person>/<frame>.jpg    bbox_test/<person, 0000 or 00-1>/<frame>.jpg
    info/{train_name.txt, test_name.txt, tracks_train_info.mat, tracks_test_info.mat, query_IDX.mat}

A frame is called `0001C1T0001F001.jpg`: person, camera, tracklet, frame; person 0000 is a distractor, 00-1 junk. A name
list holds one frame a line. A row of a table is a tracklet: its first and its last line in the name list (from 1, both
included), person (0 distractor, -1 junk) and camera; `query_IDX` holds the rows (from 1) of the test table that are
queries. The tables come apart from the images. (Zheng et al., "MARS: a video benchmark for large-scale person
re-identification", ECCV 2016.)
"""

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from jaxtyping import Int

from s2reid.datasets._folders import abridge, check_root, folders, whereabouts
from s2reid.datasets._matlab import read_matrix
from s2reid.datasets._rendered import origin, read_marker
from s2reid.types import DISTRACTOR, UNKNOWN, Dataset, Tracklet

PUBLISHED = {
    "cameras": 6,
    "train": {"persons": 625, "tracklets": 8_298, "images": 509_914},
    "query": {"persons": 626, "tracklets": 1_980, "images": 114_493},
    "gallery": {"persons": 620, "distractors": 3_248, "tracklets": 9_330, "images": 543_216},
    "junk": {"tracklets": 870},
}
"""What the official tables hold; the gallery is without the queries, which the protocol returns to it, and junk."""

TABLES = ("train_name.txt", "test_name.txt", "tracks_train_info.mat", "tracks_test_info.mat", "query_IDX.mat")
IMAGES = ("bbox_train", "bbox_test")
# The tables under the names that users have: by hand, or as a checkout of the repository that offers them.
PLACES = ("info", ".", "MARS-evaluation/info", "MARS-evaluation-master/info")
SOURCE = "get it from the folder info of github.com/liangzheng06/MARS-evaluation"

NAME = re.compile(r"(?:[0-9]{4}|00-1)C[0-9]+T[0-9]+F[0-9]+\.(?:jpg|jpeg|png)")
JUNK = -1
"""The person of a junk row in the tables."""


def load(root: Path) -> Dataset:
    """Load the official halves: training, queries, and the gallery without the queries and without junk.

    `root` is the folder that holds `bbox_train` and `bbox_test`; `info` lies in it or beside it. No frame is looked at:
    the tables say what there is, and one listing of each half that its person folders are there. The junk that is left
    out is counted in `origin["counted"]`. A rendered set (`world.json`) keeps its own name and counts. Raises
    `ValueError` for another folder (saying where the data is, if near), missing tables, tables that do not parse or do
    not fit each other, missing person folders, a query or a training row that has no person, and a person in both
    halves.
    """
    check_root(root)
    marker = read_marker(root, root.absolute().parent)
    train_images, test_images = (_images(root, half) for half in IMAGES)
    tables = _tables(root)
    train = _tracklets(train_images, tables, "train")
    test = _tracklets(test_images, tables, "test")
    queries = _queries(tables / "query_IDX.mat", test)
    asking = set(queries)
    gallery = tuple(tracklet for row, tracklet in enumerate(test) if row not in asking and tracklet.person != UNKNOWN)
    counted = {"junk": {"tracklets": len(test) - len(queries) - len(gallery)}}
    dataset = Dataset(
        marker.get("name", "mars"),
        train=tuple(train),
        query=tuple(test[row] for row in queries),
        gallery=gallery,
        origin={**origin(root, "mars", marker), "counted": counted},
        expected=marker.get("counts", {}) if marker else PUBLISHED,
        protocol="mars",
    )
    _check_persons(dataset, tables)
    for images, part in ((train_images, dataset.train), (test_images, dataset.query + dataset.gallery)):
        _check_folders(images, part)
    return dataset


# Where things are


def _images(root: Path, half: str) -> Path:
    """Find the folder of a half's person folders, unpacked plainly or into a folder of its own name."""
    if not (root / half).is_dir():
        other = [name for name in IMAGES if (root / name).is_dir()]
        advice = f"extract {half}.zip beside {other[0]}" if other else whereabouts(root, half)
        raise ValueError(f"no MARS at {root} (no folder {half}): {advice}")
    return root / half / half if (root / half / half).is_dir() else root / half


def _tables(root: Path) -> Path:
    """Find the folder of the tables, in the root or beside it."""
    for place in (folder / name for folder in (root, root.absolute().parent) for name in PLACES):
        missing = [name for name in TABLES if not (place / name).is_file()]
        if not missing:
            return place
        if len(missing) < len(TABLES):
            raise ValueError(f"{place} has no {' and no '.join(missing)}: {SOURCE}")
    raise ValueError(
        f"{root / 'info'} does not exist: MARS's tables ({', '.join(TABLES)}) do not come with its images; {SOURCE}"
    )


# The tables


def _tracklets(images: Path, tables: Path, half: str) -> list[Tracklet]:
    """Cut a half's name list into its tracklets, one a row of its table; a junk row has the person `UNKNOWN`.

    A tracklet's store is its person folder: the frames are then the very strings of the list, which keeps a million of
    them small.
    """
    names = _read_names(tables / f"{half}_name.txt")
    path = tables / f"tracks_{half}_info.mat"
    tracklets: list[Tracklet] = []
    rows: dict[str, int] = {}
    for number, (first, last, person, camera) in enumerate(_read_table(path, names, half).tolist(), start=1):
        frames = tuple(names[first - 1 : last])
        tracklet = _name_of(frames, f"row {number} of {path} (lines {first} to {last} of {half}_name.txt)")
        folder = "00-1" if person == JUNK else f"{person:04d}"
        if not tracklet.startswith(f"{folder}C{camera}T"):
            raise ValueError(
                f"row {number} of {path} says person {person}, camera {camera}, but its frames are of {tracklet}: do "
                f"it and {half}_name.txt belong together?"
            )
        if tracklet in rows:
            raise ValueError(f"rows {rows[tracklet]} and {number} of {path} are both {tracklet}: a tracklet is one row")
        rows[tracklet] = number
        label = {JUNK: UNKNOWN, 0: DISTRACTOR}.get(person, person)
        tracklets.append(Tracklet(f"{images}/{folder}", frames, label, camera))
    return tracklets


def _read_names(path: Path) -> list[str]:
    """Read a name list; raise `ValueError` with the line's number where a name does not parse."""
    names = path.read_text(encoding="utf-8-sig", errors="replace").rstrip().splitlines()
    wrong = next((row for row, match in enumerate(map(NAME.fullmatch, names)) if not match), None)
    if wrong is not None:
        raise ValueError(f"{path}, line {wrong + 1}: found {names[wrong]!r}, expected a name like 0001C1T0001F001.jpg")
    return names


def _read_table(path: Path, names: list[str], half: str) -> Int[np.ndarray, "n 4"]:
    """Read a table; raise `ValueError` where it is no table of four columns or its lines are not in the name list."""
    table = read_matrix(path, f"track_{half}_info", SOURCE)
    if table.ndim != 2 or table.shape[1] != 4 or not len(table):
        raise ValueError(f"{path} holds a table of shape {table.shape}, expected four columns: {SOURCE}")
    first, last = table[:, 0], table[:, 1]
    wrong = np.flatnonzero((first < 1) | (last < first) | (last > len(names)))
    if len(wrong):
        row = int(wrong[0])
        raise ValueError(
            f"row {row + 1} of {path} says lines {first[row]} to {last[row]}, but {half}_name.txt has {len(names):,} "
            "lines: do the two files belong together?"
        )
    return table


def _name_of(frames: tuple[str, ...], place: str) -> str:
    """Return what the frames of one tracklet share, such as `0001C1T0001`; they must be of one tracklet, in order."""
    names = {frame.partition("F")[0] for frame in frames}
    if len(names) > 1:
        raise ValueError(
            f"{place} holds frames of {abridge(sorted(names))}: a tracklet is of one person, one camera and one "
            "tracklet number; do the table and the name list belong together?"
        )
    if sorted(sorted(set(frames)), key=len) != [*frames]:  # by length first, since F1000 comes after F999
        raise ValueError(f"{place} holds frames of {names.pop()} out of order or twice: {SOURCE}")
    return names.pop()


def _queries(path: Path, test: list[Tracklet]) -> list[int]:
    """Read the queries as row numbers from 0; raise `ValueError` where one is not there, twice there, or no person."""
    rows = [row - 1 for row in read_matrix(path, "query_IDX", SOURCE).ravel().tolist()]
    for row in rows:
        if row not in range(len(test)):
            raise ValueError(
                f"{path} names row {row + 1}, but tracks_test_info.mat has {len(test):,} rows: do the two files belong "
                "together?"
            )
        if test[row].person < 0:
            kind = "junk" if test[row].person == UNKNOWN else "a distractor"
            raise ValueError(
                f"{path} names row {row + 1}, which is {kind} in tracks_test_info.mat: a query must be of a person; do "
                "the two files belong together?"
            )
    if len(set(rows)) < len(rows):
        raise ValueError(f"{path} names {len(rows) - len(set(rows))} rows twice: {SOURCE}")
    return rows


# What must hold of the whole


def _check_persons(dataset: Dataset, tables: Path) -> None:
    """Refuse nobody to train on, and a person in both halves."""
    train = {tracklet.person for tracklet in dataset.train}
    if min(train) < 0:
        raise ValueError(
            f"{tables / 'tracks_train_info.mat'} has junk or distractors (person -1 or 0), expected persons: {SOURCE}"
        )
    both = sorted(train & {tracklet.person for tracklet in dataset.query + dataset.gallery})
    if both:
        raise ValueError(
            f"{tables} has {len(both)} persons in both train and test ({abridge(both)}): a test on persons seen in "
            f"training says nothing; {SOURCE}"
        )


def _check_folders(images: Path, tracklets: Iterable[Tracklet]) -> None:
    """Refuse a half that lacks a person folder."""
    needed = {Path(store).name for store in {tracklet.store for tracklet in tracklets}}
    missing = sorted(needed.difference(folders(images)))
    if missing:
        raise ValueError(
            f"{images} has {len(needed) - len(missing):,} person folders, expected {len(needed):,} (missing "
            f"{abridge(missing)}): is the extraction complete?"
        )
