"""CAViT's recipe as settings, its neck over frames, its optimizer and its gradient of bounded length."""

import pytest
import torch
from tests import tiny

from s2reid import experiment, model
from s2reid.experiment import Plan
from s2reid.learner import Task
from s2reid.losses.circle import circle
from s2reid.losses.identity import identity
from s2reid.losses.triplet import triplet
from s2reid.methods import cavit
from s2reid.methods.cavit import CAViT
from s2reid.model import settings
from s2reid.scales import PAPER, SMALL, TestSetting
from s2reid.train import Options

pytestmark = pytest.mark.usefixtures("tiny_scale")


def test_the_settings_are_the_releases():
    own = CAViT()
    assert own == CAViT("cavit", 0.1, 0.3, "cosine", 0.0, TestSetting("begin", flip=False))
    assert not own.needs_target
    assert own.before() is None
    with pytest.raises(ValueError, match="the setting margin of cavit is None, expected float"):
        settings("cavit", {"margin": None})


def test_the_paper_schedule_is_60_epochs_of_sgd():
    schedule = CAViT().schedule(PAPER.name)
    clips = (schedule.num_persons, schedule.clips_per_person, schedule.num_frames)
    assert (schedule.steps, clips, schedule.optimizer) == (60 * 73, (4, 4, 8), "sgd")
    assert (schedule.learning_rate, schedule.weight_decay, schedule.warmup) == (0.01, 1e-4, 1000)
    assert schedule.milestones == ()
    assert schedule.learning_rate * schedule.rate(schedule.steps) == pytest.approx(1.6e-5)
    later = CAViT().schedule(PAPER.name, continues=True)
    assert (later.learning_rate, later.optimizer, later.warmup) == (pytest.approx(1e-3), "sgd", 0)
    assert later.steps < schedule.steps


def test_the_small_schedule_is_64_images_of_one_size():
    for continues in (False, True):
        schedule = CAViT().schedule(SMALL.name, continues)
        assert (schedule.images_per_step, schedule.num_frames, schedule.optimizer) == (64, 4, "adamw")
        assert set(schedule.heights(SMALL.height)) == {SMALL.height}
    whole = CAViT().schedule(SMALL.name)
    assert schedule.learning_rate == pytest.approx(whole.learning_rate / 10)
    assert schedule.steps < whole.steps == 100


def test_the_small_scale_sees_single_frames_first():
    first = CAViT(margin=0.2).trunk(SMALL.name)
    assert first == CAViT(margin=0.2, single_frames=True)
    assert first.trunk(SMALL.name) is None
    assert CAViT().trunk(PAPER.name) is None
    schedule = first.schedule(SMALL.name)
    assert (schedule.num_persons, schedule.clips_per_person, schedule.num_frames) == (32, 2, 1)


def test_single_frames_are_learned_by_the_losses_of_source_only():
    learner = tiny.perturb(tiny.learner("cavit", single_frames=True)).train()
    source = tiny.clips_for("cavit")
    with torch.no_grad():
        found = learner(source, None)
        features = learner.encoder(source.pixels).normalised
    assert found.keys() == {"identity", "triplet"}
    expected = identity(learner.classifier(features), source.person, 0.1)
    torch.testing.assert_close(found["identity"], expected)
    torch.testing.assert_close(found["triplet"], triplet(features, source.person, 0.3, "cosine"))


def test_clips_go_on_from_everything_that_frames_taught():
    taught, learner = tiny.perturb(tiny.learner("cavit")), tiny.learner("cavit")
    learner.begin(taught.state_dict())
    for name, value in learner.state_dict().items():
        torch.testing.assert_close(value, taught.state_dict()[name], msg=name)


def test_the_loss_is_that_of_the_frames_behind_the_neck():
    learner = tiny.perturb(tiny.learner("cavit")).train()
    source = tiny.clips_for("cavit")
    with torch.no_grad():
        found = learner(source, None)
        frames = learner.backbone((source.pixels.float() - 127.5) / 127.5)
    rows = frames.reshape(-1, 12)
    scaled = (rows - rows.mean(0)) / (rows.var(0, unbiased=False) + learner.encoder.neck.eps).sqrt()
    normalised = scaled * learner.encoder.neck.weight + learner.encoder.neck.bias
    video = torch.stack([sum(normalised[2 * clip : 2 * clip + 2]) / 2 for clip in range(6)])
    expected = circle(video, learner.classifier.weight, source.person, 64.0, 0.3, 0.1)
    assert found.keys() == {"identity"}
    torch.testing.assert_close(found["identity"], expected, rtol=1e-3, atol=1e-3)


