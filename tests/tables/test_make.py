"""A whole table of a few persons: made once, found again, gone on with."""

import json

import pytest
from tests import tiny

from s2reid import experiment
from s2reid.tables import cost, grid, make

pytestmark = pytest.mark.usefixtures("tiny_scale", "data")


@pytest.fixture
def asked(tmp_path):
    return grid.Asked(tmp_path / "out", scale="tiny", steps=1)


def test_a_table_made_once_and_found_again(asked, monkeypatch):
    whole = grid.find(2)
    chosen = grid.select(whole, ["Baseline", "w/o L1C", "Ours"])
    assert not asked.out.exists()
    told = []
    entries = make.make(whole, chosen, asked, lambda result, done, total: told.append((result.cell.row, done, total)))
    assert told == [(row, number, 6) for number, row in enumerate([*chosen.rows] * 2, 1)]
    # The baseline has two stages; ours shares its first one with the row that lacks a consistency term.
    assert len([*asked.runs.iterdir()]) == 2 * (2 + 3)
    assert [entry.row for entry in entries if entry.scores] == 2 * [*chosen.rows]
    assert len(entries) == 20
    assert [*entries[-4].scores] == ["ccvid general", "ccvid same_clothes", "ccvid clothes_changing"]

    monkeypatch.setattr(experiment.train, "fit", None)  # nothing is trained twice
    before = tiny.snapshot(asked.out)
    assert cost.predict(chosen, asked).cells == ()
    assert make.make(whole, grid.select(whole, ["Ours"]), asked) == entries  # what was finished before is shown
    assert tiny.snapshot(asked.out) == before
    said = json.loads((asked.out / "table2.json").read_text())
    assert [entry["row"] for entry in said["entries"] if entry["seeds"]] == 2 * [*chosen.rows]
    assert (asked.out / "runs" / entries[0].runs[0] / "report.html").is_file()
