"""The command line: what a user types, and what a user sees when it is wrong."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console
from scipy.io import savemat
from tests import tiny

from s2reid import cli, lookup, progress
from s2reid.train import CHECKPOINT

pytestmark = pytest.mark.usefixtures("tiny_scale")


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """Run `s2reid` in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("S2REID_DATA", raising=False)
    monkeypatch.delenv("S2REID_DEBUG", raising=False)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["s2reid", *map(str, arguments)])
        try:
            cli.main()
            code = 0
        except SystemExit as stop:
            code = stop.code or 0
        out, err = capsys.readouterr()
        return SimpleNamespace(code=code, out=out, err=err)

    return run


def complaint(done, code=2):
    """Check that stderr holds progress and exactly one line more, and return that line."""
    assert "Traceback" not in done.out + done.err
    lines = [line for line in done.err.splitlines() if line.strip() and not re.search("[━╸╺]|images/s", line)]
    assert len(lines) == 1, done.err
    assert lines[0].startswith("s2reid: ")
    assert done.code == code
    return lines[0]


def training(source, *more):
    return "train", "--source", f"svreid:{source}", "--scale", "tiny", "--steps", 2, "--workers", 0, *more


@pytest.fixture
def model(run, source_root, tmp_path):
    assert run(*training(source_root)).code == 0
    return next((tmp_path / "runs").iterdir()) / "model"


def test_from_training_to_a_page(run, model, source_root, target_root, tmp_path):
    data = f"ilids_vid:{target_root}"
    assert {path.name for path in model.iterdir()} == {"model.json", "weights.safetensors"}

    (row,) = json.loads(run("evaluate", model, data, "--json").out)["rows"]
    assert (row["method"], row["target"], row["num_valid"], row["num_queries"]) == ("source_only", "standin-tiny", 4, 4)
    assert 0 < row["mean_ap"] <= 1
    table = run("evaluate", model, data)
    assert "standin-tiny" in table.out
    assert f"{100 * row['mean_ap']:.1f}" in table.out

    done = run("embed", model, data, "--out", "x.npz")
    assert done.out == "wrote x.npz: 16 vectors of 64 numbers\n"
    with np.load("x.npz") as columns:
        np.testing.assert_allclose(np.linalg.norm(columns["vectors"], axis=1), 1, atol=1e-5)
    assert "4 vectors" in run("embed", model, data, "--out", "q.npz", "--part", "query").out

    found = run("search", model, data, data, "--top", 2, "--out", "found.html")
    assert found.code == 0
    assert "wrote found.html" in found.out
    assert (tmp_path / "found.html").read_text("utf-8").lstrip().lower().startswith("<!doctype html>")
    folder = target_root / "i-LIDS-VID" / "sequences" / "cam1" / "person001"
    assert "similarity" in run("search", model, folder, data).out

    adapted = run(*training(source_root, "--method", "target_bn", "--target", data, "--init", model))
    assert adapted.code == 0, adapted.err
    assert len(list((tmp_path / "runs").iterdir())) == 2


def test_a_search_for_programs_and_names_with_brackets(run, tmp_path):
    for camera in ("[lobby]", "[bold]"):
        tiny.write_frames(tmp_path / "my cameras" / camera / "7", ["1.jpg", "2.jpg"], 1, 1)
    done = run("search", "s2reid-small", f"cameras:{tmp_path}/my cameras", f"cameras:{tmp_path}/my cameras", "--top", 1)
    assert done.code == 0, done.err
    assert "[lobby]/7" in done.out
    assert "[bold]/7" in done.out
    said = json.loads(
        run("search", "s2reid-small", tmp_path / "my cameras/[bold]/7", f"cameras:{tmp_path}/my cameras", "--json").out
    )
    (found,) = said["searches"]
    assert [hit["rank"] for hit in found["hits"]] == [1, 2]
    assert found["hits"][0]["similarity"] == pytest.approx(1, abs=1e-4)
    assert found["hits"][0]["frames"][0].endswith("/7/1.jpg")
    assert found["hits"][0]["is_match"] is None


