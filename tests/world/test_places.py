"""Cameras, scenes, props and walks."""

import math
from dataclasses import replace

import numpy as np
import pytest

from s2reid.world import cameras, presets, props, scene, surfaces


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
    assert len(painted) == 12 + 4 + 4 + 4 + 6
    assert len(stood) == 10 + 4 + 4 + 4 + 7
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
        place = scene.draw_scene(rng, style)
        eye = np.array([8.0, 0.0, 3.0])
        clear = scene.clear_view(place, eye, rng)
        kept, dropped = kept + len(clear), dropped + len(place.props) - len(clear)
        for prop in place.props:
            assert math.hypot(prop.x, prop.y) >= scene.ROOM + 1
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
    for name in ("noise", "blur", "quality", "sharpening", "smear"):
        assert len({getattr(camera.sensor, name) for camera in drawn}) > 5, name
    pitch = [math.asin(-camera.turn[2, 2]) for camera in drawn]
    assert max(pitch) - min(pitch) > 0.3


def test_another_time_keeps_the_place_and_moves_the_light() -> None:
    camera = draw(0)
    later = cameras.at_another_time(camera, np.random.default_rng(3))
    np.testing.assert_array_equal(camera.matrix, later.matrix)
    assert not np.allclose(camera.sensor.matrix, later.sensor.matrix)
