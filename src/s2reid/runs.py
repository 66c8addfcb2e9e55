"""What was run: a training and a cell are values, and each has a key and a folder, so that nothing runs twice.

runs/<key>/run.json            the training, the command, the commit, the machine
           log.jsonl           loss terms and speed, a line for every few steps
           model/              the finished network
           embeddings/<cell>/  query.npz, gallery.npz of one test
           source.npz          some of the source's tracklets, to see both domains in one picture
           scores.json         one row a test: a protocol's setting on one split, embedded and ranked one way
"""

import hashlib
import json
import os
import platform
import shlex
import subprocess
import sys
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from s2reid import archive, lock, whole
from s2reid.scales import Schedule
from s2reid.types import Dataset, Tracklet
from s2reid.version import __version__

FORMAT = 1
LOG = "log.jsonl"
SOURCE = "source.npz"
RENDERED = ("preset", "without", "seed", "version", "preset_version", "persons", "frames", "height")
"""What decides the pixels of a rendered set, whose frames are named alike whatever they show."""


@dataclass(frozen=True)
class Data:
    """A dataset by what is in it: where it lies does not change what is learned from it."""

    name: str
    fingerprint: str


@dataclass(frozen=True)
class Training:
    """Everything that decides the weights of a model. `target` is None for a method that never looks at it."""

    method: str
    settings: Mapping[str, Any]
    source: Data
    target: Data | None
    scale: str
    schedule: Schedule
    augmentation: Mapping[str, Any]
    seed: int
    continues: str | None = None
    version: str = __version__

    @property
    def key(self) -> str:
        return _hash(asdict(self))

    def folder(self, root: str | Path) -> Path:
        """Name the folder of this training under a root of runs."""
        return Path(root) / self.key


@dataclass(frozen=True)
class Cell:
    """What a model embedded, and how: its weights, the data, and what a test looks at, in words."""

    training: str
    target: Data
    test: str

    @property
    def key(self) -> str:
        return _hash(asdict(self))


def fingerprint(data: Dataset, parts: Sequence[str]) -> Data:
    """Hash some parts (train, query, gallery) of a dataset: the names of the frames and the labels, packed or not.

    For a rendered set what it was made from stands for the pixels, for any other the size of every file; of BMP files,
    which are all of one size, the content.
    """
    lines = [
        f"{part} {tracklet.person} {tracklet.camera} {tracklet.outfit} {' '.join(archive.names(tracklet))}"
        for part in parts
        for tracklet in getattr(data, part)
    ]
    made: Any = {name: data.origin[name] for name in RENDERED if name in data.origin}
    if not made:
        made = [number for part in parts for tracklet in getattr(data, part) for number in _weigh(tracklet)]
    return Data(data.name, _hash([lines, made]))


def _weigh(tracklet: Tracklet) -> list[int]:
    """Give a number for each frame that changes with its content, as far as it can be had in little time."""
    if any(name.lower().endswith(".bmp") for name in tracklet.frames):
        return [zlib.crc32(content) for content in archive.read_all(tracklet.paths())]
    return [archive.size(path) for path in tracklet.paths()]


def unlabelled(data: Dataset) -> Dataset:
    """Forget the persons of the training part, so that a target's fingerprint cannot depend on its labels."""
    bare = tuple(Tracklet(t.store, t.frames, -1, t.camera) for t in data.train)
    return Dataset(data.name, bare, origin=data.origin)


def begin(training: Training, root: str | Path) -> Path:
    """Make a training's folder and write down what is run, how and where."""
    folder = training.folder(root)
    folder.mkdir(parents=True, exist_ok=True)
    write_json(
        folder / "run.json", {"format": FORMAT, "key": training.key, "training": asdict(training), **provenance()}
    )
    return folder


def read(folder: str | Path) -> dict[str, Any]:
    """Read `run.json`; raise `ValueError` where the folder is no run, or one of another format."""
    path = Path(folder) / "run.json"
    if not path.is_file():
        raise ValueError(
            f"{folder} is no run: it has no run.json; give a folder that `s2reid train` or `s2reid demo` made"
        )
    read = read_json(path)
    said: dict[str, Any] = read if isinstance(read, dict) else {}
    if said.get("format") != FORMAT:
        raise ValueError(
            f"{folder} has run format {said.get('format')} (written by s2reid {said.get('s2reid', 'unknown')}), this "
            f"version reads {FORMAT}: use the s2reid that wrote it"
        )
    if lacking := sorted({"key", "training", "command", "commit", "s2reid", "machine"} - said.keys()):
        raise ValueError(f"{path} lacks {lacking[0]!r}: it was edited, or written by another version; copy it again")
    return said


def add_scores(folder: str | Path, *rows: Mapping[str, Any]) -> None:
    """Put rows into `scores.json`, each in the place of an older row of the same test."""

    def place(row: Mapping[str, Any]) -> list[Any]:
        return [row.get(name) for name in ("target", "split", "protocol", "test", "rerank")]

    new = [place(row) for row in rows]
    with lock.held(Path(folder), wait=True):
        old = [row for row in read_scores(folder) if place(row) not in new]
        write_json(Path(folder) / "scores.json", [*old, *map(dict, rows)])


def read_scores(folder: str | Path) -> list[dict[str, Any]]:
    """Read the rows of `scores.json`; none where no test was run."""
    path = Path(folder) / "scores.json"
    rows = read_json(path) if path.is_file() else []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError(f"{path} is no list of scores: remove it, and `s2reid evaluate` again")
    return rows


def check_writable(folder: str | Path) -> None:
    """Raise `ValueError` where nothing can be written into a folder."""
    with lock.held(Path(folder), wait=True):
        pass


def read_json(path: Path) -> Any:
    """Read a JSON file of a run; raise `ValueError` where it is damaged."""
    try:
        return json.loads(path.read_text())
    except ValueError as error:
        raise ValueError(f"{path} is not JSON ({error}): the run cannot be read") from error


def read_log(path: Path) -> list[dict[str, Any]]:
    """Read a log; a line cut short by a kill is dropped."""
    lines = []
    for line in path.read_text().splitlines() if path.is_file() else []:
        try:
            lines.append(json.loads(line))
        except ValueError:
            break
    return lines


def write_json(path: Path, value: Any) -> None:
    """Write JSON atomically."""
    whole.write(path, json.dumps(value, indent=1, default=str) + "\n")


def provenance() -> dict[str, Any]:
    """Say who ran this: command, commit, versions, machine."""
    return {"command": command(), "commit": commit(), "s2reid": __version__, "machine": machine()}


def command() -> str:
    """Give the command line as a person would type it."""
    program = Path(sys.argv[0]).name
    return shlex.join(["s2reid" if program in ("__main__.py", "s2reid") else program, *sys.argv[1:]])


def commit() -> str:
    """Name the commit of a source checkout (with "+changes" where the tree differs), or "installed"."""
    here = Path(__file__).parent
    if not (here.parents[1] / ".git").exists():
        return "installed"
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty=+changes", "--abbrev=12"],
            cwd=here,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return described.stdout.strip()


def machine() -> dict[str, Any]:
    """Describe the machine as far as it explains a speed."""
    return {
        "system": platform.platform(),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "python": platform.python_version(),
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as file:
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:12]