@pytest.mark.parametrize("verb", ["embed", "search"])
def test_a_place_that_cannot_be_written_is_found_before_the_work(verb, run, tmp_path, monkeypatch):
    monkeypatch.setattr("s2reid.embed.load_model", None)
    (tmp_path / "file").touch()
    words = {"embed": ("m", "cameras:c"), "search": ("m", "q", "cameras:c")}[verb]
    for place, message in (("file/x", r"cannot write file/x"), (".", r"cannot write .*: it is a folder; name a file")):
        done = run(verb, *words, "--out", place)
        assert done.code == 2
        assert re.search(message, done.err), done.err


def test_a_model_fitted_to_cameras(run, model, source_root, target_root):
    data = f"ilids_vid:{target_root}"
    done = run("calibrate", model, data, "--out", "fitted")
    assert (done.code, done.out) == (0, "model fitted: centred by the 2 cameras of standin-tiny: 1, 2\n")
    plain, fitted = (run("evaluate", where, data, "--json").out for where in (model, "fitted"))
    assert "centred by the cameras of standin-tiny" in json.loads(fitted)["test"]
    assert json.loads(plain)["rows"][0]["num_valid"] == json.loads(fitted)["rows"][0]["num_valid"]
    folder = target_root / "i-LIDS-VID" / "sequences" / "cam1" / "person001"
    lists = [run("search", "fitted", folder, data, "--camera", camera).out for camera in (1, 2)]
    assert lists[0] != lists[1]

    (Path.cwd() / "mine").mkdir()
    refused = run("calibrate", model, data, "--out", "mine")
    said = "s2reid: mine is there already and is no calibrated model: name a new folder"
    assert (refused.code, refused.err.splitlines()[-1]) == (2, said)
    refused = run("calibrate", "nothing", data, "--out", "new")
    assert refused.code == 2
    assert "nothing is no model: found nothing" in refused.err


@pytest.fixture
def ten_splits(tmp_path):
    root = tiny.write_target(tmp_path / "ten")
    rng = np.random.default_rng(0)
    table = np.array([rng.permutation(8) + 1.0 for _ in range(10)])
    savemat(root / "train-test people splits" / "train_test_splits_ilidsvid.mat", {"ls_set": table})
    return f"ilids_vid:{root}"


def test_all_splits(run, model, ten_splits, source_root, monkeypatch):
    monkeypatch.setattr(progress, "console", Console(width=200))
    said = json.loads(run("evaluate", model, ten_splits, "--split", "all", "--json").out)
    assert set(said) == {"protocol", "test", "rows"}
    assert (said["protocol"], [row["split"] for row in said["rows"]]) == ("ilids_vid", [*range(10), "all"])
    *each, mean = said["rows"]
    assert mean["mean_ap"] == pytest.approx(sum(row["mean_ap"] for row in each) / 10)
    table = run("evaluate", model, ten_splits, "--split", "all").out
    assert "standin-tiny, split 9" in table
    mean_line, spread_line = table.splitlines()[-3:-1]
    assert "standin-tiny, mean of 10 splits" in mean_line
    assert mean_line.split()[-1] == "40/40"
    assert spread_line.split()[:3] == ["±", "between", "splits"]
    for name, value, deviation in zip(
        ("rank1", "rank5", "rank10", "mean_ap"), mean_line.split()[6:], spread_line.split()[3:]
    ):
        assert (value, deviation) == (f"{100 * mean[name]:.1f}", f"{100 * mean['sd'][name]:.1f}")
    (third,) = json.loads(run("evaluate", model, ten_splits, "--split", "3", "--json").out)["rows"]
    assert third == each[3]
    assert run("evaluate", model, f"{ten_splits}?split=3", "--json").out.count('"split": 3') == 1
    assert run("report", "runs").code == 0

    adapted = run(*training(source_root, "--method", "target_bn", "--target", f"{ten_splits}?split=2", "--init", model))
    folder = re.search(r"model (\S+)", adapted.out)[1]
    assert "adapted to split 2 of standin-tiny, which holds persons that split 0 tests: only --split 2 is clean" in (
        complaint(run("evaluate", folder, ten_splits, "--split", "all"))
    )
    assert run("evaluate", folder, ten_splits, "--split", "2").code == 0


def test_how_it_was_tested_is_printed(run, model, target_root):
    data = f"ilids_vid:{target_root}"
    assert "protocol ilids_vid; all frames, flip-averaged in clips of 2, " in run("evaluate", model, data).out
    quick = run(
        "evaluate",
        model,
        data,
        "--frames",
        "begin",
        "--protocol",
        "mars-official",
        "--rerank",
        "--k1",
        "3",
        "--k2",
        "2",
    )
    assert "protocol mars_official; restricted-begin frames, flip-averaged in clips of 2, " in quick.out
    assert "; re-ranked (k1 3, k2 2, lambda 0.3)" in quick.out


