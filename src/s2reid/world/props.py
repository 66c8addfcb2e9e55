"""Things that stand around: poles and trees, benches and cars, pillars and barriers."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8

from s2reid.world.body import TILES, Mesh, Tube, assemble, tube
from s2reid.world.patterns import grain, tone
from s2reid.world.textures import TILE

LEAF, BARK, BLACK = 13, 14, 15
"""Tiles of the props' texture with a fixed colour; the others are random paints."""
SNOW = 0
"""A tile that is white where it snowed."""
MAIN, OTHER = -1, -2
"""A random tile, the same for all parts of a prop that name it."""


@dataclass(frozen=True)
class Prop:
    """A thing that stands in a scene: its mesh in the world, where it stands, how wide and how high it is."""

    mesh: Mesh
    x: float
    y: float
    width: float
    height: float


class Part(NamedTuple):
    """A tube on the ground: (height, half depth, half width) from top to bottom, its tile, how far forward it stands.

    An `edge` below 1 makes it a box.
    """

    rows: tuple[tuple[float, float, float], ...]
    tile: int
    forward: float = 0.0
    edge: float = 1.0


def _post(height: float, radius: float, tile: int = MAIN, forward: float = 0.0) -> Part:
    return Part(((height, radius, radius), (0.0, radius, radius)), tile, forward)


def _block(top: float, bottom: float, depth: float, width: float, tile: int = MAIN, forward: float = 0.0) -> Part:
    return Part(((top, depth, width), (bottom, depth, width)), tile, forward, 0.3)


def _wheel(forward: float) -> Part:
    return Part(((0.62, 0.1, 0.9), (0.3, 0.3, 0.9), (0.0, 0.1, 0.9)), BLACK, forward)


