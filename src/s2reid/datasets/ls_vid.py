"""LS-VID: 3,772 persons before fifteen cameras, indoors and outdoors.

    list_sequence/list_seq_{train,val,test}.txt    test/data/info_test.mat
    tracklet_{train,val,test}/...                  the frames

A line of a list is a tracklet: `<path prefix> <person>`. Its frames are the files whose path begins with the prefix;
their names begin `<person>_<...>_<camera>_`. `query` in `info_test.mat` holds the lines (from 1) of the test list that
are queries. (Li et al., "Global-local temporal representations for video person re-identification", ICCV 2019.)
"""

import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from s2reid.datasets._folders import abridge, check_root, describe, in_order, is_image, label
from s2reid.datasets._matlab import read_matrix
from s2reid.datasets._rendered import origin, read_marker
from s2reid.types import Dataset, Tracklet

PUBLISHED = {
    "cameras": 15,
    "train": {"persons": 842, "tracklets": 2_831},
    "query": {"tracklets": 3_504},
    "gallery": {"tracklets": 7_829},
}
"""The published counts; the gallery is without the queries. The validation half is not loaded."""

# As the archive has them, and as the folder `info` of several code bases has them.
LISTS = ("list_sequence", "info/list_sequence")
QUERIES = ("test/data/info_test", "info/data/info_test")
TEXT_ADVICE = "write the numbers of its `query`, one a line, to a file info_test.txt beside it"


class Line(NamedTuple):
    """One line of a list: the folder and the beginning of the frames' names, and the person."""

    folder: str
    prefix: str
    person: int


def load(root: Path) -> Dataset:
    """Load training, queries, and the gallery without the queries.

    `root` is the folder that holds `list_sequence` (or `info/list_sequence`) and the frames. The queries come from
    `info_test.mat`, of any MATLAB version (7.3, which the archive has, needs the package h5py), or from `info_test.txt`
    with one number a line. Every folder of frames is listed once and no frame is looked at. A rendered set
    (`world.json`) keeps its own name and counts. Raises `ValueError` for another folder (saying where the data is, if
    near), missing lists, a line or a frame's name that does not parse, tracklets without frames, a query out of range
    or named twice, and a person in both halves.
    """
    check_root(root)
    marker = read_marker(root, root.absolute().parent)
    lists = _lists(root)
    train, test = (_read_list(lists / f"list_seq_{half}.txt") for half in ("train", "test"))
    _check_persons(lists, train, test)
    queries = _queries(root, len(test))
    tracklets = _tracklets(root, train + test)
    tested, asking = tracklets[len(train) :], set(queries)
    return Dataset(
        marker.get("name", "ls_vid"),
        train=tracklets[: len(train)],
        query=tuple(tested[row] for row in queries),
        gallery=tuple(tracklet for row, tracklet in enumerate(tested) if row not in asking),
        origin=origin(root, "ls_vid", marker),
        expected=marker.get("counts", {}) if marker else PUBLISHED,
        protocol="ls_vid",
    )


# Lists and queries


def _lists(root: Path) -> Path:
    """Find the folder of the lists; raise `ValueError` that says where LS-VID is, if near."""
    above = [folder for folder in root.absolute().parents[:3] if _places(folder)]
    if above or not _places(root):  # `info` alone holds lists and no frames
        near = above or [folder for folder in sorted(root.glob("*/")) if _places(folder)]
        advice = f"it is in {near[0]}, give that folder" if near else describe(root)
        raise ValueError(f"no LS-VID at {root} (no folder {' or '.join(LISTS)}): {advice}")
    lists = _places(root)[0]
    missing = [name for name in ("list_seq_train.txt", "list_seq_test.txt") if not (lists / name).is_file()]
    if missing:
        raise ValueError(f"{lists} has no {' and no '.join(missing)}: the archive of LS-VID has both")
    return lists


def _places(root: Path) -> list[Path]:
    return [root / name for name in LISTS if (root / name).is_dir()]


