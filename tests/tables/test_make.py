"""A whole table of a few persons: made once, found again, gone on with."""

import errno
import json
import re
from dataclasses import replace

import pytest
from tests import tiny

from s2reid import experiment, runs
from s2reid.metrics.rerank import Rerank
from s2reid.report import page
from s2reid.tables import cost, figures, grid, make
from s2reid.tables.figures import Figures

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
    assert len(entries) == 26
    assert [*entries[-7].scores] == ["ccvid general", "ccvid same_clothes", "ccvid clothes_changing"]

    check_page(asked, entries)
    lost = asked.runs / entries[0].runs[0] / grid.PAGE
    lost.unlink()  # as if killed between a test and its page

    monkeypatch.setattr(experiment.train, "fit", None)  # nothing is trained twice
    before = tiny.snapshot(asked.out)
    assert cost.predict(chosen, asked).cells == ()
    assert make.make(whole, grid.select(whole, ["Ours"]), asked) == entries  # what was finished before is shown
    assert tiny.snapshot(asked.out) == before
    said = json.loads((asked.out / "table2-steps1.json").read_text())
    assert said["models"]["commits"] == {runs.commit(): 6}
    assert said["models"]["precisions"] == {asked.options.numbers: 6}
    assert [entry["row"] for entry in said["entries"] if entry["seeds"]] == 2 * [*chosen.rows]
    assert lost.is_file()


def check_page(asked, entries):
    """The figures are there, of every pair, and every link leads to a page."""
    text = (asked.out / "table2-steps1.html").read_text("utf-8")
    sections = re.findall(r'<section id="([^"]+)"', text)
    assert sections == ["scores", "bars", "cmc", "differences", "distances", "domains", "adaptation", "data", "made"]
    links = [link for link in re.findall(r'href="([^"]+)"', text) if not link.startswith(("#", "data:"))]
    assert len(links) == 6
    assert all((asked.out / link).is_file() for link in links)
    parts = dict(zip(sections, text.split("<section ")[1:]))
    assert parts["cmc"].count("<svg") == 2
    assert parts["distances"].count("<svg") == parts["domains"].count("<svg") == 4
    assert parts["adaptation"].count("<svg") == 2 * 2 + 3
    for target in ("standin-ilids", "standin-ccvid"):
        ours = next(entry for entry in entries if (entry.row, entry.target) == ("Ours", target))
        row = re.search(rf"→ {target}</figcaption>.*?</figure>", parts["cmc"], re.DOTALL)[0]
        rank1 = re.search(r'<th scope="row">Ours</th><td>([\d.]+)</td>', row)[1]
        assert rank1 == f"{100 * ours.shown['rank1'].mean:.1f}"
        assert f"→ {target}, seed 0: Ours against Baseline" in parts["differences"]
    counts = list(map(int, re.findall(r"<dd>(\d+)</dd>", parts["differences"])))
    assert [sum(counts[:4]), sum(counts[4:])] == [4, 8]


def test_a_centred_row_is_the_same_model_calibrated_to_the_target(asked, monkeypatch):
    whole = grid.find(2)
    rows = ["Baseline", "Baseline, centred"]
    chosen = grid.select(whole, rows, ["standin-ilids"])
    entries = {entry.row: entry for entry in make.make(whole, chosen, asked) if entry.scores}
    assert [*entries] == rows
    assert len({entry.runs for entry in entries.values()}) == 1
    assert [", centred by the cameras of standin-ilids" in entry.test for entry in entries.values()] == [False, True]
    kept = runs.read_scores(asked.runs / entries["Baseline"].runs[0])
    for row, scores in zip(rows, kept, strict=True):
        assert entries[row].shown["mean_ap"].mean == scores["mean_ap"]
    drawn = Figures(whole, asked)
    vectors = [drawn.result(entry, 0).gallery.vectors for entry in entries.values()]
    assert abs(vectors[0] - vectors[1]).max() > 1e-3

    monkeypatch.setattr(experiment.train, "fit", None)  # nothing is trained or measured twice
    monkeypatch.setattr(experiment, "calibrate", None)
    assert cost.predict(chosen, asked).cells == ()
    make.make(whole, chosen, asked)