CROWN = Part(((4.6, 0.2, 0.2), (4.1, 0.9, 0.9), (3.2, 1.1, 1.1), (2.5, 0.8, 0.8), (2.2, 0.2, 0.2)), LEAF)
CAR = Part(((0.95, 1.9, 0.75), (0.9, 2.05, 0.85), (0.45, 2.1, 0.88), (0.25, 2.05, 0.85)), MAIN, 0.0, 0.4)
CABIN = Part(((1.45, 0.8, 0.6), (1.4, 1.0, 0.68), (0.95, 1.5, 0.75)), BLACK, -0.2, 0.4)
BUSH = Part(((0.9, 0.3, 0.3), (0.6, 0.6, 0.6), (0.0, 0.5, 0.5)), LEAF)
MODELS: dict[str, tuple[Part, ...]] = {
    "pole": (_post(4.5, 0.06),),
    "bollard": (_post(0.9, 0.09),),
    "tree": (_post(2.6, 0.15, BARK), CROWN),
    "bush": (BUSH,),
    "bench": (_block(0.48, 0.38, 0.25, 0.8),),
    "bin": (_post(1.0, 0.25),),
    "car": (CAR, CABIN, _wheel(-1.3), _wheel(1.3)),
    "sign": (_post(2.4, 0.04, BLACK), _block(2.6, 1.7, 0.03, 0.4, OTHER)),
    "planter": (_block(0.5, 0.0, 0.5, 0.5), Part(((1.0, 0.3, 0.3), (0.5, 0.4, 0.4)), LEAF)),
    "fence": tuple(_block(z + 0.05, z, 0.03, 1.5) for z in (0.3, 0.6, 0.9)),
    "pillar": (_post(4.2, 0.35),),
    "barrier": (_post(1.0, 0.03, BLACK, -0.8), _post(1.0, 0.03, BLACK, 0.8), _block(0.95, 0.88, 0.8, 0.01, OTHER)),
    "desk": (_block(1.1, 0.0, 0.4, 0.9), _block(1.5, 1.1, 0.03, 0.3, BLACK)),
    "seats": (_block(0.45, 0.38, 0.25, 1.2), _block(0.9, 0.4, 0.04, 1.2, MAIN, -0.25)),
    "bicycle": (
        Part(((0.68, 0.34, 0.02), (0.34, 0.34, 0.02), (0.0, 0.2, 0.02)), BLACK, -0.5),
        Part(((0.68, 0.34, 0.02), (0.34, 0.34, 0.02), (0.0, 0.2, 0.02)), BLACK, 0.5),
        _block(0.75, 0.6, 0.45, 0.03),
        _block(1.05, 0.98, 0.04, 0.28, BLACK, 0.4),
        _block(0.95, 0.9, 0.14, 0.07, BLACK, -0.25),
    ),
    "lantern": (_post(3.4, 0.05, BLACK), Part(((3.9, 0.1, 0.1), (3.8, 0.25, 0.25), (3.4, 0.15, 0.15)), OTHER)),
    "kiosk": (_block(2.3, 0.0, 0.8, 1.0), _block(2.6, 2.3, 1.1, 1.3, OTHER), _block(1.9, 1.1, 0.82, 0.7, BLACK)),
    "rack": tuple(_block(0.8, 0.0, 0.3, 0.03, MAIN, 0.0 + k) for k in (-0.8, 0.0, 0.8)),
    "van": (
        _block(2.2, 0.35, 1.5, 0.95, MAIN, -0.6),
        _block(1.5, 0.35, 0.6, 0.92, MAIN, 1.4),
        _block(2.0, 1.4, 0.3, 0.85, BLACK, 1.05),
        _wheel(-1.3),
        _wheel(1.3),
    ),
    "stall": (
        _block(0.9, 0.0, 0.5, 1.1),
        *(_post(2.1, 0.03, BLACK, side) for side in (-0.9, 0.9)),
        Part(((2.6, 0.1, 0.6), (2.1, 1.1, 1.4), (2.0, 1.1, 1.4)), OTHER, 0.0, 0.3),
    ),
    "signal": (_post(2.6, 0.05, BLACK), _block(3.3, 2.5, 0.12, 0.14, BLACK)),
    "scooter": (
        _block(0.2, 0.1, 0.5, 0.06),
        _post(1.1, 0.02, BLACK, 0.45),
        _block(1.12, 1.08, 0.03, 0.25, BLACK, 0.45),
    ),
    "gate": (_post(2.2, 0.07, MAIN, -1.0), _post(2.2, 0.07, MAIN, 1.0), _block(2.3, 2.15, 1.1, 0.07)),
    "urn": (Part(((1.1, 0.2, 0.2), (0.95, 0.3, 0.3), (0.5, 0.28, 0.28), (0.3, 0.12, 0.12), (0.0, 0.25, 0.25)), MAIN),),
    "handrail": (*(_post(1.0, 0.025, MAIN, k) for k in (-1.2, 0.0, 1.2)), _block(1.03, 0.98, 1.25, 0.025)),
    "umbrella": (_post(2.4, 0.03, BLACK), Part(((2.6, 0.05, 0.05), (2.4, 0.7, 0.7), (2.15, 1.2, 1.2)), OTHER)),
    "snowman": (
        Part(((1.5, 0.05, 0.05), (1.35, 0.2, 0.2), (1.2, 0.1, 0.1)), SNOW),
        Part(((1.25, 0.1, 0.1), (1.0, 0.3, 0.3), (0.75, 0.2, 0.2)), SNOW),
        Part(((0.85, 0.2, 0.2), (0.4, 0.45, 0.45), (0.0, 0.35, 0.35)), SNOW),
    ),
    "drift": (Part(((0.5, 0.2, 0.2), (0.3, 0.9, 0.7), (0.0, 1.3, 1.0)), SNOW),),
    # What sources have beside the first ten:
    "column": (_block(4.0, 0.0, 0.3, 0.3),),
    "shelter": (
        *(_post(2.4, 0.04, BLACK, side) for side in (-0.6, 0.6)),
        _block(2.5, 2.4, 0.8, 1.6, BLACK),
        _block(2.3, 0.3, 0.02, 1.5, OTHER, -0.7),
        _block(0.5, 0.42, 0.2, 1.2, MAIN, -0.4),
    ),
    "shelf": (_block(1.9, 0.0, 0.3, 1.1), _block(1.7, 0.2, 0.34, 1.0, OTHER), _block(1.2, 1.1, 0.36, 1.1)),
    "table": (_post(0.72, 0.05, BLACK), _block(0.78, 0.72, 0.5, 0.5)),
    "plant": (Part(((0.45, 0.25, 0.25), (0.0, 0.18, 0.18)), OTHER), Part(((1.7, 0.1, 0.1), (0.9, 0.5, 0.5)), LEAF)),
    "counter": (_block(1.05, 0.0, 0.35, 1.3), _block(1.1, 1.05, 0.42, 1.4, OTHER)),
    "machine": (_block(1.9, 0.0, 0.4, 0.5), _block(1.6, 0.7, 0.42, 0.35, OTHER)),
    "hydrant": (_post(0.75, 0.12), _post(0.8, 0.06, BLACK)),
    "postbox": (_post(1.3, 0.2), _post(1.45, 0.24, OTHER)),
    "truck": (
        _block(2.9, 0.6, 2.2, 1.1, MAIN, -0.6),
        _block(2.3, 0.5, 0.7, 1.05, OTHER, 2.4),
        _block(2.1, 1.4, 0.3, 1.0, BLACK, 2.9),
        *(_wheel(k) for k in (-2.0, -1.0, 2.2)),
    ),
    "motorbike": (
        Part(((0.62, 0.3, 0.06), (0.3, 0.3, 0.06), (0.0, 0.15, 0.06)), BLACK, -0.65),
        Part(((0.62, 0.3, 0.06), (0.3, 0.3, 0.06), (0.0, 0.15, 0.06)), BLACK, 0.65),
        Part(((0.95, 0.3, 0.1), (0.75, 0.5, 0.15), (0.35, 0.3, 0.12)), MAIN),
        _block(1.05, 0.98, 0.04, 0.35, BLACK, 0.5),
    ),
    "turnstile": (_block(1.0, 0.0, 0.6, 0.12), _block(0.9, 0.84, 0.03, 0.45, BLACK)),
    "billboard": (_post(0.4, 0.1, BLACK), _block(2.2, 0.4, 0.08, 0.6), _block(2.1, 0.5, 0.1, 0.52, OTHER)),
    "railing": (*(_post(1.05, 0.03, MAIN, k) for k in (-1.4, -0.7, 0.0, 0.7, 1.4)), _block(1.1, 1.04, 1.5, 0.04)),
    "cone": (Part(((0.7, 0.03, 0.03), (0.06, 0.15, 0.15), (0.0, 0.22, 0.22)), OTHER),),
    "hedgerow": (Part(((1.1, 0.9, 0.25), (0.9, 1.1, 0.4), (0.0, 1.1, 0.35)), LEAF, 0.0, 0.5),),
    "stairs": tuple(_block(0.17 * (k + 1), 0.0, 0.15, 1.2, MAIN, 0.3 * k) for k in range(6)),
    "partition": (_block(1.5, 0.05, 0.03, 0.8),),
    "mannequin": (
        _post(0.9, 0.06, BLACK),
        Part(((1.45, 0.1, 0.18), (1.2, 0.12, 0.16), (0.85, 0.13, 0.17)), MAIN),
        Part(((1.75, 0.06, 0.06), (1.65, 0.1, 0.08), (1.5, 0.05, 0.05)), OTHER),
    ),
    "crate": (_block(0.8, 0.0, 0.4, 0.5), _block(1.3, 0.8, 0.3, 0.35, OTHER)),
    "fir": (_post(0.4, 0.12, BARK), Part(((3.4, 0.05, 0.05), (1.8, 0.6, 0.6), (0.4, 1.1, 1.1)), LEAF)),
}
"""What a thing looks like from the ground up; the stand-ins' own things are in no source."""
OUTDOOR = ("pole", "bollard", "tree", "bush", "bench", "bin", "car", "sign", "planter", "fence")


