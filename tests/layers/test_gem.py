"""GeM pooling against its formula."""

import pytest
import torch

from s2reid.layers.gem import GeM


def by_loops(maps, p, eps):
    rows = []
    for image in maps:
        row = []
        for channel in image:
            values = [torch.maximum(x, torch.tensor(eps, dtype=x.dtype)) ** p for x in channel.flatten()]
            row.append((sum(values) / len(values)) ** (1 / p))
        rows.append(torch.stack(row))
    return torch.stack(rows)


@pytest.mark.parametrize("p", [1.0, 2.5, 3.0, 6.0])
def test_value_and_gradients_are_those_of_loops(p):
    maps = torch.randn(2, 3, 4, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    gem = GeM(p).double()
    found, expected = gem(maps), by_loops(maps, gem.p, gem.eps)[..., 0]
    assert (maps < 0).any()
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=0)
    weight = torch.arange(1.0, 7, dtype=torch.float64).view(2, 3)
    grads = [torch.autograd.grad((weight * out).sum(), [maps, gem.p]) for out in (found, expected)]
    torch.testing.assert_close(*grads, rtol=1e-9, atol=1e-14)
    assert grads[0][1].abs() > 0


def test_it_lies_between_the_mean_and_the_maximum():
    maps = torch.rand(2, 5, 6, 3, generator=torch.Generator().manual_seed(1)) + 0.1
    torch.testing.assert_close(GeM(1.0)(maps), maps.mean((2, 3)))
    assert (GeM(3.0)(maps) > maps.mean((2, 3))).all()
    assert (GeM(3.0)(maps) < maps.amax((2, 3))).all()
    torch.testing.assert_close(GeM(200.0)(maps.double()), maps.double().amax((2, 3)), rtol=0.02, atol=0)


def test_dead_channels_give_finite_gradients():
    maps, gem = torch.zeros(2, 3, 4, 2, requires_grad=True), GeM()
    gem(maps).sum().backward()
    assert maps.grad.isfinite().all()
    assert gem.p.grad.isfinite().all()


def test_it_keeps_full_precision_under_autocast():
    maps = 30 + torch.rand(2, 3, 4, 2, generator=torch.Generator().manual_seed(2))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = GeM()(maps)
    torch.testing.assert_close(found, GeM()(maps), rtol=0, atol=0)
