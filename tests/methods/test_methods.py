"""Source only does not look at the target; target BN looks, but only with its batch norms."""

import pytest
import torch
from tests import tiny

from s2reid import model
from s2reid.batch import Clips
from s2reid.methods import qaconv, source_only

pytestmark = pytest.mark.usefixtures("tiny_scale")


class Untouchable(Clips):
    """A target that nobody may look at."""

    def __init__(self):
        pass

    def __getattr__(self, name):
        raise AssertionError(f"the target's {name} was read")


def update(learner, target, steps=2):
    optimizers = learner.train().optimizers(tiny.schedule())
    for step in range(steps):
        learner.step(learner, tiny.clips(seed=step), target, optimizers, torch.Tensor.backward)
    return {name: value.clone() for name, value in learner.state_dict().items()}


def test_source_only_never_looks_at_the_target():
    assert tiny.equal_weights(update(tiny.learner(), Untouchable()), update(tiny.learner(), None))


def test_target_bn_needs_target_clips():
    with pytest.raises(ValueError, match="target_bn needs target clips: give a target"):
        tiny.learner("target_bn").losses(tiny.clips(), None)


def statistics(state):
    return {name: value for name, value in state.items() if "running" in name and name.startswith("encoder.")}


def test_target_bn_changes_statistics_and_nothing_else_in_its_first_step():
    without, with_target = tiny.learner(), tiny.learner("target_bn")
    with_target.load_state_dict(without.state_dict())
    target = tiny.unlabelled(tiny.clips(seed=7))
    plain, adapted = update(without, None, 1), update(with_target, target, 1)
    own = [name for name in plain if name.startswith(("encoder.", "classifier."))]
    changed = {name for name in own if not torch.equal(plain[name], adapted[name])}
    assert changed == {name for name in own if "running" in name or "num_batches" in name}
    assert len(changed) == 3 * 13  # 12 norms of a ResNet-10, with three shortcuts, and the neck


def test_target_bn_changes_what_is_embedded_and_source_pixels_alone_do_not():
    pixels = tiny.clips(seed=3).pixels
    target = tiny.unlabelled(tiny.clips(seed=7))
    plain, adapted = tiny.learner(average=0.0), tiny.learner("target_bn", average=0.0)
    update(plain, None), update(adapted, target)
    assert not torch.allclose(plain.eval().encode(pixels), adapted.eval().encode(pixels), atol=1e-3)


def test_the_target_leaves_no_gradient():
    learner = tiny.learner("target_bn").train()
    target = tiny.unlabelled(tiny.clips(seed=7))
    gradients = []
    for clips in (target, tiny.unlabelled(tiny.clips(seed=8))):
        learner.zero_grad()
        learner.total(learner(tiny.clips(), clips)).backward()
        gradients.append([parameter.grad.clone() for parameter in learner.parameters() if parameter.grad is not None])
    assert all(torch.equal(one, other) for one, other in zip(*gradients))


def test_the_average_is_tested_unless_it_is_off():
    averaged, bare = tiny.learner(), tiny.learner(average=0.0)
    assert averaged.tested == "moving average of the weights (momentum 0.99)"
    assert bare.tested == "the trained network"
    assert bare.average is None
    with torch.no_grad():
        averaged.classifier.weight.zero_()
        for parameter in averaged.encoder.parameters():
            parameter.zero_()
    assert averaged.eval().encode(tiny.clips().pixels).abs().sum() > 0  # the average still has the old weights


def test_a_loss_is_compared_in_the_metric_of_the_settings():
    terms = [
        tiny.learner(metric=metric).train()(tiny.clips(), None)["triplet"].item() for metric in ("cosine", "euclidean")
    ]
    assert terms[0] != terms[1]


def test_flip_averaging_is_the_mean_of_both_views():
    pixels = tiny.clips(seed=3).pixels
    flipped, plain = (tiny.learner(test={"coverage": "all", "flip": flip}).eval() for flip in (True, False))
    torch.testing.assert_close(flipped.embed(pixels), flipped.embed(pixels.flip(-1)))
    torch.testing.assert_close(plain.embed(pixels), plain.encode(pixels))
    views = [torch.nn.functional.normalize(plain.encode(view), dim=1) for view in (pixels, pixels.flip(-1))]
    torch.testing.assert_close(flipped.embed(pixels), sum(views) / 2)
    assert not torch.allclose(plain.embed(pixels), plain.embed(pixels.flip(-1)))


def test_pool_is_the_mean_at_length_1():
    clips = torch.tensor([[3.0, 0.0], [0.0, 4.0], [3.0, 0.0]])
    torch.testing.assert_close(
        tiny.learner().pool(clips), torch.tensor([2.0, 4 / 3]) / torch.tensor([2.0, 4 / 3]).norm()
    )


HEADS = ("encoder.neck.weight", "encoder.neck.running_var", "classifier.weight")