def _stand(part: Part, tile: int, x: float, y: float, turn: float, tall: float, wide: float) -> Tube:
    c, s = math.cos(turn), math.sin(turn)
    return tube(
        [(x + part.forward * wide * c, y + part.forward * wide * s, height * tall) for height, _, _ in part.rows],
        [(depth * wide, width * wide) for _, depth, width in part.rows],
        [(0, 0, 0.0)],
        tile,
        axes=(np.array([c, s, 0.0]), np.array([-s, c, 0.0])),
        roundness=part.edge,
        is_capped=True,
    )


def draw_prop(rng: np.random.Generator, kind: str, x: float, y: float) -> Prop:
    """Stand a prop of a kind at (x, y), turned, sized and painted at random."""
    turn, tall, wide = rng.uniform(0, math.pi), rng.uniform(0.85, 1.2), rng.uniform(0.85, 1.2)
    paints = {MAIN: int(rng.integers(LEAF)), OTHER: int(rng.integers(LEAF))}
    parts = MODELS[kind]
    tubes = [_stand(part, paints.get(part.tile, part.tile), x, y, turn, tall, wide) for part in parts]
    reach = max(abs(part.forward) + max(max(depth, width) for _, depth, width in part.rows) for part in parts)
    return Prop(assemble(tubes), x, y, reach * wide, tall * max(part.rows[0][0] for part in parts))


def paint_props(rng: np.random.Generator, *, is_snowy: bool = False) -> UInt8[np.ndarray, "s s 3"]:
    """Paint sixteen tiles: random paints (the first one white where it snowed), then leaves, bark and black."""
    known = {LEAF: np.array([0.28, 0.42, 0.2]), BARK: np.array([0.35, 0.28, 0.22]), BLACK: np.array([0.15, 0.15, 0.16])}
    tiles = []
    for tile in range(TILES * TILES):
        colour = known.get(tile, tone(rng, 0.2, 0.9, 0.3))
        colour = np.array([0.85, 0.89, 0.95]) if is_snowy and tile == SNOW else colour
        rough = grain(rng, 1 if tile == LEAF else 3)[:TILE, :TILE, None]
        tiles.append(colour * (1 + (0.35 if tile == LEAF else 0.08) * rough))
    rows = [np.concatenate(tiles[TILES * i : TILES * (i + 1)], 1) for i in range(TILES)]
    return (np.clip(np.concatenate(rows, 0), 0, 1) * 255).astype(np.uint8)
