"""What every backbone promises, walked over the folder."""

import pytest
import torch
from tests import tiny

from s2reid import lookup

NAMES = lookup.names("backbones")
SCALES = ("small", "paper")

# Parameters at each scale, worked out by hand.
# Small: stem 3*32*49 + 64; stage 1, a block of two 3x3 convolutions at 32 channels with norms; stages 2 to 4, blocks
# from c to 2c channels with a 1x1 shortcut. Paper: ResNet-50's 25,557,032 less the classifier's 2048*1000 + 1000.
C2D_SMALL = (
    3 * 32 * 49 + 64 + 2 * (9 * 32**2 + 64) + sum(9 * 2 * c**2 + 36 * c**2 + 2 * c**2 + 12 * c for c in (32, 64, 128))
)
# SINet small: blocks 1, 2, 3, 1, thus a block of two 3x3 convolutions at 64 channels and two at 128 more; an IDM of 64
# channels and 4*16*8 positions (4 and 32 within), an SBM of 128 channels. Paper: without the release's 26,560 biases.
TRUNK_SMALL = C2D_SMALL + 2 * (9 * 64**2 + 2 * 64) + 4 * (9 * 128**2 + 2 * 128)
IDM_SMALL = (64 * 4 + 4 + 2 * 4) + (512 * 32 + 32 + 2 * 32) + (32 * 512 + 512) + (4 * 64 + 64)
SBM_SMALL = (128 * 9 + 9 + 2 * 9) + (128 * 32 + 32) + (32 * 128 + 128)


def psta(channels, positions):
    """What PSTA adds to its ResNet, by c channels of its maps, but for the reduction to c."""
    c, e, r = channels, channels // 4, channels // 8
    looks = c * e + 2 * e + e * r + 2 * r
    affinities = 2 * (c * r + 2 * r) + (2 * positions * r + 2 * r) + (2 * r * r + 2 * r)
    temporal = affinities + (2 * r + 2) + c * r + (2 * r * r + r * c)
    spatial = affinities + (r + 2) + 2 * c * r
    refine = c * e + 9 * e * e + e * c + 4 * e + 2 * c
    return 3 * (looks + temporal + spatial + refine)


def cavit(width, blocks, pixels):
    """Three branches, whose patches have `pixels`, twice and twice as many; 210 + 90 + 84 tokens."""
    block = 12 * width**2 + (3 + 1 + 4 + 1) * width + 4 * width
    return 2 * (5 * 3 * pixels + 3) * width + 384 * width + 3 * blocks * block + 2 * width


# PSTA's spec says 33.50 M, with the weights and biases of three necks, which are not the backbone's: 6 * 1024.
PARAMETERS = {
    ("c2d", "small"): C2D_SMALL,
    ("c2d", "paper"): 23_508_032,
    ("cavit", "small"): cavit(96, 4, 8 * 8),
    ("cavit", "paper"): cavit(768, 10, 16 * 16),
    ("psta", "small"): C2D_SMALL + 256 * 128 + 2 * 128 + psta(128, 8 * 4),
    ("psta", "paper"): 23_508_032 + 2048 * 1024 + 2 * 1024 + psta(1024, 16 * 8),
    ("sinet", "small"): TRUNK_SMALL + 2 * IDM_SMALL + 3 * SBM_SMALL,
    ("sinet", "paper"): 23_508_032 + 2 * 560_096 + 3 * 534_811,
    ("sbnet", "small"): TRUNK_SMALL + 3 * SBM_SMALL,
    ("sbnet", "paper"): 23_508_032 + 3 * 534_811,
    ("idnet", "small"): TRUNK_SMALL + 2 * IDM_SMALL,
    ("idnet", "paper"): 23_508_032 + 2 * 560_096,
}

# Frames, height and width that a backbone needs; the others take any, and are tested with less.
INPUTS = dict.fromkeys(("sinet", "sbnet", "idnet"), (4, 128, 64)) | {"cavit": (2, 128, 64), "psta": (8, 128, 64)}
FIXED = {"cavit", "psta"}
"""Networks that are built for one size of image; their lengths of clips have tests of their own."""
AGGREGATED = {"psta"}
"""Networks that give one feature a clip, not one a frame."""
SQUARED = {"psta"}
"""Networks whose squares outgrow `tiny.fill`, where no batch statistics hold them: fingerprinted in training mode."""

# The first numbers, the mean and the spread of the embedding of `pixels(name)` by the small network of `tiny.fill`.
FINGERPRINTS = {
    "c2d": [1011.18, 897.67, 0.0, 835.5, 587.8, 331.86],
    "cavit": [1.14807, 1.66836, 1.417, 0.81355, 0.9916, 0.990769],
    "psta": [1.07556, 1.10861, 1.11647, 1.30764, 1.09316, 0.136307],
    "sinet": [3701502, 2376731, 2883202, 4128046, 2907624, 967319],
    "sbnet": [2524551, 1793264, 1523078, 2988433, 1904613, 611872],
    "idnet": [3113239, 2031705, 2222806, 3485334, 2805542, 937293],
}

