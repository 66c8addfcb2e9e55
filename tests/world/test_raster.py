"""The compiled loops against the same thing said slowly."""

import numpy as np
import pytest

from s2reid.world import raster, sensor, shading
from s2reid.world.gait import BONES, PARENTS


def solid(vertices: np.ndarray, faces: np.ndarray) -> raster.Solid:
    points = np.asarray(vertices, np.float32)
    return raster.Solid(
        points,
        np.tile(np.array([0, 0, 1], np.float32), (len(points), 1)),
        np.zeros((len(points), 2), np.float32),
        np.asarray(faces, np.int32),
        np.zeros(len(faces), np.int32),
    )


def test_no_angle_leaves_every_bone_where_it_rests() -> None:
    pivots = np.random.default_rng(0).normal(size=(BONES, 3))
    matrices = np.empty((BONES, 3, 4), np.float32)
    raster.chain_bones(np.zeros((BONES, 3)), pivots, PARENTS, np.zeros(4), matrices)
    # The root alone is moved: over the origin of the ground, at its own height.
    rest = np.tile(np.eye(3, 4), (BONES, 1, 1))
    rest[:, :2, 3] -= pivots[0, :2]
    np.testing.assert_allclose(matrices, rest, atol=1e-6)


def test_bones_are_rotations_about_their_pivots() -> None:
    rng = np.random.default_rng(1)
    pivots, angles = rng.normal(size=(BONES, 3)), rng.normal(size=(BONES, 3))
    matrices = np.empty((BONES, 3, 4), np.float32)
    raster.chain_bones(angles, pivots, PARENTS, np.array([1.0, 2.0, 0.5, 0.3]), matrices)
    for bone in range(1, BONES):
        turn = matrices[bone, :, :3]
        np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-5)
        assert np.linalg.det(turn) == pytest.approx(1, abs=1e-5)
        ends = [matrices[k] @ [*pivots[bone], 1] for k in (bone, PARENTS[bone])]  # a joint holds both its bones
        np.testing.assert_allclose(ends[0], ends[1], atol=1e-4)


