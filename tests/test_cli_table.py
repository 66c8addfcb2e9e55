"""The verb `s2reid table`, as a person types it."""

import json
import sys

import pytest
from tests import tiny

from s2reid import cli
from s2reid.methods import s2r, source_only


def test_a_dry_run_says_what_it_would_do_and_writes_nothing(tmp_path):
    words = ("table", 2, "--small", "--rows", "Baseline", "--targets", "standin-ilids", "--steps", 10)
    stage1, stage2 = (schedule.steps for schedule in s2r.SCHEDULES["small"])
    frames = source_only.SCHEDULES["small"].steps
    steps = 10 + round(10 * stage1 / stage2) + round(10 * frames / stage2)  # stage 2, stage 1, and the ResNet before it
    done = tiny.program(*words, "--dry-run", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["cells"] == ["svreid -> standin-ilids, Baseline, seed 0"]
    assert (said["finished"], said["trainings"], said["steps"]) == (0, 3, steps)
    assert said["worlds"] == ["svreid", "standin-ilids"]
    assert said["training_seconds"] > 0
    assert said["bytes"] > 10_000_000
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((4, "--small"), "no table 4: there are 1, 2, 3"),
        ((2,), "say --small"),
        ((2, "--small", "--rows", "x"), "no row named 'x' in this table: there are Baseline, + L1S, "),
        ((3, "--small", "--targets", "x"), "no target named 'x' in this table: there are standin-ilids, standin-ccvid"),
        ((2, "--small", "--seeds", 0), "seeds is 0, expected at least 1"),
        ((2, "--small", "--threads", 0), "threads is 0, expected at least 1"),
        ((2, "--small", "--out", "home"), "home holds other things (letter): name a new folder"),
    ],
)
def test_mistakes_are_one_line(words, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letter").touch()
    monkeypatch.setattr(sys, "argv", ["s2reid", "table", *map(str, words)])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    (line,) = capsys.readouterr().err.splitlines()
    assert stop.value.code == 2
    assert line.startswith("s2reid: ")
    assert message in line


def test_a_damaged_world_is_refused(tmp_path, monkeypatch, capsys):
    world = tmp_path / "tables" / "worlds" / "svreid"
    world.mkdir(parents=True)
    (world / "world.json").write_text("{")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["s2reid", "table", "2", "--small", "--dry-run"])
    with pytest.raises(SystemExit):
        cli.main()
    assert "world.json is damaged: delete the folder" in capsys.readouterr().err
