"""TCLNet's two learners: their losses, one by one, and how a tracklet is compared."""

import pytest
import torch
from tests import tiny
from torch import nn
from torch.nn import functional

from s2reid.losses.triplet import triplet
from s2reid.methods.tclnet import TCLNet
from s2reid.scales import PAPER, SMALL, TestSetting

pytestmark = pytest.mark.usefixtures("tiny_scale")


def test_the_settings_are_the_releases():
    assert TCLNet() == TCLNet("tclnet", 0.0, 0.4, "cosine", 0.0, TestSetting("all", flip=False))


def test_the_paper_schedule_is_150_epochs_with_three_falls():
    schedule = TCLNet().schedule(PAPER.name)
    rates = [schedule.rate(36 * epoch) for epoch in (0, 39, 40, 79, 80, 119, 120, 149)]
    assert rates == pytest.approx([1, 1, 0.1, 0.1, 0.01, 0.01, 0.001, 0.001])
    assert (schedule.steps, schedule.images_per_step, schedule.optimizer) == (150 * 36, 128, "adam")


def test_the_small_schedule_is_64_images_of_one_size():
    schedule = TCLNet().schedule(SMALL.name)
    assert (schedule.images_per_step, schedule.num_frames) == (64, 4)
    assert set(schedule.heights(SMALL.height)) == {SMALL.height}


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_each_learner_has_its_own_neck_classifier_and_losses(metric):
    learner = tiny.perturb(tiny.learner("tclnet", metric=metric)).train()
    source = tiny.clips_for("tclnet")
    with torch.no_grad():
        features = learner.encoder(source.pixels)
        found = learner(source, None)
    half = learner.encoder.num_features // 2
    expected = {"identity": 0.0, "triplet": 0.0}
    for place, classifier in enumerate((learner.classifier, learner.second_classifier)):
        part = slice(half * place, half * (place + 1))
        neck = nn.BatchNorm1d(half).train()
        neck.load_state_dict(
            {
                **neck.state_dict(),
                "weight": learner.encoder.neck.weight[part].detach(),
                "bias": learner.encoder.neck.bias[part].detach(),
            }
        )
        video = features.video[:, part]
        normalised = neck(video)
        expected["identity"] += functional.cross_entropy(classifier(normalised), source.person).item()
        compared = normalised if metric == "cosine" else video
        expected["triplet"] += triplet(compared, source.person, 0.4, metric).item()
    assert {term: value.item() for term, value in found.items()} == pytest.approx(expected, rel=1e-4)


def test_a_tracklets_halves_count_alike():
    learner = tiny.learner("tclnet")
    one, other = (torch.randn(5, 8, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1))
    pooled = [learner.pool(clips) for clips in (one, other)]
    assert all(feature.norm().item() == pytest.approx(1) for feature in pooled)
    means = [clips.mean(0) for clips in (one, other)]
    halves = [functional.cosine_similarity(means[0][part], means[1][part], dim=0) for part in (slice(4), slice(4, 8))]
    torch.testing.assert_close(pooled[0] @ pooled[1], (halves[0] + halves[1]) / 2)
    louder = one * torch.tensor([100.0] * 4 + [1.0] * 4)
    torch.testing.assert_close(learner.pool(louder), pooled[0])
