"""Tracklets and contact sheets as small JPEG data URIs; what cannot be read becomes its reason, never a crash."""

from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import simplejpeg
from jaxtyping import UInt8

from s2reid.types import DISTRACTOR, UNKNOWN, Tracklet
from s2reid.video.decode import read_frame, resize

STRIP_HEIGHT = 128
SHEET_WIDTH = 1600
QUALITY = 80


@dataclass(frozen=True)
class Picture:
    """An image inside the page; without a `uri` the page shows `problem` in its place.

    A strip that lost only some of its frames has both.
    """

    alt: str
    uri: str = ""
    width: int = 0
    height: int = 0
    problem: str = ""


def describe(tracklet: Tracklet) -> str:
    """Name a tracklet's labels in words.

    >>> describe(Tracklet("data", ("a.jpg",), person=7, camera=2))
    'person 7, camera 2'
    """
    person = {UNKNOWN: "unlabelled", DISTRACTOR: "distractor"}.get(tracklet.person, f"person {tracklet.person}")
    outfit = f", outfit {tracklet.outfit}" if tracklet.outfit else ""
    return f"{person}{outfit}, camera {tracklet.camera}"


def strip(tracklet: Tracklet, num_frames: int, height: int = STRIP_HEIGHT) -> Picture:
    """Put frames, evenly spaced in time, side by side at one height."""
    frames, problems = [], []
    for name in evenly(tracklet.frames, num_frames):
        try:
            frames.append(to_height(read_frame(tracklet.store, name), height))
        except ValueError as error:
            problems.append(str(error))
    others = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    problem = "".join(problems[:1]) + others if tracklet.frames else "the tracklet has no frames"
    alt = f"{describe(tracklet)}: {len(frames)} of {tracklet.num_frames} frames"
    return picture(np.concatenate(frames, axis=1), alt, problem) if frames else Picture(alt, problem=problem)


def evenly(frames: tuple[str, ...], number: int) -> list[str]:
    """Pick the middle frame of each of `number` equal parts.

    >>> evenly(("a", "b", "c", "d", "e", "f"), 2)
    ['b', 'e']
    """
    number = min(number, len(frames))
    return [frames[(2 * i + 1) * len(frames) // (2 * number)] for i in range(number)]


def to_height(image: UInt8[np.ndarray, "h w 3"], height: int) -> UInt8[np.ndarray, "height width 3"]:
    """Resize to a height, keeping the aspect; a frame wider than twice its height is squeezed to that."""
    h, w = image.shape[:2]
    return resize(image, height, min(max(1, round(w * height / h)), 2 * height))


def sheet(path: Path) -> Picture:
    """Embed a contact sheet, at most `SHEET_WIDTH` wide."""
    try:
        image = read_frame(str(path.parent), path.name)
    except ValueError as error:
        return Picture("", problem=str(error))
    h, w = image.shape[:2]
    if w > SHEET_WIDTH:
        image = resize(image, round(h * SHEET_WIDTH / w), SHEET_WIDTH)
    return picture(image, "contact sheet", "")


def picture(image: UInt8[np.ndarray, "h w 3"], alt: str, problem: str) -> Picture:
    """Encode an image as a data URI."""
    encoded = simplejpeg.encode_jpeg(np.ascontiguousarray(image), quality=QUALITY, colorsubsampling="420")
    uri = "data:image/jpeg;base64," + b64encode(encoded).decode("ascii")
    return Picture(alt, uri, width=image.shape[1], height=image.shape[0], problem=problem)
