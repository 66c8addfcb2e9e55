"""Where a camera stands, what light it sees, and how its sensor answers."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Float32

from s2reid.world.raster import Light
from s2reid.world.sensor import Sensor, colour_matrix, tone_curve

Range = tuple[float, float]
COARSEST = 50
"""No source stores people with fewer pixels from head to foot."""
WIDEST = 1280
"""No camera's image has more pixels across."""


@dataclass(frozen=True)
class CameraStyle:
    """The ranges from which a domain's cameras are drawn; lengths in metres, angles in radians.

    `stature` is the height of a standing person in pixels, `blur` a sigma in pixels for a person of 100; `spread` is
    how far walking directions stray from the camera's main one, `aspect` the width of a box over its height, `loose`
    how much larger than the person it is, and `crowd` how many others are near (a mean, or exact). `sunny` is the share
    of cameras that see a lamp or the sun, `sun` how strong, `climb` how steep; `cast` is a colour that all of them add;
    `frontal` cameras look along the way that people take, on which the shares `returning` go the other way and
    `straying` go anywhere. What a source never has is 0: see `Sensor`.

    What follows `flicker` is 0 for a stand-in. `changing` is how much light and white balance differ between times;
    `shutter` is for how long (seconds) people smear, `drift` how fast exposure strays (a share a second), `banded` the
    noise of whole rows; the share `deinterlaced` has lost every other row, or shows two moments at once; the share
    `recoded` codes twice, at the share `shrunk` of the resolution.
    `slips` is how often the detector errs (see `Slips`), `company` how many of the others walk with the person.
    """

    height: Range = (1.3, 6.0)
    distance: Range = (4.5, 22.0)
    stature: Range = (64.0, 160.0)
    spread: Range = (0.15, 1.2)
    aspect: Range = (0.38, 0.55)
    loose: Range = (0.0, 0.16)
    jitter: Range = (0.005, 0.04)
    warmth: float = 0.16
    tint: float = 0.10
    exposure: float = 0.32
    saturation: Range = (0.45, 1.45)
    haze: float = 0.14
    noise: Range = (0.004, 0.055)
    blur: Range = (0.0, 0.65)
    quality: Range = (28.0, 95.0)
    crowd: Range = (0.0, 2.2)
    crowd_varies: bool = True
    interlaced: float = 0.0
    sunny: float = 0.75
    sun: Range = (0.1, 1.0)
    climb: Range = (0.5, 1.6)
    cast: tuple[float, float, float] = (1.0, 1.0, 1.0)
    contrast: Range = (-0.2, 0.7)
    sharpened: float = 0.35
    frontal: bool = False
    returning: float = 0.35
    straying: float = 0.2
    bleed: Range = (0.0, 0.0)
    fringe: Range = (0.0, 0.0)
    flicker: Range = (0.0, 0.0)
    changing: float = 0.0
    shutter: Range = (0.0, 0.0)
    drift: float = 0.0
    banded: Range = (0.0, 0.0)
    deinterlaced: float = 0.0
    shrunk: Range = (1.0, 1.0)
    recoded: float = 0.0
    slips: float = 0.0
    company: float = 0.0


ANYWHERE = CameraStyle(
    height=(1.3, 7.0),
    stature=(56.0, 160.0),
    tint=0.13,
    exposure=0.32,
    saturation=(0.35, 1.35),
    quality=(20.0, 95.0),
    blur=(0.0, 0.7),
    crowd=(0.0, 2.6),
    changing=1.0,
    shutter=(0.005, 0.06),
    drift=0.12,
    banded=(0.0, 0.02),
    deinterlaced=0.12,
    shrunk=(0.55, 1.0),
    recoded=0.25,
    slips=0.6,
    company=0.35,
)
"""Cameras as they are everywhere: any weather, any lamp, worn and cheap ones too, and a detector that errs."""

DETECTIONS: Mapping[str, dict[str, Range]] = {
    "person": {},
    "stranger": {},
    "nobody": {},
    "piece": {"loose": (-0.6, -0.35), "jitter": (0.04, 0.12)},
    "crowd": {"loose": (0.35, 0.9), "aspect": (0.75, 1.1), "jitter": (0.02, 0.06)},
}
"""How boxes differ where a detector is wrong: see `Planned.kind`."""


