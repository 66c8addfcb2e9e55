"""Cameras, scenes, props, walks and kinds of places."""

import math
from dataclasses import replace

import numpy as np
import pytest

from s2reid.world import cameras, facades, film, lights, places, presets, props, scene, surfaces


def test_every_surface_and_prop_of_every_preset_is_made() -> None:
    painted, stood = set(), set()
    for preset in presets.PRESETS.values():
        for style in [setting.places for setting in preset.settings] or [preset.places]:
            painted |= {*style.grounds, *style.walls}
            stood |= {*style.props}
    for kind in painted:
        surface = surfaces.paint_surface(np.random.default_rng(1), kind)
        assert surface.shape == (surfaces.GRAIN, surfaces.GRAIN, 3)
        assert np.isfinite(surface).all()
        assert surface.std() > 0.01
    for kind in stood:
        prop = props.draw_prop(np.random.default_rng(1), kind, 3.0, -2.0)
        assert np.isfinite(prop.mesh.vertices).all()
        away = np.hypot(prop.mesh.vertices[:, 0] - 3.0, prop.mesh.vertices[:, 1] + 2.0)
        assert away.max() < 1.5 * prop.width + 0.1
        assert prop.mesh.vertices[:, 2].max() == pytest.approx(prop.height, abs=0.01)
    assert len(painted) == 12 + 22 + 4 + 4 + 4 + 6
    assert {*facades.PAINTERS, *surfaces.GROUNDS, *surfaces.WALLS} <= painted
    assert len(stood) == 10 + 20 + 4 + 4 + 4 + 7
    assert stood == {*props.MODELS}


def test_snow_is_white() -> None:
    plain, snowy = (props.paint_props(np.random.default_rng(0), is_snowy=snows) for snows in (False, True))
    size = len(plain) // 4
    assert (plain[size:] == snowy[size:]).all()
    assert snowy[:size, :size].mean() > 200


def test_props_stay_out_of_the_way() -> None:
    style, kept, dropped = presets.find("svreid-large").places, 0, 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        place = scene.draw_place(rng, style, style.types[seed])
        eye = np.array([8.0, 0.0, 3.0])
        clear = scene.clear_view(place, eye, rng)
        kept, dropped = kept + len(clear), dropped + len(place.props) - len(clear)
        for prop in place.props:
            assert math.hypot(prop.x, prop.y) >= scene.ROOM + 1 - 1e-6
        for prop in clear:
            stands_before = 0 < prop.x < 8 and abs(prop.y) < prop.width
            assert not stands_before or prop.width < 0.2 or prop.height < 1.0
    assert kept > 20
    assert dropped > 0


def test_a_walk_keeps_its_speed_on_an_arc() -> None:
    path = scene.Walk(0.0, 0.0, heading=0.3, speed=1.2, turn=0.5)
    points = np.array([path.at(t)[:2] for t in np.linspace(0, 4, 4001)])
    assert np.linalg.norm(np.diff(points, axis=0), axis=1).sum() == pytest.approx(4.8, rel=1e-4)
    assert path.at(2.0)[2] == pytest.approx(1.3)


def draw(seed: int, **changes: object) -> cameras.Camera:
    style = replace(presets.find("svreid-large").cameras, **changes)
    return cameras.draw_camera(np.random.default_rng(seed), style, azimuth=1.0, is_indoor=False)


def test_a_camera_sees_the_middle_of_the_scene_at_its_stature() -> None:
    for seed in range(20):
        camera = draw(seed, stature=(100.0, 100.0), height=(1.0, 1.5))
        turn = camera.turn
        np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-6)
        assert np.linalg.det(turn) == pytest.approx(1)
        head, feet = (camera.matrix @ [0, 0, z, 1] for z in (1.72, 0.0))
        assert head[2] > 0
        height = feet[1] / feet[2] - head[1] / head[2]
        assert 80 < height < 115
        assert abs(head[0] / head[2]) < 60


