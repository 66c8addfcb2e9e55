"""PRID-2011: two outdoor cameras, 385 and 749 persons, of whom the protocol uses 178; ten published splits in halves.

    prid_2011/multi_shot/{cam_a,cam_b}/person_####/####.png

The first 200 persons are in both cameras; the protocol leaves out the 22 of them with few frames in one. Queries are
camera a (1), the gallery is camera b (2). The splits come with this package (`prid2011_splits.txt`); a file
`splits_prid2011.json` in the set's folder, a list of `{"train": [folder, ...], "test": [folder, ...]}`, takes their
place. (Hirzer et al., "Person re-identification by descriptive and discriminative classification", SCIA 2011; Wang et
al., "Person re-identification by video ranking", ECCV 2014.)
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from s2reid.datasets._folders import abridge, check_root, folders, frames, has_frames, numbered, whereabouts
from s2reid.datasets._rendered import origin, read_marker
from s2reid.types import Dataset, Tracklet

NUM_SPLITS = 10
PUBLISHED = {
    "persons": 178,
    "cameras": 2,
    "tracklets": 356,
    "train": {"persons": 89, "tracklets": 178},
    "query": {"persons": 89, "tracklets": 89},
    "gallery": {"persons": 89, "tracklets": 89},
    "cam_a": {"persons": 385},
    "cam_b": {"persons": 749},
}
IN_BOTH = 200
EXCLUDED = (
    6, 19, 31, 52, 57, 62, 71, 94, 106, 120, 136, 138, 139, 142, 145, 158, 159, 166, 183, 190, 199, 200,
)  # fmt: skip
"""Persons in both cameras that the protocol leaves out."""
SETS = (".", "prid_2011", "Prid2011", "prid2011/prid_2011", "prid2011")
"""Where `multi_shot` may be, from the root."""
CAMERAS = {"cam_a": 1, "cam_b": 2}
SPLITS = "splits_prid2011.json"


class Split(NamedTuple):
    """The persons of the two halves, each sorted."""

    train: tuple[int, ...]
    test: tuple[int, ...]


def load(root: Path, *, split: int = 0) -> Dataset:
    """Load one split: half of its persons to train on, the other half as queries (camera a) and gallery (camera b).

    `root` is the folder that holds `prid_2011`, `prid_2011` itself or its `multi_shot`. A rendered set (`world.json`)
    has its own splits beside it, its own name and its own counts. The persons of each camera that are there, used or
    not, are counted in `origin["counted"]`. Raises `ValueError` for another folder (saying where the data is, if near),
    the single-shot pictures, folders not named `person_####`, persons of the splits that are not in both cameras, a
    split out of range, and missing, empty or zero-byte frames.
    """
    base = _base(check_root(root))
    near = (root, base, *_sets(base))
    marker = read_marker(*near)
    splits, place = _splits(near, is_rendered=bool(marker))
    if split not in range(len(splits)):
        raise ValueError(f"split {split!r} is out of range: {place} has splits 0 to {len(splits) - 1}")
    people = {camera: numbered(folders(check_root(base / camera)), "person_", base / camera) for camera in CAMERAS}
    _check_complete(base, people, splits[split])

    def tracklets(persons: Iterable[int], *cameras: str) -> tuple[Tracklet, ...]:
        return tuple(
            Tracklet(str(base), frames(base, f"{camera}/{people[camera][person]}"), person, CAMERAS[camera])
            for person in persons
            for camera in cameras
        )

    counted = {camera: {"persons": len(found)} for camera, found in people.items()}
    return Dataset(
        marker.get("name", "prid2011"),
        train=tracklets(splits[split].train, "cam_a", "cam_b"),
        query=tracklets(splits[split].test, "cam_a"),
        gallery=tracklets(splits[split].test, "cam_b"),
        origin={**origin(root, "prid2011", marker), "split": split, "counted": counted},
        expected=marker.get("counts", {}) if marker else PUBLISHED,
        protocol="prid2011",
    )


def published() -> tuple[Split, ...]:
    """Read the ten published splits, which come with this package.

    >>> splits = published()
    >>> len(splits), splits[0].test[:4], len(splits[0].train)
    (10, (1, 2, 3, 7), 89)
    """
    used = set(range(1, IN_BOTH + 1)) - set(EXCLUDED)
    rows = Path(__file__).with_name("prid2011_splits.txt").read_text(encoding="utf-8").splitlines()
    tests = [tuple(map(int, row.split())) for row in rows if not row.startswith("#")]
    return tuple(Split(tuple(sorted(used - set(test))), test) for test in tests)


def _base(root: Path) -> Path:
    """Find the folder that holds the sequences in `cam_a` and `cam_b`, or say where it is."""
    for place in (root, *(root / inner / "multi_shot" for inner in SETS)):
        if any((place / camera).is_dir() for camera in CAMERAS):
            if (place / "cam_a").is_dir() and has_frames(place / "cam_a"):
                raise ValueError(f"{place} holds pictures, not sequences: {_where(root)}")
            return place
    single = [root / inner / "single_shot" for inner in SETS if (root / inner / "single_shot").is_dir()]
    if single:
        raise ValueError(
            f"{single[0]} holds pictures, not sequences, and `multi_shot` is not beside it: {_where(root)}"
        )
    raise ValueError(f"no PRID-2011 at {root} (no `multi_shot` with `cam_a` and `cam_b`): {_where(root)}")


def _where(root: Path) -> str:
    return "of the two parts of PRID-2011 the multi-shot one is needed; " + whereabouts(root, "multi_shot")


def _sets(base: Path) -> tuple[Path, ...]:
    """List the folders above the sequences that belong to the set."""
    above = base.absolute().parents
    return tuple(above[: 1 + (above[0].name.lower() == "prid_2011")]) if base.absolute().name == "multi_shot" else ()


def _splits(places: Iterable[Path], *, is_rendered: bool) -> tuple[tuple[Split, ...], str]:
    """Find the splits that lie with the set, else the published ones; say where they are from."""
    paths = [place / SPLITS for place in places]
    path = next((path for path in paths if path.is_file()), None)
    if path is not None:
        return _read_splits(path), str(path)
    if is_rendered:
        raise ValueError(
            f"{paths[0]} does not exist, and this set is rendered and has its own persons: render it again"
        )
    return published(), "the published list"


def _read_splits(path: Path) -> tuple[Split, ...]:
    """Read a split file; raise `ValueError` where it is not a list of halves."""
    try:
        listed = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"cannot read {path} ({error}): is it a list of splits in JSON?") from error
    if not (isinstance(listed, list) and listed and all(isinstance(entry, dict) for entry in listed)):
        raise ValueError(f"{path} holds {str(listed)[:80]}, expected a list of splits, each with `train` and `test`")
    splits = tuple(Split(*(_half(entry.get(half), path) for half in Split._fields)) for entry in listed)
    for number, split in enumerate(splits):
        if set(split.train) & set(split.test):
            raise ValueError(
                f"{path}, split {number}: {abridge(sorted({*split.train} & {*split.test}))} are in both halves"
            )
    return splits


def _half(names: object, path: Path) -> tuple[int, ...]:
    if not (isinstance(names, list) and names and all(isinstance(name, str) for name in names)):
        raise ValueError(
            f"{path} holds a split with {str(names)[:80]} for a half, expected `train` and `test` to list folders"
        )
    return tuple(numbered(names, "person_", path))


def _check_complete(base: Path, people: Mapping[str, Mapping[int, str]], split: Split) -> None:
    """Raise `ValueError`, with counts, where a person of the split is not in both cameras."""
    wanted = sorted(split.train + split.test)
    lacking = {camera: [person for person in wanted if person not in found] for camera, found in people.items()}
    if any(lacking.values()):
        said = (
            f"{camera} holds {len(people[camera]):,} persons and {len(persons)} of the {len(wanted)} are missing"
            + (f" ({abridge(persons)})" if persons else "")
            for camera, persons in lacking.items()
        )
        raise ValueError(
            f"{base}: the split uses {len(wanted)} persons in both cameras, {', '.join(said)}: is the extraction "
            "complete?"
        )
