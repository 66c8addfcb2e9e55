"""Whole surveillance video: one place, several cameras that run at the same time, and everybody's tracks.

    camera1/{img1/000001.jpg, gt/gt.txt, seqinfo.ini}  camera2/...  calibration.json  persons.json  truth.json

A camera's folder is a sequence of MOT; a person has the same number before all cameras. `gt.txt` has a line a person
and frame: frame, person, left, top, width, height, 1, 1, visible share; the box is that of the whole body, hidden or
not. `truth.json` says the same and more in COCO's format (see `coco`).
"""

import json
import math
import shutil
import uuid
from collections.abc import Callable, Iterator
from configparser import ConfigParser
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from io import StringIO
from pathlib import Path

import numpy as np

from s2reid import lock
from s2reid.world import coco, movie, pool
from s2reid.world.cameras import CameraStyle
from s2reid.world.clothes import STREET
from s2reid.world.domain import Preset
from s2reid.world.film import World
from s2reid.world.folder import (
    PARTIAL,
    check_room,
    encode,
    is_finished,
    is_written,
    mark,
    replace,
    told_of_a_full_disk,
)
from s2reid.world.places import TYPES
from s2reid.world.scene import SceneStyle
from s2reid.world.stroll import Route, stroll
from s2reid.world.walkers import Walker

NAME, VERSION, SPACE = "surveillance", 1, 6
CHUNK = 50
"""Frames that are rendered and kept, or lost, together."""
WIDE = 5.0
"""Metres from the middle of a place to its walls, at least, that people need to stroll."""
ROUTES = 64
BYTES_PER_FRAME, SECONDS_PER_FRAME = 400_000, 0.5
LIMITS = {"cameras": (1, 12), "walkers": (1, 60), "rate": (1, 60)}
LONGEST = 24 * 60


@dataclass(frozen=True)
class Recording:
    """Everything that decides what is recorded; `rate` in frames a second."""

    seed: int
    minutes: float
    cameras: int
    walkers: int
    rate: int

    @property
    def frames(self) -> int:
        return max(1, round(60 * self.minutes * self.rate))

    @property
    def num_images(self) -> int:
        return self.frames * self.cameras

    def __str__(self) -> str:
        return (
            f"{self.cameras} cameras, {self.frames:,} frames each, {self.walkers} walkers, about "
            f"{self.num_images * BYTES_PER_FRAME / 1e6:,.0f} MB and "
            f"{max(self.num_images * SECONDS_PER_FRAME / 60, 0.1):,.1f} minutes of one core"
        )

    @lru_cache(maxsize=4)  # noqa: B019 - a process records one scene
    def world(self) -> World:
        """Open the place: wide enough to stroll about, seen from above people's heads."""
        types = tuple(kind for kind in TYPES if kind.sides[0] >= WIDE)
        style = CameraStyle((3.0, 5.5), (9.0, 15.0), (70.0, 110.0), noise=(0.004, 0.02), changing=1.0)
        preset = Preset(
            NAME,
            NAME,
            SPACE,
            persons=self.walkers,
            tracklets=(),
            num_scenes=1,
            cameras_per_scene=self.cameras,
            frames=self.frames,
            wardrobe=STREET,
            places=SceneStyle(types=types),
            cameras=style,
        )
        return World(preset, self.seed)

    @lru_cache(maxsize=4)  # noqa: B019
    def crowd(self) -> tuple[Walker, ...]:
        """Send everybody on a route, from the first frame to the last."""
        world, rng = self.world(), np.random.default_rng((self.seed, SPACE, ROUTES))
        figures = [world.person(k) for k in range(self.walkers)]
        speeds = np.array([figure.gait.speed for figure in figures])
        tracks = stroll(rng, world.scene(0), speeds, self.frames / self.rate)
        phases = rng.uniform(0, 2 * math.pi, self.walkers)
        routes = [Route(0.0, 0.0, 0.0, figure.gait.speed, 0.0, track) for figure, track in zip(figures, tracks)]
        return tuple(map(Walker, figures, routes, phases.tolist()))


def recording(*, seed: int = 0, minutes: float = 1.0, cameras: int = 2, walkers: int = 12, rate: int = 10) -> Recording:
    """Check what is asked for; raise `ValueError` for what cannot be."""
    for name, value in (("cameras", cameras), ("walkers", walkers), ("rate", rate)):
        least, most = LIMITS[name]
        if not least <= value <= most:
            raise ValueError(f"a recording has {least} to {most} for {name}, asked for {value}")
    if not 0 < minutes <= LONGEST:
        raise ValueError(f"a recording takes more than 0 and at most {LONGEST} minutes, asked for {minutes}")
    if seed < 0:
        raise ValueError(f"a recording's seed is 0 or more, found {seed}")
    return Recording(seed, minutes, cameras, walkers, rate)


