"""The published numbers are the paper's."""

import csv
from collections import Counter
from importlib.resources import files

import pytest

from s2reid.tables import grid, paper, worlds


def test_every_number_is_there_once():
    lines = list(csv.DictReader((files("s2reid.tables") / "paper.csv").read_text("utf-8").splitlines()))
    places = Counter((line["table"], line["row"], line["source"], line["target"]) for line in lines)
    assert set(places.values()) == {1}
    assert [len(paper.load(table)) for table in (1, 2, 3)] == [9 * 4, 7 * 2, 2 * 6]


@pytest.mark.parametrize(
    ("table", "row", "source", "target", "numbers"),
    [
        (1, "CAViT", "svreid", "ilids_vid", (0.040, 0.073, None, 0.067)),
        (1, "AP3D", "svreid", "prid2011", (0.562, 0.809, 0.921, 0.674)),
        (1, "Ours", "svreid", "mars", (0.481, 0.629, 0.688, 0.308)),
        (1, "QAConv", "svreid-cc", "ccvid", (0.554, 0.704, 0.753, 0.378)),
        (2, "+ L1S + L2S", "svreid", "ilids_vid", (0.340, 0.627, 0.753, 0.473)),
        (2, "w/o L2C", "svreid-cc", "ccvid", (0.746, 0.803, 0.838, 0.700)),
        (3, "Baseline", "mars", "ilids_vid", (0.067, 0.120, 0.153, 0.107)),
        (3, "Ours", "prid2011", "ccvid", (0.655, 0.805, 0.844, 0.542)),
    ],
)
def test_numbers_of_the_paper(table, row, source, target, numbers):
    (found,) = [line for line in paper.load(table) if (line.row, line.source, line.target) == (row, source, target)]
    assert (found.rank1, found.rank5, found.rank10, found.mean_ap) == numbers


def test_what_the_paper_repeats():
    """Ours and the baseline are in all three tables; only CAViT has dashes, and one row is another's."""
    first, second, third = ({(r.row, r.source, r.target): r for r in paper.load(table)} for table in (1, 2, 3))

    def numbers(row):
        return row.rank1, row.rank5, row.rank10, row.mean_ap

    for pair in (("svreid", "ilids_vid"), ("svreid-cc", "ccvid")):
        assert numbers(first["Ours", *pair]) == numbers(second["Ours", *pair]) == numbers(third["Ours", *pair])
        assert numbers(first["SINet", *pair]) == numbers(second["Baseline", *pair]) == numbers(third["Baseline", *pair])
    assert {row.row for row in first.values() if row.rank10 is None} == {"CAViT"}
    copied = first["TCLNet", "svreid-cc", "ccvid"]
    assert numbers(copied) == numbers(first["SINet", "svreid", "mars"])
    assert [row for row in first.values() if row.note] == [copied]
    assert copied.note.startswith("probable copy error")


@pytest.mark.parametrize("number", [1, 2, 3])
def test_every_published_row_has_its_place_in_our_table(number):
    table = grid.find(number)
    ours = {(row, *map(worlds.real_name, pair)) for row in table.rows for pair in table.pairs}
    published = {(row.row, row.source, row.target) for row in paper.load(number)}
    assert published <= ours
    controls = {"Target BN", "One-stage baseline", "released"}
    beyond = (controls if number == 2 else set()) | table.centred
    assert {row for row, _, _ in ours - published} == beyond
