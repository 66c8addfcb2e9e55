"""How entries are averaged and laid out."""

import json
from statistics import fmean, stdev

import pytest

from s2reid.tables import grid, make, page, text
from s2reid.tables.entries import Spread, collect
from s2reid.tables.grid import Asked, Cell, Result


def result(row, seed, mean_ap, pair=("svreid", "standin-ilids"), protocols=("ilids_vid",)):
    scores = [
        {"protocol": name, "test": "all frames", "rank1": mean_ap / 2, "rank5": 0.8, "rank10": 0.9, "mean_ap": mean_ap}
        for name in protocols
    ]
    return Result(Cell(row, *pair, seed), f"run{seed}", scores)


CHANGING = ("ccvid general", "ccvid same_clothes", "ccvid clothes_changing")
RESULTS = [
    result("Ours", 1, 0.7),
    result("Ours", 0, 0.5),
    result("Baseline", 0, 0.4),
    result("Ours", 0, 0.3, ("svreid-cc", "standin-ccvid"), CHANGING),
]


@pytest.fixture
def entries():
    return collect(grid.find(2), RESULTS)


def test_entries_are_means_over_seeds(entries):
    assert len(entries) == 26
    by_place = {(entry.row, entry.target): entry for entry in entries}
    ours = by_place["Ours", "standin-ilids"]
    assert ours.seeds == (0, 1)
    assert ours.runs == ("run0", "run1")
    assert ours.shown["mean_ap"] == Spread(fmean([0.5, 0.7]), stdev([0.5, 0.7]), (0.5, 0.7))
    assert ours.shown["rank1"].each == (0.25, 0.35)
    assert ours.published.mean_ap == 0.533
    assert by_place["Baseline", "standin-ilids"].shown["mean_ap"].sd is None
    changing = by_place["Ours", "standin-ccvid"]
    assert tuple(changing.scores) == CHANGING
    assert changing.shown is changing.scores["ccvid general"]
    empty = by_place["+ L1S", "standin-ilids"]
    assert (empty.seeds, empty.shown, empty.published.rank1) == ((), None, 0.327)
    assert by_place["released", "standin-ilids"].published is None


def test_markdown(entries):
    table = grid.find(2)
    lines = text.as_markdown(table, entries, {"command": "`s2reid table 2`"}).splitlines()
    assert "| Baseline | 1 | 20.0 | 80.0 | 90.0 | 40.0 | 29.3 | 47.3 | 63.3 | 39.8 |" in lines
    ours = "| **Ours** | 2 | 30.0 ± 7.1 | 80.0 ± 0.0 | 90.0 ± 0.0 | 60.0 ± 14.1 | 42.0 | 68.0 | 78.7 | 53.3 |"
    assert ours in lines
    assert "| + L1S | – | – | – | – | – | 32.7 | 59.3 | 73.3 | 45.4 |" in lines
    assert "| released | – | – | – | – | – | – | – | – | – |" in lines
    assert "## svreid-cc → standin-ccvid" in lines
    assert "Protocol ccvid general. Published, real data: svreid-cc → ccvid." in lines
    assert sum(line.startswith("| ") for line in lines) == 2 * (13 + 1)


def test_the_copied_row_is_marked_and_dashes_stay():
    table = grid.find(1)
    said = text.as_markdown(table, collect(table, []), {})
    assert "TCLNet, published: probable copy error: equal to SINet on mars." in said
    assert "| CAViT | – | – | – | – | – | 13.8 | 24.9 | – | 6.5 |" in said


def test_latex(entries):
    said = text.as_latex(grid.find(2), entries)
    assert r"Ours & 2 & 30.0 $\pm$ 7.1" in said
    assert r"svreid-cc $\to$ standin-ccvid" in said
    assert r"published: svreid $\to$ ilids\_vid" in said
    assert "–" not in said
    assert said.count(r"\\") == 2 + 2 * 14


def test_seeds_are_said(entries):
    assert text.spread_note(entries).endswith("over 1 or 2 seeds (of the weights and the batches).")
    assert text.spread_note(collect(grid.find(2), RESULTS[1:])) == "One seed: no spread."


def test_all_files_are_written(tmp_path, monkeypatch):
    monkeypatch.setattr(make.Figures, "sections", lambda *_: [])  # of runs that are not there
    writer = make.Writer(grid.find(2), Asked(tmp_path, seeds=2, steps=9))
    entries = writer.write(RESULTS)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"table2-steps9.{end}" for end in ("html", "json", "md", "tex")
    ]
    said = json.loads((tmp_path / "table2-steps9.json").read_text())
    assert (said["table"], said["data"], said["steps"], said["seeds"], len(said["entries"])) == (
        2,
        "stand-ins",
        9,
        2,
        26,
    )
    assert said["entries"][6]["scores"]["ilids_vid"]["mean_ap"]["each"] == [0.5, 0.7]
    assert said["entries"][6]["published"]["data"] == "real"
    assert set(said["entries"][-7]["scores"]) == set(CHANGING)
    html = (tmp_path / "table2-steps9.html").read_text("utf-8")
    assert "published, real data" in html
    assert '<a href="runs/run1/report.html">1</a>' in html
    assert html.count('<svg class="chart"') == 2
    assert html.count('class="error"') == 1  # one bar has a spread
    assert "http" not in html.replace("http-equiv", "")
    assert len(text.blocks(entries)) == 2


def test_a_page_of_nothing_yet(tmp_path):
    table = grid.find(1)
    said = page.write_page(tmp_path / "t.html", table, collect(table, []), "s2reid table 1", {}).read_text("utf-8")
    assert "<svg" not in said
    assert said.count("probable copy error") == 2
