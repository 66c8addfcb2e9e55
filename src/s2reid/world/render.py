"""A window of a camera's image, as bytes: people and props stay in the world, only the window is rasterised."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float32, Int, Int32, UInt8

from s2reid.world.body import Mesh
from s2reid.world.cameras import Camera
from s2reid.world.figure import Figure
from s2reid.world.gait import pose
from s2reid.world.joints import posed
from s2reid.world.props import Prop
from s2reid.world.raster import Buffers, Solid, bounds, project, project_flat, rasterise, skin
from s2reid.world.scene import Scene
from s2reid.world.sensor import develop
from s2reid.world.shading import shade

SAMPLES = 2
"""Sub-samples of a pixel along each axis."""
SHADOW_SIZE, SHADOW_REACH = 128, 1.8
"""Texels along the shadow map, and how far around the person it reaches in metres."""
WIDE = 4
"""A wide stage's shadow map is so many times larger."""

BODY = 0.22
"""A joint is at most so far behind the skin (metres) where nothing hides it."""
AREA_ROWS = 96
"""Samples from head to foot that measure a figure's area."""

Window = tuple[float, float, float, float]
"""Left, top, right and bottom in pixels from the optical axis."""


class Shot(NamedTuple):
    """Linear light in a window, how many sub-samples saw each object, and what each of them saw."""

    light: Float32[np.ndarray, "h w 3"]
    visible: Int32[np.ndarray, " o"]
    buffers: Buffers


class Seen(NamedTuple):
    """What is true of one figure in a window of a camera's image; lengths in pixels from the optical axis.

    `box` bounds the whole figure, hidden or not, and `share` is how much of it the window shows: other figures, props
    and the window's edges hide the rest. `mask` says which pixels of the window show mostly this figure. `joints` are
    COCO's seventeen keypoints (`joints.NAMES`) and `is_clear` says which of them lie in the window and are not hidden,
    neither by something else nor by the body itself.
    """

    box: Window
    share: float
    mask: Bool[np.ndarray, "h w"]
    joints: Float[np.ndarray, "j 2"]
    is_clear: Bool[np.ndarray, " j"]


