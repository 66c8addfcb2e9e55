"""People who stroll about a place for minutes, around each other and around what stands there."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from s2reid.world.scene import Scene, Walk

STEP = 0.1
"""Seconds from one place of a route to the next."""
REACH, MARGIN = 8.0, 0.6
"""Metres: how far people stray from the middle of the place, and how near they come to its walls."""
NEAR, BODY = 1.3, 0.45
"""Metres at which people begin to avoid each other, and how far from a thing the middle of a body stays."""
ARRIVED, FAR = 1.2, 3.0
TURN = 2.0
"""Radians a second that a person turns at most."""


@dataclass(frozen=True)
class Route(Walk):
    """A walk with a place (x, y, heading) every `STEP` seconds; it ends at its last place.

    >>> Route(0.0, 0.0, 0.0, 10.0, 0.0, places=np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 0]])).at(0.05)
    (0.5, 0.0, 0.0)
    """

    places: Float[np.ndarray, "s 3"]

    def at(self, seconds: float) -> tuple[float, float, float]:
        k = min(int(seconds / STEP), len(self.places) - 2)
        share = min(seconds / STEP - k, 1.0)
        x, y, heading = (1 - share) * self.places[k] + share * self.places[k + 1]
        return float(x), float(y), float(heading)


class Ground:
    """Where people can walk: a disc, within the walls, around the things that stand there."""

    def __init__(self, scene: Scene) -> None:
        planes = scene.backdrop.planes.astype(float)
        walls = planes[np.abs(planes[:, 2]) < 0.5]
        self.normals, self.offsets = walls[:, :2], walls[:, 3] + MARGIN
        things = [(prop.x, prop.y, prop.width + BODY) for prop in scene.props]
        self.things = np.array(things, float).reshape(-1, 3)

    def draw(self, rng: np.random.Generator, away: Float[np.ndarray, " 2"] | None = None) -> Float[np.ndarray, " 2"]:
        """Draw a free place, some way from `away`; the middle where there is none."""
        for _ in range(200):
            radius, angle = REACH * math.sqrt(rng.random()), rng.uniform(0, 2 * math.pi)
            place = np.array([radius * math.cos(angle), radius * math.sin(angle)])
            is_far = away is None or np.hypot(*(place - away)) > FAR
            if is_far and (self.push(place[None]) == 0).all():
                return place
        return np.zeros(2)

    def push(self, places: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 2"]:
        """Return how strongly walls and things push people away, and which way; 0 where nothing is near."""
        room = places @ self.normals.T - self.offsets
        push = np.maximum(0, 1 - room / MARGIN) @ self.normals
        for x, y, radius in self.things:
            gap = places - (x, y)
            distance = np.maximum(np.hypot(gap[:, 0], gap[:, 1]), 1e-6)[:, None]
            push += 2 * np.maximum(0, 1 + BODY - distance / radius) * gap / distance
        return push


def stroll(
    rng: np.random.Generator, scene: Scene, speeds: Float[np.ndarray, " n"], seconds: float
) -> Float[np.ndarray, "n s 3"]:
    """Let people with given speeds walk from place to place: x, y and heading of each, every `STEP` seconds."""
    ground, num = Ground(scene), len(speeds)
    places = np.stack([ground.draw(rng) for _ in range(num)])
    goals = np.stack([ground.draw(rng, place) for place in places])
    headings = rng.uniform(-math.pi, math.pi, num)
    track = np.empty((num, math.ceil(seconds / STEP) + 2, 3))
    for k in range(track.shape[1]):
        track[:, k, :2], track[:, k, 2] = places, headings
        way = goals - places
        away = np.hypot(way[:, 0], way[:, 1])
        wanted = way / np.maximum(away, 1e-6)[:, None] + _avoid(places) + ground.push(places)
        turn = np.arctan2(wanted[:, 1], wanted[:, 0]) - headings
        turn = (turn + math.pi) % (2 * math.pi) - math.pi
        headings = headings + np.clip(turn, -TURN * STEP, TURN * STEP)
        places = places + (speeds * STEP)[:, None] * np.stack([np.cos(headings), np.sin(headings)], 1)
        for person in np.flatnonzero(away < ARRIVED):
            goals[person] = ground.draw(rng, places[person])
    return track


def _avoid(places: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 2"]:
    """Push people apart who come near each other, and a little to the right, so that they pass."""
    gap = places[:, None] - places[None]
    distance = np.maximum(np.hypot(gap[..., 0], gap[..., 1]), 1e-6)
    strength = 2 * np.maximum(0, 1 - distance / NEAR) / distance
    np.fill_diagonal(strength, 0)
    push = (strength[..., None] * gap).sum(1)
    return push + 0.5 * np.stack([push[:, 1], -push[:, 0]], 1)