def test_a_test_sees_the_mean_of_what_the_neck_makes_of_each_frame():
    learner = tiny.learner("cavit").train()
    pixels = tiny.clips_for("cavit").pixels
    learner(tiny.clips_for("cavit"), None)
    learner.eval()
    with torch.no_grad():
        frames = learner.backbone(learner.encoder.normalise(pixels))
        expected = learner.encoder.neck(frames.flatten(0, 1)).view_as(frames).mean(1)
    torch.testing.assert_close(learner.embed(pixels), expected, rtol=1e-4, atol=1e-5)


def test_biases_learn_twice_as_fast_and_nothing_is_left_out():
    learner = tiny.learner("cavit")
    names = {parameter: name for name, parameter in learner.named_parameters()}
    seen = {}
    for optimizer in learner.optimizers(tiny.schedule(learning_rate=0.01)):
        for group in optimizer.param_groups:
            seen |= {names[parameter]: group["lr"] for parameter in group["params"]}
    assert set(seen) == {name for name, parameter in learner.named_parameters() if parameter.requires_grad}
    assert len(seen) > 80
    assert all(rate == pytest.approx(0.02 if name.endswith("bias") else 0.01) for name, rate in seen.items())


class Scaler:
    """What half precision adds to an optimizer: gradients come scaled up."""

    def __init__(self):
        self.unscaled = []

    def unscale_(self, optimizer):
        self.unscaled.append(optimizer)
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    parameter.grad.div_(1024)


class Wrapped(torch.optim.Optimizer):
    """An optimizer as accelerate wraps it for half precision."""

    def __init__(self, optimizer, scaler):
        self.optimizer, self.scaler = optimizer, scaler
        self.zero_grad, self.step = optimizer.zero_grad, optimizer.step


def gradient_after_a_step(longest, monkeypatch, scaled=False):
    monkeypatch.setattr(cavit.CAViTLearner, "largest_gradient", longest)
    learner = tiny.perturb(tiny.learner("cavit")).train()
    optimizers, scaler = learner.optimizers(tiny.schedule()), Scaler()
    wrapped = [Wrapped(optimizer, scaler) for optimizer in optimizers] if scaled else optimizers
    loss_scale = 1024 if scaled else 1
    learner.step(learner, tiny.clips_for("cavit"), None, wrapped, lambda loss: (loss_scale * loss).backward())
    assert scaler.unscaled == (optimizers if scaled else [])
    return torch.cat([parameter.grad.flatten() for parameter in learner.parameters() if parameter.grad is not None])


@pytest.mark.parametrize("scaled", [False, True])
def test_a_long_gradient_is_cut_and_a_short_one_is_not(scaled, monkeypatch):
    whole = gradient_after_a_step(1e9, monkeypatch)
    assert whole.norm() > 1
    for longest in (0.5, 1e9):
        found = gradient_after_a_step(longest, monkeypatch, scaled)
        torch.testing.assert_close(found, whole * min(1.0, longest / whole.norm().item()), rtol=1e-4, atol=1e-6)


def test_clips_have_eight_frames_at_paper_scale_and_the_scales_own_elsewhere(monkeypatch):
    from s2reid.backbones import cavit as network

    assert tiny.learner("cavit").clip_length is None
    monkeypatch.setitem(network.SIZES, "paper", {**tiny.SIZES["cavit"], "image": (256, 128), "patch": 64})
    schedule = CAViT().schedule("paper")
    assert CAViT().build(Task(PAPER, schedule, 4)).clip_length == schedule.num_frames == 8


def test_public_statistics_of_pixels_are_those_of_vision_transformers():
    learner = tiny.learner("cavit")
    white = torch.full((1, 1, 3, 32, 16), 255, dtype=torch.uint8)
    assert (learner.encoder.normalise(white) == 1).all()
    assert (learner.encoder.normalise(torch.zeros_like(white)) == -1).all()


def test_an_average_sees_pixels_as_the_network_does(tmp_path, source):
    plan = Plan("cavit", source, scale="tiny", schedule=tiny.schedule(), settings={"average": 0.5})
    saved = experiment.run(plan, tmp_path, Options(0, 0)) / "model"
    learner, _ = model.load(saved)
    for network in (learner.encoder, learner.average.network):
        assert {*network.mean.flatten().tolist(), *network.std.flatten().tolist()} == {127.5}