def _read_list(path: Path) -> list[Line]:
    """Parse a list; raise `ValueError` with the line's number where it does not parse or repeats a tracklet."""
    lines: dict[str, Line] = {}
    for number, text in enumerate(
        path.read_text(encoding="utf-8-sig", errors="replace").rstrip().splitlines(), start=1
    ):
        fields = text.replace("\\", "/").rsplit(maxsplit=1)
        if len(fields) < 2 or not fields[1].isdecimal() or fields[0].endswith("/"):
            raise ValueError(f"{path}, line {number}: found {text!r}, expected `<path prefix> <person>`")
        if fields[0] in lines:
            raise ValueError(f"{path}, line {number}: the tracklet {fields[0]} is listed twice")
        folder, _, prefix = fields[0].rpartition("/")
        lines[fields[0]] = Line(folder, prefix, label(fields[1], f"{path}, line {number}"))
    if not lines:
        raise ValueError(f"{path} lists no tracklet: is the data complete?")
    return [*lines.values()]


def _queries(root: Path, num_test: int) -> list[int]:
    """Read the queries as line numbers of the test list, from 0."""
    path = next(
        (p for suffix in (".txt", ".mat") for name in QUERIES if (p := root / f"{name}{suffix}").is_file()), None
    )
    if path is None:
        raise ValueError(
            f"{root / QUERIES[0]}.mat does not exist: it says which tracklets of the test list are queries, and comes "
            "with the archive of LS-VID"
        )
    rows = [number - 1 for number in _read_numbers(path)]
    wrong = [row + 1 for row in rows if row not in range(num_test)]
    if wrong:
        raise ValueError(
            f"{path} names tracklet {wrong[0]}, but list_seq_test.txt has {num_test:,} lines: do the two files belong "
            "together?"
        )
    if len(set(rows)) < len(rows):
        raise ValueError(f"{path} names {len(rows) - len(set(rows))} tracklets twice: is it the archive's own file?")
    return rows


def _read_numbers(path: Path) -> list[int]:
    if path.suffix == ".mat":
        return read_matrix(path, "query", TEXT_ADVICE).ravel().tolist()
    words = path.read_text(encoding="utf-8-sig", errors="replace").split()
    wrong = [word for word in words if not word.isdecimal()]
    if wrong or not words:
        raise ValueError(f"{path} holds {wrong[0] if wrong else 'nothing'!r}, expected whole numbers, one a line")
    return [int(word) for word in words]


def _check_persons(lists: Path, train: Iterable[Line], test: Iterable[Line]) -> None:
    both = sorted({line.person for line in train} & {line.person for line in test})
    if both:
        raise ValueError(
            f"{lists} has {len(both)} persons in both train and test ({abridge(both)}): a test on persons seen in "
            "training says nothing; are these the archive's own lists?"
        )


# Frames


def _tracklets(root: Path, lines: list[Line]) -> tuple[Tracklet, ...]:
    """Find the frames of every line; raise `ValueError` that counts the lines that have none."""
    prefixes: defaultdict[str, set[str]] = defaultdict(set)
    for line in lines:
        prefixes[line.folder].add(line.prefix)
    frames = {folder: _frames(root / folder, wanted) for folder, wanted in prefixes.items()}
    missing = [line for line in lines if not frames[line.folder][line.prefix]]
    if missing:
        names = abridge(f"{line.folder}/{line.prefix}" for line in missing)
        raise ValueError(
            f"{root} has the frames of {len(lines) - len(missing):,} tracklets, expected {len(lines):,} (no frame "
            f"of {names}): is the extraction complete?"
        )
    return tuple(_tracklet(root / line.folder, line.person, frames[line.folder][line.prefix]) for line in lines)


def _tracklet(folder: Path, person: int, frames: tuple[str, ...]) -> Tracklet:
    """Make a tracklet; its camera is the third field of its frames' names."""
    cameras = {name.split("_", 3)[2] if name.count("_") >= 3 else name for name in frames}
    camera = cameras.pop()
    if cameras or not camera.isdecimal():
        raise ValueError(f"{folder} has {abridge(frames)}, expected names <person>_<...>_<camera>_<...> of one camera")
    return Tracklet(str(folder), frames, person, label(camera, frames[0]))


def _frames(folder: Path, prefixes: set[str]) -> dict[str, tuple[str, ...]]:
    """Share a folder's frames out, each to the longest prefix that its name begins with, in natural order."""
    found: dict[str, list[str]] = {prefix: [] for prefix in prefixes}
    lengths = sorted({len(prefix) for prefix in prefixes}, reverse=True)
    for name in os.listdir(folder) if folder.is_dir() else ():
        prefix = next((name[:length] for length in lengths if name[:length] in found), None)
        if prefix is not None and is_image(name):
            found[prefix].append(name)
    return {prefix: tuple(in_order(names)) for prefix, names in found.items()}
