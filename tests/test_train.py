"""The loop: repeatable, logged, and stopped where a loss breaks."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file
from tests import tiny

from s2reid import train
from s2reid.train import LOG, Options, fit, read_log
from s2reid.video.augment import NONE, Augmentation

pytestmark = pytest.mark.usefixtures("tiny_scale")


def run(folder, source, *, method="source_only", target=None, steps=4, seed=0, learner=None, **options):
    """Train and return (learner, what was reported)."""
    learner, seen = learner or tiny.learner(method, seed), []
    clips = None if target is None else target.train
    task = tiny.task(steps)
    fit(learner, task, source.train, clips, folder, Augmentation(), Options(seed, 0, **options), seen.append)
    return learner, seen


@pytest.mark.parametrize("method", ["source_only", "target_bn"])
def test_equal_seeds_give_equal_bits_and_other_seeds_do_not(tmp_path, source, target, method):
    data = target if method == "target_bn" else None
    one, again, other = (
        run(tmp_path / str(place), source, method=method, target=data, seed=seed)[0].state_dict()
        for place, seed in enumerate((0, 0, 1))
    )
    assert tiny.equal_weights(one, again)
    assert not tiny.equal_weights(one, other)


def test_the_seed_of_the_batches_counts_by_itself(tmp_path, source):
    one, other = (
        run(tmp_path / str(seed), source, learner=tiny.learner(), seed=seed)[0].state_dict() for seed in (0, 1)
    )
    assert not tiny.equal_weights(one, other)


@pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning")
def test_loader_workers_do_not_change_a_bit(tmp_path, source):
    learners = [tiny.learner() for _ in range(2)]
    for workers, learner in enumerate(learners):
        fit(learner, tiny.task(), source.train, None, tmp_path / str(workers), Augmentation(), Options(0, workers))
    assert tiny.equal_weights(*(learner.state_dict() for learner in learners))


# (identity, triplet) of three steps from fixed weights on fixed data; to be changed on purpose only. In training a
# batch norm takes the statistics of the batch, so that the target leaves the terms alone and shows in the running ones.
GOLDEN = [(1.4969, 0.78274), (1.6129, 0.33701), (1.3492, 0.14756)]
GOLDEN_VARIANCE = {"source_only": 0.77805, "target_bn": 0.62991}


@pytest.mark.parametrize("method", GOLDEN_VARIANCE)
def test_golden_trace(tmp_path, source, target, method):
    learner = tiny.fill(tiny.learner(method))
    clips, seen = target.train if method == "target_bn" else None, []
    fit(learner, tiny.task(3), source.train, clips, tmp_path, NONE, Options(0, 0), seen.append)
    found = [(progress.terms["identity"], progress.terms["triplet"]) for progress in seen]
    assert found == [pytest.approx(step, rel=5e-3) for step in GOLDEN]
    assert learner.encoder.neck.running_var.mean().item() == pytest.approx(GOLDEN_VARIANCE[method], rel=5e-3)


def test_the_report_and_the_log_say_the_same(tmp_path, source):
    _, seen = run(tmp_path, source, steps=23, checkpoint_every=7)
    assert [(progress.step, progress.steps) for progress in seen] == [(step, 23) for step in range(1, 24)]
    lines = read_log(tmp_path / LOG)
    assert [line["step"] for line in lines] == [7, 10, 14, 20, 21, 23]
    spans = [(0, 7), (7, 10), (10, 14), (14, 20), (20, 21), (21, 23)]
    for line, (start, stop) in zip(lines, spans):
        part = seen[start:stop]
        for term in ("identity", "triplet"):
            assert line["terms"][term] == pytest.approx(sum(p.terms[term] for p in part) / len(part))
        seconds = sum(progress.seconds for progress in part)
        assert line["seconds"] == pytest.approx(seconds)
        assert line["images_per_second"] == pytest.approx(6 * len(part) / seconds)
        assert 0 <= line["data_wait"] <= 1
        rate = tiny.schedule(23).rate(stop - 1)
        assert line["learning_rate"] == pytest.approx(tiny.SCHEDULE.learning_rate * rate)


def test_images_of_the_target_count_too(tmp_path, source, target):
    _, seen = run(tmp_path, source, method="target_bn", target=target, steps=2)
    assert seen[-1].images_per_second * seen[-1].seconds == pytest.approx(12)


def test_the_learning_rate_is_the_schedules(tmp_path, source):
    rates = []

    class Watched(type(tiny.learner())):
        def step(self, forward, source, target, optimizers, backward):
            rates.append([group["lr"] for group in optimizers[0].param_groups])
            return super().step(forward, source, target, optimizers, backward)

    learner = tiny.learner()
    learner.__class__ = Watched
    schedule = tiny.schedule(6, warmup=2, milestones=(0.5,))
    fit(learner, replace(tiny.task(), schedule=schedule), source.train, None, tmp_path, NONE, Options(0, 0))
    assert rates == [[pytest.approx(schedule.learning_rate * schedule.rate(step))] * 2 for step in range(6)]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_stops_and_is_named(tmp_path, source, value):
    class Broken(type(tiny.learner())):
        def losses(self, source, target):
            terms = super().losses(source, target)
            self.seen = getattr(self, "seen", 0) + 1
            return terms | {"triplet": terms["triplet"] * (value if self.seen == 3 else 1)}

    learner = tiny.learner()
    learner.__class__ = Broken
    with pytest.raises(
        ValueError, match=rf"the loss term 'triplet' is {value} at step 3 .*identity.*lower learning rate"
    ):
        run(tmp_path, source, learner=learner, checkpoint_every=2)
    assert (tmp_path / train.CHECKPOINT / "step.json").is_file()


def test_a_truncated_last_line_of_the_log_is_dropped(tmp_path):
    whole = [json.dumps({"step": step, "terms": {}}) for step in (10, 20)]
    (tmp_path / LOG).write_text("\n".join([*whole, '{"step": 30, "te']))
    assert [line["step"] for line in read_log(tmp_path / LOG)] == [10, 20]
    assert read_log(tmp_path / "none.jsonl") == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"workers": -1}, "workers is -1, expected at least 0"),
        ({"checkpoint_every": 0}, "checkpoint_every is 0, expected at least 1"),
        ({"seed": -1}, "seed is -1, expected at least 0"),
        ({"seed": 2**63}, r"seed is 9223372036854775808, expected less than 2\*\*63"),
    ],
)
def test_options_that_cannot_be(options, message):
    with pytest.raises(ValueError, match=message):
        Options(**options)


def test_data_that_cannot_fill_a_batch_is_refused_before_the_first_step(tmp_path, source, target):
    few = tuple(tracklet for tracklet in source.train if tracklet.person < 2)
    with pytest.raises(ValueError, match="a batch needs 3 persons, the source has 2"):
        fit(tiny.learner(), tiny.task(), few, None, tmp_path, NONE)
    with pytest.raises(ValueError, match="the target has no training tracklets"):
        fit(tiny.learner("target_bn"), tiny.task(), source.train, (), tmp_path, NONE)


def test_tensorboard_by_option(tmp_path, source):
    pytest.importorskip("tensorboard")
    run(tmp_path, source, steps=2, tensorboard=True)
    assert [*tmp_path.rglob("events.out.tfevents*")]


def test_precision(tmp_path, source):
    assert train.default_precision() in ("no", "bf16")
    assert train.default_device() in ("cpu", "cuda")
    learner, seen = run(tmp_path, source, precision="bf16")
    assert all(value.dtype == torch.float32 for value in learner.parameters())
    assert all(0 < term < 10 for progress in seen for term in progress.terms.values())


TWO_PROCESSES = """
import os, pathlib, sys, torch
from dataclasses import replace
from safetensors.torch import save_file
from tests import tiny
from s2reid import datasets
from s2reid.backbones import c2d
from s2reid.train import Options, fit
from s2reid.video.augment import Augmentation

