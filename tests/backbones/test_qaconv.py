"""QAConv's network: maps at length 1, instance norms where IBN-b has them."""

import pytest
import torch
from torch import nn

from s2reid.backbones import qaconv
from s2reid.layers.resnet import ResNet


def network(**changes):
    torch.manual_seed(0)
    sizes = {"depth": 10, "width": 8, "blocks": (1, 1, 1), "channels": 6, "image": (64, 32)}
    return qaconv.build(**{**sizes, **changes})


def test_a_feature_is_a_map_at_length_one_in_every_place():
    built, clip = network().eval(), torch.randn(2, 3, 3, 64, 32)
    features = built(clip)
    assert built.map_size == (6, 4, 2)
    maps = features.unflatten(2, built.map_size)
    torch.testing.assert_close(maps.norm(dim=2), torch.ones(2, 3, 4, 2))
    expected = built.neck(built.resnet(clip[1, 2][None]))[0]
    torch.testing.assert_close(maps[1, 2], expected / expected.norm(dim=0), rtol=1e-4, atol=1e-6)


def test_the_authors_names():
    names = set(network(depth=50, width=64, blocks=(3, 4, 6), channels=128).state_dict())
    assert {"resnet.bn1.weight", "resnet.layer1.2.IN.weight", "resnet.layer2.3.IN.bias", "neck.bias"} < names
    assert {name for name in names if ".IN." in name} == {
        f"resnet.{block}.IN.{kind}" for block in ("layer1.2", "layer2.3") for kind in ("weight", "bias")
    }
    assert "resnet.bn1.running_mean" not in names
    assert not any("layer4" in name for name in names)


def test_an_instance_norm_stands_before_the_last_relu():
    block = dict(network().resnet.named_blocks())["layer2.0"].eval()
    x = torch.randn(2, 8, 6, 4)
    added = block.bn2(block.conv2(block.start(x))) + block.downsample(x)
    mean, variance = added.mean((2, 3), keepdim=True), added.var((2, 3), correction=0, keepdim=True)
    torch.testing.assert_close(block(x), ((added - mean) / (variance + 1e-5).sqrt()).relu(), rtol=1e-4, atol=1e-5)


def test_a_whole_checkpoint_fills_all_but_the_neck():
    built, weights = network(), {}
    for name, tensor in {**ResNet(10, 8).state_dict(), **built.resnet.state_dict()}.items():
        if not (name.startswith("bn1.running") or name == "bn1.num_batches_tracked"):
            weights[name] = torch.full_like(tensor, 2)
    assert any(name.startswith("layer4.") for name in weights)
    built.load_pretrained({**weights, "fc.weight": torch.zeros(1), "fc.bias": torch.zeros(1)})
    assert all((tensor == 2).all() for tensor in built.resnet.state_dict().values())


def test_a_checkpoint_without_instance_norms_is_refused():
    with pytest.raises(ValueError, match=r"4 missing \['layer1.0.IN.bias'.* 3 unknown \['bn1.num_batches_tracked'"):
        network().load_pretrained(ResNet(10, 8).state_dict())


def test_other_networks_have_no_instance_norm():
    assert not any(isinstance(module, nn.InstanceNorm2d) for module in ResNet(10, 8).modules())


def test_images_of_another_size_are_refused():
    with pytest.raises(ValueError, match=r"built for images of 64x32 pixels and found 48x32: .*; keep one size"):
        network()(torch.zeros(1, 1, 3, 48, 32))
    with pytest.raises(ValueError, match="images of 60x32 have no whole map: expected multiples of 16"):
        network(image=(60, 32))
