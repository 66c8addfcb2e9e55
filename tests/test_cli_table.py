"""The verb `s2reid table`, as a person types it."""

import json
import sys

import pytest
from tests import tiny

from s2reid import cli
from s2reid.cli_table import table
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
    assert said["testing_seconds"] > 0
    assert said["device"] in ("cpu", "cuda")
    assert said["bytes"] > 10_000_000
    assert not [*tmp_path.iterdir()]


def test_a_table_is_filled_by_one_process(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ValueError, match="a table is filled by one process, row after row: start it without a"):
        table(2, small=True, dry_run=True)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((4, "--small"), "no table 4: there are 1, 2, 3"),
        (
            (2,),
            "there is no data root data: say --data ROOT, a folder with some of mars, ilids_vid, prid2011, ccvid, or",
        ),
        ((2, "--data", "nowhere"), "there is no data root nowhere: say --data ROOT"),
        ((2, "--small", "--data", "home"), "--data names real recordings: leave one out"),
        ((2, "--small", "--scale", "paper"), "--scale paper is for real recordings: leave one out"),
        (
            (2, "--data", "home"),
            "the data root home has no ilids_vid and no ccvid, it has none: `s2reid data get ilids_",
        ),
        (
            (2, "--data", "home", "--targets", "standin-ilids"),
            "no target named 'standin-ilids' in this table: there are",
        ),
        ((1, "--data", "home", "--split", "10"), "no split '10': ilids_vid has splits 0 to 9, prid2011 has splits 0"),
        (
            (1, "--small", "--targets", "standin-mars", "--split", "all"),
            "standin-mars has no splits: leave --split out",
        ),
        ((2, "--small", "--protocol", "mars"), "no protocol named 'mars' for a table: there are own, seed_protocol"),
        ((2, "--small", "--protocol", "seed-protocol", "--split", "2"), "seed_protocol is one split, 0"),
        ((2, "--small", "--init", "nowhere.pth"), "nowhere.pth is no file"),
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
