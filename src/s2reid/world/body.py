"""Everything on a person is a lofted tube: rings of vertices that follow two bones each."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Float32, Float64, Int, Int32, Int64

from s2reid.compiled import kernel

AROUND = 12
"""Faces around a tube."""
TILES = 4
"""A texture holds TILES x TILES tiles; every tube shows one."""
TORSO, SKIN, HEAD, HAIR, ARM, LAYER, LEG, SKIRT, SHOE, BAG, HAT, SCARF, COLLAR, THING, PAINTS = range(15)
X, Y, Z = np.eye(3)
STEPS = np.linspace(0, 1, AROUND + 1)
COSINE, SINE = np.cos(2 * np.pi * STEPS), np.sin(2 * np.pi * STEPS)


@dataclass(frozen=True)
class Tube:
    """Rings of vertices; `down` is each ring's place in its tile, top to bottom, `around` each vertex's."""

    rings: Float[np.ndarray, "r a 3"]
    bones: Int[np.ndarray, "r a 2"]
    weights: Float[np.ndarray, "r a"]
    down: Float[np.ndarray, " r"]
    around: Float[np.ndarray, "r a"]
    tile: int

    @property
    def is_closed(self) -> bool:
        first, last = self.rings[:, 0], self.rings[:, -1]
        return bool((np.abs(first - last) <= 1e-8 + 1e-5 * np.abs(last)).all())


@dataclass(frozen=True)
class Mesh:
    """A skinned triangle mesh in its rest pose."""

    vertices: Float32[np.ndarray, "v 3"]
    normals: Float32[np.ndarray, "v 3"]
    uv: Float32[np.ndarray, "v 2"]
    faces: Int32[np.ndarray, "f 3"]
    bones: Int32[np.ndarray, "v 2"]
    weights: Float32[np.ndarray, " v"]


def tube(
    centres: Sequence[Sequence[float]] | Float[np.ndarray, "r 3"],
    radii: Sequence[Sequence[float]] | Float[np.ndarray, "r 2"],
    bones: Sequence[tuple[int, int, float]],
    tile: int,
    *,
    axes: tuple[Float[np.ndarray, "... 3"], Float[np.ndarray, "... 3"]] = (X, Y),
    roundness: float = 1.0,
    opening: float | Float[np.ndarray, " r"] = 0.0,
    is_capped: bool = False,
) -> Tube:
    """Loft a tube: a ring of two radii around every centre, in the plane of two axes (one pair, or one a ring).

    `bones` names two bones and the share of the second, one a ring or one for all; `opening` is the share of the
    turn left open on either side of the front; a `roundness` below 1 makes boxes.
    """
    middle, size = np.asarray(centres, float), np.asarray(radii, float)
    wide = np.full(len(middle), opening, float)
    table = np.array(list(bones) * len(middle) if len(bones) == 1 else bones, float)
    first, second = (axis if axis.ndim == 1 else axis[:, None] for axis in axes)
    if is_capped:
        ends = [0, *range(len(middle)), len(middle) - 1]
        middle, size, wide, table = middle[ends], size[ends], wide[ends], table[ends]
        size[[0, -1]] = 1e-4
    lengths = np.sqrt((np.diff(middle, axis=0) ** 2).sum(1))
    down = np.concatenate([[0], np.cumsum(lengths + 0.5 * np.abs(np.diff(size[:, 0])))])
    around = wide[:, None] + (1 - 2 * wide)[:, None] * STEPS
    cosine, sine = (np.cos(2 * np.pi * around), np.sin(2 * np.pi * around)) if wide.any() else (COSINE, SINE)
    if roundness != 1:
        cosine, sine = (np.sign(part) * np.abs(part) ** roundness for part in (cosine, sine))
    rings = middle[:, None] + (size[:, :1] * cosine)[..., None] * first
    rings = rings + (size[:, 1:] * sine)[..., None] * second
    pairs = np.repeat(table[:, None], AROUND + 1, 1)
    return Tube(rings, pairs[..., :2].astype(int), pairs[..., 2], down / down[-1], around, tile)


def assemble(tubes: Sequence[Tube]) -> Mesh:
    """Join tubes into one mesh with smooth normals that point outwards."""
    starts = np.cumsum([0] + [part.weights.size for part in tubes])
    faces, normals = zip(*(_triangulate(part) for part in tubes))
    return Mesh(
        np.concatenate([part.rings.reshape(-1, 3) for part in tubes]).astype(np.float32),
        np.concatenate(normals).astype(np.float32),
        np.concatenate([_place(part) for part in tubes]).astype(np.float32),
        np.concatenate([own + start for own, start in zip(faces, starts)]).astype(np.int32),
        np.concatenate([part.bones.reshape(-1, 2) for part in tubes]).astype(np.int32),
        np.concatenate([part.weights.ravel() for part in tubes]).astype(np.float32),
    )


@lru_cache(maxsize=64)
def _grid(num_rings: int, num_around: int) -> Int64[np.ndarray, "f 3"]:
    """Span two triangles between every two neighbours of two rings."""
    ring, step = np.meshgrid(np.arange(num_rings - 1), np.arange(num_around - 1), indexing="ij")
    corner = (ring * num_around + step).ravel()
    first = np.stack([corner, corner + 1, corner + num_around], 1)
    return np.concatenate([first, np.stack([corner + 1, corner + num_around + 1, corner + num_around], 1)])


@kernel
def face_normals(
    points: Float64[np.ndarray, "v 3"], faces: Int64[np.ndarray, "f 3"], across: Float64[np.ndarray, "f 3"]
) -> float:
    """Write every face's normal, as long as twice its area; return six times the volume that they enclose."""
    volume = 0.0
    for f in range(len(faces)):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        bx, by, bz = points[b, 0] - points[a, 0], points[b, 1] - points[a, 1], points[b, 2] - points[a, 2]
        cx, cy, cz = points[c, 0] - points[a, 0], points[c, 1] - points[a, 1], points[c, 2] - points[a, 2]
        across[f, 0], across[f, 1], across[f, 2] = by * cz - bz * cy, bz * cx - bx * cz, bx * cy - by * cx
        volume += points[a, 0] * across[f, 0] + points[a, 1] * across[f, 1] + points[a, 2] * across[f, 2]
    return volume


