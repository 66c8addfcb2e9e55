"""GLT: two stages, norms of two domains, groups that are transferred, and nothing of the target's labels."""

from dataclasses import replace

import pytest
import torch
from tests import tiny
from tests.test_resume import Killed, kill_at

from s2reid import experiment, forecast, model, train
from s2reid.experiment import Plan
from s2reid.layers.domain_norm import DomainNorm
from s2reid.layers.sinkhorn import sinkhorn
from s2reid.learner import Task, View
from s2reid.methods.glt import GLT
from s2reid.train import Options, fit
from s2reid.video.augment import Augmentation

pytestmark = pytest.mark.usefixtures("tiny_scale")


def norms(learner):
    return [module for module in learner.encoder.modules() if isinstance(module, DomainNorm)]


def batch():
    return tiny.clips(), tiny.unlabelled(tiny.clips(6, 2, seed=1))


def view(features):
    return View(torch.full((len(features),), -1), lambda index: features[index])


def test_stage_1_passes_both_domains_through_the_norms_that_are_tested():
    learner = tiny.learner("glt", stage=1).train()
    assert not hasattr(learner, "heads")
    source, target = batch()
    terms = learner.losses(source, target)
    assert terms.keys() == {"identity", "triplet"}
    assert len(norms(learner)) == 14  # 12 of a ResNet-10 with its shortcuts, one of a non-local block, the neck
    assert all(norm.target.num_batches_tracked == 2 and norm.source.num_batches_tracked == 0 for norm in norms(learner))


def test_stage_2_keeps_the_domains_apart():
    learner = tiny.learner("glt").train()
    learner.losses(*batch())
    assert all(norm.target.num_batches_tracked == norm.source.num_batches_tracked == 1 for norm in norms(learner))
    assert any((norm.target.running_mean - norm.source.running_mean).abs().max() > 1e-3 for norm in norms(learner))
    assert all(norm.domain == "target" for norm in norms(learner))


def test_the_first_plan_copies_and_clusters_and_later_ones_transfer():
    learner = tiny.learner("glt").train()
    learner.losses(*batch())
    features = torch.randn(12, learner.encoder.num_features, generator=torch.Generator().manual_seed(0))
    order = learner.plan(0, 3, view(features), view(features))
    assert torch.equal(order.groups, learner.labels[1])
    assert [len(labels.unique()) for labels in learner.labels] == [2, 2, 3]
    for norm in norms(learner):
        assert all(torch.equal(a, b) for a, b in zip(norm.source.buffers(), norm.target.buffers()))
    assert all(torch.equal(a, b) for a, b in zip(learner.average.network.parameters(), learner.encoder.parameters()))
    with torch.no_grad():
        for head in learner.average_heads.network:
            head.weight.normal_(generator=torch.Generator().manual_seed(1))
    learner.plan(1, 3, view(features), view(features))
    heads = learner.average_heads.network
    expected = [sinkhorn((features @ head.weight.T).log_softmax(1), 25.0).argmax(1) for head in heads]
    assert torch.equal(learner.labels, torch.stack(expected))


def test_groups_are_learned_and_their_batch_order_does_not_matter():
    learner = tiny.learner("glt", source=0.0).train()
    terms = learner.losses(*batch())
    assert terms.keys() == {"group", "group_triplet"}
    learner.total(terms).backward()
    assert all(parameter.grad.any() for parameter in learner.heads.parameters())
    assert learner.classifier.weight.grad is None


@pytest.mark.parametrize(
    ("groups", "num_target", "expected"),
    [((), 300, (37, 50, 75)), ((), 178, (22, 29, 44)), ((), 8, (2, 2, 2)), ((5, 10), 40, (5, 10))],
)
def test_numbers_of_groups_come_from_the_number_of_tracklets(groups, num_target, expected):
    assert GLT(groups=groups).numbers(num_target) == expected


