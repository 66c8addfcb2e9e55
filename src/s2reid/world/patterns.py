"""What repeating surfaces are drawn with: rough grain, grids, random cells and tones."""

import math
from functools import lru_cache

import numpy as np
from jaxtyping import Float

from s2reid.world.textures import clouds

GRAIN = 256
"""Texels along a repeating texture."""

Texture = Float[np.ndarray, "s s 3"]


@lru_cache(maxsize=1)
def _bank() -> Float[np.ndarray, "n s s"]:
    rng = np.random.default_rng(2023)
    return np.stack([clouds(rng, GRAIN, 0.6 + 0.2 * k) for k in range(8)])


def grain(rng: np.random.Generator, smooth: int | None = None) -> Float[np.ndarray, "s s"]:
    field = _bank()[rng.integers(8) if smooth is None else smooth]
    return np.roll(np.rot90(field, int(rng.integers(4))), rng.integers(0, GRAIN, 2), (0, 1))


def grid(across: int, down: int, line: int, shift: float = 0.0) -> Float[np.ndarray, "s s"]:
    """Mark the joints of a grid of cells; every other row is shifted by a share of a cell."""
    y, x = np.mgrid[0:GRAIN, 0:GRAIN]
    cell, row = GRAIN // across, GRAIN // down
    x = x + ((y // row) % 2) * int(shift * cell)
    return ((x % cell < line) | (y % row < line)).astype(float)


def cells(rng: np.random.Generator, across: int, down: int) -> Float[np.ndarray, "s s"]:
    values = rng.standard_normal((down, across))
    return np.kron(values, np.ones((math.ceil(GRAIN / down), math.ceil(GRAIN / across))))[:GRAIN, :GRAIN]


def tone(rng: np.random.Generator, low: float, high: float, tint: float = 0.12) -> Float[np.ndarray, " 3"]:
    return np.clip(rng.uniform(low, high) * (1 + tint * rng.standard_normal(3)), 0.03, 0.95)
