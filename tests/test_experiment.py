"""One cell: train or reuse, embed or reuse, score."""

import json
import shutil
from dataclasses import asdict, replace

import pytest
import torch
from tests import tiny

from s2reid import experiment, model, runs, train
from s2reid.experiment import Plan
from s2reid.train import LOG, Options

pytestmark = pytest.mark.usefixtures("tiny_scale")


def plan(source, steps=3, **changes):
    return Plan("source_only", source, scale="tiny", schedule=tiny.schedule(steps), **changes)


def forbid(monkeypatch, module, name):
    def forbidden(*_, **__):
        raise AssertionError(f"{name} was called")

    monkeypatch.setattr(module, name, forbidden)


def test_a_run_leaves_a_model_a_log_and_no_checkpoint(tmp_path, source):
    folder = experiment.run(plan(source, 4), tmp_path, Options(checkpoint_every=2))
    assert {path.name for path in folder.iterdir()} == {"run.json", "model", LOG}
    card = model.read_card(folder / "model")
    assert card.provenance["training"] == folder.name == plan(source, 4).training().key
    assert card.provenance["source"] == {"name": "tiny-source", "preset": "tiny-source", "seed": 0, "version": 1}
    assert card.task.num_persons == tiny.PERSONS


def test_a_finished_run_is_reused_without_training(tmp_path, source, monkeypatch):
    first = experiment.run(plan(source), tmp_path)
    forbid(monkeypatch, train, "fit")
    assert experiment.run(plan(source), tmp_path) == first
    with pytest.raises(AssertionError, match="fit was called"):
        experiment.run(plan(source, seed=1), tmp_path)


def test_no_steps_give_the_untrained_network(tmp_path, source):
    folder = experiment.run(plan(source, 0), tmp_path)
    assert tiny.equal_weights(model.load(folder / "model")[0].state_dict(), tiny.learner().state_dict())
    assert not (folder / LOG).exists()


def test_a_killed_run_goes_on(tmp_path, source):
    class Killed(BaseException):
        pass

    def kill(progress):
        if progress.step == 5:
            raise Killed

    with pytest.raises(Killed):
        experiment.run(plan(source, 6), tmp_path / "a", Options(checkpoint_every=2), kill)
    steps = []
    folder = experiment.run(
        plan(source, 6), tmp_path / "a", Options(checkpoint_every=2), lambda p: steps.append(p.step)
    )
    whole = experiment.run(plan(source, 6), tmp_path / "b", Options(checkpoint_every=2))
    assert steps == [5, 6]
    weights = [model.load(one / "model")[0].state_dict() for one in (folder, whole)]
    assert tiny.equal_weights(*weights)


def test_scores_are_written_and_embeddings_reused(tmp_path, source, target, monkeypatch):
    folder = experiment.run(plan(source), tmp_path)
    told = []
    tested = experiment.evaluate(folder / "model", target, progress=lambda done, total: told.append((done, total)))
    assert tested["num_queries"] == tested["num_valid"] == 4
    assert told[-1] == (8, 8)
    (row,) = runs.read_scores(folder)
    assert (row["method"], row["target"], row["is_real"]) == ("source_only", "standin-tiny", False)
    assert row == tested
    assert row["test"].startswith("all frames, flip-averaged in clips of 2, moving average")
    shown = json.loads((folder / "embeddings" / row["cell"] / "tracklets.json").read_text())
    assert [len(frames) for _, frames in shown["query"]] == [3] * 4
    forbid(monkeypatch, experiment, "load_model")
    assert experiment.evaluate(folder / "model", target) == tested
    assert len(runs.read_scores(folder)) == 1


def test_each_protocol_is_a_cell(tmp_path, source, target):
    folder = experiment.run(plan(source), tmp_path)
    for protocol in ("cross_camera", "same_clothes"):
        experiment.evaluate(folder / "model", target, protocol)
    assert [row["protocol"] for row in runs.read_scores(folder)] == ["cross_camera", "same_clothes"]


def test_a_model_that_is_no_run_s_is_scored_and_nothing_is_written(tmp_path, source, target):
    folder = experiment.run(plan(source), tmp_path / "runs")
    alone = shutil.copytree(folder / "model", tmp_path / "model")
    assert experiment.evaluate(alone, target) == experiment.evaluate(folder / "model", target)
    assert {path.name for path in alone.iterdir()} == {"model.json", "weights.safetensors"}


