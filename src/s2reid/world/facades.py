"""Paint the floors, pavements and walls of the places where a source's people walk; no stand-in has any of them."""

from collections.abc import Callable, Mapping

import numpy as np
from jaxtyping import Bool, Float

from s2reid.world.patterns import GRAIN, Texture, cells, grain, grid, tone

Y, X = np.mgrid[0:GRAIN, 0:GRAIN]


def _fill(colour: Float[np.ndarray, " 3"]) -> Texture:
    return np.broadcast_to(colour, (GRAIN, GRAIN, 3)).copy()


def _worn(rng: np.random.Generator) -> Float[np.ndarray, "s s 1"]:
    """Darken and brighten a surface at random, coarsely and finely."""
    return (1 + 0.08 * grain(rng, 5) + 0.05 * grain(rng, 1))[..., None]


def _pick(
    mask: Bool[np.ndarray, "s s"], one: Float[np.ndarray, "*one 3"], other: Float[np.ndarray, "*other 3"]
) -> Texture:
    return np.where(mask[..., None], one, other)


# Grounds


def _concrete(rng: np.random.Generator) -> Texture:
    joints = grid(2, 2, 2) > 0
    return _pick(joints, tone(rng, 0.3, 0.5, 0.04), _fill(tone(rng, 0.45, 0.75, 0.05))) * _worn(rng)


