"""A whole table on worlds of a few persons: made once, found again, gone on with."""

import json
from functools import partial

import pytest
from tests import tiny

from s2reid import experiment
from s2reid.tables import cost, grid, make, worlds
from s2reid.tables.worlds import World
from s2reid.world import write

pytestmark = pytest.mark.usefixtures("tiny_scale")


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """Ask for tables at the tiny scale, of worlds that render in a second."""
    monkeypatch.setattr(write, "write", partial(write.write, workers=1))
    source = {"persons": 5, "frames": 1, "height": 32}
    sizes = {"svreid": source, "svreid-cc": source, "standin-ilids": {"persons": 8, "frames": 2, "height": 32}}
    sizes["standin-ccvid"] = {"persons": 6, "frames": 2, "height": 32}
    for name, size in sizes.items():
        monkeypatch.setitem(worlds.WORLDS, name, World(worlds.WORLDS[name].spec, size))
    return grid.Asked(tmp_path / "out", scale="tiny", steps=2)


def test_a_table_made_once_and_found_again(asked, monkeypatch):
    whole = grid.find(2)
    rows = ["Baseline", "+L1S+L2S+L3S", "Ours", "Baseline + target BN", "released"]
    chosen = grid.select(whole, rows)
    assert len(cost.predict(chosen, asked).cells) == 10
    assert not asked.out.exists()
    told = []
    entries = make.make(whole, chosen, asked, lambda result, done, total: told.append((result.cell.row, done, total)))
    assert told == [(row, number, 10) for number, row in enumerate([*chosen.rows] * 2, 1)]
    # Baseline, target BN and ours have two stages, all three domain terms share theirs with ours, the release has one.
    assert len([*asked.runs.iterdir()]) == 2 * (2 + 2 + 3 + 1)
    assert [entry.row for entry in entries if entry.scores] == 2 * [*chosen.rows]
    assert len(entries) == 18
    general = [*entries[-3].scores]
    assert general == ["ccvid general", "ccvid same_clothes", "ccvid clothes_changing"]

    monkeypatch.setattr(experiment.train, "fit", None)  # nothing is trained twice
    before = tiny.snapshot(asked.out)
    assert cost.predict(chosen, asked).cells == ()
    assert make.make(whole, grid.select(whole, ["Ours"]), asked) == entries  # what was finished before is shown
    assert tiny.snapshot(asked.out) == before
    said = json.loads((asked.out / "table2.json").read_text())
    assert [entry["row"] for entry in said["entries"] if entry["seeds"]] == 2 * [*chosen.rows]
    assert (asked.out / "runs" / entries[0].runs[0] / "report.html").is_file()
