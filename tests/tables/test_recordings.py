"""Tables on real data: tiny copies of the real layouts, with the counts that these have."""

import json
import sys
from dataclasses import replace
from statistics import fmean, stdev

import numpy as np
import pytest
import torch
from scipy.io import savemat
from tests import tiny
from tests.datasets import layouts

from s2reid import cli, experiment
from s2reid.datasets import ccvid, ilids_vid, mars, prid2011
from s2reid.tables import cost, grid, make, models, recordings
from s2reid.tables.grid import Asked
from s2reid.tables.sets import Sets, available, finished

pytestmark = pytest.mark.usefixtures("tiny_scale")
SPLITS = [[1, 2, 3, 4, 5, 6, 7, 8], [8, 7, 6, 5, 4, 3, 2, 1]]


@pytest.fixture
def root(tmp_path, monkeypatch):
    """Write two targets as their owners give them out, and a rendered source; say what they hold."""
    root = tmp_path / "real"
    tiny.write_source(root / "SVReID")
    tiny.write_target(root / "iLIDS-VID")
    (root / "iLIDS-VID" / "world.json").unlink()
    splits = root / "iLIDS-VID" / "train-test people splits" / "train_test_splits_ilidsvid.mat"
    savemat(splits, {"ls_set": np.array(SPLITS, float)})
    layouts.write_mars(root / "mars")
    monkeypatch.setattr(ilids_vid, "NUM_SPLITS", len(SPLITS))
    monkeypatch.setattr(ilids_vid, "PUBLISHED", {"persons": 8, "tracklets": 16})
    monkeypatch.setattr(mars, "PUBLISHED", {"train": {"tracklets": 3}})
    return root


def real(root, out, **changes):
    return Asked(out, scale="tiny", steps=1, data=root, **changes)


def test_what_is_there_is_found_by_name(root):
    assert recordings.present(root) == ["svreid", "mars", "ilids_vid"]
    found = recordings.load("ilids_vid", root, 1)
    assert (found.name, found.origin["split"], len(found.query)) == ("ilids_vid", 1, 4)
    assert {t.person for t in found.query} == {5, 6, 7, 8}
    assert recordings.load("svreid", root).name == "tiny-source"
    assert recordings.origin("svreid", root) == recordings.origin("svreid", root / "mars") == "rendered by s2reid"
    (root / "SVReID" / "world.json").unlink()
    assert recordings.origin("svreid", root) == "the archive of its authors"


def test_a_source_that_is_too_small_is_refused(root, tmp_path):
    layouts.write_marker(root / "SVReID", name="svreid", height=128)
    assert recordings.load("svreid", root, height=128).name == "svreid"
    with pytest.raises(ValueError, match=r"SVReID was rendered 128 pixels high, and .* trains on 256: .* --height 256"):
        Sets(replace(real(root, tmp_path), scale="paper"))("svreid")


@pytest.mark.parametrize("name", ["svreid_cc", "svreid_plus"])
def test_clothes_that_change_are_looked_for_where_a_list_has_them(root, name):
    assert not recordings.is_there("svreid-cc", root)
    (root / "SVReID" / f"train_{name}.txt").touch()
    assert recordings.is_there("svreid-cc", root)


def test_a_stand_in_is_refused_by_name(root):
    layouts.write_marker(root / "iLIDS-VID", name="standin-ilids", counts={"persons": 8})
    with pytest.raises(ValueError, match=r"iLIDS-VID is the stand-in standin-ilids .* never mixes stand-ins and recor"):
        recordings.load("ilids_vid", root)


@pytest.mark.parametrize(
    ("name", "write", "module"),
    [
        ("mars", layouts.write_mars, mars),
        ("ilids_vid", layouts.write_ilids, ilids_vid),
        ("prid2011", lambda root: (layouts.write_prid(root), layouts.write_prid_splits(root, [1, 2, 3, 4])), prid2011),
        ("ccvid", layouts.write_ccvid, ccvid),
    ],
)
def test_every_target_that_is_not_whole_is_refused(name, write, module, tmp_path, monkeypatch):
    write(tmp_path / name)
    with pytest.raises(
        ValueError, match=rf"{name} at .* has .*, expected .*: was the copy or the extraction cut short"
    ):
        recordings.load(name, tmp_path)  # held against what was published
    monkeypatch.setattr(module, "PUBLISHED", {})
    data = recordings.load(name, tmp_path)
    assert not recordings.is_rendered(data)
    lost = data.gallery[-1].paths()[0]
    open(lost, "w").close()
    with pytest.raises(ValueError, match="is empty"):
        recordings.load(name, tmp_path)
    layouts.write_marker(tmp_path / name, name=f"standin-{name}")
    with pytest.raises(ValueError, match=f"is the stand-in standin-{name}|is empty"):
        recordings.load(name, tmp_path)


