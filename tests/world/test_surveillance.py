"""Recordings of a whole place: frames, tracks, calibration; repeatable, resumed, refused."""

import configparser
import hashlib
import importlib.util
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from s2reid.world import coco, folder, movie, surveillance

ASKED = {"seed": 0, "minutes": 0.01, "cameras": 2, "walkers": 4, "rate": 5}


def digest(root: Path) -> dict[str, str]:
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(autouse=True)
def short_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surveillance, "CHUNK", 2)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    surveillance.CHUNK, usual = 2, surveillance.CHUNK
    root = surveillance.record(surveillance.recording(**ASKED), tmp_path_factory.mktemp("v") / "v", workers=1)
    surveillance.CHUNK = usual
    return root


def test_a_recording_has_the_layout_of_mot(recorded: Path) -> None:
    assert {path.name for path in recorded.iterdir()} == {
        "camera1",
        "camera2",
        "calibration.json",
        "persons.json",
        "truth.json",
        "world.json",
    }
    for camera in ("camera1", "camera2"):
        names = sorted(path.name for path in (recorded / camera / "img1").iterdir())
        assert names == ["000001.jpg", "000002.jpg", "000003.jpg"]
        about = configparser.ConfigParser()
        about.optionxform = str
        about.read(recorded / camera / "seqinfo.ini")
        image = cv2.imread(str(recorded / camera / "img1" / names[0]))
        assert dict(about["Sequence"]) == {
            "name": camera,
            "imDir": "img1",
            "frameRate": "5",
            "seqLength": "3",
            "imWidth": str(image.shape[1]),
            "imHeight": str(image.shape[0]),
            "imExt": ".jpg",
        }
        assert image.std() > 10


def test_tracks_are_where_the_calibration_puts_people(recorded: Path) -> None:
    asked = surveillance.recording(**ASKED)
    calibration = json.loads((recorded / "calibration.json").read_text())
    checked, shared = 0, []
    for camera, known in zip(("camera1", "camera2"), calibration):
        rows = np.loadtxt(recorded / camera / "gt" / "gt.txt", delimiter=",", ndmin=2)
        assert rows.shape[1] == 9
        assert set(rows[:, 1]) <= set(range(1, 5))
        assert (rows[:, 6:8] == 1).all()
        assert ((rows[:, 8] >= 0) & (rows[:, 8] <= 1)).all()
        assert (np.diff(rows[:, 0]) >= 0).all()
        shared.append(set(rows[:, 1]))
        for frame, person, left, top, width, height, *_ in rows:
            walker = asked.crowd()[int(person) - 1]
            x, y, _ = walker.walk.at((frame - 1) / 5)
            u, v, w = np.array(known["matrix"]) @ [x, y, 0.9 * walker.figure.leg, 1]
            assert left < u / w < left + width
            assert top < v / w < top + height
            checked += 1
    assert checked >= 12
    assert shared[0] & shared[1]  # the same numbers before both


def test_truth_and_tracks_agree(recorded: Path) -> None:
    found = json.loads((recorded / coco.TRUTH).read_text())
    assert len(found["images"]) == 6
    images = {image["id"]: image for image in found["images"]}
    rows = {
        (camera + 1, int(row[0]), int(row[1])): row
        for camera in range(2)
        for row in np.loadtxt(recorded / f"camera{camera + 1}" / "gt" / "gt.txt", delimiter=",", ndmin=2)
    }
    for seen in found["annotations"]:
        image = images[seen["image_id"]]
        row = rows[image["camera"], image["frame"], seen["person"]]
        np.testing.assert_allclose(row[2:6], seen["whole_box"], atol=0.06)
        assert seen["area"] > 0
        assert (recorded / image["file_name"]).is_file()
    assert len(found["annotations"]) == sum(row[8] > 0 for row in rows.values()) >= 10
    persons = json.loads((recorded / "persons.json").read_text())
    assert [person["person"] for person in persons] == [1, 2, 3, 4]
    assert all(person["attributes"]["height"] > 1 for person in persons)


