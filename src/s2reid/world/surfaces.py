"""Paint the repeating surfaces of a place: its grounds and its walls."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from s2reid.world.facades import PAINTERS
from s2reid.world.patterns import GRAIN, Texture, cells, grain, grid, tone

GROUNDS = ("asphalt", "slabs", "grass", "leaves", "lines", "mosaic")
WALLS = ("plaster", "brick", "hedge", "windows", "shutters", "panels")


def paint_surface(rng: np.random.Generator, kind: str) -> Texture:
    """Paint a repeating surface; values are square roots of reflectance."""
    if kind in PAINTERS:
        return PAINTERS[kind](rng)
    rough = (1 + 0.10 * grain(rng) + 0.05 * grain(rng, 0))[..., None]
    painters: dict[str, Callable[[], Texture]] = {
        "asphalt": lambda: tone(rng, 0.3, 0.6, 0.04) * rough,
        "slabs": lambda: tone(rng, 0.35, 0.8) * rough * (1 - rng.uniform(0.1, 0.4) * _slabs(rng))[..., None],
        "grass": lambda: np.array([0.40, 0.47, 0.28]) * tone(rng, 0.7, 1.2) * (1 + 0.2 * grain(rng, 1))[..., None],
        "leaves": lambda: _leaves(rng),
        "lines": lambda: np.where(_stripe(rng)[..., None], 0.85, tone(rng, 0.3, 0.5, 0.05)) * rough,
        "mosaic": lambda: tone(rng, 0.3, 0.8) * rough * (1 + 0.15 * cells(rng, 16, 16))[..., None],
        "plaster": lambda: tone(rng, 0.3, 0.95, 0.2) * rough,
        "brick": lambda: _brick(rng),
        "hedge": lambda: np.array([0.25, 0.4, 0.18]) * tone(rng, 0.6, 1.2) * (1 + 0.4 * grain(rng, 2))[..., None],
        "windows": lambda: np.where(grid(4, 4, 22)[..., None] > 0, tone(rng, 0.3, 0.8), _panes(rng)) * rough,
        "shutters": lambda: tone(rng, 0.3, 0.8) * rough * (1 - 0.3 * grid(1, 32, 3))[..., None],
        "panels": lambda: tone(rng, 0.3, 0.9, 0.2) * (1 + 0.25 * cells(rng, 3, 2) - 0.2 * grid(3, 2, 3))[..., None],
        "carpet": lambda: tone(rng, 0.35, 0.6, 0.15) * (1 + 0.04 * grain(rng, 0) + 0.08 * cells(rng, 8, 8))[..., None],
        "terrazzo": lambda: tone(rng, 0.6, 0.9, 0.05) * (1 + 0.03 * grain(rng, 0) - 0.12 * grid(4, 4, 2))[..., None],
        "posters": lambda: _posters(rng),
        "glass": lambda: np.where(grid(6, 2, 6)[..., None] > 0, 0.25, _panes(rng) * 1.2) * rough,
        "herringbone": lambda: tone(rng, 0.4, 0.65, 0.08) * (1 + 0.2 * _zigzag(8) + 0.08 * grain(rng, 0))[..., None],
        "gravel": lambda: tone(rng, 0.45, 0.75, 0.08) * (1 + 0.12 * grain(rng, 0) + 0.12 * grain(rng, 3))[..., None],
        "arcade": lambda: _arcade(rng) * rough,
        "ivy": lambda: np.where(grain(rng, 3)[..., None] > 0, _ivy(rng), tone(rng, 0.6, 0.85, 0.1) * rough),
        "crossing": lambda: np.where(_zebra()[..., None], 0.85, tone(rng, 0.25, 0.4, 0.04)) * rough,
        "cobbles": lambda: tone(rng, 0.3, 0.5, 0.06) * (1 + 0.35 * _cobbles() + 0.1 * cells(rng, 16, 16))[..., None],
        "shopfront": lambda: _shopfront(rng) * rough,
        "hoarding": lambda: tone(rng, 0.5, 0.9, 0.4) * (1 + 0.2 * _zigzag(2) - 0.3 * grid(8, 1, 4))[..., None] * rough,
        "boards": lambda: (
            np.array([0.62, 0.48, 0.34]) * (1 + 0.14 * cells(rng, 1, 16) - 0.5 * grid(1, 16, 2))[..., None]
        ),
        "trellis": lambda: np.where(_diamonds(8)[..., None], tone(rng, 0.7, 0.95, 0.05), _ivy(rng)) * rough,
        "puddles": lambda: _puddles(rng) * rough,
        "stones": lambda: (
            tone(rng, 0.3, 0.55, 0.1) * (1 + 0.3 * cells(rng, 8, 12) - 0.3 * grid(8, 12, 3, 0.5))[..., None]
        ),
        "snow": lambda: np.array([0.86, 0.89, 0.95]) * (1 + 0.06 * grain(rng, 5) + 0.03 * grain(rng, 1))[..., None],
        "icicles": lambda: _icicles(rng) * rough,
    }
    return painters[kind]()


def _slabs(rng: np.random.Generator) -> Float[np.ndarray, "s s"]:
    across = int(rng.choice([2, 4, 8]))
    return grid(across, across * int(rng.choice([1, 2])), int(rng.integers(2, 5)), rng.choice([0, 0.5]))


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
    bricks = stone * (1 + 0.12 * cells(rng, 16, 32) + 0.06 * grain(rng, 1))[..., None]
    return np.where(grid(8, 32, 2, 0.5)[..., None] > 0, tone(rng, 0.5, 0.8, 0.05), bricks)


def _panes(rng: np.random.Generator) -> Texture:
    return np.array([0.3, 0.36, 0.42]) * (1 + 0.3 * cells(rng, 4, 4) + 0.15 * grain(rng, 5))[..., None]


def _posters(rng: np.random.Generator) -> Texture:
    wall = np.broadcast_to(tone(rng, 0.6, 0.9, 0.05), (GRAIN, GRAIN, 3)).copy()
    for left in range(8, GRAIN - 60, 84):
        wall[70:190, left : left + 60] = tone(rng, 0.2, 0.9, 0.5)
        wall[rng.integers(80, 120) : 150, left + 8 : left + 52] = tone(rng, 0.2, 0.9, 0.5)
    return wall


def _zigzag(bands: int) -> Float[np.ndarray, "s s"]:
    """Alternate between -1 and 1 in diagonal bands that turn at every cell."""
    y, x = np.mgrid[0:GRAIN, 0:GRAIN]
    fold = np.abs(x % (GRAIN // bands) - GRAIN // (2 * bands))
    return np.where((y + fold) % (GRAIN // bands) < GRAIN // (2 * bands), 1.0, -1.0)


def _zebra() -> np.ndarray:
    """Mark broad bars on a half of the ground."""
    y, x = np.mgrid[0:GRAIN, 0:GRAIN]
    return (x % (GRAIN // 3) < GRAIN // 6) & (y < GRAIN // 2)


def _diamonds(count: int) -> np.ndarray:
    y, x = np.mgrid[0:GRAIN, 0:GRAIN]
    cell = GRAIN // count
    return ((x + y) % cell < 7) | ((x - y) % cell < 7)


def _cobbles() -> Float[np.ndarray, "s s"]:
    """Draw round stones, bright in their middle, every other row shifted by half a stone."""
    y, x = np.mgrid[0:GRAIN, 0:GRAIN]
    x = x + (y // 16 % 2) * 8
    return 0.6 - np.hypot(x % 16 - 7.5, y % 16 - 7.5) / 8


def _ivy(rng: np.random.Generator) -> Texture:
    return np.array([0.24, 0.38, 0.22]) * tone(rng, 0.8, 1.2, 0.05) * (1 + 0.35 * grain(rng, 1))[..., None]


def _arcade(rng: np.random.Generator) -> Texture:
    """Open dark arches in a light wall."""
    y, x = np.mgrid[0:GRAIN, 0:GRAIN]
    across, up = x % 128 - 64, y
    inside = (np.abs(across) < 40) & ((up < 150) | (np.hypot(across, up - 150) < 40))
    return np.where(inside[..., None], tone(rng, 0.15, 0.3, 0.05), tone(rng, 0.65, 0.95, 0.08))


def _shopfront(rng: np.random.Generator) -> Texture:
    """Stack a window, a sign of one colour and a facade."""
    wall = np.broadcast_to(tone(rng, 0.4, 0.7, 0.1), (GRAIN, GRAIN, 3)).copy()
    for left in range(0, GRAIN, 128):
        wall[12:120, left + 6 : left + 122] = tone(rng, 0.15, 0.8, 0.2)
        wall[20:112, left + 60 : left + 66] = 0.2
        wall[124:164, left : left + 126] = tone(rng, 0.3, 0.9, 0.6)
        wall[136:152, left + 16 : left + 110] = wall[124, left] * 0.3 + 0.6
    return wall


def _puddles(rng: np.random.Generator) -> Texture:
    """Wet a dark ground; its puddles mirror a grey sky."""
    wet = tone(rng, 0.2, 0.35, 0.05) * (1 + 0.12 * grain(rng, 0))[..., None]
    return np.where(grain(rng, 6)[..., None] > 0.6, np.array([0.62, 0.66, 0.72]), wet)


def _icicles(rng: np.random.Generator) -> Texture:
    """Cover the upper part of a plain wall in snow that hangs down unevenly."""
    y, x = np.mgrid[0:GRAIN, 0:GRAIN]
    edge = 150 + 30 * np.abs(np.sin(x * 2 * np.pi / 64)) + 12 * grain(rng, 4)
    return np.where((y > edge)[..., None], np.array([0.84, 0.88, 0.95]), tone(rng, 0.35, 0.6, 0.15))
