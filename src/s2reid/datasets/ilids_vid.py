"""iLIDS-VID: 300 persons, two cameras, one tracklet each; ten published splits in halves.

    i-LIDS-VID/sequences/{cam1,cam2}/person###/cam#_person###_#####.png
    train-test people splits/train_test_splits_ilidsvid.mat

Row s of the .mat file's `ls_set` is a permutation of 1..300: number k means the k-th of the sorted person folders, the
first half is the test half. Queries are camera 1, the gallery is camera 2. (Wang et al., "Person re-identification by
video ranking", ECCV 2014.)
"""

from pathlib import Path

import numpy as np
from jaxtyping import Int
from scipy.io import loadmat

from s2reid.datasets._folders import abridge, check_root, describe, folders, frames, numbers
from s2reid.datasets._rendered import origin, read_marker
from s2reid.types import Dataset, Tracklet

NUM_PERSONS = 300
INNER = "i-LIDS-VID"
SPLITS = Path("train-test people splits") / "train_test_splits_ilidsvid.mat"


def load(root: Path, *, split: int = 0) -> Dataset:
    """Load one split: half of the persons to train on, the other half as queries (camera 1) and gallery (camera 2).

    `root` is the folder that holds `i-LIDS-VID`, or `i-LIDS-VID` itself. A rendered set (`world.json`) keeps its own
    name and is checked against its own counts, the real one against 300 persons. Raises `ValueError` for another
    folder (saying where the data is, if near), persons that are not in both cameras, a split file that does not fit
    the persons, a split out of range, and missing, empty or zero-byte frames.
    """
    base = _base(check_root(root))
    near = (root, base, base.parent)
    marker = read_marker(*near)
    persons = _persons(base / "sequences")
    if not marker and len(persons) != NUM_PERSONS:
        raise ValueError(
            f"iLIDS-VID at {root} has {len(persons)} persons, expected {NUM_PERSONS}: is the extraction complete?"
        )
    test, train = _halves(_split_file(near), len(persons), split)
    number = numbers(persons)

    def tracklets(rows: Int[np.ndarray, " k"], *cameras: int) -> tuple[Tracklet, ...]:
        wanted = [(persons[row], camera) for row in rows for camera in cameras]
        return tuple(
            Tracklet(str(base), frames(base, f"sequences/cam{camera}/{person}"), number[person], camera)
            for person, camera in wanted
        )

    return Dataset(
        marker.get("name", "ilids_vid"),
        train=tracklets(train, 1, 2),
        query=tracklets(test, 1),
        gallery=tracklets(test, 2),
        origin={**origin(root, "ilids_vid", marker), "split": split},
        expected=marker.get("counts", {}),
    )


def _base(root: Path) -> Path:
    """Find the folder that holds `sequences`: the root, its `i-LIDS-VID`, or say where it is."""
    for base in (root, root / INNER):
        if (base / "sequences").is_dir():
            return base
    above = [folder for folder in root.absolute().parents[:3] if (folder / "sequences").is_dir()]
    below = sorted(folder.parent for pattern in ("*/sequences", "*/*/sequences") for folder in root.glob(pattern))
    advice = f"it is in {(above + below)[0]}, give that folder" if above or below else describe(root)
    raise ValueError(f"no iLIDS-VID at {root} (no folder `sequences` or `{INNER}/sequences`): {advice}")


def _persons(sequences: Path) -> list[str]:
    """List the person folders, sorted; raise `ValueError` where the two cameras do not hold the same ones."""
    first, second = (folders(check_root(sequences / camera)) for camera in ("cam1", "cam2"))
    alone = sorted(set(first) ^ set(second))
    if alone:
        raise ValueError(
            f"{sequences} has {len(alone)} persons in one camera only ({abridge(alone)}), expected the same persons in "
            "cam1 and cam2: is the extraction complete?"
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


def _halves(path: Path, num_persons: int, split: int) -> tuple[Int[np.ndarray, " k"], Int[np.ndarray, " k"]]:
    """Read one split as sorted row numbers from 0: the test half (first in the file) and the training half."""
    try:
        table = np.asarray(loadmat(path)["ls_set"]).astype(np.int64) - 1
    except Exception as error:  # damaged files make the reader raise almost anything
        raise ValueError(f"cannot read `ls_set` from {path} ({error}): is it the archive's own file?") from error
    if table.ndim != 2 or table.shape[1] != num_persons or not (np.sort(table, axis=1) == np.arange(num_persons)).all():
        raise ValueError(
            f"{path} holds an `ls_set` of shape {table.shape}, expected rows that are permutations of 1 to "
            f"{num_persons} (one number a person folder): do the splits belong to these sequences?"
        )
    if split not in range(len(table)):
        raise ValueError(f"split {split!r} is out of range: {path} has splits 0 to {len(table) - 1}")
    half = num_persons // 2
    return np.sort(table[split, :half]), np.sort(table[split, half:])