def test_a_recording_goes_on_where_it_stopped(recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, root, calls, real = surveillance.recording(**ASKED), tmp_path / "v", [], coco.write_part

    def stop(path: Path, content: list) -> None:
        if len(calls) == 2:
            raise KeyboardInterrupt
        calls.append(path)
        real(path, content)

    monkeypatch.setattr(coco, "write_part", stop)
    with pytest.raises(KeyboardInterrupt):
        surveillance.record(asked, root, workers=1)
    monkeypatch.setattr(coco, "write_part", real)
    assert folder.read_marker(root)["finished"] is False
    (root / "camera1" / "img1" / "000002.jpg").write_bytes(b"")
    said: list[tuple[int, int]] = []
    surveillance.record(asked, root, workers=1, progress=lambda done, total: said.append((done, total)))
    assert said == [(4, 6), (5, 6), (6, 6)]
    assert digest(root) == digest(recorded)


def test_a_finished_recording_is_left_alone_and_another_is_refused(recorded: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in recorded.rglob("*")}
    assert surveillance.record(surveillance.recording(**ASKED), recorded) == recorded
    assert {path: path.stat().st_mtime_ns for path in recorded.rglob("*")} == before
    with pytest.raises(ValueError, match="holds a world with walkers 4, asked for 5"):
        surveillance.record(surveillance.recording(**{**ASKED, "walkers": 5}), recorded)


def test_a_contact_sheet_needs_tracklets(recorded: Path, tmp_path: Path) -> None:
    from s2reid.world import write

    with pytest.raises(ValueError, match="holds surveillance: a contact sheet shows the tracklets of a preset"):
        write.contact_sheet(recorded, tmp_path / "s.png")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"minutes": 0.0}, "more than 0 and at most 1440 minutes, asked for 0.0"),
        ({"minutes": float("nan")}, "more than 0 and at most 1440 minutes, asked for nan"),
        ({"cameras": 0}, "1 to 12 for cameras, asked for 0"),
        ({"walkers": 61}, "1 to 60 for walkers, asked for 61"),
        ({"rate": 0}, "1 to 60 for rate, asked for 0"),
        ({"seed": -1}, "seed is 0 or more, found -1"),
    ],
)
def test_recordings_that_cannot_be(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        surveillance.recording(**{**ASKED, **changes})


def test_nothing_starts_without_room_or_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = surveillance.recording(**ASKED)
    with pytest.raises(ValueError, match="at least 1 worker, found 0"):
        surveillance.record(asked, tmp_path / "v", workers=0)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage._replace(free=10_000))
    with pytest.raises(ValueError, match="needs about 2 MB, its disk has 0 MB free"):
        surveillance.record(asked, tmp_path / "v", workers=1)
    assert not (tmp_path / "v").exists()
    assert str(asked).startswith("2 cameras, 3 frames each, 4 walkers, about 2 MB")


def test_without_pyav_a_video_file_is_refused_before_rendering(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"needs PyAV: pip install 's2reid\[av\]', or leave --mp4 out"):
        surveillance.record(surveillance.recording(**ASKED), tmp_path / "v", mp4=True, workers=1)
    assert not (tmp_path / "v").exists()


def test_video_files_are_added_to_a_finished_recording(recorded: Path, tmp_path: Path) -> None:
    av = pytest.importorskip("av", reason="PyAV is not installed")
    movie.check()
    root = tmp_path / "v"
    shutil.copytree(recorded, root)
    surveillance.record(surveillance.recording(**ASKED), root, mp4=True)
    for camera in ("camera1", "camera2"):
        with av.open(str(root / f"{camera}.mp4")) as container:
            frames = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
        stored = cv2.imread(str(root / camera / "img1" / "000002.jpg"))
        assert len(frames) == 3
        assert np.abs(frames[1].astype(int) - stored).mean() < 8
