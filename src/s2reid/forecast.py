"""What a training and its tests will take on this machine: a few steps are timed, the rest is arithmetic."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import torch

from s2reid import model, scales, train
from s2reid.batch import Clips
from s2reid.embed import BATCH_IMAGES
from s2reid.experiment import Plan, is_trained
from s2reid.learner import Learner
from s2reid.types import Coverage

LONG_ENOUGH = 5.0
"""Seconds after which a step has been timed well: a large network on a CPU is slow."""


@dataclass(frozen=True)
class Forecast:
    """What a training and its tests will take: seconds on this machine, trained parameters, bytes of its model.

    A test embeds an image in `image_seconds` (its mirror image included), in clips of `clip_length` frames, and keeps
    `vector_bytes` of a tracklet.
    """

    seconds: float
    parameters: int
    bytes: int
    image_seconds: float
    clip_length: int
    coverage: Coverage
    vector_bytes: int

    def testing(self, lengths: Sequence[int]) -> float:
        """Predict the seconds of a test on tracklets of these lengths, without the ranking."""
        each = self.clip_length
        images = sum(each if self.coverage == "begin" else each * math.ceil(length / each) for length in lengths)
        return images * self.image_seconds


def forecast(plan: Plan, precision: str | None = None) -> Forecast:
    """Predict what a training takes, without what it goes on from: a few steps are timed, the rest is arithmetic.

    Raises `ValueError` for weights that its backbone cannot start from.
    """
    settings, schedule = plan.resolved()
    scale = scales.find(plan.scale)
    learner: Learner = settings.build(plan.task())
    if plan.start and plan.start.is_file() and not plan.before():
        model.load_pretrained(learner.backbone, plan.start)
    share = sum((height / scale.height) ** 2 for height in schedule.heights(scale.height))
    # As many as fit the laptop, or a whole step of a GPU, which is slow with few.
    most = 64 * scales.SMALL.height * scales.SMALL.width // (scale.height * scale.width)
    whole = schedule.num_persons * schedule.clips_per_person
    clips = whole if train.default_device() == "cuda" else min(whole, max(4, most // schedule.num_frames))
    per_image = _seconds_per_image(learner, scale, clips, schedule.num_frames, precision or train.default_precision())
    length = learner.clip_length or scale.num_frames
    embedding, vector_bytes = _seconds_to_embed(learner, scale, length)
    return Forecast(
        share * schedule.images_per_step * per_image,
        sum(parameter.numel() for parameter in learner.parameters() if parameter.requires_grad),
        sum(value.nbytes for value in learner.state_dict().values()),
        embedding,
        length,
        learner.test.coverage,
        vector_bytes,
    )


def cost(plan: Plan, root: Path) -> str:
    """Say what a training will cost on this machine."""
    training, before = plan.training(), plan.before() or plan.trunk()
    if is_trained(training, root):
        return f"trained already, in {training.folder(root)}: nothing to do"
    scale, schedule, expected = scales.find(plan.scale), training.schedule, forecast(plan)
    images = schedule.images_per_step * (2 if training.target else 1)
    earlier = f"{cost(before, root)}; then " if before else ""
    return (
        f"{earlier}{schedule.steps} steps of {images} images at {scale.height}x{scale.width} or less, "
        f"{expected.parameters / 1e6:.2f} M parameters, {train.default_device()}: about {expected.seconds / 60:.1f} "
        "minutes"
    )


def _seconds_per_image(learner: Learner, scale: scales.Scale, num_clips: int, num_frames: int, precision: str) -> float:
    """Time one step on grey clips, and divide by the source's images."""
    device = train.default_device()
    learner = learner.to(device).train()
    pixels = torch.full((num_clips, num_frames, 3, scale.height, scale.width), 127, dtype=torch.uint8, device=device)
    labels = torch.arange(num_clips, device=device) // 2
    clips = Clips(pixels, labels % 2, labels, labels % 2, labels)
    number = torch.float16 if precision == "fp16" else torch.bfloat16
    taken = []
    for _ in range(3):
        began = perf_counter()
        with torch.autocast(device, number, enabled=precision != "no"):
            total = learner.total(learner.losses(clips, clips))
        total.backward()  # type: ignore[no-untyped-call]
        if device == "cuda":
            torch.cuda.synchronize()
        taken.append(perf_counter() - began)
        if sum(taken) > LONG_ENOUGH:
            break
    return min(taken) / (num_clips * num_frames)


@torch.no_grad()
def _seconds_to_embed(learner: Learner, scale: scales.Scale, length: int) -> tuple[float, int]:
    """Time the embedding of two grey clips (a GPU: of a batch of them), and measure a tracklet's bytes."""
    device = train.default_device()
    number = max(1, BATCH_IMAGES // length) if device == "cuda" else 2
    learner.eval()
    pixels = torch.full((number, length, 3, scale.height, scale.width), 127, dtype=torch.uint8, device=device)
    taken = []
    for _ in range(2):
        began = perf_counter()
        features = learner.embed(pixels).cpu()
        taken.append(perf_counter() - began)
    return min(taken) / (number * length), learner.pool(features[:1]).float().numel() * 4
