"""The light of a place: what lamps, shade, fog and wet ground do, and how a camera answers."""

import math
from dataclasses import replace

import numpy as np
import pytest

from s2reid.world import film, lights, presets, render, shading
from s2reid.world.presets import Planned
from s2reid.world.raster import Light

RED_LAMP = np.array([[0.0, 0.0, 3.0, 9.0, 3.0, 0.0]], np.float32)


def light_of(name: str, seed: int = 0) -> Light:
    return lights.draw_lighting(np.random.default_rng(seed), lights.LIGHTS[name])


def f32(*numbers: float) -> tuple[np.float32, ...]:
    return tuple(np.float32(number) for number in numbers)


@pytest.fixture(scope="module")
def scene() -> render.Stage:
    world = film.World(presets.sized(presets.find("svreid-large"), 4, 2, 64), 0)
    camera, place, _ = world.camera(3)
    stage = render.Stage(camera, place, (), [world.person(0)])
    stage.place(0, 1.0, 0.0, 0.0, 0.5)
    return stage


def shoot(stage: render.Stage, **light: np.ndarray) -> np.ndarray:
    """Shoot the person and the ground around it in another light."""
    before = stage.camera
    dark = {"direct": np.zeros(3, np.float32), "dome": np.full(3, 0.5, np.float32)}
    stage.camera = replace(before, light=Light(before.light.direction, **(dark | light)))
    left, top, right, bottom = stage.bounds(0)
    shot = stage.shoot((left - 20, top - 10, right + 20, bottom + 10), 96, 64)
    stage.camera = before
    return shot.light


def test_every_kind_of_light_lights() -> None:
    assert len(lights.LIGHTS) == 16
    for name, kind in lights.LIGHTS.items():
        for seed in range(5):
            light = light_of(name, seed)
            assert all(np.isfinite(part).all() and part.dtype == np.float32 for part in light)
            assert (light.dome > 0).all()
            assert (light.direct >= 0).all()
            assert (len(light.shade) > 1) == bool(kind.shade)
            assert kind.lamps[0] <= len(light.lamps) <= kind.lamps[1]
            assert (light.air[4] > 0) == (light.air[4] >= kind.wet[0] and kind.wet[1] > 0)
            assert np.linalg.norm(light.direction) == pytest.approx(1, abs=1e-5)
    assert {lamp for kind in lights.LIGHTS.values() for lamp in kind.kinds} == {*lights.LAMPS}


def test_a_lamp_gives_less_with_the_square_of_the_distance() -> None:
    """Straight below, at 2 m and at 1 m: the colour over the square, one more (no lamp is a point)."""
    for height, share in ((1.0, 1 / 5), (2.0, 1 / 2)):
        facing = 0.3 + 0.7 * (3 - height) * math.sqrt(share)
        found = shading.lamplight(RED_LAMP, *f32(0, 0, height, 0, 0, 1))
        np.testing.assert_allclose(found, RED_LAMP[0, 3:] * share * facing, rtol=1e-5)
    assert shading.lamplight(RED_LAMP, *f32(0, 0, 1, 0, 0, -1)) == (0, 0, 0)
    assert shading.lamplight(RED_LAMP[:0], *f32(0, 0, 1, 0, 0, 1)) == (0, 0, 0)


def test_a_pattern_of_shade_repeats_and_is_blended() -> None:
    pattern = np.array([[0.0, 1.0], [0.5, 0.5]], np.float32)
    matrix = np.array([[1, 0, 0, 0], [0, 1, 0, 0]], np.float32)
    for x, y, share in (
        (0, 0, 0.0),
        (0.5, 0, 1.0),
        (0.25, 0, 0.5),
        (0, 0.5, 0.5),
        (0.25, 0.25, 0.5),
        (0.5, 0.25, 0.75),
    ):
        for turn in (-2, 0, 3):
            found = shading.shaded(*f32(x + turn, y - turn, 1.0), matrix, pattern)
            assert found == pytest.approx(share, abs=1e-5)


def test_shade_dims_the_sun_and_nothing_else(scene: render.Stage) -> None:
    sun = np.full(3, 1.0, np.float32)
    matrix = np.ones((2, 4), np.float32)
    lit = shoot(scene, direct=sun)
    np.testing.assert_allclose(shoot(scene, direct=sun, shade=np.ones((2, 2), np.float32), shade_matrix=matrix), lit)
    shaded = shoot(scene, direct=sun, shade=np.zeros((2, 2), np.float32), shade_matrix=matrix)
    hidden = shoot(scene)
    ground_and_person = shaded < lit - 0.01
    assert ground_and_person.mean() > 0.3
    np.testing.assert_allclose(shaded[ground_and_person], hidden[ground_and_person], rtol=1e-4)


