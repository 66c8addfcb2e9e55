"""What the benchmark measures is there, positive and adds up. How fast anything is, no test says."""

import json
import subprocess
from dataclasses import asdict, replace

import numpy as np
import pytest
from tests import tiny
from tests.shared import ROOT, shared

from s2reid import cli_benchmark
from s2reid.benchmark import decoding, embedding, everything, page, rendering, scoring, starting, training
from s2reid.benchmark.part import Effort, Part
from s2reid.embed import Model
from s2reid.model import Card, settings

pytestmark = pytest.mark.usefixtures("tiny_scale")
LITTLE = Effort(rounds=2, steps=1, seconds=0.01, persons=4, tracklets=2, clips=2, crowd=(30, 60, 8))


@pytest.fixture
def model():
    return Model(tiny.learner(), Card("source_only", settings("source_only"), tiny.task(), {}))


def check(part: Part) -> dict:
    """Check that every number is there and in order, and return them by name."""
    assert part.measures
    for measure in part.measures:
        assert np.isfinite([measure.low, measure.value, measure.high]).all(), measure
        assert 0 <= measure.low <= measure.value <= measure.high or measure.name == "everything else", measure
    assert all(one.value > 0 for one in part.ratios)
    return {measure.name: measure.value for measure in part.measures}


BOTH = {"waiting for data", "source backbone", "supervised losses", "weighing losses", "backward", "optimiser"}


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("source_only", BOTH),
        ("s2r", BOTH | {"target backbone", "teacher backbone", "domain losses", "consistency losses"}),
    ],
)
def test_the_parts_of_a_step_add_up(source, method, expected):
    (part,) = training.measure(source, replace(LITTLE, steps=2), "tiny", ((method, 1.0),))
    values = check(part)
    assert set(part.adds_up) == expected | {"moving averages", "everything else"}
    assert sum(values[name] for name in part.adds_up) == pytest.approx(values["step"])
    assert values["everything else"] > 0  # nothing was counted twice
    assert min(values[name] for name in expected) > 0
    assert {"the trainer", "a plain loop", "share that waits for data"} < set(values)
    assert part.heading.endswith("images of 32 pixels")
    assert len(part.ratios) == 1


def test_the_plain_loop_learns_what_the_trainer_learns(source):
    """Both sides of the ratio do the same work: after the same steps the weights are the same."""
    case, kept = training.Case("source_only", 1.0, source, 2, "tiny", workers=0), []
    build = training.Case.build

    class Kept(training.Case):
        def build(self):
            learner, task = build(self)
            kept.append(learner)
            return learner, task

    case = Kept(case.method, case.share, case.data, case.steps, case.scale, case.workers)
    training.fit(case)
    training.plain_loop(case)
    trained, plain = (learner.classifier.weight.detach().numpy() for learner in kept)
    np.testing.assert_allclose(trained, plain, atol=1e-6)
    assert not np.array_equal(trained, build(case)[0].classifier.weight.detach().numpy())


def test_embedding_without_the_peer(model):
    part = embedding.measure(model, LITTLE)
    values = check(part)
    assert values["ours, images"] == pytest.approx(embedding.FRAMES * values["ours"])
    assert part.skipped == {embedding.PEER: "no graph was given: --peer osnet_x0_25_msmt17.onnx"}
    assert not part.ratios
    assert model.learner.test.flip  # the quick sides are copies
    assert {"ours, quick", "ours, quick, bf16"} <= set(values)


def test_embedding_beside_the_peer(model):
    pytest.importorskip("onnx", reason="onnx is not installed")
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    graph = shared("peer", "osnet_x0_25_msmt17.onnx")
    part = embedding.measure(model, LITTLE, graph)
    assert embedding.PEER in check(part)
    assert [one.goal for one in part.ratios] == ["at least 5"] * 3
    images = np.random.default_rng(0).integers(0, 256, (3, 2, 64, 32, 3), np.uint8)
    embed = embedding.open_peer(graph)
    one_by_one = np.concatenate([embed(images[place : place + 1]) for place in range(3)])
    np.testing.assert_allclose(embed(images), one_by_one, atol=1e-4)


