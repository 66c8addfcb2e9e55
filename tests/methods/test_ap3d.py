"""AP3D's recipe as settings."""

from dataclasses import replace

import pytest
import torch
from tests import tiny

from s2reid.methods.ap3d import AP3D
from s2reid.methods.source_only import SourceOnly
from s2reid.scales import PAPER, SMALL, TestSetting

pytestmark = pytest.mark.usefixtures("tiny_scale")


def test_the_settings_are_the_releases():
    assert AP3D() == AP3D("ap3d", 0.0, 0.3, "cosine", 0.0, TestSetting("all", flip=False))
    assert not AP3D().needs_target


def test_the_paper_schedule_is_240_epochs_with_three_falls():
    schedule = AP3D().schedule(PAPER.name)
    rates = [schedule.rate(36 * epoch) for epoch in (0, 59, 60, 119, 120, 179, 180, 239)]
    assert rates == pytest.approx([1, 1, 0.1, 0.1, 0.01, 0.01, 0.001, 0.001])
    clips = (schedule.num_persons, schedule.clips_per_person, schedule.num_frames)
    assert (schedule.steps, clips, schedule.optimizer) == (240 * 36, (8, 4, 4), "adam")
    assert (schedule.learning_rate, schedule.weight_decay) == (3e-4, 5e-4)


def test_the_small_schedule_is_64_images_of_one_size():
    schedule = AP3D().schedule(SMALL.name)
    assert (schedule.images_per_step, schedule.num_frames, schedule.optimizer) == (64, 4, "muon")
    assert set(schedule.heights(SMALL.height)) == {SMALL.height}
    assert AP3D().schedule(SMALL.name, continues=True).steps < schedule.steps


def test_neck_and_classifier_shift_and_start_at_zero():
    learner = tiny.learner("ap3d")
    for shift in (learner.encoder.neck.bias, learner.classifier.bias):
        assert shift.requires_grad
        assert not shift.any()
    assert learner.classifier.weight.std().item() == pytest.approx(0.001, rel=0.2)
    assert learner.tested == "the trained network"


def test_the_variant_is_a_setting():
    learner = tiny.learner("ap3d", backbone="ap3d_nl")
    assert len(learner.backbone.non_local) == 1
    assert learner.settings == replace(AP3D(), backbone="ap3d_nl")
    assert set(learner.train()(tiny.clips(), None)) == {"identity", "triplet"}


@pytest.mark.parametrize("method", ["ap3d", "tclnet"])
def test_the_terms_do_not_need_a_target(method):
    source = tiny.clips_for(method)
    one, other = tiny.learner(method).train(), tiny.learner(method).train()
    expected = other(source, tiny.unlabelled(source))
    assert all(torch.equal(value, expected[term]) for term, value in one(source, None).items())


def test_before_it_there_is_nothing():
    assert AP3D().before() is None
    assert isinstance(AP3D(), SourceOnly)
