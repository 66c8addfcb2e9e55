"""The light of a place at some time: weather, shade, lamps and fog, and how a camera answers it.

The same camera sees the same clothes in sun, in blue shade, under green tubes or in the orange of sodium lamps, and
corrects only a part of the difference: that is what makes colour unreliable.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Float32

from s2reid.world.cameras import Camera
from s2reid.world.patterns import grain
from s2reid.world.raster import NO_AIR, NO_LAMPS, NO_SHADE, Light
from s2reid.world.sensor import GREY

Range = tuple[float, float]
PATTERN = 128
"""Texels along a pattern of shade."""


@dataclass(frozen=True)
class Lighting:
    """A kind of light: the ranges from which a place's light at some time is drawn.

    `sun` is the strength of the distant lamp, `climb` how steep it is, `warmth` how orange (below 0: how blue); `dome`,
    `tone` and `green` say the same of the sky or of a ceiling's light. `shade` names the pattern that dims the lamp.
    `lamps` counts the lamps nearby, whose colours are those of `kinds`. `fog` is the share of light that a metre of air
    hides, `wet` how much the ground mirrors, and `fade` how much colour a sensor loses for want of light.
    """

    dome: Range
    sun: Range = (0.0, 0.0)
    climb: Range = (0.7, 1.8)
    warmth: Range = (-0.05, 0.12)
    tone: Range = (-0.12, 0.08)
    green: Range = (-0.03, 0.03)
    shade: str = ""
    lamps: tuple[int, int] = (0, 0)
    kinds: tuple[str, ...] = ()
    fog: Range = (0.0, 0.0)
    wet: Range = (0.0, 0.0)
    fade: Range = (0.0, 0.1)


LIGHTS: Mapping[str, Lighting] = {
    "sun": Lighting((0.35, 0.6), (0.7, 1.2), tone=(-0.3, -0.05)),
    "low sun": Lighting((0.2, 0.4), (0.6, 1.1), (0.35, 0.7), warmth=(0.15, 0.5), tone=(-0.3, 0.0)),
    "overcast": Lighting((0.6, 1.1), (0.0, 0.15), tone=(-0.15, 0.05)),
    "rain": Lighting((0.35, 0.7), tone=(-0.2, 0.0), wet=(0.5, 1.0), fog=(0.0, 0.02), fade=(0.0, 0.3)),
    "fog": Lighting((0.5, 1.0), tone=(-0.12, 0.08), fog=(0.012, 0.05), fade=(0.0, 0.2)),
    "open shade": Lighting((0.25, 0.5), tone=(-0.45, -0.15)),
    "roof edge": Lighting((0.3, 0.5), (0.7, 1.2), tone=(-0.35, -0.1), shade="edge"),
    "tree shade": Lighting((0.25, 0.45), (0.6, 1.2), tone=(-0.1, 0.15), green=(0.03, 0.15), shade="leaves"),
    "dusk": Lighting(
        (0.08, 0.2), tone=(-0.5, -0.2), lamps=(0, 2), kinds=("sodium", "led", "tungsten"), fade=(0.1, 0.5)
    ),
    "sodium": Lighting((0.02, 0.06), lamps=(1, 3), kinds=("sodium",), fade=(0.0, 0.5)),
    "street led": Lighting((0.02, 0.06), lamps=(1, 3), kinds=("led", "led", "mercury"), fade=(0.1, 0.7)),
    "mixed night": Lighting(
        (0.02, 0.08),
        lamps=(2, 3),
        kinds=("sodium", "led", "mercury", "neon", "tungsten"),
        wet=(0.0, 0.6),
        fade=(0.0, 0.6),
    ),
    "fluorescent": Lighting((0.4, 0.8), tone=(-0.2, 0.1), green=(0.02, 0.22)),
    "warm hall": Lighting((0.35, 0.7), tone=(0.15, 0.45), lamps=(0, 2), kinds=("tungsten",)),
    "daylight hall": Lighting((0.25, 0.55), (0.2, 0.7), (0.4, 0.9), tone=(-0.25, 0.2), shade="window"),
    "mixed hall": Lighting(
        (0.25, 0.5), tone=(-0.2, 0.3), green=(-0.04, 0.15), lamps=(1, 3), kinds=("led", "tungsten", "mercury", "neon")
    ),
}
LAMPS: Mapping[str, tuple[float, float, float]] = {
    "sodium": (1.0, 0.52, 0.12),
    "led": (0.85, 0.95, 1.15),
    "mercury": (0.7, 1.1, 0.85),
    "tungsten": (1.15, 0.8, 0.45),
    "neon": (0.8, 0.35, 1.0),
}
"""Linear RGB of what a lamp gives."""


@lru_cache(maxsize=1)
def _patterns() -> Mapping[str, tuple[Float32[np.ndarray, "s s"], ...]]:
    """Draw what may dim the sun: leaves, the edge of a roof, and the bars of a window; 1 lets all of it pass."""
    rng = np.random.default_rng(2024)
    y, x = np.mgrid[0:PATTERN, 0:PATTERN] / PATTERN
    fields = [np.clip(0.5 + 2.0 * (grain(rng, k)[::2, ::2] + 0.2), 0.06, 1) for k in (3, 4, 5)]
    edges = [np.clip(0.5 + 12 * (np.abs(x - 0.5) - width), 0, 1) for width in (0.15, 0.25, 0.33)]
    bars = [np.clip(3 * np.abs(np.sin(k * np.pi * x)) - 0.6, 0, 1) * (np.abs(y - 0.5) < 0.3) for k in (2, 4)]
    named = {"leaves": fields, "edge": edges, "window": bars}
    return {name: tuple(np.ascontiguousarray(field, np.float32) for field in made) for name, made in named.items()}


def _between(rng: np.random.Generator, span: Range) -> float:
    return float(rng.uniform(*span))


def _tinted(warm: float, green: float) -> Float[np.ndarray, " 3"]:
    return np.array([1 + warm, 1 + green, 1 - warm])


def _draw_shade(
    rng: np.random.Generator, name: str, towards: Float[np.ndarray, " 3"]
) -> tuple[Float32[np.ndarray, "s s"], Float32[np.ndarray, "2 4"]]:
    """Hang a pattern above the ground and project it along the lamp's rays."""
    if not name:
        return NO_SHADE
    patterns, turn = _patterns()[name], rng.uniform(0, 2 * math.pi)
    period = {"leaves": rng.uniform(3, 7), "edge": rng.uniform(7, 14), "window": rng.uniform(3, 6)}[name]
    across = np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]]) / period
    slide = -across @ (towards[:2] / towards[2])
    matrix = np.concatenate([across, slide[:, None], rng.random((2, 1))], 1)
    return patterns[int(rng.integers(len(patterns)))], matrix.astype(np.float32)


