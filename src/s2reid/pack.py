"""Pack any dataset into tar shards, which `shards:DIR` reads (see `s2reid.datasets.shards`)."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from s2reid import archive, lock
from s2reid.datasets.shards import FORMAT, INDEX, PARTS, UNFINISHED
from s2reid.types import Dataset, Tracklet

SHARD_BYTES = 256 * 2**20
END = bytes(2 * archive.BLOCK)
"""What a tar archive ends with."""
WRITING = "index.jsonl.writing"
Advance = Callable[[int, int], None]
"""Is told (frames done, all frames)."""


@dataclass
class Shard:
    """A shard that is planned: where its members come from, in order, and what they are called in it."""

    name: str
    end: int = 0
    members: list[tuple[str, str, int]] = field(default_factory=list)
    """Path to read, name in the archive, bytes."""

    @property
    def bytes(self) -> int:
        return self.end + len(END)


def pack(
    dataset: Dataset, out: Path, shard_bytes: int = SHARD_BYTES, advance: Advance = lambda done, total: None
) -> int:
    """Write shards of about `shard_bytes` and their index, and return how many shards there are.

    A tracklet lies in one shard. What was packed before a kill is used again: all places are planned from the sizes of
    the files before anything is written, and the plan is kept until it is carried out.

    Raises `ValueError` for data without frames, a frame that is missing, empty or changes meanwhile, and a folder that
    holds anything but the first part of this very packing.
    """
    if shard_bytes < 1:
        raise ValueError(f"a shard of {shard_bytes} bytes holds nothing: give 1 or more")
    shards, lines = _plan(dataset, shard_bytes)
    if not lines:
        raise ValueError(f"{dataset.name} has no tracklets: there is nothing to pack")
    header = {
        "format": FORMAT,
        "name": dataset.name,
        "protocol": dataset.protocol,
        "origin": dict(dataset.origin),
        "expected": dict(dataset.expected),
        "tracklets": len(lines),
        "shards": [(shard.name, shard.bytes) for shard in shards],
    }
    with lock.held(out):
        _keep_plan(out, "".join(line + "\n" for line in (json.dumps(header, default=str), *lines)))
        _write(shards, out, advance)
    return len(shards)


def _write(shards: Sequence[Shard], out: Path, advance: Advance) -> None:
    total, done = sum(len(shard.members) for shard in shards), 0
    for shard in shards:
        path = out / shard.name
        if not (path.is_file() and path.stat().st_size == shard.bytes):
            partial = path.with_name(path.name + ".partial")
            with open(partial, "wb") as file:
                for place, content in enumerate(_members(shard)):
                    file.write(content)
                    advance(done + place + 1, total)
                file.write(END)
            partial.replace(path)
        advance(done := done + len(shard.members), total)
    (out / UNFINISHED).replace(out / INDEX)


def _plan(dataset: Dataset, shard_bytes: int) -> tuple[list[Shard], list[str]]:
    """Give every frame its place, and write the index's line of each tracklet."""
    shards: list[Shard] = []
    lines = []
    for part in PARTS:
        for number, tracklet in enumerate(getattr(dataset, part)):
            sizes = [_size(path) for path in tracklet.paths()]
            if not shards or (shards[-1].members and archive.layout(sizes, shards[-1].end)[1] > shard_bytes):
                shards.append(Shard(f"shard-{len(shards):06d}{archive.ENDING}"))
            shard, names = shards[-1], archive.names(tracklet)
            offsets, shard.end = archive.layout(sizes, shard.end)
            shard.members += _named(tracklet, f"{part}-{number:07d}", names, sizes)
            frames = [f"{offset}+{size}/{name}" for offset, size, name in zip(offsets, sizes, names)]
            labels = (tracklet.person, tracklet.camera, tracklet.outfit)
            lines.append(json.dumps((part, len(shards) - 1, *labels, frames), separators=(",", ":")))
    return shards, lines


def _size(path: str) -> int:
    try:
        size = archive.size(path)
    except OSError as error:
        raise ValueError(f"cannot find the frame {path} ({error.strerror}): is the data complete?") from error
    if not size:
        raise ValueError(f"the frame {path} is empty (0 bytes): copy it again or remove it")
    return size


def _named(
    tracklet: Tracklet, folder: str, names: Sequence[str], sizes: Sequence[int]
) -> Iterator[tuple[str, str, int]]:
    for place, (path, name, size) in enumerate(zip(tracklet.paths(), names, sizes)):
        yield path, f"{folder}/{place:04d}{os.path.splitext(name)[1].lower()}", size


def _keep_plan(out: Path, plan: str) -> None:
    """Put the plan into the folder, or find it there; refuse a folder that holds anything else."""
    if (out / INDEX).exists():
        raise ValueError(f"{out} is packed already: remove it, or give another name")
    unfinished = out / UNFINISHED
    if unfinished.exists():
        if unfinished.read_text(encoding="utf-8") != plan:
            raise ValueError(
                f"{out} is half packed, from other data or into shards of another size: remove it, or give another name"
            )
        return
    others = sorted({path.name for path in out.iterdir()} - {WRITING, lock.LOCK})
    if others:
        raise ValueError(f"{out} holds {others[0]}: give a new or an empty folder")
    (out / WRITING).write_text(plan, encoding="utf-8")
    (out / WRITING).replace(unfinished)


def _members(shard: Shard) -> Iterator[bytes]:
    for path, name, size in shard.members:
        content = archive.read(path)
        if len(content) != size:
            raise ValueError(f"the frame {path} has {len(content)} bytes now and had {size}: pack what stays as it is")
        yield archive.member(name, content)
