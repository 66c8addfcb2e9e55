"""The training step and its parts, and what the trainer adds to a plain loop over the same network."""

import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import torch

from s2reid import train
from s2reid.batch import Clips
from s2reid.benchmark.part import Effort, Part, ratio, summarise, take_turns
from s2reid.experiment import Plan
from s2reid.learner import Learner, Task
from s2reid.types import Dataset
from s2reid.video.augment import Augmentation
from s2reid.video.loader import (
    Batches,
    ClipSet,
    ClipShape,
    PersonBatches,
    RandomBatches,
    loader,
    outfit_labels,
    source_labels,
    target_labels,
)

CASES = (("source_only", 0.75), ("source_only", 1.0), ("s2r", 1.0))
"""Methods, and the share of the scale's height that their images have."""
FIRST = 3
"""Steps of a run that do not count: worker processes start, memory is claimed."""
LOSSES = {"supervised": "supervised losses", "confuse": "domain losses", "agree": "consistency losses"}


@dataclass(frozen=True)
class Case:
    """A training to time: a fresh learner for each run."""

    method: str
    share: float
    data: Dataset
    steps: int
    scale: str = "small"
    workers: int = 1

    @property
    def plan(self) -> Plan:
        """Plan it at one size and a steady rate; the same tracklets, without their labels, are the target."""
        plan = Plan(self.method, self.data, self.data, self.scale)
        schedule = replace(plan.resolved()[1], steps=FIRST + self.steps, sizes=((1.0, self.share),), warmup=0)
        return replace(plan, schedule=schedule)

    def build(self) -> tuple[Learner, Task]:
        torch.manual_seed(0)
        task = self.plan.task()
        learner: Learner = self.plan.resolved()[0].build(task)
        return learner, task

    @property
    def has_target(self) -> bool:
        return bool(self.plan.resolved()[0].needs_target)


def measure(data: Dataset, effort: Effort, scale: str = "small", cases: tuple[Any, ...] = CASES) -> Iterator[Part]:
    """Time every case on labelled tracklets, one after the other."""
    for method, share in cases:
        yield _measure(Case(method, share, data, effort.steps, scale), effort)


def _measure(case: Case, effort: Effort) -> Part:
    turns = take_turns(
        {"the trainer": lambda: median(fit(case)[1]), "a plain loop": lambda: median(plain_loop(case))}, effort.rounds
    )
    steps = profile(replace(case, steps=effort.rounds * effort.steps))
    parts = [name for name in steps[0] if name != "step"]
    height = case.plan.schedule.heights(case.plan.task().scale.height)[0]  # type: ignore[union-attr]
    wait = [step["waiting for data"] / step["step"] for step in steps]
    return Part(
        f"train {case.method}, {height} pixels",
        f"A training step of {case.method}, images of {height} pixels",
        [
            *[summarise(name, [1000 * second for second in seconds], "ms/step") for name, seconds in turns.items()],
            *[_mean(name, [1000 * step[name] for step in steps]) for name in ("step", *parts)],
            replace(_mean("share that waits for data", [100 * share for share in wait]), unit="% of a step"),
        ],
        [
            ratio(
                "time of the trainer by that of a plain loop", turns["the trainer"], turns["a plain loop"], "below 1.05"
            )
        ],
        note="The plain loop has the same network, losses, optimisers and loader, and nothing else. The parts are of "
        "runs of their own and add up to their step; none is counted inside another.",
        whole="step",
        adds_up=parts,
    )


def _mean(name: str, values: list[float]) -> Any:
    """Summarise by the mean: means of parts add up, and medians do not."""
    return replace(summarise(name, values, "ms/step"), value=sum(values) / len(values))


def fit(
    case: Case, prepare: Callable[[Learner], None] = lambda learner: None
) -> tuple[list[train.Progress], list[float]]:
    """Train by the trainer, in a folder that is thrown away; return what it said of each step, and its seconds."""
    learner, task = case.build()
    prepare(learner)
    said: list[train.Progress] = []
    target = case.data.train if case.has_target else None
    with tempfile.TemporaryDirectory() as folder:
        options = train.Options(workers=case.workers)
        train.fit(learner, task, case.data.train, target, Path(folder), Augmentation(), options, said.append)
    return said[FIRST:], [progress.seconds for progress in said[FIRST:]]