@pytest.mark.parametrize(
    ("method", "settings", "fitting"),
    [
        ("source_only", {"backbone": "sinet"}, HEADS),
        ("s2r", {"stage": 1, "terms": ["identity"]}, HEADS),
        ("ap3d", {}, HEADS),
        ("tclnet", {}, HEADS[2:]),  # the neck is one over both halves
        ("psta", {}, ()),  # narrower features
    ],
)
def test_a_video_network_starts_from_all_that_fits_of_one_on_single_frames(method, settings, fitting, monkeypatch):
    monkeypatch.setattr(source_only, "SINGLE_FRAMES", {"tiny"})
    learner = tiny.learner(method, **settings)
    trunk = learner.settings.trunk("tiny")
    assert (trunk.backbone, trunk.stripes, trunk.blocks) == (
        "c2d",
        1,
        tiny.SIZES[learner.settings.backbone].get("blocks"),
    )
    frames = tiny.fill(trunk.build(tiny.task())).state_dict()
    before = {name: value.clone() for name, value in learner.state_dict().items()}
    learner.begin(frames)
    after = learner.state_dict()
    for name in ("conv1.weight", "layer3.0.conv1.weight", "layer2.0.bn1.running_mean"):
        assert torch.equal(after[f"encoder.backbone.resnet.{name}"], frames[f"encoder.backbone.resnet.{name}"]), name
    for name in HEADS:
        given = frames[name] if name in fitting else before[name]
        if method != "tclnet" or name in fitting:
            assert torch.equal(after[name], given), name


def test_both_learners_of_tclnet_take_the_neck_and_the_classifier(monkeypatch):
    monkeypatch.setattr(source_only, "SINGLE_FRAMES", {"tiny"})
    learner = tiny.learner("tclnet")
    frames = tiny.fill(learner.settings.trunk("tiny").build(tiny.task())).state_dict()
    learner.begin(frames)
    for half in learner.encoder.neck.weight.chunk(2):
        assert torch.equal(half, frames["encoder.neck.weight"])
    for classifier in (learner.classifier, learner.second_classifier):
        assert torch.equal(classifier.weight, frames["classifier.weight"])


def test_both_domains_of_glt_take_the_norms(monkeypatch):
    monkeypatch.setattr(source_only, "SINGLE_FRAMES", {"tiny"})
    learner = tiny.learner("glt", stage=1)
    frames = tiny.fill(learner.settings.trunk("tiny").build(tiny.task())).state_dict()
    learner.begin(frames)
    own = learner.state_dict()
    for place in ("encoder.neck", "encoder.backbone.resnet.bn1", "encoder.backbone.resnet.layer2.0.bn2"):
        for domain in ("source", "target"):
            for name in ("weight", "running_mean"):
                assert torch.equal(own[f"{place}.{domain}.{name}"], frames[f"{place}.{name}"]), (place, domain, name)
    assert torch.equal(own["classifier.weight"], frames["classifier.weight"])


def test_qaconv_starts_from_a_classifier_with_the_same_resnet(monkeypatch):
    monkeypatch.setattr(qaconv, "SINGLE_FRAMES", {"tiny"})
    learner = tiny.learner("qaconv")
    trunk = learner.settings.trunk("tiny")
    assert (trunk.backbone, trunk.stripes, trunk.blocks, trunk.ibn) == ("c2d", 1, (1, 1, 1), True)
    frames = tiny.fill(trunk.build(tiny.task())).state_dict()
    neck = learner.network.neck.weight.clone()
    learner.begin(frames)
    own = learner.network.resnet.state_dict()
    assert any(".IN." in name for name in own)
    for name, value in own.items():
        assert torch.equal(value, frames[f"encoder.backbone.resnet.{name}"]), name
    assert torch.equal(learner.network.neck.weight, neck)


def test_at_paper_scale_nothing_starts_from_single_frames():
    for method in ("source_only", "s2r", "ap3d", "tclnet", "psta", "cal", "cavit", "glt", "qaconv"):
        assert model.settings(method, {}).trunk("paper") is None, method
    assert model.settings("source_only", {}).trunk("small") is None
    assert model.settings("cal", {}).trunk("small") is None


def test_stripes_and_instance_norms_are_for_c2d():
    for values, message in (
        ({"stripes": 0}, "stripes is 0 for c2d: expected 1 or more, for c2d alone"),
        ({"backbone": "sinet", "stripes": 1}, "stripes is 1 for sinet: expected 1 or more, for c2d alone"),
        ({"backbone": "sinet", "ibn": True}, "ibn is for c2d alone, and the backbone is sinet"),
        (
            {"backbone": "glt", "blocks": [1, 1, 1, 1]},
            r"blocks is \(1, 1, 1, 1\) for glt: .* none for cavit, glt, psta",
        ),
        ({"blocks": [1, 0, 1, 1]}, r"blocks is \(1, 0, 1, 1\) for c2d: expected 1 or more in each stage"),
    ):
        with pytest.raises(ValueError, match=message):
            model.settings("source_only", values)
    assert model.settings("source_only", {"stripes": 3}).sizes("tiny")["stripes"] == 3
