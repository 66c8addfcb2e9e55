"""Finding a dataset by its name, and what no loader may do."""

import importlib
import inspect
import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.datasets import layouts

from s2reid import datasets, lookup
from s2reid.datasets._folders import abridge, in_order, natural, numbers

LOADERS = ["cameras", "csv", "ilids_vid", "ls_vid", "mars", "persons", "svreid"]
NOT_LOOKED_AT = {"ls_vid", "mars"}  # a million frames and more: lists say what there is, and no file is asked its size


@pytest.fixture
def ready(tmp_path):
    """A spec of a loadable dataset in every layout."""
    layouts.write_svreid(tmp_path / "sv")
    layouts.write_ilids(tmp_path / "il")
    layouts.write_marker(tmp_path / "il", name="standin-ilids")
    layouts.write_mars(tmp_path / "ma")
    layouts.write_marker(tmp_path / "ma", name="standin-mars")
    layouts.write_ls_vid(tmp_path / "ls")
    layouts.write_marker(tmp_path / "ls", name="standin-ls-vid")
    layouts.write_prid(tmp_path / "pr")
    layouts.write_prid_splits(tmp_path / "pr", [1, 2, 3, 4])
    layouts.write_marker(tmp_path / "pr", name="standin-prid")
    layouts.write_ccvid(tmp_path / "cc")
    layouts.write_marker(tmp_path / "cc", name="standin-ccvid")
    layouts.write_persons(tmp_path / "people")
    manifest = layouts.write_manifest(tmp_path / "m", "path,person,camera,split\na,1,0,query\nb,1,1,gallery\n")
    return {
        "svreid": f"svreid:{tmp_path / 'sv'}",
        "ilids_vid": f"ilids-vid:{tmp_path / 'il'}",
        "ls_vid": f"ls-vid:{tmp_path / 'ls'}",
        "mars": f"mars:{tmp_path / 'ma'}",
        "prid2011": f"prid2011:{tmp_path / 'pr'}",
        "ccvid": f"ccvid:{tmp_path / 'cc'}",
        "persons": f"persons:{tmp_path / 'people'}",
        "cameras": f"cameras:{tmp_path / 'people'}",
        "csv": f"csv:{manifest}",
    }


def test_the_loaders_are_known():
    assert set(LOADERS) <= set(lookup.names("datasets"))
    for name in lookup.names("datasets"):
        first, *options = inspect.signature(importlib.import_module(f"s2reid.datasets.{name}").load).parameters.values()
        assert first.name == "root"
        assert all(option.kind is option.KEYWORD_ONLY and option.default is not option.empty for option in options)


@pytest.mark.parametrize("name", LOADERS)
def test_every_frame_is_a_file_in_temporal_order(ready, name):
    dataset = datasets.load(ready[name])
    tracklets = dataset.train + dataset.query + dataset.gallery
    assert len(tracklets) >= 2
    for tracklet in tracklets:
        assert tracklet.num_frames == 3
        assert all(Path(path).is_file() for path in tracklet.paths())
        numbers_in_names = [int(re.findall(r"\d+", frame)[-1]) for frame in tracklet.frames]
        assert numbers_in_names == sorted(numbers_in_names)
    assert dataset.origin["layout"] == name
    assert pickle.loads(pickle.dumps(dataset)) == dataset


@pytest.mark.parametrize("name", sorted(set(LOADERS) - NOT_LOOKED_AT))
def test_a_zero_byte_frame_is_refused(ready, name, tmp_path):
    assert datasets.load(ready[name])
    for frame in (*tmp_path.rglob("2.jpg"), *tmp_path.rglob("*_00040.png")):
        frame.write_bytes(b"")
    with pytest.raises(ValueError, match=r"the frame .* is empty \(0 bytes\): copy it again or remove it"):
        datasets.load(ready[name])


@pytest.mark.parametrize("name", LOADERS)
def test_a_missing_root_says_what_is_there(name, tmp_path):
    (tmp_path / "other").mkdir()
    with pytest.raises(ValueError, match=r"nowhere.* does not exist.*"):
        datasets.load(f"{name}:{tmp_path / 'nowhere'}")


@pytest.mark.parametrize("name", sorted(set(LOADERS) - {"csv"}))
def test_an_empty_root_and_a_file_are_refused(name, tmp_path):
    with pytest.raises(ValueError, match="is empty: is the data complete"):
        datasets.load(f"{name}:{tmp_path}")
    (tmp_path / "file").write_text("x")
    with pytest.raises(ValueError, match="is a file, expected a folder"):
        datasets.load(f"{name}:{tmp_path / 'file'}")
    with pytest.raises(ValueError, match=r"there does not exist; .* holds 1 files \(file\)"):
        datasets.load(f"{name}:{tmp_path / 'not' / 'there'}")


def test_unknown_names_and_options(ready, tmp_path):
    with pytest.raises(
        ValueError, match=r"no dataset named 'ilid_vid': there are cameras, ccvid, csv, .*did you mean 'ilids_vid'"
    ):
        datasets.load("ilid_vid:x")
    with pytest.raises(ValueError, match="svreid has no option 'lists': it takes list"):
        datasets.load(ready["svreid"], lists="svreid")
    with pytest.raises(ValueError, match="cameras has no option 'split': it takes none"):
        datasets.load(ready["cameras"], split=1)
    with pytest.raises(ValueError, match=r"is a path: say what is in it as NAME:.*one of cameras, ccvid, csv"):
        datasets.load(str(tmp_path))


