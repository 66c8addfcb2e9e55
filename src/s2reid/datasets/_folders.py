"""Look into folders: always sorted, and with a message that says what is there instead.

Names sort naturally: a run of digits compares as a number, everything else as written, so `2.jpg` comes before
`10.jpg` whatever the file system lists first.
"""

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp")
"""What counts as a frame, in upper or lower case; other files beside the frames are left alone."""
UNREAD = (".webp", ".tif", ".tiff", ".gif", ".heic", ".heif", ".avif", ".jp2", ".jxl", ".jpe", ".jfif", ".ppm", ".pgm")
"""Pictures that are not read: beside frames they would be missed in silence."""
LARGEST = 2**63 - 1
"""The largest number of a person, a camera or an outfit: arrays hold them in 64 bits."""
_SHAPE = str.maketrans("123456789", "0" * 9)


def natural(name: str) -> tuple[tuple[str | int, ...], str]:
    """Make the key of the natural order; `1.jpg` and `01.jpg`, equal as numbers, fall back to the plain name.

    >>> sorted(["10.jpg", "2.jpg", "1.jpg"], key=natural)
    ['1.jpg', '2.jpg', '10.jpg']
    """
    parts = re.split(r"([0-9]+)", name)
    return tuple(int(part) if index % 2 else part for index, part in enumerate(parts)), name


def in_order(names: Iterable[str]) -> list[str]:
    """Sort naturally; names that differ in digits only, as frames do, sort plainly: the same order in less time.

    >>> in_order(["f10.jpg", "f9.jpg"]), in_order(["f10.jpg", "f09.jpg"])
    (['f9.jpg', 'f10.jpg'], ['f09.jpg', 'f10.jpg'])
    """
    names = list(names)
    shapes = {name.translate(_SHAPE) for name in names}
    return sorted(names, key=None if len(shapes) == 1 else natural)


def is_image(name: str) -> bool:
    """Tell frames by their suffix; hidden files are none."""
    return name.lower().endswith(IMAGE_SUFFIXES) and not name.startswith(".")


def check_root(root: Path) -> Path:
    """Return a folder that exists and holds something, or raise `ValueError` with what is there instead."""
    if not root.exists():
        parent = next(folder for folder in root.absolute().parents if folder.exists())
        raise ValueError(f"{root} does not exist; {describe(parent)}")
    if not root.is_dir():
        raise ValueError(f"{root} is a file, expected a folder")
    if not any(_scan(root)):
        raise ValueError(f"{root} is empty: is the data complete?")
    return root


def folders(root: Path) -> list[str]:
    """List the folders in a folder in natural order, hidden ones left out."""
    return in_order(entry.name for entry in _scan(root) if entry.is_dir())


def frames(root: Path, folder: str, *, sizes: bool = True) -> tuple[str, ...]:
    """List the frames of one tracklet in natural order, relative to `root`.

    Raises `ValueError` where the folder is missing, holds no frame, holds folders beside its frames, or where a frame
    has zero bytes. Without `sizes` the folder is listed and no file is asked for its size, which is most of the time
    where there are hundreds of thousands; an empty frame is then found when it is decoded.
    """
    place = root / folder
    if not place.is_dir():
        raise ValueError(f"the tracklet folder {place} does not exist: is the data complete?")
    entries = _scan(place)
    images = [entry for entry in entries if is_image(entry.name) and entry.is_file()]
    if unread := [entry.name for entry in entries if entry.name.lower().endswith(UNREAD)]:
        raise ValueError(f"{place} holds {unread[0]}: frames are JPEG, PNG or BMP files; convert it, or take it away")
    if not images:
        raise ValueError(f"the tracklet folder {place} holds no frame ({' '.join(IMAGE_SUFFIXES)}): {describe(place)}")
    inner = [entry.name for entry in entries if entry.is_dir()]
    if inner:
        raise ValueError(
            f"the tracklet folder {place} holds both frames and folders (such as {inner[0]}): a tracklet is one folder "
            "of frames and nothing deeper"
        )
    for image in images if sizes else ():
        if image.stat().st_size == 0:
            raise ValueError(f"the frame {image.path} is empty (0 bytes): copy it again or remove it")
    return tuple(f"{folder}/{name}" for name in in_order(image.name for image in images))


