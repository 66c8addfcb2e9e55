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


def natural(name: str) -> tuple[tuple[str | int, ...], str]:
    """Make the key of the natural order; `1.jpg` and `01.jpg`, equal as numbers, fall back to the plain name.

    >>> sorted(["10.jpg", "2.jpg", "1.jpg"], key=natural)
    ['1.jpg', '2.jpg', '10.jpg']
    """
    parts = re.split(r"([0-9]+)", name)
    return tuple(int(part) if index % 2 else part for index, part in enumerate(parts)), name


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
    return sorted((entry.name for entry in _scan(root) if entry.is_dir()), key=natural)


def frames(root: Path, folder: str) -> tuple[str, ...]:
    """List the frames of one tracklet in natural order, relative to `root`.

    Raises `ValueError` where the folder is missing, holds no frame, holds folders beside its frames, or where a frame
    has zero bytes.
    """
    place = root / folder
    if not place.is_dir():
        raise ValueError(f"the tracklet folder {place} does not exist: is the data complete?")
    entries = _scan(place)
    images = [entry for entry in entries if is_image(entry.name) and entry.is_file()]
    if not images:
        raise ValueError(f"the tracklet folder {place} holds no frame ({' '.join(IMAGE_SUFFIXES)}): {describe(place)}")
    inner = [entry.name for entry in entries if entry.is_dir()]
    if inner:
        raise ValueError(
            f"the tracklet folder {place} holds both frames and folders (such as {inner[0]}): a tracklet is one folder "
            "of frames and nothing deeper"
        )
    for image in images:
        if image.stat().st_size == 0:
            raise ValueError(f"the frame {image.path} is empty (0 bytes): copy it again or remove it")
    return tuple(f"{folder}/{name}" for name in sorted((image.name for image in images), key=natural))


def has_frames(folder: Path) -> bool:
    """Tell whether a folder holds frames directly."""
    return any(is_image(entry.name) and entry.is_file() for entry in _scan(folder))


def numbers(names: Sequence[str]) -> dict[str, int]:
    """Number folders by the last number in their names, or by their natural order where one has none or shares one.

    >>> numbers(["cam_2", "cam_5"]), numbers(["hall", "door"]), numbers(["a1", "b1"])
    ({'cam_2': 2, 'cam_5': 5}, {'door': 0, 'hall': 1}, {'a1': 0, 'b1': 1})
    """
    ordered = sorted(names, key=natural)
    found = {name: int(digits[-1]) for name in ordered if (digits := re.findall(r"[0-9]+", name))}
    if len(set(found.values())) == len(ordered):
        return found
    return {name: index for index, name in enumerate(ordered)}


def describe(folder: Path) -> str:
    """Say in a few words what a folder holds."""
    entries = _scan(folder)
    inside = sorted((entry.name for entry in entries if entry.is_dir()), key=natural)
    files = sorted((entry.name for entry in entries if not entry.is_dir()), key=natural)
    found = [
        f"{len(names)} {kind} ({abridge(names)})" for kind, names in (("folders", inside), ("files", files)) if names
    ]
    return f"{folder} holds {' and '.join(found) or 'nothing'}"


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
            return [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        raise ValueError(f"cannot look into {folder}: {error.strerror}") from error
