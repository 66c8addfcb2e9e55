"""Trials of adaptation settings: no person is in both halves, labels stay out of training, and trials come again."""

import json

import pytest
from tests import tiny

from s2reid import datasets, experiment

pytestmark = pytest.mark.usefixtures("tiny_scale")


@pytest.fixture
def trials(script):
    return script("adaptation")


def test_no_person_is_in_both_halves(trials, target_root):
    target = datasets.load(f"ilids_vid:{target_root}")
    kept, new = trials.halves(target)
    mine, others = ({tracklet.person for tracklet in half} for half in (kept.train, new))
    assert mine | others == {tracklet.person for tracklet in target.train}
    assert not mine & others
    assert (kept.query, kept.gallery) == (target.query, target.gallery)


def test_what_cannot_be_divided_or_read(trials, target_root):
    target = datasets.load(f"ilids_vid:{target_root}")
    few = trials.replace(target, train=target.train[:2])
    with pytest.raises(ValueError, match="known training persons, expected at least 4 to divide"):
        trials.halves(few)
    with pytest.raises(ValueError, match="cannot read the trial 'ours'"):
        trials.read_trials(["ours"])
    assert trials.read_trials(['a={"stage": 1}', "b={}"]) == {"a": {"stage": 1}, "b": {}}


def test_trials_are_written_and_found_again(trials, target_root, tmp_path, monkeypatch, capsys):
    source = f"svreid:{tiny.write_source(tmp_path / 'source')}"
    words = ["--source", source, "--target", f"ilids_vid:{target_root}", "--scale", "tiny", "--steps", "2"]
    words += ["--method", "target_bn", "--seeds", "0", "1", "--out", str(tmp_path / "out"), "--trials", "plain={}"]
    trials.main([*words, 'low={"average": 0.5}'])
    said = json.loads((tmp_path / "out" / "trials.json").read_text())
    assert said["settings"] == {"plain": {}, "low": {"average": 0.5}}
    assert [row["seed"] for row in said["rows"]["low"]] == [0, 1]
    for row in said["rows"]["plain"]:
        assert all(0 <= row[half]["mean_ap"] <= 1 for half in ("adapted", "new"))
    assert capsys.readouterr().out.count("| plain | 2 |") == 1
    monkeypatch.setattr(experiment.train, "fit", None)  # nothing is trained again
    trials.main([*words, 'low={"average": 0.5}'])
    assert json.loads((tmp_path / "out" / "trials.json").read_text())["rows"] == said["rows"]