def test_a_frame_that_is_lost_is_found_before_the_training(root):
    lost = next((root / "mars" / "bbox_test").rglob("0004*"))
    frame = next(lost.glob("*.jpg"))
    frame.unlink()
    with pytest.raises(ValueError, match=rf"mars at .* lacks the frame .*{frame.name}.* `s2reid data check mars:"):
        recordings.load("mars", root)


def test_two_folders_of_one_name(root):
    (root / "ilids-vid").mkdir()
    with pytest.raises(ValueError, match=r"iLIDS-VID and .*ilids-vid could both be ilids_vid"):
        Sets(real(root, root))("ilids_vid")


def test_pairs_whose_data_is_there(root, tmp_path):
    sets = Sets(real(root, tmp_path))
    table = grid.on_recordings(grid.find(3), "paper")
    kept, said = available(table, sets)
    assert kept.pairs == (("mars", "ilids_vid"), ("svreid", "ilids_vid"))
    assert said == [
        f"left out, no prid2011 and no ccvid in {root}: prid2011 -> ilids_vid, mars -> ccvid, prid2011 -> ccvid, "
        "svreid-cc -> ccvid"
    ]
    named, _ = available(grid.select(table, (), ["ilids_vid"]), sets, ["ilids_vid"])
    assert named.pairs == kept.pairs
    with pytest.raises(ValueError, match=r"has no ccvid and no prid2011, it has svreid, mars, ilids_vid: "):
        available(grid.select(table, (), ["ccvid"]), sets, ["ccvid"])
    # Without a source of its own the root serves too: that is rendered, as tall as the scale.
    assert Sets(replace(sets.asked, data=root / "mars", scale="paper")).world("svreid-cc") == "svreid-cc-256"


def test_two_kinds_of_source_in_one_table(root, tmp_path, monkeypatch):
    (root / "SVReID" / "world.json").unlink()
    layouts.write_svreid(root / "svreid-cc")
    layouts.write_marker(root / "svreid-cc", name="svreid-cc")
    layouts.write_ccvid(root / "CCVID")
    monkeypatch.setattr(ccvid, "PUBLISHED", {})
    table = grid.on_recordings(grid.find(2), "paper")
    with pytest.raises(ValueError, match="svreid is the authors' archive and svreid-cc is rendered: two sources"):
        available(table, Sets(real(root, tmp_path)))
    kept, _ = available(grid.select(table, (), ["ccvid"]), Sets(real(root, tmp_path)), ["ccvid"])
    assert kept.pairs == (("svreid-cc", "ccvid"),)


