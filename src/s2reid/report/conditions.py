"""What makes a query hard, measured on a query and its right match: from labels, from pixels, from a world's truth."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float

from s2reid.report.strips import evenly
from s2reid.types import Tracklet
from s2reid.video.decode import read_frame, resize

HEIGHT, WIDTH, FRAMES = 64, 32, 4
"""Frames are measured at this size, so many of a tracklet."""
TRUTH = "truth.json"
"""What `s2reid world --truth` writes beside the images."""
Greys = Float[np.ndarray, "t h w"]


@dataclass(frozen=True)
class Pair:
    """A query and the right match that was found for it."""

    query: Tracklet
    match: Tracklet


@dataclass(frozen=True)
class Condition:
    """Something that makes a query hard: the larger `measure`, the harder; `rule` says in words what it measures.

    `at_least` is the value below which the condition is not there at all.
    """

    name: str
    rule: str
    measure: Callable[[Pair], float]
    at_least: float = 0.0


def clothes_change(pair: Pair) -> float:
    """Say whether query and match wear different outfits.

    >>> clothes_change(Pair(Tracklet("", ("a",), 1, 1, outfit=0), Tracklet("", ("b",), 1, 2, outfit=1)))
    1.0
    """
    return float(pair.query.outfit != pair.match.outfit)


def illumination(pair: Pair) -> float:
    """Measure how much the mean brightness of query and match differs, of 255."""
    query, match = greys(pair.query), greys(pair.match)
    return abs(float(query.mean()) - float(match.mean())) if len(query) and len(match) else 0.0


def background(pair: Pair) -> float:
    """Measure how much is going on beside the persons: the mean step from pixel to pixel in the outer quarters."""
    return float(np.mean([_busyness(greys(tracklet)) for tracklet in (pair.query, pair.match)]))


def occlusion(pair: Pair) -> float:
    """Measure how much of the person is hidden in the frame where most is, 0 to 1, by a world's truth."""
    return max(_hidden(tracklet) for tracklet in (pair.query, pair.match))


def unrest(pair: Pair) -> float:
    """Measure how much the middle of the body changes from frame to frame, where a person alone changes little."""
    return max(_change(greys(tracklet)) for tracklet in (pair.query, pair.match))


CLOTHES = Condition(
    "Clothes change", "the labels say that query and right match wear different outfits", clothes_change, 1.0
)
ILLUMINATION = Condition(
    "Illumination", "difference of the mean brightness of query and right match, of 255", illumination
)
BACKGROUND = Condition(
    "Complex background",
    "mean step from pixel to pixel in the outer quarters of the frames, of 255, query and right match averaged",
    background,
)
OCCLUSION = Condition(
    "Occlusion", "share of the body that is hidden in the worst frame, by the rendered world's truth.json", occlusion
)
UNREST = Condition(
    "Occlusion, guessed",
    "change of the middle of the body from frame to frame, of 255: what passes in front, or a box that slips (there is "
    "no truth.json, so what is hidden is not known)",
    unrest,
)


def conditions(pair: Pair) -> tuple[Condition, ...]:
    """List what can be measured on data like this pair, in the order in which queries are picked."""
    return CLOTHES, ILLUMINATION, OCCLUSION if truth_of(pair.query.store) else UNREST, BACKGROUND


@lru_cache(maxsize=1024)
def greys(tracklet: Tracklet) -> Greys:
    """Read a few frames of a tracklet in grey, at one size; those that cannot be read are left out."""
    found = []
    for name in evenly(tracklet.frames, FRAMES):
        try:
            image = resize(read_frame(tracklet.store, name), HEIGHT, WIDTH)
        except ValueError:
            continue
        found.append(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32))
    return np.array(found, np.float32).reshape(-1, HEIGHT, WIDTH)


def _busyness(frames: Greys) -> float:
    sides = [frames[:, :, : WIDTH // 4], frames[:, :, -WIDTH // 4 :]]
    steps = [np.abs(np.diff(side, axis=axis)).mean() for side in sides for axis in (1, 2)] if len(frames) else [0.0]
    return float(np.mean(steps))


def _change(frames: Greys) -> float:
    middle = frames[:, HEIGHT // 6 : HEIGHT // 2, WIDTH // 4 : -WIDTH // 4]
    return float(np.abs(np.diff(middle, axis=0)).mean()) if len(frames) > 1 else 0.0


def _hidden(tracklet: Tracklet) -> float:
    truth = truth_of(tracklet.store)
    paths = [str(Path(path).resolve()) for path in tracklet.paths()]
    known = [truth[path] for path in paths if path in truth]
    return 1 - min(known, default=1.0)


@lru_cache(maxsize=4)
def truth_of(store: str) -> dict[str, float]:
    """Read how much of the person every image of a rendered world shows, by its path; empty where nothing says so."""
    root = next((folder for folder in (Path(store), *Path(store).parents[:3]) if (folder / TRUTH).is_file()), None)
    if root is None:
        return {}
    try:
        said = json.loads((root / TRUTH).read_text())
        seen = {note["image_id"]: float(note["visibility"]) for note in said["annotations"]}
        shown = {image["file_name"]: seen.get(image["id"], 0.0) for image in said["images"]}  # no note: all is hidden
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{root / TRUTH} is damaged ({error!r}): remove it, or render the world again") from error
    return {str((root / name).resolve()): share for name, share in shown.items()}
