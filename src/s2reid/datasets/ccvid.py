"""CCVID: 226 persons who change clothes, filmed in three sessions.

    train.txt  query.txt  gallery.txt  session1/ session2/ session3/  <person>_<walk>/*.jpg

A list holds one tracklet a line: `session1/001_01 <person> <outfit label>`, and an outfit is the pair of both. The walk
(1 to 12) stands for the camera, in session 3 that plus 12; sessions 1 and 2 share their cameras. The sessions may also
lie in a folder `image`. (Gu et al., "Clothes-changing person re-identification with RGB modality only", CVPR 2022.)
"""

import re
from pathlib import Path

from s2reid.datasets import _lists
from s2reid.datasets._folders import check_root, describe, whereabouts
from s2reid.datasets._rendered import origin, read_marker
from s2reid.types import Dataset

PARTS = ("train", "query", "gallery")
LAYOUT = "session 1 to 3/person_walk 1 to 12"
NUM_WALKS = 12
PUBLISHED = {
    "persons": 226,
    "outfits": 480,
    "tracklets": 2_856,
    "images": 347_833,
    "train": {"persons": 75, "outfits": 159, "tracklets": 948},
    "query": {"tracklets": 834},
    "gallery": {"tracklets": 1_074},
}


def load(root: Path) -> Dataset:
    """Load the three lists; persons keep their numbers.

    Outfits count 0, 1, ... within a person in the natural order of their labels, over all lists. No frame is asked for
    its size, there are too many: an empty one is found when it is decoded. A rendered set (`world.json`) keeps its own
    name and counts. Raises `ValueError` for a missing list (saying where it is, if near), a line that does not parse, a
    tracklet listed twice, and missing or empty folders.
    """
    base = _base(check_root(root))
    lists = {f"{part}.txt": _lists.read(base / f"{part}.txt", _camera, LAYOUT) for part in PARTS}
    _check_listed_once(base, lists)
    store = _store(base, lists["train.txt"][0].path)
    _lists.check_folders(store, lists)
    outfits = _lists.number_outfits(line for lines in lists.values() for line in lines)
    train, query, gallery = (_lists.tracklets(store, lines, outfits, sizes=False) for lines in lists.values())
    marker = read_marker(root, base, *[base.parent] * (base.name == "image"))
    return Dataset(
        marker.get("name", "ccvid"),
        train,
        query,
        gallery,
        origin(root, "ccvid", marker),
        expected=marker.get("counts", {}) if marker else PUBLISHED,
        protocol="ccvid",
    )


def _base(root: Path) -> Path:
    """Find the folder that holds the lists: the root or its `image`."""
    for base in (root, root / "image"):
        missing = [f"{part}.txt" for part in PARTS if not (base / f"{part}.txt").is_file()]
        if not missing:
            return base
        if len(missing) < len(PARTS):
            raise ValueError(f"CCVID at {base} lacks {' and '.join(missing)}, its lists of tracklets: {describe(base)}")
    raise ValueError(f"no CCVID at {root} (no train.txt): {whereabouts(root, 'query.txt')}")


def _store(base: Path, first: str) -> Path:
    """Find the folder that holds the sessions: beside the lists, or in `image`."""
    return next((store for store in (base, base / "image") if (store / first).is_dir()), base)


def _check_listed_once(base: Path, lists: dict[str, list[_lists.Line]]) -> None:
    seen: dict[str, str] = {}
    for name, lines in lists.items():
        for line in lines:
            if line.path in seen:
                raise ValueError(f"{base / name} lists the tracklet {line.path}, and so does {seen[line.path]}")
            seen[line.path] = name


def _camera(folder: str) -> int | None:
    """Read the camera off a tracklet's path.

    >>> _camera("session1/001_04"), _camera("session3/001_04"), _camera("session1/001")
    (4, 16, None)
    """
    found = re.fullmatch(r"(?:.*/)?session([123])/[0-9]+_([0-9]{1,2})", folder)
    walk = int(found[2]) if found else 0
    if found is None or not 1 <= walk <= NUM_WALKS:
        return None
    return walk + NUM_WALKS if found[1] == "3" else walk
