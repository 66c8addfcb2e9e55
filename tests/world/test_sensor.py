"""What only the cameras of stand-ins do to a picture."""

import numpy as np
import pytest

from s2reid.world import sensor


def picture() -> np.ndarray:
    return np.random.default_rng(0).random((20, 16, 3)).astype(np.float32)


def test_bleeding_moves_colour_and_keeps_brightness() -> None:
    image = picture()
    bled = sensor.bleed(image, 3.0)
    np.testing.assert_allclose(bled @ sensor.GREY, image @ sensor.GREY, atol=1e-5)
    assert (bled - (bled @ sensor.GREY)[..., None]).std() < 0.5 * (image - (image @ sensor.GREY)[..., None]).std()


@pytest.mark.parametrize(("pixels", "whole", "part"), [(1.0, 1, 0.0), (0.25, 0, 0.25), (2.5, 2, 0.5)])
def test_a_fringe_moves_red_and_blue_apart(pixels: float, whole: int, part: float) -> None:
    image = np.zeros((3, 15, 3), np.float32)
    image[:, 7] = 1
    moved = sensor.fringe(image, pixels)[1]
    red, blue = np.zeros(15), np.zeros(15)
    red[7 + whole], red[8 + whole] = 1 - part, part
    blue[7 - whole], blue[6 - whole] = 1 - part, part
    np.testing.assert_allclose(moved[:, 0], red, atol=1e-6)
    np.testing.assert_allclose(moved[:, 2], blue, atol=1e-6)
    np.testing.assert_array_equal(moved[:, 1], image[1, :, 1])


def test_flicker_dims_whole_rows_within_its_share() -> None:
    image = picture() + 0.1
    ratio = sensor.flicker(image, 0.1, seed=5) / image
    np.testing.assert_allclose(ratio, np.broadcast_to(ratio[:, :1, :1], ratio.shape), rtol=1e-5)
    assert 0.9 <= ratio.min() < 0.92
    assert 1.08 < ratio.max() <= 1.1001
    assert (sensor.flicker(image, 0.1, seed=6) != sensor.flicker(image, 0.1, seed=5)).any()


# What worn and cheap systems do


def test_rows_share_a_noise() -> None:
    image = picture()
    added = sensor.band(image, 0.02, seed=3) - image
    np.testing.assert_allclose(added, np.broadcast_to(added[:, :1, :1], added.shape), atol=1e-6)
    assert 0.005 < np.abs(added).max() <= 0.0341
    assert np.unique(added[:, 0, 0].round(5)).size == len(image)
    assert (sensor.band(image, 0.02, seed=4) != sensor.band(image, 0.02, seed=3)).any()


def test_only_what_moves_smears() -> None:
    """One bright pixel that moves is spread over three; the one that stands still stays."""
    image = np.zeros((2, 9, 3), np.float32)
    image[:, 4] = 0.9
    moving = np.zeros((2, 9), bool)
    moving[0, 4] = True
    smeared = sensor.drag(image, moving, 3)[..., 0]
    np.testing.assert_allclose(smeared[0], [0, 0, 0, 0.3, 0.9, 0.3, 0, 0, 0], atol=1e-6)
    np.testing.assert_array_equal(smeared[1], image[1, :, 0])


@pytest.mark.parametrize("height", [2, 3, 7, 8])
def test_a_lost_field_is_made_from_its_neighbours(height: int) -> None:
    image = np.random.default_rng(1).random((height, 4, 3)).astype(np.float32)
    merged = image.copy()
    sensor.merge_fields(merged)
    for row in range(height):
        is_lost = row % 2 == 1 and row + 1 < height
        expected = 0.5 * (image[row - 1] + image[row + 1]) if is_lost else image[row]
        np.testing.assert_allclose(merged[row], expected, atol=1e-6)


def plain(**changes: object) -> sensor.Sensor:
    matrix = sensor.colour_matrix(1.0, np.ones(3, np.float32), 1.0, np.zeros((3, 3), np.float32))
    values = {"noise": 0.0, "blur": 0.0, "smear": 0, "sharpening": 0.0, "quality": 0} | changes
    return sensor.Sensor(matrix=matrix, curve=sensor.tone_curve(2.2, 0.0, np.zeros(3, np.float32)), **values)


def test_coding_twice_at_a_low_rate_leaves_blocks() -> None:
    wave = np.sin(np.arange(60)[:, None] / 5) * np.cos(np.arange(48) / 4)
    image = (128 + 100 * wave[..., None] * np.ones(3)).astype(np.uint8)
    once, twice = (sensor.recode(image, plain(quality=20, codings=count), seed=0o7654321) for count in (1, 2))
    assert once.shape == twice.shape == image.shape
    assert 1 < np.abs(once.astype(int) - image).mean() < 20
    assert (once != twice).any()
    assert (sensor.recode(image, plain(quality=20, codings=2), seed=1) != twice).mean() > 0.2


def test_exposure_can_be_stretched() -> None:
    light = np.full((4, 4, 3), 0.2, np.float32)
    usual, long = (int(sensor.develop(light.copy(), plain(), 0, gain).mean()) for gain in (1.0, 2.0))
    assert usual == sensor.develop(2 * light, plain(), 0, 0.5).mean()
    assert usual + 20 < long
