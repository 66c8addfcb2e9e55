"""Two processes do what one does: the same loss terms, the same gradients, the same statistics, for every method."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tests import tiny

from s2reid import lookup, train
from s2reid.train import Options, fit
from s2reid.types import Dataset
from s2reid.video.augment import Augmentation

ALONE = {"glt", "qaconv"}
"""Methods that plan their epochs, in one process."""
SHARED = [name for name in lookup.names("methods") if name not in ALONE]
pytestmark = pytest.mark.usefixtures("tiny_scale")


def trained(name: str, source: Dataset, target: Dataset, folder: Path) -> dict[str, torch.Tensor]:
    """Train in this process's share of the work; return what the first step shows."""
    task = tiny.task(1, method=name, num_frames=tiny.scale(name).num_frames, optimizer="sgd")
    task = replace(task, schedule=replace(task.schedule, num_persons=4))
    learner, seen = tiny.perturb(tiny.learner(name)), []
    if name.startswith("s2r"):
        learner.updates.fill_(learner.steps // 2)
        learner.teacher.copy(learner.encoder)
    clips = target.train if learner.settings.needs_target else None
    torch.manual_seed(5)  # of the dropout in domain heads
    fit(learner, task, source.train, clips, folder / name, Augmentation(), Options(0, 0), seen.append)
    numbers = {
        f"{kind} {term} {progress.step}": torch.tensor(value)
        for progress in seen
        for kind in ("terms", "watched")
        for term, value in getattr(progress, kind).items()
    }
    gradients = {f"gradient {n}": p.grad for n, p in learner.named_parameters() if p.grad is not None}
    buffers = {f"buffer {n}": b.float() for n, b in learner.named_buffers() if "running_" in n}
    return {n: value.detach().clone().contiguous() for n, value in (numbers | gradients | buffers).items()}


BEGIN = """
import os, pathlib, sys, torch
from dataclasses import replace
from safetensors.torch import save_file
from tests import test_processes, tiny
from s2reid import datasets, experiment, lookup, scales
from s2reid.methods import source_only
from s2reid.train import Options

torch.set_num_threads(1)
for name, size in tiny.SIZES.items():
    lookup.find("backbones", name).SIZES["tiny"] = size
scales.SCALES["tiny"] = tiny.SCALE
source_only.SCHEDULES["tiny"] = replace(tiny.SCHEDULE, num_persons=4)
source, target = datasets.load(f"svreid:{sys.argv[1]}"), datasets.load(f"ilids_vid:{sys.argv[2]}")
out = pathlib.Path(sys.argv[3])
"""
ONE_STEP = """
for name in sys.argv[4:]:
    found = test_processes.trained(name, source, target, out)
    save_file(found, out / f"{name}-{os.environ['RANK']}.safetensors")
"""
STAGES = """
plan = experiment.Plan("target_bn", source, target, "tiny")
def kill(progress):
    if progress.step == 3 and sys.argv[4] == "kill":
        os._exit(9)
print("finished", experiment.run(plan, out / "runs", Options(0, 0, 2), kill))
"""


def two_processes(script, folder, *arguments):
    (folder / "two.py").write_text(BEGIN + script)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", "two.py"]
    return subprocess.run(
        [*command, *map(str, arguments)],
        env=tiny.environment(),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.mark.parametrize("names", [["source_only", "s2r"], pytest.param(SHARED, marks=pytest.mark.slow)])
def test_two_processes_compute_what_one_does(names, source_root, target_root, source, target, tmp_path):
    assert len(SHARED) == len(lookup.names("methods")) - 2 == 9
    done = two_processes(ONE_STEP, tmp_path, source_root, target_root, tmp_path, *names)
    assert done.returncode == 0, done.stderr
    for name in names:
        one, other = (load_file(tmp_path / f"{name}-{rank}.safetensors") for rank in (0, 1))
        expected = trained(name, source, target, tmp_path / "one")
        assert one.keys() == other.keys() == expected.keys()
        wrong = {what for what in expected for found in (one, other) if not is_close(found[what], expected[what])}
        assert wrong == set(), name
        counts = {kind: sum(what.startswith(kind) for what in expected) for kind in ("terms", "gradient", "buffer")}
        assert min(counts.values()) >= 1
        assert counts["gradient"] > 20
        if name == "s2r":
            assert (counts["terms"], sum(what.startswith("watched") for what in expected)) == (8, 11)


def is_close(found, expected):
    """Compare with what the largest number allows: sums of float32 in another order, and what lies behind a kink."""
    return (found - expected).abs().max() <= 5e-3 * expected.abs().max() + 1e-6


@pytest.mark.slow
def test_two_processes_go_through_stages_and_on_after_a_kill(source_root, target_root, tmp_path):
    done = two_processes(STAGES, tmp_path, source_root, target_root, tmp_path, "kill")
    assert done.returncode != 0
    assert len([*tmp_path.glob("runs/*/checkpoint/step.json")]) == 1
    done = two_processes(STAGES, tmp_path, source_root, target_root, tmp_path, "go on")
    assert done.returncode == 0, done.stderr
    killed = {path.parts[-3]: load_file(path) for path in tmp_path.glob("runs/*/model/*.safetensors")}
    (tmp_path / "whole").mkdir()
    done = two_processes(STAGES, tmp_path / "whole", source_root, target_root, tmp_path / "whole", "no")
    assert done.returncode == 0, done.stderr
    whole = {path.parts[-3]: load_file(path) for path in tmp_path.glob("whole/runs/*/model/*.safetensors")}
    assert killed.keys() == whole.keys()
    assert len(whole) == 2
    assert all(tiny.equal_weights(killed[key], whole[key]) for key in whole)


@pytest.mark.parametrize("name", sorted(ALONE))
def test_methods_that_plan_are_refused(name, source, target, tmp_path, monkeypatch):
    monkeypatch.setattr(train.accelerate.Accelerator, "num_processes", 2)
    with pytest.raises(ValueError, match="plans its epochs in one process: start one, not several"):
        trained(name, source, target, tmp_path)
