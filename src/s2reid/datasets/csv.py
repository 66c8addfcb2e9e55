"""A manifest: any data, described by a CSV file. This is the contract.

| column     | needed | meaning |
|------------|--------|---------|
| `path`     | yes    | a frame (an image file), or a folder of frames; relative to the manifest's folder, or absolute |
| `person`   | yes    | a whole number from 0; empty or -1: unlabelled; -2: a distractor (gallery only, never matches) |
| `camera`   | yes    | a whole number from 0 |
| `split`    | yes    | `train`, `query` or `gallery` |
| `tracklet` | where `path` is a frame | any text; rows of the same tracklet are its frames, in the order of the rows |
| `outfit`   | no     | a whole number from 0, counted within a person; empty or no column: 0 |

One row a frame in temporal order (rows of different tracklets may alternate), or one row a tracklet whose `path` is a
folder; its frames then sort naturally by name. Both kinds may be in one file. Columns may be in any order, empty lines
are skipped, text is UTF-8. A person is not in both train and test, a tracklet has one person, camera, outfit and split,
and no frame is listed twice.
"""

import csv
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from s2reid.datasets._folders import IMAGE_SUFFIXES, LARGEST, abridge, check_root, frames, is_image
from s2reid.datasets._rendered import origin, read_marker
from s2reid.types import DISTRACTOR, UNKNOWN, Dataset, Tracklet

NEEDED = ("path", "person", "camera", "split")
OPTIONAL = ("tracklet", "outfit")
SPLITS = ("train", "query", "gallery")


@dataclass(frozen=True)
class Row:
    """One line of the manifest; `labels` are its person, camera and outfit."""

    line: int
    path: str
    tracklet: str
    labels: tuple[int, int, int]
    split: str


@dataclass
class Gathered:
    """The rows of one tracklet so far."""

    first: Row
    is_folder: bool
    frames: list[str] = field(default_factory=list)


def load(root: Path) -> Dataset:
    """Load the manifest at `root`, a file; the module's documentation is the contract.

    Raises `ValueError`, with the line's number where there is one, for everything that the contract does not allow and
    for missing, empty or zero-byte frames.
    """
    folder = root.parent
    tracklets: dict[tuple[str, str], Gathered] = {}
    listed: dict[str, int] = {}
    for row in _read(_checked(root)):
        place = f"{root}, line {row.line}"
        is_folder, found = _frames(folder, row, place)
        # A folder without a name is a tracklet of its own.
        key = ("tracklet", row.tracklet) if row.tracklet else ("path", row.path)
        gathered = tracklets.setdefault(key, Gathered(row, is_folder))
        _check_agrees(row, gathered, is_folder, place)
        for frame in found:
            where = os.path.normpath(frame)
            if where in listed:
                raise ValueError(f"{place}: the frame {frame} is listed already (line {listed[where]})")
            listed[where] = row.line
        gathered.frames.extend(found)
    if not tracklets:
        raise ValueError(f"{root} lists nothing below its header: expected one row a frame or a tracklet")
    parts = {split: _part(str(folder), tracklets, split) for split in SPLITS}
    _check_persons_apart(parts, root)
    marker = read_marker(folder)
    train, query, gallery = parts.values()
    return Dataset(marker.get("name", root.stem), train, query, gallery, origin(root, "csv", marker))


def _checked(root: Path) -> Path:
    """Return a manifest that exists and is a file."""
    if root.is_dir():
        manifests = abridge(sorted(path.name for path in root.glob("*.csv")))
        raise ValueError(
            f"{root} is a folder, expected a CSV file: {f'it holds {manifests}' if manifests else 'it holds none'}"
        )
    if not root.exists():
        check_root(root.parent)
        manifests = abridge(sorted(path.name for path in root.parent.glob("*.csv")))
        raise ValueError(f"{root} does not exist; the manifests in {root.parent}: {manifests or 'none'}")
    return root


