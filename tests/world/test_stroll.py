"""People who stroll: at their speed, within the walls, around things and each other."""

import math

import numpy as np
import pytest

from s2reid.world import surveillance
from s2reid.world.stroll import BODY, REACH, STEP, TURN, Ground, Route, stroll

SPEEDS = np.linspace(0.8, 1.6, 12)


@pytest.fixture(scope="module", params=range(3))
def strolled(request: pytest.FixtureRequest):
    scene = surveillance.recording(seed=request.param).world().scene(0)
    return scene, stroll(np.random.default_rng(request.param), scene, SPEEDS, 60.0)


def test_everybody_keeps_their_speed_and_turns_like_a_person(strolled) -> None:
    _, track = strolled
    assert track.shape == (12, 602, 3)
    steps = np.hypot(*np.moveaxis(np.diff(track[:, :, :2], axis=1), 2, 0))
    np.testing.assert_allclose(steps, np.tile(SPEEDS[:, None] * STEP, (1, 601)), rtol=1e-6)
    assert np.abs(np.diff(track[:, :, 2], axis=1)).max() <= TURN * STEP + 1e-9
    assert (np.ptp(track[:, :, :2], axis=1).max(1) > 3).all()  # nobody circles on the spot


def test_nobody_walks_through_walls_or_things(strolled) -> None:
    scene, track = strolled
    ground = Ground(scene)
    places = track[:, :, :2].reshape(-1, 2)
    assert np.hypot(places[:, 0], places[:, 1]).max() < REACH + 2
    for normal, offset in zip(ground.normals, ground.offsets):
        assert (places @ normal > offset - 0.6).mean() > 0.995  # the wall itself is 0.6 farther
    for x, y, radius in ground.things:
        inside = np.hypot(places[:, 0] - x, places[:, 1] - y) < max(0.1, radius - BODY - 0.1)
        assert inside.mean() < 0.005


def test_people_rarely_bump_into_each_other(strolled) -> None:
    _, track = strolled
    gaps = np.hypot(*np.moveaxis(track[:, None, :, :2] - track[None, :, :, :2], 3, 0))
    apart = gaps[~np.eye(12, dtype=bool)]
    assert (apart < 0.35).mean() < 0.003


def test_a_route_is_where_its_places_say() -> None:
    places = np.array([[0.0, 0, 0], [0.1, 0, 0], [0.1, 0.1, math.pi / 2]])
    route = Route(0.0, 0.0, 0.0, 1.0, 0.0, places)
    assert route.at(0.0) == (0, 0, 0)
    assert route.at(0.1) == (0.1, 0, 0)
    assert route.at(0.15) == pytest.approx((0.1, 0.05, math.pi / 4))
    assert route.at(7.0) == (0.1, 0.1, math.pi / 2)