def plain_loop(case: Case) -> list[float]:
    """Train by the loop that one would write by hand; return the seconds of each step."""
    learner, task = case.build()
    device, schedule = train.default_device(), task.schedule
    autocast = torch.autocast(device, torch.bfloat16) if train.default_precision() == "bf16" else nullcontext()
    streams = _streams(case, learner, task)
    learner.to(device).train()
    optimizers = learner.optimizers(schedule)
    groups = [(group, group["lr"]) for optimizer in optimizers for group in optimizer.param_groups]
    seconds, clock = [], perf_counter()
    for step in range(schedule.steps):
        for group, full in groups:
            group["lr"] = full * schedule.rate(step)
        source, *others = [next(stream).to(device) for stream in streams]
        with autocast:
            terms = learner.losses(source, others[0] if others else None)
        for optimizer in optimizers:
            optimizer.zero_grad(set_to_none=True)
        learner.total(terms).backward()  # type: ignore[no-untyped-call]
        for optimizer in optimizers:
            optimizer.step()
        learner.follow()
        before, clock = clock, now()
        seconds.append(clock - before)
    return seconds[FIRST:]


def _streams(case: Case, learner: Learner, task: Task) -> list[Iterator[Clips]]:
    tracklets, schedule, scale = case.data.train, task.schedule, task.scale
    shapes = [
        ClipShape(schedule.num_frames, height, height * scale.width // scale.height)
        for height in schedule.heights(scale.height)
    ]
    labels, unknown = source_labels(tracklets), target_labels(tracklets)
    size = schedule.num_persons * schedule.clips_per_person
    sides: list[tuple[ClipSet, Batches]] = [
        (
            ClipSet(tracklets, labels, outfit_labels(tracklets), Augmentation()),
            PersonBatches(labels, schedule.num_persons, schedule.clips_per_person, 0),
        )
    ]
    if case.has_target:
        batches = RandomBatches(len(tracklets), max(1, size // learner.target_views), 0, learner.target_views)
        sides.append((ClipSet(tracklets, unknown, unknown, Augmentation()), batches))
    return [loader(clips, batches, shapes, seed=0, workers=case.workers) for clips, batches in sides]


def profile(case: Case) -> list[dict[str, float]]:
    """Time the parts of the trainer's steps: seconds of each, which add up to `step`."""
    watch = Stopwatch()
    readings: list[dict[str, float]] = []
    watch.after_step = lambda: readings.append(dict(watch.seconds))
    said, _ = fit(case, watch.watch_learner)
    steps = []
    for progress, (before, after) in zip(said, pairwise(readings[FIRST - 1 :]), strict=True):
        parts = {"waiting for data": progress.data_wait * progress.seconds}
        parts |= {name: seconds - before[name] for name, seconds in after.items()}
        steps.append({"step": progress.seconds, **parts, "everything else": progress.seconds - sum(parts.values())})
    return steps


class Stopwatch:
    """The seconds of named parts, each without the parts that are called inside it."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.after_step: Callable[[], None] = lambda: None
        self._inside = [0.0]

    def watch(self, owner: Any, method: str, name: str) -> None:
        """Time a method of one object from now on."""
        setattr(owner, method, self.timed(getattr(owner, method), lambda: name))

    def timed(self, function: Callable[..., Any], name: Callable[[], str]) -> Callable[..., Any]:
        def run(*given: Any, **named: Any) -> Any:
            called = name()
            self._inside.append(0.0)
            began = now()
            result = function(*given, **named)
            took = now() - began
            self.seconds[called] += took - self._inside.pop()
            self._inside[-1] += took
            return result

        return run

    def watch_learner(self, learner: Any) -> None:
        """Time what a step consists of: the passes through the network, the losses, backward and the update."""
        sides: list[str] = []  # of this step: the source passes through the network first
        learner.encoder.forward = self.timed(learner.encoder.forward, lambda: sides.pop(0))
        teacher = getattr(learner, "teacher", None)
        if teacher is not None:
            self.watch(teacher.network, "forward", "teacher backbone")
        for method, name in LOSSES.items():
            if hasattr(learner, method):
                self.watch(learner, method, name)
        self.watch(learner, "total", "weighing losses")
        self.watch(learner, "follow", "moving averages")
        own_step = learner.step

        def step(forward: Any, source: Clips, target: Any, optimizers: Any, backward: Any) -> Any:
            sides[:] = ["source backbone", "target backbone"]
            for optimizer in optimizers:
                if not self._is_watched(optimizer):
                    self.watch(optimizer, "step", "optimiser")
            terms = own_step(forward, source, target, optimizers, self.timed(backward, lambda: "backward"))
            self.after_step()
            return terms

        learner.step = step

    @staticmethod
    def _is_watched(optimizer: Any) -> bool:
        return "step" in vars(optimizer)


def now() -> float:
    """Read the clock when the device has done what it was asked."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return perf_counter()