def test_lamps_colour_what_is_near(scene: render.Stage) -> None:
    gain = shoot(scene, lamps=RED_LAMP) - shoot(scene)
    assert gain.min() > -1e-5
    assert gain[..., 0].mean() > 2 * gain[..., 1].mean() > 0.01
    assert abs(gain[..., 2]).max() < 1e-6


def test_fog_hides_more_the_thicker_it_is(scene: render.Stage) -> None:
    colour = (0.4, 0.5, 0.6)
    away = [
        np.abs(shoot(scene, air=np.array([*colour, thick, 0], np.float32)) - colour).mean()
        for thick in (1e-6, 0.02, 0.1, 10.0)
    ]
    assert away == sorted(away, reverse=True)
    assert away[-1] < 0.01


def test_wet_ground_changes_and_people_do_not(scene: render.Stage) -> None:
    dry, rained = shoot(scene), shoot(scene, air=np.array([0, 0, 0, 0, 1], np.float32))
    left, top, right, bottom = scene.bounds(0)
    window = (left - 20, top - 10, right + 20, bottom + 10)
    person = scene.examine(window, scene.shoot(window, 96, 64))[0].mask
    changed = (dry != rained).any(-1)
    assert changed[~person].mean() > 0.5
    assert changed[person].mean() < 0.1


def test_wet_ground_mirrors_a_lamp_where_the_ray_turns_up() -> None:
    """The eye is 2 m high and 5 m away from the lamp, which is 3 m high: the mirror is 2 m from the eye."""
    eye = np.array([5.0, 0.0, 2.0], np.float32)
    mirrored = shading.glint(RED_LAMP, eye, *f32(3, 0))
    np.testing.assert_allclose(mirrored, 0.2 * RED_LAMP[0, 3:], rtol=1e-4)
    along, across = (shading.glint(RED_LAMP, eye, *f32(x, y))[0] for x, y in ((2, 0), (3, 1)))
    assert mirrored[0] > along > across > 0


def test_the_same_camera_sees_other_colours_at_another_time() -> None:
    """A grey card in the middle of the place: its brightness stays usable, its hue strays far."""
    world = film.World(presets.find("svreid-large"), 0)
    camera, place, _ = world.camera(5)
    cards = []
    for seed in range(80):
        later = lights.at_some_time(camera, np.random.default_rng(seed), tuple(lights.LIGHTS), 1.0)
        np.testing.assert_array_equal(later.matrix, camera.matrix)
        assert 0 < later.sensor.noise <= 0.1
        cards.append(later.sensor.matrix @ lights.colour_of(later.light))
    usual = camera.sensor.matrix @ lights.colour_of(camera.light)
    ratio = np.log(np.clip(cards, 1e-3, None) / usual)
    assert np.abs(ratio[:, 1]).max() < 1.5
    assert (ratio[:, 0] - ratio[:, 2]).std() > 0.15
    one, other = (lights.at_some_time(camera, np.random.default_rng(7), ("sun",), 1.0) for _ in range(2))
    np.testing.assert_array_equal(one.sensor.matrix, other.sensor.matrix)
    assert place.kind is not None


def test_all_cameras_of_a_scene_have_one_weather() -> None:
    world = film.World(presets.sized(presets.find("svreid"), 4, 2, 64), 0)
    days = []
    for day in (0, 1):
        views = [next(world.watch(index, (), [0.0], day)) for index in (4, 5)]
        for one, other in zip(views[0].camera.light, views[1].camera.light):
            np.testing.assert_array_equal(one, other)
        assert (views[0].camera.eye != views[1].camera.eye).any()
        days.append(views[0].camera.light.dome)
    assert (days[0] != days[1]).any()


def test_light_changes_between_the_tracklets_of_a_camera() -> None:
    world = film.World(presets.sized(presets.find("svreid-large"), 4, 1, 64), 0)
    domes = {tuple(next(world.shots(Planned(k, 0, 0, 3))).camera.light.dome.tolist()) for k in range(5)}
    assert len(domes) == 5
