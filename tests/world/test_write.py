"""Worlds on disk: whole, repeatable, resumed, and refused with a clear line."""

import errno
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import cv2
import numpy as np
import pytest
import scipy.io

from s2reid.world import coco, pool, presets, write

SMALL = {"persons": 4, "frames": 2, "height": 32}


def digest(root: Path) -> dict[str, str]:
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write.write("svreid", tmp_path_factory.mktemp("world") / "svreid", **SMALL, workers=1)


def test_the_svreid_layout(rendered: Path) -> None:
    lines = (rendered / "train_svreid.txt").read_text().splitlines()
    assert len(lines) == 14
    assert lines == (rendered / "train_svreid_cc.txt").read_text().splitlines()
    for line in lines:
        path, person, outfit = line.split()
        assert int(path.split("/")[0]) == int(person)
        assert outfit == "0"
        frames = sorted(frame.name for frame in (rendered / path).iterdir())
        assert frames == ["0000.jpg", "0001.jpg"]
        assert cv2.imread(str(rendered / path / frames[0])).shape == (32, 16, 3)
        assert 0 <= int(path.split("/")[-1]) < 10
    assert (rendered / "query.txt").read_text() == (rendered / "gallery.txt").read_text() == ""
    assert not (rendered / write.PARTIAL).exists()


def test_the_marker_says_what_it_is(rendered: Path) -> None:
    marker = write.read_marker(rendered)
    assert marker["name"] == marker["preset"] == "svreid"
    assert marker["finished"] is True
    assert {name: marker[name] for name in ("seed", *SMALL)} == {"seed": 0, **SMALL}
    assert marker["version"] == write.VERSION
    assert marker["preset_version"] == presets.find("svreid").version
    folders = {path.parent for path in rendered.rglob("*.jpg")}
    cameras = {folder.name for folder in folders}
    counts = {"persons": 4, "tracklets": 14, "images": 28, "cameras": len(cameras), "outfits": 4}
    lists = dict.fromkeys(("svreid", "svreid_cc", "svreid_plus"), counts)
    assert marker["counts"] == {**counts, **lists}
    assert "without" not in marker
    assert len(folders) == 14


def test_the_ilids_layout(tmp_path: Path) -> None:
    root = write.write("standin-ilids", tmp_path / "t", persons=17, frames=1, height=32, workers=1)
    for camera in ("cam1", "cam2"):
        persons = sorted(path.name for path in (root / "i-LIDS-VID" / "sequences" / camera).iterdir())
        assert len(persons) == 17
        assert persons[:15] == [f"person{k:03d}" for k in range(1, 16)]
        assert persons[15:] == ["person017", "person018"]  # numbers have gaps, as the real ones
    frame = root / "i-LIDS-VID/sequences/cam2/person017/cam2_person017_00001.png"
    assert cv2.imread(str(frame)).shape == (32, 16, 3)
    splits = scipy.io.loadmat(root / "train-test people splits" / "train_test_splits_ilidsvid.mat")["ls_set"]
    assert splits.shape == (10, 17)
    np.testing.assert_array_equal(np.sort(splits, axis=1), np.tile(np.arange(1, 18), (10, 1)))
    assert len({tuple(row) for row in splits}) == 10
    assert write.read_marker(root)["name"] == "standin-ilids"


