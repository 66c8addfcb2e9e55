"""The page of a folder of runs."""

import json
import os
import shutil
from dataclasses import replace

import pytest
from tests import tiny

from s2reid import experiment, summary
from s2reid.experiment import Plan
from s2reid.metrics.rerank import Rerank
from s2reid.train import LOG
from s2reid.types import Embeddings

pytestmark = pytest.mark.usefixtures("tiny_scale")


def run(root, source, target, seed=0, steps=3):
    folder = experiment.run(Plan("source_only", source, scale="tiny", schedule=tiny.schedule(steps), seed=seed), root)
    experiment.evaluate(folder / "model", target)
    return folder


def test_a_page_of_runs(tmp_path, source, target):
    folder = run(tmp_path / "runs", source, target)
    for root in (tmp_path / "runs", folder):
        page = summary.write(summary.find(root), tmp_path / "page.html").read_text("utf-8")
        assert "standin-tiny" in page
        assert "source_only" in page


def test_a_page_ranks_as_the_scores_were_made(tmp_path, source, target):
    folder = experiment.run(Plan("source_only", source, scale="tiny", schedule=tiny.schedule(3)), tmp_path / "runs")
    outfits = replace(target, gallery=tuple(replace(t, outfit=n) for t in target.gallery for n in (0, 1)))
    rows = [
        row
        for data, protocol, rerank in (
            (target, None, None),
            (target, "mars", None),
            (target, "mars_official", None),
            (target, "cross_camera", Rerank(3, 2)),
            (outfits, "ccvid", None),
        )
        for row in experiment.evaluate(folder / "model", data, protocol, rerank=rerank)
    ]
    results = summary.read_results(folder, "x")
    assert [result.target for result in results] == [row["label"] for row in rows]
    assert len(rows) == 7
    for result, row in zip(results, rows):
        assert result.ranking.mean_ap == pytest.approx(row["mean_ap"])
        assert result.ranking.cmc(1)[0] == row["rank1"]
    assert len(results[1].gallery_tracklets) == len(target.query) + len(target.gallery)
    page = summary.write([folder], tmp_path / "page.html").read_text("utf-8")
    assert "standin-tiny, split 0, mars_official" in page


def test_rows_of_before_there_were_labels_are_read(tmp_path, source, target):
    folder = run(tmp_path / "runs", source, target)
    (row,) = json.loads((folder / "scores.json").read_text())
    old = {key: value for key, value in row.items() if key not in ("label", "split", "rerank")}
    (folder / "scores.json").write_text(json.dumps([{**old, "protocol": "cross_camera"}]))
    (result,) = summary.read_results(folder, "x")
    assert result.target == "standin-tiny"


def test_runs_are_found_in_the_order_they_were_begun(tmp_path):
    for name, time in (("b", 1), ("a", 3), ("c", 2)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").write_text("{}")
        os.utime(tmp_path / name / "run.json", (time, time))
    assert [path.name for path in summary.find(tmp_path)] == ["b", "c", "a"]
    assert summary.find(tmp_path / "a") == [tmp_path / "a"]


def test_where_there_is_nothing_to_show(tmp_path, source, target):
    with pytest.raises(ValueError, match=r"no runs at .*none: there is no such folder"):
        summary.find(tmp_path / "none")
    with pytest.raises(ValueError, match=r"no runs in .*: expected folders with a run.json, as `s2reid train` makes"):
        summary.find(tmp_path)
    folder = experiment.run(Plan("source_only", source, scale="tiny", schedule=tiny.schedule(0)), tmp_path)
    with pytest.raises(ValueError, match=r"the 1 runs have no scores yet: `s2reid evaluate` them first"):
        summary.write([folder], tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


def said(method="source_only", seed=0, steps=5, key="0123456789ab", target=None):
    training = {"method": method, "seed": seed, "schedule": {"steps": steps}, "target": target and {"name": target}}
    return {"key": key, "training": training}


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([said(steps=0), said(), said("target_bn", target="t")], ["untrained", "source_only", "target_bn to t"]),
        ([said(), said(seed=1)], ["source_only seed 0", "source_only seed 1"]),
        ([said(key="aaaaaaaa"), said(key="bbbbbbbb")], ["source_only seed 0 aaaaaa", "source_only seed 0 bbbbbb"]),
    ],
)
def test_runs_have_different_names(runs, expected):
    assert summary.labels(runs) == expected


