"""Cloth: patterns, folds and grain on a square tile that is wrapped around a part of a body."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from jaxtyping import Bool, Float

from s2reid.world.garments import Fabric
from s2reid.world.people import Colour

TILE = 96
"""Texels along a tile: about a centimetre each around a body."""
DOWN, AROUND = np.mgrid[0:TILE, 0:TILE] / TILE
FRONT = np.minimum(AROUND, 1 - AROUND)
"""How far a texel is from the front of its part, in turns."""
SIDE = np.where(AROUND < 0.5, AROUND, AROUND - 1)

Tile = Float[np.ndarray, "3 s s"]
"""Square roots of reflectance, one plane a channel."""
Share = Float[np.ndarray, "s s"]
Mask = Bool[np.ndarray, "s s"]


def clouds(rng: np.random.Generator, size: int, roughness: float) -> Float[np.ndarray, "s s"]:
    """Draw repeating noise of unit variance; a larger `roughness` (1 to 2.5) makes larger blots."""
    wave = np.fft.fft2(rng.standard_normal((size, size)))
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(size), np.fft.fftfreq(size)))
    frequency[0, 0] = 1
    field = np.real(np.fft.ifft2(wave / frequency**roughness))
    return np.asarray((field - field.mean()) / field.std())


@lru_cache(maxsize=1)
def _banks() -> dict[str, Float[np.ndarray, "n s s"]]:
    """Draw the noise that every texture is cut from, each field twice along both axes, so that a cut is a window."""
    rng = np.random.default_rng(2022)
    folds = np.stack([clouds(rng, TILE, 1.6 + 0.1 * k) for k in range(8)])
    blots = np.stack([clouds(rng, TILE, 1.5 + 0.15 * k) for k in range(8)])
    # Creases run around a limb: waves that are drawn out along the way around.
    waves = np.stack([clouds(np.random.default_rng((2023, k)), TILE, 1.3) for k in range(8)])
    creases = np.mean([np.roll(waves, k, 2) for k in range(-9, 10)], 0)
    creases = creases / creases.std((1, 2), keepdims=True)
    return {
        name: np.tile(bank, (1, 2, 2)) for name, bank in zip(("folds", "blots", "creases"), (folds, blots, creases))
    }


def cut(rng: np.random.Generator, kind: str = "folds") -> Share:
    """Cut a tile out of stored noise: `folds`, `blots` or `creases`."""
    bank = _banks()[kind]
    field = bank[rng.integers(len(bank))][:: 2 * rng.integers(2) - 1, :: 2 * rng.integers(2) - 1]
    down, right = TILE - rng.integers(0, TILE, 2)
    return field[down : down + TILE, right : right + TILE]


def _pattern(rng: np.random.Generator, fabric: Fabric, x: Share, y: Share) -> Share:
    """Say how much of the second colour shows at (x, y) metres."""

    def u() -> Share:
        return np.asarray(x / fabric.scale % 1)

    def v() -> Share:
        return np.asarray(y / fabric.scale % 1)

    patterns: dict[str, Callable[[], Share]] = {
        "stripes": lambda: (v() < 0.45) * 1.0,
        "pinstripes": lambda: (u() < 0.22) * 0.8,
        "checks": lambda: ((u() < 0.5) != (v() < 0.5)) * 1.0,
        "plaid": lambda: 0.5 * (u() < 0.35) + 0.5 * (v() < 0.35),
        "dots": lambda: (np.hypot(u() - 0.5, v() - 0.5) < 0.3) * 1.0,
        "blots": lambda: (cut(rng, "blots") > 0.4) * 1.0,
        "yoke": lambda: (y < 0.08 + 1.6 * fabric.scale) * 1.0,
        "band": lambda: (np.abs(y - 0.12 - fabric.scale) < 0.05) * 1.0,
        "print": lambda: _print(rng, x, y),
        "heather": lambda: 0.35 * rng.random(x.shape),
        "quilt": lambda: (v() < 0.16) * 0.3,
        "worn": lambda: 0.7 * np.exp(-(((np.abs(u() - 0.5)) / 0.3) ** 2)) * (0.5 + 0.5 * (y > 0.1) * (y < 0.5)),
        "panes": lambda: 0.8 * ((u() < 0.1) | (v() < 0.1)),
        "flowers": lambda: (np.hypot(u() - 0.5, v() - 0.5) + 0.16 * cut(rng, "blots") < 0.3) * 1.0,
        "zigzag": lambda: ((v() + np.abs(u() - 0.5)) % 1 < 0.4) * 1.0,
        "diamonds": lambda: (np.abs(u() - 0.5) + np.abs(v() - 0.5) < 0.4) * 1.0,
        "camouflage": lambda: 0.5 * (cut(rng, "blots") > 0.2) + 0.5 * (cut(rng, "blots") > 0.5),
        "halves": lambda: (y > 0.2 + fabric.scale) * 1.0,
        "ribs": lambda: 0.25 * (u() * 6 % 1 < 0.5),
        "fade": lambda: np.clip(y / 0.6, 0, 1),
    }
    return np.asarray(patterns[fabric.pattern]())


def _print(rng: np.random.Generator, x: Share, y: Share) -> Share:
    """Draw a logo on the chest: a few bars like lines of text, or a disc; sometimes one on the back."""
    across = np.where(x < x.max() / 2, x, x - x.max())
    if rng.random() < 0.3:
        across = across + np.where(across < 0, x.max() / 2, -x.max() / 2)
    size, middle = rng.uniform(0.04, 0.13), rng.uniform(0.15, 0.25)
    if rng.random() < 0.4:
        return np.asarray((np.hypot(across, y - middle) < size) * 1.0)
    lines = ((y - middle) / size * 2.5 % 1 < 0.6) & (rng.random(TILE)[None, :].repeat(TILE, 0) < 0.8)
    return np.asarray(((np.abs(across) < 1.2 * size) & (np.abs(y - middle) < size) & lines) * 1.0)


def cloth(rng: np.random.Generator, fabric: Fabric, size: tuple[float, float] = (1.0, 0.6), start: float = 0.0) -> Tile:
    """Paint a tile of `size` metres (around, down) with a fabric, its folds and its grain, `start` below its top."""
    paint = flat(fabric.colour)
    if fabric.pattern != "plain":
        share = _pattern(rng, fabric, AROUND * size[0], start + DOWN * size[1])
        paint = paint * (1 - share) + flat(fabric.second) * share
    folds = 1 + fabric.folds * cut(rng) + 0.02 * rng.standard_normal((TILE, TILE))
    if fabric.pattern == "quilt":
        folds = folds * (0.8 + 0.35 * np.sin(np.pi * (DOWN * size[1] / fabric.scale % 1)))
    return np.asarray(paint * folds)


def flat(colour: Colour) -> Float[np.ndarray, "3 1 1"]:
    """Return a colour that a tile can be multiplied with."""
    return np.array(colour)[:, None, None]


def over(base: Tile, mask: Mask, colour: Colour | Tile) -> Tile:
    """Paint a colour or another tile where the mask says so."""
    return np.where(mask, flat(colour) if isinstance(colour, tuple) else colour, base)


def scaled(colour: Colour, factor: float) -> Colour:
    """Make a colour brighter or darker."""
    return colour[0] * factor, colour[1] * factor, colour[2] * factor