def _read(path: Path) -> Iterator[Row]:
    """Parse the rows; raise `ValueError` for columns or numbers that are not as the contract says."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            _check_columns(reader.fieldnames or [], path)
            for fields in reader:
                place = f"{path}, line {reader.line_num}"
                if None in fields or None in fields.values():
                    raise ValueError(f"{place}: expected {len(reader.fieldnames or [])} fields, as in the header")
                yield _parse({name: text.strip() for name, text in fields.items()}, reader.line_num, place)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"cannot read {path} as CSV in UTF-8: {error}") from error


def _check_columns(columns: Sequence[str], path: Path) -> None:
    contract = f"the columns are {', '.join(NEEDED)} and optionally {', '.join(OPTIONAL)}"
    missing = [name for name in NEEDED if name not in columns]
    unknown = [name for name in columns if name not in NEEDED + OPTIONAL]
    if missing:
        raise ValueError(
            f"{path} lacks the column {missing[0]!r} (found {', '.join(columns) or 'nothing'}): {contract}"
        )
    if unknown or len(set(columns)) < len(columns):
        problem = f"the unknown column {unknown[0]!r}" if unknown else "a column twice"
        raise ValueError(f"{path} has {problem}: {contract}")


def _parse(fields: dict[str, str], line: int, place: str) -> Row:
    """Turn the text of one row into numbers, and check what one row alone can say."""
    person = _number(fields["person"], "person", place, empty=UNKNOWN, least=DISTRACTOR)
    camera = _number(fields["camera"], "camera", place)
    outfit = _number(fields.get("outfit", ""), "outfit", place, empty=0)
    split = fields["split"]
    if split not in SPLITS:
        raise ValueError(f"{place}: split {split!r} is none of {', '.join(SPLITS)}")
    if person == DISTRACTOR and split != "gallery":
        raise ValueError(f"{place}: a distractor (person -2) belongs into the gallery, not into {split}")
    if not fields["path"]:
        raise ValueError(f"{place}: the path is empty")
    return Row(line, fields["path"], fields.get("tracklet", ""), (person, camera, outfit), split)


def _number(text: str, column: str, place: str, *, empty: int | None = None, least: int = 0) -> int:
    if not text and empty is not None:
        return empty
    try:
        number = int(text)
    except ValueError:
        raise ValueError(f"{place}: {column} {text!r} is not a whole number") from None
    if not least <= number <= LARGEST:
        raise ValueError(f"{place}: {column} {number} is {f'below {least}' if number < least else f'above {LARGEST}'}")
    return number


def _frames(folder: Path, row: Row, place: str) -> tuple[bool, tuple[str, ...]]:
    """Tell whether a row is a folder, and which frames it brings, relative to the manifest's folder."""
    try:
        status = os.stat(folder / row.path)  # once: there may be a million rows
    except OSError as error:
        raise ValueError(f"{place}: cannot find {row.path} in {folder}: {error.strerror}") from error
    except ValueError as error:  # a name that no file can have
        raise ValueError(f"{place}: cannot find {row.path!r} in {folder}: {error}") from error
    if stat.S_ISDIR(status.st_mode):
        return True, frames(folder, row.path.rstrip("/"))
    if not is_image(os.path.basename(row.path)):
        raise ValueError(f"{place}: {row.path} is neither a folder nor a frame ({' '.join(IMAGE_SUFFIXES)})")
    if not row.tracklet:
        raise ValueError(f"{place}: a row that is a frame needs the name of its tracklet")
    if status.st_size == 0:
        raise ValueError(f"{place}: the frame {row.path} is empty (0 bytes): copy it again or remove it")
    return False, (row.path,)


def _check_agrees(row: Row, gathered: Gathered, is_folder: bool, place: str) -> None:
    """Refuse a row that does not fit the earlier rows of its tracklet."""
    first, name = gathered.first, row.tracklet or row.path
    if row is first:
        return
    for column, here, there in zip(
        ("person", "camera", "outfit", "split"), (*row.labels, row.split), (*first.labels, first.split), strict=True
    ):
        if here != there:
            raise ValueError(f"{place}: the tracklet {name} has {column} {here} here and {there} in line {first.line}")
    if is_folder or gathered.is_folder:
        raise ValueError(
            f"{place}: the tracklet {name} has rows already (line {first.line}): a folder is one row, and the only one"
        )


def _part(store: str, tracklets: dict[tuple[str, str], Gathered], split: str) -> tuple[Tracklet, ...]:
    return tuple(
        Tracklet(store, tuple(gathered.frames), *gathered.first.labels)
        for gathered in tracklets.values()
        if gathered.first.split == split
    )


def _check_persons_apart(parts: dict[str, tuple[Tracklet, ...]], root: Path) -> None:
    """Refuse a person in both train and test."""
    train, *test = ({tracklet.person for tracklet in parts[split] if tracklet.person >= 0} for split in SPLITS)
    both = sorted(train & set().union(*test))
    if both:
        raise ValueError(
            f"{root} has {len(both)} persons in both train and test ({abridge(both)}): a test on persons seen in "
            "training says nothing; give them to one side"
        )
