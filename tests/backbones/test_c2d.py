"""C2D: a frame's feature is that of the frame alone."""

import torch

from s2reid.backbones import c2d


def test_torchvisions_names_stand_behind_resnet():
    names = set(c2d.build(depth=50, width=64).state_dict())
    assert len(names) == 318
    assert all(name.startswith("resnet.") for name in names)
    assert {"resnet.conv1.weight", "resnet.layer4.2.bn3.running_mean"} < names


def test_frames_do_not_see_each_other():
    network = c2d.build(depth=10, width=8).eval()
    clip = torch.randn(2, 3, 3, 32, 16, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        together = network(clip)
        alone = torch.stack([torch.stack([network(frame[None, None])[0, 0] for frame in one]) for one in clip])
    torch.testing.assert_close(alone, together, rtol=1e-4, atol=1e-5)


def test_the_last_stride_halves_the_map_and_keeps_the_feature():
    fine, coarse = (c2d.build(depth=10, width=8, last_stride=stride) for stride in (1, 2))
    assert fine.num_features == coarse.num_features == 64
    assert [network.resnet(torch.zeros(1, 3, 64, 32)).shape[2:] for network in (fine, coarse)] == [(4, 2), (2, 1)]


def test_stripes_pool_the_mean_or_the_maximum_of_each_part():
    torch.manual_seed(0)
    network = c2d.build(depth=10, width=8, stripes=2).eval()
    largest = c2d.build(depth=10, width=8, stripes=2, pooling="max").eval()
    largest.load_state_dict(network.state_dict())
    clip = torch.randn(1, 2, 3, 64, 32)
    maps = network.resnet(clip[0]).unflatten(2, (2, -1))
    for pooled, built in ((maps.mean((3, 4)), network), (maps.amax((3, 4)), largest)):
        torch.testing.assert_close(built(clip)[0], pooled.flatten(1))
