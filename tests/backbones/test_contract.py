"""What every backbone promises, walked over the folder."""

from typing import NamedTuple

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
RESNET50 = 25_557_032 - 2048 * 1000 - 1000


def block(c):
    """A residual block of two 3x3 convolutions at c channels, with norms."""
    return 18 * c**2 + 4 * c


def aligned(c):
    """AP-P3D-C beyond its spatial convolution: three 1x1 kernels to c/16 channels, attention, three c x c kernels."""
    return 3 * c * (c // 16) + c // 16 + 3 * c**2


def non_local(c):
    """Three 1x1 convolutions to c/2 channels and one back, with biases, and a norm."""
    return 4 * c * (c // 2) + 3 * (c // 2) + c + 2 * c


def zero_start(c):
    """A 1x1 convolution with bias, and a norm: the way back into the maps of TCLNet's modules."""
    return c**2 + 3 * c


def glt(*channels):
    """A non-local block of one inner channel after each of these stages' blocks, and the exponent of GeM."""
    return sum(3 * (c + 1) + 2 * c + 2 * c for c in channels) + 1


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


# SINet small: blocks 1, 2, 3, 1; an IDM of 64 channels and 4*16*8 positions (4 and 32 within), an SBM of 128 channels.
# Paper: without the release's 26,560 biases.
SINET_SMALL = C2D_SMALL + block(64) + 2 * block(128)
IDM_SMALL = (64 * 4 + 4 + 2 * 4) + (512 * 32 + 32 + 2 * 32) + (32 * 512 + 512) + (4 * 64 + 64)
SBM_SMALL = (128 * 9 + 9 + 2 * 9) + (128 * 32 + 32) + (32 * 128 + 128)
AP3D_SMALL = C2D_SMALL + block(64) + block(128) + aligned(64) + aligned(128)
AP3D_PAPER = RESNET50 + 2 * aligned(128) + 3 * aligned(256)
# QAConv: three stages, instance norms after the last block of the first two, a 3x3 convolution with bias.
LAYER4 = 1024 * 512 + 2 * 2048 * 512 + 3 * (9 * 512**2 + 512 * 2048) + 1024 * 2048 + 6 * 2 * 512 + 4 * 2 * 2048
QACONV_SMALL = C2D_SMALL - (9 * 2 + 36 + 2) * 128**2 - 12 * 128 + 2 * (32 + 64) + 9 * 128 * 64 + 64
QACONV_PAPER = RESNET50 - LAYER4 + 2 * (256 + 512) + 9 * 1024 * 128 + 128
# TCLNet: two learners for one last block; the boost, the erased frame's mean and the reduction of its query.
TCLNET_SMALL = C2D_SMALL + 2 * block(256) + zero_start(64) + zero_start(128) + 256 * 128
TCLNET_PAPER = RESNET50 + (2 * 2048 * 512 + 9 * 512**2 + 4 * 512 + 2 * 2048) + 263_680 + 1_051_648 + 2_097_152
# PSTA's spec says 33.50 M, with the weights and biases of three necks, which are not the backbone's: 6 * 1024.
PARAMETERS = {
    ("ap3d", "small"): AP3D_SMALL,
    ("ap3d", "paper"): AP3D_PAPER,
    ("ap3d_nl", "small"): AP3D_SMALL + non_local(64) + non_local(128),
    ("ap3d_nl", "paper"): AP3D_PAPER + 2 * non_local(512) + 3 * non_local(1024),
    ("c2d", "small"): C2D_SMALL,
    ("c2d", "paper"): RESNET50,
    ("cavit", "small"): cavit(96, 4, 8 * 8),
    ("cavit", "paper"): cavit(768, 10, 16 * 16),
    ("glt", "small"): C2D_SMALL + glt(64, 128),
    ("glt", "paper"): RESNET50 + glt(512, 512, 1024, 1024, 1024),
    ("idnet", "small"): SINET_SMALL + 2 * IDM_SMALL,
    ("idnet", "paper"): RESNET50 + 2 * 560_096,
    ("psta", "small"): C2D_SMALL + 256 * 128 + 2 * 128 + psta(128, 8 * 4),
    ("psta", "paper"): RESNET50 + 2048 * 1024 + 2 * 1024 + psta(1024, 16 * 8),
    ("qaconv", "small"): QACONV_SMALL,
    ("qaconv", "paper"): QACONV_PAPER,
    ("sbnet", "small"): SINET_SMALL + 3 * SBM_SMALL,
    ("sbnet", "paper"): RESNET50 + 3 * 534_811,
    ("sinet", "small"): SINET_SMALL + 2 * IDM_SMALL + 3 * SBM_SMALL,
    ("sinet", "paper"): RESNET50 + 2 * 560_096 + 3 * 534_811,
    ("tclnet", "small"): TCLNET_SMALL,
    ("tclnet", "paper"): TCLNET_PAPER,
}


class Input(NamedTuple):
    """The clips that a network is tested with; frames of None: it takes any number; any size too, unless fixed."""

    frames: int | None = None
    height: int = 64
    width: int = 32
    is_fixed: bool = False


INPUTS = {
    "cavit": Input(None, 128, 64, True),
    "idnet": Input(4, 128, 64, True),
    "psta": Input(8, 128, 64, True),
    "qaconv": Input(None, 128, 64, True),
    "sbnet": Input(4, 128, 64),
    "sinet": Input(4, 128, 64, True),
    "tclnet": Input(4),
}
"""Networks that need more than the least."""
AGGREGATED = {"psta", "tclnet"}
"""Networks that give one feature a clip, not one a frame."""
SQUARED = {"psta"}
"""Networks whose squares outgrow `tiny.fill`, where no batch statistics hold them: fingerprinted in training mode."""
WITHOUT_EFFECT = {
    "ap3d_nl": ("phi.bias", "g.bias", "out.bias"),
    "glt": ("out.bias",),
    "qaconv": ("layer1.0.bn2.bias", "layer2.0.bn2.bias", "layer2.0.downsample.1.bias"),
    "tclnet": ("boost.out.0.bias", "erase.out.0.bias"),
    **dict.fromkeys(("idnet", "sbnet", "sinet"), ("reduce.bias", "integrate.bias", "attend.bias")),
}
"""Biases of the published networks that a softmax or a norm behind them takes away: their gradient is rounding."""

# The first numbers, the mean and the spread of the embedding of `pixels` by the small network of `tiny.fill`.
FINGERPRINTS = {
    "ap3d": [74338.3, 56386.5, 71560.8, 74493.4, 55644.4, 20425.7],
    "ap3d_nl": [74829.9, 56149.0, 71382.7, 74593.8, 55828.7, 20459.8],
    "c2d": [1011.18, 897.67, 0.0, 835.5, 587.8, 331.86],
    "cavit": [1.14807, 1.66836, 1.417, 0.81355, 0.9916, 0.990769],
    "glt": [2.44006e10, 2.93121e9, 1.46260e11, 1.61038e10, 8.99987e10, 1.11436e11],
    "idnet": [3113239, 2031705, 2222806, 3485334, 2805542, 937293],
    "psta": [1.07556, 1.10861, 1.11647, 1.30764, 1.09316, 0.136307],
    "qaconv": [-0.0991510, -0.0532206, -0.0256071, 0.0383508, 0.0207589, 0.123272],
    "sbnet": [2524551, 1793264, 1523078, 2988433, 1904613, 611872],
    "sinet": [3701502, 2376731, 2883202, 4128046, 2907624, 967319],
    "tclnet": [3665.2, 4403.54, 2027.7, 3103.24, 5612.47, 1672.51],
}


def build(name, scale="small"):
    module = lookup.find("backbones", name)
    return module.build(**module.SIZES[scale])


def build_seeded(name):
    torch.manual_seed(0)
    return build(name)


def pixels(name, clips=3, seed=0):
    own = INPUTS.get(name, Input())
    return images(clips, own.frames or 2, own.height, own.width, seed)


def images(clips, frames, height, width, seed=0):
    return torch.randn(clips, frames, 3, height, width, generator=torch.Generator().manual_seed(seed))


def test_the_walk_covers_every_backbone():
    assert set(NAMES) == {name for name, _ in PARAMETERS} == FINGERPRINTS.keys()
    assert len(NAMES) == 11
    assert set(PARAMETERS) == {(name, scale) for name in NAMES for scale in SCALES}
    assert INPUTS.keys() | AGGREGATED | WITHOUT_EFFECT.keys() <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_shape_and_finite(name):
    network, batch = build(name).eval(), pixels(name)
    features = network(batch)
    assert features.shape == (3, 1 if name in AGGREGATED else batch.shape[1], network.num_features)
    assert features.isfinite().all()


@pytest.mark.parametrize("name", [name for name in NAMES if INPUTS.get(name, Input()).frames is None])
def test_any_number_of_frames_will_do(name):
    network, (height, width) = build(name).eval(), pixels(name).shape[3:]
    assert network(images(1, 5, height, width)).shape == (1, 5, network.num_features)


@pytest.mark.parametrize("name", [name for name in NAMES if not INPUTS.get(name, Input()).is_fixed])
def test_any_size_will_do(name):
    network, batch = build(name).eval(), pixels(name)
    taller = images(*batch.shape[:2], batch.shape[3] + 16, batch.shape[4] + 8)
    assert network(taller).shape == network(batch).shape


@pytest.mark.parametrize("name", [name for name, own in INPUTS.items() if own.frames])
def test_another_number_of_frames_is_refused_with_the_reason(name):
    network, batch = build(name), pixels(name)
    frames = batch.shape[1] + 1
    with pytest.raises(ValueError, match=rf"found (clips of )?{frames}\b|halves .* found {frames}\b"):
        network(images(1, frames, *batch.shape[3:]))


@pytest.mark.parametrize("name", [name for name, own in INPUTS.items() if own.is_fixed])
def test_another_size_is_refused_with_the_reason(name):
    network, turned = build(name), pixels(name).transpose(3, 4)
    with pytest.raises(ValueError, match=r"found .*\b64x128\b.*\bbuild it for"):
        network(turned)


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_gets_a_gradient(name):
    network = tiny.perturb(build(name)).train()
    features = network(pixels(name))
    (features * torch.randn(features.shape, generator=torch.Generator().manual_seed(1))).sum().backward()
    effective = {n: p for n, p in network.named_parameters() if not n.endswith(WITHOUT_EFFECT.get(name, ()))}
    assert [n for n, p in effective.items() if p.grad is None or not p.grad.abs().sum() > 0] == []
    assert all(parameter.grad.isfinite().all() for parameter in network.parameters())


@pytest.mark.parametrize("name", NAMES)
def test_in_evaluation_a_clip_does_not_depend_on_its_batch_mates(name):
    # In double precision: a sharp softmax inside a network makes much of the rounding of another batch size.
    network = tiny.perturb(build_seeded(name)).double().eval()
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
        network = tiny.perturb(build_seeded(name)).train()
        network(pixels(name)).square().mean().backward()
        return [parameter.grad for parameter in network.parameters()]

    one, other = gradients(), gradients()
    assert len(one) > 20
    assert all(torch.equal(a, b) for a, b in zip(one, other))


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in NAMES if name != "c2d"])
def test_a_step_runs_at_paper_scale(name):
    network = build(name, "paper").train()
    image = lookup.find("backbones", name).SIZES["paper"].get("image", (256, 128))
    features = network(images(2, pixels(name).shape[1], *image))
    features.square().mean().backward()
    assert features.isfinite().all()
    assert all(parameter.grad.isfinite().all() for parameter in network.parameters())