def test_a_cell_on_every_split(root, tmp_path):
    whole = grid.on_recordings(grid.find(2), "tiny")
    asked = real(root, tmp_path / "out", split=None)
    chosen, _ = available(grid.select(whole, ["Baseline", "Ours"]), Sets(asked))
    expected = cost.predict(chosen, asked)
    # The baseline's two stages serve both splits; ours has two stages for each of them.
    assert (len(expected.cells), expected.trainings, expected.worlds) == (4, 2 + 2 * 2, ())
    assert expected.cells[1] == "svreid -> ilids_vid, Baseline, seed 0, split 1"
    assert expected.data == {"svreid": f"found in {root}", "ilids_vid": f"found in {root}"}
    assert expected.testing_seconds > 0
    assert not asked.out.exists()
    assert f"{expected.device[:3].upper().replace('CUD', 'GPU')} hours here" in str(expected)

    entries = make.make(whole, chosen, asked)
    ours = next(entry for entry in entries if (entry.row, entry.target) == ("Ours", "ilids_vid"))
    assert (ours.splits, ours.seeds, len(set(ours.all_runs[0])), len(ours.links)) == ((0, 1), (0,), 2, 2)
    baseline = entries[0]
    assert (len(set(baseline.all_runs[0])), baseline.links) == (1, [("0", baseline.runs[0])])
    rows = [
        row["mean_ap"] for run in ours.all_runs[0] for row in json.loads((asked.runs / run / "scores.json").read_text())
    ]
    assert len(rows) == 2
    assert ours.shown["mean_ap"].mean == pytest.approx(fmean(rows))
    assert ours.between_splits["ilids_vid"]["mean_ap"] == pytest.approx(stdev(rows))

    stem = tmp_path / "out" / "table2-real-tiny-splits-steps1"
    said = json.loads(stem.with_suffix(".json").read_text())
    assert (said["data"], said["split"], said["data_root"]) == ("real data", None, str(root))
    markdown = stem.with_suffix(".md").read_text()
    assert "(a quick trial at tiny scale)" in markdown
    assert "Protocol ilids_vid, mean of 2 splits. Published, real data: svreid → ilids_vid." in markdown
    assert "- sources: svreid: rendered by s2reid, svreid-cc: rendered by s2reid" in markdown
    assert "stand-in" not in markdown
    assert "ours, real data" in stem.with_suffix(".tex").read_text()
    html = stem.with_suffix(".html").read_text()
    assert "ours, real data" in html
    assert "stand-in" not in html.partition("<body")[2]
    pages = [stem.with_suffix(".html"), *asked.runs.glob(f"*/{grid.PAGE}")]
    assert len(pages) == 4
    assert all("Hidden: the tracklets show real people" in page.read_text("utf-8") for page in pages)
    make.make(whole, chosen, replace(asked, show_real=True))
    assert not any("Hidden: the tracklets show real people" in page.read_text("utf-8") for page in pages)

    # One split alone is there already, and a row that is not whole is not shown.
    one = replace(asked, split=1)
    assert cost.predict(chosen, one).cells == ()
    more = replace(asked, seeds=2)
    assert len(cost.predict(chosen, more).cells) == 4
    cells = grid.cells(chosen, 1, None)
    assert finished(cells, whole, Sets(asked)) == cells
    # A dataset that was taken away leaves a dash to a table that is not asked for it.
    (root / "iLIDS-VID").rename(root / "gone")
    assert finished(cells, whole, Sets(asked)) == []


def test_weights_that_a_network_cannot_start_from(root, tmp_path):
    weights = tmp_path / "weights.pth"
    torch.save({"stem": torch.zeros(1)}, weights)
    asked = real(root, tmp_path / "out", init=weights)
    table, _ = available(grid.select(grid.on_recordings(grid.find(1), "tiny"), ["AP3D"], ["ilids_vid"]), Sets(asked))
    with pytest.raises(ValueError, match=r"ap3d cannot be trained so \(.*\): choose other rows with --rows"):
        cost.predict(table, asked)
    facts = make.Writer(table, asked).facts(models.origins([], tmp_path))
    assert facts["training"].startswith("tiny scale, backbones begin as weights.pth, ")
    assert facts["models"] == "none yet"


def test_the_seed_protocol_has_a_table_of_its_own(root, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(tiny, "SCALE", replace(tiny.SCALE, num_frames=4))
    monkeypatch.setitem(experiment.scales.SCALES, "tiny", tiny.SCALE)
    words = ["--protocol", "seed-protocol", "--targets", "ilids_vid", "--rows", "QAConv", "--json"]
    places = ["--data", str(root), "--out", str(tmp_path / "out"), "--scale", "tiny", "--steps", "1"]
    monkeypatch.setattr(sys, "argv", ["s2reid", "table", "1", *places, *words])
    cli.main()
    shown = capsys.readouterr()
    said = json.loads(shown.out)
    (entry,) = (entry for entry in said["entries"] if entry["seeds"])
    assert (entry["row"], list(entry["scores"]), said["protocol"]) == ("QAConv", ["seed_protocol"], "seed_protocol")
    assert entry["test"].startswith("restricted-begin frames, no flip in clips of 4")
    assert "1 cells to do, 0 finished; 1 trainings" in shown.err
    assert (tmp_path / "out" / "table1-real-tiny-seed_protocol-steps1.md").is_file()

    asked = real(root, tmp_path / "out", protocol="seed_protocol")
    table, sets = grid.on_recordings(grid.find(1), "tiny"), Sets(asked)
    for rows, kept in ((("PTSA", "AP3D"), None), ((), 8)):
        chosen, _ = available(grid.select(table, rows, ["ilids_vid"]), sets)
        if kept is None:
            with pytest.raises(
                ValueError, match="seed_protocol looks at clips of 4 frames, and PTSA at others: leave it"
            ):
                grid.testable(chosen, asked, sets, rows)
        else:
            chosen = replace(chosen, rows={name: chosen.rows[name] for name in ("PTSA", "QAConv", "SINet")})
            left, said = grid.testable(chosen, asked, sets, rows)
            assert [*left.rows] == ["QAConv", "SINet"]
            assert said == ["left out, seed_protocol looks at clips of 4 frames, and PTSA at others"]