# Biases that the batch norm behind them undoes: their gradient is nothing but rounding.
UNDONE = ("reduce.bias", "integrate.bias", "attend.bias")


def build(name, scale="small"):
    module = lookup.find("backbones", name)
    return module.build(**module.SIZES[scale])


def pixels(name, clips=3, seed=0):
    return images(clips, *INPUTS.get(name, (2, 64, 32)), seed)


def images(clips, frames, height, width, seed=0):
    return torch.randn(clips, frames, 3, height, width, generator=torch.Generator().manual_seed(seed))


def perturb(network, seed=0):
    """Move every parameter off its start, where several modules are zero."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.02 * torch.randn(parameter.shape, generator=generator))
    return network


def test_the_walk_covers_every_backbone():
    assert len(NAMES) == len({name for name, _ in PARAMETERS}) == len(FINGERPRINTS) == 6
    assert INPUTS.keys() <= set(NAMES)
    assert set(PARAMETERS) == {(name, scale) for name in NAMES for scale in SCALES}


@pytest.mark.parametrize("name", NAMES)
def test_shape_and_finite(name):
    network = build(name).eval()
    batch = pixels(name)
    features = network(batch)
    assert features.shape == (3, 1 if name in AGGREGATED else batch.shape[1], network.num_features)
    assert features.isfinite().all()


@pytest.mark.parametrize("name", [name for name in NAMES if name not in INPUTS])
@pytest.mark.parametrize(("clips", "frames", "height", "width"), [(3, 2, 48, 24), (1, 5, 64, 32)])
def test_any_clip_will_do(name, clips, frames, height, width):
    network = build(name).eval()
    assert network(images(clips, frames, height, width)).shape == (clips, frames, network.num_features)


@pytest.mark.parametrize("name", sorted(FIXED))
def test_another_size_is_refused_with_the_reason(name):
    network, turned = build(name), pixels(name).transpose(3, 4)
    with pytest.raises(ValueError, match=r"was built for images of 128x64 pixels and found 64x128: .*; keep one size"):
        network(turned)


@pytest.mark.parametrize("name", sorted(INPUTS.keys() - FIXED))
def test_a_clip_that_does_not_fit_is_refused(name):
    network = build(name).eval()
    frames, height, width = INPUTS[name]
    with pytest.raises(ValueError, match=rf"found clips of {frames + 1} frames .* \d+x\d+.*(expected|build it)"):
        network(images(1, frames + 1, height, width))


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_gets_a_gradient(name):
    network = perturb(build(name)).train()
    features = network(pixels(name))
    (features * torch.randn(features.shape, generator=torch.Generator().manual_seed(1))).sum().backward()
    without = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert [n for n in without if not n.endswith(UNDONE)] == []
    assert all(parameter.grad.isfinite().all() for parameter in network.parameters())


@pytest.mark.parametrize("name", NAMES)
def test_in_evaluation_a_clip_does_not_depend_on_its_batch_mates(name):
    # In double precision: a sharp softmax inside a network makes much of the rounding of another batch size.
    network = perturb(build_seeded(name)).double().eval()
    batch, others = pixels(name).double(), pixels(name, seed=1).double()
    others[1] = batch[1]
    with torch.no_grad():
        together, elsewhere, alone = network(batch)[1], network(others)[1], network(batch[1:2])[0]
        assert not torch.allclose(network(batch)[0], network(others)[0])
    torch.testing.assert_close(elsewhere, together, rtol=1e-8, atol=1e-10)
    torch.testing.assert_close(alone, together, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize(("name", "scale"), PARAMETERS)
def test_parameter_counts(name, scale):
    with torch.device("meta"):
        network = build(name, scale)
    assert sum(parameter.numel() for parameter in network.parameters()) == PARAMETERS[name, scale]


@pytest.mark.parametrize("name", NAMES)
def test_fixed_weights_give_fixed_features(name):
    with torch.no_grad():
        features = tiny.fill(build(name)).train(name in SQUARED)(pixels(name, 2))
    found = [*features[1, 0, :4].tolist(), features.mean().item(), features.std().item()]
    assert found == pytest.approx(FINGERPRINTS[name], rel=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_a_gradient_step_repeats_bit_for_bit(name):
    def gradients():
        network = perturb(build_seeded(name)).train()
        network(pixels(name)).square().mean().backward()
        return [parameter.grad for parameter in network.parameters()]

    one, other = gradients(), gradients()
    assert len(one) > 20
    assert all(torch.equal(a, b) for a, b in zip(one, other))


def build_seeded(name):
    torch.manual_seed(0)
    return build(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(FIXED))
def test_a_step_runs_at_paper_scale(name):
    network = build(name, "paper").train()
    features = network(images(2, INPUTS[name][0], 256, 128))
    features.square().mean().backward()
    assert features.isfinite().all()
    assert all(parameter.grad.isfinite().all() for parameter in network.parameters())
