"""Saliency boosting and erasing against loops over frames and positions."""

import math

import pytest
import torch

from s2reid.layers.saliency import Boost, Erase, outside_stripe

C, E, T, H, W = 5, 7, 3, 5, 2


def drawn(*shape, seed=1):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def ready(module):
    """Give the way out statistics and a norm that does something."""
    module = module.double().eval()
    norm = module.out[1]
    for number in (norm.weight, norm.bias, norm.running_mean):
        torch.nn.init.normal_(number)
    return module


def way_out(module, vector):
    convolution, norm = module.out
    value = convolution.weight[:, :, 0, 0] @ vector + convolution.bias
    return (value - norm.running_mean) / (norm.running_var + norm.eps).sqrt() * norm.weight + norm.bias


def weighted_mean(scores, values):
    total = sum(torch.exp(score) for score in scores)
    return sum(torch.exp(score) / total * value for score, value in zip(scores, values))


def compare(found, expected, inputs):
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-11)
    wave = drawn(*found.shape, seed=2)
    grads = [torch.autograd.grad((value * wave).sum(), inputs) for value in (found, expected)]
    for one, other in zip(*grads):
        torch.testing.assert_close(one, other, rtol=1e-7, atol=1e-10)
        assert other.abs().sum() > 0


def around(frame, y, x):
    """The mean of the 2x2 positions that end at (y, x), zero outside the map."""
    places = [(y - j, x - i) for j in (0, 1) for i in (0, 1)]
    return sum(frame[:, v, u] for v, u in places if v >= 0 and u >= 0) / 4


def boost_by_loops(boost, maps, t):
    out = []
    for n in range(len(maps)):
        query = sum(maps[n, :, y, x] for y in range(H) for x in range(W)) / (H * W)
        scores, values = [], []
        for m in range(n - n % t, n - n % t + t):
            for y in range(H):
                for x in range(W):
                    if m != n:
                        memory = around(maps[m], y, x)
                        scores.append(5 * (query @ memory) / (query.norm() * memory.norm()))
                        values.append(maps[m, :, y, x])
        out.append(maps[n] + way_out(boost, weighted_mean(scores, values))[:, None, None])
    return torch.stack(out)


def test_boosting_is_that_of_loops():
    torch.manual_seed(0)
    boost, maps = ready(Boost(C)), drawn(2 * T, C, H, W).requires_grad_()
    compare(boost(maps, T), boost_by_loops(boost, maps, T), [maps, *boost.parameters()])


def test_boosting_starts_as_the_identity():
    maps = drawn(2 * T, C, H, W).float()
    assert torch.equal(Boost(C).train()(maps, T), maps)


def test_a_frame_reads_from_the_others_of_its_clip():
    boost = ready(Boost(C))
    maps = drawn(2 * T, C, H, W)
    torch.testing.assert_close(boost(maps, T)[:T], boost(maps[:T], T), rtol=1e-9, atol=1e-11)
    scaled = torch.cat([3 * maps[:1], maps[1:]])  # the same direction: what is read by frame 0 stays
    torch.testing.assert_close((boost(scaled, T) - scaled)[0], (boost(maps, T) - maps)[0], rtol=1e-9, atol=1e-10)
    assert not torch.allclose((boost(scaled, T) - scaled)[1], (boost(maps, T) - maps)[1])


def test_the_correlation_is_that_of_loops():
    torch.manual_seed(0)
    erase = Erase(C, E).double()
    feature, maps = drawn(2, E, 3, 2, seed=3).requires_grad_(), drawn(2, C, H, W).requires_grad_()
    query = erase.reduce.weight[:, :, 0, 0]
    rows = []
    for n in range(2):
        pooled = sum(feature[n, :, y, x] for y in range(3) for x in range(2)).detach() / 6
        rows.append([[(query @ pooled) @ maps[n, :, y, x] / math.sqrt(C) for x in range(W)] for y in range(H)])
    expected = torch.stack([torch.stack([torch.stack(row) for row in one]) for one in rows])
    found = erase.correlate(feature, maps)
    compare(found, expected, [maps, erase.reduce.weight])
    assert torch.autograd.grad(found.sum(), feature, allow_unused=True) == (None,)


def stripe_by_loops(scores):
    kept = torch.ones(scores.shape, dtype=torch.bool)
    for n, one in enumerate(scores):
        rows = [sum(row) / len(row) for row in one.tolist()]
        boxes = [sum(rows[max(0, y - 1) : y + 2]) for y in range(len(rows))]
        best = max(range(len(rows)), key=boxes.__getitem__)
        kept[n, max(0, best - 1) : best + 2] = False
    return kept


def test_the_stripe_is_that_of_loops():
    scores = drawn(300, 8, 4)
    kept = outside_stripe(scores)
    assert torch.equal(kept, stripe_by_loops(scores))
    erased = (~kept[:, :, 0]).sum(1)
    assert {count: int((erased == count).sum()) > 20 for count in (2, 3)} == {2: True, 3: True}  # 2 at an edge


def erase_by_loops(erase, maps, kept, scores):
    out = torch.zeros_like(maps)
    for n in range(len(maps)):
        places = [(y, x) for y in range(H) for x in range(W) if kept[n, y, x]]
        mean = weighted_mean([scores[n, y, x] for y, x in places], [maps[n, :, y, x] for y, x in places])
        added = way_out(erase, mean)
        for y in range(H):
            for x in range(W):
                out[n, :, y, x] = added + (maps[n, :, y, x] if kept[n, y, x] else 0)
    return out


@pytest.mark.parametrize("is_first", [True, False], ids=["first frame", "second frame"])
def test_erasing_is_that_of_loops(is_first):
    torch.manual_seed(0)
    erase, maps = ready(Erase(C, E)), drawn(4, C, H, W).requires_grad_()
    scores = torch.zeros(4, H, W, dtype=torch.float64) if is_first else drawn(4, H, W, seed=4).requires_grad_()
    kept = scores == 0 if is_first else outside_stripe(scores.detach())
    trained = [maps, *erase.out.parameters()] + ([] if is_first else [scores])
    compare(erase(maps, kept, scores), erase_by_loops(erase, maps, kept, scores), trained)


def test_erasing_starts_as_erasing_alone():
    maps = drawn(4, C, H, W).float()
    kept = outside_stripe(drawn(4, H, W).float())
    found = Erase(C, E).train()(maps, kept, torch.zeros(4, H, W))
    assert torch.equal(found, maps * kept[:, None])
    assert 0 < (found == 0).float().mean() < 1