def test_cameras_differ_in_every_respect() -> None:
    drawn = [draw(seed) for seed in range(60)]
    for name in ("focal", "heading", "spread", "aspect", "loose", "jitter", "crowd"):
        assert len({getattr(camera, name) for camera in drawn}) == 60, name
    for name in ("noise", "blur", "quality", "sharpening", "banded", "shrunk"):
        assert len({getattr(camera.sensor, name) for camera in drawn}) > 5, name
    pitch = [math.asin(-camera.turn[2, 2]) for camera in drawn]
    assert max(pitch) - min(pitch) > 0.3


def test_another_time_keeps_the_place_and_moves_the_light() -> None:
    camera = draw(0)
    later = cameras.at_another_time(camera, np.random.default_rng(3))
    np.testing.assert_array_equal(camera.matrix, later.matrix)
    assert not np.allclose(camera.sensor.matrix, later.sensor.matrix)


# Kinds of places


def test_places_are_of_many_kinds_indoors_and_outdoors() -> None:
    kinds = places.TYPES
    assert len(kinds) == len({kind.name for kind in kinds}) == 18
    assert sum(kind.is_indoor for kind in kinds) == 8
    assert {name for kind in kinds for name in kind.lights} == {*lights.LIGHTS}
    for kind in kinds:
        assert {*kind.grounds} <= {*surfaces.GROUNDS, *facades.GROUNDS}
        assert {*kind.walls} <= {*surfaces.WALLS, *facades.WALLS}
        place = scene.draw_place(np.random.default_rng(2), places.EVERYWHERE, kind)
        assert place.kind is kind
        assert place.is_indoor == kind.is_indoor
        ground, *around = place.backdrop.planes
        assert ground.tolist() == [0, 0, 1, 0]
        ceilings = [plane for plane in around if plane[2] < -0.5]
        assert len(ceilings) == kind.is_indoor
        nearest = min(kind.sides[0], kind.ends[0])
        assert all(-plane[3] >= nearest - 1e-3 for plane in around if abs(plane[2]) < 0.5)


def test_the_scenes_of_a_world_are_of_different_kinds() -> None:
    for seed in (0, 1):
        world = film.World(presets.find("svreid"), seed)
        kinds = [world.scene(index).kind for index in range(5)]
        assert len({kind.name for kind in kinds}) == 5


def test_a_style_leaves_out_what_a_kind_of_place_has() -> None:
    bare = replace(places.EVERYWHERE, num_walls=(0, 0), num_props=(0, 0), grounds=("asphalt",))
    for kind in places.TYPES:
        place = scene.draw_place(np.random.default_rng(0), bare, kind)
        assert len(place.backdrop.planes) == 1 + kind.is_indoor
        assert place.props == ()


def test_what_stands_before_a_camera_hides_a_part_only() -> None:
    """Seen from the eye, its top hides a person in the middle up to the hips at most, or it is slender."""
    num_low = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        eye = np.array([rng.uniform(5, 15), rng.uniform(-5, 5), rng.uniform(1.3, 5)])
        prop = scene.stand_before(rng, places.TYPES[seed % 18], eye)
        along = (prop.x * eye[0] + prop.y * eye[1]) / (eye[0] ** 2 + eye[1] ** 2)
        assert 0.1 < along < 0.7
        hidden = eye[2] - (eye[2] - prop.height) / (1 - along)
        assert hidden < 1.01 or prop.width / (1 - along) < 0.31
        num_low += prop.width > 0.3
    assert num_low > 15


def test_a_camera_of_a_place_looks_along_its_way_from_within_its_reach() -> None:
    corridor = next(kind for kind in places.TYPES if kind.name == "corridor")
    style = replace(places.EVERYWHERE, types=(corridor,))
    world = film.World(replace(presets.find("svreid-large"), places=style), 0)
    for index in range(12):
        camera, place, _ = world.camera(index)
        assert math.hypot(camera.eye[0], camera.eye[1]) <= corridor.reach
        assert min(abs(camera.heading - place.way - turn) for turn in (0, math.pi)) < 1e-6
        assert corridor.crowd[0] <= camera.crowd <= corridor.crowd[1]
