"""One cell: train or reuse, embed or reuse, score."""

import json
import shutil
import statistics
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from tests import tiny

from s2reid import evaluate as scoring
from s2reid import experiment, forecast, model, runs, scales, train
from s2reid.experiment import Plan
from s2reid.learner import Learner
from s2reid.methods import source_only
from s2reid.metrics.rerank import Rerank
from s2reid.scales import TestSetting
from s2reid.train import LOG, Options
from s2reid.types import Embeddings

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
    (row,) = tested
    assert row["num_queries"] == row["num_valid"] == 4
    assert told[-1] == (8, 8)
    assert runs.read_scores(folder) == tested
    assert (row["method"], row["target"], row["is_real"]) == ("source_only", "standin-tiny", False)
    assert (row["protocol"], row["split"], row["rerank"]) == (target.protocol, 0, None)
    assert row["label"] == "standin-tiny, split 0"
    assert row["test"].startswith("all frames, flip-averaged in clips of 2, moving average")
    shown = json.loads((folder / "embeddings" / row["cell"] / "tracklets.json").read_text())
    assert [len(frames) for _, frames in shown["query"]] == [3] * 4
    forbid(monkeypatch, experiment, "load_model")
    assert experiment.evaluate(folder / "model", target) == tested
    assert len(runs.read_scores(folder)) == 1


def test_protocols_and_re_ranking_use_the_same_embeddings(tmp_path, source, target, monkeypatch):
    folder = experiment.run(plan(source), tmp_path)
    (first,) = experiment.evaluate(folder / "model", target)
    forbid(monkeypatch, experiment, "load_model")
    (again,) = experiment.evaluate(folder / "model", target, "same-clothes")
    (ranked,) = experiment.evaluate(folder / "model", target, rerank=Rerank(2, 2, 0.5))
    several = experiment.evaluate(folder / "model", target, "mars")
    assert {row["cell"] for row in (first, again, ranked, *several)} == {first["cell"]}
    assert [row["label"] for row in runs.read_scores(folder)] == [
        "standin-tiny, split 0",
        "standin-tiny, split 0, same_clothes",
        "standin-tiny, split 0, re-ranked (k1 2, k2 2, lambda 0.5)",
        "standin-tiny, split 0, mars",
    ]
    assert ranked["rerank"] == {"k1": 2, "k2": 2, "weight": 0.5}
    query, gallery = (
        Embeddings.load(folder / "embeddings" / first["cell"] / f"{side}.npz") for side in ("query", "gallery")
    )
    assert ranked["mean_ap"] == scoring.score(query, gallery, distance=Rerank(2, 2, 0.5)).mean_ap


def test_a_protocol_of_several_settings_gives_a_row_each(tmp_path, source, target):
    folder = experiment.run(plan(source), tmp_path)
    test = tuple(replace(t, outfit=n) for t in target.gallery for n in (0, 1))
    dressed = replace(target, gallery=test, protocol="ccvid")
    rows = experiment.evaluate(folder / "model", dressed)
    assert [row["protocol"] for row in rows] == ["ccvid general", "ccvid same_clothes", "ccvid clothes_changing"]
    assert [row["label"].split(", ")[-1] for row in rows] == ["general", "same_clothes", "clothes_changing"]
    assert runs.read_scores(folder) == rows


def test_what_a_test_looks_at_can_be_changed(tmp_path, source, target):
    folder = experiment.run(plan(source), tmp_path)
    (whole,), (quick,), (again,) = (
        experiment.evaluate(folder / "model", target, frames=frames) for frames in (None, "begin", "all")
    )
    assert quick["test"].startswith("restricted-begin frames, flip-averaged in clips of 2, moving average")
    assert quick["label"] == "standin-tiny, split 0, restricted-begin frames, flip-averaged"
    assert again == whole != quick
    assert len({whole["cell"], quick["cell"]}) == 2
    (quickest,) = experiment.evaluate(folder / "model", target, quick=True)
    assert quickest["label"] == "standin-tiny, split 0, restricted-begin frames, no flip"
    sides = [Embeddings.load(folder / "embeddings" / row["cell"] / "query.npz").vectors for row in (whole, quick)]
    assert not np.allclose(*sides)
    (begun,) = experiment.evaluate(folder / "model", replace(target, query=tuple(map(first_frames, target.query))))
    expected = Embeddings.load(folder / "embeddings" / begun["cell"] / "query.npz").vectors
    np.testing.assert_allclose(sides[1], expected, atol=1e-6)


def first_frames(tracklet):
    """Of three frames in clips of two, the first of each block: what restricted-begin looks at."""
    return replace(tracklet, frames=tracklet.frames[:2])


