"""Killed at any moment, on a full disk, started twice: nothing is lost but the steps since the last checkpoint."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time

import pytest
from tests import tiny, victims
from tests.victims import EVERY, STEPS, WORLD

from s2reid import cli, experiment, lock, model, runs
from s2reid.experiment import Plan
from s2reid.runs import SOURCE
from s2reid.tables import grid, make
from s2reid.train import CHECKPOINT, LOG, Options, read_log
from s2reid.world import write

pytestmark = pytest.mark.usefixtures("tiny_scale")


@pytest.fixture(scope="module", autouse=True)
def server():
    """Let the server that forks find the tests: in Python 3.11 it takes the path from the environment."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in tiny.environment().items():
            patch.setenv(name, value)
        yield


def resume(source, root, every=EVERY):
    steps = []
    options = Options(0, 0, every)
    return experiment.run(victims.plan(source), root, options, lambda progress: steps.append(progress.step)), steps


def outcome(folder):
    """Read what two runs must have in common: weights and log, without what a clock says."""
    log = [(line["step"], line["learning_rate"], line["terms"]) for line in read_log(folder / LOG)]
    return model.load(folder / "model")[0].state_dict(), log


@pytest.fixture
def spec(source_root):
    return f"svreid:{source_root}"


@pytest.fixture(scope="module")
def kept():
    return {}


@pytest.fixture
def whole(source, tmp_path, kept):
    """The run that nobody kills, trained once."""
    if not kept:
        kept["weights"], kept["log"] = outcome(resume(source, tmp_path / "whole")[0])
    return kept


def check_as_if_nothing_happened(folder, whole):
    weights, log = outcome(folder)
    assert tiny.equal_weights(weights, whole["weights"])
    assert log == whole["log"]
    assert {path.name for path in folder.iterdir()} - {lock.LOCK} == {"run.json", "model", LOG}
    assert {path.name for path in (folder / "model").iterdir()} == {"model.json", "weights.safetensors"}


MOMENTS = {
    "before the first checkpoint": ("s2reid.train", "_check_finite", 3, "before", 1),
    "between two checkpoints": ("s2reid.train", "_check_finite", 8, "before", 6),
    "a checkpoint's first file is written": ("torch", "save", 3, "after", 6),
    "its files are written": ("accelerate", "Accelerator.save_state", 2, "after", 6),
    "it is written": ("s2reid.whole", "put", 2, "before", 6),
    "the old one is moved away": ("pathlib", "Path.rename", 2, "after", 6),
    "it has its place": ("pathlib", "Path.rename", 3, "after", 11),
    "all steps are done": ("s2reid.model", "save", 1, "before", 11),
    "the model's weights are written": ("s2reid.model", "save_file", 1, "after", 11),
    "the model is written": ("s2reid.whole", "put", 3, "before", 11),
    "the model has its place": ("s2reid.model", "save", 1, "after", None),
}
"""When a run is killed, and the step that it goes on with; with none the run is finished."""


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_run_ends_with_the_same_bits(tmp_path, source, spec, whole, moment):
    *when, first = MOMENTS[moment]
    assert victims.run(victims.killed, *when, victims.train, spec, tmp_path) == -signal.SIGKILL
    folder, steps = resume(source, tmp_path)
    assert steps == ([] if first is None else [*range(first, STEPS + 1)])
    check_as_if_nothing_happened(folder, whole)


@pytest.mark.slow
def test_killed_again_and_again_at_random(tmp_path, source, spec):
    rng, steps, kills = random.Random(0), 600, 0
    for _ in range(12):
        with victims.process(victims.train, spec, tmp_path / "killed", steps, 1) as one:
            one.join(rng.uniform(0.2, 2))
            kills += one.is_alive()
    assert kills > 3
    folders = [experiment.run(victims.plan(source, steps), tmp_path / name, Options(0, 0)) for name in ("killed", "w")]
    assert tiny.equal_weights(*(outcome(folder)[0] for folder in folders))


@pytest.mark.parametrize(
    ("step", "every", "message", "first"),
    [(7, 5, "cannot write the checkpoint ", 6), (12, 5, "cannot write the weights ", 11), (7, 20, "File too large", 1)],
)
def test_a_full_disk_costs_a_checkpoint_at_most(tmp_path, source, spec, whole, step, every, message, first):
    said, size = tmp_path / "said.json", 100_000 if every == EVERY else 600  # of a log that is written later
    assert victims.run(victims.with_full_disk, step, size, said, spec, tmp_path / "runs", every) == 0
    complaint = json.loads(said.read_text())
    (line,) = complaint["said"]
    assert message in line
    assert line.startswith("s2reid: ")
    assert line.endswith("; what was finished is kept, run the same command again")
    assert complaint["code"] == 1
    assert not [*tmp_path.rglob("*.partial")]
    folder, steps = resume(source, tmp_path / "runs")
    assert steps[0] == first
    check_as_if_nothing_happened(folder, whole)


def test_a_second_command_on_a_run_is_refused_and_the_first_ends_as_if_alone(tmp_path, source, spec, whole, capsys):
    begun, go = tmp_path / "begun", tmp_path / "go"
    with victims.process(victims.train, spec, tmp_path / "runs", STEPS, EVERY, str(begun), str(go)) as first:
        victims.wait_for(begun)
        with pytest.raises(ValueError, match="is in use by process") as refused:
            resume(source, tmp_path / "runs")
        assert cli.complain(refused.value) == 2
        folder = victims.plan(source).training().folder(tmp_path / "runs")
        holder = f"process {first.pid} on {socket.gethostname()}"
        line = f"s2reid: {folder} is in use by {holder}: wait until that has ended, or stop it\n"
        assert capsys.readouterr().err == line
        go.touch()
        first.join(60)
        assert first.exitcode == 0
    check_as_if_nothing_happened(folder, whole)
    assert resume(source, tmp_path / "runs") == (folder, [])


