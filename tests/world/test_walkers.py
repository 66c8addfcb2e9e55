"""Company, people who cross, and walks that stay before the camera."""

import math
from dataclasses import replace

import numpy as np
import pytest

from s2reid.world import film, presets, walkers
from s2reid.world.cameras import Camera
from s2reid.world.figure import Figure
from s2reid.world.scene import Walk
from s2reid.world.walkers import Walker


@pytest.fixture(scope="module")
def world() -> film.World:
    return film.World(presets.sized(presets.find("svreid-large"), 4, 2, 32), 0)


@pytest.fixture(scope="module")
def figure(world: film.World) -> Figure:
    return world.person(0)


@pytest.fixture(scope="module")
def camera(world: film.World) -> Camera:
    return world.camera(0)[0]


@pytest.fixture
def target(figure: Figure) -> Walker:
    return Walker(figure, Walk(0.5, -0.3, heading=0.7, speed=1.2, turn=0.2), 0.0)


def test_company_walks_side_by_side(target: Walker, figure: Figure) -> None:
    rng = np.random.default_rng(0)
    places = [walkers.accompany(rng, target, figure, place) for place in range(4)]
    for moment in (0.0, 2.0):
        x, y, heading = target.walk.at(moment)
        sides = []
        for walker in places:
            own_x, own_y, own = walker.walk.at(moment)
            assert own == heading
            assert walker.walk.speed == target.walk.speed
            sides.append((own_y - y) * math.cos(heading) - (own_x - x) * math.sin(heading))
            assert 0.4 < math.hypot(own_x - x, own_y - y) < 2.0
        if moment == 0:
            assert sorted(np.sign(sides)) == [-1, -1, 1, 1]
            assert min(abs(side) for side in sides) >= 0.55


def test_who_crosses_hides_the_target_at_some_moment(target: Walker, figure: Figure, camera: Camera) -> None:
    for seed in range(10):
        other = walkers.cross(np.random.default_rng(seed), camera, target, figure, 3.0)
        apart = []
        for moment in np.linspace(0, 3, 301):
            (x, y, _), (own_x, own_y, _) = target.walk.at(moment), other.walk.at(moment)
            to_target, to_other = np.array([x, y]) - camera.eye[:2], np.array([own_x, own_y]) - camera.eye[:2]
            is_nearer = np.linalg.norm(to_other) < np.linalg.norm(to_target)
            turn = math.atan2(to_other[1], to_other[0]) - math.atan2(to_target[1], to_target[0])
            apart.append(abs(math.remainder(turn, 2 * math.pi)) if is_nearer else 9.0)
        assert min(apart) < 0.02


def test_a_walk_is_moved_out_of_the_camera(target: Walker, camera: Camera) -> None:
    eye = camera.eye[:2].astype(float)
    far = float(np.linalg.norm(eye))
    outwards = replace(target.walk, x=0.0, y=0.0, heading=math.atan2(eye[1], eye[0]), speed=far / 2, turn=0.0)
    kept = walkers.keep_before(camera, replace(target, walk=outwards), 3.0)
    assert kept.walk.heading == outwards.heading
    assert (kept.walk.x - outwards.x) * eye[0] + (kept.walk.y - outwards.y) * eye[1] < 0
    still = replace(target, walk=replace(target.walk, x=0.0, y=0.0, speed=0.0))
    assert walkers.keep_before(camera, still, 3.0) == still
    near = replace(still, walk=replace(still.walk, x=float(0.95 * eye[0]), y=float(0.95 * eye[1])))
    moved = walkers.keep_before(camera, near, 3.0).walk
    assert math.hypot(moved.x - eye[0], moved.y - eye[1]) == pytest.approx(walkers.NEAREST)


def test_company_is_a_share_of_the_others(target: Walker, figure: Figure, camera: Camera) -> None:
    rng = np.random.default_rng(0)
    others = walkers.gather(rng, camera, 0.4, target, [figure] * 300, 2.0)
    together = [other for other in others if other.walk.turn == target.walk.turn]
    assert len(others) == 300
    assert len(together) / 300 == pytest.approx(0.4, abs=0.07)
    assert len(walkers.gather(rng, camera, 0.0, target, [figure] * 3, 2.0)) == 3