def test_files_do_not_depend_on_the_number_of_workers(rendered: Path, tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    other = write.write(
        "svreid", tmp_path / "w", **SMALL, workers=2, progress=lambda done, total: calls.append((done, total))
    )
    assert digest(other) == digest(rendered)
    assert len(digest(other)) == 28 + 6
    assert calls[-1] == (28, 28)
    assert len(calls) == 4
    assert calls == sorted(calls)


def test_what_is_missing_is_rendered_again(rendered: Path, tmp_path: Path) -> None:
    root = tmp_path / "w"
    shutil.copytree(rendered, root)
    lines = (root / "train_svreid.txt").read_text().splitlines()
    shutil.rmtree(root / lines[3].split()[0])
    kept = root / lines[0].split()[0] / "0000.jpg"
    (root / write.PARTIAL / "left").mkdir(parents=True)
    (root / write.PARTIAL / "left" / "0000.jpg").write_bytes(b"half")
    marker = json.loads((root / write.MARKER).read_text())
    (root / write.MARKER).write_text(json.dumps(marker | {"finished": False}))
    (root / "train_svreid.txt").unlink()
    before = kept.stat().st_mtime_ns
    write.write("svreid", root, **SMALL, workers=1)
    assert digest(root) == digest(rendered)
    assert kept.stat().st_mtime_ns == before


def test_a_finished_world_is_left_alone(rendered: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in rendered.rglob("*")}
    assert write.write("svreid", rendered, **SMALL) == rendered
    assert {path: path.stat().st_mtime_ns for path in rendered.rglob("*")} == before


@pytest.mark.slow
@pytest.mark.parametrize("kill", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_run_leaves_whole_tracklets_no_workers_and_resumes(tmp_path: Path, kill: signal.Signals) -> None:
    code = (
        "from s2reid.world import write\n"
        "if __name__ == '__main__':\n"
        f"    write.write('svreid', {str(tmp_path / 'w')!r}, persons=60, frames=4, height=32, workers=2)\n"
    )
    script = tmp_path / "run.py"
    script.write_text(code)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        [sys.executable, str(script)],
        env=environment,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        # A job in the background of a script inherits an ignored SIGINT; a person at a terminal does not.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    while len(list(tmp_path.glob("w/[0-9]*/*/*"))) < 5 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(kill)
    process.wait(30)
    time.sleep(1.0)
    # What has ended but nobody waited for (state Z) is no worker any more.
    states = subprocess.run(
        ["ps", "-o", "stat=", "-s", str(process.pid)], capture_output=True, text=True
    ).stdout.split()
    assert [state for state in states if not state.startswith("Z")] == []
    folders = [path for path in tmp_path.glob("w/[0-9]*/*/*") if path.is_dir()]
    assert len(folders) >= 5
    assert all(len(list(folder.iterdir())) == 4 for folder in folders)
    assert write.read_marker(tmp_path / "w")["finished"] is False
    root = write.write("svreid", tmp_path / "w", persons=60, frames=4, height=32, workers=1)
    assert len([path for path in root.glob("[0-9]*/*/*") if path.is_dir()]) == 210
    assert write.read_marker(root)["finished"] is True


def refuse(message: str, out: Path, **changes: object) -> None:
    with pytest.raises(ValueError, match=message):
        write.write(**({"preset": "svreid", "out": out, "workers": 1} | SMALL | changes))


def test_other_folders_are_refused(rendered: Path, tmp_path: Path) -> None:
    refuse("holds a world with seed 0, asked for 1", rendered, seed=1)
    refuse("holds a world with frames 2, asked for 3", rendered, frames=3)
    refuse(r"holds a world with without \[\], asked for \['crowd'\]", rendered, without=("crowd",))
    refuse("holds a world with preset 'svreid', asked for 'svreid-large'", rendered, preset="svreid-large")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "me.jpg").write_bytes(b"1")
    refuse("has no world.json: it is not a world", tmp_path / "photos")
    refuse("is a file: name a folder", tmp_path / "photos" / "me.jpg")
    assert (tmp_path / "photos" / "me.jpg").read_bytes() == b"1"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"name": "svreid"}'])
def test_a_damaged_marker_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / write.MARKER).write_text(text)
    refuse("world.json is damaged: delete the folder", tmp_path)