def record(
    asked: Recording,
    out: str | Path,
    *,
    mp4: bool = False,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Render a recording into the folder `out`, with videos beside the frames for `mp4`, and return it.

    Resumes, refuses and repeats as `write.write` does; `progress` is called with the frames done and their total.
    """
    root, processes = Path(out), pool.count(workers)
    if mp4:
        movie.check()
    facts = {"name": NAME, "version": VERSION, **asdict(asked)}
    if not is_finished(root, facts, {}):
        todo = [chunk for chunk in _chunks(asked) if not _is_there(root, chunk)]
        missing = sum(len(chunk.frames) for chunk in todo)
        check_room(root, missing * float(BYTES_PER_FRAME))
        with told_of_a_full_disk(root), lock.held(root):
            shutil.rmtree(root / PARTIAL, ignore_errors=True)
            mark(root, {**facts, "finished": False})
            for count in pool.run([partial(render_chunk, root, asked, chunk) for chunk in todo], processes, str(root)):
                missing -= count
                if progress is not None:
                    progress(asked.num_images - missing, asked.num_images)
            _finish(root, asked)
            mark(root, {**facts, "finished": True})
    if mp4:
        with told_of_a_full_disk(root), lock.held(root):
            _write_movies(root, asked)
    return root


@dataclass(frozen=True)
class Chunk:
    """Some frames of one camera, counted from 0."""

    index: int
    camera: int
    frames: range

    def path(self, root: Path, frame: int) -> Path:
        return sequence(root, self.camera) / "img1" / f"{frame + 1:06d}.jpg"


def sequence(root: Path, camera: int) -> Path:
    """Name the folder of a camera, counted from 0."""
    return root / f"camera{camera + 1}"


def _chunks(asked: Recording) -> list[Chunk]:
    starts = range(0, asked.frames, CHUNK)
    places = [
        (camera, range(start, min(start + CHUNK, asked.frames))) for start in starts for camera in range(asked.cameras)
    ]
    return [Chunk(k, camera, frames) for k, (camera, frames) in enumerate(places)]


def _is_there(root: Path, chunk: Chunk) -> bool:
    return coco.part(root, chunk.index).is_file() and all(is_written(chunk.path(root, k)) for k in chunk.frames)


def render_chunk(root: Path, asked: Recording, chunk: Chunk) -> int:
    """Render some frames of one camera; what is true of them is written last."""
    folder, records = root / PARTIAL / uuid.uuid4().hex, []
    folder.mkdir(parents=True)
    times = [frame / asked.rate for frame in chunk.frames]
    for frame, view in zip(chunk.frames, asked.world().watch(chunk.camera, asked.crowd(), times)):
        path = chunk.path(root, frame)
        (folder / path.name).write_bytes(encode(view.image, path.name))
        record = coco.of_view(view, path.relative_to(root).as_posix(), range(1, asked.walkers + 1))
        record["image"] |= {"camera": chunk.camera + 1, "frame": frame + 1}
        records.append(record)
    chunk.path(root, 0).parent.mkdir(parents=True, exist_ok=True)
    for frame in chunk.frames:
        path = chunk.path(root, frame)
        (folder / path.name).replace(path)
    folder.rmdir()
    coco.write_part(coco.part(root, chunk.index), records)
    return len(chunk.frames)


def _finish(root: Path, asked: Recording) -> None:
    """Write what speaks of whole sequences and of the place."""
    chunks = _chunks(asked)
    for camera in range(asked.cameras):
        own = [coco.part(root, chunk.index) for chunk in chunks if chunk.camera == camera]
        folder = sequence(root, camera)
        (folder / "gt").mkdir(exist_ok=True)
        replace(folder / "gt" / "gt.txt", "".join(_tracks(own)).encode())
        replace(folder / "seqinfo.ini", _about(asked, camera).encode())
    replace(root / "calibration.json", _json([_calibration(asked, camera) for camera in range(asked.cameras)]))
    replace(root / "persons.json", _json(_persons(asked)))
    coco.merge(root / coco.TRUTH, f"{NAME}, seed {asked.seed}", [coco.part(root, chunk.index) for chunk in chunks])
    for left in (PARTIAL, coco.PARTS):
        shutil.rmtree(root / left, ignore_errors=True)


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=1) + "\n").encode()


def _tracks(parts: list[Path]) -> Iterator[str]:
    """Write MOT's lines, frame after frame."""
    for record in coco.records(parts):
        for seen in record["annotations"]:
            box = ",".join(f"{number:.1f}" for number in seen["whole_box"])
            yield f"{record['image']['frame']},{seen['person']},{box},1,1,{seen['visibility']:.3f}\n"


def _about(asked: Recording, camera: int) -> str:
    """Write MOT's `seqinfo.ini`."""
    height, width = asked.world().camera(camera)[0].image
    about = ConfigParser()
    about.optionxform = str  # type: ignore[assignment,method-assign]  # names keep their capitals
    numbers = {"frameRate": asked.rate, "seqLength": asked.frames, "imWidth": width, "imHeight": height}
    about["Sequence"] = {
        "name": f"camera{camera + 1}",
        "imDir": "img1",
        **{k: str(v) for k, v in numbers.items()},
        "imExt": ".jpg",
    }
    text = StringIO()
    about.write(text, space_around_delimiters=False)
    return text.getvalue()


def _calibration(asked: Recording, camera: int) -> coco.Record:
    """Say where a camera stands and how it projects: pixel ~ matrix @ (x, y, z, 1), metres, z upwards."""
    found = asked.world().camera(camera)[0]
    height, width = found.image
    window = (-width / 2, -height / 2, width / 2, height / 2)
    shift = np.array([[1, 0, width / 2], [0, 1, height / 2], [0, 0, 1]])
    matrix = np.round(shift @ found.matrix, 6).tolist()
    return {"camera": camera + 1, "width": width, "height": height, **coco.pose(found, window), "matrix": matrix}


def _persons(asked: Recording) -> list[coco.Record]:
    world = asked.world()
    return [{"person": k + 1, "attributes": coco.attributes(*world.looks(k))} for k in range(asked.walkers)]


def _write_movies(root: Path, asked: Recording) -> None:
    for camera in range(asked.cameras):
        folder = sequence(root, camera)
        if not (movies := folder.with_suffix(".mp4")).is_file():
            movie.write(movies, sorted((folder / "img1").glob("*.jpg")), asked.rate)
