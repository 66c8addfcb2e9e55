"""The smallest whole thing: coloured people of 32x16 pixels in the real layouts, and a network that learns them."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import simplejpeg
import torch
from scipy.io import savemat
from tests.shared import ROOT

from s2reid import model
from s2reid.batch import Clips
from s2reid.learner import Learner, Task
from s2reid.scales import Scale, Schedule
from s2reid.types import UNKNOWN, Tracklet

SCALE = Scale("tiny", 32, 16, 2)
SIZE = {"depth": 10, "width": 8}
SINET = {**SIZE, "blocks": (1, 1, 1, 1), "idm_after": (), "sbm_after": (), "num_frames": 2, "image": (32, 16)}
"""SINet without the modules that fix the size and the length of a clip."""
SCHEDULE = Schedule(4, 3, 2, 1, 3e-3, 0.05)
PERSONS, CAMERAS = 4, 3


def schedule(steps: int = 4, **changes: Any) -> Schedule:
    return replace(SCHEDULE, steps=steps, **changes)


def task(steps: int = 4, num_persons: int = PERSONS, **changes: Any) -> Task:
    return Task(SCALE, schedule(steps, **changes), num_persons)


def learner(method: str = "source_only", seed: int = 0, num_persons: int = PERSONS, **settings: Any) -> Learner:
    """Build a method's learner for the tiny task; equal seeds give equal weights."""
    torch.manual_seed(seed)
    return model.settings(method, settings).build(task(num_persons=num_persons))


def fill(network: torch.nn.Module) -> Any:
    """Give every number of a network a value that no random generator decides, and return the network."""
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if not value.is_floating_point():
                continue
            wave = torch.sin(torch.arange(value.numel(), dtype=torch.float64) * 0.7 + len(name)).view(value.shape)
            value.copy_(wave * (2 / value[0].numel()) ** 0.5 if value.ndim > 1 else 1 + 0.1 * wave)
    return network


def perturb(network: torch.nn.Module, seed: int = 0) -> Any:
    """Move every parameter off its start, where several modules are zero, and return the network."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.02 * torch.randn(parameter.shape, generator=generator))
    return network


def clips(
    num_persons: int = 3, each: int = 2, frames: int = 2, height: int = 32, width: int = 16, seed: int = 0
) -> Clips:
    """Draw clips of noise around one colour a person."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(num_persons), each)
    colour = rng.integers(40, 216, (num_persons, 1, 3, 1, 1))[person]
    pixels = colour + rng.integers(-30, 31, (len(person), frames, 3, height, width))
    camera, index = np.arange(len(person)) % 2, np.arange(len(person))
    return Clips(torch.from_numpy(pixels.astype(np.uint8)), *map(torch.from_numpy, (person, camera, 0 * person, index)))


def unlabelled(known: Clips) -> Clips:
    return Clips(known.pixels, torch.full_like(known.person, UNKNOWN), known.camera, known.outfit, known.index)


def image(person: int, camera: int, frame: int = 0, height: int = 32, width: int = 16) -> np.ndarray:
    """Paint a person: one colour above, one below, brighter or darker by camera, with noise."""
    rng = np.random.default_rng((person, 1))
    picture = np.empty((height, width, 3))
    picture[: height // 2], picture[height // 2 :] = rng.integers(0, 256, (2, 3))
    noise = np.random.default_rng((person, camera, frame)).normal(0, 12, picture.shape)
    return (picture * (0.7 + 0.15 * (camera % 3)) + noise).clip(0, 255).astype(np.uint8)


def write_frames(
    folder: Path, names: Sequence[str], person: int, camera: int, height: int = 32, width: int = 16
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        picture = image(person, camera, number, height, width)
        if name.endswith(".png"):
            (folder / name).write_bytes(cv2.imencode(".png", picture[..., ::-1])[1].tobytes())
        else:
            (folder / name).write_bytes(simplejpeg.encode_jpeg(picture, quality=95))


def write_source(root: Path, persons: int = PERSONS, cameras: int = CAMERAS, frames: int = 3) -> Path:
    """Write a rendered source in SVReID's layout."""
    places = [(f"{person}/0/{camera}", person, camera) for person in range(persons) for camera in range(cameras)]
    for place, person, camera in places:
        write_frames(root / place, [f"{frame}.jpg" for frame in range(frames)], person, camera)
    (root / "train_svreid.txt").write_text("".join(f"{place} {person} 0\n" for place, person, _ in places))
    _mark(root, "tiny-source", persons=persons, tracklets=len(places))
    return root


def write_target(root: Path, persons: int = 8, frames: int = 3) -> Path:
    """Write a rendered target in iLIDS-VID's layout, of other persons: half of them to train on, half to test on."""
    for row in range(persons):
        for camera in (1, 2):
            names = [f"cam{camera}_person{row + 1:03d}_{frame:05d}.png" for frame in range(frames)]
            folder = root / "i-LIDS-VID" / "sequences" / f"cam{camera}" / f"person{row + 1:03d}"
            write_frames(folder, names, 100 + row, camera)
    splits = root / "train-test people splits"
    splits.mkdir()
    savemat(splits / "train_test_splits_ilidsvid.mat", {"ls_set": np.arange(1.0, persons + 1)[None]})
    _mark(root, "standin-tiny", persons=persons)
    return root


def _mark(root: Path, name: str, **counts: int) -> None:
    content = {"name": name, "preset": name, "seed": 0, "version": 1, "finished": True, "counts": counts}
    (root / "world.json").write_text(json.dumps(content))


def write_tracklets(
    root: Path, counts: Sequence[int], frames: int = 3, size: tuple[int, int] = (32, 16)
) -> tuple[Tracklet, ...]:
    """Write `counts[p]` tracklets of every person p and return them."""
    made = []
    for person, count in enumerate(counts):
        for camera in range(count):
            names = [f"{person}_{camera}_{frame}.jpg" for frame in range(frames)]
            write_frames(root, names, person, camera, *size)
            made.append(Tracklet(str(root), tuple(names), person, camera))
    return tuple(made)


def equal_weights(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    """Compare bit by bit, names included."""
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def environment() -> dict[str, str]:
    """Give what a child process needs to import the package and the tests."""
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "COLUMNS": "200"}


def program(*arguments: object, cwd: Path, **options: Any) -> "subprocess.CompletedProcess[str]":
    """Run `s2reid` as a user does."""
    command = [sys.executable, "-m", "s2reid", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, env=environment(), capture_output=True, text=True, timeout=300, **options)


def snapshot(root):
    """Map every weight file under a folder to its bytes' size and time: what must not change when nothing runs."""
    return {str(path): path.stat().st_mtime_ns for path in sorted(root.rglob("*.safetensors"))}