@pytest.mark.parametrize(("groups", "num_target"), [((5, 11), 40), ((), 7), ((1, 4), 40)])
def test_groups_of_too_few_tracklets_are_refused(groups, num_target):
    with pytest.raises(
        ValueError, match=rf"{num_target} target tracklets in \d+ groups: expected 2 to {num_target // 4}"
    ):
        GLT(groups=groups).numbers(num_target)


def test_settings_that_cannot_be():
    with pytest.raises(ValueError, match="the setting average is 0, and groups come from the average of the weights"):
        GLT(average=0.0)
    with pytest.raises(ValueError, match="the setting sampled is 3, and there are 3 groups"):
        GLT(sampled=3)
    with pytest.raises(ValueError, match="glt adapts to a target: give target clips"):
        tiny.learner("glt").losses(tiny.clips(), None)


def test_both_stages_from_training_to_a_score(tmp_path, source, target):
    plan = Plan("glt", source, target, scale="tiny", steps=4)
    assert "4 steps" in forecast.cost(plan, tmp_path)
    folder = experiment.run(plan, tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    card = model.read_card(folder / "model")
    assert (card.task.num_target, card.settings.stage) == (len(target.train), 2) == (8, 2)
    row = experiment.evaluate(folder / "model", target)[0]
    assert "moving average of the weights" in row["test"]
    first = experiment.run(plan.before(), tmp_path)
    assert model.read_card(first / "model").settings.stage == 1


def test_a_killed_run_plans_as_it_would_have(tmp_path, source, target):
    task = Task(tiny.SCALE, tiny.schedule(8), 4, (), 8)

    def run(folder, report=lambda progress: None):
        torch.manual_seed(0)
        learner = GLT().build(task)
        assert learner.epoch == 4
        fit(learner, task, source.train, target.train, folder, Augmentation(), Options(0, 0, 1), report)
        return {**learner.state_dict(), "labels": learner.labels}

    whole = run(tmp_path / "whole")
    with pytest.raises(Killed):
        run(tmp_path / "killed", kill_at(6))
    assert tiny.equal_weights(run(tmp_path / "killed"), whole)


def test_several_processes_are_refused(tmp_path, source, target, monkeypatch):
    task = Task(tiny.SCALE, tiny.schedule(2), 4, (), 8)
    monkeypatch.setattr(train.accelerate.Accelerator, "num_processes", 2)
    with pytest.raises(ValueError, match="GLTLearner plans its epochs in one process: start one, not several"):
        fit(GLT().build(task), task, source.train, target.train, tmp_path, Augmentation(), Options(0, 0))


@pytest.mark.parametrize("stage", [1, 2])
def test_several_processes_are_refused_before_anything_is_trained(stage, tmp_path, source, target, monkeypatch):
    monkeypatch.setattr(experiment.accelerate.PartialState(cpu=True), "num_processes", 2)
    plan = Plan("glt", source, target, scale="tiny", settings={"stage": stage})
    with pytest.raises(ValueError, match="glt plans its epochs in one process: start one, not several"):
        experiment.run(plan, tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_a_target_that_is_too_small_is_refused_in_stage_1(source, target):
    few = replace(target, train=target.train[:6])
    with pytest.raises(ValueError, match="6 target tracklets in 2 groups: expected 2 to 1 groups"):
        GLT(stage=1).build(Plan("glt", source, few, scale="tiny", settings={"stage": 1}).task())
    with pytest.raises(ValueError, match=r"the setting power is 0.0, expected more than 0"):
        GLT(power=0.0)
    with pytest.raises(ValueError, match=r"the setting source is -1.0, expected 0 or more"):
        GLT(source=-1.0)


def test_another_number_of_target_tracklets_is_another_classifier(tmp_path, source, target):
    fewer = replace(target, train=target.train * 2)
    sizes = [GLT().build(Plan("glt", source, data, scale="tiny").task()).numbers for data in (target, fewer)]
    assert sizes == [(2, 2, 2), (2, 2, 4)]