def test_a_lock_ends_with_its_holder_even_where_a_child_lives_on(tmp_path):
    begun = tmp_path / "begun"
    assert victims.run(victims.hold_and_leave_a_child, tmp_path / "run", str(begun)) == -signal.SIGKILL
    child = int(begun.read_text())
    os.kill(child, 0)  # it is there
    with lock.held(tmp_path / "run"):
        pass
    os.kill(child, signal.SIGKILL)
    assert not [*(tmp_path / "run").iterdir()]


def test_worlds_and_tables_have_one_writer(tmp_path):
    begun = tmp_path / "begun"
    with victims.process(victims.hold, tmp_path / "out", str(begun)):
        victims.wait_for(begun)
        with pytest.raises(ValueError, match="out is in use by process"):
            write.write("svreid", tmp_path / "out", **WORLD)
        with pytest.raises(ValueError, match="out is in use by process"):
            make.make(grid.find(2), grid.find(2), grid.Asked(tmp_path / "out"))
        assert [path.name for path in (tmp_path / "out").iterdir()] == [lock.LOCK]
    write.write("svreid", tmp_path / "out", **WORLD)  # the lock of a killed process is no obstacle
    assert write.read_marker(tmp_path / "out")["finished"]


def test_no_score_is_lost_where_two_commands_add_some(tmp_path):
    with victims.process(victims.add_scores, tmp_path, 1) as other:
        victims.add_scores(tmp_path, 0)
        other.join(60)
    found = {(row["target"], row["split"]) for row in runs.read_scores(tmp_path)}
    assert found == {(str(target), split) for target in range(20) for split in (0, 1)}


@pytest.mark.parametrize(
    "moment",
    [
        ("s2reid.world.write", "encode", 5, "after"),
        ("s2reid.world.write", "_move", 3, "before"),
        ("s2reid.world.write", "_move", 3, "after"),
        ("s2reid.world.write", "replace", 2, "before"),
    ],
)
def test_a_killed_rendering_ends_with_the_same_files(tmp_path, rendered, moment):
    assert victims.run(victims.killed, *moment, victims.render, tmp_path / "w") == -signal.SIGKILL
    assert write.read_marker(tmp_path / "w")["finished"] is False
    write.write("svreid", tmp_path / "w", **WORLD)
    assert files(tmp_path / "w") == files(rendered)


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    return write.write("svreid", tmp_path_factory.mktemp("world") / "w", **WORLD)


def files(root):
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_an_interrupted_report_leaves_the_old_page(tmp_path):
    victims.page(tmp_path / "r.html")
    old = (tmp_path / "r.html").read_bytes()
    moment = ("pathlib", "Path.write_text", 1, "after")
    assert victims.run(victims.killed, *moment, victims.page, tmp_path / "r.html") == -signal.SIGKILL
    assert (tmp_path / "r.html").read_bytes() == old
    victims.page(tmp_path / "r.html")
    assert [path.name for path in tmp_path.iterdir()] == ["r.html"]


def test_a_results_folder_that_cannot_be_written_is_found_out_first(tmp_path, source, target, monkeypatch, capsys):
    folder = experiment.run(victims.plan(source, 1), tmp_path)
    (before,) = experiment.evaluate(folder / "model", target)
    monkeypatch.setattr(lock, "take", read_only)
    monkeypatch.setattr(experiment, "load_model", None)  # nothing is embedded
    monkeypatch.setattr(experiment.train, "fit", None)  # nor trained
    message = r"cannot write into .* \(Read-only file system\): make it writable, or use another folder"
    with pytest.raises(ValueError, match=message):
        experiment.evaluate(folder / "model", target)
    with pytest.raises(ValueError, match=message):
        experiment.run(Plan("source_only", source, scale="tiny", seed=7), tmp_path)
    assert experiment.run(victims.plan(source, 1), tmp_path) == folder  # what is finished can be used
    assert runs.read_scores(folder) == [before]
    assert cli.complain(OSError(30, "Read-only file system", "x.npz")) == 2
    assert capsys.readouterr().err == "s2reid: Read-only file system: x.npz\n"


def read_only(path, **_):
    raise OSError(30, "Read-only file system", str(path))


def test_a_results_folder_in_a_file(tmp_path, source):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ValueError, match=r"cannot write into .*file.* \(Not a directory\)"):
        experiment.run(victims.plan(source), tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.slow
def test_a_lost_process_of_several_ends_the_run_which_goes_on_later(tmp_path):
    source = tiny.write_source(tmp_path / "source", persons=40, cameras=2, frames=1)
    command = ["-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", str(free_port())]
    command += ["-m", "s2reid", "train", "--source", f"svreid:{source}", "--steps", "6", "--checkpoint-every", "1"]
    process = subprocess.Popen(
        [sys.executable, *command], cwd=tmp_path, env=tiny.environment(), stderr=subprocess.PIPE, text=True
    )
    while not (found := [*tmp_path.glob(f"runs/*/{CHECKPOINT}/step.json")]):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.05)
    folder = found[0].parent.parent
    os.kill(int((folder / lock.LOCK).read_text().split()[1]), signal.SIGKILL)
    assert process.wait(120) != 0
    again = subprocess.run([sys.executable, *command], cwd=tmp_path, env=tiny.environment(), timeout=600)
    assert again.returncode == 0
    assert {path.name for path in folder.iterdir()} == {"run.json", "model", LOG, SOURCE}
    assert [line["step"] for line in read_log(folder / LOG)][-1] == 6


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
