"""Write a world to disk: plan, render over processes, resume; every tracklet's folder appears whole or not at all."""

import shutil
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from s2reid import lock
from s2reid.world import coco, layouts, pool
from s2reid.world.folder import (
    MARKER,
    PARTIAL,
    check_room,
    encode,
    is_finished,
    is_written,
    mark,
    read_marker,
    replace,
    told_of_a_full_disk,
)
from s2reid.world.presets import Planned, find
from s2reid.world.request import Estimate, Request, cost, estimate, request

__all__ = ["MARKER", "PARTIAL", "Estimate", "Request", "contact_sheet", "estimate", "read_marker", "request", "write"]

VERSION = 1
"""Of the files: raised when every world is written in another way. What changes one world is `Preset.version`."""
GAP = 6  # pixels between two persons of a contact sheet


@dataclass(frozen=True)
class Job:
    """A world to write: what is asked, where it goes, and whether its truth is written beside its images."""

    root: Path
    asked: Request
    has_truth: bool

    def frame(self, item: Planned, index: int) -> Path:
        layout = self.asked.sized().layout
        return self.root / layouts.folder(layout, item) / layouts.frame_name(layout, item, index)

    def is_there(self, item: Planned) -> bool:
        """Say whether a tracklet is whole."""
        truth = (self.root / coco.TRUTH, coco.part(self.root, item.index))
        if self.has_truth and not any(path.is_file() for path in truth):
            return False
        return all(is_written(self.frame(item, index)) for index in range(item.frames))