def test_train_then_evaluate_then_report(run, model, target_root, tmp_path):
    assert "have no scores yet: `s2reid evaluate` them first" in complaint(run("report", "runs"))
    assert run("evaluate", model, f"ilids_vid:{target_root}").code == 0
    done = run("report", "runs", "--out", "page.html")
    assert (done.code, done.out) == (0, "wrote page.html\n")
    assert "standin-tiny" in (tmp_path / "page.html").read_text("utf-8")
    assert (model.parent / "source.npz").is_file()


def test_report_of_a_baseline_and_ours(run, model, source_root, target_root, tmp_path):
    other = re.search(r"model (\S+)", run(*training(source_root, "--seed", "1")).out)[1]
    for folder in (model, other):
        assert run("evaluate", folder, f"ilids_vid:{target_root}").code == 0
    assert run("report", model.parent, Path(other).parent).code == 0
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "source_only seed 1 against source_only seed 0" in page
    assert run("report", "runs").code == 0
    assert " against source_only" not in (tmp_path / "report.html").read_text("utf-8")
    assert "no runs named: name a folder of runs, or several runs" in complaint(run("report"))


def test_a_finished_run_is_not_trained_again(run, model, source_root):
    before = (model / "weights.safetensors").stat().st_mtime_ns
    done = run(*training(source_root))
    assert done.code == 0
    assert f"runs/{model.parent.name}/model" in done.out
    assert (model / "weights.safetensors").stat().st_mtime_ns == before


def test_doctor(run):
    assert {"device", "precision", "installed", "problems"} <= json.loads(run("doctor", "--json").out).keys()
    assert run("doctor").out.startswith("s2reid ")


WRONG_TRAININGS = {
    "method": (
        ("--method", "sorce_only"),
        f"no method named 'sorce_only': there are {', '.join(lookup.names('methods'))}; did you mean",
    ),
    "backbone": (("--settings", "backbone=c3d"), "no backbone named 'c3d': there are ap3d, "),
    "setting": (("--settings", "speed=1"), "source_only has no setting 'speed'"),
    "value": (("--settings", "average=high"), "the setting average of source_only is 'high', expected float"),
    "no value": (("--settings", "average"), "the setting 'average' has no '=': write name=value"),
    "scale": (("--scale", "huge"), "no scale named 'huge': there are small, paper"),
    "steps": (("--steps", "-1"), "steps is -1, expected 0"),
    "threads": (("--threads", "0"), "threads is 0, expected at least 1"),
    "workers": (("--workers", "-1"), "workers is -1, expected at least 0"),
    "checkpoints": (("--checkpoint-every", "0"), "checkpoint_every is 0, expected at least 1"),
    "seed": (("--seed", "-1"), "seed is -1, expected at least 0"),
    "augmentation": (("--without", "jitter"), "no augmentation named ['jitter']: there are flip, zoom"),
    "no target": (("--method", "target_bn", "--init", "x"), "target_bn adapts to a target, and none was given"),
    "no model": (("--init", "nowhere"), "nowhere is no model: found nothing"),
    "target name": (("--target", "mers:x"), "no dataset named 'mers': there are"),
    "missing target": (("--target", "ilids_vid:nowhere"), "nowhere does not exist"),
}


@pytest.mark.parametrize(("arguments", "message"), WRONG_TRAININGS.values(), ids=WRONG_TRAININGS)
def test_trainings_that_cannot_be(run, source_root, tmp_path, arguments, message):
    assert message in complaint(run(*training(source_root, *arguments)))
    assert not (tmp_path / "runs").exists()


def test_half_precision_needs_a_gpu(run, source_root):
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    assert "precision fp16 needs a GPU, and there is none" in complaint(
        run(*training(source_root, "--precision", "fp16"))
    )


def test_sources_that_cannot_be(run, tmp_path, target_root):
    assert "nowhere does not exist" in complaint(run("train", "--source", "svreid:nowhere"))
    (tmp_path / "empty").mkdir()
    assert "empty is empty: is the data complete?" in complaint(run("train", "--source", "svreid:empty"))
    few = tiny.write_source(tmp_path / "few", persons=2)
    assert "a batch needs 3 persons, the source has 2" in complaint(run(*training(few)))
    lone = tiny.write_source(tmp_path / "lone", cameras=1)
    assert "each of the 4 source persons has one tracklet only" in complaint(run(*training(lone)))


