"""Places: ground, walls and props, and who walks where."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float, UInt8

from s2reid.world.body import Mesh, Tube, assemble, tube
from s2reid.world.raster import Backdrop
from s2reid.world.textures import TILE, clouds

GRAIN = 256
"""Texels along a repeating texture of the ground or of a wall."""
GROUNDS = ("asphalt", "slabs", "grass", "leaves", "lines", "mosaic")
WALLS = ("plaster", "brick", "hedge", "windows", "shutters", "panels")
PROPS = ("pole", "bollard", "tree", "bush", "bench", "bin", "car", "sign", "planter", "fence")
ROOM = 2.0
"""People walk through a disc of this radius (metres) around the middle of a scene; props stay out of it."""

Texture = Float[np.ndarray, "s s 3"]


@dataclass(frozen=True)
class SceneStyle:
    """What the places of a domain are made of; an indoor share of 1 makes every place a hall with a ceiling."""

    grounds: tuple[str, ...] = GROUNDS
    walls: tuple[str, ...] = WALLS
    props: tuple[str, ...] = PROPS
    indoor: float = 0.2
    num_walls: tuple[int, int] = (1, 4)
    num_props: tuple[int, int] = (2, 9)


@dataclass(frozen=True)
class Prop:
    """A thing that stands in a scene: its mesh in the world, where it stands, how wide and how high it is."""

    mesh: Mesh
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Scene:
    """A place: endless planes with textures, and props that share one texture."""

    backdrop: Backdrop
    props: tuple[Prop, ...]
    texture: UInt8[np.ndarray, "s s 3"]
    is_indoor: bool


@dataclass(frozen=True)
class Walk:
    """A walk at a personal speed: where it is after `seconds`, and which way it goes (radians).

    >>> Walk(0.0, 0.0, heading=0.0, speed=1.5, turn=0.0).at(2.0)
    (3.0, 0.0, 0.0)
    """

    x: float
    y: float
    heading: float
    speed: float
    turn: float

    def at(self, seconds: float) -> tuple[float, float, float]:
        """Return x, y and heading; `turn` radians a second bend the path into an arc."""
        heading = self.heading + self.turn * seconds
        middle = self.heading + 0.5 * self.turn * seconds
        bend = float(np.sinc(0.5 * self.turn * seconds / math.pi))
        step = self.speed * seconds * bend
        return self.x + step * math.cos(middle), self.y + step * math.sin(middle), heading


@lru_cache(maxsize=1)
def _noise() -> Float[np.ndarray, "n s s"]:
    rng = np.random.default_rng(2023)
    return np.stack([clouds(rng, GRAIN, 0.6 + 0.2 * k) for k in range(8)])


def _grain(rng: np.random.Generator, smooth: int | None = None) -> Float[np.ndarray, "s s"]:
    field = _noise()[rng.integers(8) if smooth is None else smooth]
    return np.roll(np.rot90(field, rng.integers(4)), rng.integers(0, GRAIN, 2), (0, 1))


def _grid(across: int, down: int, line: int, shift: float = 0.0) -> Float[np.ndarray, "s s"]:
    """Mark the joints of a grid of cells; every other row is shifted by a share of a cell."""
    y, x = np.mgrid[0:GRAIN, 0:GRAIN]
    cell, row = GRAIN // across, GRAIN // down
    x = x + ((y // row) % 2) * int(shift * cell)
    return ((x % cell < line) | (y % row < line)).astype(float)


def _cells(rng: np.random.Generator, across: int, down: int) -> Float[np.ndarray, "s s"]:
    values = rng.standard_normal((down, across))
    return np.kron(values, np.ones((math.ceil(GRAIN / down), math.ceil(GRAIN / across))))[:GRAIN, :GRAIN]


def _tone(rng: np.random.Generator, low: float, high: float, tint: float = 0.12) -> Float[np.ndarray, " 3"]:
    return np.clip(rng.uniform(low, high) * (1 + tint * rng.standard_normal(3)), 0.03, 0.95)


def _surface(rng: np.random.Generator, kind: str) -> Texture:
    """Paint a repeating surface; values are square roots of reflectance."""
    rough = (1 + 0.10 * _grain(rng) + 0.05 * _grain(rng, 0))[..., None]
    painters: dict[str, Callable[[], Texture]] = {
        "asphalt": lambda: _tone(rng, 0.3, 0.6, 0.04) * rough,
        "slabs": lambda: _tone(rng, 0.35, 0.8) * rough * (1 - rng.uniform(0.1, 0.4) * _slabs(rng))[..., None],
        "grass": lambda: np.array([0.36, 0.5, 0.22]) * _tone(rng, 0.7, 1.2) * (1 + 0.22 * _grain(rng, 1))[..., None],
        "leaves": lambda: _leaves(rng),
        "lines": lambda: np.where(_stripe(rng)[..., None], 0.85, _tone(rng, 0.3, 0.5, 0.05)) * rough,
        "mosaic": lambda: _tone(rng, 0.3, 0.8) * rough * (1 + 0.15 * _cells(rng, 16, 16))[..., None],
        "plaster": lambda: _tone(rng, 0.3, 0.95, 0.2) * rough,
        "brick": lambda: _brick(rng),
        "hedge": lambda: np.array([0.25, 0.4, 0.18]) * _tone(rng, 0.6, 1.2) * (1 + 0.4 * _grain(rng, 2))[..., None],
        "windows": lambda: np.where(_grid(4, 4, 22)[..., None] > 0, _tone(rng, 0.3, 0.8), _panes(rng)) * rough,
        "shutters": lambda: _tone(rng, 0.3, 0.8) * rough * (1 - 0.3 * _grid(1, 32, 3))[..., None],
        "panels": lambda: _tone(rng, 0.3, 0.9, 0.2) * (1 + 0.25 * _cells(rng, 3, 2) - 0.2 * _grid(3, 2, 3))[..., None],
        "carpet": lambda: _tone(rng, 0.25, 0.6, 0.25) * (1 + 0.12 * _grain(rng, 0) + 0.1 * _cells(rng, 8, 8))[..., None],
        "terrazzo": lambda: np.where(_grain(rng, 0)[..., None] > 1.6, 0.4, _tone(rng, 0.6, 0.9, 0.05)) * rough,
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
    earth = np.array([0.50, 0.42, 0.32]) * _tone(rng, 0.7, 1.2)
    green = np.array([0.34, 0.45, 0.22])
    ground = np.where(_grain(rng, 4)[..., None] > 0.2, earth, green) * (1 + 0.25 * _grain(rng, 1))[..., None]
    return np.where(_grain(rng, 0)[..., None] > 1.4, np.array([0.75, 0.6, 0.3]), ground)


def _brick(rng: np.random.Generator) -> Texture:
    stone = _tone(rng, 0.35, 0.7) * np.array([1.1, 0.85, 0.75])
    bricks = stone * (1 + 0.12 * _cells(rng, 16, 32) + 0.06 * _grain(rng, 1))[..., None]
    return np.where(_grid(8, 32, 2, 0.5)[..., None] > 0, _tone(rng, 0.5, 0.8, 0.05), bricks)


def _panes(rng: np.random.Generator) -> Texture:
    return np.array([0.3, 0.36, 0.42]) * (1 + 0.3 * _cells(rng, 4, 4) + 0.15 * _grain(rng, 5))[..., None]


def _posters(rng: np.random.Generator) -> Texture:
    wall = np.broadcast_to(_tone(rng, 0.6, 0.9, 0.05), (GRAIN, GRAIN, 3)).copy()
    for left in range(8, GRAIN - 60, 84):
        wall[70:190, left : left + 60] = _tone(rng, 0.2, 0.9, 0.5)
        wall[rng.integers(80, 120) : 150, left + 8 : left + 52] = _tone(rng, 0.2, 0.9, 0.5)
    return wall


def _ring(x: float, y: float, turn: float, rows: list[tuple[float, float, float]], tile: int, edge: float = 1.0) -> Tube:
    """Stand a tube on the ground at (x, y): rows of (height, half depth, half width), from top to bottom."""
    c, s = math.cos(turn), math.sin(turn)
    axes = (np.array([c, s, 0.0]), np.array([-s, c, 0.0]))
    return tube(
        [(x, y, z) for z, _, _ in rows],
        [(d, w) for _, d, w in rows],
        [(0, 0, 0.0)],
        tile,
        axes=axes,
        roundness=edge,
        is_capped=True,
    )


def _draw_prop(rng: np.random.Generator, kind: str, x: float, y: float) -> Prop:
    """Model one prop of a kind at (x, y); its parts take their colours from random tiles."""
    t, turn = [int(tile) for tile in rng.integers(0, 16, 3)], rng.uniform(0, math.pi)
    h, r = rng.uniform(0.8, 1.25), rng.uniform(0.8, 1.25)

    def at(forward: float, rows: list[tuple[float, float, float]], tile: int, edge: float = 1.0) -> Tube:
        return _ring(x + forward * math.cos(turn), y + forward * math.sin(turn), turn, rows, tile, edge)

    crown = [(z, 1.1 * r * w, 1.1 * r * w) for z, w in ((4.6, 0.2), (4.1, 0.8), (3.2, 1.0), (2.5, 0.7), (2.2, 0.2))]
    car = [(0.95, 1.9, 0.75), (0.9, 2.05, 0.85), (0.45, 2.1, 0.88), (0.25, 2.05, 0.85)]
    cabin = [(1.45, 0.8, 0.6), (1.4, 1.0, 0.68), (0.95, 1.5, 0.75)]
    wheels = [at(f, [(0.62, 0.1, 0.9), (0.3, 0.3, 0.9), (0.0, 0.1, 0.9)], 15) for f in (-1.3, 1.3)]
    kinds: dict[str, tuple[list[Tube], float, float]] = {
        "pole": ([at(0, [(4.5 * h, 0.05, 0.05), (0, 0.08 * r, 0.08 * r)], t[0])], 0.1, 4.5),
        "bollard": ([at(0, [(0.9 * h, 0.08, 0.08), (0, 0.1 * r, 0.1 * r)], t[0])], 0.1, 0.9),
        "tree": ([at(0, [(2.6, 0.12, 0.12), (0, 0.18 * r, 0.18 * r)], 14), at(0, crown, 13)], 0.6, 4.6),
        "bush": ([at(0, [(0.9 * h, 0.3, 0.3), (0.6, 0.6 * r, 0.6 * r), (0, 0.5 * r, 0.5 * r)], 13)], 0.6, 0.9),
        "bench": ([at(0, [(0.48, 0.25, 0.8), (0.38, 0.25, 0.8)], t[0], 0.4)], 0.8, 0.5),
        "bin": ([at(0, [(1.0 * h, 0.25, 0.25), (0, 0.22, 0.22)], t[0])], 0.3, 1.0),
        "car": ([at(0, car, t[0], 0.4), at(-0.2, cabin, 15, 0.4), *wheels], 2.1, 1.45),
        "sign": ([at(0, [(2.4, 0.04, 0.04), (0, 0.04, 0.04)], 15), at(0, [(2.6, 0.03, 0.4), (1.7, 0.03, 0.4)], t[1], 0.3)], 0.4, 2.6),
        "planter": ([at(0, [(0.5, 0.5, 0.5), (0, 0.45, 0.45)], t[0], 0.4), at(0, [(1.0 * h, 0.3, 0.3), (0.5, 0.4, 0.4)], 13)], 0.6, 1.0),
        "fence": ([at(0, [(z + 0.05, 0.03, 1.5), (z, 0.03, 1.5)], t[0], 0.3) for z in (0.3, 0.6, 0.9)], 1.5, 0.95),
        "pillar": ([at(0, [(3.6, 0.35 * r, 0.35 * r), (0, 0.35 * r, 0.35 * r)], t[0])], 0.5, 3.6),
        "barrier": ([at(f, [(1.0, 0.02, 0.02), (0, 0.1, 0.1)], 15) for f in (-0.8, 0.8)]
                    + [at(0, [(0.95, 0.8, 0.01), (0.88, 0.8, 0.01)], t[1], 0.3)], 0.9, 1.0),
        "desk": ([at(0, [(1.1, 0.4, 0.9), (0, 0.4, 0.9)], t[0], 0.3), at(0, [(1.5, 0.03, 0.3), (1.1, 0.03, 0.3)], 15, 0.3)], 1.0, 1.5),
        "seats": ([at(0, [(0.45, 0.25, 1.2), (0.38, 0.25, 1.2)], t[0], 0.4), at(-0.25, [(0.9, 0.04, 1.2), (0.4, 0.04, 1.2)], t[0], 0.4)], 1.2, 0.9),
    }
    parts, width, height = kinds[kind]
    return Prop(assemble(parts), x, y, width, height)


def _prop_texture(rng: np.random.Generator) -> UInt8[np.ndarray, "s s 3"]:
    """Paint sixteen tiles: paints and stone, leaves in 13, bark in 14, black in 15."""
    tiles = []
    for tile in range(16):
        tone = {13: np.array([0.28, 0.42, 0.2]), 14: np.array([0.35, 0.28, 0.22]), 15: np.array([0.15, 0.15, 0.16])}
        colour = tone.get(tile, _tone(rng, 0.2, 0.9, 0.3))
        texture = _grain(rng, 1 if tile == 13 else 3)[:TILE, :TILE, None]
        tiles.append(colour * (1 + (0.35 if tile == 13 else 0.08) * texture))
    rows = [np.concatenate(tiles[4 * i : 4 * i + 4], 1) for i in range(4)]
    return np.asarray(np.clip(np.concatenate(rows, 0) * 255, 0, 255).astype(np.uint8))


def draw_scene(rng: np.random.Generator, style: SceneStyle) -> Scene:
    """Draw a place: its ground, walls around the middle, perhaps a ceiling, and props outside the walking disc."""
    is_indoor = bool(rng.random() < style.indoor)
    num_walls = int(rng.integers(style.num_walls[0], style.num_walls[1] + 1))
    turn = rng.uniform(0, 2 * math.pi)
    planes, tops, scales = [[0.0, 0.0, 1.0, 0.0]], [1e9], [float(np.exp(rng.uniform(*np.log((0.15, 0.5)))))]
    kinds = [str(rng.choice(style.grounds))]
    for k in range(num_walls):
        angle = turn + k * math.pi / 2 + rng.normal(0, 0.15)
        planes.append([math.cos(angle), math.sin(angle), 0.0, -rng.uniform(2.8, 12.0)])
        tops.append(1e9 if is_indoor else rng.uniform(1.0, 14.0))
        scales.append(float(np.exp(rng.uniform(*np.log((0.12, 0.45))))))
        kinds.append(str(rng.choice(style.walls)))
    if is_indoor:
        planes.append([0.0, 0.0, -1.0, -rng.uniform(3.2, 5.0)])
        tops.append(1e9)
        scales.append(0.25)
        kinds.append("panels")
    textures = np.stack([np.clip(_surface(rng, kind) * 255, 0, 255).astype(np.uint8) for kind in kinds])
    sky = np.array([0.5, 0.56, 0.66]) * rng.uniform(0.5, 1.3)
    backdrop = Backdrop(
        np.array(planes, np.float32),
        np.array(tops, np.float32),
        np.array(scales, np.float32),
        textures,
        sky.astype(np.float32),
    )
    props = []
    for _ in range(int(rng.integers(style.num_props[0], style.num_props[1] + 1))):
        kind, angle = str(rng.choice(style.props)), rng.uniform(0, 2 * math.pi)
        away = ROOM + (2.3 if kind == "car" else 1.0) + 5 * rng.random()
        props.append(_draw_prop(rng, kind, away * math.cos(angle), away * math.sin(angle)))
    return Scene(backdrop, tuple(props), _prop_texture(rng), is_indoor)


def clear_view(scene: Scene, eye: Float[np.ndarray, " 3"], rng: np.random.Generator) -> tuple[Prop, ...]:
    """Keep the props that do not block the way from `eye` to the people; a thin or a low one may stand in it."""
    kept = []
    reach = float(np.hypot(eye[0], eye[1]))
    for prop in scene.props:
        along = (prop.x * eye[0] + prop.y * eye[1]) / reach
        aside = abs(prop.x * eye[1] - prop.y * eye[0]) / reach
        is_before = along > 0 and aside < prop.width + 1.2 * max(0.2, 1 - along / reach)
        may_occlude = (prop.width < 0.2 or prop.height < 1.0) and along < 0.6 * reach and rng.random() < 0.5
        if not is_before or may_occlude:
            kept.append(prop)
    return tuple(kept)