def write(
    preset: str,
    out: str | Path,
    *,
    seed: int = 0,
    size: str | None = None,
    persons: int | None = None,
    frames: int | None = None,
    height: int | None = None,
    without: Sequence[str] = (),
    truth: bool = False,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Render a preset into the folder `out` and return it.

    `without` leaves ingredients out (`ingredients.INGREDIENTS`); with `truth` what is true of every image is written
    to `truth.json` (see `coco`). An unfinished world of the same request is resumed, a finished one is left alone or
    gets its truth, and any other folder that is not empty is refused with `ValueError`, and so is one that another
    process is rendering into. The files do not depend on the number of workers (default: one a core; 1 renders in this
    process). `progress` is called with the images done and their total.
    """
    asked = request(preset, seed=seed, size=size, persons=persons, frames=frames, height=height, without=without)
    job, processes = Job(Path(out), asked, truth), pool.count(workers)
    if _is_finished(job):
        return job.root
    todo = [task for task in _tasks(asked) if not all(job.is_there(item) for item in task)]
    total = _num_images(asked.plan())
    done = total - sum(_num_images(task) for task in todo)
    check_room(job.root, cost(asked, truth=truth).bytes * (1 - done / total))
    with told_of_a_full_disk(job.root), lock.held(job.root):
        shutil.rmtree(job.root / PARTIAL, ignore_errors=True)
        _mark(job, finished=False)
        for count in pool.run([partial(render_person, job, task) for task in todo], processes, str(job.root)):
            done += count
            if progress is not None:
                progress(done, total)
        _finish(job)
    return job.root


def _finish(job: Job) -> None:
    """Write what speaks of the whole world, and say at last that it is one."""
    root, preset, planned = job.root, job.asked.sized(), job.asked.plan()
    for name, content in layouts.find(preset.layout).lists(preset, planned, job.asked.seed).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        replace(root / name, content)
    if job.has_truth and not (root / coco.TRUTH).is_file():
        parts = [coco.part(root, item.index) for item in planned]
        coco.merge(root / coco.TRUTH, f"{preset.name}, seed {job.asked.seed}", parts)
    for left in (PARTIAL, coco.PARTS):
        shutil.rmtree(root / left, ignore_errors=True)
    _mark(job, finished=True)


def _tasks(asked: Request) -> list[tuple[Planned, ...]]:
    """Group the plan by person and outfit, so that a worker builds each of them once."""
    return [tuple(items) for _, items in groupby(asked.plan(), key=lambda item: (item.person, item.outfit))]


def _num_images(task: Iterable[Planned]) -> int:
    return sum(item.frames for item in task)


def render_person(job: Job, task: tuple[Planned, ...]) -> int:
    """Render the tracklets of one person in one outfit that are not there yet; return the images of all of them."""
    missing = [item for item in task if not job.is_there(item)]
    if not missing:
        return _num_images(task)
    asked, figure = job.asked, job.asked.dress(task[0])
    wears = asked.wears(task[0]) if job.has_truth else {}
    for item in missing:
        folder = job.root / PARTIAL / uuid.uuid4().hex
        folder.mkdir(parents=True)
        paths, records = [job.frame(item, index) for index in range(item.frames)], []
        for path, frame in zip(paths, asked.shots(item, figure, is_examined=job.has_truth)):
            (folder / path.name).write_bytes(encode(frame.crop, path.name))
            if job.has_truth:
                records.append(coco.of_crop(item, frame, path.relative_to(job.root).as_posix(), wears))
        if job.has_truth:
            coco.write_part(coco.part(job.root, item.index), records)
        _move(folder, paths, whole=layouts.find(asked.sized().layout).OWN_FOLDERS)
    return _num_images(task)


def _move(source: Path, paths: list[Path], *, whole: bool) -> None:
    """Move a tracklet's frames where they belong: as a whole folder, or one after another where others lie there."""
    folder = paths[0].parent
    if whole:
        shutil.rmtree(folder, ignore_errors=True)  # what somebody took frames out of
        folder.parent.mkdir(parents=True, exist_ok=True)
        source.rename(folder)
        return
    folder.mkdir(parents=True, exist_ok=True)
    for path in paths:
        (source / path.name).replace(path)
    source.rmdir()


def _mark(job: Job, *, finished: bool) -> None:
    """Say what this folder is, what its loader will count, and whether it is whole."""
    preset, counts = job.asked.sized(), layouts.counts(job.asked.sized(), job.asked.plan(), job.asked.seed)
    known = {"name": preset.name, "layout": preset.layout, **_versions(job.asked)}
    mark(job.root, {**known, "finished": finished, **job.asked.facts(), "counts": counts})


def _versions(asked: Request) -> dict[str, int]:
    return {"version": VERSION, "preset_version": find(asked.preset).version}


def _is_finished(job: Job) -> bool:
    """Say whether the folder already holds this world; refuse one that holds anything else."""
    defaults: dict[str, Any] = {"preset_version": 1, "without": []}
    is_whole = is_finished(job.root, {**_versions(job.asked), **job.asked.facts()}, defaults)
    return is_whole and (not job.has_truth or (job.root / coco.TRUTH).is_file())


def contact_sheet(root: str | Path, out_png: str | Path, *, persons: int = 24, columns: int = 16) -> Path:
    """Draw one PNG of a written world: a picture of each tracklet (its middle frame), a person's side by side.

    Whom the system does not know comes last: distractors in a row of theirs, and junk.
    """
    source, target = Path(root), Path(out_png)
    marker = read_marker(source)
    if "preset" not in marker:
        raise ValueError(f"{source} holds {marker['name']}: a contact sheet shows the tracklets of a preset")
    numbers = {name: marker[name] for name in ("seed", "persons", "frames", "height")}
    asked = request(marker["preset"], **numbers, without=marker.get("without", ()))
    job = Job(source, asked, has_truth=False)
    height, width = asked.height + 2, asked.height // 2 + 2
    groups = _by_person(asked, persons)
    most = min(columns, max(len(group) for group in groups))
    across = max(1, min(columns // most, len(groups)))  # persons beside each other
    sheet = np.full((-(-len(groups) // across) * height, across * (most * width + GAP) - GAP, 3), 128, np.uint8)
    for place, group in enumerate(groups):
        row, column = divmod(place, across)
        for number, item in enumerate(group[:most]):
            path = job.frame(item, item.frames // 2)
            image = cv2.imread(str(path))
            if image is None:
                raise ValueError(f"{path} is missing: the world in {source} is not whole")
            top, left = row * height + 1, column * (most * width + GAP) + number * width + 1
            sheet[top : top + asked.height, left : left + asked.height // 2] = image
    target.parent.mkdir(parents=True, exist_ok=True)
    replace(target, cv2.imencode(".png", sheet)[1].tobytes())
    return target


def _by_person(asked: Request, persons: int) -> list[list[Planned]]:
    """Group the tracklets of the first persons, then those of nobody whom the system knows."""
    groups: dict[tuple[str, int], list[Planned]] = {}
    for item in asked.plan():
        key = ("", item.person) if item.kind == "person" else (item.part, 0)
        groups.setdefault(key, []).append(item)
    known = [group for (part, _), group in groups.items() if not part]
    return known[:persons] + [group for (part, _), group in groups.items() if part]