def test_a_checkpoint_file_fills_the_backbone(tmp_path, source):
    trained, _ = model.load(experiment.run(plan(source), tmp_path) / "model")
    path = tmp_path / "imagenet.pth"
    weights = trained.backbone.resnet.state_dict() | {"fc.weight": torch.zeros(3, 3)}
    torch.save({"state_dict": weights}, path)
    asked = plan(source, 0, start=path)
    begun, card = model.load(experiment.run(asked, tmp_path) / "model")
    assert tiny.equal_weights(begun.backbone.state_dict(), trained.backbone.state_dict())
    assert asked.training().continues == model.digest(path)
    assert card.task.schedule.steps == 0
    with pytest.raises(ValueError, match=r"target_bn continues a model of source_only, and .* is a file of weights"):
        replace(asked, method="target_bn", target=source).training()
    for broken, message in (
        ({"state_dict": {**weights, "conv1.weight": torch.zeros(1)}}, "1 of another shape"),
        ({name: weights[name] for name in list(weights)[:4]}, "missing"),
        ({**weights, "extra": torch.zeros(1)}, "1 unknown"),
        ({"epoch": 3}, "holds no state dict"),
    ):
        torch.save(broken, path)
        with pytest.raises(ValueError, match=message):
            experiment.run(plan(source, 0, start=path), tmp_path)
    path.write_bytes(b"nonsense")
    with pytest.raises(ValueError, match="cannot read the checkpoint"):
        experiment.run(plan(source, 0, start=path), tmp_path)


def test_a_model_of_other_persons_is_not_continued(tmp_path, source, target):
    start = experiment.run(plan(source), tmp_path) / "model"
    other = replace(source, origin={**source.origin, "preset": "svreid", "seed": 9})
    asked = Plan("target_bn", other, target, scale="tiny", schedule=tiny.schedule(1), start=start)
    with pytest.raises(ValueError, match=r"was trained on .* and the source is .*: its persons differ"):
        asked.training()


def test_continuing_starts_from_the_given_weights(tmp_path, source, target):
    start = experiment.run(plan(source), tmp_path) / "model"
    asked = Plan("target_bn", source, target, scale="tiny", schedule=tiny.schedule(0), start=start)
    folder = experiment.run(asked, tmp_path)
    assert tiny.equal_weights(*(model.load(place)[0].state_dict() for place in (start, folder / "model")))
    assert model.read_card(folder / "model").provenance["target"]["name"] == "standin-tiny"
    assert asked.training().continues == model.digest(start)
    other = Plan("source_only", source, scale="tiny", schedule=tiny.schedule(0), start=start)
    assert other.training().continues == model.digest(start)
    with pytest.raises(ValueError, match=r"continues a model of source_only, and .* is one of target_bn"):
        replace(asked, start=folder / "model").training()


def test_a_continued_schedule_is_short_slow_and_at_full_size():
    whole, short = (experiment.default_schedule("small", continues) for continues in (False, True))
    assert (short.steps, short.sizes, short.warmup) == (round(experiment.CONTINUED * whole.steps), ((1.0, 1.0),), 0)
    assert short.learning_rate == pytest.approx(whole.learning_rate / 10)
    changed = {name for name, value in asdict(short).items() if value != asdict(whole)[name]}
    assert changed <= {"steps", "learning_rate", "sizes", "warmup"}


def test_plans_that_cannot_be(tmp_path, source, target):
    start = tmp_path / "model"
    empty = replace(target, train=())
    for change, message in (
        ({"method": "ours"}, "no method named 'ours'"),
        ({"settings": {"speed": 1}}, "source_only has no setting 'speed'"),
        ({"method": "target_bn", "start": start}, "target_bn adapts to a target, and none was given: name a target"),
        ({"method": "target_bn", "target": empty, "start": start}, "standin-tiny has no training tracklets"),
        ({"method": "target_bn", "target": target}, "target_bn continues a model of source_only: give one"),
        ({"method": "target_bn", "target": target, "start": start}, "is no model: found nothing"),
        ({"scale": "huge"}, "no scale named 'huge'"),
    ):
        with pytest.raises(ValueError, match=message):
            replace(plan(source), **change).training()


def test_the_cost_is_said_beforehand(source, tmp_path):
    said = experiment.cost(plan(source), tmp_path)
    assert said.startswith("3 steps of 6 images at 32x16 or less, 0.16 M parameters, ") or "M parameters" in said
    assert said.endswith("minutes")
    folder = experiment.run(plan(source), tmp_path)
    assert experiment.cost(plan(source), tmp_path) == f"trained already, in {folder}: nothing to do"


def test_a_source_that_cannot_be_trained_on_is_refused_before_anything_starts(source, target, tmp_path):
    for data, message in ((replace(source, train=source.train[:2]), "a batch needs"), (target, "no person")):
        unlabelled = runs.unlabelled(data) if data is target else data
        with pytest.raises(ValueError, match=message):
            experiment.cost(replace(plan(source), source=unlabelled), tmp_path)
    assert not any(tmp_path.iterdir())


def test_the_plan_s_seed_is_the_one_that_counts(source, tmp_path):
    folders = [experiment.run(plan(source), tmp_path / str(seed), Options(seed)) for seed in (0, 5)]
    assert tiny.equal_weights(*(model.load(folder / "model")[0].state_dict() for folder in folders))
