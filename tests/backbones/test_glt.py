"""GLT's network: what it adds to a ResNet, and what it leaves out."""

import pytest
import torch

from s2reid.backbones import glt
from s2reid.layers.domain_norm import specialise
from s2reid.layers.resnet import ResNet


def network(**changes):
    torch.manual_seed(0)
    return glt.build(**{"depth": 10, "width": 8, "non_local": ("layer2.0", "layer3.0"), **changes})


def by_definition(built, image):
    """Follow one image: no ReLU in the stem, a non-local sum over all places, GeM."""
    resnet = built.resnet
    maps = resnet.maxpool(resnet.bn1(resnet.conv1(image[None])))
    for number, stage in enumerate(resnet.stages(), 1):
        maps = stage(maps)
        if number in (2, 3):
            block = built.non_local[f"layer{number}_0"]
            theta, phi, g = (layer(maps)[0].flatten(1) for layer in (block.theta, block.phi, block.g))
            found = torch.zeros_like(g)
            for i in range(g.shape[1]):
                for j in range(g.shape[1]):
                    found[:, i] += (theta[:, i] * phi[:, j]).sum() * g[:, j] / g.shape[1]
            maps = maps + block.norm(block.out(found.view(1, -1, *maps.shape[2:])))
    return maps[0].clamp_min(1e-6).pow(3).mean((1, 2)).pow(1 / 3)


def test_a_frame_goes_through_the_network_as_defined():
    built = network().double().eval()
    with torch.no_grad():
        for block in built.non_local.values():
            block.norm.weight.fill_(0.5)
        clip = torch.randn(1, 2, 3, 32, 16, dtype=torch.float64)
        expected = torch.stack([by_definition(built, frame) for frame in clip[0]])
        torch.testing.assert_close(built(clip)[0], expected, rtol=1e-9, atol=1e-12)


def test_non_local_blocks_start_as_nothing():
    with_blocks, without = network().eval(), network(non_local=()).eval()
    missing = with_blocks.load_state_dict(without.state_dict(), strict=False).missing_keys
    assert {name.split(".")[0] for name in missing} == {"non_local"}
    clip = torch.randn(2, 1, 3, 32, 16)
    torch.testing.assert_close(with_blocks(clip), without(clip))


def test_public_weights_fill_the_resnet_strictly():
    built, weights = network(), ResNet(10, 8).state_dict()
    built.load_pretrained(weights)
    assert torch.equal(built.resnet.conv1.weight, weights["conv1.weight"])
    with pytest.raises(ValueError, match="do not fit this ResNet: 1 missing"):
        built.load_pretrained({name: tensor for name, tensor in weights.items() if name != "conv1.weight"})


def test_public_weights_are_for_the_norms_of_both_domains():
    built, weights = network(), ResNet(10, 8).state_dict()
    weights["layer2.0.bn1.running_mean"] += 1
    specialise(built)
    built.load_pretrained(weights)
    for norm in (built.resnet.layer2[0].bn1.source, built.resnet.layer2[0].bn1.target):
        assert torch.equal(norm.running_mean, weights["layer2.0.bn1.running_mean"])
    assert torch.equal(built.resnet.conv1.weight, weights["conv1.weight"])
    for wrong, message in (({"bn1.weight": None}, "2 missing"), ({"bn2.weight": torch.ones(8)}, "1 unknown")):
        given = {name: tensor for name, tensor in {**weights, **wrong}.items() if tensor is not None}
        with pytest.raises(ValueError, match=f"do not fit this ResNet: .*{message}"):
            built.load_pretrained(given)


def test_a_block_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match=r"this ResNet has no block 'layer2.7': there are layer1.0, layer2.0"):
        network(non_local=("layer2.7",))
