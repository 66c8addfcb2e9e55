"""The hot loops of the renderer: pose bones, skin, project and rasterise.

- Everything is float32 and compiled without fast maths, so that a crop does not depend on who renders it.
  Constants are `np.float32` globals because a Python literal would silently turn a whole expression into float64,
  and so would `math.floor`, which returns an integer; `np.floor` keeps the type.
"""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float32, Int32, UInt8

from s2reid.compiled import kernel

ZERO, ONE, HALF = np.float32(0), np.float32(1), np.float32(0.5)


class Solid(NamedTuple):
    """Triangles in the world, every face owned by one object; `owner` picks the object's texture."""

    vertices: Float32[np.ndarray, "v 3"]
    normals: Float32[np.ndarray, "v 3"]
    uv: Float32[np.ndarray, "v 2"]
    faces: Int32[np.ndarray, "f 3"]
    owner: Int32[np.ndarray, " f"]


class Buffers(NamedTuple):
    """What each sub-sample sees: 1/depth, the face, and two of its barycentric weights."""

    depth: Float32[np.ndarray, "h w"]
    face: Int32[np.ndarray, "h w"]
    weights: Float32[np.ndarray, "h w 2"]


class Backdrop(NamedTuple):
    """Endless planes with repeating textures: a row of `planes` is (normal, offset); walls end at `tops`."""

    planes: Float32[np.ndarray, "p 4"]
    tops: Float32[np.ndarray, " p"]
    scales: Float32[np.ndarray, " p"]
    textures: UInt8[np.ndarray, "p s s 3"]
    sky: Float32[np.ndarray, " 3"]


NO_SHADE = np.ones((1, 1), np.float32), np.zeros((2, 4), np.float32)
NO_LAMPS, NO_AIR = np.zeros((0, 6), np.float32), np.zeros(5, np.float32)


class Light(NamedTuple):
    """One distant lamp and a dome, and what may lie between; colours are linear RGB.

    `direction` points towards the lamp. A repeating pattern `shade` dims it (1 lets all of it pass), on
    which `shade_matrix` projects a point. A row of `lamps` is the place and the colour of a lamp nearby. `air` is the
    colour of fog, how much of the light it takes a metre, and how wet the ground is.
    """

    direction: Float32[np.ndarray, " 3"]
    direct: Float32[np.ndarray, " 3"]
    dome: Float32[np.ndarray, " 3"]
    shade: Float32[np.ndarray, "s s"] = NO_SHADE[0]
    shade_matrix: Float32[np.ndarray, "2 4"] = NO_SHADE[1]
    lamps: Float32[np.ndarray, "l 6"] = NO_LAMPS
    air: Float32[np.ndarray, " 5"] = NO_AIR


@kernel
def chain_bones(
    angles: Float[np.ndarray, "b 3"],
    pivots: Float[np.ndarray, "b 3"],
    parents: Int32[np.ndarray, " b"],
    root: Float[np.ndarray, " 4"],
    out: Float32[np.ndarray, "b 3 4"],
) -> None:
    """Turn joint angles (x, y, z in radians) into bone matrices; `root` is position x, y, z and heading."""
    world = np.empty((len(parents), 3, 4))
    local = np.empty((3, 3))
    for b in range(len(parents)):
        cx, sx, cy, sy = math.cos(angles[b, 0]), math.sin(angles[b, 0]), math.cos(angles[b, 1]), math.sin(angles[b, 1])
        turn = angles[b, 2] + (root[3] if parents[b] < 0 else 0.0)
        cz, sz = math.cos(turn), math.sin(turn)
        local[0, 0], local[0, 1], local[0, 2] = cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx
        local[1, 0], local[1, 1], local[1, 2] = sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx
        local[2, 0], local[2, 1], local[2, 2] = -sy, cy * sx, cy * cx
        for i in range(3):
            # A child turns about its pivot inside its parent's frame; the first bone about its pivot in the world.
            if parents[b] < 0:
                for j in range(3):
                    world[b, i, j] = local[i, j]
                world[b, i, 3] = root[i] + (pivots[b, 2] if i == 2 else 0.0)
            else:
                parent = world[parents[b]]
                for j in range(3):
                    world[b, i, j] = (
                        parent[i, 0] * local[0, j] + parent[i, 1] * local[1, j] + parent[i, 2] * local[2, j]
                    )
                p = pivots[b]
                world[b, i, 3] = parent[i, 0] * p[0] + parent[i, 1] * p[1] + parent[i, 2] * p[2] + parent[i, 3]
            for j in range(3):
                world[b, i, 3] -= world[b, i, j] * pivots[b, j]
                out[b, i, j] = world[b, i, j]
            out[b, i, 3] = world[b, i, 3]


