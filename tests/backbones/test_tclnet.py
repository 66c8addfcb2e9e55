"""TCLNet: two learners, two pairs of frames, and what it refuses."""

import pytest
import torch
from tests.backbones.test_contract import pixels
from tests.tiny import perturb

from s2reid.backbones import tclnet
from s2reid.layers.resnet import ResNet
from s2reid.layers.saliency import outside_stripe

SMALL = tclnet.SIZES["small"]


def build():
    torch.manual_seed(0)
    return tclnet.build(**SMALL)


def halves(features):
    return features[:, 0].chunk(2, 1)


def test_it_starts_as_a_resnet_on_the_first_frame_of_each_pair():
    network, clip = build().eval(), pixels("tclnet")
    whole = ResNet(10, 32, blocks=(1, 1, 1, 2)).eval()
    weights = {f"layer4.1.{name}": value for name, value in network.learners[1].state_dict().items()}
    whole.load_state_dict({**network.resnet.state_dict(), **weights})
    with torch.no_grad():
        frames = whole(clip.flatten(0, 1)).flatten(2).amax(2).unflatten(0, (-1, 4))
        first, second = halves(network(clip))
    torch.testing.assert_close(first, (frames[:, 0] + frames[:, 2]) / 2)
    assert not torch.allclose(second, (frames[:, 1] + frames[:, 3]) / 2)  # a stripe is missing


def test_both_pairs_go_the_same_way_step_by_step():
    network, clip = perturb(build()).eval(), pixels("tclnet")
    with torch.no_grad():
        resnet = network.resnet
        maps = network.boost(resnet.layer2(resnet.layer1(resnet.stem(clip.flatten(0, 1)))), 4)
        frames = resnet.layer3(maps).unflatten(0, (-1, 4))
        found = []
        for start in (0, 2):
            even = torch.zeros(3, 4, 2)
            first = network.learners[0](resnet.layer4(network.erase(frames[:, start], even == 0, even)))
            scores = network.erase.correlate(first, frames[:, start + 1])
            kept = outside_stripe(scores)
            second = network.learners[1](resnet.layer4(network.erase(frames[:, start + 1], kept, scores)))
            found.append(torch.cat([first.flatten(2).amax(2), second.flatten(2).amax(2)], 1))
        torch.testing.assert_close(network(clip)[:, 0], (found[0] + found[1]) / 2)


def test_pairs_and_frames_in_another_order():
    network, clip = build().eval(), pixels("tclnet")  # without boost, pairs do not see each other
    with torch.no_grad():
        first, second = halves(network(clip))
        swapped = halves(network(clip[:, [2, 3, 0, 1]]))
        turned = halves(network(clip[:, [1, 0, 3, 2]]))
    torch.testing.assert_close(swapped[0], first)
    torch.testing.assert_close(swapped[1], second)
    assert not torch.allclose(turned[0], second)


@pytest.mark.parametrize("t", [1, 3, 5, 8])
def test_another_clip_length_is_refused(t):
    with pytest.raises(ValueError, match=rf"clips of 4 frames \(two pairs\), found {t}"):
        build()(torch.zeros(1, t, 3, 64, 32))


@pytest.mark.parametrize(("height", "rows"), [(32, 2), (48, 3)])
def test_images_too_low_to_erase_a_stripe_are_refused(height, rows):
    message = (
        f"erases 3 rows of a map that has {rows} at an image height of {height}: give images 64 pixels high or more"
    )
    with pytest.raises(ValueError, match=message):
        build()(torch.zeros(1, 4, 3, height, 32))


def test_a_stage_of_one_block_is_refused():
    with pytest.raises(ValueError, match="2 blocks or more in layer4, found 1: the last one becomes its two learners"):
        tclnet.build(depth=10, width=32)


def test_both_learners_start_as_the_last_block_of_public_weights():
    network, public = build(), ResNet(10, 32, blocks=(1, 1, 1, 2)).state_dict()
    parameters = list(network.parameters())
    others = {name: value.clone() for name, value in network.state_dict().items() if name[0] in "be"}
    network.load_pretrained({**public, "fc.weight": torch.zeros(10, 256)})
    last = {name: value for name, value in public.items() if name.startswith("layer4.1.")}
    for name, value in public.items():
        if name not in last:
            assert torch.equal(network.resnet.state_dict()[name], value), name
    for learner in network.learners:
        assert all(torch.equal(learner.state_dict()[name[len("layer4.1.") :]], value) for name, value in last.items())
    assert (len(last), len(others)) == (12, 15)
    assert all(torch.equal(network.state_dict()[name], value) for name, value in others.items())
    assert all(one is other for one, other in zip(parameters, network.parameters()))
    one, other = (learner.conv1.weight for learner in network.learners)
    assert one.data_ptr() != other.data_ptr()


def test_weights_of_another_resnet_are_refused_and_change_nothing():
    network = build()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with pytest.raises(ValueError, match=r"the weights do not fit this ResNet: .* missing"):
        network.load_pretrained(ResNet(10, 32).state_dict())
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def release(network):
    """Spell a network's weights as the authors' release does, with 3-D kernels in the first three stages."""
    spelled = {
        "boost.out": f"layer2.{len(network.resnet.layer2)}.W",
        "resnet.layer4": "TSE_Module.layer4",
        "learners": "TSE_Module.branch",
        "erase.reduce": "TSE_Module.conv_reduce",
        "erase.out": "TSE_Module.conv_erase",
    }
    theirs = {"bn.0.weight": torch.ones(1), "classifier.1.bias": torch.ones(1)}
    for name, value in network.state_dict().items():
        own = next((own for own in spelled if name.startswith(own + ".")), None)
        renamed = spelled[own] + name[len(own) :] if own else name.removeprefix("resnet.")
        theirs[renamed] = value.unsqueeze(2) if value.ndim == 4 and not own else value
    return theirs


def test_the_authors_weights_fill_all():
    one, other = perturb(build(), 0), perturb(build(), 1)
    weights = release(one)
    other.load_pretrained(weights)
    assert len(weights) == len(one.state_dict()) + 2
    assert all(torch.equal(value, other.state_dict()[name]) for name, value in one.state_dict().items())
    weights["TSE_Module.conv_more.weight"] = torch.ones(1)
    with pytest.raises(ValueError, match=r"TCLNet: 0 missing .* 1 unknown .*conv_more.*names of the authors' release"):
        other.load_pretrained(weights)
