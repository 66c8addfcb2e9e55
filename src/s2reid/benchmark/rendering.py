"""Rendering: crops a processor second on one core, JPEG writing included."""

import itertools
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import cv2
import simplejpeg

from s2reid.benchmark.part import Effort, Part, summarise
from s2reid.world import film, presets

CASES = {  # height, others in view, crops a second to reach
    "128x64, alone": (128, 0, 600),
    "256x128, alone": (256, 0, 250),
    "128x64, two others": (128, 2, 400),
    "256x128, two others": (256, 2, 170),
}


def measure(effort: Effort) -> Part:
    """Time every case, each person as high as the crop and filmed by the cameras of `svreid-large`."""
    rates = {
        name: time_crops(height, others, effort.seconds, effort.rounds) for name, (height, others, _) in CASES.items()
    }
    return Part(
        "render",
        "Rendering people, files written",
        [summarise(name, values, "crops/s") for name, values in rates.items()],
        note="Seconds of one processor core; a render with as many workers as there are cores is so much faster. There "
        "is nothing beside it: no other program makes these worlds.",
    )


def prepare(height: int, others: int) -> film.World:
    """Make a world whose people fill crops of `height` pixels, always with `others` beside them."""
    style = replace(
        presets.LARGE.cameras, stature=(0.9 * height, 0.9 * height), crowd=(float(others),) * 2, crowd_varies=False
    )
    return film.World(replace(presets.LARGE, cameras=style, height=height, frames=8), seed=0)


def time_crops(height: int, others: int, seconds: float, rounds: int, num_tracklets: int = 32) -> list[float]:
    """Return crops a processor second over many tracklets, a number a round."""
    with one_core(), tempfile.TemporaryDirectory() as folder:
        world, planned = prepare(height, others), presets.plan(presets.LARGE, 0)[:num_tracklets]
        figures = [world.person(item.person) for item in planned]
        for item, figure in zip(planned, figures):  # compile, and draw cameras and passers-by
            next(world.film(item, figure))
        tracklets = itertools.cycle(zip(planned, figures))
        return [_rate(world, tracklets, seconds, Path(folder)) for _ in range(rounds)]


def _rate(world: film.World, tracklets: Iterator, seconds: float, folder: Path) -> float:  # type: ignore[type-arg]
    count, start = 0, time.process_time()
    for item, figure in tracklets:
        for index, crop in enumerate(world.film(item, figure)):
            Path(folder, f"{index}.jpg").write_bytes(simplejpeg.encode_jpeg(crop, 92, "RGB", "420"))
            count += 1
        if time.process_time() - start > seconds:
            break
    return count / (time.process_time() - start)


@contextmanager
def one_core() -> Iterator[None]:
    """Render on one thread and people of any size, until the body is done."""
    threads, largest = cv2.getNumThreads(), film.LARGEST
    cv2.setNumThreads(1)
    film.LARGEST = 10**9
    try:
        yield
    finally:
        cv2.setNumThreads(threads)
        film.LARGEST = largest