def test_speed_and_waiting(tmp_path):
    assert summary.seconds_per_step(tmp_path) is None
    assert summary.data_wait(tmp_path) == 0
    lines = [{"step": 10, "seconds": 2.0, "data_wait": 0.5}, {"step": 15, "seconds": 1.0, "data_wait": 0.2}]
    (tmp_path / LOG).write_text("\n".join(map(json.dumps, lines)))
    assert summary.seconds_per_step(tmp_path) == pytest.approx(0.2)
    assert summary.data_wait(tmp_path) == pytest.approx(1.2 / 3)


def test_the_stages_of_a_training_are_joined(tmp_path):
    def write(name, method, continues, logged):
        (tmp_path / name).mkdir()
        training = {"method": method, "continues": continues}
        said = {
            "format": 1,
            "key": name,
            "training": training,
            "command": "",
            "commit": "",
            "s2reid": "",
            "machine": {},
        }
        (tmp_path / name / "run.json").write_text(json.dumps(said))
        lines = [
            {"step": step, "images_per_second": 9.0, "terms": {"identity": 1.0}, "watched": watched}
            for step, watched in logged
        ]
        (tmp_path / name / LOG).write_text("\n".join(map(json.dumps, lines)))

    write("trunk", "source_only", None, [(10, {}), (20, {})])
    write("first", "s2r", "trunk", [(10, {"frame accuracy": 0.9}), (15, {"frame accuracy": 0.7})])
    write("last", "s2r", "first", [(10, {"frame accuracy": 0.5, "mean cosine": 0.1})])
    curve = summary.read_curve(tmp_path / "last", "x")
    assert [path.name for path in summary.stages(tmp_path / "last")] == ["first", "last"]
    assert curve.steps == [10, 15, 25]
    assert curve.stages == {15: "stage 2"}
    assert curve.values["frame accuracy"] == [0.9, 0.7, 0.5]
    assert [value == value for value in curve.values["mean cosine"]] == [False, False, True]
    assert summary.read_curve(tmp_path / "trunk", "x").stages == {}
    shutil.rmtree(tmp_path / "first")
    assert summary.read_curve(tmp_path / "last", "x").steps == [10]


def test_two_runs_are_compared_query_by_query(tmp_path, source, target):
    base, ours = (run(tmp_path / "runs", source, target, steps=steps) for steps in (0, 3))
    for folder in (base, ours):
        experiment.embed_source(folder / "model", source)
    page = summary.write([base, ours], tmp_path / "page.html", versus=(base, ours)).read_text("utf-8")
    assert "source_only against untrained" in page
    assert page.count('<path class="cloud"') == 4
    assert 'id="differences"' not in summary.write([base, ours], tmp_path / "page.html").read_text("utf-8")


def test_a_page_ranks_by_a_method_s_own_distance(tmp_path, source, target):
    folder = experiment.run(Plan("qaconv", source, scale="tiny", schedule=tiny.schedule(2)), tmp_path)
    (row,) = experiment.evaluate(folder / "model", target)
    (result,) = summary.read_results(folder, "x")
    assert result.ranking.mean_ap == pytest.approx(row["mean_ap"])
    assert replace(result, distance="cosine").distances(0) != pytest.approx(result.distances(0))


def test_some_of_the_source_is_embedded_once(tmp_path, source, target):
    folder = run(tmp_path / "runs", source, target)
    path = experiment.embed_source(folder / "model", source, most=5)
    kept = Embeddings.load(path)
    assert path == folder / "source.npz"
    assert kept.person.tolist() == [source.train[i * len(source.train) // 5].person for i in range(5)]
    before = path.stat().st_mtime_ns
    assert experiment.embed_source(folder / "model", source) == path
    assert path.stat().st_mtime_ns == before
    (result,) = summary.read_results(folder, "x")
    assert (result.source.vectors == kept.vectors).all()


def test_curves_are_the_log(tmp_path):
    assert summary.read_curve(tmp_path, "x") is None
    lines = [{"step": s, "images_per_second": 9.0, "terms": {"identity": 1.0 / s}} for s in (10, 20)]
    (tmp_path / LOG).write_text("\n".join(map(json.dumps, lines)))
    curve = summary.read_curve(tmp_path, "x")
    assert curve.name == "x"


def test_scores_of_another_version(tmp_path, source, target):
    folder = run(tmp_path / "runs", source, target)
    (row,) = json.loads((folder / "scores.json").read_text())
    del row["mean_ap"]
    (folder / "scores.json").write_text(json.dumps([row]))
    with pytest.raises(ValueError, match=r"scores.json has a row without 'mean_ap': it was written by another version"):
        summary.read_results(folder, "x")
