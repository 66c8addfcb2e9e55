"""SBM: every step against its definition, then the whole."""

import pytest
import torch

from s2reid.layers.salient import SBM, correlation, suppression

SHAPE = (2, 4, 4, 3, 8)


def module(split=1, train=True, channels=8):
    torch.manual_seed(0)
    made = SBM(channels, split).double().train(train)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.2 * torch.randn(parameter.shape, dtype=torch.float64))
    return made


def clips(seed=0, shape=SHAPE):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, dtype=torch.float64, generator=generator).add_(0.3).requires_grad_()


def assert_same(found, expected, wanted, seed=1):
    """Compare values, and the gradients of a random sum of them."""
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-12)
    weight = torch.randn(found.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    fast, slow = (torch.autograd.grad((weight * out).sum(), wanted, allow_unused=True) for out in (found, expected))
    for one, other in zip(fast, slow):
        assert (one is None) == (other is None)
        if one is not None:
            torch.testing.assert_close(one, other, rtol=1e-8, atol=1e-11)


def gate_by_loops(sbm, x):
    b, t, h, w, c = x.shape
    rows = []
    for n in range(b):
        places = [(i, j, k) for i in range(t) for j in range(h) for k in range(w)]
        inside = [(i, j, k) for i, j, k in places if 0 < j < h - 1 and 0 < k < w - 1]
        mean = [sum(x[n, *place, q] for place in places) / len(places) for q in range(c)]
        core = [sum(x[n, *place, q] for place in inside) / len(inside) for q in range(c)]
        hidden = [
            torch.clamp(sum(row[q] * mean[q] for q in range(c)) + bias, min=0)
            for row, bias in zip(sbm.squeeze.weight, sbm.squeeze.bias)
        ]
        scores = [
            sum(row[q] * hidden[q] for q in range(len(hidden))) + bias
            for row, bias in zip(sbm.excite.weight, sbm.excite.bias)
        ]
        central = [float(core[q] / (mean[q] + 1e-8) > 1) for q in range(c)]
        rows.append(torch.stack([central[q] / (1 + torch.exp(-scores[q])) for q in range(c)]))
    return torch.stack(rows)


def kernel_by_loops(sbm, first):
    b, c = len(first), first.shape[-1]
    positions = [[vector for frame in clip for row in frame for vector in row] for clip in first]
    scores = torch.stack([torch.stack([sbm.attend.weight @ v + sbm.attend.bias for v in clip]) for clip in positions])
    norm, normed = sbm.attend_norm, torch.zeros_like(scores)
    for tap in range(9):
        values = scores[:, :, tap]
        mean = values.sum() / values.numel()
        variance = ((values - mean) ** 2).sum() / values.numel()
        normed[:, :, tap] = (values - mean) / torch.sqrt(variance + norm.eps) * norm.weight[tap] + norm.bias[tap]
    attention = torch.clamp(normed, min=0)
    rows = []
    for n in range(b):
        over_taps = [row / torch.clamp(row.sum(), min=1e-12) for row in attention[n]]
        total = [torch.clamp(sum(row[tap] for row in over_taps), min=1e-12) for tap in range(9)]
        columns = [
            sum(row[tap] / total[tap] * vector for row, vector in zip(over_taps, positions[n])) for tap in range(9)
        ]
        rows.append(torch.stack(columns, 1))
    assert rows[0].shape == (c, 9)
    return torch.stack(rows)


def correlation_by_loops(last, kernel):
    b, t, h, w, _ = last.shape
    out = torch.zeros(b, t, h, w, dtype=last.dtype)
    for n, i, j, k in torch.cartesian_prod(*map(torch.arange, (b, t, h, w))).tolist():
        for down in (-1, 0, 1):
            for right in (-1, 0, 1):
                row, column = min(max(j + down, 0), h - 1), min(max(k + right, 0), w - 1)
                out[n, i, j, k] += (last[n, i, row, column] * kernel[n, :, 3 * (down + 1) + right + 1]).sum() / 9
    return out


def suppression_by_loops(likeness, beta):
    b, t, h, w = likeness.shape
    out = torch.ones_like(likeness)
    for n, i in torch.cartesian_prod(torch.arange(b), torch.arange(t)).tolist():
        total = sum(torch.exp(one) for one in likeness[n, i].flatten())
        for j in range(h):
            for k in range(w):
                a = 1 / (torch.clamp(torch.exp(likeness[n, i, j, k]) / total, min=1e-4) * h * w)
                if a < 1:
                    out[n, i, j, k] = torch.exp(beta * (a - 1))
    return out


def by_loops(sbm, x):
    first, last = x[:, : sbm.split + 1], x[:, sbm.split + 1 :]
    gate = gate_by_loops(sbm, x)
    gated = [torch.stack([torch.clamp(clip * one, min=0) for clip, one in zip(part, gate)]) for part in (first, last)]
    f = suppression_by_loops(correlation_by_loops(gated[1], kernel_by_loops(sbm, gated[0])), sbm.beta)
    out = []
    for n in range(len(x)):
        seen = [vector for frame in first[n] for row in frame for vector in row]
        unseen = [vector for frame in last[n] for row in frame for vector in row]
        lost = [1 - one for one in f[n].flatten()]
        weakened = sum(share * vector for share, vector in zip(lost, unseen)) / len(unseen)
        told = weakened / (sum(lost) / len(lost) + 1e-6)
        shown = sum(seen) / len(seen)
        out.append(torch.cat([first[n] + sbm.alpha * told, last[n] * f[n, ..., None] + sbm.alpha * shown]))
    return torch.stack(out)


def test_the_gate_is_that_of_loops():
    sbm, x = module(), clips()
    gate = sbm.gate(x)
    assert_same(gate, gate_by_loops(sbm, x), [x, *sbm.parameters()])
    assert 0 < (gate == 0).sum() < gate.numel()


def test_the_kernel_is_that_of_loops():
    sbm, first = module(), clips(shape=(2, 2, 4, 3, 8))
    assert_same(sbm.kernel(first), kernel_by_loops(sbm, first), [first, *sbm.parameters()])


def test_a_position_that_no_tap_attends_to_stays_zero():
    sbm, first = module(), clips()
    with torch.no_grad():
        sbm.attend_norm.weight.zero_()
        sbm.attend_norm.bias.fill_(-1)
    kernel = sbm.kernel(first)
    assert kernel.shape == (2, 8, 9)
    assert not kernel.any()


def test_the_correlation_is_that_of_loops():
    last, kernel = clips(), clips(1, (2, 8, 9))
    assert_same(correlation(last, kernel), correlation_by_loops(last, kernel), [last, kernel])


@pytest.mark.parametrize("spread", [0.5, 3.0, 30.0])
def test_the_suppression_is_that_of_loops(spread):
    likeness = clips(2, (2, 3, 4, 3))
    found, expected = (f(spread * likeness, 5.0) for f in (suppression, suppression_by_loops))
    assert_same(found, expected, [likeness])
    assert 0 < (found < 1).sum() < found.numel()


@pytest.mark.parametrize("split", [0, 1, 2])
def test_value_and_gradient_are_those_of_loops(split):
    sbm, x = module(split), clips()
    wanted = [x, *sbm.parameters()]
    assert len(wanted) == 9
    assert_same(sbm(x), by_loops(sbm, x), wanted)


def test_eight_frames_are_two_groups_of_four():
    sbm, x = module(train=False), clips(shape=(2, 8, 4, 3, 8))
    torch.testing.assert_close(sbm(x), torch.cat([sbm(x[:, :4]), sbm(x[:, 4:])], 1))


def test_in_evaluation_a_clip_does_not_depend_on_its_batch_mates():
    sbm, x = module(train=False), clips()
    torch.testing.assert_close(sbm(x)[1], sbm(x[1:])[0])
    gradient = torch.autograd.grad(sbm(x)[1].sum(), x)[0]
    assert gradient[1].any()
    assert not gradient[0].any()


@pytest.mark.parametrize("value", [0.0, 1.0, 1e4])
@pytest.mark.parametrize("kind", ["uniform", "one position"])
def test_degenerate_maps_stay_finite(kind, value):
    sbm = SBM(8, 0)
    x = torch.full((2, 4, 4, 3, 8), value) if kind == "uniform" else torch.zeros(2, 4, 4, 3, 8)
    x[:, :, 2, 1] = value
    x.requires_grad_()
    out = sbm(x)
    out.sum().backward()
    assert out.isfinite().all()
    assert x.grad.isfinite().all()
    assert all(parameter.grad.isfinite().all() for parameter in sbm.parameters())


def test_the_count_of_the_paper_scale():
    assert sum(parameter.numel() for parameter in SBM(1024, 0).parameters()) == 534_811


def test_the_start_is_that_of_the_paper():
    sbm = SBM(1024, 0)
    for layer, outputs in ((sbm.squeeze, 256), (sbm.excite, 1024), (sbm.attend, 9)):
        assert layer.weight.std().item() == pytest.approx((2 / outputs) ** 0.5, rel=0.05)


@pytest.mark.parametrize("shape", [(1, 3, 4, 4, 8), (1, 12, 4, 4, 8), (1, 4, 2, 4, 8), (1, 4, 4, 2, 8)])
def test_other_clips_and_small_maps_are_refused(shape):
    with pytest.raises(ValueError, match=rf"clips of {shape[1]} frames with maps of {shape[2]}x{shape[3]}, expected 4"):
        SBM(8, 0)(torch.zeros(shape))


@pytest.mark.parametrize("split", [-1, 3])
def test_a_split_that_leaves_a_part_empty_is_refused(split):
    with pytest.raises(ValueError, match=f"splits 4 frames after frame 0, 1 or 2, found {split}"):
        SBM(8, split)