def test_a_person_in_both_train_and_test(run, tmp_path):
    tiny.write_frames(tmp_path / "a", ["1.jpg"], 1, 0)
    tiny.write_frames(tmp_path / "b", ["1.jpg"], 1, 1)
    (tmp_path / "m.csv").write_text("path,person,camera,split\na,1,0,train\nb,1,1,query\n")
    line = complaint(run("train", "--source", "csv:m.csv"))
    assert "train" in line
    assert "1" in line


def test_models_and_data_that_do_not_fit(run, model, source_root, target_root, tmp_path):
    data = f"ilids_vid:{target_root}"
    assert "nowhere is no model: found nothing" in complaint(run("evaluate", "nowhere", data))
    assert f"svreid:{source_root} has 0 queries and 0 gallery" in complaint(
        run("evaluate", model, f"svreid:{source_root}")
    )
    assert "no protocol named 'mers'" in complaint(run("evaluate", model, data, "--protocol", "mers"))
    assert "k1 0 and k2 6: expected at least 1" in complaint(run("evaluate", model, data, "--rerank", "--k1", "0"))
    assert "with lambda 2.0: expected" in complaint(run("evaluate", model, data, "--rerank", "--lambda", "2"))
    assert "split is 'both', expected its number" in complaint(run("evaluate", model, data, "--split", "both"))
    assert "split 10" in complaint(run("evaluate", model, data, "--split", "10"))
    assert "svreid has no splits" in complaint(run("evaluate", model, f"svreid:{source_root}", "--split", "all"))
    assert "svreid has no option 'split'" in complaint(run("evaluate", model, f"svreid:{source_root}", "--split", "1"))
    assert "seed_protocol looks at one clip of 4" in complaint(
        run("evaluate", model, data, "--protocol", "seed-protocol")
    )
    assert "ilids_vid has no option 'query_camera'" in complaint(run("evaluate", model, data, "--query-camera", "1"))
    assert "top is 0, expected at least 1" in complaint(run("search", model, data, data, "--top", "0"))
    assert "no query at nobody" in complaint(run("search", model, "nobody", data))
    assert "no runs at nowhere" in complaint(run("report", "nowhere"))
    assert "have no scores yet" in complaint(run("report", model.parent))
    (model / "weights.safetensors").write_bytes(b"x")
    assert "cannot read the weights" in complaint(run("evaluate", model, data))


def test_queries_without_a_match(run, model, tmp_path):
    rows = [("a", 1, 0, "query"), ("b", 2, 1, "gallery")]
    for name, person, camera, _ in rows:
        tiny.write_frames(tmp_path / name, ["1.jpg"], person, camera)
    (tmp_path / "m.csv").write_text(
        "path,person,camera,split\n" + "".join(f"{','.join(map(str, row))}\n" for row in rows)
    )
    assert "none of 1 queries has a match" in complaint(run("evaluate", model, "csv:m.csv"))


def test_a_damaged_frame_ends_a_test(run, model, tmp_path):
    target = tiny.write_target(tmp_path / "t")
    frame = next((target / "i-LIDS-VID" / "sequences" / "cam1" / "person001").iterdir())
    frame.write_bytes(frame.read_bytes()[:200])
    assert "is cut short (200 bytes)" in complaint(run("evaluate", model, f"ilids_vid:{target}"))