def test_impossible_requests_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    out = tmp_path / "w"
    refuse("at least 1 worker, found 0", out, workers=0)
    refuse("at least 2 for persons, found 0", out, persons=0)
    refuse("at least 1 for frames, found 0", out, frames=0)
    refuse("at most 9,999 for frames, found 10,000: ask for less", out, frames=10_000)
    refuse("at most 1,000,000 for persons, found 1,000,001", out, persons=1_000_001)
    refuse("at most 2,160 for height, found 4,096", out, height=4096)
    refuse("no ingredient named 'crowds': .*did you mean 'crowd'", out, without=("crowds",))
    refuse("standin-ilids is a target and keeps its ingredients", out, preset="standin-ilids", without=("crowd",))
    refuse("svreid-full cannot be planned with 2 persons: ask for at least 3", out, preset="svreid-full", persons=2)
    refuse("at least 16 for height, found 15", out, height=15)
    refuse("seed is 0 or more, found -1", out, seed=-1)
    refuse("no world preset named 'gta'", out, preset="gta")
    assert not out.exists()


def test_a_disk_without_room_is_refused_before_starting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage._replace(free=10_000))
    refuse(r"needs about .* MB, its disk has 0 MB free: free some room", tmp_path / "w")
    assert not (tmp_path / "w").exists()


def test_a_disk_that_fills_up_leaves_no_half_tracklet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, written = Path.write_bytes, []

    def full(path: Path, content: bytes) -> int:
        if path.suffix == ".jpg":
            written.append(path)
            if len(written) > 7:
                raise OSError(errno.ENOSPC, "No space left on device")
        return real(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match=r"the disk is full: .* run the same again to resume"):
        write.write("svreid", tmp_path / "w", **SMALL, workers=1)
    monkeypatch.undo()
    folders = {path.parent for path in (tmp_path / "w").rglob("*.jpg")}
    assert len(folders) == 3
    assert all(len(list(folder.iterdir())) == 2 for folder in folders)
    assert write.read_marker(tmp_path / "w")["finished"] is False


def test_a_worker_that_dies_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(ProcessPoolExecutor):
        def submit(self, *task: object, **names: object) -> Future[int]:
            future: Future[int] = Future()
            future.set_exception(BrokenProcessPool("a process was killed"))
            return future

    monkeypatch.setattr(pool, "ProcessPoolExecutor", Broken)
    with pytest.raises(ChildProcessError, match=r"ended by itself, .* stays unfinished: run the same again to resume"):
        write.write("svreid", tmp_path / "w", **SMALL, workers=2)
    assert write.read_marker(tmp_path / "w")["finished"] is False


def test_an_estimate_is_near_what_is_written(rendered: Path) -> None:
    asked = write.estimate("svreid", **SMALL)
    assert (asked.persons, asked.tracklets, asked.images) == (4, 14, 28)
    size = sum(path.stat().st_size for path in rendered.rglob("*.jpg"))
    assert size < asked.bytes < 3 * size
    assert str(asked).startswith("4 persons, 14 tracklets, 28 images, about")


