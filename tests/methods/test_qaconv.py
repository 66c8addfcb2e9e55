"""QAConv-GS: look-alikes side by side, a matcher that is tested, bounded gradients."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests import tiny
from tests.test_resume import Killed, kill_at
from torch.nn import functional

from s2reid import experiment
from s2reid.embed import load_model
from s2reid.experiment import Plan
from s2reid.learner import Task, View
from s2reid.losses.matching import matching
from s2reid.methods.qaconv import QAConv
from s2reid.metrics.rerank import Rerank
from s2reid.model import settings
from s2reid.train import Options, fit
from s2reid.video.augment import Augmentation

pytestmark = pytest.mark.usefixtures("tiny_scale")


def test_the_loss_is_that_of_all_pairs_of_maps_of_plain_pixels():
    learner, clips = tiny.learner("qaconv").train(), tiny.clips()
    maps = learner.network(clips.pixels.float() / 255).mean(1).unflatten(1, learner.map_size)
    maps = functional.normalize(maps, dim=1)
    learner.matcher.train()
    expected = matching(learner.matcher(maps, maps), clips.person)
    torch.testing.assert_close(learner.losses(clips, None)["matching"], expected)


def test_a_tracklet_is_a_map_with_every_place_at_length_one():
    learner = tiny.learner("qaconv").eval()
    features = learner.embed(tiny.clips().pixels)
    for vectors in (features, learner.pool(features)[None]):
        places = vectors.unflatten(1, learner.map_size).norm(dim=1)
        torch.testing.assert_close(places, torch.ones_like(places))
    assert learner.distance(features, features).argmin(1).tolist() == list(range(6))
    torch.testing.assert_close(learner.distance(features, features), -learner.matcher(*[learner.merge(features)] * 2))


def test_a_plan_puts_each_person_with_those_most_like_it():
    learner = tiny.learner("qaconv").eval()
    learner.num_persons, learner.epoch = 2, 5
    asked = []

    def embed(index):
        asked.append(index)
        return torch.stack([appearance(int(place)) for place in index])

    def appearance(place):  # the persons 0 and 3, 1 and 2, 4 and 3 look alike
        angle = {0: 0.0, 1: 2.0, 2: 2.1, 3: 0.2, 4: 0.5}[place // 3]
        one = torch.tensor([np.cos(angle), np.sin(angle), *[0.0] * 6]).float()
        return one[:, None, None].expand(learner.map_size).flatten()

    view = View(torch.arange(15) // 3, embed)
    order = learner.plan(0, 7, view, None).persons
    assert {tuple(row) for row in order.tolist()} == {(0, 3), (1, 2), (2, 1), (3, 0), (4, 3)}
    assert [int(place) // 3 for place in asked[0]] == [0, 1, 2, 3, 4]
    again, other = learner.plan(0, 7, view, None).persons, learner.plan(0, 8, view, None).persons
    assert torch.equal(order, again)
    assert not torch.equal(asked[0], asked[2])
    assert not torch.equal(order, other)


@pytest.mark.parametrize("name", ["clip_norm", "base_rate"])
def test_numbers_that_would_stop_or_turn_the_gradient_are_refused(name):
    with pytest.raises(ValueError, match=f"the setting {name} is 0.0, expected more than 0"):
        settings("qaconv", {name: 0})


def test_the_gradient_is_bounded_and_the_resnet_has_its_own_rate():
    learner = tiny.learner("qaconv", clip_norm=1e-3, base_rate=0.1).train()
    optimizers = learner.optimizers(tiny.schedule())
    learner.step(learner, tiny.clips(), None, optimizers, torch.Tensor.backward)
    norm = torch.stack([p.grad.norm() for p in learner.parameters()]).norm()
    assert norm.item() == pytest.approx(1e-3, rel=1e-2)
    rates = {round(group["lr"], 9) for optimizer in optimizers for group in optimizer.param_groups}
    assert rates == {3e-4, 3e-3}
    optimized = {id(p) for optimizer in optimizers for group in optimizer.param_groups for p in group["params"]}
    assert optimized == {id(p) for p in learner.parameters()}


def test_frozen_norms_keep_their_statistics():
    for is_frozen in (False, True):
        learner = tiny.learner("qaconv", is_frozen=is_frozen).train()
        learner.losses(tiny.clips(), None)
        moved = learner.network.resnet.layer3[0].bn1.running_mean.any()
        assert bool(moved) != is_frozen
        assert learner.matcher.norm.running_mean.any()


def test_from_training_to_a_score_by_its_own_distance(tmp_path, source, target):
    folder = experiment.run(Plan("qaconv", source, scale="tiny", steps=5), tmp_path)
    row = experiment.evaluate(folder / "model", target)[0]
    assert row["test"] == "restricted-begin frames, no flip in clips of 2, the trained network and its matcher"
    model = load_model(folder / "model")
    with torch.no_grad():
        model.learner.matcher.weight.neg_()  # what was most alike is least alike now
    vectors = model.embed_tracklets(target.query + target.gallery).vectors
    assert vectors.shape[1] == model.learner.network.num_features
    ranks = [
        np.argsort(load_model(folder / "model").distance(vectors, vectors)[0])[0],
        model.distance(vectors, vectors)[0],
    ]
    assert ranks[0] == 0
    assert ranks[1].argmin() != 0
    with pytest.raises(ValueError, match="re-ranking compares vectors by their cosine, and qaconv has a distance of"):
        experiment.evaluate(folder / "model", target, rerank=Rerank())


def test_a_killed_run_plans_as_it_would_have(tmp_path, source):
    task = Task(tiny.SCALE, tiny.schedule(12), 4)

    def run(folder, report=lambda progress: None):
        torch.manual_seed(0)
        learner = QAConv().build(task)
        assert learner.epoch == 3
        fit(learner, task, source.train, None, folder, Augmentation(), Options(0, 0, 2), report)
        return learner.state_dict()

    whole = run(tmp_path / "whole")
    for step in (5, 10):
        seen = []
        with pytest.raises(Killed):
            run(tmp_path / str(step), kill_at(step))
        weights = run(tmp_path / str(step), lambda progress, seen=seen: seen.append(progress.step))
        assert seen[0] == (step - 1) // 3 * 3 + 1
        assert tiny.equal_weights(weights, whole)


def test_too_few_persons_for_a_neighbourhood(source):
    few = replace(source, train=tuple(t for t in source.train if t.person < 2))
    with pytest.raises(ValueError, match="a batch needs 32 persons, the source has 2"):
        Plan("qaconv", few).training()