def test_a_peer_that_is_not_there(tmp_path):
    with pytest.raises(ValueError, match=r"no graph at .*none.onnx: --peer takes an .onnx file"):
        everything.measure(["start"], LITTLE, tmp_path / "none.onnx")


def test_decoding_gives_both_readers_the_same_pictures(source, tmp_path):
    values = check(decoding.measure(source.train, LITTLE))
    assert {"ours", "ours, images"} <= set(values)
    pytest.importorskip("PIL")
    assert decoding.PEER in values
    tiny.write_frames(tmp_path, ["a.jpg", "b.jpg"], 1, 1, 256, 128)
    ours, theirs = (read(str(tmp_path), ["a.jpg", "b.jpg"]).astype(int) for read in (decoding.ours, decoding.pillow))
    assert ours.shape == theirs.shape == (2, 128, 64, 3)
    assert np.abs(ours - theirs).mean() < 3


def test_both_evaluators_agree():
    query, gallery = scoring.crowd(60, 200, 16)
    assert scoring.ours(query, gallery) == pytest.approx(scoring.whole_matrix(query, gallery), abs=1e-6)
    check(scoring.measure(LITTLE))


def test_rendering_leaves_no_setting_behind():
    largest = rendering.film.LARGEST
    assert min(rendering.time_crops(16, 0, 0.01, 2, num_tracklets=1)) > 0
    assert largest == rendering.film.LARGEST


def test_starting(monkeypatch):
    monkeypatch.setattr(starting, "PROGRAMS", dict.fromkeys(starting.PROGRAMS, ("-c", "pass")))
    check(starting.measure(LITTLE))
    with pytest.raises(subprocess.CalledProcessError):
        starting.start("-c", "raise SystemExit(3)")


def test_the_verb_writes_json_and_a_page(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(starting, "PROGRAMS", dict.fromkeys(starting.PROGRAMS, ("-c", "pass")))
    monkeypatch.setattr("s2reid.benchmark.part.QUICK", LITTLE)
    cli_benchmark.benchmark(("evaluate", "start"), out=tmp_path / "new", quick=True, json_=True)
    shown, said = capsys.readouterr()
    found = json.loads(shown)
    assert found == json.loads((tmp_path / "new" / "benchmark.json").read_text())
    assert [part["name"] for part in found["parts"]] == ["evaluate", "start"]
    assert {"machine", "commit", "command", "threads", "load"} < set(found)
    assert "speed of ours by that of a full-matrix evaluator" in said
    text = (tmp_path / "new" / "benchmark.html").read_text("utf-8")
    assert text.lower().startswith("<!doctype html>")
    for part in found["parts"]:
        for measure in part["measures"]:
            assert f">{measure['name']}<" in text
            assert f">{page.number(measure['value'])}<" in text


def test_a_place_that_cannot_be_written_is_found_before_anything_is_measured(monkeypatch, tmp_path):
    monkeypatch.setattr(everything, "measure", None)
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"cannot write into .*file"):
        cli_benchmark.benchmark(("start",), out=tmp_path / "file" / "bench")


def test_all_parts_by_default_and_no_other(monkeypatch, source, model):
    seen = []
    for module in (decoding, embedding, rendering, scoring, starting):
        monkeypatch.setattr(module, "measure", lambda *given, name=module.__name__: seen.append(name) or name)
    monkeypatch.setattr(training, "measure", lambda *given: [seen.append("training") or "training"])
    monkeypatch.setattr(everything.write, "write", lambda preset, out, persons: out)
    monkeypatch.setattr(everything.datasets, "load", lambda spec: source)
    monkeypatch.setattr(everything, "asdict", lambda part: part)
    everything.measure()
    assert [name.rpartition(".")[2] for name in seen] == [
        "training", "embedding", "decoding", "rendering", "scoring", "starting"
    ]  # fmt: skip
    with pytest.raises(ValueError, match="no part named 'trane': there are train, embed, decode"):
        everything.measure(["trane"])


def test_the_chart_of_a_step_is_on_the_page(source):
    (part,) = training.measure(source, LITTLE, "tiny", (("source_only", 1.0),))
    body = page._body(asdict(part))
    assert "<svg" in body
    assert "source backbone" in body


def test_make_bench_calls_the_verb():
    assert "s2reid benchmark --out bench" in (ROOT / "Makefile").read_text()
