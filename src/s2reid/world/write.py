"""Write a world to disk: plan, render over processes, resume; every tracklet's folder appears whole or not at all."""

import errno
import json
import multiprocessing
import os
import shutil
import signal
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import groupby
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import simplejpeg
from jaxtyping import UInt8

from s2reid.world import layouts
from s2reid.world.film import World
from s2reid.world.presets import Planned, find, plan, sized

VERSION = 1
"""Raised whenever a rendered pixel changes."""
MARKER = "world.json"
PARTIAL = ".partial"
QUALITY = 92
GAP = 6  # pixels between two persons of a contact sheet
SECONDS_PER_IMAGE, SECONDS_PER_PERSON = 0.004, 0.02


@dataclass(frozen=True)
class Request:
    """Everything that decides the files of a world, and nothing else."""

    preset: str
    seed: int
    persons: int
    frames: int
    height: int

    @lru_cache(maxsize=4)  # noqa: B019 - a process asks for one world
    def world(self) -> World:
        return World(sized(find(self.preset), self.persons, self.frames, self.height), self.seed)

    @lru_cache(maxsize=4)  # noqa: B019
    def plan(self) -> tuple[Planned, ...]:
        return plan(self.world().preset, self.seed)


@dataclass(frozen=True)
class Estimate:
    """What a world will cost: counts, bytes on disk, and seconds of one core."""

    persons: int
    tracklets: int
    images: int
    bytes: int
    seconds: float

    def __str__(self) -> str:
        return (
            f"{self.persons:,} persons, {self.tracklets:,} tracklets, {self.images:,} images, about "
            f"{self.bytes / 1e6:,.0f} MB and {max(self.seconds / 60, 0.1):,.1f} minutes of one core"
        )


def request(
    preset: str, *, seed: int = 0, persons: int | None = None, frames: int | None = None, height: int | None = None
) -> Request:
    """Fill in a preset's own sizes; raise `ValueError` for an unknown preset or an impossible size."""
    chosen = sized(find(preset), persons, frames, height)
    if seed < 0:
        raise ValueError(f"a world's seed is 0 or more, found {seed}")
    return Request(preset, seed, chosen.persons, chosen.frames, chosen.height)


