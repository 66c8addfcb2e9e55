"""What a network says of images that it has no weights for."""

import pytest
import torch

from s2reid.layers.fixed import check_size


@pytest.mark.parametrize(("height", "width"), [(16, 32), (32, 8), (64, 32)])
def test_any_other_size_is_refused(height, width):
    wanted = f"PSTA was built for images of 32x16 pixels and found {height}x{width}: it counts; keep one size, or build"
    with pytest.raises(ValueError, match=wanted):
        check_size("PSTA", torch.zeros(1, 2, 3, height, width), (32, 16), "it counts")


def test_its_own_size_is_not():
    check_size("PSTA", torch.zeros(1, 2, 3, 32, 16), (32, 16), "it counts")
