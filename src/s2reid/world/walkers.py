"""Who walks where before a camera: the person of a tracklet, passers-by, company, and people who cross."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from s2reid.world.cameras import Camera, CameraStyle
from s2reid.world.figure import Figure
from s2reid.world.render import Stage
from s2reid.world.scene import ROOM, Walk

NEAREST = 2.5
"""Metres from a camera to the way of its person, at least."""


@dataclass(frozen=True)
class Walker:
    """A figure on its way, at a phase of its gait when the clock starts."""

    figure: Figure
    walk: Walk
    phase: float


def advance(stage: Stage, walkers: Sequence[Walker], seconds: float) -> None:
    """Put everybody where they are after some time; walker k is the stage's figure k."""
    for k, walker in enumerate(walkers):
        x, y, heading = walker.walk.at(seconds)
        per_metre = walker.figure.gait.phase_per_metre(walker.figure.leg)
        stage.place(k, walker.phase + walker.walk.speed * seconds * per_metre, x, y, heading)


def send(rng: np.random.Generator, camera: Camera, style: CameraStyle, figure: Figure, duration: float) -> Walker:
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


def keep_before(camera: Camera, target: Walker, duration: float) -> Walker:
    """Move a walk away from the camera, where it would come too near."""
    walk, (eye_x, eye_y) = target.walk, camera.eye[:2].tolist()
    points = [walk.at(share * duration) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    far = math.hypot(eye_x, eye_y)
    short = NEAREST - min(math.hypot(x - eye_x, y - eye_y) for x, y, _ in points)
    is_past = max(x * eye_x + y * eye_y for x, y, _ in points) >= far * far
    if short <= 0 and not is_past:
        return target
    back = (max(short, 0.0) + 1.5 * is_past) / far
    return replace(target, walk=replace(walk, x=walk.x - back * eye_x, y=walk.y - back * eye_y))


def join(rng: np.random.Generator, camera: Camera, target: Walker, figure: Figure, duration: float) -> Walker:
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


def accompany(rng: np.random.Generator, target: Walker, figure: Figure, place: int) -> Walker:
    """Send somebody with the target, side by side at the same speed; `place` counts who is with it already."""
    side = 1 if place % 2 else -1
    aside, behind = side * (0.55 + 0.6 * (place // 2) + 0.15 * rng.random()), rng.normal(0, 0.15)
    walk = target.walk
    c, s = math.cos(walk.heading), math.sin(walk.heading)
    x, y = walk.x - behind * c - aside * s, walk.y - behind * s + aside * c
    return Walker(figure, Walk(x, y, walk.heading, walk.speed, walk.turn), rng.uniform(0, 2 * math.pi))


def cross(rng: np.random.Generator, camera: Camera, target: Walker, figure: Figure, duration: float) -> Walker:
    """Send somebody across the view, between the camera and the target at some moment."""
    moment = duration * rng.uniform(0.2, 0.8)
    x, y, _ = target.walk.at(moment)
    eye = camera.eye[:2].astype(float)
    away = float(np.hypot(eye[0] - x, eye[1] - y))
    step = min(rng.uniform(0.5, 2.5), 0.5 * away) / away
    x, y = x + step * (eye[0] - x), y + step * (eye[1] - y)
    heading = math.atan2(eye[1], eye[0]) + rng.choice([-1, 1]) * math.pi / 2 + rng.normal(0, 0.3)
    back = figure.gait.speed * moment
    walk = Walk(x - back * math.cos(heading), y - back * math.sin(heading), heading, figure.gait.speed, 0.0)
    return Walker(figure, walk, rng.uniform(0, 2 * math.pi))


def gather(
    rng: np.random.Generator,
    camera: Camera,
    company: float,
    target: Walker,
    figures: Sequence[Figure],
    duration: float,
) -> list[Walker]:
    """Send others near the target: a share `company` walks with it, some cross, the rest goes its own way."""
    if not company:
        return [join(rng, camera, target, figure, duration) for figure in figures]
    walkers: list[Walker] = []
    together = 0
    for figure in figures:
        chance = rng.random()
        if chance < company:
            walkers.append(accompany(rng, target, figure, together))
            together += 1
        elif chance < company + 0.2:
            walkers.append(cross(rng, camera, target, figure, duration))
        else:
            walkers.append(join(rng, camera, target, figure, duration))
    return walkers
