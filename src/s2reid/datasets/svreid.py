"""SVReID, the synthetic source, and every world that s2reid renders in its layout.

    train_svreid.txt  train_svreid_cc.txt  train_svreid_plus.txt  query.txt  gallery.txt  <tracklet path>/*.jpg

A list holds one tracklet a line: `<tracklet path> <person> <outfit label>`. The last folder of the path is the camera's
number. One of the training lists is loaded; `query.txt` and `gallery.txt` may be missing or empty.
"""

from pathlib import Path
from typing import NamedTuple

from s2reid.datasets._folders import check_root, describe, frames, natural
from s2reid.datasets._rendered import origin, read_marker
from s2reid.types import Dataset, Tracklet

LISTS = ("svreid", "svreid_cc", "svreid_plus")


class Line(NamedTuple):
    """One line of a list."""

    path: str
    person: int
    camera: int
    label: str


def load(root: Path, *, list: str = "svreid") -> Dataset:  # noqa: A002 (the option's name)
    """Load one training list (`svreid`, `svreid_cc`, `svreid_plus`) and, where they exist, query and gallery.

    Outfits count 0, 1, ... within a person in the natural order of their labels, over all lists that are loaded. A
    rendered world (`world.json`) keeps its own name and is checked against its own counts; the published archive's
    counts are not certain enough to refuse it. Raises `ValueError` for a missing list, a line that does not parse, a
    tracklet listed twice, and missing, empty or zero-byte frames.
    """
    check_root(root)
    name = list.replace("-", "_")
    if name not in LISTS:
        raise ValueError(f"no list named {list!r}: there are {', '.join(LISTS)}")
    if not (root / f"train_{name}.txt").is_file():
        raise ValueError(f"{root / f'train_{name}.txt'} does not exist: {_what_is_there(root)}")
    marker = read_marker(root)
    parts = {part: _read_list(root / file) for part, file in _files(root, name).items()}
    if not parts["train"]:
        raise ValueError(f"{root / f'train_{name}.txt'} lists no tracklet: is the data complete?")
    outfits = _number_outfits([line for lines in parts.values() for line in lines])
    tracklets = {part: tuple(_tracklet(root, line, outfits) for line in lines) for part, lines in parts.items()}
    counts = marker.get("counts", {})
    return Dataset(
        marker.get("name", name),
        train=tracklets["train"],
        query=tracklets.get("query", ()),
        gallery=tracklets.get("gallery", ()),
        origin=origin(root, "svreid", marker),
        expected=counts.get(name, counts),  # a world with several lists may count each
    )


def _files(root: Path, name: str) -> dict[str, str]:
    """Name the lists to read; without `query.txt` or `gallery.txt` that part stays empty."""
    optional = {part: f"{part}.txt" for part in ("query", "gallery") if (root / f"{part}.txt").is_file()}
    return {"train": f"train_{name}.txt", **optional}


def _read_list(path: Path) -> list[Line]:
    """Parse a list; raise `ValueError` with the line's number where it does not parse or repeats a tracklet."""
    lines: dict[str, Line] = {}
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not text.strip():
            continue
        fields = text.rsplit(maxsplit=2)
        camera = fields[0].replace("\\", "/").rstrip("/").rpartition("/")[2]
        if len(fields) < 3 or not fields[1].isdecimal() or not camera.isdecimal():
            raise ValueError(
                f"{path}, line {number}: found {text.strip()!r}, expected "
                "`<path ending in the camera's number> <person> <outfit label>`"
            )
        if fields[0] in lines:
            raise ValueError(f"{path}, line {number}: the tracklet {fields[0]} is listed twice")
        lines[fields[0]] = Line(fields[0], int(fields[1]), int(camera), fields[2])
    return [*lines.values()]


def _number_outfits(lines: list[Line]) -> dict[tuple[int, str], int]:
    """Count the outfits of every person from 0 in the natural order of their labels."""
    numbers: dict[tuple[int, str], int] = {}
    following: dict[int, int] = {}
    for person, label in sorted(
        {(line.person, line.label) for line in lines}, key=lambda pair: (pair[0], natural(pair[1]))
    ):
        numbers[person, label] = following.get(person, 0)
        following[person] = numbers[person, label] + 1
    return numbers


def _tracklet(root: Path, line: Line, outfits: dict[tuple[int, str], int]) -> Tracklet:
    return Tracklet(str(root), frames(root, line.path), line.person, line.camera, outfits[line.person, line.label])


def _what_is_there(root: Path) -> str:
    """Say which lists there are, or where they are instead."""
    lists = sorted(path.stem.removeprefix("train_") for path in root.glob("train_*.txt"))
    if lists:
        return f"the lists here are {', '.join(lists)}"
    near = [folder for folder in (root.absolute().parent, *sorted(root.iterdir())) if [*folder.glob("train_*.txt")]]
    return f"the lists are in {near[0]}, give that folder" if near else describe(root)