def has_frames(folder: Path) -> bool:
    """Tell whether a folder holds frames directly."""
    return any(is_image(entry.name) and entry.is_file() for entry in _scan(folder))


def numbers(names: Sequence[str]) -> dict[str, int]:
    """Number folders by the last number in their names, or by their natural order where one has none or shares one.

    >>> numbers(["cam_2", "cam_5"]), numbers(["hall", "door"]), numbers(["a1", "b1"])
    ({'cam_2': 2, 'cam_5': 5}, {'door': 0, 'hall': 1}, {'a1': 0, 'b1': 1})
    """
    ordered = in_order(names)
    found = {name: label(digits[-1], name) for name in ordered if (digits := re.findall(r"[0-9]+", name))}
    if len(set(found.values())) == len(ordered):
        return found
    return {name: index for index, name in enumerate(ordered)}


def numbered(names: Iterable[str], prefix: str, place: Path) -> dict[int, str]:
    """Find the folder of each number, in order, where every folder is named by a prefix and a number.

    Raises `ValueError` for another name, and where two names are the same number.

    >>> numbered(["person_0010", "person_0002"], "person_", Path("cam_a"))
    {2: 'person_0002', 10: 'person_0010'}
    """
    found: dict[int, str] = {}
    for name in in_order(names):
        digits = name.removeprefix(prefix)
        if not (name.startswith(prefix) and re.fullmatch(r"[0-9]+", digits)):
            raise ValueError(f"{place} holds {name}, expected names of {prefix} and a number: take it away")
        number = label(digits, str(place / name))
        if number in found:
            raise ValueError(f"{place} holds {found[number]} and {name}, the same number twice: take one away")
        found[number] = name
    return found


def label(digits: str, place: str) -> int:
    """Read a number that is to be a label; raise `ValueError` where 64 bits do not hold it."""
    if len(digits) > 99 or int(digits) > LARGEST:
        raise ValueError(f"{place}: the number {digits:.30} is larger than a label can be ({LARGEST}): rename it")
    return int(digits)


def describe(folder: Path) -> str:
    """Say in a few words what a folder holds."""
    entries = _scan(folder)
    inside = in_order(entry.name for entry in entries if entry.is_dir())
    files = in_order(entry.name for entry in entries if not entry.is_dir())
    found = [
        f"{len(names)} {kind} ({abridge(names)})" for kind, names in (("folders", inside), ("files", files)) if names
    ]
    return f"{folder} holds {' and '.join(found) or 'nothing'}"


def whereabouts(root: Path, wanted: str) -> str:
    """Say where a path (or pattern) is that should be in `root`: a few levels above or below, or what `root` holds."""
    above = [folder for folder in root.absolute().parents[:3] if any(folder.glob(wanted))]
    below = [path for pattern in (f"*/{wanted}", f"*/*/{wanted}") for path in sorted(root.glob(pattern))]
    near = above + [path.parents[wanted.count("/")] for path in below]
    return f"it is in {near[0]}, give that folder" if near else describe(root)


def abridge(names: Iterable[object], most: int = 3) -> str:
    """Name the first few.

    >>> abridge(range(9))
    '0, 1, 2, ...'
    """
    listed = [str(name) for name in names]
    return ", ".join(listed[:most]) + (", ..." if len(listed) > most else "")


def _scan(folder: Path) -> list[os.DirEntry[str]]:
    """List a folder without hidden entries, in the file system's order."""
    try:
        with os.scandir(folder) as entries:
            shown = [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        raise ValueError(f"cannot look into {folder}: {error.strerror}") from error
    for entry in shown:
        if entry.is_symlink() and not os.path.exists(entry.path):
            raise ValueError(
                f"{entry.path} is a link to {os.readlink(entry.path)}, which is not there: mount it or take it away"
            )
    return shown
