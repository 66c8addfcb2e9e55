"""Temporal shift attention against loops over frames, heads and tokens."""

import pytest
import torch

from s2reid.layers.shift_attention import ShiftAttention, ShiftBlock

WIDTH, HEADS = 6, 2


def tokens(clips=2, frames=3, each=4):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(clips, frames, each, WIDTH, dtype=torch.float64, generator=generator).requires_grad_()


def by_loops(layer, x):
    """Let each token of frame t ask the tokens of frames t and t + 1, and the last frame's those of the first too."""
    size = WIDTH // HEADS
    out = torch.zeros_like(x)
    for clip in range(len(x)):
        for frame in range(x.shape[1]):
            memory = [*x[clip, frame], *x[clip, (frame + 1) % x.shape[1]]]
            for place in range(x.shape[2]):
                heads = []
                for head in range(HEADS):
                    rows = slice(head * size, (head + 1) * size)
                    weight, bias = (
                        layer.qkv.weight.view(3, WIDTH, WIDTH)[:, rows],
                        layer.qkv.bias.view(3, WIDTH)[:, rows],
                    )
                    query = weight[0] @ x[clip, frame, place] + bias[0]
                    scores = [torch.exp(query @ (weight[1] @ token + bias[1]) / size**0.5) for token in memory]
                    values = [weight[2] @ token + bias[2] for token in memory]
                    heads.append(sum(score * value for score, value in zip(scores, values)) / sum(scores))
                out[clip, frame, place] = layer.proj.weight @ torch.cat(heads) + layer.proj.bias
    return out


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_value_and_gradient_are_those_of_loops(frames):
    torch.manual_seed(0)
    layer, x = ShiftAttention(WIDTH, HEADS).double(), tokens(frames=frames)
    found, expected = layer(x), by_loops(layer, x)
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-12)
    leaves = [x, *layer.parameters()]
    weights = torch.randn(found.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    gradients = [torch.autograd.grad((value * weights).sum(), leaves) for value in (found, expected)]
    assert len(gradients[0]) == 5
    torch.testing.assert_close(*gradients, rtol=1e-8, atol=1e-12)


def test_a_frame_sees_itself_and_the_next_only():
    torch.manual_seed(0)
    layer, x = ShiftAttention(WIDTH, HEADS).double(), tokens(frames=4)
    before = layer(x)
    with torch.no_grad():
        x[:, 2] += 1
    changed = (layer(x) - before).abs().amax((0, 2, 3)) > 1e-9
    assert changed.tolist() == [False, True, True, False]


def block(drop=0.0):
    torch.manual_seed(0)
    return ShiftBlock(WIDTH, HEADS, drop).double()


def test_a_block_is_two_residuals_behind_norms():
    layer, x = block(), tokens()

    def norm(module, values):
        scaled = (values - values.mean(-1, keepdim=True)) / (values.var(-1, unbiased=False, keepdim=True) + 1e-6).sqrt()
        return scaled * module.weight + module.bias

    middle = x + layer.attn(norm(layer.norm1, x))
    hidden = norm(layer.norm2, middle) @ layer.mlp.fc1.weight.T + layer.mlp.fc1.bias
    hidden = hidden * 0.5 * (1 + torch.erf(hidden / 2**0.5))
    torch.testing.assert_close(layer(x), middle + hidden @ layer.mlp.fc2.weight.T + layer.mlp.fc2.bias)


def test_a_dropped_residual_is_dropped_for_a_whole_clip_and_the_rest_is_scaled():
    layer, x = block(0.25).train(), tokens(clips=400, frames=1, each=1)
    with torch.no_grad():
        found, whole = layer._dropped(x), x / 0.75
    is_kept = torch.isclose(found, whole).flatten(1).all(1)
    assert (found[~is_kept] == 0).all()
    assert 0.7 < is_kept.double().mean() < 0.8
    assert torch.equal(layer.eval()._dropped(x), x)


def test_without_dropping_training_is_evaluation():
    layer, x = block(), tokens()
    assert torch.equal(layer.train()(x), layer.eval()(x))


def test_a_residual_that_is_dropped_leaves_the_tokens():
    layer, x = block(1 - 1e-12).train(), tokens()
    assert torch.equal(layer(x), x)
