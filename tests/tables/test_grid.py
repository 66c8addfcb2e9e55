"""Rows, cells and what is trained for them."""

from collections import Counter
from pathlib import Path

import pytest

from s2reid.methods import source_only
from s2reid.report.figures import LONGEST_LABEL
from s2reid.tables import cost, grid, table1, table2, worlds
from s2reid.tables.grid import Asked, Cell
from s2reid.tables.sets import Sets

DOMAIN = {"frame", "video", "mixture"}
TERMS = {
    "Baseline": set(),
    "+ L1S": {"frame"},
    "+ L1S + L2S": {"frame", "video"},
    "+ L1S + L2S + L3S": DOMAIN,
    "w/o L1C": {*DOMAIN, "cluster_pull"},
    "w/o L2C": {*DOMAIN, "same_cluster"},
    "Ours": {*DOMAIN, "same_cluster", "cluster_pull"},
    "Target BN": set(),
    "One-stage baseline": set(),
    "released": {"frame", "video", "same_cluster", "cluster_pull"},
}
TERMS |= {f"{row}, centred": TERMS[row] for row in ("Baseline", "Target BN", "Ours")}


def test_the_rows_of_table_2():
    assert {row: set(s.terms) - set(table2.SUPERVISED) for row, s in table2.ROWS.items()} == TERMS
    assert all(set(settings.terms) >= set(table2.SUPERVISED) for settings in table2.ROWS.values())
    assert [row for row, settings in table2.ROWS.items() if not settings.needs_target] == [
        "Baseline",
        "One-stage baseline",
        "Baseline, centred",
    ]
    assert [row for row, settings in table2.ROWS.items() if settings.detached] == ["One-stage baseline", "released"]
    one_stage = [settings for settings in table2.ROWS.values() if settings.before() is None]
    assert one_stage == [table2.ROWS["One-stage baseline"], table2.ROWS["released"]]
    assert len({settings.schedule("small") for settings in one_stage}) == 1
    first = [table2.ROWS[row].before() for row in ("+ L1S + L2S + L3S", "w/o L1C", "w/o L2C", "Ours")]
    assert first == 4 * [first[0]]
    assert first[0].stage == 1


def test_the_size_of_the_tables():
    tables = [grid.find(number) for number in (1, 2, 3)]
    assert [(len(table.rows), len(table.pairs)) for table in tables] == [(11, 4), (13, 2), (4, 6)]
    assert [len(set(table.pairs)) for table in tables] == [4, 2, 6]
    assert {name for table in tables for pair in table.pairs for name in pair} == {
        name for name in worlds.WORLDS if not name.endswith("-256")
    }
    assert tables[0].rows["SINet"] == tables[1].rows["Baseline"] == tables[2].rows["Baseline"]
    assert tables[0].rows["Ours"] == tables[1].rows["Ours"] == tables[2].rows["Ours"]
    for table in tables:  # a row whose model is calibrated is another row's model
        bare = {row: row.partition(",")[0] for row in table.centred}
        assert bare
        assert all(table.rows[row] == table.rows[plain] for row, plain in bare.items())


def test_no_chart_cuts_the_name_of_a_row():
    assert [row for number in (1, 2, 3) for row in grid.find(number).rows if len(row) > LONGEST_LABEL] == []