def seen_as(style: CameraStyle, kind: str) -> CameraStyle:
    """Return a style whose cameras are the same, with a detector that makes `kind` of a person."""
    return replace(style, **DETECTIONS[kind])  # type: ignore[arg-type]


@dataclass(frozen=True)
class Camera:
    """A pinhole with its light, its sensor, and what is usual before it.

    `eye` is in the world; `turn` holds the camera's right, down and forward axes as rows; `focal` is in pixels.
    """

    eye: Float32[np.ndarray, " 3"]
    turn: Float[np.ndarray, "3 3"]
    focal: float
    light: Light
    sensor: Sensor
    heading: float
    spread: float
    aspect: float
    loose: float
    jitter: float
    crowd: float
    is_tight: bool
    shutter: float = 0.0
    drift: float = 0.0

    @property
    def matrix(self) -> Float[np.ndarray, "3 4"]:
        """Project the world on an image whose origin lies on the optical axis."""
        intrinsic = np.diag([self.focal, self.focal, 1.0])
        return np.concatenate([intrinsic @ self.turn, -(intrinsic @ self.turn @ self.eye)[:, None]], axis=1)

    @property
    def image(self) -> tuple[int, int]:
        """Return the height and the width of the whole image in pixels; its middle is on the optical axis."""
        half = max(4, round(min(WIDEST / 2, 0.8 * self.focal) / 16))
        return 18 * half, 32 * half


def look_at(
    eye: Float[np.ndarray, " 3"], target: Float[np.ndarray, " 3"], roll: float = 0.0
) -> Float[np.ndarray, "3 3"]:
    """Return the right, down and forward axes of a camera at `eye` that looks at `target`.

    >>> look_at(np.array([5.0, 0, 0]), np.zeros(3)).round() + 0.0
    array([[ 0.,  1.,  0.],
           [ 0.,  0., -1.],
           [-1.,  0.,  0.]])
    """
    forward = (target - eye) / np.linalg.norm(target - eye)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    down = np.cross(forward, right)
    c, s = math.cos(roll), math.sin(roll)
    return np.stack([c * right + s * down, c * down - s * right, forward])


def draw_light(rng: np.random.Generator, style: CameraStyle, is_indoor: bool) -> Light:
    """Draw a lamp and a dome: sun and sky in any weather, the shade, the night, or the lamps of a hall."""
    direction = np.array([rng.normal() * 0.7, rng.normal() * 0.7, rng.uniform(*style.climb)])
    strength = rng.uniform(*style.sun) * (0.4 if is_indoor else 1.0) * (rng.random() < style.sunny)
    warm = np.clip(rng.normal(0, style.warmth), -0.35, 0.35)
    dome_warm = warm * rng.uniform(-0.6, 0.6) + rng.normal(0, style.warmth * 0.4)
    green = rng.normal(0, style.tint * 0.4)
    direct = np.array([1 + warm, 1 + green, 1 - warm]) * 1.6 * strength
    dome = np.array([0.44 + 0.4 * dome_warm, 0.45 + 0.4 * green, 0.48 - 0.4 * dome_warm]) * (1.35 - 0.5 * strength)
    return Light(
        (direction / np.linalg.norm(direction)).astype(np.float32), direct.astype(np.float32), dome.astype(np.float32)
    )


def draw_sensor(rng: np.random.Generator, style: CameraStyle, light: Light, stature: float) -> Sensor:
    """Draw a sensor whose exposure answers the light, more or less; people are `stature` pixels high before it."""
    level = 0.62 * light.dome[1] + 0.38 * light.direct[1]
    exposure = float(0.62 / level * np.exp(rng.normal(0, style.exposure)))
    balance = np.exp(rng.normal(0, style.tint, 3))
    crosstalk = rng.normal(0, 0.03, (3, 3))
    lift = rng.random() ** 2 * style.haze * (1 + rng.normal(0, 0.25, 3))
    is_sharpened, is_smeared, is_coded = rng.random(3) < (style.sharpened, 0.15, 0.75)
    sensor = Sensor(
        matrix=colour_matrix(
            exposure,
            (balance / balance[1] * style.cast).astype(np.float32),
            rng.uniform(*style.saturation),
            crosstalk.astype(np.float32),
        ),
        curve=tone_curve(rng.uniform(1.7, 2.4), rng.uniform(*style.contrast), np.clip(lift, 0, 0.3).astype(np.float32)),
        noise=float(np.exp(rng.uniform(*np.log(style.noise)))),
        blur=float(rng.uniform(*style.blur) * (0.5 + stature / 200)),
        smear=round(stature * rng.uniform(0.01, 0.04)) if is_smeared else 0,
        sharpening=float(rng.uniform(0.3, 1.5)) if is_sharpened else 0.0,
        quality=int(rng.uniform(*style.quality)) if is_coded else 0,
        interlaced=bool(rng.random() < style.interlaced),
    )
    if style.changing:
        return _age(rng, sensor, style, stature)
    if not any(high for _, high in (style.bleed, style.fringe, style.flicker)):
        return sensor
    size = stature / 100
    return replace(
        sensor,
        bleed=float(rng.uniform(*style.bleed) * size),
        fringe=float(rng.uniform(*style.fringe) * size),
        flicker=float(rng.uniform(*style.flicker)),
    )