def test_skin_blends_two_bones_as_the_definition_says() -> None:
    rng = np.random.default_rng(2)
    rest, normals = rng.normal(size=(2, 7, 3)).astype(np.float32)
    bones, weights = rng.integers(0, 4, (7, 2)).astype(np.int32), rng.random(7).astype(np.float32)
    matrices = rng.normal(size=(4, 3, 4)).astype(np.float32)
    target = solid(np.zeros((9, 3)), np.zeros((1, 3)))
    raster.skin(rest, normals, bones, weights, matrices, target, 2)
    for i in range(7):
        blend = matrices[bones[i, 0]] * (1 - weights[i]) + matrices[bones[i, 1]] * weights[i]
        np.testing.assert_allclose(target.vertices[2 + i], blend @ [*rest[i], 1], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(target.normals[2 + i], blend[:, :3] @ normals[i], rtol=1e-4, atol=1e-5)
    assert not target.vertices[:2].any()


def test_project_divides_by_depth_and_marks_what_is_behind() -> None:
    matrix = np.array([[100, 0, 32, 0], [0, 100, 16, 0], [0, 0, 1, 0]], np.float32)
    screen = np.empty((2, 3), np.float32)
    raster.project(np.array([[1, 2, 4], [1, 2, -4]], np.float32), matrix, screen)
    np.testing.assert_allclose(screen[0], [32 + 25, 16 + 50, 0.25])
    assert screen[1, 2] < 0
    assert raster.bounds(screen) == (7.0, -34.0, 57.0, 66.0)


def test_rasterise_agrees_with_a_point_in_triangle_loop() -> None:
    rng = np.random.default_rng(3)
    size, faces = 24, np.arange(60).reshape(20, 3).astype(np.int32)
    screen = np.concatenate([rng.uniform(-4, size + 4, (60, 2)), rng.uniform(0.1, 1, (60, 1))], 1).astype(np.float32)
    depth, face = np.zeros((size, size), np.float32), np.full((size, size), -1, np.int32)
    weights = np.zeros((size, size, 2), np.float32)
    raster.rasterise(screen, faces, depth, face, weights, False)
    checked = 0
    for y in range(size):
        for x in range(size):
            best, margin = (0.0, -1), 1.0
            for k, (a, b, c) in enumerate(screen[faces].astype(float)):
                edges = np.array([[a[0] - c[0], b[0] - c[0]], [a[1] - c[1], b[1] - c[1]]])
                if np.linalg.det(edges) >= 0:
                    continue
                u, v = np.linalg.solve(edges, np.array([x + 0.5, y + 0.5]) - c[:2])
                shares = np.array([u, v, 1 - u - v])
                margin = min(margin, np.abs(shares).min())
                if (shares >= 0).all() and shares @ [a[2], b[2], c[2]] > best[0]:
                    best = (shares @ [a[2], b[2], c[2]], k)
            if margin > 1e-3:  # away from edges, where rounding decides
                checked += 1
                assert face[y, x] == best[1]
                assert depth[y, x] == pytest.approx(best[0], abs=1e-4)
    assert checked > 400


def test_faces_seen_from_behind_or_behind_the_camera_are_not_drawn() -> None:
    screen = np.array([[1, 1, 1], [7, 1, 1], [1, 7, 1]], np.float32)
    for corners, nearness in (([0, 1, 2], 1), ([0, 2, 1], -1)):
        depth, face = np.zeros((8, 8), np.float32), np.full((8, 8), -1, np.int32)
        seen = screen * np.array([1, 1, nearness], np.float32)
        raster.rasterise(seen, np.array([corners], np.int32), depth, face, np.zeros((8, 8, 2), np.float32), False)
        assert (face == -1).all()


def test_sample_is_bilinear_and_clamped() -> None:
    textures = np.zeros((2, 4, 4, 3), np.uint8)
    textures[1, :, :, 0] = [[0, 100, 200, 255]] * 4
    assert shading.sample(textures, 1, np.float32(0.5), np.float32(0.5))[0] == pytest.approx(150 / 255, abs=1e-5)
    assert shading.sample(textures, 1, np.float32(0.125), np.float32(0.1))[0] == pytest.approx(0, abs=1e-5)
    assert shading.sample(textures, 0, np.float32(0.5), np.float32(0.5)) == (0, 0, 0)


def test_a_ray_meets_the_nearest_plane_that_faces_it_and_flies_over_low_walls() -> None:
    planes = np.array([[0, 0, 1, 0], [1, 0, 0, -5], [-1, 0, 0, -5]], np.float32)
    backdrop = raster.Backdrop(
        planes,
        np.array([1e9, 2, 2], np.float32),
        np.ones(3, np.float32),
        np.zeros((3, 4, 4, 3), np.uint8),
        np.zeros(3, np.float32),
    )
    eye = np.array([0, 0, 3], np.float32)
    cases = {(-1, 0, -0.3): (5.0, 1), (0, 0, -1): (3.0, 0), (1, 0, -0.3): (5.0, 2), (-1, 0, 0.3): (1e9, -1)}
    for ray, (distance, plane) in cases.items():
        found = shading.hit_backdrop(backdrop, eye, *np.array(ray, np.float32))
        assert found[0] == pytest.approx(distance, rel=1e-5)
        assert found[1] == plane


@pytest.mark.parametrize("is_vertical", [True, False])
@pytest.mark.parametrize("num_taps", [1, 3, 7])
def test_convolve_repeats_the_border(is_vertical: bool, num_taps: int) -> None:
    rng = np.random.default_rng(4)
    image, taps = rng.random((9, 8, 3), np.float32), rng.random(num_taps, np.float32)
    axis, reach = (0 if is_vertical else 1), num_taps // 2
    padding = [(0, 0)] * 3
    padding[axis] = (reach, reach)
    padded = np.pad(image, padding, mode="edge")
    slow = sum(taps[i] * np.take(padded, range(i, i + image.shape[axis]), axis) for i in range(num_taps))
    np.testing.assert_allclose(sensor.convolve(image, taps, is_vertical), slow, rtol=1e-5)


def test_noise_is_a_function_of_seed_and_pixel() -> None:
    grey = np.full((16, 12, 3), 0.5, np.float32)
    images = [sensor.quantise(grey, np.float32(0.05), np.uint64(seed)) for seed in (7, 7, 8)]
    np.testing.assert_array_equal(images[0], images[1])
    assert (images[0] != images[2]).mean() > 0.5
    assert images[0].mean() == pytest.approx(128, abs=3)
    np.testing.assert_array_equal(sensor.quantise(grey, np.float32(0), np.uint64(1)), 128)


def test_brighter_light_is_never_shown_darker() -> None:
    curve = sensor.tone_curve(2.2, 0.0, np.array([0, 0.1, 0.2], np.float32))
    light = np.linspace(0, 8, 200, dtype=np.float32)[None, :, None].repeat(3, 2).copy()
    sensor.expose(light, np.eye(3, dtype=np.float32), curve)
    assert (np.diff(light[0], axis=0) >= -1e-6).all()
    np.testing.assert_allclose(light[0, 0], [0, 0.1, 0.2], atol=1e-6)  # haze lifts black
    np.testing.assert_allclose(light[0, -1], 1, atol=1e-3)


def test_a_grey_matrix_keeps_grey_grey() -> None:
    for saturation in (0.0, 0.5, 1.4):
        matrix = sensor.colour_matrix(0.8, np.ones(3, np.float32), saturation, np.zeros((3, 3), np.float32))
        np.testing.assert_allclose(matrix @ np.ones(3), 0.8, rtol=1e-5)