def _draw_lamps(rng: np.random.Generator, kind: Lighting) -> Float32[np.ndarray, "l 6"]:
    """Hang lamps around the people, near enough to colour them, each on another side."""
    rows = []
    turn = rng.uniform(0, 2 * math.pi)
    for k in range(int(rng.integers(kind.lamps[0], kind.lamps[1] + 1))):
        angle, away, height = turn + 2.4 * k + rng.normal(0, 0.4), rng.uniform(1.0, 5.0), rng.uniform(2.6, 5.5)
        power = rng.uniform(0.4, 1.0) * (away**2 + height**2)
        colour = (
            power * np.array(LAMPS[kind.kinds[int(rng.integers(len(kind.kinds)))]]) * np.exp(rng.normal(0, 0.08, 3))
        )
        rows.append([away * math.cos(angle), away * math.sin(angle), height, *colour])
    return np.array(rows, np.float32).reshape(-1, 6) if rows else NO_LAMPS


def draw_lighting(rng: np.random.Generator, kind: Lighting) -> Light:
    """Draw the light of a place at some time."""
    towards = np.array([rng.normal() * 0.7, rng.normal() * 0.7, _between(rng, kind.climb)])
    towards /= np.linalg.norm(towards)
    direct = 1.6 * _between(rng, kind.sun) * _tinted(_between(rng, kind.warmth), rng.normal(0, 0.02))
    dome = _between(rng, kind.dome) * _tinted(_between(rng, kind.tone), _between(rng, kind.green))
    fog, wet = _between(rng, kind.fog), _between(rng, kind.wet)
    haze = 0.7 * dome + 0.15 * direct
    return Light(
        towards.astype(np.float32),
        direct.astype(np.float32),
        dome.astype(np.float32),
        *_draw_shade(rng, kind.shade, towards),
        _draw_lamps(rng, kind),
        np.array([*haze, fog, wet], np.float32) if fog or wet else NO_AIR,
    )


def colour_of(light: Light) -> Float[np.ndarray, " 3"]:
    """Say which colour a white thing in the middle of the place has."""
    lamps = light.lamps.astype(float)
    square = (lamps[:, :2] ** 2).sum(1) + (lamps[:, 2] - 1.0) ** 2 + 1
    near = 0.6 * (1 / square) @ lamps[:, 3:]
    passes = float(light.shade[::4, ::4].mean())
    return np.asarray(0.62 * light.dome + 0.38 * passes * light.direct + near, float)


def at_some_time(camera: Camera, rng: np.random.Generator, names: tuple[str, ...], changing: float) -> Camera:
    """Return the same camera at another time: other weather or other lamps, to which it adapts, more or less.

    `changing` scales how far exposure and white balance stray.
    """
    kind = LIGHTS[names[int(rng.integers(len(names)))]]
    light = draw_lighting(rng, kind)
    before, now = colour_of(camera.light), colour_of(light)
    exposure = (before[1] / now[1]) ** rng.uniform(0.85, 1.0) * np.exp(rng.normal(0, 0.2 * changing))
    corrected = rng.beta(1.2, 1.2)
    balance = ((before / before[1]) / (now / now[1])) ** corrected * np.exp(rng.normal(0, 0.09 * changing, 3))
    fade = _between(rng, kind.fade) * changing
    matrix = camera.sensor.matrix * (exposure * balance)
    matrix = ((1 - fade) * matrix + fade * (GREY @ matrix)).astype(np.float32)
    # What is dark is amplified, and its noise with it.
    noise = camera.sensor.noise * min(2.5, max(1.0, (0.25 / now[1]) ** 0.5))
    sensor = replace(camera.sensor, matrix=matrix, noise=min(0.1, noise))
    shutter = camera.shutter * min(2.0, max(0.25, (0.35 / now[1]) ** 0.5))
    return replace(camera, light=light, sensor=sensor, shutter=float(shutter))