def test_the_seed_protocol_brings_its_test(tmp_path, source, target, monkeypatch):
    monkeypatch.setitem(scales.SCALES, "tiny", replace(tiny.SCALE, num_frames=4))
    folder = experiment.run(plan(source), tmp_path)
    seen = []
    embed = Learner.embed
    monkeypatch.setattr(
        Learner, "embed", lambda self, pixels: seen.append((self.test, pixels.shape[1])) or embed(self, pixels)
    )
    (row,) = experiment.evaluate(folder / "model", target, "seed-protocol")
    assert set(seen) == {(TestSetting("begin", flip=False), 4)}
    assert row["test"].startswith("restricted-begin frames, no flip in clips of 4")
    assert (row["protocol"], row["num_valid"]) == ("seed_protocol", 4)
    assert experiment.evaluate(folder / "model", target, "seed_protocol", frames="begin") == [row]
    with pytest.raises(ValueError, match="looks at one clip of 4 restricted-begin frames, and all frames were asked"):
        experiment.evaluate(folder / "model", target, "seed_protocol", frames="all")
    other = replace(target, origin={**target.origin, "split": 3})
    with pytest.raises(ValueError, match="seed_protocol is one split, 0, and this is split 3 of standin-tiny: leave"):
        experiment.evaluate(folder / "model", other, "seed_protocol")


def test_the_seed_protocol_needs_clips_of_its_length(tmp_path, source, target):
    folder = experiment.run(plan(source), tmp_path)
    with pytest.raises(ValueError, match="restricted-begin frames, and the model takes 2: use the dataset's own prot"):
        experiment.evaluate(folder / "model", target, "seed_protocol")


@pytest.fixture
def splits(target):
    """Three splits of the eight persons that the target has, into halves."""
    everyone = sorted({t.person for t in target.query + target.train})
    pool = {(t.person, t.camera): t for t in target.query + target.gallery + target.train}
    halves = [everyone[:4], everyone[2:6], everyone[::2]]
    sides = [tuple(tuple(pool[person, camera] for person in half) for camera in (1, 2)) for half in halves]
    assert len(pool) == 16
    return [
        replace(target, query=query, gallery=gallery, origin={**target.origin, "split": split})
        for split, (query, gallery) in enumerate(sides)
    ]


