"""The ablation: which worlds, what they cost, how they are compared; and all of it once, on worlds of four persons."""

import json
from functools import partial

import pytest
from tests import tiny

from s2reid.world import write
from s2reid.world.ingredients import INGREDIENTS

pytestmark = pytest.mark.usefixtures("tiny_scale")


@pytest.fixture
def ablation(script):
    return script("world_ablation")


def test_the_rows(ablation):
    found = ablation.rows(["dark", "crowd"], 1000, [3000, 100, 1000], ["crowd", "3000"], (0, 1, 2))
    assert [(row.name, row.persons, row.without, row.seeds) for row in found] == [
        ("whole", 1000, (), (0, 1, 2)),
        ("dark", 1000, ("dark",), (0,)),
        ("crowd", 1000, ("crowd",), (0, 1, 2)),
        ("100", 100, (), (0,)),
        ("3000", 3000, (), (0, 1, 2)),
    ]
    assert len({row.folder(ablation.Path("x"), 0) for row in found}) == 5
    assert len(ablation.rows(list(INGREDIENTS), 1000, [], [], (0,))) == 1 + len(INGREDIENTS)


def test_unknown_rows(ablation):
    with pytest.raises(ValueError, match="no row named 'dark' to be a finalist: there are whole, crowd, 100"):
        ablation.rows(["crowd"], 1000, [100], ["dark"], (0,))
    with pytest.raises(ValueError, match=r"no ingredient named 'crowds': .*did you mean 'crowd'"):
        ablation.rows(["crowds"], 1000, [], [], (0,))


def test_the_cost_comes_first_and_nothing_starts(ablation, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(write, "write", None)
    ablation.main(
        ["--out", str(tmp_path / "x"), "--ingredients", "crowd", "--sizes", "--persons", "4", "--scale", "tiny"]
    )
    said = capsys.readouterr().out
    assert said.startswith("4 worlds, about 0.0 GB and ")
    assert "\n4 trainings, each 500 steps of 6 images at 32x16 or less, " in said
    assert said.endswith("add --yes to start\n")
    assert not (tmp_path / "x").exists()


def test_a_world_too_small_to_train_on(ablation, tmp_path):
    todo = ablation.rows([], 40, [2], [], (0,))
    with pytest.raises(ValueError, match="a batch needs 3 persons, the source has 2"):
        ablation.cost(todo, 500, "tiny", tmp_path)


def measured(values):
    """One target, mAP as given, and a Rank-1 that is half of it."""
    return {
        row: {seed: {"a": {"mean_ap": mean_ap, "rank1": mean_ap / 2}} for seed, mean_ap in enumerate(by_seed)}
        for row, by_seed in values.items()
    }


def test_a_row_is_compared_with_the_whole_world_of_the_same_seeds(ablation):
    todo = ablation.rows(["crowd", "dark"], 1000, [100], ["dark"], (0, 1))
    made = ablation.table(measured({"whole": [0.5, 0.7], "crowd": [0.4], "dark": [0.6, 0.5], "100": [0.3]}), todo)
    by_name = {row["row"]: row for row in made}
    assert by_name["whole"]["over_targets"] == {
        "mean": pytest.approx(0.6),
        "sd": pytest.approx(0.2 / 2**0.5),
        "each": [0.5, 0.7],
    }
    assert by_name["crowd"]["against_whole"]["mean"] == pytest.approx(-0.1)  # with seed 0 alone
    assert by_name["crowd"]["against_whole"]["sd"] is None
    assert by_name["dark"]["against_whole"]["each"] == pytest.approx([0.1, -0.2])
    assert by_name["100"]["rank1"]["a"]["mean"] == 0.15
    assert by_name["crowd"]["instead"] == "nobody else is near"

    facts = {"command": "x", "commit": "y", "machine": {"processor": "z", "cores": 2}, "steps": 500}
    lines = ablation.as_markdown(made, facts).splitlines()
    assert lines[2] == "| world | what is there instead | persons | seeds | a | mean | against the whole |"
    assert lines[4] == "| whole |  | 1,000 | 2 | 60.0 ± 14.1 | 60.0 ± 14.1 |  |"
    assert lines[5] == "| no crowd | nobody else is near | 1,000 | 1 | 40.0 | 40.0 | -10.0 |"
    assert lines[6].startswith("| no dark | vivid clothes where dark ones would be | 1,000 | 2 | 55.0 ± 7.1 |")
    assert lines[7] == "| whole |  | 100 | 1 | 30.0 | 30.0 | -20.0 |"


def test_a_target_without_labels_is_refused(ablation, tmp_path, monkeypatch):
    monkeypatch.setattr(ablation, "STANDINS", {})
    tiny.write_frames(tmp_path / "cameras" / "1" / "a", ["0.jpg"], 0, 0)
    with pytest.raises(ValueError, match="has no labelled tracklets in two cameras: nothing to score"):
        ablation.render_targets(tmp_path, [f"cameras:{tmp_path / 'cameras'}"])


@pytest.mark.slow
def test_all_of_it_once_and_again_for_nothing(ablation, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(write, "write", partial(write.write, workers=1, height=32))
    monkeypatch.setattr(ablation, "STANDINS", {"standin-ilids": ("ilids_vid", 8, 2)})
    monkeypatch.setattr(ablation, "FRAMES", 1)
    arguments = [
        "--out",
        str(tmp_path),
        "--persons",
        "4",
        "--scale",
        "tiny",
        "--steps",
        "2",
        "--seeds",
        "0",
        "1",
        "--yes",
    ]
    arguments += ["--ingredients", "crowd", "--sizes", "5"]
    ablation.main(arguments)
    made = json.loads((tmp_path / "table.json").read_text())
    assert [(row["row"], row["seeds"]) for row in made["rows"]] == [("whole", [0, 1]), ("crowd", [0]), ("5", [0])]
    assert all(0 < row["mean_ap"]["standin-ilids"]["mean"] <= 1 for row in made["rows"])
    assert len(list((tmp_path / "runs").iterdir())) == 4
    assert len(json.loads((tmp_path / "scores.json").read_text())) == 4
    marker = json.loads((tmp_path / "worlds" / "4-no-crowd-seed0" / "world.json").read_text())
    assert marker["without"] == ["crowd"]
    assert "no crowd" in (tmp_path / "table.md").read_text()

    before = tiny.snapshot(tmp_path)
    monkeypatch.setattr(ablation, "load_model", None)  # nothing is embedded twice
    ablation.main(arguments)
    assert tiny.snapshot(tmp_path) == before
    assert json.loads((tmp_path / "table.json").read_text())["rows"] == made["rows"]
