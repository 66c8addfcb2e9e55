"""Any dataset, packed into a few large files by `s2reid data pack`.

    index.jsonl  shard-000000.tar  shard-000001.tar  ...

The shards are plain tar archives in the manner of WebDataset: a member is `<part>-<tracklet>/<frame>.<suffix>`. The
index has a header line (format, name, protocol, origin, promised counts, shards with their bytes) and one line a
tracklet, with the place of every frame. A frame is read by its place: nothing is unpacked, and no list of members is
kept in memory.
"""

import io
import json
import os
from collections.abc import Mapping
from pathlib import Path

from s2reid import remote
from s2reid.archive import ENDING
from s2reid.datasets._folders import check_root, describe
from s2reid.types import Dataset, Tracklet

FORMAT = 1
INDEX = "index.jsonl"
UNFINISHED = "index.jsonl.partial"
PARTS = ("train", "query", "gallery")
HEADER = {"name", "protocol", "origin", "expected", "tracklets", "shards"}
"""What the first line of an index says, beside the format."""


def load(root: Path | str) -> Dataset:
    """Load what was packed: the same name, parts, labels and counts; a rendered set stays a rendered set.

    `root` is a folder, or the address of one in object storage.

    Raises `ValueError` for a folder that is half packed, an index of another format or one that is damaged, and a shard
    that is missing or has not the bytes that it should have.
    """
    index = f"{root}/{INDEX}"
    with _open_index(root) as file:
        try:
            header = json.loads(file.readline())
        except ValueError as error:
            raise ValueError(f"{index} is damaged ({error}): copy it again") from error
        if not isinstance(header, dict) or header.get("format") != FORMAT:
            found = header.get("format") if isinstance(header, dict) else "none"
            raise ValueError(
                f"{index} has format {found}, this version reads {FORMAT}: pack the data again, or use the s2reid that "
                "wrote it"
            )
        if lacking := sorted(HEADER - header.keys()):
            raise ValueError(f"{index} is damaged (its first line lacks {lacking[0]}): copy it again")
        shards = _whole(root, dict(header["shards"]))
        parts: dict[str, list[Tracklet]] = {part: [] for part in PARTS}
        for number, line in enumerate(file, 2):
            try:
                part, shard, person, camera, outfit, frames = json.loads(line)
                parts[part].append(Tracklet(shards[shard], tuple(frames), person, camera, outfit))
            except (KeyError, IndexError, TypeError, ValueError) as error:
                raise ValueError(f"{index} is damaged (line {number}: {error}): copy it again") from error
    found = sum(map(len, parts.values()))
    if found != header["tracklets"]:
        raise ValueError(f"{index} lists {found:,} tracklets, expected {header['tracklets']:,}: was it copied whole?")
    train, query, gallery = (tuple(parts[part]) for part in PARTS)
    origin = {**header["origin"], "root": str(root)}
    return Dataset(header["name"], train, query, gallery, origin, header["expected"], header["protocol"])


def _open_index(root: Path | str) -> io.StringIO | io.TextIOWrapper:
    if isinstance(root, str):
        try:
            return io.StringIO(remote.read(f"{root}/{INDEX}").decode())
        except OSError as error:
            raise ValueError(
                f"cannot read {root}/{INDEX} ({error.strerror}), which `s2reid data pack` writes: is the address right?"
            ) from error
    check_root(root)
    index = root / INDEX
    if not index.is_file():
        if (root / UNFINISHED).is_file():
            raise ValueError(f"{root} is half packed: run the same `s2reid data pack` again to finish it")
        raise ValueError(f"{root} has no {INDEX}, which `s2reid data pack` writes; {describe(root)}")
    return open(index, encoding="utf-8")


def _whole(root: Path | str, expected: Mapping[str, int]) -> list[str]:
    """Return the paths of the shards; raise `ValueError` for one that is not there or has not its bytes."""
    paths = [f"{root}/{name}" for name in expected]
    try:
        found = remote.sizes(paths) if isinstance(root, str) else [os.path.getsize(path) for path in paths]
    except FileNotFoundError as error:
        raise ValueError(f"{root} lacks {os.path.basename(error.filename)}: was the copy cut short?") from error
    except OSError as error:
        raise ValueError(f"cannot look at {error.filename}: {error.strerror}") from error
    for path, has, size in zip(paths, found, expected.values()):
        if has is not None and has != size:
            raise ValueError(f"{path} has {has:,} bytes, expected {size:,}: copy it again")
    assert all(name.endswith(ENDING) for name in expected)
    return paths