def test_places_that_cannot_be_written(run, model, target_root, source_root, tmp_path):
    data = f"ilids_vid:{target_root}"
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    assert "file" in complaint(run(*training(source_root, "--out", "file")))
    assert "file" in complaint(run("embed", model, data, "--out", "file/x.npz"))
    assert "folder" in complaint(run("embed", model, data, "--out", "folder"))
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written(run, source_root, tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    assert "Permission denied" in complaint(run(*training(source_root, "--out", "locked/runs")))


def test_worlds_that_cannot_be(run):
    assert "no world preset named 'mars': there are svreid" in complaint(run("world", "mars", "out"))


def test_a_full_disk_is_not_the_users_mistake(capsys):
    assert cli.complain(OSError(28, "No space left on device", "x.npz")) == 1
    assert capsys.readouterr().err == (
        "s2reid: No space left on device: x.npz; what was finished is kept, run the same command again\n"
    )
    assert cli.complain(RuntimeError("first\n second")) == 1
    assert capsys.readouterr().err == "s2reid: RuntimeError: first second; set S2REID_DEBUG=1 to see where\n"


def test_debugging_shows_where(run, monkeypatch):
    monkeypatch.setenv("S2REID_DEBUG", "1")
    done = run("evaluate", "nowhere", "persons:nowhere")
    assert done.code == 2
    assert "Traceback" in done.err


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        (("average=0.5", "margin=null"), {"average": 0.5, "margin": None}),
        (("metric=cosine", 'test={"flip": false}'), {"metric": "cosine", "test": {"flip": False}}),
        (("name=a=b",), {"name": "a=b"}),
    ],
)
def test_settings_are_json_or_words(pairs, expected):
    assert cli.parse_settings(pairs) == expected


# As other processes


def test_help_is_instant_and_needs_no_torch(tmp_path):
    code = "import sys; sys.argv = ['s2reid', '--help']\nfrom s2reid.cli import main\n"
    code += "try: main()\nexcept SystemExit: print({'torch', 'numpy', 'cv2'} & set(sys.modules), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", code], env=tiny.environment(), cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.stderr.strip() == "set()"
    for verb in ("world", "train", "embed", "evaluate", "search", "report", "demo", "doctor"):
        assert verb in done.stdout


def test_importing_the_package_needs_no_torch(tmp_path):
    code = "import sys, s2reid; print('torch' in sys.modules, s2reid.__version__)"
    done = subprocess.run(
        [sys.executable, "-c", code], env=tiny.environment(), cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout.split()[0] == "False", done.stderr


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A source with the persons that a batch of the small scale needs."""
    return tiny.write_source(tmp_path_factory.mktemp("many"), persons=40, cameras=2, frames=1)


def seen(done):
    return SimpleNamespace(code=done.returncode, out=done.stdout, err=done.stderr)


def test_a_damaged_frame_in_a_loader_worker_is_one_line(tmp_path):
    root = tiny.write_source(tmp_path / "s", persons=40, cameras=2, frames=1)
    for frame in root.rglob("*.jpg"):
        frame.write_bytes(frame.read_bytes()[:100])
    done = tiny.program("train", "--source", f"svreid:{root}", "--steps", 2, "--workers", 1, cwd=tmp_path)
    line = complaint(seen(done))
    assert re.search(r"s2reid: the frame .*0.jpg is damaged \(.*\): copy it again or remove it$", line)


def test_ctrl_c_in_the_middle_of_training_stops_in_one_line_and_goes_on_later(tmp_path, many):
    command = ["train", "--source", f"svreid:{many}", "--steps", "40", "--checkpoint-every", "1", "--workers", "1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "s2reid", *command],
        cwd=tmp_path,
        env=tiny.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A job in the background of a script inherits an ignored SIGINT; a person at a terminal does not.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 120
    while not [*tmp_path.glob(f"runs/*/{CHECKPOINT}/step.json")] and time.monotonic() < deadline:
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the loader's worker too
    out, err = process.communicate(timeout=60)
    stopped = SimpleNamespace(code=process.returncode, out=out, err=err)
    assert complaint(stopped, 130) == "s2reid: stopped; run the same command again to go on"
    (said,) = tmp_path.glob(f"runs/*/{CHECKPOINT}*/step.json")
    assert 1 <= json.loads(said.read_text())["step"] < 40
    assert not [*tmp_path.glob("runs/*/model")]


@pytest.mark.slow
def test_from_a_rendered_world_to_a_score(tmp_path):
    for preset, persons in (("svreid", 36), ("standin-ilids", 8)):
        done = tiny.program("world", preset, preset, "--persons", persons, "--frames", 2, "--height", 64, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    trained = tiny.program("train", "--source", "svreid:svreid", "--steps", 2, cwd=tmp_path)
    assert trained.returncode == 0, trained.stderr
    model = next(tmp_path.glob("runs/*/model"))
    scored = tiny.program("evaluate", model, "ilids_vid:standin-ilids", "--json", cwd=tmp_path)
    (row,) = json.loads(scored.stdout)["rows"]
    assert (row["target"], row["num_valid"]) == ("standin-ilids", 4)
