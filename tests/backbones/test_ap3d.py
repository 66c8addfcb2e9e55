"""AP3D and its non-local variant: they start as the ResNet alone, and then see time."""

import pytest
import torch
from tests.backbones.test_contract import images, pixels
from tests.tiny import perturb

from s2reid.backbones import ap3d, ap3d_nl
from s2reid.layers.resnet import ResNet

NETWORKS = {"ap3d": ap3d, "ap3d_nl": ap3d_nl}


def build(name, **numbers):
    torch.manual_seed(0)
    return NETWORKS[name].build(**{**NETWORKS[name].SIZES["small"], **numbers})


@pytest.mark.parametrize("name", NETWORKS)
def test_it_starts_as_a_resnet_with_the_largest_value_of_each_frame(name):
    network, clip = build(name).eval(), pixels(name)
    with torch.no_grad():
        found = network(clip)
        expected = network.resnet(clip.flatten(0, 1)).flatten(2).amax(2)
    torch.testing.assert_close(found.flatten(0, 1), expected)


# Two aligned convolutions, one after the other: a frame sees two frames to either side, and all with a non-local block.
@pytest.mark.parametrize(("name", "seen"), [("ap3d", [0, 1, 2]), ("ap3d_nl", [0, 1, 2, 3, 4])])
def test_which_frames_a_frame_sees(name, seen):
    network = perturb(build(name)).eval()
    clip = images(1, 5, 64, 32)
    clip.requires_grad_()
    network(clip)[0, 0].sum().backward()
    strength = clip.grad[0].abs().sum((1, 2, 3))
    assert [frame for frame in range(5) if strength[frame] > 0] == seen


@pytest.mark.parametrize("name", NETWORKS)
def test_where_the_modules_are_at_paper_scale(name):
    with torch.device("meta"):
        network = NETWORKS[name].build(**NETWORKS[name].SIZES["paper"])
    channels = {key: layer.temporal.out_channels for key, layer in network.aligned.items()}
    assert channels == {"layer2_0": 128, "layer2_2": 128, "layer3_0": 256, "layer3_2": 256, "layer3_4": 256}
    inner = {key: layer.theta.out_channels for key, layer in network.non_local.items()}
    places = {"layer2_1": 256, "layer2_3": 256, "layer3_1": 512, "layer3_3": 512, "layer3_5": 512}
    assert inner == (places if name == "ap3d_nl" else {})


@pytest.mark.parametrize("option", ["aligned", "non_local"])
def test_a_block_that_is_not_there(option):
    known = "layer1.0, layer2.0, layer2.1, layer3.0, layer3.1, layer4.0"
    with pytest.raises(ValueError, match=f"no block 'layer2.7': there are {known}"):
        build("ap3d", **{option: ("layer2.0", "layer2.7")})


def test_torchvisions_weights_fill_the_resnet_and_nothing_else():
    network, public = build("ap3d_nl"), ResNet(10, 32, blocks=(1, 2, 2, 1)).state_dict()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    network.load_pretrained({**public, "fc.weight": torch.zeros(10, 256), "fc.bias": torch.zeros(10)})
    after = network.state_dict()
    assert all(torch.equal(after[f"resnet.{name}"], value) for name, value in public.items())
    others = [name for name in after if not name.startswith("resnet.")]
    assert len(others) == 2 * 5 + 2 * 13
    assert all(torch.equal(after[name], before[name]) for name in others)


def test_weights_of_another_resnet_are_refused():
    with pytest.raises(ValueError, match=r"the weights do not fit this ResNet: .* missing"):
        build("ap3d").load_pretrained(ResNet(10, 32).state_dict())


# The authors' network at paper scale: stages as (blocks, aligned blocks, blocks before a non-local one).
STAGES = {1: (3, [], []), 2: (4, [0, 2], [1, 3]), 3: (6, [0, 2, 4], [1, 3, 5]), 4: (3, [], [])}


def release(network, name):
    """Spell a network's weights as the authors' release does, with 3-D kernels."""
    own = {name: value for name, value in network.state_dict().items() if not name.endswith("num_batches_tracked")}
    theirs = {n.removeprefix("resnet."): own.pop(n) for n in list(own) if n.startswith(("resnet.conv1", "resnet.bn1"))}
    for stage, (count, aligned, non_local) in STAGES.items():
        place = 0
        for block in range(count):
            for n in [n for n in own if n.startswith(f"resnet.layer{stage}.{block}.")]:
                inside = n.split(".", 3)[3]
                if block in aligned and inside == "conv2.weight":
                    inside = "conv2.spatial_conv3d.weight"
                theirs[f"layer{stage}.{place}.{inside}"] = own.pop(n)
            if block in aligned:
                kernels = {"semantic": "semantic_mapping", "of_frame": "x_mapping", "of_neighbour": "n_mapping"}
                for n, spelled in {**kernels, "attention": "contrastive_att_net.0"}.items():
                    weight = own.pop(f"aligned.layer{stage}_{block}.alignment.{n}.weight")
                    theirs[f"layer{stage}.{place}.conv2.APM.{spelled}.weight"] = weight
                weight = own.pop(f"aligned.layer{stage}_{block}.temporal.weight")
                over_time = torch.stack(weight.chunk(3, 1), 2)
                theirs[f"layer{stage}.{place}.conv2.temporal_conv3d.weight"] = over_time
            place += 1
            if name == "ap3d_nl" and block in non_local:
                spelled = {"theta": "theta", "phi": "phi.0", "g": "g.0", "out": "W.0", "norm": "W.1"}
                for n in [n for n in own if n.startswith(f"non_local.layer{stage}_{block}.")]:
                    part, number = n.split(".")[2:]
                    theirs[f"layer{stage}.{place}.{spelled[part]}.{number}"] = own.pop(n)
                place += 1
    assert own == {}
    inflated = {n: value.unsqueeze(2) if value.ndim == 4 else value for n, value in theirs.items()}
    return {**inflated, "bn.weight": torch.ones(1), "classifier.weight": torch.ones(1, 1)}


def paper(name, seed):
    """Build the paper's network, thinner."""
    torch.manual_seed(seed)
    return perturb(NETWORKS[name].build(**{**NETWORKS[name].SIZES["paper"], "width": 8}), seed)


@pytest.mark.parametrize(("name", "kernels"), [("ap3d", 5), ("ap3d_nl", 10)])
def test_the_authors_weights_fill_all(name, kernels):
    one, other = paper(name, 0).eval(), paper(name, 1).eval()
    weights = release(one, name)
    assert sum(n.endswith(("temporal_conv3d.weight", "W.0.weight")) for n in weights) == kernels
    other.load_pretrained(weights)
    assert all(torch.equal(value, other.state_dict()[n]) for n, value in one.state_dict().items())
    del weights["layer2.0.conv2.APM.x_mapping.weight"]
    with pytest.raises(ValueError, match=r"AP3D: 1 missing .*of_frame.*the names of the authors' release"):
        other.load_pretrained(weights)


def test_the_variant_needs_the_variants_weights():
    with pytest.raises(ValueError, match=r"do not fit this AP3D: .*; expected the names of the authors' release"):
        paper("ap3d", 0).load_pretrained(release(paper("ap3d_nl", 0), "ap3d_nl"))
