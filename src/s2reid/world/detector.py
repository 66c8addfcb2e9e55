"""How a detector and a tracker frame a person: loosely, with jitter, and with errors."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from s2reid.world.cameras import Camera
from s2reid.world.render import Window

CUTS = ("feet", "feet", "feet", "head", "left", "right")


@dataclass(frozen=True)
class Framing:
    """How a detector frames one tracklet: sizes and shifts relative to the person's height, each frame's jitter."""

    aspect: float
    loose: float
    shift: tuple[float, float]
    cut: float
    jitter: float
    is_tight: bool


def draw_framing(rng: np.random.Generator, camera: Camera) -> Framing:
    """Draw how a tracklet's person is framed."""
    cut = rng.uniform(0.08, 0.35) if rng.random() < 0.04 else 0.0
    return Framing(
        aspect=camera.aspect * math.exp(rng.normal(0, 0.04)),
        loose=camera.loose + (rng.uniform(0.1, 0.3) if rng.random() < 0.05 else 0.0),
        shift=(rng.normal(0, 0.02), rng.normal(0, 0.02)),
        cut=cut,
        jitter=camera.jitter,
        is_tight=camera.is_tight,
    )


def frame(box: Window, framing: Framing, rng: np.random.Generator) -> Window:
    """Frame a person's box the way a detector would: loose, shifted, jittered, sometimes cut at the knees."""
    left, top, right, bottom = box
    height = bottom - top
    dx, dy, grow = rng.normal(0, framing.jitter, 3)
    x = 0.5 * (left + right) + height * (framing.shift[0] + dx)
    y = 0.5 * (top + bottom) + height * (framing.shift[1] + dy)
    tall = height * (1 + framing.loose) * math.exp(grow)
    wide = max(1.08 * (right - left), 0.3 * tall) if framing.is_tight else framing.aspect * tall
    return x - 0.5 * wide, y - 0.5 * tall, x + 0.5 * wide, y + (0.5 - framing.cut) * tall


@dataclass(frozen=True)
class Slip:
    """What goes wrong in one frame: nothing by default.

    `missed` counts the frames before it in which nobody was detected. A share `amount` of the box is cut off at `cut`;
    the box is `grown` times too large; it slid by the share `slid` onto walker `onto`.
    """

    missed: int = 0
    cut: str = ""
    amount: float = 0.0
    grown: float = 1.0
    slid: float = 0.0
    onto: int = 0


def draw_slips(rng: np.random.Generator, rate: float, count: int, num_walkers: int) -> list[Slip]:
    """Draw a tracklet's errors: gaps, boxes cut for a while, boxes too large, and rarely a tracker that drifts.

    >>> draw_slips(np.random.default_rng(0), 0.0, 2, 1) == [Slip(), Slip()]
    True
    """
    missed = np.where(rng.random(count) < 0.12 * rate, rng.integers(1, 8, count), 0)
    grown = np.where(rng.random(count) < 0.03 * rate, rng.uniform(1.25, 1.7, count), 1.0)
    if rng.random() < 0.05 * rate:
        grown = grown * rng.uniform(1.2, 1.5)
    cut, amount = CUTS[int(rng.integers(len(CUTS)))], rng.uniform(0.08, 0.38)
    is_cut = _run(rng, count, 0.14 * rate)
    onto = int(rng.integers(1, num_walkers)) if num_walkers > 1 else 0
    slid = _run(rng, count, 0.06 * rate if onto else 0.0) * rng.uniform(0.3, 1.0, count)
    return [
        Slip(int(missed[k]), cut if is_cut[k] else "", amount * is_cut[k], float(grown[k]), float(slid[k]), onto)
        if missed[k] or is_cut[k] or grown[k] != 1 or slid[k]
        else Slip()
        for k in range(count)
    ]


def _run(rng: np.random.Generator, count: int, chance: float) -> Bool[np.ndarray, " n"]:
    """Mark some frames in a row, or none."""
    length = int(rng.integers(1, max(2, count // 2 + 1)))
    start = int(rng.integers(0, count))
    happens = rng.random() < chance
    return (np.arange(count) >= start) & (np.arange(count) < start + length) & happens


def slip(window: Window, error: Slip, boxes: Sequence[Window]) -> Window:
    """Apply an error to what the detector framed; `boxes` are those of all walkers.

    >>> slip((0.0, 0.0, 10.0, 20.0), Slip(cut="feet", amount=0.25), [])
    (0.0, 0.0, 10.0, 15.0)
    """
    left, top, right, bottom = window
    if error.slid:
        own, other = boxes[0], boxes[error.onto]
        x = 0.5 * error.slid * (other[0] + other[2] - own[0] - own[2])
        y = 0.5 * error.slid * (other[1] + other[3] - own[1] - own[3])
        if abs(x) < 2 * (right - left):  # a tracker does not jump
            left, top, right, bottom = left + x, top + y, right + x, bottom + y
    wide, tall = 0.5 * (error.grown - 1) * (right - left), 0.5 * (error.grown - 1) * (bottom - top)
    left, top, right, bottom = left - wide, top - tall, right + wide, bottom + tall
    across, down = error.amount * (right - left), error.amount * (bottom - top)
    return (
        left + across * (error.cut == "left"),
        top + down * (error.cut == "head"),
        right - across * (error.cut == "right"),
        bottom - down * (error.cut == "feet"),
    )