c2d.SIZES["tiny"] = tiny.SIZE
source, out = datasets.load(f"svreid:{sys.argv[1]}"), pathlib.Path(sys.argv[2])
learner, task = tiny.learner(seed=int(os.environ["RANK"])), tiny.task(5)
task = replace(task, schedule=replace(task.schedule, num_persons=4, clips_per_person=3))
fit(learner, task, source.train, None, out / "run", Augmentation(), Options(0, 0, 2))
weights = {name: value.detach().contiguous() for name, value in learner.named_parameters()}
save_file(weights, out / f"{os.environ['RANK']}.safetensors")
"""


@pytest.mark.slow
def test_two_processes_keep_one_network_and_write_one_log(tmp_path, source_root):
    (tmp_path / "two.py").write_text(TWO_PROCESSES)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", "two.py"]
    done = subprocess.run(
        [*command, str(source_root), str(tmp_path)],
        env=tiny.environment(),
        cwd=tmp_path,
        capture_output=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr.decode()
    one, other = (load_file(tmp_path / f"{rank}.safetensors") for rank in (0, 1))
    trained = {name for name in one if not name.startswith("average.")}
    assert len(trained) > 30
    assert all(torch.equal(one[name], other[name]) for name in trained)
    assert [line["step"] for line in read_log(tmp_path / "run" / LOG)] == [2, 4, 5]
    assert json.loads((tmp_path / "run" / train.CHECKPOINT / "step.json").read_text()) == {"step": 4}


@pytest.mark.parametrize("method", ["source_only", "s2r", "glt", "cavit"])
def test_checkpointing_changes_no_bit_and_keeps_less(tmp_path, source, target, method):
    held, weights = [], []
    for is_on in (False, True):
        learner, sizes = tiny.learner(method), []
        if method == "s2r":
            learner.settings = replace(learner.settings, statistics="source")

        class Counted(type(learner)):
            def losses(self, source, target, sizes=sizes):
                with torch.autograd.graph.saved_tensors_hooks(lambda x: sizes.append(x.nbytes) or x, lambda x: x):
                    return super().losses(source, target)

        learner.__class__ = Counted
        if method == "glt":
            learner.epoch = None  # nothing is planned
        clips = target if learner.settings.needs_target else None
        run(tmp_path / str(is_on), source, target=clips, learner=learner, checkpointing=is_on)
        weights.append(learner.state_dict())
        held.append(sum(sizes))
    assert tiny.equal_weights(*weights)
    assert held[1] < 0.65 * held[0]


def test_a_network_that_checkpointing_does_not_fit(tmp_path, source):
    message = "checkpointing knows no block that AP3D runs as a whole: leave it out"
    with pytest.raises(ValueError, match=message):
        run(tmp_path, source, learner=tiny.learner("ap3d"), checkpointing=True)