def estimate(
    preset: str, *, seed: int = 0, persons: int | None = None, frames: int | None = None, height: int | None = None
) -> Estimate:
    """Say what `write` would cost, before it starts.

    >>> estimate("svreid", frames=10).images
    11640
    """
    asked = request(preset, seed=seed, persons=persons, frames=frames, height=height)
    chosen = sized(find(preset), asked.persons, asked.frames, asked.height)
    images = chosen.tracklets * asked.frames
    bytes_per_pixel = layouts.BYTES_PER_PIXEL[chosen.layout]
    size = int(images * (600 + bytes_per_pixel * asked.height * (asked.height // 2)))
    seconds = images * SECONDS_PER_IMAGE + asked.persons * SECONDS_PER_PERSON
    return Estimate(asked.persons, chosen.tracklets, images, size, seconds)


def write(
    preset: str,
    out: str | Path,
    *,
    seed: int = 0,
    persons: int | None = None,
    frames: int | None = None,
    height: int | None = None,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Render a preset into the folder `out` and return it.

    An unfinished world of the same request is resumed, a finished one is left alone, and any other folder that is
    not empty is refused with `ValueError`. The files do not depend on the number of `workers` (default: one a core;
    1 renders in this process). `progress` is called with the images done and their total.
    """
    asked = request(preset, seed=seed, persons=persons, frames=frames, height=height)
    workers = os.cpu_count() or 1 if workers is None else workers
    if workers < 1:
        raise ValueError(f"rendering needs at least 1 worker, found {workers}")
    root = Path(out)
    if _is_finished(root, asked):
        return root
    todo = [task for task in _tasks(asked) if not all(_folder(root, asked, item).is_dir() for item in task)]
    _check_room(root, asked, sum(len(task) for task in todo))
    total = len(asked.plan())
    with _told_of_a_full_disk(root):
        root.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(root / PARTIAL, ignore_errors=True)
        _mark(root, asked, is_finished=False)
        done = total - sum(len(task) for task in todo)
        for count in _render_all(root, asked, todo, workers):
            done += count
            if progress is not None:
                progress(done * asked.frames, total * asked.frames)
        shutil.rmtree(root / PARTIAL, ignore_errors=True)
        layouts.write_lists(root, asked.world().preset, asked.plan(), seed)
        _mark(root, asked, is_finished=True)
    return root


def _tasks(asked: Request) -> list[tuple[Planned, ...]]:
    """Group the plan by person, so that a worker builds each person once."""
    return [tuple(items) for _, items in groupby(asked.plan(), key=lambda item: item.person)]


def _folder(root: Path, asked: Request, item: Planned) -> Path:
    return root / layouts.folder(asked.world().preset.layout, item)


def _render_all(root: Path, asked: Request, todo: list[tuple[Planned, ...]], workers: int) -> Iterator[int]:
    """Render every task, here or in other processes, and yield how many tracklets each one held."""
    if workers == 1 or len(todo) < 2:
        for task in todo:
            yield render_person(root, asked, task)
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(workers, len(todo)), context, initializer=_start_worker)
    try:
        pending = [pool.submit(render_person, root, asked, task) for task in todo]
        for future in as_completed(pending):
            yield future.result()
    except BrokenProcessPool:
        raise ChildProcessError(
            f"a rendering process ended by itself, {root} stays unfinished: run the same again to resume, with fewer "
            "workers if memory ran out; a script must call this under `if __name__ == '__main__':`"
        ) from None
    finally:
        # Also on Ctrl-C: what runs ends (a person takes a moment), what waits is dropped.
        pool.shutdown(wait=True, cancel_futures=True)


def _start_worker() -> None:
    """Leave Ctrl-C to the parent, use one core, and never outlive the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_follow, args=(parent,), daemon=True).start()


def _follow(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)


def render_person(root: Path, asked: Request, task: Iterable[Planned]) -> int:
    """Render the tracklets of one person that are not there yet; return how many the task held."""
    items, world = list(task), asked.world()
    missing = [item for item in items if not _folder(root, asked, item).is_dir()]
    figure = world.person(items[0].person, items[0].outfit) if missing else None
    for item in missing:
        folder = _folder(root, asked, item)
        partial = root / PARTIAL / uuid.uuid4().hex
        partial.mkdir(parents=True)
        for index, frame in enumerate(world.film(item, figure)):
            name = layouts.frame_name(world.preset.layout, item, index)
            (partial / name).write_bytes(_encode(frame, name))
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial.rename(folder)
    return len(items)


def _encode(frame: UInt8[np.ndarray, "h w 3"], name: str) -> bytes:
    if name.endswith(".jpg"):
        return bytes(simplejpeg.encode_jpeg(frame, QUALITY, "RGB", "420"))
    is_encoded, code = cv2.imencode(".png", frame[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 3])
    assert is_encoded
    return bytes(code)


def _mark(root: Path, asked: Request, *, is_finished: bool) -> None:
    """Write the marker atomically: what this folder is, and whether it is whole."""
    planned, preset = asked.plan(), asked.world().preset
    counts = {
        "persons": asked.persons,
        "tracklets": len(planned),
        "images": len(planned) * asked.frames,
        "cameras": len({item.camera for item in planned}),
        "outfits": len({(item.person, item.outfit) for item in planned}),
    }
    facts = {"name": preset.name, "layout": preset.layout, "version": VERSION, "finished": is_finished}
    partial = root / (MARKER + ".partial")
    partial.write_text(json.dumps(facts | asdict(asked) | {"counts": counts}, indent=2) + "\n")
    partial.replace(root / MARKER)


def read_marker(root: Path) -> dict[str, Any]:
    """Read a world's `world.json`; raise `ValueError` where it is missing or damaged."""
    try:
        facts = json.loads((root / MARKER).read_text())
    except FileNotFoundError:
        raise ValueError(f"{root} has no {MARKER}: it is not a world that s2reid wrote; name another folder") from None
    except (json.JSONDecodeError, UnicodeDecodeError):
        facts = None
    needed = {"name", "preset", "seed", "version", "finished", "persons", "frames", "height"}
    if not isinstance(facts, dict) or not needed <= facts.keys():
        raise ValueError(f"{root / MARKER} is damaged: delete the folder {root} and render again")
    return facts


def _is_finished(root: Path, asked: Request) -> bool:
    """Say whether `root` already holds this world; refuse a folder that holds anything else."""
    if root.exists() and not root.is_dir():
        raise ValueError(f"{root} is a file: name a folder for the world")
    if not root.exists() or not any(root.iterdir()):
        return False
    found = read_marker(root)
    for name, value in (asdict(asked) | {"version": VERSION}).items():
        if found[name] != value:
            raise ValueError(
                f"{root} holds a world with {name} {found[name]!r}, asked for {value!r}: "
                "name another folder, or ask for the same to resume"
            )
    return bool(found["finished"])


def _check_room(root: Path, asked: Request, tracklets: int) -> None:
    """Refuse to start what cannot end: the disk must hold the tracklets that are still missing."""
    whole = estimate(asked.preset, persons=asked.persons, frames=asked.frames, height=asked.height)
    needed = whole.bytes * tracklets // whole.tracklets
    place = next(parent for parent in (root.absolute(), *root.absolute().parents) if parent.exists())
    free = shutil.disk_usage(place).free
    if free < needed:
        raise ValueError(
            f"{root} needs about {needed / 1e6:,.0f} MB, its disk has {free / 1e6:,.0f} MB free: "
            "free some room or ask for fewer persons or frames"
        )


@contextmanager
def _told_of_a_full_disk(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        shutil.rmtree(root / PARTIAL, ignore_errors=True)
        raise OSError(
            error.errno, f"the disk is full: {root} stays unfinished; free some room and run the same again to resume"
        ) from None


def contact_sheet(root: str | Path, out_png: str | Path, *, persons: int = 24, columns: int = 16) -> Path:
    """Draw one PNG of a written world: a picture of each tracklet (its middle frame), a person's side by side."""
    source, target = Path(root), Path(out_png)
    marker = read_marker(source)
    preset = find(marker["preset"])
    asked = request(preset.name, **{name: marker[name] for name in ("seed", "persons", "frames", "height")})
    height, width = asked.height + 2, asked.height // 2 + 2
    tasks = _tasks(asked)[:persons]
    most = min(columns, max(len(task) for task in tasks))
    across = max(1, min(columns // most, len(tasks)))  # persons beside each other
    sheet = np.full((-(-len(tasks) // across) * height, across * (most * width + GAP) - GAP, 3), 128, np.uint8)
    for place, task in enumerate(tasks):
        row, column = divmod(place, across)
        for number, item in enumerate(task[:most]):
            name = layouts.frame_name(preset.layout, item, asked.frames // 2)
            image = cv2.imread(str(_folder(source, asked, item) / name))
            if image is None:
                raise ValueError(
                    f"{_folder(source, asked, item) / name} is missing: the world in {source} is not whole"
                )
            top, left = row * height + 1, column * (most * width + GAP) + number * width + 1
            sheet[top : top + asked.height, left : left + asked.height // 2] = image
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(target.name + ".partial.png")
    partial.write_bytes(cv2.imencode(".png", sheet)[1].tobytes())
    partial.replace(target)
    return target