@kernel
def gather(
    faces: Int64[np.ndarray, "f 3"],
    across: Float64[np.ndarray, "f 3"],
    sums: Float64[np.ndarray, "v 3"],
    normals: Float64[np.ndarray, "v 3"],
) -> None:
    """Add every face's normal to its corners, the first corners of all faces before the second ones."""
    for k in range(3):
        sums[:] = 0
        for f in range(len(faces)):
            for axis in range(3):
                sums[faces[f, k], axis] += across[f, axis]
        normals += sums


def _triangulate(part: Tube) -> tuple[Int64[np.ndarray, "f 3"], Float64[np.ndarray, "v 3"]]:
    num_rings, num_around = part.weights.shape
    faces = _grid(num_rings, num_around)
    points = part.rings.reshape(-1, 3)
    across = np.empty(faces.shape)
    if face_normals(points - points.mean(0), faces, across) < 0:  # faces must look outwards
        faces, across = np.ascontiguousarray(faces[:, ::-1]), -across
    normals = np.zeros_like(points)
    gather(faces, across, np.empty_like(points), normals)
    if part.is_closed:
        grid = normals.reshape(num_rings, num_around, 3)
        grid[:, 0] = grid[:, -1] = grid[:, 0] + grid[:, -1]
    lengths = np.sqrt(normals[:, :1] ** 2 + normals[:, 1:2] ** 2 + normals[:, 2:] ** 2)
    return faces, normals / np.maximum(lengths, 1e-12)


def _place(part: Tube) -> Float64[np.ndarray, "v 2"]:
    """Lay a tube on its tile."""
    row, column = divmod(part.tile, TILES)
    place = np.empty((*part.weights.shape, 2))
    place[..., 0] = (column + 0.01 + 0.98 * part.around) / TILES
    place[..., 1] = ((row + 0.01 + 0.98 * part.down) / TILES)[:, None]
    return place.reshape(-1, 2)
