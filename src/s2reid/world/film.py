"""Film a planned tracklet: draw its people and its camera from the seed, let them walk, and crop the person.

Every person, camera, place and tracklet has a random stream of its own, keyed by (seed, world, kind, index): any
tracklet can be rendered alone, in any order, by any number of processes.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import UInt8

from s2reid.world.cameras import Camera, CameraStyle, at_another_time, draw_camera
from s2reid.world.clothes import draw_outfit
from s2reid.world.figure import Figure, build
from s2reid.world.gait import draw_gait
from s2reid.world.people import draw_shape
from s2reid.world.presets import Planned, Preset
from s2reid.world.props import Prop
from s2reid.world.render import Stage, Window
from s2reid.world.scene import ROOM, Scene, Walk, clear_view, draw_scene
from s2reid.world.sensor import develop, resize

PERSON, OUTFIT, CROWD, SCENE, CAMERA, TRACKLET, UNIFORM = range(1, 8)
CROWD_SIZE, UNIFORMS = 48, 40
"""How many passers-by a world has (they are nobody's tracklet), and how many outfits that several persons wear."""
FIELD_TIME = 0.02
"""Seconds between the two fields of an interlaced frame."""
LARGEST = 200
"""No crop is rendered higher than this; nearer people are scaled down."""


@dataclass(frozen=True)
class Walker:
    """A figure on its way, at a phase of its gait when the clock starts."""

    figure: Figure
    walk: Walk
    phase: float


@dataclass(frozen=True)
class Framing:
    """How a detector frames one tracklet: sizes and shifts relative to the person's height, each frame's jitter."""

    aspect: float
    loose: float
    shift: tuple[float, float]
    cut: float
    jitter: float
    is_tight: bool


class World:
    """A preset with a seed; persons, cameras and places are drawn when first asked for."""

    def __init__(self, preset: Preset, seed: int) -> None:
        self.preset, self.seed = preset, seed
        self.camera = lru_cache(maxsize=None)(self._camera)
        self.scene = lru_cache(maxsize=None)(self._scene)
        self.passer_by = lru_cache(maxsize=None)(self._passer_by)

    def rng(self, kind: int, *index: int) -> np.random.Generator:
        """Open the random stream of one thing."""
        return np.random.default_rng((self.seed, self.preset.space, kind, *index))

    def person(self, person: int, outfit: int = 0) -> Figure:
        """Draw a person in an outfit; body, face, hair and gait are the same in all of them."""
        return self._dress(self.rng(PERSON, person), self.rng(OUTFIT, person, outfit))

    def _passer_by(self, k: int) -> Figure:
        return self._dress(self.rng(CROWD, k), self.rng(CROWD, k, 0))

    def _dress(self, body: np.random.Generator, day: np.random.Generator) -> Figure:
        shape = draw_shape(body)
        wardrobe = self.preset.wardrobe
        is_uniform = day.random() < wardrobe.uniforms
        garments = self.rng(UNIFORM, int(day.integers(UNIFORMS))) if is_uniform else day
        outfit = draw_outfit(garments, wardrobe, is_female=shape.is_female)
        gait = draw_gait(body, carries=outfit.bag_side if outfit.bag in ("handbag", "trolley") else 0)
        return build(day, shape, outfit, gait)

    def _scene(self, index: int) -> Scene:
        return draw_scene(self.rng(SCENE, index), self.preset.places)

    def _camera(self, index: int) -> tuple[Camera, Scene, tuple[Prop, ...]]:
        rng, each = self.rng(CAMERA, index), self.preset.cameras_per_scene
        scene = self.scene(index // each)
        azimuth = rng.uniform(0, 2 * math.pi) if each == 1 else rng.normal(2 * math.pi * (index % each) / each, 0.4)
        camera = draw_camera(rng, self.preset.cameras, float(azimuth), scene.is_indoor)
        return camera, scene, clear_view(scene, camera.eye, rng)

    def film(self, planned: Planned, figure: Figure | None = None) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
        """Render the frames of a tracklet in temporal order, the first of a walk of the preset's length.

        `figure` saves building its person again.
        """
        rng = self.rng(TRACKLET, planned.index)
        camera, scene, props = self.camera(planned.camera)
        camera = at_another_time(camera, rng)
        interval = rng.uniform(*self.preset.interval)
        duration = interval * (self.preset.frames - 1)
        figure = figure or self.person(planned.person, planned.outfit)
        target = _send(rng, camera, self.preset.cameras, figure, duration)
        passers_by = [self.passer_by(int(k)) for k in rng.integers(CROWD_SIZE, size=self._count_others(rng, camera))]
        walkers = [target, *(_join(rng, camera, target, figure, duration) for figure in passers_by)]
        stage = Stage(camera, scene, props, [walker.figure for walker in walkers])
        framing = _draw_framing(rng, camera)
        for frame in range(planned.frames or self.preset.frames):
            yield self._crop(stage, walkers, framing, frame * interval, rng)

    def _count_others(self, rng: np.random.Generator, camera: Camera) -> int:
        """Draw how many others are near: at most five, around the camera's mean, or exactly that many."""
        return min(int(rng.poisson(camera.crowd)), 5) if self.preset.cameras.crowd_varies else round(camera.crowd)

    def _crop(
        self, stage: Stage, walkers: list[Walker], framing: Framing, seconds: float, rng: np.random.Generator
    ) -> UInt8[np.ndarray, "h w 3"]:
        _advance(stage, walkers, seconds)
        window = _frame(stage.bounds(0), framing, rng)
        height = min(LARGEST, max(24, round(window[3] - window[1])))
        width = max(12, round(height * (window[2] - window[0]) / (window[3] - window[1])))
        light = stage.shoot(window, height, width).light
        if stage.camera.sensor.interlaced:
            _advance(stage, walkers, seconds + FIELD_TIME)
            light[1::2] = stage.shoot(window, height, width).light[1::2]
        stored = develop(light, stage.camera.sensor, int(rng.integers(1 << 62)))
        return resize(stored, self.preset.height, self.preset.height // 2)


def _advance(stage: Stage, walkers: list[Walker], seconds: float) -> None:
    for k, walker in enumerate(walkers):
        x, y, heading = walker.walk.at(seconds)
        per_metre = walker.figure.gait.phase_per_metre(walker.figure.leg)
        stage.place(k, walker.phase + walker.walk.speed * seconds * per_metre, x, y, heading)


def _send(rng: np.random.Generator, camera: Camera, style: CameraStyle, figure: Figure, duration: float) -> Walker:
    """Send a person through the scene, mostly along the camera's usual direction, either way."""
    heading = camera.heading + rng.normal(0, camera.spread) + math.pi * (rng.random() < style.returning)
    if rng.random() < style.straying:
        heading = rng.uniform(-math.pi, math.pi)
    turn = rng.normal(0, 0.25) if rng.random() < 0.4 else 0.0
    radius, angle = ROOM * math.sqrt(rng.random()), rng.uniform(0, 2 * math.pi)
    x, y, middle = radius * math.cos(angle), radius * math.sin(angle), heading + 0.5 * turn * duration
    half = 0.5 * figure.gait.speed * min(duration, 2.5)
    walk = Walk(x - half * math.cos(middle), y - half * math.sin(middle), heading, figure.gait.speed, turn)
    return Walker(figure, walk, rng.uniform(0, 2 * math.pi))


def _join(rng: np.random.Generator, camera: Camera, target: Walker, figure: Figure, duration: float) -> Walker:
    """Send somebody else near the target: beside it as the camera sees it, nearer or farther, crossing or along."""
    aside, away = rng.uniform(0.32, 1.5) * rng.choice([-1, 1]), rng.uniform(-2.0, 4.0)
    forward = np.array([camera.turn[2, 0], camera.turn[2, 1]])
    forward /= np.linalg.norm(forward)
    x, y, heading = target.walk.at(0.5 * duration)
    x, y = x + forward[0] * away + forward[1] * aside, y + forward[1] * away - forward[0] * aside
    own = (
        heading + rng.normal(0, 0.2) + math.pi * (rng.random() < 0.3) if rng.random() < 0.6 else rng.uniform(-3.2, 3.2)
    )
    half = 0.5 * figure.gait.speed * duration
    walk = Walk(x - half * math.cos(own), y - half * math.sin(own), own, figure.gait.speed, 0.0)
    return Walker(figure, walk, rng.uniform(0, 2 * math.pi))


def _draw_framing(rng: np.random.Generator, camera: Camera) -> Framing:
    cut = rng.uniform(0.08, 0.35) if rng.random() < 0.04 else 0.0
    return Framing(
        aspect=camera.aspect * math.exp(rng.normal(0, 0.04)),
        loose=camera.loose + (rng.uniform(0.1, 0.3) if rng.random() < 0.05 else 0.0),
        shift=(rng.normal(0, 0.02), rng.normal(0, 0.02)),
        cut=cut,
        jitter=camera.jitter,
        is_tight=camera.is_tight,
    )


def _frame(box: Window, framing: Framing, rng: np.random.Generator) -> Window:
    """Frame a person's box the way a detector would: loose, shifted, jittered, sometimes cut at the knees."""
    left, top, right, bottom = box
    height = bottom - top
    dx, dy, grow = rng.normal(0, framing.jitter, 3)
    x = 0.5 * (left + right) + height * (framing.shift[0] + dx)
    y = 0.5 * (top + bottom) + height * (framing.shift[1] + dy)
    tall = height * (1 + framing.loose) * math.exp(grow)
    wide = max(1.08 * (right - left), 0.3 * tall) if framing.is_tight else framing.aspect * tall
    return x - 0.5 * wide, y - 0.5 * tall, x + 0.5 * wide, y + (0.5 - framing.cut) * tall
