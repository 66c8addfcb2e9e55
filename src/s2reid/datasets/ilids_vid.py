"""iLIDS-VID: 300 persons, two cameras, one tracklet each; ten published splits in halves.

    i-LIDS-VID/sequences/{cam1,cam2}/person###/cam#_person###_#####.png
    train-test people splits/train_test_splits_ilidsvid.mat

Row s of the .mat file's `ls_set` is a permutation of 1..300: number k means the k-th of the sorted person folders, the
first half is the test half. Queries are camera 1, the gallery is camera 2. (Wang et al., "Person re-identification by
video ranking", ECCV 2014.)

A `splits.json` in the folder is left alone: other programs write one, in the order in which their file system lists
folders, and such splits are not the published ones.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from s2reid.datasets._folders import abridge, check_root, folders, frames, numbered, whereabouts
from s2reid.datasets._matlab import read_matrix
from s2reid.datasets._rendered import origin, read_marker
from s2reid.types import Dataset, Tracklet

NUM_SPLITS = 10
PUBLISHED = {
    "persons": 300,
    "cameras": 2,
    "tracklets": 600,
    "train": {"persons": 150, "tracklets": 300},
    "query": {"persons": 150, "tracklets": 150},
    "gallery": {"persons": 150, "tracklets": 150},
}
INNER = "i-LIDS-VID"
SPLITS = Path("train-test people splits") / "train_test_splits_ilidsvid.mat"


def load(root: Path, *, split: int = 0) -> Dataset:
    """Load one split: half of the persons to train on, the other half as queries (camera 1) and gallery (camera 2).

    `root` is the folder that holds `i-LIDS-VID`, or `i-LIDS-VID` itself. A rendered set (`world.json`) keeps its own
    name and counts. Raises `ValueError` for another folder (saying where the data is, if near), folders not named
    `person###`, persons that are not in both cameras, a split file that does not fit the persons, a split out of range,
    and missing, empty or zero-byte frames.
    """
    base = _base(check_root(root))
    near = (root, base, base.absolute().parent) if base.absolute().name == INNER else (root, base)
    marker = read_marker(*near)
    persons = _persons(base / "sequences")
    test, train = _halves(_split_file(near), [*persons], split)

    def tracklets(wanted: Iterable[int], *cameras: int) -> tuple[Tracklet, ...]:
        return tuple(
            Tracklet(str(base), frames(base, f"sequences/cam{camera}/{persons[person]}"), person, camera)
            for person in wanted
            for camera in cameras
        )

    return Dataset(
        marker.get("name", "ilids_vid"),
        train=tracklets(train, 1, 2),
        query=tracklets(test, 1),
        gallery=tracklets(test, 2),
        origin={**origin(root, "ilids_vid", marker), "split": split},
        expected=marker.get("counts", {}) if marker else PUBLISHED,
        protocol="ilids_vid",
    )


def _base(root: Path) -> Path:
    """Find the folder that holds `sequences`: the root, its `i-LIDS-VID`, or say where it is."""
    for base in (root, root / INNER):
        if (base / "sequences").is_dir():
            return base
    raise ValueError(
        f"no iLIDS-VID at {root} (no folder `sequences` or `{INNER}/sequences`): {whereabouts(root, 'sequences')}"
    )


def _persons(sequences: Path) -> dict[int, str]:
    """Find the folder of each person, sorted; raise `ValueError` where the two cameras do not hold the same ones."""
    places = [check_root(sequences / camera) for camera in ("cam1", "cam2")]
    first, second = (numbered(folders(place), "person", place) for place in places)
    alone = sorted(set(first.values()) ^ set(second.values()))
    if alone:
        raise ValueError(
            f"{sequences} has {len(alone)} persons in one camera only ({abridge(alone)}; cam1 holds {len(first)}, cam2 "
            f"{len(second)}), expected the same persons in cam1 and cam2: is the extraction complete?"
        )
    return first


def _split_file(places: tuple[Path, ...]) -> Path:
    """Find the .mat file in any of some folders, in its own folder or loose."""
    for place in places:
        for path in (place / SPLITS, place / SPLITS.name):
            if path.is_file():
                return path
    raise ValueError(
        f"{places[-1] / SPLITS} does not exist: it comes with the archive of iLIDS-VID, extract it beside {INNER}"
    )


def _halves(path: Path, persons: list[int], split: int) -> tuple[list[int], list[int]]:
    """Read one split: the persons of the test half (first in the file) and of the training half, both sorted."""
    table = read_matrix(path, "ls_set", "is it the file that came with the archive?") - 1
    numbers = np.arange(table.shape[1] if table.ndim == 2 else 0)
    if not len(numbers) or not (np.sort(table, axis=1) == numbers).all():
        raise ValueError(
            f"{path} holds an `ls_set` of shape {table.shape}, expected rows that are permutations of 1 to the number "
            "of persons: is it the file that came with the archive?"
        )
    if len(numbers) != len(persons):
        raise ValueError(
            f"{path} divides {len(numbers)} persons, and `sequences` holds {len(persons)}: is the extraction complete, "
            "and do the splits belong to these sequences?"
        )
    if split not in range(len(table)):
        raise ValueError(f"split {split!r} is out of range: {path} has splits 0 to {len(table) - 1}")
    half = len(persons) // 2
    test, train = np.sort(table[split, :half]), np.sort(table[split, half:])
    return [persons[row] for row in test], [persons[row] for row in train]
