"""ResNets: torchvision's names and sizes, strides, widths."""

import pytest
import torch

from s2reid.layers.resnet import ResNet


def count(network):
    return sum(parameter.numel() for parameter in network.parameters())


# torchvision's published counts less their classifiers:
# 11,689,512 - 513,000, 21,797,672 - 513,000, 25,557,032 - 2,049,000.
@pytest.mark.parametrize(("depth", "expected"), [(18, 11_176_512), (34, 21_284_672), (50, 23_508_032)])
def test_torchvisions_counts(depth, expected):
    assert count(ResNet(depth)) == expected


def test_a_count_by_hand():
    # Stem 3*8*49 + 16; a block of two 3x3 convolutions with norms, from the second stage on with a 1x1 shortcut.
    stem, first = 3 * 8 * 49 + 2 * 8, 2 * (9 * 8 * 8 + 2 * 8)
    later = sum(9 * c * 2 * c + 9 * 4 * c * c + c * 2 * c + 3 * 2 * 2 * c for c in (8, 16, 32))
    assert count(ResNet(10, width=8)) == stem + first + later == 78_312


def test_torchvisions_names():
    names = set(ResNet(50).state_dict())
    assert len(names) == 318  # torchvision's 320 less fc.weight and fc.bias
    assert {
        "conv1.weight",
        "bn1.num_batches_tracked",
        "layer1.0.downsample.0.weight",
        "layer1.0.downsample.1.running_var",
        "layer2.3.conv2.weight",
        "layer4.2.bn3.bias",
    } < names
    assert ResNet(50).state_dict()["layer2.0.downsample.0.weight"].shape == (512, 256, 1, 1)


def test_the_stride_of_a_bottleneck_is_on_its_3x3():
    block = ResNet(50).layer2[0]
    assert (block.conv1.stride, block.conv2.stride, block.conv3.stride) == ((1, 1), (2, 2), (1, 1))


@pytest.mark.parametrize(("last_stride", "size"), [(1, (4, 2)), (2, (2, 1))])
@pytest.mark.parametrize(("depth", "channels"), [(10, 64), (50, 256)])
def test_maps(depth, channels, last_stride, size):
    network = ResNet(depth, width=8, last_stride=last_stride)
    assert network(torch.zeros(1, 3, 64, 32)).shape == (1, channels, *size)
    assert network.num_features == channels


def test_blocks_may_differ_from_the_depths_own():
    assert [len(stage) for stage in ResNet(10, 8, blocks=(2, 1, 1, 3)).stages()] == [2, 1, 1, 3]


def test_unknown_depth():
    with pytest.raises(ValueError, match="no ResNet of depth 11: there are 10, 18, 34, 50"):
        ResNet(11)