def test_options_reach_the_loader(ready):
    one, other = (datasets.load(ready["ilids_vid"], split=split) for split in (0, 3))
    assert {t.person for t in one.train} != {t.person for t in other.train}


@pytest.mark.parametrize("folder", ["ilids_vid", "ilids-vid", "iLIDS-VID", "i-LIDS-VID"])
def test_a_bare_name_is_looked_up_under_the_data_root(tmp_path, monkeypatch, folder):
    layouts.write_ilids(tmp_path / "data" / folder)
    layouts.write_marker(tmp_path / "data" / folder, name="standin-ilids")
    assert datasets.load("ilids_vid", data_root=tmp_path / "data").name == "standin-ilids"
    monkeypatch.setenv("S2REID_DATA", str(tmp_path / "data"))
    assert datasets.load("ilids-vid").name == "standin-ilids"
    monkeypatch.delenv("S2REID_DATA")
    monkeypatch.chdir(tmp_path)
    assert datasets.load("ilids_vid").name == "standin-ilids"


@pytest.mark.parametrize(
    ("name", "folder"), [("ccvid", "CCVID"), ("prid2011", "PRID-2011"), ("prid2011", "prid_2011"), ("svreid", "SVReID")]
)
def test_every_layout_is_found_under_one_data_root(tmp_path, name, folder):
    for write, other in ((layouts.write_ccvid, "CCVID"), (layouts.write_prid, "x"), (layouts.write_svreid, "SVReID")):
        write(tmp_path / (folder if other == "x" else other))
    layouts.write_prid_splits(tmp_path / folder, [1, 2])
    assert datasets.load(name, data_root=tmp_path, check=False).origin["root"] == str(tmp_path / folder)


def test_a_bare_name_that_is_not_there(tmp_path):
    message = (
        r"looked for svreid under the data root .*: there is none; give its place as svreid:PATH, or set S2REID_DATA"
    )
    with pytest.raises(ValueError, match=message):
        datasets.load("svreid", data_root=tmp_path)
    (tmp_path / "SVReID").mkdir()
    (tmp_path / "sv-reid").mkdir()
    with pytest.raises(ValueError, match="SVReID and sv-reid could all be meant"):
        datasets.load("svreid", data_root=tmp_path)


def test_natural_order_and_numbers():
    assert sorted(["a10", "a9", "a09", "b1", "A1", "a"], key=natural) == ["A1", "a", "a09", "a9", "a10", "b1"]
    assert numbers(["cam_1", "cam_x"]) == {"cam_1": 0, "cam_x": 1}
    assert numbers(["2020_cam3", "2021_cam1"]) == {"2020_cam3": 3, "2021_cam1": 1}
    assert abridge(["a", "b"]) == "a, b"
    with pytest.raises(
        ValueError, match=rf"cam{2**63}: the number {2**63} is larger than a label can be .*: rename it"
    ):
        numbers(["cam1", f"cam{2**63}"])
    assert numbers([f"cam{2**63 - 1}"]) == {f"cam{2**63 - 1}": 2**63 - 1}


@pytest.mark.parametrize("seed", range(5))
def test_the_quick_order_is_the_natural_order(seed):
    rng = np.random.default_rng(seed)
    alike = [f"c{rng.integers(10)}_{rng.integers(1000):04d}x.jpg" for _ in range(50)]
    mixed = ["".join(rng.choice([*"0123a_9"], rng.integers(1, 6))) for _ in range(50)]
    for names in (alike, mixed, [], ["7"]):
        assert in_order(names) == sorted(names, key=natural)


def test_datasets_and_metrics_do_not_import_torch():
    modules = [f"s2reid.datasets.{name}" for name in LOADERS]
    code = (
        f"import sys, {', '.join(modules)}, s2reid.metrics.ranking, s2reid.evaluate; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": ":".join(sys.path)}).returncode == 0


def test_options_can_stand_in_the_spec(ready, tmp_path):
    assert datasets.load(f"{ready['ilids_vid']}?split=3") == datasets.load(ready["ilids_vid"], split=3)
    assert datasets.load(f"{ready['ilids_vid']}?split=3", split=1).origin["split"] == 1  # what is said in Python wins
    with pytest.raises(ValueError, match=r"found the option 'split=', expected name=value after the question mark"):
        datasets.load(f"{ready['ilids_vid']}?split=")
    with pytest.raises(ValueError, match="svreid has no option 'split': it takes list"):
        datasets.load(f"{ready['svreid']}?split=2")
    for text in ("all", "1.5", "9" * 5000):
        with pytest.raises(ValueError, match=r"ilids.vid\?split is '.*', expected a whole number"):
            datasets.load(f"{ready['ilids_vid']}?split={text}")
    everything = datasets.load(f"{ready['persons']}?train=true&query_camera=10")
    assert (len(everything.train), everything.query) == (4, ())
    assert {t.camera for t in datasets.load(f"{ready['persons']}?train=False&query_camera=10").query} == {10}
    with pytest.raises(ValueError, match=r"persons\?train is '1', expected true or false"):
        datasets.load(f"{ready['persons']}?train=1")
    layouts.write_svreid(tmp_path / "what?")
    assert datasets.load(f"svreid:{tmp_path / 'what?'}").name == "svreid"


def test_counts_are_checked_unless_told_not_to(ready, tmp_path):
    layouts.write_marker(tmp_path / "il", name="standin-ilids", counts={"persons": 300})
    with pytest.raises(ValueError, match="has 6 persons, expected 300"):
        datasets.load(ready["ilids_vid"])
    assert datasets.load(ready["ilids_vid"], check=False).expected == {"persons": 300}
