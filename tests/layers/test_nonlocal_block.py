"""The non-local block against loops over positions."""

import pytest
import torch

from s2reid.layers.nonlocal_block import NonLocal

C, H, W = 6, 4, 2


def module(**choices):
    """Build the block in double precision, in evaluation mode, with a norm that does something."""
    torch.manual_seed(0)
    block = NonLocal(C, **choices).double().eval()
    for number in (block.norm.weight, block.norm.bias, block.norm.running_mean):
        torch.nn.init.normal_(number)
    return block


def maps(frames=4, height=H, width=W):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(frames, C, height, width, dtype=torch.float64, generator=generator)


def apply(convolution, vector):
    return convolution.weight[:, :, 0, 0] @ vector + convolution.bias


def keys(block, convolution, frame):
    small = {(y, x): apply(convolution, frame[:, y, x]) for y in range(frame.shape[1]) for x in range(frame.shape[2])}
    if not block.halved:
        return list(small.values())
    corners = [(y, x) for y in range(0, frame.shape[1], 2) for x in range(0, frame.shape[2], 2)]
    cells = [[small[y + j, x + i] for j in (0, 1) for i in (0, 1) if (y + j, x + i) in small] for y, x in corners]
    return [torch.stack(cell).amax(0) for cell in cells]


def by_loops(block, maps, t):
    out = maps.clone()
    for n in range(len(maps)):
        clip = range(n - n % t, n - n % t + t)
        key = [one for frame in clip for one in keys(block, block.phi, maps[frame])]
        value = [one for frame in clip for one in keys(block, block.g, maps[frame])]
        for y in range(maps.shape[2]):
            for x in range(maps.shape[3]):
                query = apply(block.theta, maps[n, :, y, x])
                products = [query @ one for one in key]
                weights = [product / len(key) for product in products]
                if block.weights == "softmax":
                    total = sum(torch.exp(product) for product in products)
                    weights = [torch.exp(product) / total for product in products]
                found = apply(block.out, sum(weight * one for weight, one in zip(weights, value)))
                norm = block.norm
                scaled = (found - norm.running_mean) / (norm.running_var + norm.eps).sqrt() * norm.weight + norm.bias
                out[n, :, y, x] = maps[n, :, y, x] + scaled
    return out


@pytest.mark.parametrize("t", [1, 2])
@pytest.mark.parametrize(
    "choices", [{}, {"weights": "mean", "halved": False, "inner": 1}, {"halved": False}], ids=["3-D", "mean", "whole"]
)
def test_value_and_gradient_are_those_of_loops(choices, t):
    block, x = module(**choices), maps().requires_grad_()
    wave = torch.randn(x.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    inputs = {"maps": x, **dict(block.named_parameters())}
    found, expected = block(x, t), by_loops(block, x, t)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-11)
    grads = [torch.autograd.grad((value * wave).sum(), inputs.values()) for value in (found, expected)]
    assert len(inputs) == 11
    for one, other in zip(*grads):
        torch.testing.assert_close(one, other, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 2), (3, 2), (5, 3)])
def test_an_odd_map_keeps_its_last_row_and_column(height, width):
    block, x = module(), maps(2, height, width)
    torch.testing.assert_close(block(x, 2), by_loops(block, x, 2), rtol=1e-9, atol=1e-11)


def test_it_starts_as_the_identity():
    x = maps().float()
    block = NonLocal(C).train()
    assert torch.equal(block(x, 2), x)
    assert torch.equal(block(x), x)
    assert block.theta.out_channels == C // 2


def test_frames_read_from_their_own_clip_only():
    block, x = module(), maps()
    torch.testing.assert_close(block(x, 2)[:2], block(x[:2], 2), rtol=1e-9, atol=1e-11)
    torch.testing.assert_close(block(x)[1:2], block(x[1:2]), rtol=1e-9, atol=1e-11)
    assert not torch.allclose(block(x, 2)[:1], block(x)[:1])
