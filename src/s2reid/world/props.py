"""Things that stand around: poles and trees, benches and cars, pillars and barriers."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8

from s2reid.world.body import TILES, Mesh, Tube, assemble, tube
from s2reid.world.surfaces import grain, tone
from s2reid.world.textures import TILE

LEAF, BARK, BLACK = 13, 14, 15
"""Tiles of the props' texture with a fixed colour; the others are random paints."""
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
}
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


def paint_props(rng: np.random.Generator) -> UInt8[np.ndarray, "s s 3"]:
    """Paint sixteen tiles: random paints, then leaves, bark and black."""
    known = {LEAF: np.array([0.28, 0.42, 0.2]), BARK: np.array([0.35, 0.28, 0.22]), BLACK: np.array([0.15, 0.15, 0.16])}
    tiles = []
    for tile in range(TILES * TILES):
        colour = known.get(tile, tone(rng, 0.2, 0.9, 0.3))
        rough = grain(rng, 1 if tile == LEAF else 3)[:TILE, :TILE, None]
        tiles.append(colour * (1 + (0.35 if tile == LEAF else 0.08) * rough))
    rows = [np.concatenate(tiles[TILES * i : TILES * (i + 1)], 1) for i in range(TILES)]
    return (np.clip(np.concatenate(rows, 0), 0, 1) * 255).astype(np.uint8)
