"""PSTA's recipe as settings, its heads, and its clips of eight frames."""

import pytest
import torch
from tests import tiny

from s2reid import model
from s2reid.embed import Model
from s2reid.losses.identity import identity
from s2reid.losses.triplet import triplet
from s2reid.methods.psta import PSTA
from s2reid.model import Card
from s2reid.scales import PAPER, SMALL, TestSetting

pytestmark = pytest.mark.usefixtures("tiny_scale")


def test_the_settings_are_the_releases():
    assert PSTA() == PSTA("psta", 0.1, 0.3, "cosine", 0.0, TestSetting("all", flip=False))
    assert not PSTA().needs_target
    assert PSTA().before() is None


def test_the_paper_schedule_is_500_epochs_with_five_falls():
    schedule = PSTA().schedule(PAPER.name)
    rates = [schedule.rate(36 * epoch + 1) for epoch in (10, 69, 70, 139, 140, 209, 210, 309, 310, 409, 410, 498)]
    assert rates == pytest.approx([0.3**falls for falls in (0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5)])
    assert schedule.rate(0) < 0.01
    clips = (schedule.num_persons, schedule.clips_per_person, schedule.num_frames)
    assert (schedule.steps, clips, schedule.optimizer) == (500 * 36, (8, 4, 8), "adam")
    assert (schedule.learning_rate, schedule.weight_decay) == (3.5e-4, 5e-4)


@pytest.mark.parametrize("scale", [SMALL, PAPER])
def test_every_schedule_has_clips_of_eight_frames_and_one_size(scale):
    for continues in (False, True):
        schedule = PSTA().schedule(scale.name, continues)
        assert schedule.num_frames == 8
        assert set(schedule.heights(scale.height)) == {scale.height}
    assert PSTA().schedule(scale.name, continues=True).steps < PSTA().schedule(scale.name).steps


def test_the_small_schedule_is_16_clips():
    schedule = PSTA().schedule(SMALL.name)
    assert (schedule.num_persons, schedule.clips_per_person, schedule.optimizer) == (8, 2, "muon")


def test_the_terms_are_means_over_levels_in_a_loop():
    learner = tiny.perturb(tiny.learner("psta")).train()
    source = tiny.clips_for("psta")
    with torch.no_grad():
        found = learner(source, None)
        levels = learner.backbone.branches(learner.encoder.normalise(source.pixels))
    identities, triplets = [], []
    for level in range(3):
        neck, classifier = [
            (learner.necks[0], learner.classifiers[0]),
            (learner.necks[1], learner.classifiers[1]),
            (learner.encoder.neck, learner.classifier),
        ][level]
        feature = levels[:, level]
        scaled = (feature - feature.mean(0)) / (feature.var(0, unbiased=False) + neck.eps).sqrt()
        normalised = scaled * neck.weight + neck.bias
        logits = normalised @ classifier.weight.T + classifier.bias
        identities.append(identity(logits, source.person, 0.1))
        triplets.append(triplet(normalised, source.person, 0.3))
    torch.testing.assert_close(found["identity"], sum(identities) / 3, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found["triplet"], sum(triplets) / 3, rtol=1e-3, atol=1e-4)


def test_euclidean_is_taken_before_the_necks():
    source = tiny.clips_for("psta")
    learner = tiny.learner("psta", metric="euclidean", margin=None).train()
    with torch.no_grad():
        found = learner(source, None)["triplet"]
        levels = learner.backbone.branches(learner.encoder.normalise(source.pixels)).unbind(1)
    expected = sum(triplet(level, source.person, None, "euclidean") for level in levels) / 3
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_necks_start_at_one_and_cannot_shift():
    learner = tiny.learner("psta")
    necks = (*learner.necks, learner.encoder.neck)
    assert len(necks) == 3
    assert all((neck.weight == 1).all() and not neck.bias.requires_grad for neck in necks)
    classifiers = (*learner.classifiers, learner.classifier)
    assert all(not one.bias.any() for one in classifiers)
    assert [one.weight.std().item() for one in classifiers] == pytest.approx([0.001] * 3, rel=0.2)


def test_what_is_tested_is_the_last_neck_over_clips_of_eight(tmp_path):
    learner = tiny.learner("psta").eval()
    pixels = tiny.clips_for("psta").pixels
    expected = learner.encoder.neck(learner.backbone.branches(learner.encoder.normalise(pixels))[:, 2])
    torch.testing.assert_close(learner.embed(pixels), expected)
    card = Card("psta", PSTA(), tiny.task(), {"training": "x"})  # a scale of 2 frames
    loaded = Model(*model.load(model.save(learner, card, tmp_path / "model")))
    assert loaded.test == "all frames, no flip in clips of 8, the trained network"
    assert loaded.embed([frames.permute(0, 2, 3, 1).numpy() for frames in pixels]).shape == (6, 32)


def test_another_backbone_is_refused():
    with pytest.raises(ValueError, match="psta trains the levels of its own backbone, and was given c2d"):
        tiny.learner("psta", backbone="c2d")
