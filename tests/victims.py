"""What tests let other processes do in order to kill them. It is loaded once, by the server that forks them."""

import importlib
import itertools
import json
import multiprocessing
import os
import resource
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from tests import tiny

from s2reid import cli, datasets, experiment, lock, runs, scales
from s2reid.backbones import c2d
from s2reid.experiment import Plan
from s2reid.methods import source_only
from s2reid.report.document import write_document
from s2reid.train import Options
from s2reid.types import Dataset
from s2reid.world import write

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.victims"])
STEPS, EVERY = 12, 5
WORLD: dict[str, Any] = {"persons": 3, "frames": 2, "height": 16, "workers": 1}


def plan(source: Dataset, steps: int = STEPS) -> Plan:
    return Plan("source_only", source, scale="tiny", schedule=tiny.schedule(steps))


def train(source: str, root: Path, steps: int = STEPS, every: int = EVERY, begun: str = "", go: str = "") -> None:
    """Train; with file names, make the first after the third step and wait for the second."""
    c2d.SIZES["tiny"], scales.SCALES["tiny"], source_only.SCHEDULES["tiny"] = tiny.SIZE, tiny.SCALE, tiny.SCHEDULE
    torch.set_num_threads(1)

    def report(progress: Any) -> None:
        if begun and progress.step == 3:
            meet(begun, go)

    experiment.run(plan(datasets.load(source), steps), root, Options(0, 0, every), report)


def render(root: Path) -> None:
    write.write("svreid", root, **WORLD)


def page(out: Path) -> None:
    write_document(out, title="new", lead="", sections=[])


def add_scores(folder: Path, split: int) -> None:
    for target in range(20):
        runs.add_scores(folder, {"target": str(target), "split": split})


def hold(folder: Path, begun: str, go: str = "") -> None:
    with lock.held(folder):
        meet(begun, go)


def hold_and_leave_a_child(folder: Path, begun: str) -> None:
    """Hold a folder and die, with a child that lives on, as a loader's workers do for some seconds."""
    with lock.held(folder):
        child = os.fork()
        if not child:
            time.sleep(60)
            os._exit(0)
        Path(begun).write_text(str(child))
        os.kill(os.getpid(), signal.SIGKILL)


def meet(begun: str, go: str) -> None:
    Path(begun).touch()
    wait_for(Path(go)) if go else time.sleep(60)


def wait_for(path: Path, seconds: float = 120) -> None:
    """Wait until a file is there."""
    deadline = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not come"
        time.sleep(0.02)


def killed(module: str, name: str, call: int, when: str, act: Callable[..., None], *arguments: Any) -> None:
    """Do something, and be killed right before, or right after, one of the calls of a function, counted from 1."""
    owner: Any = importlib.import_module(module)
    *classes, name = name.split(".")
    for inner in classes:
        owner = getattr(owner, inner)
    original, calls = getattr(owner, name), itertools.count(1)

    def dying(*args: Any, **options: Any) -> Any:
        is_last = next(calls) == call
        if is_last and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        value = original(*args, **options)
        if is_last:
            os.kill(os.getpid(), signal.SIGKILL)
        return value

    setattr(owner, name, dying)
    act(*arguments)


def with_full_disk(step: int, bytes_: int, said: Path, source: str, root: Path, every: int) -> None:
    """Train, with no file larger than some bytes from a step on; write down the complaint and the exit code."""
    original, calls = experiment.train._check_finite, itertools.count(1)

    def filling(*arguments: Any) -> None:
        if next(calls) == step:
            resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_, resource.RLIM_INFINITY))
        original(*arguments)

    experiment.train._check_finite = filling
    try:
        train(source, root, STEPS, every)
    except Exception as error:
        printed: list[str] = []
        cli.print = lambda *text, **_: printed.extend(text)  # type: ignore[attr-defined]
        code = cli.complain(error)
        said.write_text(json.dumps({"code": code, "said": printed}))


@contextmanager
def process(act: Callable[..., None], *arguments: Any) -> Iterator[Any]:
    """Let another process do something; it does not outlive the body."""
    one = CONTEXT.Process(target=act, args=arguments)
    one.start()
    try:
        yield one
    finally:
        one.kill()
        one.join()


def run(act: Callable[..., None], *arguments: Any) -> int:
    """Let another process do something, and return its exit code."""
    with process(act, *arguments) as one:
        one.join(120)
        return one.exitcode
