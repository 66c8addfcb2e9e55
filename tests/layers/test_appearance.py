"""Appearance-preserving convolution against loops over frames, neighbours and positions."""

import pytest
import torch
from torch.nn import functional

from s2reid.layers.appearance import AlignedTime, Alignment, register

CHANNELS, T, H, W = 32, 3, 3, 2


def module(seed=0):
    """Build the layer in double precision, with a kernel over time that does something."""
    torch.manual_seed(seed)
    layer = AlignedTime(CHANNELS).double()
    torch.nn.init.normal_(layer.temporal.weight)
    return layer


def maps(clips=2, seed=1):
    return torch.randn(clips * T, CHANNELS, H, W, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def kernel(convolution):
    return convolution.weight[:, :, 0, 0]


def attended(layer, frame, neighbour, y, x):
    """The mean of a neighbour's positions for one position of a frame, then its contrastive attention."""
    semantic = kernel(layer.semantic)
    own = semantic @ frame[:, y, x]
    likeness = []
    for v in range(H):
        for u in range(W):
            other = semantic @ neighbour[:, v, u]
            likeness.append(4 * (own @ other) / (own.norm() * other.norm()))
    total = sum(torch.exp(value) for value in likeness)
    moved = sum(torch.exp(value) / total * neighbour[:, i // W, i % W] for i, value in enumerate(likeness))
    product = (kernel(layer.of_frame) @ frame[:, y, x].detach()) * (kernel(layer.of_neighbour) @ moved.detach())
    return moved * torch.sigmoid(kernel(layer.attention) @ product)


def by_loops(layer, maps):
    out = torch.zeros_like(maps)
    before, own, after = kernel(layer.temporal).split(CHANNELS, 1)
    for n in range(len(maps)):
        for y in range(H):
            for x in range(W):
                value = own @ maps[n, :, y, x]
                if n % T > 0:
                    value = value + before @ attended(layer.alignment, maps[n], maps[n - 1], y, x)
                if n % T < T - 1:
                    value = value + after @ attended(layer.alignment, maps[n], maps[n + 1], y, x)
                out[n, :, y, x] = value
    return out


def test_value_and_gradient_are_those_of_loops():
    layer, x = module(), maps().requires_grad_()
    wave = torch.randn(x.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    inputs = {"maps": x, **dict(layer.named_parameters())}
    found, expected = layer(x, T), by_loops(layer, x)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-11)
    grads = [torch.autograd.grad((value * wave).sum(), inputs.values()) for value in (found, expected)]
    assert len(inputs) == 6
    for name, one, other in zip(inputs, *grads):
        assert one.abs().sum() > 0, name
        torch.testing.assert_close(one, other, rtol=1e-7, atol=1e-10)


def test_the_kernel_is_one_over_time_with_stride_3():
    layer, x = module(), maps()
    previous, following = layer.alignment(x, T)
    frames = torch.stack([previous, x, following], 1).view(2, 3 * T, CHANNELS, H, W).transpose(1, 2)
    weight = layer.temporal.weight.view(CHANNELS, 3, CHANNELS, 1, 1).transpose(1, 2)
    expected = functional.conv3d(frames, weight, stride=(3, 1, 1)).transpose(1, 2).flatten(0, 1)
    torch.testing.assert_close(layer(x, T), expected, rtol=1e-9, atol=1e-11)


def test_it_starts_at_zero():
    assert torch.equal(AlignedTime(CHANNELS)(maps().float(), T), torch.zeros(2 * T, CHANNELS, H, W))


def test_a_frame_alone_and_the_ends_of_a_clip_have_no_neighbour():
    alignment = Alignment(CHANNELS).double()
    x = maps()
    for found in alignment(x, 1):
        assert torch.equal(found, torch.zeros_like(x))
    previous, following = (found.unflatten(0, (2, T)) for found in alignment(x, T))
    assert not previous[:, 0].any()
    assert not following[:, -1].any()
    assert previous[:, 1:].abs().min() > 0 < following[:, :-1].abs().min()


def test_a_moved_person_is_moved_back():
    """Six positions that look different, shuffled in the next frame: each is found again."""
    order = torch.tensor([3, 1, 5, 0, 4, 2])
    alike = torch.eye(6).expand(1, 2, 6, 6).clone()
    maps = torch.randn(1, 2, 6, 7, generator=torch.Generator().manual_seed(0))
    alike[:, 1], maps[:, 1] = alike[:, 1][:, order], maps[:, 0][:, order]
    previous, following = register(alike, maps, temperature=50.0)
    torch.testing.assert_close(following[:, 0], maps[:, 0])
    torch.testing.assert_close(previous[:, 1], maps[:, 1])


def test_where_a_neighbours_positions_are_does_not_matter():
    layer, x = module(), maps(clips=1)
    shuffled = x.clone()
    shuffled[2] = x[2].flatten(1)[:, [4, 0, 3, 5, 1, 2]].view_as(x[2])
    torch.testing.assert_close(layer(shuffled, T)[:2], layer(x, T)[:2], rtol=1e-9, atol=1e-11)
    assert not torch.allclose(layer(shuffled, T)[2], layer(x, T)[2])


@pytest.mark.parametrize("clip", [0, 1])
def test_clips_do_not_see_each_other(clip):
    layer, x = module(), maps()
    found = layer(x[T * clip : T * clip + T], T)
    torch.testing.assert_close(found, layer(x, T)[T * clip : T * clip + T], rtol=1e-9, atol=1e-11)
