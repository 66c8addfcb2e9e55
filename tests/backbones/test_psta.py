"""PSTA: which frames meet when, and what a level's feature is."""

import pytest
import torch

from s2reid.backbones import psta
from s2reid.layers.resnet import ResNet

SIZE = {"depth": 10, "width": 8, "channels": 32, "image": (32, 16)}


def build(**changes):
    torch.manual_seed(0)
    return psta.build(**SIZE | changes).eval()


def clip(clips=2, frames=8):
    return torch.randn(clips, frames, 3, 32, 16, generator=torch.Generator().manual_seed(0))


def test_features_are_those_of_levels_in_loops():
    network, pixels = build(), clip()
    with torch.no_grad():
        found = network.branches(pixels)
        for features, frames in zip(found, pixels):
            maps = list(network.reduce(network.resnet(frames)))
            own = []
            for level in network.levels:
                maps = [level(torch.stack(maps[i : i + 2]))[0] for i in range(0, len(maps), 2)]
                own.append(sum(one.mean((1, 2)) for one in maps) / len(maps))
            assert len(maps) == 1
            expected = torch.stack([own[0], (own[0] + own[1]) / 2, (own[0] + own[1] + own[2]) / 3])
            torch.testing.assert_close(features, expected, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(network(pixels)[:, 0], found[:, 2], rtol=0, atol=0)


def test_an_aggregation_refines_the_sum_of_both_attentions():
    level = build().levels[0]
    frames = torch.rand(6, 32, 2, 1, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        looks = level.looks(frames)
        merged = level.temporal(frames, looks) + level.spatial(frames, looks)
        torch.testing.assert_close(level(frames), level.refine(merged), rtol=0, atol=0)
    assert merged.shape == (3, 32, 2, 1)


def test_frames_meet_in_pairs_then_pairs_in_fours():
    # The order within a pair, and that of the pairs, does not matter; who is in a pair does.
    network, pixels = build(), clip()
    with torch.no_grad():
        expected = network(pixels)
        for order in ([1, 0, 2, 3, 4, 5, 6, 7], [2, 3, 0, 1, 4, 5, 6, 7], [4, 5, 6, 7, 0, 1, 2, 3]):
            torch.testing.assert_close(network(pixels[:, order]), expected, rtol=1e-4, atol=1e-6)
        for order in ([0, 2, 1, 3, 4, 5, 6, 7], [0, 1, 4, 5, 2, 3, 6, 7]):
            assert not torch.allclose(network(pixels[:, order]), expected, rtol=1e-4, atol=1e-6)


def test_clips_of_other_lengths_work_where_they_halve_and_are_refused_where_not():
    network = build()
    assert network(clip(frames=16)).shape == (2, 1, 32)
    for frames in (1, 4, 12):
        with pytest.raises(ValueError, match=f"halves a clip's frames 3 times and found {frames}: take clips of 8"):
            network(clip(frames=frames))
    assert build(levels=1).branches(clip(frames=2)).shape == (2, 1, 32)


def test_every_convolution_starts_by_its_inputs():
    network = build(channels=256, width=16)
    kernel = network.levels[1].refine[1][0].weight
    assert kernel.std().item() == pytest.approx((2 / kernel[0].numel()) ** 0.5, rel=0.05)
    assert not [name for name, _ in network.levels.named_parameters() if name.endswith("0.bias")]


def test_public_weights_fill_the_resnet_and_nothing_else():
    network, public = build(), ResNet(10, 8).state_dict()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    network.load_pretrained({**public, "fc.weight": torch.zeros(1), "fc.bias": torch.zeros(1)})
    after = network.state_dict()
    assert all(torch.equal(after[f"resnet.{name}"], value) for name, value in public.items())
    others = [name for name in before if not name.startswith("resnet.")]
    assert len(others) > 200
    assert all(torch.equal(before[name], after[name]) for name in others)
    with pytest.raises(ValueError, match="the weights do not fit this ResNet"):
        network.load_pretrained(ResNet(10, 16).state_dict())
