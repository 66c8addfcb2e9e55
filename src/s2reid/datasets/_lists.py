"""Lists of tracklets: one a line, `<path> <person> <outfit label>`, as SVReID and CCVID have them."""

import posixpath
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from s2reid.datasets._folders import abridge, frames, label, natural
from s2reid.types import Tracklet


class Line(NamedTuple):
    """One line of a list; `outfit` is the label as written."""

    path: str
    person: int
    camera: int
    outfit: str


Outfits = Mapping[tuple[int, str], int]
"""The number of an outfit, by person and label."""


def read(path: Path, camera: Callable[[str], int | None], layout: str) -> list[Line]:
    """Read a list; `camera` finds the camera in a tracklet's path, `layout` says what such a path looks like.

    Raises `ValueError`, with the line's number, where a line does not parse or repeats a tracklet.
    """
    try:
        texts = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"cannot read {path} as text in UTF-8: {error}") from error
    lines: dict[str, Line] = {}
    for number, text in enumerate(texts, start=1):
        if not text.strip():
            continue
        line = _parse(text, camera, f"{path}, line {number}")
        if line is None:
            raise ValueError(
                f"{path}, line {number}: found {text.strip()[:200]!r}, expected `<{layout}> <person> <outfit label>`"
            )
        if line.path in lines:
            raise ValueError(f"{path}, line {number}: the tracklet {line.path} is listed twice")
        lines[line.path] = line
    if not lines:
        raise ValueError(f"{path} lists no tracklet: is the data complete?")
    return [*lines.values()]


def _parse(text: str, camera: Callable[[str], int | None], place: str) -> Line | None:
    """Take a line apart; None where it does not look as it should."""
    folder, *rest = text.rsplit(maxsplit=2)
    folder = posixpath.normpath(folder.strip().replace("\\", "/"))
    number = camera(folder)
    if len(rest) < 2 or not rest[0].isdecimal() or number is None:
        return None
    return Line(folder, label(rest[0], place), number, rest[1])


def number_outfits(lines: Iterable[Line]) -> Outfits:
    """Count the outfits of every person from 0 in the natural order of their labels."""
    numbers: dict[tuple[int, str], int] = {}
    following: dict[int, int] = {}
    named = {(line.person, line.outfit) for line in lines}
    for person, outfit in sorted(named, key=lambda pair: (pair[0], natural(pair[1]))):
        numbers[person, outfit] = following.get(person, 0)
        following[person] = numbers[person, outfit] + 1
    return numbers


def check_folders(store: Path, lists: Mapping[str, Sequence[Line]]) -> None:
    """Raise `ValueError` where folders of listed tracklets are not there: how many of each list, and the first few."""
    absent = {name: [line.path for line in lines if not (store / line.path).is_dir()] for name, lines in lists.items()}
    first = [path for paths in absent.values() for path in paths]
    if first:
        found = (f"{len(lines) - len(absent[name]):,} of {len(lines):,} in {name}" for name, lines in lists.items())
        raise ValueError(
            f"{store} lacks {len(first):,} folders of listed tracklets ({abridge(first)}), it has {', '.join(found)}: "
            "is the extraction complete?"
        )


def tracklets(store: Path, lines: Iterable[Line], outfits: Outfits, *, sizes: bool = True) -> tuple[Tracklet, ...]:
    """Look up the frames of every line; `sizes` as for `frames`."""
    return tuple(
        Tracklet(
            str(store),
            frames(store, line.path, sizes=sizes),
            line.person,
            line.camera,
            outfits[line.person, line.outfit],
        )
        for line in lines
    )
