"""What is true of a frame: boxes, masks, visible shares and joints."""

import numpy as np
import pytest

from s2reid.world import film, joints, presets, render
from s2reid.world import gait as g
from s2reid.world.presets import Planned
from s2reid.world.scene import Walk


@pytest.fixture(scope="module")
def world() -> film.World:
    return film.World(presets.sized(presets.find("svreid-large"), 6, 4, 96), 0)


@pytest.fixture
def stage(world: film.World) -> render.Stage:
    camera, place, _ = world.camera(3)
    made = render.Stage(camera, place, (), [world.person(k) for k in (0, 1)])
    made.place(0, 1.0, 0.0, 0.0, 0.5)
    away = camera.eye[:2] * -0.6
    made.place(1, 1.0, float(away[0]), float(away[1]), 0.5)
    return made


def wide(box: render.Window) -> render.Window:
    left, top, right, bottom = box
    return left - 10, top - 10, right + 10, bottom + 10


def test_joints_hang_on_their_bones(world: film.World) -> None:
    figure = world.person(0)
    assert len(joints.NAMES) == len(joints.BONES) == 17
    assert joints.NAMES[:3] == ("nose", "left_eye", "right_eye")
    assert joints.NAMES[-1] == "right_ankle"
    still = np.tile(np.eye(3, 4, dtype=np.float32), (g.BONES, 1, 1))
    points = dict(zip(joints.NAMES, joints.posed(figure.pivots, still)))
    np.testing.assert_allclose(points["left_knee"], figure.pivots[g.SHIN_L])
    assert points["nose"][2] > points["left_shoulder"][2] > points["left_elbow"][2] > points["left_wrist"][2]
    for name, point in points.items():
        side = np.sign(point[1]) if name != "nose" else 0
        assert side == {"l": 1, "r": -1, "n": 0}[name[0]]


def test_who_stands_alone_is_seen_whole(stage: render.Stage) -> None:
    window = wide(stage.bounds(0))
    seen = stage.examine(window, stage.shoot(window, 120, 60))[0]
    assert seen.share > 0.95
    assert seen.box == stage.bounds(0)
    left, top, right, bottom = seen.box
    inside = (seen.joints >= (left, top)) & (seen.joints <= (right, bottom))
    assert inside.all()
    assert seen.is_clear.sum() >= 10
    rows, _ = np.nonzero(seen.mask)
    assert rows.max() - rows.min() + 1 == pytest.approx(120 * (bottom - top) / (window[3] - window[1]), abs=3)


def test_a_window_without_legs_shows_half(stage: render.Stage) -> None:
    left, top, right, bottom = stage.bounds(0)
    window = (left, top, right, 0.5 * (top + bottom))
    seen = stage.examine(window, stage.shoot(window, 60, 60))[0]
    assert 0.35 < seen.share < 0.75
    clear = dict(zip(joints.NAMES, seen.is_clear))
    assert not clear["left_ankle"]
    assert not clear["right_ankle"]
    assert seen.joints[-1, 1] > window[3]


def test_who_stands_behind_somebody_is_hidden(stage: render.Stage) -> None:
    near = 0.5 * stage.camera.eye[:2] / np.linalg.norm(stage.camera.eye[:2])
    stage.place(1, 1.0, float(near[0]), float(near[1]), 0.5)
    window = wide(stage.bounds(0))
    shot = stage.shoot(window, 120, 60)
    hidden, other = stage.examine(window, shot, (0, 1))
    assert hidden.share < 0.5
    assert not (hidden.mask & other.mask).any()
    assert hidden.is_clear.sum() < 9
    assert hidden.mask.sum() == pytest.approx(shot.visible[0] / render.SAMPLES**2, abs=60)


def test_frames_tell_what_they_show(world: film.World) -> None:
    planned = Planned(2, 1, 0, 3)
    frames = list(world.shots(planned))
    crops = list(world.film(planned))
    assert len(frames) == len(crops) == 4
    for frame, crop in zip(frames, crops):
        np.testing.assert_array_equal(frame.crop, crop)
        assert frame.seen is not None
        mask, points = frame.mask(), frame.joints()
        assert mask.shape == (96, 48)
        assert points.shape == (17, 2)
        clear = points[frame.seen.is_clear].astype(int)
        near = [mask[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2].any() for x, y in clear]
        assert np.mean(near) > 0.9
    assert all(frame.seen is None for frame in world.shots(planned, is_examined=False))


def test_a_whole_image_shows_everybody(world: film.World) -> None:
    people = [film.Walker(world.person(k), Walk(1.2 * k - 1.2, 0.0, 0.5, 1.0, 0.0), 0.0) for k in range(3)]
    views = list(world.watch(3, people, [0.0, 0.4]))
    height, width = views[0].camera.image
    assert [view.seconds for view in views] == [0.0, 0.4]
    for view in views:
        assert view.image.shape == (height, width, 3)
        assert view.window == (-width / 2, -height / 2, width / 2, height / 2)
        assert len(view.seen) == 3
        assert sum(seen.share > 0.3 for seen in view.seen) >= 2
        assert all(seen.mask.shape == (height, width) for seen in view.seen)
    assert views[0].seen[0].box != views[1].seen[0].box
    again = next(world.watch(3, people, [0.0]))
    np.testing.assert_array_equal(again.image, views[0].image)


def test_everybody_casts_a_shadow_on_a_wide_stage(world: film.World) -> None:
    camera, place, _ = world.camera(3)
    made = render.Stage(camera, place, (), [world.person(k) for k in (0, 1)], is_wide=True)
    assert made.shadow.shape == (render.WIDE * render.SHADOW_SIZE,) * 2
    made.place(0, 0.0, 0.0, 0.0, 0.0)
    made.place(1, 0.0, 4.0, 3.0, 0.0)
    light = camera.light._replace(direct=np.ones(3, np.float32))
    made.camera = film.replace(camera, light=light)
    made.shoot(wide(made.bounds(1)), 64, 32)
    both = (made.shadow > 0).sum()
    made.num_cast = len(made.figures[0].mesh.faces)
    made.shoot(wide(made.bounds(1)), 64, 32)
    assert 1.5 < both / (made.shadow > 0).sum() < 3
