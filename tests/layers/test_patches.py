"""Patches of three shapes and the motion in them against loops, and the fit of public weights."""

import math

import pytest
import torch

from s2reid.layers.patches import Patches, motion, resized, sines

SIZE, WIDTH = (12, 8), 5


def pixels(clips=2, frames=3):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(clips, frames, 3, *SIZE, dtype=torch.float64, generator=generator).requires_grad_()


def motion_by_loops(x):
    out = torch.zeros_like(x)
    for clip in range(len(x)):
        for frame in range(x.shape[1]):
            for channel in range(3):
                before, now = x[clip, max(0, frame - 1), channel], x[clip, frame, channel]
                exponentials = torch.exp(before - now)
                out[clip, frame, channel] = exponentials / sum(exponentials.flatten())
    return out


def patches_by_loops(layer, images, moved, patch, stride):
    """Cut, project, place: one token at a time, in reading order."""
    tokens = []
    for image, change in zip(images, moved):
        rows = []
        for top in range(0, SIZE[0] - patch[0] + 1, stride[0]):
            for left in range(0, SIZE[1] - patch[1] + 1, stride[1]):
                cut = (slice(None), slice(top, top + patch[0]), slice(left, left + patch[1]))
                what = torch.stack([(kernel * image[cut]).sum() for kernel in layer.proj.weight]) + layer.proj.bias
                how = torch.stack([(kernel * change[cut]).sum() for kernel in layer.motion.weight]) + layer.motion.bias
                where = layer.position[top // stride[0], left // stride[1]]
                rows.append(what + where + torch.exp(how) / torch.exp(how).sum())
        tokens.append(torch.stack(rows))
    return torch.stack(tokens)


def check(found, expected, leaves):
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-12)
    weights = torch.randn(found.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    gradients = [torch.autograd.grad((value * weights).sum(), leaves) for value in (found, expected)]
    torch.testing.assert_close(*gradients, rtol=1e-8, atol=1e-12)
    return len(gradients[0])


def test_motion_is_that_of_loops():
    x = pixels()
    assert check(motion(x), motion_by_loops(x), [x]) == 1
    assert torch.allclose(motion(x)[:, 0], torch.tensor(1 / 96, dtype=torch.float64))


@pytest.mark.parametrize(
    ("patch", "stride", "tokens"), [((4, 4), (3, 3), 6), ((8, 4), (4, 2), 6), ((4, 8), (3, 5), 3), ((4, 4), (4, 4), 6)]
)
def test_tokens_are_those_of_loops(patch, stride, tokens):
    torch.manual_seed(0)
    layer = Patches(WIDTH, SIZE, patch, stride).double()
    images = pixels().flatten(0, 1).detach().requires_grad_()
    moved = (40 * motion(pixels())).flatten(0, 1).detach().requires_grad_()
    with torch.no_grad():
        layer.motion.weight.mul_(2)  # no longer the copy that it starts as
    found, expected = layer(images, moved), patches_by_loops(layer, images, moved, patch, stride)
    assert found.shape == (6, tokens, WIDTH)
    assert check(found, expected, [images, moved, *layer.parameters()]) == 7


def test_the_motion_kernel_starts_as_a_copy():
    layer = Patches(WIDTH, SIZE, (4, 4), (3, 3))
    assert torch.equal(layer.proj.weight, layer.motion.weight)
    assert layer.proj.weight.data_ptr() != layer.motion.weight.data_ptr()


def test_sines_are_those_of_loops_and_no_two_places_are_alike():
    found = sines(5, 3, 16)
    for row in range(5):
        for column in range(3):
            y, x = (-1 + 2 * row / 4) * math.pi / 2, (-1 + 2 * column / 2) * math.pi / 2
            paces = [2.0**number for number in range(4)]
            waves = [wave(place * pace) for place in (y, x) for wave in (math.sin, math.cos) for pace in paces]
            torch.testing.assert_close(found[row, column], torch.tensor(waves), atol=1e-5, rtol=1e-5)
    apart = torch.cdist(found.view(15, 16), found.view(15, 16)) + 9 * torch.eye(15)
    assert apart.min() > 1
    with pytest.raises(ValueError, match="sines and cosines of rows and columns, and 6 is no multiple of 4"):
        sines(5, 3, 6)


def test_positions_begin_as_noise_or_as_waves():
    small, high = Patches(8, SIZE, (4, 4), (3, 3)), Patches(8, SIZE, (4, 4), (3, 3), waves=2.0)
    assert 0.005 < small.position.std() < 0.04
    torch.testing.assert_close(high.position.detach(), 2 * sines(3, 2, 8))
    assert high.position.requires_grad


def test_public_weights_of_the_same_shape_stay():
    layer = Patches(WIDTH, SIZE, (4, 4), (4, 4))
    kernel, position = torch.randn(WIDTH, 3, 4, 4), torch.randn(1, 1 + 3 * 3, WIDTH)
    assert torch.equal(resized(kernel, layer.proj.weight), kernel)
    square = Patches(WIDTH, (12, 12), (4, 4), (4, 4))
    torch.testing.assert_close(resized(position, square.position), position[0, 1:].view(3, 3, WIDTH))


def test_public_weights_are_resized_bilinearly():
    layer = Patches(WIDTH, SIZE, (8, 4), (4, 4))  # 2 x 2 tokens
    flat = torch.full((WIDTH, 3, 4, 4), 2.0)
    assert torch.equal(resized(flat, layer.proj.weight), torch.full((WIDTH, 3, 8, 4), 2.0))
    ramp = torch.arange(4.0).view(4, 1, 1).expand(4, 4, WIDTH).reshape(1, 16, WIDTH)  # the row's number
    grid = resized(torch.cat([torch.full((1, 1, WIDTH), 99.0), ramp], 1), layer.position)
    # Two rows, whose middles lie between rows 0 and 1 and between rows 2 and 3; the class token's 99 is gone.
    torch.testing.assert_close(grid, torch.tensor([0.5, 2.5]).view(2, 1, 1).expand(2, 2, WIDTH))


@pytest.mark.parametrize("shape", [(1, 9, WIDTH), (1, 1, WIDTH), (2, 10, WIDTH), (10, WIDTH), (WIDTH,)])
def test_what_is_no_square_of_positions_stays_as_it_is(shape):
    layer, odd = Patches(WIDTH, SIZE, (4, 4), (3, 3)), torch.zeros(shape)
    assert resized(odd, layer.position) is odd
