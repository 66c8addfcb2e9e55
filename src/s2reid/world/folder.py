"""A folder that is written whole: its marker, room on its disk, and files that are complete or not there."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import simplejpeg
from jaxtyping import UInt8

from s2reid import whole
from s2reid.lock import FULL, LOCK

MARKER = "world.json"
PARTIAL = ".partial"
QUALITY = 92


def read_marker(root: Path) -> dict[str, Any]:
    """Read a world's `world.json`; raise `ValueError` where it is missing or damaged."""
    try:
        facts = json.loads((root / MARKER).read_text())
    except FileNotFoundError:
        raise ValueError(f"{root} has no {MARKER}: it is not a world that s2reid wrote; name another folder") from None
    except (json.JSONDecodeError, UnicodeDecodeError):
        facts = None
    if not isinstance(facts, dict) or not {"name", "seed", "version", "finished"} <= facts.keys():
        raise ValueError(f"{root / MARKER} is damaged: delete the folder {root} and render again")
    return facts


def mark(root: Path, facts: Mapping[str, Any]) -> None:
    """Write the marker."""
    replace(root / MARKER, (json.dumps(facts, indent=2) + "\n").encode())


def is_finished(root: Path, expected: Mapping[str, Any], defaults: Mapping[str, Any]) -> bool:
    """Say whether a folder already holds a whole world; raise `ValueError` where it holds anything but this one.

    `expected` is what its marker must say, `defaults` what is meant where it says nothing.
    """
    if root.exists() and not root.is_dir():
        raise ValueError(f"{root} is a file: name a folder for the world")
    if not root.exists() or not any(path.name != LOCK for path in root.iterdir()):
        return False
    found = {**defaults, **read_marker(root)}
    for name, value in {**defaults, **expected}.items():
        if found.get(name) != value:
            raise ValueError(
                f"{root} holds a world with {name} {found.get(name)!r}, asked for {value!r}: "
                "name another folder, or ask for the same to resume"
            )
    return bool(found["finished"])


def is_written(path: Path) -> bool:
    """Say whether a file is there with something in it: after a power cut it may have a name and nothing else."""
    try:
        return path.stat().st_size > 0
    except (FileNotFoundError, NotADirectoryError):
        return False


def replace(path: Path, content: bytes) -> None:
    """Write a file atomically."""
    whole.write(path, content)


def encode(frame: UInt8[np.ndarray, "h w 3"], name: str) -> bytes:
    """Encode an image as its name says: `.jpg` or `.png`."""
    if name.endswith(".jpg"):
        return bytes(simplejpeg.encode_jpeg(np.ascontiguousarray(frame), QUALITY, "RGB", "420"))
    is_encoded, code = cv2.imencode(".png", frame[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 3])
    assert is_encoded
    return bytes(code)


def check_room(root: Path, needed: float) -> None:
    """Refuse to start what cannot end: the disk must hold so many bytes more."""
    place = next(parent for parent in (root.absolute(), *root.absolute().parents) if parent.exists())
    free = shutil.disk_usage(place).free
    if free < needed:
        raise ValueError(
            f"{root} needs about {needed / 1e6:,.0f} MB, its disk has {free / 1e6:,.0f} MB free: "
            "free some room or ask for less"
        )


@contextmanager
def told_of_a_full_disk(root: Path) -> Iterator[None]:
    """Say in one line that the disk is full, and leave nothing half written."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        shutil.rmtree(root / PARTIAL, ignore_errors=True)
        raise OSError(
            error.errno, f"the disk is full: {root} stays unfinished; free some room and run the same again to resume"
        ) from None