def test_a_contact_sheet_shows_persons_by_tracklets(rendered: Path, tmp_path: Path) -> None:
    path = write.contact_sheet(rendered, tmp_path / "pages" / "sheet.png", persons=3, columns=10)
    sheet = cv2.imread(str(path))
    most = max(
        sum(line.split()[1] == str(person) for line in (rendered / "train_svreid.txt").open()) for person in range(3)
    )
    across = 10 // most  # persons beside each other, six pixels apart
    assert sheet.shape == (-(-3 // across) * 34, across * (most * 18 + 6) - 6, 3)
    assert sheet.std() > 20
    with pytest.raises(ValueError, match=r"has no world\.json"):
        write.contact_sheet(tmp_path, tmp_path / "sheet.png")


def test_a_contact_sheet_of_a_world_that_is_not_whole_says_so(rendered: Path, tmp_path: Path) -> None:
    root = tmp_path / "w"
    shutil.copytree(rendered, root)
    shutil.rmtree(root / "0000")
    with pytest.raises(ValueError, match=r"is missing: the world in .* is not whole"):
        write.contact_sheet(root, tmp_path / "sheet.png")


def test_frames_that_lost_their_content_are_rendered_again(rendered: Path, tmp_path: Path) -> None:
    root = tmp_path / "w"
    shutil.copytree(rendered, root)
    marker = json.loads((root / write.MARKER).read_text())
    (root / write.MARKER).write_text(json.dumps(marker | {"finished": False}))
    next(root.glob("0001/00/*/0000.jpg")).write_bytes(b"")
    (next(root.glob("0002/00/*")) / "0001.jpg").unlink()
    write.write("svreid", root, **SMALL, workers=1)
    assert digest(root) == digest(rendered)


def test_a_world_without_an_ingredient_says_so(tmp_path: Path) -> None:
    root = write.write("svreid", tmp_path / "w", persons=2, frames=1, height=16, without=("props", "crowd"), workers=1)
    marker = write.read_marker(root)
    assert marker["name"] == "svreid without crowd, props"
    assert marker["without"] == ["crowd", "props"]
    again = {"persons": 2, "frames": 1, "height": 16, "without": ("crowd", "props")}
    assert write.write("svreid", root, **again) == root
    assert write.contact_sheet(root, tmp_path / "s.png").is_file()


# Truth


@pytest.fixture(scope="module")
def true(rendered: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("truth") / "svreid"
    return write.write("svreid", root, **SMALL, truth=True, workers=1)


def test_truth_is_beside_the_same_images(rendered: Path, true: Path) -> None:
    assert {name: code for name, code in digest(true).items() if name != coco.TRUTH} == digest(rendered)
    assert not (true / coco.PARTS).exists()
    found = json.loads((true / coco.TRUTH).read_text())
    assert [image["id"] for image in found["images"]] == list(range(1, 29))
    assert {image["file_name"] for image in found["images"]} == {
        path.relative_to(true).as_posix() for path in true.rglob("*.jpg")
    }
    assert [seen["id"] for seen in found["annotations"]] == list(range(1, len(found["annotations"]) + 1))
    assert 20 <= len(found["annotations"]) <= 28
    images = {image["id"]: image for image in found["images"]}
    for seen in found["annotations"]:
        assert images[seen["image_id"]]["person"] == seen["person"]
        assert seen["attributes"]["height"] > 1
        assert seen["category_id"] == found["categories"][0]["id"]


def test_a_finished_world_gets_its_truth_later(rendered: Path, true: Path, tmp_path: Path) -> None:
    root = tmp_path / "w"
    shutil.copytree(rendered, root)
    write.write("svreid", root, **SMALL, truth=True, workers=1)
    assert digest(root) == digest(true)
    (root / write.MARKER).write_text(json.dumps(write.read_marker(root) | {"finished": False}))
    write.write("svreid", root, **SMALL, workers=1)
    assert (root / coco.TRUTH).is_file()


def test_truth_resumes_by_tracklet_and_a_damaged_part_is_made_again(
    true: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, real, written = tmp_path / "w", coco.write_part, []

    def stop(path: Path, content: list) -> None:
        if len(written) == 5:
            raise KeyboardInterrupt
        written.append(path)
        real(path, content)

    monkeypatch.setattr(coco, "write_part", stop)
    with pytest.raises(KeyboardInterrupt):
        write.write("svreid", root, **SMALL, truth=True, workers=1)
    monkeypatch.undo()
    assert len([*(root / coco.PARTS).glob("*.json")]) == 5
    written[2].write_text("{")
    with pytest.raises(ValueError, match=r"2.json is damaged .* and now removed: run the same again"):
        write.write("svreid", root, **SMALL, truth=True, workers=1)
    write.write("svreid", root, **SMALL, truth=True, workers=1)
    assert digest(root) == digest(true)


def test_truth_costs_room_and_time() -> None:
    plain, more = (write.estimate("svreid", **SMALL, truth=truth) for truth in (False, True))
    assert more.bytes - plain.bytes == 28 * 8000
    assert more.seconds > plain.seconds