def test_a_method_that_does_not_exist_yet_is_left_out_and_named(monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(table1.lookup, "names", lambda package: ["s2r", "source_only"])
        table = grid.Table(1, "t", {row: table1.settings(row) for row in table1.METHODS}, table1.PAIRS)
    assert table.lacking == ["CAViT", "PTSA", "AP3D", "TCLNet", "CAL", "GLT", "QAConv"]
    assert {cell.row for cell in grid.cells(table, 1)} == {"SINet", "Ours"}
    with pytest.raises(ValueError, match="the row 'CAL' of table 1 has no method yet: there are SINet, Ours"):
        grid.select(table, ["cal"])


def test_cells_come_a_whole_table_a_seed():
    table = grid.select(grid.find(2), ["ours", "+l1s"], ["standin-ilids"])
    assert list(table.rows) == ["+ L1S", "Ours"]
    assert [str(cell) for cell in grid.cells(table, 2)] == [
        "svreid -> standin-ilids, + L1S, seed 0",
        "svreid -> standin-ilids, Ours, seed 0",
        "svreid -> standin-ilids, + L1S, seed 1",
        "svreid -> standin-ilids, Ours, seed 1",
    ]


def test_splits_are_cells_of_targets_that_have_several():
    table = grid.select(grid.find(1), ["Ours"])
    assert grid.read_split(table, None) == 0
    assert grid.read_split(table, "all") is None
    assert grid.read_split(table, "9") == 9
    every = [(cell.target, cell.split) for cell in grid.cells(table, 1, None)]
    assert every == [
        ("standin-mars", 0),
        *(("standin-ilids", split) for split in range(10)),
        *(("standin-prid", split) for split in range(10)),
        ("standin-ccvid", 0),
    ]
    assert [cell.split for cell in grid.cells(table, 1, 3)] == [0, 3, 3, 0]
    assert str(grid.cells(table, 1, 3)[1]) == "svreid -> standin-ilids, Ours, seed 0, split 3"


def test_recordings_take_the_places_of_stand_ins():
    table = grid.on_recordings(grid.find(3), "paper")
    assert (table.is_real, grid.find(3).is_real, table.title) == (True, False, grid.find(3).title)
    assert table.pairs == (
        ("mars", "ilids_vid"),
        ("prid2011", "ilids_vid"),
        ("svreid", "ilids_vid"),
        ("mars", "ccvid"),
        ("prid2011", "ccvid"),
        ("svreid-cc", "ccvid"),
    )
    assert grid.select(table, (), ["iLIDS-VID"]).pairs == table.pairs[:3]
    assert grid.on_recordings(grid.find(3), "small").title.endswith("as sources (a quick trial at small scale)")


def test_what_is_asked_differently_is_written_elsewhere(tmp_path):
    real, weights = {"data": tmp_path, "scale": "paper"}, tmp_path / "resnet50.a1_in1k.pth"
    weights.touch()
    asked = [
        Asked(tmp_path),
        Asked(tmp_path, split=4),
        Asked(tmp_path, **real),
        Asked(tmp_path, data=tmp_path),
        Asked(tmp_path, **real, split=None),
        Asked(tmp_path, **real, protocol="seed_protocol"),
        Asked(tmp_path, steps=50),
        Asked(tmp_path, **real, init=weights),
    ]
    assert [one.stem(2).name for one in asked] == [
        "table2",
        "table2-split4",
        "table2-real",
        "table2-real-small",
        "table2-real-splits",
        "table2-real-seed_protocol",
        "table2-steps50",
        "table2-real-init_resnet50_a1_in1k",
    ]


@pytest.mark.usefixtures("tiny_scale")
def test_what_is_trained_for_them(data, tmp_path):
    def trained(table, seeds=1):
        plans = [grid.plan(cell, table, data, asked) for cell in grid.cells(table, seeds)]
        return grid.trainings(plans, asked.runs)

    asked = Asked(tmp_path, scale="tiny", steps=2)
    ablation = trained(grid.find(2))
    # A pair: three rows of two stages, four that share their first stage, and two rows of one stage.
    assert len(ablation) == 2 * (2 + 2 + 2 + 2 + (1 + 4) + 2)
    assert Counter(plan.source.name for plan in ablation) == {"svreid": 15, "svreid-cc": 15}
    assert len(trained(grid.find(2), seeds=2)) == 2 * len(ablation)
    # What never looks at the target is trained once a source.
    assert len(trained(grid.select(grid.find(1), ["SINet"]))) == 2 * 2
    assert len(trained(grid.select(grid.find(1), ["Ours"]))) == 4 * 2
    assert {plan.source.name for plan in trained(grid.find(3))} >= {"standin-mars", "standin-prid"}
    names = [plan.settings["stage"] for plan in trained(grid.select(grid.find(2), ["Ours"], ["standin-ilids"]))]
    assert names == [1, 2]


@pytest.mark.usefixtures("tiny_scale")
def test_the_trunk_is_trained_once_a_source(data, tmp_path, monkeypatch):
    monkeypatch.setattr(source_only, "SINGLE_FRAMES", {"tiny"})
    table, asked = grid.find(2), Asked(tmp_path, scale="tiny")
    plans = grid.trainings([grid.plan(cell, table, data, asked) for cell in grid.cells(table, 1)], asked.runs)
    assert len(plans) == 30 + 2
    assert [plan.source.name for plan in plans if plan.method == "source_only"] == ["svreid", "svreid-cc"]
    assert plans[0].method == "source_only"


@pytest.mark.usefixtures("tiny_scale")
def test_a_plan_carries_the_row(data, tmp_path):
    table = grid.find(2)
    found = grid.plan(
        Cell("w/o L1C", "svreid", "standin-ilids", 3), table, data, Asked(tmp_path, steps=7, scale="tiny")
    )
    assert (found.method, found.seed, found.steps, found.scale) == ("s2r", 3, 7, "tiny")
    assert found.resolved()[0] == table.rows["w/o L1C"]
    assert (found.source.name, found.target.name) == ("svreid", "standin-ilids")


def test_mistakes():
    table = grid.find(2)
    for call, message in (
        (lambda: grid.find(4), "no table 4: there are 1, 2, 3"),
        (lambda: grid.select(table, ["theirs"]), "no row named 'theirs' in this table: there are Baseline, "),
        (lambda: grid.select(table, (), ["mars"]), "no target named 'mars' in this table: there are standin-ilids, "),
        (lambda: Asked(Path(), seeds=0), "seeds is 0, expected at least 1"),
        (lambda: Asked(Path(), steps=0), "steps is 0, expected at least 1"),
        (lambda: Asked(Path(), scale="huge"), "no scale named 'huge': there are small, paper"),
        (lambda: Asked(Path(), protocol="mars"), "no protocol named 'mars' for a table: there are own, seed_protocol"),
        (
            lambda: Asked(Path(), protocol="seed_protocol", split=None),
            "seed_protocol is one split, 0: leave --split out",
        ),
        (lambda: Asked(Path(), init=Path("nowhere.pth")), "nowhere.pth is no file: give a file of backbone weights"),
        (lambda: grid.read_split(table, "ten"), "no split 'ten': standin-ilids has splits 0 to 9, or say all"),
        (lambda: grid.read_split(table, "10"), "no split '10': standin-ilids has splits 0 to 9, or say all"),
        (
            lambda: grid.read_split(grid.select(table, (), ["standin-ccvid"]), "all"),
            "standin-ccvid has no splits: leave --split out",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def test_folders_of_something_else(tmp_path):
    cost.check_out(tmp_path / "new")
    (tmp_path / "letters").mkdir()
    with pytest.raises(ValueError, match=r"holds other things \(letters\): name a new folder"):
        cost.check_out(tmp_path)
    (tmp_path / "worlds").mkdir()
    cost.check_out(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="is a file: name a folder"):
        cost.check_out(tmp_path / "file")


def test_worlds_are_planned_at_no_cost(tmp_path):
    get = Sets(Asked(tmp_path))
    assert {name: get(name).num_persons for name in ("svreid", "standin-ilids")} == {
        "svreid": 333,
        "standin-ilids": 200,
    }
    # Half of its tracklets are tested, 12 frames at most; MARS says which.
    assert (len(get("standin-ilids").query), len(get("standin-ilids").gallery)) == (200, 0)
    assert 4 <= get("standin-ilids").query[0].num_frames <= 12
    assert len(get("standin-mars").query) > 160
    assert not [*tmp_path.iterdir()]
    assert worlds.estimate("svreid").tracklets == worlds.estimate("svreid-256").tracklets == 1164
    assert worlds.estimate("svreid-256").bytes > 3 * worlds.estimate("svreid").bytes
