"""What the doctor says of a machine."""

import json

import pytest

from s2reid import doctor


@pytest.fixture
def data_root(tmp_path, monkeypatch):
    (tmp_path / "iLIDS-VID").mkdir()
    monkeypatch.setenv("S2REID_DATA", str(tmp_path))
    return tmp_path


def test_everything_is_said_and_goes_through_json(data_root):
    found = json.loads(json.dumps(doctor.examine()))
    assert found["data_root"] == str(data_root)
    assert found["datasets"]["ilids_vid"] == str(data_root / "iLIDS-VID")
    assert found["datasets"]["svreid"] is None
    assert found["datasets"].keys() == {"ccvid", "ilids_vid", "ls_vid", "mars", "prid2011", "svreid"}
    assert all(found["installed"].values())
    assert found["precision"] in ("float32", "bf16")
    assert found["threads"] >= 1


def test_the_text_says_the_same(data_root):
    text = doctor.as_text(doctor.examine())
    assert f"ilids_vid  {data_root / 'iLIDS-VID'}" in text
    assert "svreid     not found; name its place as svreid:PATH, or see `s2reid data get svreid`" in text
    assert f"data root  {data_root} (set S2REID_DATA to move it)" in text


@pytest.mark.parametrize("folder", ["CCVID", "ccvid", "cc-vid"])
def test_a_dataset_is_found_where_loading_looks(data_root, folder):
    (data_root / folder).mkdir()
    assert doctor.examine()["datasets"]["ccvid"] == str(data_root / folder)
    (data_root / "cc_vid").mkdir()
    expected = str(data_root / "ccvid") if folder == "ccvid" else None  # else either could be meant
    assert doctor.examine()["datasets"]["ccvid"] == expected


def test_problems(data_root, monkeypatch):
    monkeypatch.setattr(doctor, "NEEDED", ("numpy", "no-such-package"))
    monkeypatch.setattr(doctor, "EXTRAS", {"no-such-extra": ("no-such-package", "nothing")})
    monkeypatch.setattr(doctor, "_version", lambda name: "1" if name == "numpy" else None)
    monkeypatch.setattr(doctor, "LEAST_FREE", 1e30)
    found = doctor.examine()
    assert found["problems"][0] == "no-such-package is missing: pip install no-such-package"
    assert found["problems"][1].startswith("only ")
    assert (found["device"], found["threads"]) == ("none", 0)  # torch is missing too, and that is no crash
    text = doctor.as_text(found)
    assert "extra      no-such-extra is not installed: pip install 's2reid[no-such-extra]' for nothing" in text
    assert "problem    no-such-package is missing" in text


def test_a_healthy_machine(data_root, monkeypatch):
    monkeypatch.setattr(doctor, "LEAST_FREE", 0)
    assert doctor.as_text(doctor.examine()).endswith("no problem found; try: s2reid demo")