def _tiles(rng: np.random.Generator) -> Texture:
    count = int(rng.choice([4, 8]))
    is_odd = (X * count // GRAIN + Y * count // GRAIN) % 2 == 1
    other = tone(rng, 0.2, 0.9, 0.15) if rng.random() < 0.5 else tone(rng, 0.6, 0.9, 0.05)
    return _pick(is_odd, tone(rng, 0.6, 0.95, 0.06), other) * (1 + 0.03 * grain(rng, 1))[..., None]


def _parquet(rng: np.random.Generator) -> Texture:
    wood = np.array([0.66, 0.5, 0.36]) * tone(rng, 0.7, 1.3, 0.06)
    return wood * (1 + 0.12 * cells(rng, 16, 4) - 0.15 * grid(16, 4, 1))[..., None] * _worn(rng)


def _vinyl(rng: np.random.Generator) -> Texture:
    lane = np.abs(X - GRAIN // 2) < rng.integers(10, 60)
    return _pick(lane, tone(rng, 0.3, 0.8, 0.25), tone(rng, 0.5, 0.85, 0.08)) * (1 + 0.03 * grain(rng, 0))[..., None]


def _tactile(rng: np.random.Generator) -> Texture:
    """Lay a yellow strip of knobs along a grey platform."""
    knobs = 1 + 0.15 * (np.hypot(X % 8 - 3.5, Y % 8 - 3.5) < 2.5)
    strip = np.array([0.88, 0.72, 0.25]) * knobs[..., None]
    return _pick(np.abs(X - 128) < 20, strip, _fill(tone(rng, 0.4, 0.7, 0.05))) * _worn(rng)


def _bays(rng: np.random.Generator) -> Texture:
    """Mark parking bays."""
    lines = (X % 128 < 7) & (Y < 190)
    return _pick(lines, tone(rng, 0.75, 0.95, 0.05), tone(rng, 0.25, 0.5, 0.04)) * _worn(rng)


def _road(rng: np.random.Generator) -> Texture:
    """Run a kerb and a dashed line along a road."""
    street = _pick((np.abs(X - 60) < 4) & (Y < 150), np.array([0.85] * 3), tone(rng, 0.25, 0.45, 0.04))
    walk = _fill(tone(rng, 0.45, 0.7, 0.06)) * (1 - 0.15 * grid(8, 8, 2))[..., None]
    kerb = _pick(np.abs(X - 128) < 5, tone(rng, 0.6, 0.8, 0.03), walk)
    return _pick(X < 123, street, kerb) * _worn(rng)


def _path(rng: np.random.Generator) -> Texture:
    """Lead a sandy path through grass."""
    green = np.array([0.36, 0.45, 0.25]) * (1 + 0.2 * grain(rng, 1))[..., None]
    edge = np.abs(X - 128) < 70 + 10 * grain(rng, 4)
    return _pick(edge, np.array([0.68, 0.58, 0.45]) * tone(rng, 0.8, 1.15, 0.05) * _worn(rng), green)


def _marble(rng: np.random.Generator) -> Texture:
    veins = np.abs(grain(rng, 6) + 0.3 * grain(rng, 3)) < 0.06
    stone = tone(rng, 0.55, 0.95, 0.06) * (1 + 0.04 * grain(rng, 5))[..., None]
    return stone * (1 - 0.2 * veins - 0.1 * grid(2, 2, 1))[..., None]


def _patched(rng: np.random.Generator) -> Texture:
    patches = np.kron(rng.random((4, 4)) < 0.25, np.ones((64, 64))) > 0
    return _pick(patches, tone(rng, 0.2, 0.35, 0.04), tone(rng, 0.35, 0.55, 0.05)) * _worn(rng)


# Walls


def _cement(rng: np.random.Generator) -> Texture:
    holes = np.hypot(X % 64 - 32, Y % 64 - 32) < 2.5
    stains = np.clip(grain(rng, 6), 0, 2) * (Y / GRAIN)
    return tone(rng, 0.4, 0.7, 0.05) * (1 - 0.4 * holes - 0.12 * stains - 0.1 * grid(2, 2, 2))[..., None] * _worn(rng)


def _metro(rng: np.random.Generator) -> Texture:
    """Tile a wall like a subway's, with a band of colour."""
    band = np.abs(Y - 150) < rng.integers(6, 24)
    tiles = _pick(band, tone(rng, 0.2, 0.8, 0.5), tone(rng, 0.7, 0.97, 0.05))
    return tiles * (1 - 0.2 * grid(16, 32, 1, 0.5) + 0.02 * cells(rng, 16, 32))[..., None]


def _lockers(rng: np.random.Generator) -> Texture:
    slots = (X % 32 > 8) & (X % 32 < 24) & (Y % 128 > 96) & (Y % 8 < 3)
    doors = tone(rng, 0.3, 0.85, 0.35) * (1 + 0.05 * cells(rng, 8, 2))[..., None]
    return doors * (1 - 0.4 * grid(8, 2, 2) - 0.5 * slots)[..., None]


def _shelves(rng: np.random.Generator) -> Texture:
    """Fill shelves with goods of all colours."""
    hue = np.stack([cells(rng, 32, 8) for _ in range(3)], 2) * 0.22 + rng.uniform(0.3, 0.6)
    return _pick(Y % 32 < 5, tone(rng, 0.5, 0.9, 0.1), hue * (1 + 0.1 * cells(rng, 64, 32))[..., None])


def _facade(rng: np.random.Generator) -> Texture:
    """Set dark windows in rows, a few of them lit."""
    across, down = int(rng.choice([4, 6, 8])), int(rng.choice([4, 8]))
    lit = cells(rng, across, down) > rng.uniform(0.8, 3)
    glass = _pick(lit, np.array([0.9, 0.82, 0.6]), np.array([0.25, 0.3, 0.36]) * tone(rng, 0.6, 1.4, 0.1))
    return _pick(grid(across, down, int(rng.integers(8, 22))) > 0, tone(rng, 0.4, 0.9, 0.12), glass) * _worn(rng)


def _doors(rng: np.random.Generator) -> Texture:
    x = X % 128
    door, frame = (np.abs(x - 64) < 26) & (Y < 170), (np.abs(x - 64) < 31) & (Y < 176)
    wall = _pick(frame, tone(rng, 0.3, 0.6, 0.1), tone(rng, 0.6, 0.95, 0.12))
    return _pick(door, tone(rng, 0.3, 0.8, 0.3), wall) * (1 + 0.03 * grain(rng, 5))[..., None]


def _graffiti(rng: np.random.Generator) -> Texture:
    wall = _fill(tone(rng, 0.4, 0.7, 0.06)) * _worn(rng)
    for k in range(5):
        band = (np.abs(grain(rng, 5)) < 0.25) & (np.abs(Y - rng.integers(40, 150)) < 50)
        wall = _pick(band & ((X // 64 + k) % 3 > 0), tone(rng, 0.2, 0.9, 0.7), wall)
    return wall


def _railings(rng: np.random.Generator) -> Texture:
    behind = np.array([0.3, 0.38, 0.26]) * tone(rng, 0.5, 1.3, 0.1) * (1 + 0.3 * grain(rng, 3))[..., None]
    bars = (X % 16 < 3) | (np.abs(Y - 20) < 4) | (np.abs(Y - 220) < 4)
    return _pick(bars, tone(rng, 0.1, 0.6, 0.1), behind)


def _cladding(rng: np.random.Generator) -> Texture:
    return tone(rng, 0.35, 0.9, 0.15) * (1 + 0.12 * np.sin(X * 2 * np.pi / 16) - 0.2 * (Y % 128 < 3))[..., None]


def _twotone(rng: np.random.Generator) -> Texture:
    """Paint the lower part of a wall darker, as in garages and stairwells."""
    low = rng.integers(80, 140) > Y
    return _pick(low, tone(rng, 0.2, 0.6, 0.3), tone(rng, 0.65, 0.95, 0.06)) * _worn(rng)


def _treeline(rng: np.random.Generator) -> Texture:
    """Let the sky shine through between trees."""
    leaves = np.array([0.26, 0.36, 0.2]) * tone(rng, 0.6, 1.3, 0.12) * (1 + 0.4 * grain(rng, 2))[..., None]
    trunks = (np.abs(X % 64 - 30) < 4) & (Y < 110)
    gaps = (grain(rng, 4) > 0.9) & (Y > 80)
    return _pick(gaps, np.array([0.7, 0.75, 0.8]), _pick(trunks, np.array([0.3, 0.25, 0.2]), leaves))


def _parapet(rng: np.random.Generator) -> Texture:
    stone, holes = tone(rng, 0.5, 0.85, 0.06), (np.abs(X % 32 - 16) < 9) & (np.abs(Y % 128 - 60) < 40)
    return _pick(holes, tone(rng, 0.35, 0.6, 0.2), _fill(stone)) * _worn(rng)


GROUNDS: Mapping[str, Callable[[np.random.Generator], Texture]] = {
    "concrete": _concrete,
    "tiles": _tiles,
    "parquet": _parquet,
    "vinyl": _vinyl,
    "tactile": _tactile,
    "bays": _bays,
    "road": _road,
    "path": _path,
    "marble": _marble,
    "patched": _patched,
}
WALLS: Mapping[str, Callable[[np.random.Generator], Texture]] = {
    "cement": _cement,
    "metro": _metro,
    "lockers": _lockers,
    "shelves": _shelves,
    "facade": _facade,
    "doors": _doors,
    "graffiti": _graffiti,
    "railings": _railings,
    "cladding": _cladding,
    "twotone": _twotone,
    "treeline": _treeline,
    "parapet": _parapet,
}
PAINTERS: Mapping[str, Callable[[np.random.Generator], Texture]] = {**GROUNDS, **WALLS}
