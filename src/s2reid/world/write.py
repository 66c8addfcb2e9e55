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
from dataclasses import asdict
from itertools import groupby
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import simplejpeg
from jaxtyping import UInt8

from s2reid.world import layouts
from s2reid.world.presets import Planned, find
from s2reid.world.request import Estimate, Request, cost, estimate, request

__all__ = ["Estimate", "Request", "contact_sheet", "estimate", "read_marker", "request", "write"]

VERSION = 1
"""Raised whenever a rendered pixel changes."""
MARKER = "world.json"
PARTIAL = ".partial"
QUALITY = 92
GAP = 6  # pixels between two persons of a contact sheet


def write(
    preset: str,
    out: str | Path,
    *,
    seed: int = 0,
    size: str | None = None,
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
    asked = request(preset, seed=seed, size=size, persons=persons, frames=frames, height=height)
    workers = os.cpu_count() or 1 if workers is None else workers
    if workers < 1:
        raise ValueError(f"rendering needs at least 1 worker, found {workers}")
    root = Path(out)
    if _is_finished(root, asked):
        return root
    todo = [task for task in _tasks(asked) if not all(_is_there(root, asked, item) for item in task)]
    total = _num_images(asked.plan())
    done = total - sum(_num_images(task) for task in todo)
    _check_room(root, asked, 1 - done / total)
    with _told_of_a_full_disk(root):
        root.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(root / PARTIAL, ignore_errors=True)
        _mark(root, asked, is_finished=False)
        for count in _render_all(root, asked, todo, workers):
            done += count
            if progress is not None:
                progress(done, total)
        shutil.rmtree(root / PARTIAL, ignore_errors=True)
        _write_lists(root, asked)
        _mark(root, asked, is_finished=True)
    return root


def _tasks(asked: Request) -> list[tuple[Planned, ...]]:
    """Group the plan by person and outfit, so that a worker builds each of them once."""
    return [tuple(items) for _, items in groupby(asked.plan(), key=lambda item: (item.person, item.outfit))]


def _num_images(task: Iterable[Planned]) -> int:
    return sum(item.frames for item in task)


def _frame(root: Path, asked: Request, item: Planned, index: int) -> Path:
    layout = asked.sized().layout
    return root / layouts.folder(layout, item) / layouts.frame_name(layout, item, index)


def _is_there(root: Path, asked: Request, item: Planned) -> bool:
    """Say whether a tracklet is whole: its last frame comes last."""
    return _frame(root, asked, item, item.frames - 1).is_file()


def _write_lists(root: Path, asked: Request) -> None:
    preset = asked.sized()
    for name, content in layouts.find(preset.layout).lists(preset, asked.plan(), asked.seed).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        _replace(root / name, content)


def _replace(path: Path, content: bytes) -> None:
    partial = path.with_name(path.name + PARTIAL)
    partial.write_bytes(content)
    partial.replace(path)


def _render_all(root: Path, asked: Request, todo: list[tuple[Planned, ...]], workers: int) -> Iterator[int]:
    """Render every task, here or in other processes, and yield how many images each one held."""
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


def render_person(root: Path, asked: Request, task: tuple[Planned, ...]) -> int:
    """Render the tracklets of one person in one outfit that are not there yet; return the images of all of them."""
    missing = [item for item in task if not _is_there(root, asked, item)]
    if not missing:
        return _num_images(task)
    figure = asked.dress(task[0])
    for item in missing:
        partial = root / PARTIAL / uuid.uuid4().hex
        partial.mkdir(parents=True)
        paths = [_frame(root, asked, item, index) for index in range(item.frames)]
        for path, frame in zip(paths, asked.film(item, figure)):
            (partial / path.name).write_bytes(_encode(frame, path.name))
        _move(partial, paths, whole=layouts.find(asked.sized().layout).OWN_FOLDERS)
    return _num_images(task)


def _move(partial: Path, paths: list[Path], *, whole: bool) -> None:
    """Move a tracklet's frames where they belong: as a whole folder, or one after another where others lie there."""
    folder = paths[0].parent
    if whole:
        shutil.rmtree(folder, ignore_errors=True)  # what somebody took frames out of
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial.rename(folder)
        return
    folder.mkdir(parents=True, exist_ok=True)
    for path in paths:
        (partial / path.name).replace(path)
    partial.rmdir()


def _encode(frame: UInt8[np.ndarray, "h w 3"], name: str) -> bytes:
    if name.endswith(".jpg"):
        return bytes(simplejpeg.encode_jpeg(frame, QUALITY, "RGB", "420"))
    is_encoded, code = cv2.imencode(".png", frame[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 3])
    assert is_encoded
    return bytes(code)


def _mark(root: Path, asked: Request, *, is_finished: bool) -> None:
    """Write the marker atomically: what this folder is, what its loader will count, and whether it is whole."""
    preset = asked.sized()
    facts = {
        "name": preset.name,
        "layout": preset.layout,
        "version": VERSION,
        "preset_version": preset.version,
        "finished": is_finished,
        **asdict(asked),
        "counts": layouts.counts(preset, asked.plan(), asked.seed),
    }
    _replace(root / MARKER, (json.dumps(facts, indent=2) + "\n").encode())


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
    versions = {"version": VERSION, "preset_version": find(asked.preset).version}
    for name, value in (asdict(asked) | versions).items():
        if found.get(name, 1) != value:
            raise ValueError(
                f"{root} holds a world with {name} {found.get(name, 1)!r}, asked for {value!r}: "
                "name another folder, or ask for the same to resume"
            )
    return bool(found["finished"])


def _check_room(root: Path, asked: Request, missing: float) -> None:
    """Refuse to start what cannot end: the disk must hold the share of the images that is still missing."""
    needed = int(cost(asked).bytes * missing)
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
    """Draw one PNG of a written world: a picture of each tracklet (its middle frame), a person's side by side.

    Whom the system does not know comes last: distractors in a row of theirs, and junk.
    """
    source, target = Path(root), Path(out_png)
    marker = read_marker(source)
    asked = request(marker["preset"], **{name: marker[name] for name in ("seed", "persons", "frames", "height")})
    height, width = asked.height + 2, asked.height // 2 + 2
    groups = _by_person(asked, persons)
    most = min(columns, max(len(group) for group in groups))
    across = max(1, min(columns // most, len(groups)))  # persons beside each other
    sheet = np.full((-(-len(groups) // across) * height, across * (most * width + GAP) - GAP, 3), 128, np.uint8)
    for place, group in enumerate(groups):
        row, column = divmod(place, across)
        for number, item in enumerate(group[:most]):
            path = _frame(source, asked, item, item.frames // 2)
            image = cv2.imread(str(path))
            if image is None:
                raise ValueError(f"{path} is missing: the world in {source} is not whole")
            top, left = row * height + 1, column * (most * width + GAP) + number * width + 1
            sheet[top : top + asked.height, left : left + asked.height // 2] = image
    target.parent.mkdir(parents=True, exist_ok=True)
    _replace(target, cv2.imencode(".png", sheet)[1].tobytes())
    return target


def _by_person(asked: Request, persons: int) -> list[list[Planned]]:
    """Group the tracklets of the first persons, then those of nobody whom the system knows."""
    groups: dict[tuple[str, int], list[Planned]] = {}
    for item in asked.plan():
        key = ("", item.person) if item.kind == "person" else (item.part, 0)
        groups.setdefault(key, []).append(item)
    known = [group for (part, _), group in groups.items() if not part]
    return known[:persons] + [group for (part, _), group in groups.items() if part]