def test_all_splits_embed_every_tracklet_once(tmp_path, source, splits, monkeypatch):
    folder = experiment.run(plan(source), tmp_path)
    told = []
    rows = experiment.evaluate(folder / "model", splits, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (14, 14)  # persons 1 to 7; 8 is never tested
    assert [row["split"] for row in rows] == [0, 1, 2, "all"]
    assert runs.read_scores(folder) == rows[:3]
    *each, mean = rows
    for name in ("rank1", "rank5", "rank10", "mean_ap"):
        values = [row[name] for row in each]
        assert mean[name] == pytest.approx(sum(values) / 3)
        assert mean["sd"][name] == pytest.approx(statistics.stdev(values))
    assert (mean["num_queries"], mean["num_valid"]) == (12, 12)
    assert mean["label"] == "standin-tiny, mean of 3 splits"
    forbid(monkeypatch, experiment, "load_model")
    assert experiment.evaluate(folder / "model", splits) == rows
    for split, row in zip(splits, each):
        assert experiment.evaluate(folder / "model", split) == [row]


def test_a_split_embeds_as_it_does_alone(tmp_path, source, splits):
    folder = experiment.run(plan(source), tmp_path / "runs")
    alone = shutil.copytree(folder / "model", tmp_path / "model")
    together = experiment.evaluate(folder / "model", splits)
    for split, row in zip(splits, together):
        (single,) = experiment.evaluate(alone, split)
        assert single == row


def test_a_split_that_a_model_has_seen_is_refused(tmp_path, source, splits):
    base = experiment.run(plan(source), tmp_path) / "model"
    adapting = Plan("target_bn", source, splits[1], scale="tiny", schedule=tiny.schedule(1), start=base)
    adapted = experiment.run(adapting, tmp_path) / "model"
    learned = experiment.run(plan(splits[1]), tmp_path) / "model"
    assert model.read_card(adapted).provenance["target"]["split"] == 1
    for folder, did in ((adapted, "adapted to"), (learned, "trained on")):
        assert experiment.evaluate(folder, splits[1])[0]["num_valid"] == 4
        for others in (splits[0], splits):
            with pytest.raises(
                ValueError, match=rf"was {did} split 1 of standin-tiny, which holds persons that split 0 te"
            ):
                experiment.evaluate(folder, others)
    elsewhere = replace(splits[0], origin={**splits[0].origin, "seed": 7})
    assert experiment.evaluate(adapted, elsewhere)[0]["num_valid"] == 4


def test_each_protocol_is_a_row(tmp_path, source, target):
    folder = experiment.run(plan(source), tmp_path)
    for protocol in ("cross_camera", "same_clothes"):
        experiment.evaluate(folder / "model", target, protocol)
    assert [row["protocol"] for row in runs.read_scores(folder)] == ["cross_camera", "same_clothes"]
    with pytest.raises(ValueError, match="no protocol named 'ours'"):
        experiment.evaluate(folder / "model", target, "ours")


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
    first = replace(asked, method="target_bn", target=source).before()  # the file is for the first of both stages
    assert (first.method, first.start, first.training().continues) == ("source_only", path, model.digest(path))
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
    whole, short = (source_only.SourceOnly().schedule("small", continues) for continues in (False, True))
    assert (short.steps, short.sizes, short.warmup) == (round(source_only.CONTINUED * whole.steps), ((1.0, 1.0),), 0)
    assert short.learning_rate == pytest.approx(whole.learning_rate / 10)
    changed = {name for name, value in asdict(short).items() if value != asdict(whole)[name]}
    assert changed <= {"steps", "learning_rate", "sizes", "warmup"}


def test_what_a_method_goes_on_from_is_trained_before_it_and_shared(tmp_path, source, target):
    asked = Plan("target_bn", source, target, scale="tiny", steps=2)
    before = asked.before()
    full, few = source_only.SourceOnly().schedule("tiny").steps, asked.resolved()[1].steps
    assert (before.method, before.target, few) == ("source_only", target, 2)
    assert before.before() is None
    assert before.resolved()[1].steps == round(full * 2 / source_only.SourceOnly().schedule("tiny", True).steps)
    folder = experiment.run(asked, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {folder.name, before.training().key}
    assert asked.training().continues == before.training().key
    given = replace(asked, start=tmp_path / before.training().key / "model")
    assert given.before() is None
    again = experiment.run(given, tmp_path / "given")
    assert tiny.equal_weights(*(model.load(place / "model")[0].state_dict() for place in (folder, again)))


def test_plans_that_cannot_be(tmp_path, source, target):
    start = tmp_path / "model"
    empty = replace(target, train=())
    for change, message in (
        ({"method": "ours"}, "no method named 'ours'"),
        ({"settings": {"speed": 1}}, "source_only has no setting 'speed'"),
        ({"method": "target_bn", "start": start}, "target_bn adapts to a target, and none was given: name a target"),
        ({"method": "target_bn", "target": empty, "start": start}, "standin-tiny has no training tracklets"),
        ({"method": "target_bn", "target": target, "start": start}, "is no model: found nothing"),
        ({"scale": "huge"}, "no scale named 'huge'"),
    ):
        with pytest.raises(ValueError, match=message):
            replace(plan(source), **change).training()


def test_a_source_that_cannot_be_trained_on_is_refused_before_anything_starts(source, target, tmp_path):
    for data, message in ((replace(source, train=source.train[:2]), "a batch needs"), (target, "no person")):
        unlabelled = runs.unlabelled(data) if data is target else data
        with pytest.raises(ValueError, match=message):
            forecast.cost(replace(plan(source), source=unlabelled), tmp_path)
    assert not any(tmp_path.iterdir())


def test_the_plan_s_seed_is_the_one_that_counts(source, tmp_path):
    folders = [experiment.run(plan(source), tmp_path / str(seed), Options(seed)) for seed in (0, 5)]
    assert tiny.equal_weights(*(model.load(folder / "model")[0].state_dict() for folder in folders))


def test_mirror_images_count_where_they_are_asked_for(tmp_path, source, target):
    plan = Plan("source_only", source, scale="tiny", schedule=tiny.schedule())
    folder = experiment.run(plan, tmp_path, Options(0, 0))
    both = [experiment.evaluate(folder / "model", target, flip=flip)[0] for flip in (None, False)]
    assert [row["test"].partition(" in clips")[0] for row in both] == [
        "all frames, flip-averaged",
        "all frames, no flip",
    ]
    assert len({row["cell"] for row in both}) == 2
    assert len(runs.read_scores(folder)) == 2


def test_embeddings_that_cannot_be_read_are_made_again(tmp_path, source, target):
    plan = Plan("source_only", source, scale="tiny", schedule=tiny.schedule())
    folder = experiment.run(plan, tmp_path, Options(0, 0))
    rows = experiment.evaluate(folder / "model", target)
    kept = next(folder.glob("embeddings/*/query.npz"))
    kept.write_bytes(kept.read_bytes()[:100])
    assert experiment.evaluate(folder / "model", target) == rows
    assert len(Embeddings.load(kept)) == len(target.query)