class Stage:
    """People and props before one camera; people move between shots.

    Object 0 is the first figure, and so on; the props together are the last object. Shadows are those near figure 0,
    or, where the stage `is_wide`, those around the middle of the scene.
    """

    def __init__(
        self, camera: Camera, scene: Scene, props: Sequence[Prop], figures: Sequence[Figure], *, is_wide: bool = False
    ) -> None:
        self.camera, self.scene, self.figures, self.matrix = camera, scene, tuple(figures), camera.matrix
        meshes = [figure.mesh for figure in figures] + [prop.mesh for prop in props]
        owners = [min(k, len(figures)) for k in range(len(meshes))]
        self.starts = np.cumsum([0] + [len(mesh.vertices) for mesh in meshes])
        self.solid = _join(meshes, owners, self.starts)
        self.num_cast = sum(len(figure.mesh.faces) for figure in figures)  # props cast no shadow
        self.textures = np.stack([*(figure.texture for figure in figures), scene.texture])
        self.feet = np.zeros((len(figures), 2), np.float32)
        self.bones = [np.zeros((0, 3, 4), np.float32)] * len(figures)
        self.screen, self.scratch = np.empty_like(self.solid.vertices), np.empty_like(self.solid.vertices)
        size = WIDE * SHADOW_SIZE if is_wide else SHADOW_SIZE
        self.is_wide, self.shadow = is_wide, np.zeros((size, size), np.float32)
        self.shadow_turn = _shadow_turn(camera.light.direction)
        self.rays = np.linalg.inv(camera.matrix[:, :3])

    def place(self, k: int, phase: float, x: float, y: float, heading: float) -> None:
        """Put figure `k` at (x, y) metres, walking along `heading` radians, at a phase of its gait."""
        figure = self.figures[k]
        bones = pose(figure.gait, figure.pivots, phase, x, y, heading)
        mesh, self.bones[k] = figure.mesh, bones
        skin(mesh.vertices, mesh.normals, mesh.bones, mesh.weights, bones, self.solid, int(self.starts[k]))
        self.feet[k] = x, y

    def bounds(self, k: int) -> Window:
        """Return the box around the whole of figure `k`, seen or not, without what is held or pushed."""
        own = slice(self.starts[k], self.starts[k] + self.figures[k].num_own)
        project(self.solid.vertices[own], self.matrix.astype(np.float32), self.scratch[own])
        return bounds(self.scratch[own])

    def shoot(self, window: Window, height: int, width: int) -> Shot:
        """Render a window of the camera's image at `height` x `width` pixels."""
        return self.light_up(window, self.look(window, height, width))

    def look(self, window: Window, height: int, width: int) -> Buffers:
        """Find what every sub-sample of a window sees."""
        rows, columns = height * SAMPLES, width * SAMPLES
        buffers = _empty(rows, columns)
        project(self.solid.vertices, self._zoom(window, rows, columns), self.screen)
        rasterise(self.screen, self.solid.faces, buffers.depth, buffers.face, buffers.weights, False)
        return buffers

    def is_figure(self, buffers: Buffers) -> Bool[np.ndarray, "h w"]:
        """Say which pixels see a person in the first of their sub-samples."""
        faces = buffers.face[::SAMPLES, ::SAMPLES]
        return (faces >= 0) & (faces < self.num_cast)

    def covered(self, buffers: Buffers) -> float:
        """Return about which share of a window shows figure 0."""
        faces = buffers.face[:: 2 * SAMPLES, :: 2 * SAMPLES]
        seen = np.count_nonzero((faces >= 0) & (faces < len(self.figures[0].mesh.faces)))
        return seen / faces.size

    def light_up(self, window: Window, buffers: Buffers) -> Shot:
        """Light what `look` has just found in a window."""
        camera, (left, top, right, bottom) = self.camera, window
        rows, columns = buffers.face.shape
        height, width = rows // SAMPLES, columns // SAMPLES
        fx, fy = columns / (right - left), rows / (bottom - top)
        unzoom = np.array([[1 / fx, 0, left], [0, 1 / fy, top], [0, 0, 1]])
        to_shadow = self._cast_shadow()
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
        return Shot(light, visible, buffers)

    def _zoom(self, window: Window, rows: int, columns: int) -> Float32[np.ndarray, "3 4"]:
        """Project the world on a window of `rows` x `columns` samples."""
        left, top, right, bottom = window
        fx, fy = columns / (right - left), rows / (bottom - top)
        zoom = np.array([[fx, 0, -left * fx], [0, fy, -top * fy], [0, 0, 1]])
        return (zoom @ self.matrix).astype(np.float32)

    def examine(self, window: Window, shot: Shot, which: Sequence[int] = (0,)) -> tuple[Seen, ...]:
        """Say what is true of some figures in a window that was just shot, before anybody moves."""
        owner = np.append(self.solid.owner, np.int32(-1))[shot.buffers.face]
        return tuple(self._examine(k, window, owner, shot.buffers.depth) for k in which)

    def _examine(
        self, k: int, window: Window, owner: Int32[np.ndarray, "h w"], depth: Float32[np.ndarray, "h w"]
    ) -> Seen:
        (left, top, right, bottom), (rows, columns) = window, owner.shape
        own = owner == k
        fx, fy = columns / (right - left), rows / (bottom - top)
        points = posed(self.figures[k].pivots, self.bones[k])
        x, y, away = self.matrix[:, :3] @ points.T + self.matrix[:, 3:]
        x, y = x / away, y / away
        column, row = np.floor((x - left) * fx).astype(int), np.floor((y - top) * fy).astype(int)
        is_inside = (away > 0) & (column >= 0) & (column < columns) & (row >= 0) & (row < rows)
        at = row.clip(0, rows - 1), column.clip(0, columns - 1)
        is_near = away - 1 / np.maximum(depth[at], 1e-9) < BODY
        box = self.bounds(k)
        share = own.sum() / max(1.0, self._area(k, box) * fx * fy)
        parts = [own[i::SAMPLES, j::SAMPLES].view(np.uint8) for i in range(SAMPLES) for j in range(SAMPLES)]
        mask = sum(parts[1:], parts[0]) > SAMPLES**2 // 2
        return Seen(box, min(1.0, float(share)), mask, np.stack([x, y], 1), is_inside & own[at] & is_near)

    def _area(self, k: int, box: Window) -> float:
        """Measure how many square pixels of the image figure `k` would cover if nothing hid it."""
        left, top, right, bottom = box
        rows = AREA_ROWS
        columns = max(8, round(rows * (right - left) / (bottom - top)))
        buffers, own = _empty(rows, columns), slice(self.starts[k], self.starts[k + 1])
        project(self.solid.vertices[own], self._zoom(box, rows, columns), self.scratch[own])
        rasterise(self.scratch[own], self.figures[k].mesh.faces, *buffers, False)
        return float((buffers.face >= 0).mean() * (right - left) * (bottom - top))

    def _cast_shadow(self) -> Float32[np.ndarray, "3 4"]:
        """Fill the shadow map and return its projection."""
        half = len(self.shadow) / 2
        middle = (0.0, 0.0) if self.is_wide else self.feet[0]
        matrix = np.empty((3, 4))
        matrix[:, :3] = self.shadow_turn
        matrix[:, 3] = np.array([half, half, 100.0]) - matrix[:, :3] @ [*middle, 0.9]
        projection = matrix.astype(np.float32)
        self.shadow[:] = 0
        if self.camera.light.direct[1] > 0:
            project_flat(self.solid.vertices, projection, self.scratch)
            unused = np.empty((0, 0), np.int32), np.empty((0, 0, 2), np.float32)
            rasterise(self.scratch, self.solid.faces[: self.num_cast], self.shadow, *unused, True)
        return projection

    def crop(self, window: Window, height: int, width: int, seed: int) -> UInt8[np.ndarray, "h w 3"]:
        """Render a window as the camera's sensor would store it; `seed` decides the noise."""
        return develop(self.shoot(window, height, width).light, self.camera.sensor, seed)


def _empty(rows: int, columns: int) -> Buffers:
    return Buffers(
        np.zeros((rows, columns), np.float32),
        np.full((rows, columns), -1, np.int32),
        np.empty((rows, columns, 2), np.float32),
    )


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
