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
PARAMETERS = {("c2d", "small"): C2D_SMALL, ("c2d", "paper"): 23_508_032}

# The first numbers and the mean of the embedding of `pixels()` by the small network of `tiny.fill`.
FINGERPRINTS = {"c2d": [1011.18, 897.67, 0.0, 835.5, 587.8, 331.86]}


def build(name, scale="small"):
    module = lookup.find("backbones", name)
    return module.build(**module.SIZES[scale])


def pixels(clips=3, frames=2, height=64, width=32, seed=0):
    return torch.randn(clips, frames, 3, height, width, generator=torch.Generator().manual_seed(seed))


def perturb(network, seed=0):
    """Move every parameter off its start, where several modules are zero."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.02 * torch.randn(parameter.shape, generator=generator))
    return network


def test_the_walk_covers_every_backbone():
    assert len(NAMES) == len({name for name, _ in PARAMETERS}) == len(FINGERPRINTS) == 1
    assert set(PARAMETERS) == {(name, scale) for name in NAMES for scale in SCALES}


@pytest.mark.parametrize("name", NAMES)
def test_shape_and_finite(name):
    network = build(name).eval()
    features = network(pixels())
    assert features.shape == (3, 2, network.num_features)
    assert features.isfinite().all()
    assert network(pixels(height=48, width=24)).shape == features.shape
    assert network(pixels(clips=1, frames=5)).shape == (1, 5, network.num_features)


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_gets_a_gradient(name):
    network = perturb(build(name)).train()
    features = network(pixels())
    (features * torch.randn(features.shape, generator=torch.Generator().manual_seed(1))).sum().backward()
    without = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert without == []
    assert all(parameter.grad.isfinite().all() for parameter in network.parameters())


@pytest.mark.parametrize("name", NAMES)
def test_in_evaluation_a_clip_does_not_depend_on_its_batch_mates(name):
    network = perturb(build(name)).eval()
    batch, others = pixels(), pixels(seed=1)
    others[1] = batch[1]
    with torch.no_grad():
        together, elsewhere, alone = network(batch)[1], network(others)[1], network(batch[1:2])[0]
        assert not torch.allclose(network(batch)[0], network(others)[0])
    torch.testing.assert_close(elsewhere, together, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(alone, together, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("name", "scale"), PARAMETERS)
def test_parameter_counts(name, scale):
    with torch.device("meta"):
        network = build(name, scale)
    assert sum(parameter.numel() for parameter in network.parameters()) == PARAMETERS[name, scale]


@pytest.mark.parametrize("name", NAMES)
def test_fixed_weights_give_fixed_features(name):
    with torch.no_grad():
        features = tiny.fill(build(name)).eval()(pixels(2))
    found = [*features[1, 0, :4].tolist(), features.mean().item(), features.std().item()]
    assert found == pytest.approx(FINGERPRINTS[name], rel=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_a_gradient_step_repeats_bit_for_bit(name):
    def gradients():
        network = perturb(build_seeded(name)).train()
        network(pixels()).square().mean().backward()
        return [parameter.grad for parameter in network.parameters()]

    one, other = gradients(), gradients()
    assert len(one) > 20
    assert all(torch.equal(a, b) for a, b in zip(one, other))


def build_seeded(name):
    torch.manual_seed(0)
    return build(name)
