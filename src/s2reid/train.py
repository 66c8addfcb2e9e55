"""The training loop, read from top to bottom. It knows no method by name: they meet as `Learner`."""

import importlib.util
import json
import math
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import accelerate
import torch
from accelerate.utils import ProjectConfiguration
from safetensors import SafetensorError

from s2reid import whole
from s2reid.batch import Clips
from s2reid.layers.checkpointing import Checkpointing
from s2reid.layers.global_norm import globalise
from s2reid.learner import Learner, Task, Terms
from s2reid.plan import plan
from s2reid.runs import LOG, read_log
from s2reid.types import Tracklet
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

CHECKPOINT = "checkpoint"
LOG_EVERY = 10  # steps whose mean makes one line of the log


@dataclass(frozen=True)
class Progress:
    """What the loop says of itself after every step: to the progress bar and, averaged, to the log."""

    step: int
    steps: int
    seconds: float
    images_per_second: float
    data_wait: float
    terms: dict[str, float]
    watched: dict[str, float]


@dataclass(frozen=True)
class Options:
    """How a run is carried out; none of it changes what is learned, but for rounding.

    Args:
        checkpointing: keep less of the forward pass and compute it again for the gradient; equal bits.
    """

    seed: int = 0
    workers: int = 1
    checkpoint_every: int = 200
    precision: str | None = None
    tensorboard: bool = False
    checkpointing: bool = False

    def __post_init__(self) -> None:
        for name, least in (("seed", 0), ("workers", 0), ("checkpoint_every", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)}, expected at least {least}")
        if self.tensorboard and importlib.util.find_spec("tensorboard") is None:
            raise ValueError(
                "tensorboard is not installed: pip install 's2reid[tensorboard]', or leave out --tensorboard"
            )
        if self.seed >= 2**63:
            raise ValueError(f"seed is {self.seed}, expected less than 2**63")
        if self.precision == "fp16" and default_device() == "cpu":
            raise ValueError("precision fp16 needs a GPU, and there is none: take bf16, or leave it out for float32")

    @property
    def numbers(self) -> str:
        """Name the numbers that the network computes in: "float32", "bf16" or "fp16"."""
        chosen = self.precision or default_precision()
        return "float32" if chosen == "no" else chosen


