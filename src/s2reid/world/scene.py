"""Places: ground, walls and props, and who walks where."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, UInt8

from s2reid.world.props import OUTDOOR, Prop, draw_prop, paint_props
from s2reid.world.raster import Backdrop
from s2reid.world.surfaces import GROUNDS, WALLS, paint_surface

Range = tuple[float, float]
ENDLESS = 1e9
NOWHERE = 1e6
LOW, SLENDER = 1.0, 0.3
"""What hides a person up to here, or looks half as wide as this, leaves enough to see (metres)."""
BULKY = ("car", "truck", "shelter", "stairs")
"""Too large to stand near people, or before a camera."""
ROOM = 2.0
"""People walk through a disc of this radius (metres) around the middle of a scene; props stay out of it."""


@dataclass(frozen=True)
class SceneType:
    """A kind of place: what it is made of, how wide it is, what light falls into it and how people go through it.

    Lengths in metres: walls stand `sides` away along the way that people take and `ends` away across it (`NOWHERE`:
    there are none); they are `tops` high, or reach the `ceiling` indoors. `lights` are names of `lights.LIGHTS`;
    `crowd` is how many others are near, `reach` how far a camera stands at most, `spread` how far people stray from
    the way (radians).
    """

    name: str
    grounds: tuple[str, ...]
    walls: tuple[str, ...]
    props: tuple[str, ...]
    lights: tuple[str, ...]
    is_indoor: bool = False
    sides: Range = (2.8, 12.0)
    ends: Range = (8.0, 30.0)
    tops: Range = (2.5, 14.0)
    ceiling: Range = (2.8, 3.4)
    num_props: tuple[int, int] = (4, 9)
    crowd: Range = (0.0, 1.5)
    reach: float = 22.0
    spread: float = 0.5


@dataclass(frozen=True)
class SceneStyle:
    """What the places of a domain are made of; an indoor share of 1 makes every place a hall with a ceiling.

    A style with `types` takes each place from one of them; what it is made of lists everything that they have then.
    The share `occluded` of the cameras of such a style have something stand between them and the people.
    """

    grounds: tuple[str, ...] = GROUNDS
    walls: tuple[str, ...] = WALLS
    props: tuple[str, ...] = OUTDOOR
    indoor: float = 0.2
    num_walls: tuple[int, int] = (1, 4)
    num_props: tuple[int, int] = (2, 9)
    is_snowy: bool = False
    types: tuple[SceneType, ...] = ()
    occluded: float = 0.0


@dataclass(frozen=True)
class Scene:
    """A place: endless planes with textures, and props that share one texture.

    A place of a type has a `way` that people mostly take (radians).
    """

    backdrop: Backdrop
    props: tuple[Prop, ...]
    texture: UInt8[np.ndarray, "s s 3"]
    is_indoor: bool
    kind: SceneType | None = None
    way: float = 0.0


@dataclass(frozen=True)
class Walk:
    """A walk at a personal speed: where it is after `seconds`, and which way it goes (radians).

    >>> Walk(0.0, 0.0, heading=0.0, speed=1.5, turn=0.0).at(2.0)
    (3.0, 0.0, 0.0)
    """

    x: float
    y: float
    heading: float
    speed: float
    turn: float

    def at(self, seconds: float) -> tuple[float, float, float]:
        """Return x, y and heading; `turn` radians a second bend the path into an arc."""
        heading = self.heading + self.turn * seconds
        middle = self.heading + 0.5 * self.turn * seconds
        bend = float(np.sinc(0.5 * self.turn * seconds / math.pi)) if self.turn else 1.0
        step = self.speed * seconds * bend
        return self.x + step * math.cos(middle), self.y + step * math.sin(middle), heading


class Plane(NamedTuple):
    """A ground, a wall or a ceiling: (normal, offset), where it ends, texture repeats a metre, what it is made of."""

    equation: tuple[float, float, float, float]
    top: float
    scale: float
    kind: str


def _draw_planes(rng: np.random.Generator, style: SceneStyle, is_indoor: bool) -> list[Plane]:
    turn = rng.uniform(0, 2 * math.pi)
    planes = [Plane((0.0, 0.0, 1.0, 0.0), ENDLESS, _between(rng, 0.15, 0.5), str(rng.choice(style.grounds)))]
    for k in range(int(rng.integers(style.num_walls[0], style.num_walls[1] + 1))):
        angle = turn + k * math.pi / 2 + rng.normal(0, 0.15)
        equation = (math.cos(angle), math.sin(angle), 0.0, -rng.uniform(2.8, 12.0))
        top = ENDLESS if is_indoor else rng.uniform(1.0, 14.0)
        planes.append(Plane(equation, top, _between(rng, 0.12, 0.45), str(rng.choice(style.walls))))
    if is_indoor:
        planes.append(Plane((0.0, 0.0, -1.0, -rng.uniform(3.2, 5.0)), ENDLESS, 0.25, "panels"))
    return planes


def _between(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(math.log(low), math.log(high))))


def _draw_typed_planes(rng: np.random.Generator, style: SceneStyle, kind: SceneType, way: float) -> list[Plane]:
    """Put walls along the way that people take, and across it."""
    grounds, walls = _of(kind.grounds, style.grounds), _of(kind.walls, style.walls)
    planes = [Plane((0.0, 0.0, 1.0, 0.0), ENDLESS, _between(rng, 0.15, 0.5), str(rng.choice(grounds)))]
    both = str(rng.choice(walls))
    for k in range(min(4, style.num_walls[1])):
        angle, (near, far) = way + (k + 1) * math.pi / 2 + rng.normal(0, 0.03), (kind.sides, kind.ends)[k % 2]
        if near >= NOWHERE or (not kind.is_indoor and rng.random() < 0.25):
            continue
        top = ENDLESS if kind.is_indoor else rng.uniform(*kind.tops)
        wall = both if rng.random() < 0.5 else str(rng.choice(walls))
        equation = (math.cos(angle), math.sin(angle), 0.0, -_between(rng, near, far))
        planes.append(Plane(equation, top, _between(rng, 0.16, 0.4), wall))
    if kind.is_indoor:
        planes.append(Plane((0.0, 0.0, -1.0, -rng.uniform(*kind.ceiling)), ENDLESS, 0.25, "panels"))
    return planes


def _of(own: tuple[str, ...], allowed: tuple[str, ...]) -> tuple[str, ...]:
    """Keep what a style allows of a type's own things, or take what the style has."""
    return tuple(name for name in own if name in allowed) or allowed


