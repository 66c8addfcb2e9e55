"""IDM against its definition, and where it starts."""

import pytest
import torch

from s2reid.layers.integration import IDM


def perturbed(module, seed=0):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype))
    return module


def clips(seed=0, shape=(3, 2, 3, 2, 8)):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, dtype=torch.float64, generator=generator, requires_grad=True)


def normalised(values, norm, row):
    """Normalise the numbers that share a row of a batch norm, in training mode."""
    mean = sum(values) / len(values)
    variance = sum((value - mean) ** 2 for value in values) / len(values)
    return [(value - mean) / torch.sqrt(variance + norm.eps) * norm.weight[row] + norm.bias[row] for value in values]


def by_loops(module, x):
    """Reduce channels, normalise; mix positions, normalise, distribute; add; expand; add; clip at zero."""
    b, t, h, w, c = x.shape
    places = [(i, j, k) for i in range(t) for j in range(h) for k in range(w)]
    inner, summaries = module.reduce.out_features, module.integrate.out_channels
    u = {
        (n, p, q): sum(module.reduce.weight[q, r] * x[n, *places[p], r] for r in range(c)) + module.reduce.bias[q]
        for n in range(b)
        for p in range(len(places))
        for q in range(inner)
    }
    for q in range(inner):
        keys = [(n, p, q) for n in range(b) for p in range(len(places))]
        u |= dict(zip(keys, normalised([u[key] for key in keys], module.reduce_norm, q)))
    s = {
        (n, m, q): sum(module.integrate.weight[m, p, 0] * u[n, p, q] for p in range(len(places)))
        + module.integrate.bias[m]
        for n in range(b)
        for m in range(summaries)
        for q in range(inner)
    }
    for m in range(summaries):
        keys = [(n, m, q) for n in range(b) for q in range(inner)]
        s |= dict(zip(keys, normalised([s[key] for key in keys], module.integrate_norm, m)))
    out = torch.zeros_like(x)
    for n in range(b):
        for p, place in enumerate(places):
            r = [
                u[n, p, q]
                + sum(module.distribute.weight[p, m, 0] * s[n, m, q] for m in range(summaries))
                + module.distribute.bias[p]
                for q in range(inner)
            ]
            for channel in range(c):
                told = sum(module.expand.weight[channel, q] * r[q] for q in range(inner)) + module.expand.bias[channel]
                out[n, *place, channel] = torch.clamp(x[n, *place, channel] + told, min=0)
    return out


def test_value_and_gradient_are_those_of_loops():
    torch.manual_seed(0)
    module, x = perturbed(IDM(8, 12, factor=4).double()).train(), clips()
    value, expected = module(x), by_loops(module, x)
    torch.testing.assert_close(value, expected, rtol=1e-10, atol=1e-12)
    weight = torch.randn(value.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    wanted = [x, *module.parameters()]
    found, slow = (torch.autograd.grad((weight * out).sum(), wanted) for out in (value, expected))
    assert len(found) == 13
    for one, other in zip(found, slow):
        torch.testing.assert_close(one, other, rtol=1e-8, atol=1e-10)


def test_a_fresh_module_is_the_identity_on_maps_without_negative_values():
    module, x = IDM(32, 64), torch.rand(2, 4, 4, 4, 32)
    assert torch.equal(module.train()(x), x)
    assert torch.equal(module.eval()(x), x)
    assert torch.equal(module(x - 0.5), (x - 0.5).clamp(min=0))


def test_the_count_of_the_paper_scale():
    module = IDM(512, 4 * 32 * 16)
    assert sum(parameter.numel() for parameter in module.parameters()) == 560_096
    assert (module.integrate.out_channels, module.reduce.out_features) == (128, 32)


def test_the_start_is_that_of_the_paper():
    torch.manual_seed(0)
    module = IDM(512, 2048)
    for layer, outputs in ((module.reduce, 32), (module.integrate, 128), (module.distribute, 2048)):
        assert layer.weight.std().item() == pytest.approx((2 / outputs) ** 0.5, rel=0.02)
        assert layer.weight.mean().abs() < 0.01
    assert not module.expand.weight.any()
    assert not module.expand.bias.any()


def test_in_evaluation_a_clip_is_alone_and_every_position_sees_every_frame():
    module, x = perturbed(IDM(8, 12, factor=4).double()).eval(), clips()
    torch.testing.assert_close(module(x)[1], module(x[1:2])[0])
    gradient = torch.autograd.grad(module(x)[1, 0, 0, 0].sum(), x)[0]
    assert (gradient[1].abs().sum(-1) > 0).all()
    assert not gradient[[0, 2]].any()


@pytest.mark.parametrize(("channels", "positions"), [(8, 64), (32, 8)])
def test_nothing_left_to_mix(channels, positions):
    with pytest.raises(ValueError, match=f"over {positions} positions of {channels} channels has nothing left"):
        IDM(channels, positions)