def fit(
    learner: Learner,
    task: Task,
    source: Sequence[Tracklet],
    target: Sequence[Tracklet] | None,
    folder: Path,
    augmentation: Augmentation,
    options: Options = Options(),
    report: Callable[[Progress], None] = lambda progress: None,
) -> Learner:
    """Train a learner in place and return it; a run that was stopped goes on from its last checkpoint.

    Args:
        source: labelled tracklets.
        target: tracklets whose labels, if they have any, are dropped here; None for a method that needs none.
        folder: where `log.jsonl` and the checkpoint go; a checkpoint replaces the last one atomically.
        report: told of every step.

    Raises:
        ValueError: where the data cannot fill a batch, or a loss term is no longer finite (the checkpoint is kept).
    """
    folder.mkdir(parents=True, exist_ok=True)
    schedule, precision = task.schedule, options.precision or default_precision()
    accelerator = accelerate.Accelerator(
        cpu=default_device() == "cpu",
        mixed_precision=precision,
        log_with="tensorboard" if options.tensorboard else None,
        project_config=ProjectConfiguration(project_dir=str(folder), logging_dir=str(folder)),
    )
    if options.tensorboard:
        accelerator.init_trackers("tensorboard")

    # Data: the global batch of a step is a function of the seed and the step alone.
    shapes = [
        ClipShape(schedule.num_frames, height, height * task.scale.width // task.scale.height)
        for height in schedule.heights(task.scale.height)
    ]
    labels = source_labels(source)
    persons = PersonBatches(labels, schedule.num_persons, schedule.clips_per_person, options.seed)
    clip_sets = [ClipSet(source, labels, outfit_labels(source), augmentation)]
    usual: list[Batches] = [persons]
    if target is not None:
        clip_sets.append(ClipSet(target, target_labels(target), target_labels(target), augmentation))
        size, views = schedule.num_persons * schedule.clips_per_person, learner.target_views
        usual.append(RandomBatches(len(target), max(1, size // views), options.seed, views))

    # State: the network, its optimizers and the learning rate, restored from the last checkpoint.
    if accelerator.num_processes > 1:
        globalise(learner, accelerator.device)
    checkpointing = Checkpointing(learner.backbone) if options.checkpointing else None
    optimizers = learner.optimizers(schedule)
    base_rates = [[group["lr"] for group in optimizer.param_groups] for optimizer in optimizers]
    wrapped, *optimizers = accelerator.prepare(learner, *optimizers)
    first_step = _restore(accelerator, folder)

    # Epochs, where the method plans them. A checkpoint lies between two, so that a resumed run plans as it would have.
    epoch, batches, checkpoint_every = learner.epoch or max(1, schedule.steps), usual, options.checkpoint_every
    if learner.epoch:
        checkpoint_every = -(-checkpoint_every // epoch) * epoch
        if accelerator.num_processes > 1:
            raise ValueError(f"{type(learner).__name__} plans its epochs in one process: start one, not several")

    # The loop.
    learner.train()
    log = _Log(folder / LOG, first_step, accelerator)
    clock = time.perf_counter()
    for step in range(first_step, schedule.steps):
        if step % epoch == 0 or step == first_step:
            if learner.epoch:
                batches = plan(learner, step // epoch, clip_sets, usual, schedule, shapes[-1], options.seed)
            streams: list[Iterator[Clips]] = [
                loader(
                    clips,
                    batch,
                    shapes[: step + epoch],
                    seed=options.seed,
                    first_step=step,
                    workers=options.workers,
                    rank=accelerator.process_index,
                    world_size=accelerator.num_processes,
                )
                for clips, batch in zip(clip_sets, batches)
            ]
        for optimizer, rates in zip(optimizers, base_rates):
            for group, rate in zip(optimizer.param_groups, rates):
                group["lr"] = rate * schedule.rate(step)
        waiting = time.perf_counter()
        source_clips, *target_batch = [next(stream).to(accelerator.device) for stream in streams]
        target_clips = target_batch[0] if target_batch else None
        waited = time.perf_counter() - waiting
        terms = learner.step(wrapped, source_clips, target_clips, optimizers, accelerator.backward)
        if checkpointing and not checkpointing.calls:
            raise ValueError(
                f"checkpointing knows no block that {type(learner.backbone).__name__} runs as a whole: leave it out"
            )
        values, watched = _numbers(terms), _numbers(learner.watched)
        _check_finite(values, step, folder)

        seconds, clock = time.perf_counter() - clock, time.perf_counter()
        images = sum(clips.num_images for clips in (source_clips, target_clips) if clips is not None)
        progress = Progress(
            step + 1,
            schedule.steps,
            seconds,
            images * accelerator.num_processes / seconds,
            waited / seconds,
            values,
            watched,
        )
        report(progress)
        log.add(progress, schedule.learning_rate * schedule.rate(step))
        if (step + 1) % checkpoint_every == 0 and step + 1 < schedule.steps:
            log.flush()
            _checkpoint(accelerator, folder, step + 1)
    log.flush()
    for tracker in accelerator.trackers:  # accelerate's own end would part the processes, and a next stage needs them
        tracker.finish()
    return learner


def disband() -> None:
    """Part the processes that train together, after the last training."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def default_device() -> str:
    """Name the device that training will use."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def default_precision() -> str:
    """Choose bf16 where the device computes faster in it, else float32 ("no")."""
    return "bf16" if torch.cuda.is_available() and torch.cuda.is_bf16_supported() else "no"


def _numbers(terms: Terms) -> dict[str, float]:
    return {name: float(term.detach()) for name, term in terms.items()}


def _check_finite(values: dict[str, float], step: int, folder: Path) -> None:
    broken = [name for name, value in values.items() if not math.isfinite(value)]
    if broken:
        raise ValueError(
            f"the loss term {broken[0]!r} is {values[broken[0]]} at step {step + 1} (terms: {values}): "
            f"try a lower learning rate; the last checkpoint is kept in {folder}"
        )


def _checkpoint(accelerator: accelerate.Accelerator, folder: Path, step: int) -> None:
    """Save the state of every process, then put the new checkpoint in the old one's place."""
    partial = folder / f"{CHECKPOINT}.partial"
    if accelerator.is_main_process:
        shutil.rmtree(partial, ignore_errors=True)
    accelerator.wait_for_everyone()
    try:
        accelerator.save_state(str(partial))
        accelerator.wait_for_everyone()
        if accelerator.is_main_process:
            (partial / "step.json").write_text(json.dumps({"step": step}))
            whole.put(partial, folder / CHECKPOINT)
    except (OSError, RuntimeError, SafetensorError) as error:  # what a full disk looks like from here
        shutil.rmtree(partial, ignore_errors=True)
        raise OSError(f"cannot write the checkpoint {partial}: {error}") from error
    accelerator.wait_for_everyone()


def _restore(accelerator: accelerate.Accelerator, folder: Path) -> int:
    """Load the checkpoint, if there is one, and return the step to go on with."""
    newest = folder / CHECKPOINT
    for place in (newest, whole.old(newest)):
        said = place / "step.json"
        if said.is_file():
            try:
                accelerator.load_state(str(place))
                return int(json.loads(said.read_text())["step"])
            except Exception as error:  # a damaged file makes the readers raise almost anything
                raise ValueError(
                    f"cannot go on from the checkpoint {place} ({error}): remove it to train from the start"
                ) from error
    return 0


class _Log:
    """`log.jsonl`: one line for every `LOG_EVERY` steps, with the means over them."""

    def __init__(self, path: Path, first_step: int, accelerator: accelerate.Accelerator) -> None:
        self.path, self.accelerator = path, accelerator
        self.waiting: list[Progress] = []
        self.is_main = accelerator.is_main_process
        if self.is_main:  # what a killed run logged after its last checkpoint will come again
            kept = [line for line in read_log(path) if line["step"] <= first_step]
            whole.write(path, "".join(json.dumps(line) + "\n" for line in kept))

    def add(self, progress: Progress, learning_rate: float) -> None:
        self.waiting.append(progress)
        self.learning_rate = learning_rate
        if progress.step % LOG_EVERY == 0:
            self.flush()

    def flush(self) -> None:
        if not self.waiting:
            return
        seconds = sum(progress.seconds for progress in self.waiting)
        images = sum(progress.images_per_second * progress.seconds for progress in self.waiting)
        terms, watched = (
            _means([getattr(progress, name) for progress in self.waiting]) for name in ("terms", "watched")
        )
        line = {
            "step": self.waiting[-1].step,
            "seconds": seconds,
            "images_per_second": images / seconds,
            "data_wait": sum(progress.data_wait * progress.seconds for progress in self.waiting) / seconds,
            "learning_rate": self.learning_rate,
            "terms": terms,
            **({"watched": watched} if watched else {}),
        }
        self.waiting = []
        if self.is_main:
            with open(self.path, "a") as file:
                file.write(json.dumps(line) + "\n")
            self.accelerator.log({f"loss/{name}": value for name, value in terms.items()}, step=line["step"])
            self.accelerator.log(watched, step=line["step"])


def _means(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}


def set_threads(threads: int | None) -> None:
    """Set the CPU threads of the network; None leaves them as they are."""
    if threads is not None and threads < 1:
        raise ValueError(f"threads is {threads}, expected at least 1")
    if threads:
        torch.set_num_threads(threads)
