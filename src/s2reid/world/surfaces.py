"""Paint the repeating surfaces of a place: its grounds and its walls."""

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from jaxtyping import Float

from s2reid.world.textures import clouds

GRAIN = 256
"""Texels along a repeating texture."""
GROUNDS = ("asphalt", "slabs", "grass", "leaves", "lines", "mosaic")
WALLS = ("plaster", "brick", "hedge", "windows", "shutters", "panels")

Texture = Float[np.ndarray, "s s 3"]


@lru_cache(maxsize=1)
def _bank() -> Float[np.ndarray, "n s s"]:
    rng = np.random.default_rng(2023)
    return np.stack([clouds(rng, GRAIN, 0.6 + 0.2 * k) for k in range(8)])


def grain(rng: np.random.Generator, smooth: int | None = None) -> Float[np.ndarray, "s s"]:
    field = _bank()[rng.integers(8) if smooth is None else smooth]
    return np.roll(np.rot90(field, int(rng.integers(4))), rng.integers(0, GRAIN, 2), (0, 1))


def _grid(across: int, down: int, line: int, shift: float = 0.0) -> Float[np.ndarray, "s s"]:
    """Mark the joints of a grid of cells; every other row is shifted by a share of a cell."""
    y, x = np.mgrid[0:GRAIN, 0:GRAIN]
    cell, row = GRAIN // across, GRAIN // down
    x = x + ((y // row) % 2) * int(shift * cell)
    return ((x % cell < line) | (y % row < line)).astype(float)


def _cells(rng: np.random.Generator, across: int, down: int) -> Float[np.ndarray, "s s"]:
    values = rng.standard_normal((down, across))
    return np.kron(values, np.ones((math.ceil(GRAIN / down), math.ceil(GRAIN / across))))[:GRAIN, :GRAIN]


def tone(rng: np.random.Generator, low: float, high: float, tint: float = 0.12) -> Float[np.ndarray, " 3"]:
    return np.clip(rng.uniform(low, high) * (1 + tint * rng.standard_normal(3)), 0.03, 0.95)


def paint_surface(rng: np.random.Generator, kind: str) -> Texture:
    """Paint a repeating surface; values are square roots of reflectance."""
    rough = (1 + 0.10 * grain(rng) + 0.05 * grain(rng, 0))[..., None]
    painters: dict[str, Callable[[], Texture]] = {
        "asphalt": lambda: tone(rng, 0.3, 0.6, 0.04) * rough,
        "slabs": lambda: tone(rng, 0.35, 0.8) * rough * (1 - rng.uniform(0.1, 0.4) * _slabs(rng))[..., None],
        "grass": lambda: np.array([0.40, 0.47, 0.28]) * tone(rng, 0.7, 1.2) * (1 + 0.2 * grain(rng, 1))[..., None],
        "leaves": lambda: _leaves(rng),
        "lines": lambda: np.where(_stripe(rng)[..., None], 0.85, tone(rng, 0.3, 0.5, 0.05)) * rough,
        "mosaic": lambda: tone(rng, 0.3, 0.8) * rough * (1 + 0.15 * _cells(rng, 16, 16))[..., None],
        "plaster": lambda: tone(rng, 0.3, 0.95, 0.2) * rough,
        "brick": lambda: _brick(rng),
        "hedge": lambda: np.array([0.25, 0.4, 0.18]) * tone(rng, 0.6, 1.2) * (1 + 0.4 * grain(rng, 2))[..., None],
        "windows": lambda: np.where(_grid(4, 4, 22)[..., None] > 0, tone(rng, 0.3, 0.8), _panes(rng)) * rough,
        "shutters": lambda: tone(rng, 0.3, 0.8) * rough * (1 - 0.3 * _grid(1, 32, 3))[..., None],
        "panels": lambda: tone(rng, 0.3, 0.9, 0.2) * (1 + 0.25 * _cells(rng, 3, 2) - 0.2 * _grid(3, 2, 3))[..., None],
        "carpet": lambda: tone(rng, 0.35, 0.6, 0.15) * (1 + 0.04 * grain(rng, 0) + 0.08 * _cells(rng, 8, 8))[..., None],
        "terrazzo": lambda: tone(rng, 0.6, 0.9, 0.05) * (1 + 0.03 * grain(rng, 0) - 0.12 * _grid(4, 4, 2))[..., None],
        "posters": lambda: _posters(rng),
        "glass": lambda: np.where(_grid(6, 2, 6)[..., None] > 0, 0.25, _panes(rng) * 1.2) * rough,
    }
    return painters[kind]()


def _slabs(rng: np.random.Generator) -> Float[np.ndarray, "s s"]:
    across = int(rng.choice([2, 4, 8]))
    return _grid(across, across * int(rng.choice([1, 2])), int(rng.integers(2, 5)), rng.choice([0, 0.5]))


def _stripe(rng: np.random.Generator) -> np.ndarray:
    x = np.mgrid[0:GRAIN, 0:GRAIN][int(rng.integers(2))]
    return (x % (GRAIN // int(rng.choice([1, 2, 4])))) < rng.integers(8, 28)


def _leaves(rng: np.random.Generator) -> Texture:
    earth = np.array([0.50, 0.42, 0.32]) * tone(rng, 0.7, 1.2)
    green = np.array([0.34, 0.45, 0.22])
    ground = np.where(grain(rng, 4)[..., None] > 0.2, earth, green) * (1 + 0.25 * grain(rng, 1))[..., None]
    return np.where(grain(rng, 0)[..., None] > 1.4, np.array([0.75, 0.6, 0.3]), ground)


def _brick(rng: np.random.Generator) -> Texture:
    stone = tone(rng, 0.35, 0.7) * np.array([1.1, 0.85, 0.75])
    bricks = stone * (1 + 0.12 * _cells(rng, 16, 32) + 0.06 * grain(rng, 1))[..., None]
    return np.where(_grid(8, 32, 2, 0.5)[..., None] > 0, tone(rng, 0.5, 0.8, 0.05), bricks)


def _panes(rng: np.random.Generator) -> Texture:
    return np.array([0.3, 0.36, 0.42]) * (1 + 0.3 * _cells(rng, 4, 4) + 0.15 * grain(rng, 5))[..., None]


def _posters(rng: np.random.Generator) -> Texture:
    wall = np.broadcast_to(tone(rng, 0.6, 0.9, 0.05), (GRAIN, GRAIN, 3)).copy()
    for left in range(8, GRAIN - 60, 84):
        wall[70:190, left : left + 60] = tone(rng, 0.2, 0.9, 0.5)
        wall[rng.integers(80, 120) : 150, left + 8 : left + 52] = tone(rng, 0.2, 0.9, 0.5)
    return wall
