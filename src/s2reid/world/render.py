"""A window of a camera's image, as bytes: people and props stay in the world, only the window is rasterised."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float32, Int, Int32, UInt8

from s2reid.world.body import Mesh
from s2reid.world.cameras import Camera
from s2reid.world.figure import Figure
from s2reid.world.gait import pose
from s2reid.world.props import Prop
from s2reid.world.raster import Buffers, Solid, bounds, project, project_flat, rasterise, skin
from s2reid.world.scene import Scene
from s2reid.world.sensor import develop
from s2reid.world.shading import shade

SAMPLES = 2
"""Sub-samples of a pixel along each axis."""
SHADOW_SIZE, SHADOW_REACH = 128, 1.8
"""Texels along the shadow map, and how far around the person it reaches in metres."""

Window = tuple[float, float, float, float]
"""Left, top, right and bottom in pixels from the optical axis."""


class Shot(NamedTuple):
    """Linear light in a window, and how many sub-samples saw each object."""

    light: Float32[np.ndarray, "h w 3"]
    visible: Int32[np.ndarray, " o"]


class Stage:
    """People and props before one camera; people move between shots.

    Object 0 is the first figure, and so on; the props together are the last object.
    """

    def __init__(self, camera: Camera, scene: Scene, props: Sequence[Prop], figures: Sequence[Figure]) -> None:
        self.camera, self.scene, self.figures, self.matrix = camera, scene, tuple(figures), camera.matrix
        meshes = [figure.mesh for figure in figures] + [prop.mesh for prop in props]
        owners = [min(k, len(figures)) for k in range(len(meshes))]
        self.starts = np.cumsum([0] + [len(mesh.vertices) for mesh in meshes])
        self.solid = _join(meshes, owners, self.starts)
        self.num_cast = sum(len(figure.mesh.faces) for figure in figures)  # props cast no shadow
        self.textures = np.stack([*(figure.texture for figure in figures), scene.texture])
        self.feet = np.zeros((len(figures), 2), np.float32)
        self.screen = np.empty_like(self.solid.vertices)
        self.shadow = np.zeros((SHADOW_SIZE, SHADOW_SIZE), np.float32)
        self.shadow_turn = _shadow_turn(camera.light.direction)
        self.rays = np.linalg.inv(camera.matrix[:, :3])

    def place(self, k: int, phase: float, x: float, y: float, heading: float) -> None:
        """Put figure `k` at (x, y) metres, walking along `heading` radians, at a phase of its gait."""
        figure = self.figures[k]
        bones = pose(figure.gait, figure.pivots, phase, x, y, heading)
        mesh = figure.mesh
        skin(mesh.vertices, mesh.normals, mesh.bones, mesh.weights, bones, self.solid, int(self.starts[k]))
        self.feet[k] = x, y

    def bounds(self, k: int) -> Window:
        """Return the box around the whole of figure `k`, seen or not."""
        own = slice(self.starts[k], self.starts[k + 1])
        project(self.solid.vertices[own], self.matrix.astype(np.float32), self.screen[own])
        return bounds(self.screen[own])

    def shoot(self, window: Window, height: int, width: int) -> Shot:
        """Render a window of the camera's image at `height` x `width` pixels; the shadows are those near figure 0."""
        camera, (left, top, right, bottom) = self.camera, window
        rows, columns = height * SAMPLES, width * SAMPLES
        fx, fy = columns / (right - left), rows / (bottom - top)
        zoom = np.array([[fx, 0, -left * fx], [0, fy, -top * fy], [0, 0, 1]])
        unzoom = np.array([[1 / fx, 0, left], [0, 1 / fy, top], [0, 0, 1]])
        matrix = zoom @ self.matrix
        to_shadow = self._cast_shadow()
        buffers = Buffers(
            np.zeros((rows, columns), np.float32),
            np.full((rows, columns), -1, np.int32),
            np.empty((rows, columns, 2), np.float32),
        )
        project(self.solid.vertices, matrix.astype(np.float32), self.screen)
        rasterise(self.screen, self.solid.faces, buffers.depth, buffers.face, buffers.weights, False)
        light = np.empty((height, width, 3), np.float32)
        visible = np.zeros(len(self.textures), np.int32)
        shade(
            self.solid,
            self.screen,
            buffers,
            self.textures,
            self.scene.backdrop,
            camera.light,
            self.shadow,
            to_shadow,
            camera.eye,
            (self.rays @ unzoom).astype(np.float32),
            self.feet,
            SAMPLES,
            light,
            visible,
        )
        return Shot(light, visible)

    def _cast_shadow(self) -> Float32[np.ndarray, "3 4"]:
        """Fill the shadow map around figure 0 and return the map's projection."""
        matrix = np.empty((3, 4))
        matrix[:, :3] = self.shadow_turn
        matrix[:, 3] = np.array([SHADOW_SIZE / 2, SHADOW_SIZE / 2, 100.0]) - matrix[:, :3] @ [*self.feet[0], 0.9]
        projection = matrix.astype(np.float32)
        self.shadow[:] = 0
        if self.camera.light.direct[1] > 0:
            project_flat(self.solid.vertices, projection, self.screen)
            unused = np.empty((0, 0), np.int32), np.empty((0, 0, 2), np.float32)
            rasterise(self.screen, self.solid.faces[: self.num_cast], self.shadow, *unused, True)
        return projection

    def crop(self, window: Window, height: int, width: int, seed: int) -> UInt8[np.ndarray, "h w 3"]:
        """Render a window as the camera's sensor would store it; `seed` decides the noise."""
        return develop(self.shoot(window, height, width).light, self.camera.sensor, seed)


def _shadow_turn(towards: Float32[np.ndarray, " 3"]) -> Float[np.ndarray, "3 3"]:
    """Turn the world so that the lamp is straight above, in texels of the shadow map across and metres along."""
    x, y, z = towards.astype(float).tolist()
    flat = math.hypot(x, y)
    across = np.array([-y / flat, x / flat, 0.0])
    up = np.array([-x * z / flat, -y * z / flat, flat])
    texels = SHADOW_SIZE / (2 * SHADOW_REACH)
    return np.stack([texels * across, -texels * up, np.array([x, y, z])])


def _join(meshes: Sequence[Mesh], owners: Sequence[int], starts: Int[np.ndarray, " s"]) -> Solid:
    faces = [mesh.faces + np.int32(start) for mesh, start in zip(meshes, starts)]
    owner = [np.full(len(mesh.faces), owner, np.int32) for mesh, owner in zip(meshes, owners)]
    return Solid(
        np.concatenate([mesh.vertices for mesh in meshes]),
        np.concatenate([mesh.normals for mesh in meshes]),
        np.concatenate([mesh.uv for mesh in meshes]),
        np.concatenate(faces).astype(np.int32),
        np.concatenate(owner),
    )