def test_figures_wait_for_both_rows(asked):
    whole = grid.find(2)
    make.make(whole, grid.select(whole, ["Ours"], ["standin-ilids"]), asked)
    sections = re.findall(r'<section id="([^"]+)"', (asked.out / "table2-steps1.html").read_text("utf-8"))
    assert sections == ["scores", "bars", "cmc", "data", "made"]


def test_other_tests_of_a_run_are_not_the_table_s(asked, people):
    whole = grid.find(2)
    chosen = grid.select(whole, ["Baseline"], ["standin-ilids"])
    (entry,) = [entry for entry in make.make(whole, chosen, asked) if entry.scores]
    model = asked.runs / entry.runs[0] / "model"
    experiment.evaluate(model, people["standin-ilids"], rerank=Rerank(3, 2))
    experiment.evaluate(model, people["standin-ilids"], "cross_camera")
    experiment.evaluate(model, people["standin-ilids"], frames="begin")
    assert len(runs.read_scores(model.parent)) == 4
    result = Figures(whole, asked).result(entry, 0)
    assert result.ranking.mean_ap == pytest.approx(entry.shown["mean_ap"].mean)
    assert (result.scores.protocol, result.distance) == ("ilids_vid", "cosine")


def test_what_stops_a_table_leaves_the_older_files_as_they_were(asked, monkeypatch):
    whole = grid.find(2)
    chosen = grid.select(whole, ["Baseline"], ["standin-ilids"])
    make.make(whole, chosen, asked)
    before = tiny.snapshot(asked.out)

    def stop(*given, **named):
        raise KeyboardInterrupt

    monkeypatch.setattr(grid, "fill", stop)
    with pytest.raises(KeyboardInterrupt):
        make.make(whole, chosen, asked)
    assert tiny.snapshot(asked.out) == before


def test_what_was_finished_of_more_seeds_stays(asked):
    whole = grid.find(2)
    chosen = grid.select(whole, ["Baseline"], ["standin-ilids"])
    entries = make.make(whole, chosen, replace(asked, seeds=2))
    assert entries[0].seeds == (0, 1)
    before = tiny.snapshot(asked.out)
    assert make.make(whole, chosen, asked) == entries
    assert tiny.snapshot(asked.out).keys() == before.keys()
    assert "| Baseline | 2 |" in (asked.out / "table2-steps1.md").read_text()


def test_a_curve_is_computed_once(asked, monkeypatch):
    whole = grid.find(2)
    chosen = grid.select(whole, ["Baseline", "Baseline, centred"], ["standin-ilids"])
    computed = []
    monkeypatch.setattr(figures, "curve", lambda result: computed.append(result.method) or page.curve(result))
    make.make(whole, chosen, asked)
    assert computed == ["Baseline", "Baseline, centred"]


def test_a_full_disk_is_not_taken_for_a_wrong_folder(asked, monkeypatch):
    whole = grid.find(2)

    def full(*given):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(make.whole, "write", full)
    with pytest.raises(OSError, match="No space left"):
        make.Writer(whole, asked).write([])


def test_table_1_tests_all_its_rows_without_mirror_images(asked):
    assert {row: settings.test.flip for row, settings in grid.find(1).rows.items()}["SINet"]
    small = replace(asked, steps=None)
    second = grid.select(grid.find(2), ["Baseline"], ["standin-ilids"])
    make.make(grid.find(2), second, small)
    first = grid.select(grid.find(1), ["SINet", "SINet, centred", "QAConv"], ["standin-ilids"])
    assert len(cost.predict(first, small).cells) == 3  # the run is there, and was tested with mirror images
    entries = {entry.row: entry for entry in make.make(grid.find(1), first, small) if entry.scores}
    assert [entry.test.partition(" in clips")[0] for entry in entries.values()] == [
        "all frames, no flip",
        "restricted-begin frames, no flip",
        "all frames, no flip",
    ]
    assert cost.predict(first, small).cells == cost.predict(second, small).cells == ()
