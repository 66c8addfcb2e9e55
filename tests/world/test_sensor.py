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
