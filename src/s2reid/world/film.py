"""Film a planned tracklet: draw its people and its camera from the seed, let them walk, and crop the person.

Every person, camera, place and tracklet has a random stream of its own, keyed by (seed, world, kind, index): any
tracklet can be rendered alone, in any order, by any number of processes.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8

from s2reid.world.cameras import Camera, at_another_time, draw_camera
from s2reid.world.clothes import Outfit, draw_outfit
from s2reid.world.detector import Framing, Slip, draw_framing, draw_slips, frame, slip
from s2reid.world.figure import Figure, as_drawn, build
from s2reid.world.gait import Gait, draw_gait
from s2reid.world.lights import at_some_time
from s2reid.world.people import Shape, draw_shape
from s2reid.world.presets import Planned, Preset
from s2reid.world.props import Prop
from s2reid.world.raster import Buffers
from s2reid.world.render import Seen, Shot, Stage, Window
from s2reid.world.scene import Scene, clear_view, draw_place, draw_scene, stand_before
from s2reid.world.sensor import develop, drag, merge_fields, resize
from s2reid.world.walkers import Walker, advance, gather, keep_before, send

PERSON, OUTFIT, CROWD, SCENE, CAMERA, TRACKLET, UNIFORM = range(1, 8)
VIEW, SLIPS, TYPES = range(9, 12)
"""What a random stream is for; 0 and 8 are those of the plans."""
CROWD_SIZE, UNIFORMS = 48, 40
"""How many passers-by a world has (they are nobody's tracklet), and how many outfits that several persons wear."""
FIELD_TIME = 0.02
"""Seconds between the two fields of an interlaced frame."""
LARGEST = 200
"""No crop is rendered higher than this; nearer people are scaled down."""
LONGEST_GAP, PATIENCE = 2.0, 5
"""Seconds between two frames at most, and how often the detector misses somebody hidden before it errs."""
DETECTABLE = 0.08
"""Nobody is detected who covers less of the box."""


@dataclass(frozen=True)
class Frame:
    """One frame of a tracklet: what the system stores, and what is true of it.

    `window` is what the detector framed, in pixels of the camera's image from its optical axis; `seen`, if that was
    asked, is the person in it (its mask has the pixels of the rendered window, before the crop was resized).
    """

    crop: UInt8[np.ndarray, "h w 3"]
    seconds: float
    camera: Camera
    window: Window
    seen: Seen | None

    def mask(self) -> Bool[np.ndarray, "h w"]:
        """Return which pixels of the crop show the person."""
        assert self.seen is not None
        shown = np.repeat(self.seen.mask[..., None].astype(np.uint8) * np.uint8(255), 3, axis=2)
        return resize(shown, *self.crop.shape[:2])[..., 0] > 127

    def joints(self) -> Float[np.ndarray, "j 2"]:
        """Return the joints in pixels of the crop from its top left corner."""
        assert self.seen is not None
        left, top, right, bottom = self.window
        height, width = self.crop.shape[:2]
        return (self.seen.joints - (left, top)) * (width / (right - left), height / (bottom - top))


class View(NamedTuple):
    """A whole image of a camera, and what is true of every walker in it."""

    image: UInt8[np.ndarray, "h w 3"]
    seconds: float
    camera: Camera
    window: Window
    seen: tuple[Seen, ...]


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

    def looks(self, person: int, outfit: int = 0) -> tuple[Shape, Outfit, Gait]:
        """Say what a person is like, what they wear in an outfit, and how they walk."""
        return as_drawn(*self._draw(self.rng(PERSON, person), self.rng(OUTFIT, person, outfit)))

    def _draw(self, body: np.random.Generator, day: np.random.Generator) -> tuple[Shape, Outfit, Gait]:
        shape = draw_shape(body)
        wardrobe = self.preset.wardrobe
        is_uniform = day.random() < wardrobe.uniforms
        garments = self.rng(UNIFORM, int(day.integers(UNIFORMS))) if is_uniform else day
        outfit = draw_outfit(garments, wardrobe, is_female=shape.is_female)
        return shape, outfit, draw_gait(body, carries=outfit.bag_side if outfit.bag in ("handbag", "trolley") else 0)

    def _dress(self, body: np.random.Generator, day: np.random.Generator) -> Figure:
        return build(day, *self._draw(body, day))

    def _scene(self, index: int) -> Scene:
        rng, style = self.rng(SCENE, index), self.preset.places
        if not style.types:
            return draw_scene(rng, style)
        order = self.rng(TYPES).permutation(len(style.types))  # no type comes again before all have come
        return draw_place(rng, style, style.types[int(order[index % len(order)])])

    def _camera(self, index: int) -> tuple[Camera, Scene, tuple[Prop, ...]]:
        rng, each = self.rng(CAMERA, index), self.preset.cameras_per_scene
        scene = self.scene(index // each)
        azimuth = rng.uniform(0, 2 * math.pi) if each == 1 else rng.normal(2 * math.pi * (index % each) / each, 0.4)
        style, kind = self.preset.cameras, scene.kind
        if kind is None:
            camera = draw_camera(rng, style, float(azimuth), scene.is_indoor)
            return camera, scene, clear_view(scene, camera.eye, rng)
        near, far = style.distance
        camera = draw_camera(
            rng, replace(style, distance=(near, max(near, min(far, kind.reach)))), float(azimuth), scene.is_indoor
        )
        crowd, (few, many) = rng.uniform(*kind.crowd), style.crowd
        heading, spread = scene.way + math.pi * (rng.random() < 0.5), kind.spread * rng.uniform(0.5, 1.2)
        camera = replace(camera, crowd=min(max(crowd, few), many), heading=heading, spread=spread)
        props = clear_view(scene, camera.eye, rng)
        if rng.random() < self.preset.places.occluded:
            props = (*props, stand_before(rng, kind, camera.eye))
        return camera, scene, props

    def _at_some_time(self, camera: Camera, scene: Scene, rng: np.random.Generator) -> Camera:
        """Return the camera as it is when another person passes."""
        changing = self.preset.cameras.changing
        if scene.kind is None or not changing:
            return at_another_time(camera, rng)
        return at_some_time(camera, rng, scene.kind.lights, changing)

    def film(self, planned: Planned, figure: Figure | None = None) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
        """Render the crops of a tracklet in temporal order: see `shots`."""
        return (frame.crop for frame in self.shots(planned, figure, is_examined=False))

    def shots(self, planned: Planned, figure: Figure | None = None, *, is_examined: bool = True) -> Iterator[Frame]:
        """Render the frames of a tracklet in temporal order, the first of a walk of the preset's length.

        `figure` saves building its person again; without `is_examined` the frames say nothing of what is seen.
        """
        rng = self.rng(TRACKLET, planned.index)
        camera, scene, props = self.camera(planned.camera)
        camera = self._at_some_time(camera, scene, rng)
        interval, style = rng.uniform(*self.preset.interval), self.preset.cameras
        duration = interval * (self.preset.frames - 1)
        figure = figure or self.person(planned.person, planned.outfit)
        target = send(rng, camera, style, figure, duration)
        if style.slips:
            target = keep_before(camera, target, duration + LONGEST_GAP)
        passers_by = [self.passer_by(int(k)) for k in rng.integers(CROWD_SIZE, size=self._count_others(rng, camera))]
        walkers = [target, *gather(rng, camera, style.company, target, passers_by, duration)]
        stage = Stage(camera, scene, props, [walker.figure for walker in walkers])
        take = Take(stage, walkers, draw_framing(rng, camera), rng, self.preset.height)
        count = planned.frames or self.preset.frames
        if style.slips:
            errors = draw_slips(self.rng(SLIPS, planned.index), style.slips, count, len(walkers))
            yield from take.err(errors, interval, is_examined)
        else:
            for index in range(count):
                yield take.shoot(index * interval, Slip(), is_examined)

    def watch(self, index: int, walkers: Sequence[Walker], times: Iterable[float], day: int = 0) -> Iterator[View]:
        """Render the whole image of a camera at given times (seconds), with walkers who set out at time 0.

        All cameras of a scene have the same weather on one `day`.
        """
        camera, scene, props = self.camera(index)
        camera = self._at_some_time(camera, scene, self.rng(VIEW, index // self.preset.cameras_per_scene, day))
        stage = Stage(camera, scene, props, [walker.figure for walker in walkers], is_wide=True)
        height, width = camera.image
        window = (-width / 2, -height / 2, width / 2, height / 2)
        rng = self.rng(VIEW, index, day, 0)
        for seconds in times:
            advance(stage, walkers, seconds)
            shot = stage.shoot(window, height, width)
            seen = stage.examine(window, shot, range(len(walkers)))
            image = develop(shot.light, camera.sensor, int(rng.integers(1 << 62)))
            yield View(image, seconds, camera, window, seen)

    def _count_others(self, rng: np.random.Generator, camera: Camera) -> int:
        """Draw how many others are near: at most five, around the camera's mean, or exactly that many."""
        return min(int(rng.poisson(camera.crowd)), 5) if self.preset.cameras.crowd_varies else round(camera.crowd)


@dataclass(frozen=True)
class Take:
    """A tracklet while it is filmed: walkers on a stage, and how the first of them is framed; `rng` is its own."""

    stage: Stage
    walkers: Sequence[Walker]
    framing: Framing
    rng: np.random.Generator
    height: int

    def err(self, errors: Sequence[Slip], interval: float, is_examined: bool) -> Iterator[Frame]:
        """Film frame after frame with a detector that errs; it misses who is hidden, and looks again later."""
        spare, seconds, is_there = LONGEST_GAP, -interval, len(self.stage.figures[0].mesh.faces) > 0
        for error in errors:
            gap = min(error.missed * interval, spare)
            spare, seconds = spare - gap, seconds + interval + gap
            for _ in range(PATIENCE if is_there else 0):
                window, buffers = self._aim(seconds, error)
                if self.stage.covered(buffers) > DETECTABLE or spare <= 0:
                    break
                spare, seconds = spare - interval, seconds + interval
            yield self.shoot(seconds, error, is_examined, (window, buffers) if is_there else None)

    def _aim(self, seconds: float, error: Slip) -> tuple[Window, Buffers]:
        """Frame the person at a moment, and find what the window shows."""
        stage = self.stage
        advance(stage, self.walkers, seconds)
        window = frame(stage.bounds(0), self.framing, self.rng)
        if error != Slip():
            boxes = [stage.bounds(k) for k in range(len(self.walkers))] if error.slid else []
            window = slip(window, error, boxes)
        tall = (window[3] - window[1]) * stage.camera.sensor.shrunk
        height = min(LARGEST, max(24, round(tall)))
        width = max(12, round(height * (window[2] - window[0]) / (window[3] - window[1])))
        return window, stage.look(window, height, width)

    def shoot(
        self, seconds: float, error: Slip, is_examined: bool, aimed: tuple[Window, Buffers] | None = None
    ) -> Frame:
        """Film one frame; `aimed` saves finding again what the window shows at this moment."""
        window, buffers = aimed or self._aim(seconds, error)
        camera, shot = self.stage.camera, self.stage.light_up(window, buffers)
        seen = self.stage.examine(window, shot)[0] if is_examined else None
        light, gain = self._expose(shot, window, seconds), math.exp(camera.drift * seconds)
        stored = develop(light, camera.sensor, int(self.rng.integers(1 << 62)), gain)
        crop = resize(stored, self.height, self.height // 2)
        return Frame(crop, seconds, camera, window, seen)

    def _expose(self, shot: Shot, window: Window, seconds: float) -> Float32[np.ndarray, "h w 3"]:
        """Let people smear while the shutter is open, and mix what an interlaced signal has of two moments."""
        light, (height, width), sensor = shot.light, shot.light.shape[:2], self.stage.camera.sensor
        length = round(self._speed(seconds) * self.stage.camera.shutter * height / (window[3] - window[1]))
        if length > 1:
            light = drag(light, self.stage.is_figure(shot.buffers), length)
        if sensor.fields == "doubled":
            merge_fields(light)
        if sensor.interlaced or sensor.fields == "blended":
            advance(self.stage, self.walkers, seconds + FIELD_TIME)
            later = self.stage.shoot(window, height, width).light
            if sensor.interlaced:
                light[1::2] = later[1::2]
            else:
                light = np.float32(0.5) * (light + later)
        return light

    def _speed(self, seconds: float) -> float:
        """Return how fast the person moves across the camera's image, in its pixels a second."""
        camera, walk = self.stage.camera, self.walkers[0].walk
        x, y, heading = walk.at(seconds)
        to_x, to_y = x - float(camera.eye[0]), y - float(camera.eye[1])
        away = math.hypot(to_x, to_y, float(camera.eye[2]) - 1.0)
        across = abs(to_x * math.sin(heading) - to_y * math.cos(heading)) / math.hypot(to_x, to_y)
        return camera.focal / away * walk.speed * across