def draw_place(rng: np.random.Generator, style: SceneStyle, kind: SceneType) -> Scene:
    """Draw a place of a type; a style that has no walls or fewer things leaves them out."""
    way = rng.uniform(-math.pi, math.pi)
    backdrop = _paint(rng, _draw_typed_planes(rng, style, kind, way))
    props = []
    for _ in range(min(int(rng.integers(kind.num_props[0], kind.num_props[1] + 1)), style.num_props[1])):
        prop, angle = str(rng.choice(kind.props)), rng.uniform(0, 2 * math.pi)
        away = ROOM + (2.5 if prop in BULKY else 1.0) + rng.exponential(2.5)
        props.append(draw_prop(rng, prop, away * math.cos(angle), away * math.sin(angle)))
    return Scene(backdrop, tuple(props), paint_props(rng), kind.is_indoor, kind, way)


def stand_before(rng: np.random.Generator, kind: SceneType, eye: Float[np.ndarray, " 3"]) -> Prop:
    """Stand something between the eye and the people that hides a part of them: a low thing, or a slender one."""
    reach = float(np.hypot(eye[0], eye[1]))
    for _ in range(6):
        along = rng.uniform(0.2, 0.6)
        aside = rng.normal(0, 1.0) * (1 - along)
        x, y = along * eye[0] - aside * eye[1] / reach, along * eye[1] + aside * eye[0] / reach
        prop = draw_prop(rng, str(rng.choice(kind.props)), float(x), float(y))
        # What the thing's top hides of a person in the middle, and how wide it looks there.
        hidden = eye[2] - (eye[2] - prop.height) / (1 - along)
        if hidden < LOW or prop.width / (1 - along) < SLENDER:
            return prop
    return draw_prop(rng, "pole", 0.4 * float(eye[0]), 0.4 * float(eye[1]))


def _paint(rng: np.random.Generator, planes: list[Plane]) -> Backdrop:
    return Backdrop(
        np.array([plane.equation for plane in planes], np.float32),
        np.array([plane.top for plane in planes], np.float32),
        np.array([plane.scale for plane in planes], np.float32),
        np.stack([(np.clip(paint_surface(rng, plane.kind), 0, 1) * 255).astype(np.uint8) for plane in planes]),
        (np.array([0.5, 0.56, 0.66]) * rng.uniform(0.5, 1.3)).astype(np.float32),
    )


def draw_scene(rng: np.random.Generator, style: SceneStyle) -> Scene:
    """Draw a place: its ground, walls around the middle, perhaps a ceiling, and props outside the walking disc."""
    is_indoor = bool(rng.random() < style.indoor)
    backdrop = _paint(rng, _draw_planes(rng, style, is_indoor))
    props = []
    for _ in range(int(rng.integers(style.num_props[0], style.num_props[1] + 1))):
        kind, angle = str(rng.choice(style.props)), rng.uniform(0, 2 * math.pi)
        away = ROOM + (2.3 if kind == "car" else 1.0) + 5 * rng.random()
        props.append(draw_prop(rng, kind, away * math.cos(angle), away * math.sin(angle)))
    return Scene(backdrop, tuple(props), paint_props(rng, is_snowy=style.is_snowy), is_indoor)


def clear_view(scene: Scene, eye: Float[np.ndarray, " 3"], rng: np.random.Generator) -> tuple[Prop, ...]:
    """Keep the props that do not block the way from `eye` to the people; a thin or a low one may stand in it."""
    kept = []
    reach = float(np.hypot(eye[0], eye[1]))
    for prop in scene.props:
        along = (prop.x * eye[0] + prop.y * eye[1]) / reach
        aside = abs(prop.x * eye[1] - prop.y * eye[0]) / reach
        is_before = along > 0 and aside < prop.width + 1.2 * max(0.2, 1 - along / reach)
        may_occlude = (prop.width < 0.2 or prop.height < 1.0) and along < 0.6 * reach and rng.random() < 0.5
        if not is_before or may_occlude:
            kept.append(prop)
    return tuple(kept)
