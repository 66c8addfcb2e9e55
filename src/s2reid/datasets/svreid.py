"""SVReID, the synthetic source, and every world that s2reid renders in its layout.

    train_svreid.txt  train_svreid_cc.txt  train_svreid_plus.txt  query.txt  gallery.txt  <tracklet path>/*.jpg

A list holds one tracklet a line: `<tracklet path> <person> <outfit label>`. The last folder of the path is the camera's
number. One of the training lists is loaded; `query.txt` and `gallery.txt` may be missing or empty.

`svreid_plus` holds every outfit; the others are chosen from it by a rule (`select`): per person the outfit with the
most tracklets (`svreid`), or the eight outfits with the most (`svreid_cc`). Where such a list is missing and a larger
one is there, the rule makes it.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from s2reid.datasets import _lists
from s2reid.datasets._folders import abridge, check_root, in_order, label, whereabouts
from s2reid.datasets._rendered import origin, read_marker
from s2reid.types import Dataset, Tracklet

LISTS = ("svreid", "svreid_cc", "svreid_plus")
"""The training lists, each contained in the next."""
OUTFITS = {"svreid": 1, "svreid_cc": 8}
"""How many outfits of a person a list holds, at most."""
LAYOUT = "path ending in the camera's number"


def load(root: Path, *, list: str = "svreid") -> Dataset:  # noqa: A002 (the option's name)
    """Load one training list (`svreid`, `svreid_cc`, `svreid_plus`) and, where they exist, query and gallery.

    Outfits count 0, 1, ... within a person in the natural order of their labels, over all lists that are loaded. A list
    made by the rule is named in `origin["selected"]`. A rendered world (`world.json`) keeps its own name and counts;
    nothing is published about the archive that is certain enough to refuse it. Raises `ValueError` for a missing list,
    a line that does not parse, a tracklet listed twice, and missing, empty or zero-byte frames.
    """
    check_root(root)
    name = list.replace("-", "_")
    if name not in LISTS:
        raise ValueError(f"no list named {list!r}: there are {', '.join(LISTS)}")
    written = _training_list(root, name)
    marker = read_marker(root)
    lists = {file: _read(root / file) for file in (f"train_{written}.txt", "query.txt", "gallery.txt")}
    _lists.check_folders(root, {file: lines for file, lines in lists.items() if lines})
    outfits = _lists.number_outfits(line for lines in lists.values() for line in lines)
    train, query, gallery = (_lists.tracklets(root, lines, outfits) for lines in lists.values())
    counts, source = marker.get("counts", {}), origin(root, "svreid", marker)
    if written != name:
        train = select(train, OUTFITS[name])
        counts = {name: counts.get(name, {})}  # what is promised for the larger list is not promised here
        source["selected"] = f"{OUTFITS[name]} outfits a person of train_{written}.txt"
    return Dataset(
        marker.get("name", name),
        train,
        query,
        gallery,
        source,
        expected=counts.get(name, counts),  # a world with several lists may count each
    )


def select(tracklets: Iterable[Tracklet], outfits: int = 1) -> tuple[Tracklet, ...]:
    """Keep, of every person, the tracklets of the outfits worn most often (ties: the lowest outfit number first).

    Any source with outfits will do. Order and outfit numbers stay as they are, and tracklets without a person stay.
    Raises `ValueError` for less than one outfit. (Source: arXiv 2211.11165, which keeps one outfit
    for SVReID and eight for SVReID with changing clothes.)

    >>> worn = [Tracklet(".", (), person=7, camera=camera, outfit=outfit) for camera, outfit in enumerate([0, 4, 4, 2])]
    >>> [tracklet.outfit for tracklet in select(worn)], [tracklet.outfit for tracklet in select(worn, 2)]
    ([4, 4], [0, 4, 4])
    """
    if outfits < 1:
        raise ValueError(f"cannot keep {outfits} outfits of a person: keep at least 1")
    tracklets = tuple(tracklets)
    times = Counter((tracklet.person, tracklet.outfit) for tracklet in tracklets if tracklet.person >= 0)
    kept: set[tuple[int, int]] = set()
    ranks: Counter[int] = Counter()
    for person, outfit in sorted(times, key=lambda worn: (-times[worn], worn)):
        if ranks[person] < outfits:
            kept.add((person, outfit))
        ranks[person] += 1
    return tuple(t for t in tracklets if t.person < 0 or (t.person, t.outfit) in kept)


def _training_list(root: Path, name: str) -> str:
    """Name the list to read: the one asked for, or the next larger one, from which the rule makes it."""
    for written in LISTS[LISTS.index(name) :]:
        if (root / f"train_{written}.txt").is_file():
            return written
    here = in_order(path.stem.removeprefix("train_") for path in root.glob("train_*.txt"))
    there = f"the lists here are {abridge(here)}" if here else whereabouts(root, "train_*.txt")
    raise ValueError(f"{root / f'train_{name}.txt'} does not exist: {there}")


def _read(path: Path) -> list[_lists.Line]:
    """Read a list; `query.txt` and `gallery.txt` may be missing or empty."""
    is_optional = not path.name.startswith("train_")
    if is_optional and not (path.is_file() and path.read_text(encoding="utf-8", errors="replace").strip()):
        return []
    return _lists.read(path, _camera, LAYOUT)


def _camera(folder: str) -> int | None:
    last = folder.rpartition("/")[2]
    return label(last, folder) if last.isdecimal() else None
