"""A run that was killed goes on, and ends with the bits of one that was not."""

import json
import signal
import subprocess
import sys

import pytest
import torch
from tests import tiny

from s2reid import train
from s2reid.train import CHECKPOINT, LOG, Options, fit, read_log
from s2reid.video.augment import Augmentation

STEPS, EVERY = 12, 5
pytestmark = pytest.mark.usefixtures("tiny_scale")


class Killed(BaseException):
    """Stands for a kill: nothing between it and the test may catch it."""


def run(folder, source, target=None, report=lambda progress: None, learner=None):
    learner = learner or tiny.learner("target_bn" if target else "source_only")
    clips = target.train if target else None
    fit(learner, tiny.task(STEPS), source.train, clips, folder, Augmentation(), Options(0, 0, EVERY), report)
    return learner.state_dict()


def kill_at(step):
    def report(progress):
        if progress.step == step:
            raise Killed

    return report


def logged(folder):
    """Read the log without what a clock says."""
    return [(line["step"], line["learning_rate"], line["terms"]) for line in read_log(folder / LOG)]


@pytest.fixture
def whole(tmp_path, source):
    return run(tmp_path / "whole", source), logged(tmp_path / "whole")


@pytest.mark.parametrize("step", [3, 5, 7, 11])
def test_a_killed_run_ends_with_the_same_bits_and_the_same_log(tmp_path, source, whole, step):
    folder, seen = tmp_path / "killed", []
    with pytest.raises(Killed):
        run(folder, source, report=kill_at(step))
    weights = run(folder, source, report=lambda progress: seen.append(progress.step))
    saved = step - 1 if step in (5, 10) else step  # a kill in the report comes before the checkpoint of its step
    assert seen == list(range(saved // EVERY * EVERY + 1, STEPS + 1))
    assert tiny.equal_weights(weights, whole[0])
    assert logged(folder) == whole[1]
    assert [line[0] for line in whole[1]] == [5, 10, 12]


def test_adaptation_resumes_too(tmp_path, source, target):
    with pytest.raises(Killed):
        run(tmp_path / "killed", source, target, kill_at(8))
    assert tiny.equal_weights(run(tmp_path / "killed", source, target), run(tmp_path / "whole", source, target))


def test_killed_twice(tmp_path, source, whole):
    for step in (6, 11):
        with pytest.raises(Killed):
            run(tmp_path / "killed", source, report=kill_at(step))
    assert tiny.equal_weights(run(tmp_path / "killed", source), whole[0])


def test_the_start_of_a_resumed_run_does_not_matter(tmp_path, source, whole):
    with pytest.raises(Killed):
        run(tmp_path / "killed", source, report=kill_at(6))
    torch.manual_seed(99)
    assert tiny.equal_weights(run(tmp_path / "killed", source, learner=tiny.learner(seed=4)), whole[0])


SCRIPT = """
import os, pathlib, signal, sys, torch
from tests import tiny
from s2reid import datasets
from s2reid.backbones import c2d
from s2reid.train import Options, fit
from s2reid.video.augment import Augmentation

c2d.SIZES["tiny"] = tiny.SIZE
torch.set_num_threads(1)
source = datasets.load(f"svreid:{sys.argv[1]}")

def report(progress):
    if progress.step == 8:
        os.kill(os.getpid(), signal.SIGKILL)

options = Options(0, 1, 5)
fit(tiny.learner(), tiny.task(12), source.train, None, pathlib.Path(sys.argv[2]), Augmentation(), options, report)
"""


def test_sigkill_of_a_process_with_a_worker(tmp_path, source_root, source, whole):
    command = [sys.executable, "-c", SCRIPT, str(source_root), str(tmp_path / "killed")]
    done = subprocess.run(command, env=tiny.environment(), cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert json.loads((tmp_path / "killed" / CHECKPOINT / "step.json").read_text()) == {"step": 5}
    assert tiny.equal_weights(run(tmp_path / "killed", source), whole[0])


@pytest.mark.parametrize("renames", [0, 1, 2])
def test_a_kill_while_one_checkpoint_replaces_another(tmp_path, source, whole, monkeypatch, renames):
    """The second checkpoint (step 10) is put in the place of the first by two renames; the kill comes around them."""
    rename, seen = train.Path.rename, []

    def killed(path, to):
        if path.name.startswith(CHECKPOINT):
            seen.append(path.name)
            if len(seen) == renames + 2:  # the first checkpoint takes one rename
                raise Killed
        return rename(path, to)

    def rmtree(path, **options):
        if len(seen) == 3 and renames == 2:
            raise Killed
        return remove(path, **options)

    remove = train.shutil.rmtree
    with monkeypatch.context() as patch:
        patch.setattr(train.Path, "rename", killed)
        patch.setattr(train.shutil, "rmtree", rmtree)
        with pytest.raises(Killed):
            run(tmp_path / "killed", source)
    left = {path.name for path in (tmp_path / "killed").iterdir()} - {LOG}
    expected = {0: {CHECKPOINT, f"{CHECKPOINT}.partial"}, 1: {f"{CHECKPOINT}.old", f"{CHECKPOINT}.partial"}}
    assert left == expected.get(renames, {CHECKPOINT, f"{CHECKPOINT}.old"})
    first = []
    weights = run(tmp_path / "killed", source, report=lambda progress: first.append(progress.step))
    assert first[0] == (11 if renames == 2 else 6)
    assert tiny.equal_weights(weights, whole[0])
    assert logged(tmp_path / "killed") == whole[1]


def test_a_truncated_last_line_of_the_log_comes_again(tmp_path, source, whole):
    with pytest.raises(Killed):
        run(tmp_path / "killed", source, report=kill_at(11))
    log = tmp_path / "killed" / LOG
    log.write_text(log.read_text() + '{"step": 11, "seco')
    run(tmp_path / "killed", source)
    assert logged(tmp_path / "killed") == whole[1]


def test_lines_after_the_checkpoint_are_not_logged_twice(tmp_path, source):
    def go(report=lambda progress: None):
        fit(tiny.learner(), tiny.task(24), source.train, None, tmp_path, Augmentation(), Options(0, 0, 8), report)

    with pytest.raises(Killed):
        go(kill_at(15))  # step 10 was logged after the checkpoint of step 8
    assert [line["step"] for line in read_log(tmp_path / LOG)] == [8, 10]
    go()
    assert [line["step"] for line in read_log(tmp_path / LOG)] == [8, 10, 16, 20, 24]


def test_a_damaged_checkpoint_is_refused(tmp_path, source):
    with pytest.raises(Killed):
        run(tmp_path, source, report=kill_at(7))
    weights = tmp_path / CHECKPOINT / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:200])
    with pytest.raises(
        ValueError, match=r"cannot go on from the checkpoint .*checkpoint \(.*\): remove it to train from"
    ):
        run(tmp_path, source)