def _age(rng: np.random.Generator, sensor: Sensor, style: CameraStyle, stature: float) -> Sensor:
    """Add what cheap and worn systems do: row noise, lost fields, and a codec that saves bits."""
    is_banded, is_lossy, is_recoded = rng.random(3) < (0.3, style.deinterlaced, style.recoded)
    return replace(
        sensor,
        smear=0,
        banded=float(rng.uniform(*style.banded)) if is_banded else 0.0,
        fields=str(rng.choice(["doubled", "blended"], p=[0.7, 0.3])) if is_lossy else "",
        shrunk=min(1.0, max(COARSEST / stature, rng.uniform(*style.shrunk))) if is_recoded else 1.0,
        codings=2 if is_recoded else 1,
    )


def draw_camera(rng: np.random.Generator, style: CameraStyle, azimuth: float, is_indoor: bool) -> Camera:
    """Draw a camera that looks from `azimuth` at the middle of the scene."""
    distance = float(np.exp(rng.uniform(*np.log(style.distance))))
    height = min(rng.uniform(*style.height), 1.6 + 0.55 * distance, 3.2 if is_indoor else 9.0)
    eye = np.array([distance * math.cos(azimuth), distance * math.sin(azimuth), height])
    target = np.array([rng.normal(0, 0.3), rng.normal(0, 0.3), rng.uniform(0.6, 1.2)])
    slant = float(np.linalg.norm(eye - target))
    light = draw_light(rng, style, is_indoor)
    stature = float(rng.uniform(*style.stature))
    return Camera(
        eye=eye.astype(np.float32),
        turn=look_at(eye.astype(np.float32), target, rng.normal(0, 0.03)),
        # A person of 1.72 m at the middle of the scene is `stature` pixels high, seen from the side.
        focal=stature * slant / 1.72,
        light=light,
        sensor=draw_sensor(rng, style, light, stature),
        heading=_draw_heading(rng, style, azimuth),
        spread=float(rng.uniform(*style.spread)),
        aspect=float(rng.uniform(*style.aspect)),
        loose=float(rng.uniform(*style.loose)),
        jitter=float(np.exp(rng.uniform(*np.log(style.jitter)))),
        crowd=float(rng.uniform(*style.crowd)),
        is_tight=bool(rng.random() < 0.3),
        shutter=float(rng.uniform(*style.shutter)) if style.shutter[1] else 0.0,
        drift=float(rng.normal(0, style.drift)) if style.drift else 0.0,
    )


def _draw_heading(rng: np.random.Generator, style: CameraStyle, azimuth: float) -> float:
    """Draw which way most people go: any, or more or less towards a frontal camera."""
    heading = float(rng.uniform(-math.pi, math.pi))
    return azimuth + 0.15 * heading if style.frontal else heading


def at_another_time(camera: Camera, rng: np.random.Generator) -> Camera:
    """Let weather, exposure and white balance drift: the same camera when another person passes."""
    cloud = rng.random() ** 0.5 if rng.random() < 0.5 else 1.0
    gain = np.exp(rng.normal(0, 0.14)) * np.exp(rng.normal(0, 0.03, 3))
    light = camera.light._replace(direct=(camera.light.direct * cloud).astype(np.float32))
    matrix = (camera.sensor.matrix * gain[:, None]).astype(np.float32)
    return replace(camera, light=light, sensor=replace(camera.sensor, matrix=matrix))
