"""Any dataset as a manifest: nothing is lost, and nothing is overwritten."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from tests.datasets import layouts

from s2reid import datasets, lookup, manifest
from s2reid.types import DISTRACTOR, UNKNOWN, Dataset, Tracklet

HEADER = "path,tracklet,person,camera,outfit,split\n"


def write_prid(root):
    layouts.write_prid(root)
    layouts.write_prid_splits(root, range(1, 9))
    return root


def write_csv(root):
    return layouts.write_manifest(
        root, HEADER + "a,x,3,0,2,query\nb/2.jpg,y,-2,1,0,gallery\nb/1.jpg,y,-2,1,0,gallery\n"
    )


WRITERS = {
    "cameras": layouts.write_persons,
    "ccvid": layouts.write_ccvid,
    "csv": write_csv,
    "ilids_vid": lambda root: layouts.write_ilids(root)[0],
    "ls_vid": layouts.write_ls_vid,
    "mars": layouts.write_mars,
    "persons": layouts.write_persons,
    "prid2011": write_prid,
    "svreid": layouts.write_svreid,
}


def whole(dataset):
    return {
        part: [
            ([os.path.abspath(path) for path in t.paths()], t.person, t.camera, t.outfit)
            for t in getattr(dataset, part)
        ]
        for part in ("train", "query", "gallery")
    }


def test_there_is_a_writer_for_every_layout():
    assert sorted(WRITERS) == [name for name in lookup.names("datasets") if name != "shards"]  # refused


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("inside", [True, False])
def test_every_layout_survives_the_round_trip(name, inside, tmp_path):
    place = WRITERS[name](tmp_path / "data")
    dataset = datasets.load(f"{name}:{place}", check=False)
    out = tmp_path / ("data" if inside else "elsewhere") / "manifest.csv"
    rows = manifest.write(dataset, out)
    lines = out.read_text().splitlines()
    assert (lines[0] + "\n", len(lines) - 1) == (HEADER, rows)
    assert rows == sum(t.num_frames for t in dataset.train + dataset.query + dataset.gallery) > 0
    assert all(Path(line.partition(",")[0]).is_absolute() != inside for line in lines[1:])
    assert whole(datasets.load(f"csv:{out}")) == whole(dataset)
    assert {path.name for path in out.parent.glob("*.partial")} == set()


def test_distractors_unlabelled_and_outfits_are_written_as_they_are(tmp_path):
    layouts.write_frames(tmp_path / "a", ["1.jpg", "2.jpg", "3.jpg"])
    one, two, three = (Tracklet("a", (f"{n}.jpg",), 1, 7, 2) for n in (1, 2, 3))
    os.chdir(tmp_path)  # a store may be relative
    dataset = Dataset("x", (replace(one, person=UNKNOWN),), (two,), (replace(three, person=DISTRACTOR, outfit=0),))
    manifest.write(dataset, Path("m.csv"))
    assert Path("m.csv").read_text() == (
        HEADER + "a/1.jpg,train-0,-1,7,2,train\na/2.jpg,query-0,1,7,2,query\na/3.jpg,gallery-0,-2,7,0,gallery\n"
    )


def test_names_that_need_quotes(tmp_path):
    layouts.write_frames(tmp_path / 'a "b", c', ["1.jpg"])
    dataset = Dataset("x", (Tracklet(str(tmp_path), ('a "b", c/1.jpg',), 1, 1),))
    manifest.write(dataset, tmp_path / "m.csv")
    assert whole(datasets.load(f"csv:{tmp_path / 'm.csv'}")) == whole(dataset)


def test_progress_counts_frames(tmp_path):
    dataset = datasets.load(f"persons:{layouts.write_persons(tmp_path / 'data')}")
    told = []
    manifest.write(dataset, tmp_path / "m.csv", lambda done, total: told.append((done, total)))
    assert told == [(3, 12), (6, 12), (9, 12), (12, 12)]


def test_a_rendered_set_keeps_its_name(tmp_path):
    root = layouts.write_svreid(tmp_path / "data")
    layouts.write_marker(root, name="standin-x", preset="standin-x", seed=0)
    dataset = datasets.load(f"svreid:{root}")
    message = (
        "standin-x is rendered, and a manifest in .* would not say so: write it beside the set's world.json .*data"
    )
    with pytest.raises(ValueError, match=message):
        manifest.write(dataset, tmp_path / "m.csv")
    manifest.write(dataset, root / "m.csv")
    read = datasets.load(f"csv:{root / 'm.csv'}")
    assert (read.name, read.origin["preset"]) == ("standin-x", "standin-x")


def test_a_real_set_does_not_take_a_rendered_one_s_name(tmp_path):
    dataset = datasets.load(f"persons:{layouts.write_persons(tmp_path / 'data')}")
    (tmp_path / "world").mkdir()
    (tmp_path / "world" / "world.json").write_text(json.dumps({"name": "standin-x"}))
    with pytest.raises(
        ValueError, match="is the rendered set standin-x: a manifest of data there would take that name"
    ):
        manifest.write(dataset, tmp_path / "world" / "m.csv")


def test_nothing_is_overwritten(tmp_path):
    dataset = datasets.load(f"persons:{layouts.write_persons(tmp_path / 'data')}")
    (tmp_path / "m.csv").write_text("mine")
    with pytest.raises(ValueError, match=r"m\.csv is there already: remove it, or give another name"):
        manifest.write(dataset, tmp_path / "m.csv")
    assert (tmp_path / "m.csv").read_text() == "mine"


FRAME = Tracklet("", ("a/1.jpg",), 1, 1)
OTHER = Tracklet("", ("a/2.jpg",), 1, 2)


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        (Dataset("x", (replace(FRAME, person=DISTRACTOR),)), "x does not go into a manifest: .*a distractor"),
        (Dataset("x", (FRAME,), (OTHER,)), r"x does not go into a manifest: .*1 persons in both train and test"),
        (Dataset("x", (FRAME, FRAME)), "x does not go into a manifest: .*is listed already"),
        (Dataset("x", (replace(FRAME, frames=("a/9.jpg",)),)), "x does not go into a manifest: .*cannot find a/9.jpg"),
        (Dataset("x"), "x does not go into a manifest: .*lists nothing below its header"),
    ],
)
def test_what_a_manifest_cannot_hold(dataset, message, tmp_path):
    layouts.write_frames(tmp_path / "a", ["1.jpg", "2.jpg"])
    placed = [
        tuple(replace(t, store=str(tmp_path)) for t in part) for part in (dataset.train, dataset.query, dataset.gallery)
    ]
    with pytest.raises(ValueError, match=message):
        manifest.write(Dataset("x", *placed), tmp_path / "m.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a"]  # nothing half-written is left