@kernel
def skin(
    rest: Float32[np.ndarray, "v 3"],
    rest_normals: Float32[np.ndarray, "v 3"],
    bones: Int32[np.ndarray, "v 2"],
    weights: Float32[np.ndarray, " v"],
    matrices: Float32[np.ndarray, "b 3 4"],
    solid: Solid,
    start: int,
) -> None:
    """Move a figure's vertices and normals with its bones (two a vertex) into `solid`, from vertex `start`."""
    for i in range(len(rest)):
        a, b, w = bones[i, 0], bones[i, 1], weights[i]
        for k in range(3):
            m0 = matrices[a, k, 0] + (matrices[b, k, 0] - matrices[a, k, 0]) * w
            m1 = matrices[a, k, 1] + (matrices[b, k, 1] - matrices[a, k, 1]) * w
            m2 = matrices[a, k, 2] + (matrices[b, k, 2] - matrices[a, k, 2]) * w
            m3 = matrices[a, k, 3] + (matrices[b, k, 3] - matrices[a, k, 3]) * w
            solid.vertices[start + i, k] = m0 * rest[i, 0] + m1 * rest[i, 1] + m2 * rest[i, 2] + m3
            solid.normals[start + i, k] = m0 * rest_normals[i, 0] + m1 * rest_normals[i, 1] + m2 * rest_normals[i, 2]


@kernel
def project(
    vertices: Float32[np.ndarray, "v 3"], matrix: Float32[np.ndarray, "3 4"], screen: Float32[np.ndarray, "v 3"]
) -> None:
    """Write (x, y, 1/depth) of every vertex; 1/depth is not positive behind the camera."""
    for i in range(len(vertices)):
        x, y, z = vertices[i, 0], vertices[i, 1], vertices[i, 2]
        w = ONE / (matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2] * z + matrix[2, 3])
        screen[i, 0] = (matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2] * z + matrix[0, 3]) * w
        screen[i, 1] = (matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2] * z + matrix[1, 3]) * w
        screen[i, 2] = w


@kernel
def bounds(points: Float32[np.ndarray, "v 3"]) -> tuple[float, float, float, float]:
    """Return the least x and y, and the greatest, of projected points."""
    left, top, right, bottom = points[0, 0], points[0, 1], points[0, 0], points[0, 1]
    for i in range(len(points)):
        left, right = min(left, points[i, 0]), max(right, points[i, 0])
        top, bottom = min(top, points[i, 1]), max(bottom, points[i, 1])
    return float(left), float(top), float(right), float(bottom)


@kernel
def project_flat(
    vertices: Float32[np.ndarray, "v 3"], matrix: Float32[np.ndarray, "3 4"], screen: Float32[np.ndarray, "v 3"]
) -> None:
    """Project along parallel rays (a distant lamp): larger third values are nearer to the lamp."""
    for i in range(len(vertices)):
        for k in range(3):
            screen[i, k] = (
                matrix[k, 0] * vertices[i, 0]
                + matrix[k, 1] * vertices[i, 1]
                + matrix[k, 2] * vertices[i, 2]
                + matrix[k, 3]
            )


@kernel
def rasterise(
    screen: Float32[np.ndarray, "v 3"],
    faces: Int32[np.ndarray, "f 3"],
    depth: Float32[np.ndarray, "h w"],
    face: Int32[np.ndarray, "h w"],
    weights: Float32[np.ndarray, "h w 2"],
    depth_only: bool,
) -> None:
    """Fill the nearest front face of every sample; the buffers must be cleared (depth 0, face -1)."""
    height, width = depth.shape
    for t in range(len(faces)):
        a, b, c = faces[t, 0], faces[t, 1], faces[t, 2]
        x0, y0, z0 = screen[a, 0], screen[a, 1], screen[a, 2]
        x1, y1, z1 = screen[b, 0], screen[b, 1], screen[b, 2]
        x2, y2, z2 = screen[c, 0], screen[c, 1], screen[c, 2]
        area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        if area > -1e-7 or z0 <= 0 or z1 <= 0 or z2 <= 0:
            continue
        if max(x0, x1, x2) < 0 or max(y0, y1, y2) < 0 or min(x0, x1, x2) > width or min(y0, y1, y2) > height:
            continue
        left = max(math.ceil(min(x0, x1, x2) - HALF), 0)
        right = min(math.floor(max(x0, x1, x2) - HALF), width - 1)
        top = max(math.ceil(min(y0, y1, y2) - HALF), 0)
        bottom = min(math.floor(max(y0, y1, y2) - HALF), height - 1)
        inverse = ONE / area
        step0, step1 = (y1 - y2) * inverse, (y2 - y0) * inverse
        px = np.float32(left) + HALF
        for y in range(top, bottom + 1):
            py = np.float32(y) + HALF
            w0 = ((x1 - px) * (y2 - py) - (x2 - px) * (y1 - py)) * inverse
            w1 = ((x2 - px) * (y0 - py) - (x0 - px) * (y2 - py)) * inverse
            entered = False
            for x in range(left, right + 1):
                w2 = ONE - w0 - w1
                if w0 >= 0 and w1 >= 0 and w2 >= 0:
                    entered = True
                    z = w0 * z0 + w1 * z1 + w2 * z2
                    if z > depth[y, x]:
                        depth[y, x] = z
                        if not depth_only:
                            face[y, x] = t
                            weights[y, x, 0] = w0
                            weights[y, x, 1] = w1
                elif entered:
                    break  # a row crosses a triangle once
                w0 += step0
                w1 += step1
