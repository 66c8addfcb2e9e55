"""Keys, folders and what is written into them."""

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest

from s2reid import runs
from s2reid.runs import Cell, Data, Training
from s2reid.scales import Schedule
from s2reid.types import Dataset, Tracklet

TRAINING = Training(
    method="source_only",
    settings={"average": 0.99},
    source=Data("s", "1"),
    target=None,
    scale="small",
    schedule=Schedule(10, 2, 2, 1, 1e-3, 0.0),
    augmentation={"flip": 0.5},
    seed=0,
)
CHANGES = {
    "method": "target_bn",
    "settings": {"average": 0.9},
    "source": Data("s", "2"),
    "target": Data("t", "1"),
    "scale": "paper",
    "schedule": Schedule(11, 2, 2, 1, 1e-3, 0.0),
    "augmentation": {"flip": 0.0},
    "seed": 1,
    "continues": "abc",
    "version": "9.9",
}


def test_the_key_depends_on_every_field():
    assert CHANGES.keys() == Training.__dataclass_fields__.keys()
    keys = {replace(TRAINING, **{name: value}).key for name, value in CHANGES.items()}
    assert len(keys | {TRAINING.key}) == len(CHANGES) + 1 == 11


def test_equal_values_have_equal_keys():
    assert replace(TRAINING, settings=dict(TRAINING.settings)).key == TRAINING.key
    one, other = (replace(TRAINING, settings=dict(pairs)) for pairs in ([("a", 1), ("b", 2)], [("b", 2), ("a", 1)]))
    assert one.key == other.key
    assert len(TRAINING.key) == 12


def test_the_key_of_a_cell():
    cell = Cell("t", Data("d", "1"), "all frames")
    others = [replace(cell, training="u"), replace(cell, target=Data("d", "2")), replace(cell, test="other frames")]
    assert len({one.key for one in (cell, *others)}) == 4


def data(store="here", frames=("a", "b"), person=1, camera=1, **origin):
    return Dataset("d", train=(Tracklet(store, frames, person, camera),), origin={"preset": "p", **origin})


def test_a_fingerprint_is_the_content_and_not_the_place():
    same = runs.fingerprint(data(), ["train"])
    assert runs.fingerprint(data("there", root="there"), ["train"]) == same
    changed = [
        data(frames=("b", "a")),
        data(frames=("a",)),
        data(person=2),
        data(camera=2),
        data(seed=1),
        data(version=2),
    ]
    changed += [data(height=64), data(height=128)]  # rendered larger: the same names
    assert len({runs.fingerprint(one, ["train"]).fingerprint for one in changed} | {same.fingerprint}) == 9
    assert runs.fingerprint(data(), ["query"]) != same


def test_the_fingerprint_of_recordings_sees_files_that_were_replaced(tmp_path):
    def taken(*sizes):
        for number, size in enumerate(sizes):
            (tmp_path / f"{number}.jpg").write_bytes(b"x" * size)
        recorded = Dataset("d", train=(Tracklet(str(tmp_path), ("0.jpg", "1.jpg"), 1, 1),))
        return runs.fingerprint(recorded, ["train"]).fingerprint

    assert taken(3, 4) == taken(3, 4) != taken(3, 5)


def test_the_fingerprint_sees_pictures_that_are_all_of_one_size(tmp_path):
    found = []
    for shade in (10, 20):
        cv2.imwrite(str(tmp_path / "1.bmp"), np.full((8, 4, 3), shade, np.uint8))
        found.append(runs.fingerprint(Dataset("real", (Tracklet(str(tmp_path), ("1.bmp",), 1, 1),)), ["train"]))
    assert found[0] != found[1]


def test_a_run_says_what_how_and_where(tmp_path):
    folder = runs.begin(TRAINING, tmp_path)
    assert folder == tmp_path / TRAINING.key
    said = runs.read(folder)
    assert said["key"] == TRAINING.key
    assert said["training"]["schedule"]["steps"] == 10
    assert {"command", "commit", "s2reid", "machine"} <= said.keys()
    assert said["machine"]["cores"] >= 1


def test_folders_that_are_no_run(tmp_path):
    with pytest.raises(ValueError, match=r"is no run: it has no run.json; give a folder that `s2reid train`"):
        runs.read(tmp_path)
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(ValueError, match=r"run.json is not JSON .*: the run cannot be read"):
        runs.read(tmp_path)
    (tmp_path / "run.json").write_text('{"format": 9}')
    with pytest.raises(ValueError, match=r"has run format 9 \(written by s2reid unknown\), this version reads 1"):
        runs.read(tmp_path)
    (tmp_path / "run.json").write_text("[]")
    with pytest.raises(ValueError, match="has run format None"):
        runs.read(tmp_path)
    (tmp_path / "run.json").write_text('{"format": 1, "key": "", "training": {}, "command": "", "machine": {}}')
    with pytest.raises(ValueError, match=r"run.json lacks 'commit': it was edited, or written by another version"):
        runs.read(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [("[", r"scores.json is not JSON .*: the run cannot be read"), ("{}", "scores.json is no list of scores: remove")],
)
def test_scores_that_are_damaged(tmp_path, content, message):
    (tmp_path / "scores.json").write_text(content)
    for act in (runs.read_scores, lambda folder: runs.add_scores(folder, {})):
        with pytest.raises(ValueError, match=message):
            act(tmp_path)
    assert (tmp_path / "scores.json").read_text() == content


def test_a_score_replaces_the_older_one_of_the_same_test(tmp_path):
    assert runs.read_scores(tmp_path) == []
    first = {"target": "a", "split": 0, "protocol": "x", "test": "all frames", "rerank": None}
    others = [
        {"target": "b"},
        {"split": 1},
        {"protocol": "y"},
        {"test": "four frames"},
        {"rerank": {"k1": 20, "k2": 6, "weight": 0.3}},
    ]
    assert len(others) == len(first)
    runs.add_scores(tmp_path, {**first, "cell": "0"})
    runs.add_scores(tmp_path, *({**first, **change, "cell": str(cell)} for cell, change in enumerate(others, 1)))
    runs.add_scores(tmp_path, {**first, "cell": "6"})
    assert [row["cell"] for row in runs.read_scores(tmp_path)] == ["1", "2", "3", "4", "5", "6"]


def test_json_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "x.json"
    runs.write_json(path, {"a": 1})
    monkeypatch.setattr(runs.Path, "replace", lambda *_: (_ for _ in ()).throw(OSError("killed")))
    with pytest.raises(OSError, match="killed"):
        runs.write_json(path, {"a": 2})
    assert json.loads(path.read_text()) == {"a": 1}


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["/x/bin/s2reid", "demo", "--out", "a b"], "s2reid demo --out 'a b'"),
        (["/x/s2reid/__main__.py", "doctor"], "s2reid doctor"),
        (["/x/bench.py"], "bench.py"),
    ],
)
def test_the_command_as_a_person_types_it(monkeypatch, argv, expected):
    monkeypatch.setattr("sys.argv", argv)
    assert runs.command() == expected


def test_the_commit_is_said_or_unknown(monkeypatch):
    assert runs.commit()
    monkeypatch.setattr(runs.subprocess, "run", lambda *a, **k: (_ for _ in ()).throw(OSError("no git")))
    assert runs.commit() in ("unknown", "installed")
