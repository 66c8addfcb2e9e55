"""`s2reid data`: what a user types, in a process of its own."""

import json
import re

import pytest
from tests import tiny

from s2reid import datasets


@pytest.fixture
def source(tmp_path):
    return tiny.write_source(tmp_path / "source", persons=2, cameras=2)


def data(*arguments, cwd):
    done = tiny.program("data", *arguments, cwd=cwd)
    assert "Traceback" not in done.stdout + done.stderr
    return done


def complaint(done):
    """Return the one line that stderr ends with."""
    assert done.returncode == 2
    lines = [line for line in done.stderr.splitlines() if line.startswith("s2reid: ")]
    assert len(lines) == 1
    return lines[0]


def test_check_says_that_all_is_well(source, tmp_path):
    done = data("check", f"svreid:{source}", "--deep", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith(f"tiny-source at {source}, protocol cross_camera\n")
    assert re.search(r"^tracklets +4 +4 ✓ *$", done.stdout, re.MULTILINE)
    assert "frames: 12 files looked for, 12 decoded\n" in done.stdout
    assert done.stdout.endswith("no problem found\n")
    assert "24/24" in done.stderr  # the bar


def test_check_says_what_is_wrong(source, tmp_path):
    with open(source / "train_svreid.txt", "a") as file:
        file.write("1/0/9 1 0\n")
    tiny.write_frames(source / "1/0/9", ["1.jpg"], 1, 9)
    (source / "0/0/0/1.jpg").write_bytes(b"no picture")
    done = data("check", f"svreid:{source}", "--deep", cwd=tmp_path)
    assert done.returncode == 1
    assert "problem: whole has 5 tracklets, expected 4\n" in done.stdout
    assert "problem: frames unreadable: 1, such as the frame " in done.stdout
    assert done.stdout.endswith("problems: 2\n")
    assert not [line for line in done.stderr.splitlines() if line.startswith("s2reid: ")]


def test_check_as_json(source, tmp_path):
    done = data("check", f"svreid:{source}", "--json", cwd=tmp_path)
    assert done.returncode == 0
    found = json.loads(done.stdout)
    assert (found["as_expected"], found["parts"]["train"]["tracklets"], found["frames"]["files"]) == (True, 4, 12)
    (source / "world.json").write_text(json.dumps({"name": "tiny-source", "counts": {"persons": 3}}))
    done = data("check", f"svreid:{source}", "--json", cwd=tmp_path)
    assert done.returncode == 1
    assert json.loads(done.stdout)["differences"] == [{"part": "whole", "kind": "persons", "found": 2, "expected": 3}]


def test_check_cannot_read_it(tmp_path):
    assert "s2reid: nowhere does not exist" in complaint(data("check", "svreid:nowhere", cwd=tmp_path))


def test_convert_then_load(source, tmp_path):
    done = data("convert", f"svreid:{source}", source / "m.csv", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"wrote {source}/m.csv: 12 frames; csv:{source}/m.csv reads it\n")
    read = datasets.load(f"csv:{source}/m.csv")
    assert (read.name, len(read.train)) == ("tiny-source", 4)
    again = data("convert", f"svreid:{source}", source / "m.csv", cwd=tmp_path)
    assert "m.csv is there already" in complaint(again)


def test_pack_then_load(source, tmp_path):
    done = data("pack", f"svreid:{source}", "packed", "--shard-mib", "1", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "wrote packed: 1 shards; shards:packed reads it\n")
    done = data("check", "shards:packed", "--deep", cwd=tmp_path)
    assert done.stdout.startswith("tiny-source at packed, protocol cross_camera\n")
    assert done.stdout.endswith("no problem found\n")
    again = data("pack", f"svreid:{source}", "packed", cwd=tmp_path)
    assert "packed is packed already: remove it" in complaint(again)


def test_get(tmp_path):
    done = data("get", "prid2011", cwd=tmp_path)
    assert done.returncode == 0
    assert "www.tugraz.at" in done.stdout
    assert "no dataset named 'prid2012'" in complaint(data("get", "prid2012", cwd=tmp_path))
    assert {path.name for path in tmp_path.iterdir()} == set()  # nothing was fetched


def test_convert_says_which_protocol_the_data_has(tmp_path):
    root = tiny.write_target(tmp_path / "target")
    done = data("convert", f"ilids_vid:{root}", root / "m.csv", cwd=tmp_path)
    assert done.stdout.endswith("a manifest names no protocol: evaluate it with --protocol ilids_vid\n")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("preset", "layout"),
    [("mars", "mars"), ("ilids", "ilids_vid"), ("prid", "prid2011"), ("ccvid", "ccvid")],
)
def test_a_rendered_stand_in_is_all_that_it_promises(preset, layout, tmp_path):
    from s2reid.world import write

    root = write.write(f"standin-{preset}", tmp_path / preset, size="tiny", workers=1)
    done = data("check", f"{layout}:{root}", "--deep", "--json", cwd=tmp_path)
    found = json.loads(done.stdout)
    assert (done.returncode, found["problems"], found["name"]) == (0, [], f"standin-{preset}")
    assert found["expected"]["whole"]["tracklets"] == found["parts"]["whole"]["tracklets"] > 10
    assert found["frames"]["decoded"] == found["parts"]["whole"]["images"]
    assert sum(found["without_match"].values()) == 0
