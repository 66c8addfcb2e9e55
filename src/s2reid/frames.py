"""Look for the files of a dataset's frames, and decode them all where asked to."""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

from s2reid import archive
from s2reid.types import Tracklet
from s2reid.video.decode import decode

NAMED = 3
"""How many frames are named of each kind of trouble."""
Advance = Callable[[int, int], None]
"""Is told (frames done, frames to do)."""
Folders = Mapping[str, Mapping[str, int]]
"""Folder -> name of a frame -> index of its tracklet."""
Chunk = list[tuple[str, int]]
"""Paths of frames, each with the index of its tracklet."""


@dataclass(frozen=True)
class Trouble:
    """How many frames have one kind of trouble, and the first few of them."""

    count: int
    first: tuple[str, ...]

    @classmethod
    def of(cls, found: Sequence[str]) -> "Trouble":
        return cls(len(found), tuple(found[:NAMED]))


@dataclass(frozen=True)
class Frames:
    """What became of the files of all frames; `unreadable` and `copies` stay empty where nothing was decoded.

    `repeated` are frames that are listed twice; `copies` are files with the very bytes of a frame of another tracklet.
    """

    files: int
    decoded: int
    repeated: Trouble
    missing: Trouble
    empty: Trouble
    unreadable: Trouble
    copies: Trouble


def look(
    tracklets: Sequence[Tracklet],
    *,
    deep: bool = False,
    advance: Advance = lambda done, total: None,
    threads: int = 8,
) -> Frames:
    """Look for the file of every frame, each folder listed once; with `deep` decode every frame too.

    The answer does not depend on the number of threads.
    """
    folders, repeated = _by_folder(tracklets)
    total = sum(map(len, folders.values()))
    pool = ThreadPoolExecutor(threads)
    try:
        missing, empty = _find(pool, folders, lambda done: advance(done, total))
        chunks = [*_chunks(folders, {*missing, *empty})] if deep else []
        decoded = sum(map(len, chunks))
        unreadable, copies = _decode_all(pool, chunks, lambda done: advance(total + done, total + decoded))
    finally:
        pool.shutdown(cancel_futures=True)  # Ctrl-C does not wait for the rest
    return Frames(total, decoded, *map(Trouble.of, (repeated, missing, empty, unreadable, copies)))


def _by_folder(tracklets: Iterable[Tracklet]) -> tuple[dict[str, dict[str, int]], list[str]]:
    """Sort all frames by folder, each with the index of its tracklet; name those that are listed twice."""
    folders: dict[str, dict[str, int]] = {}
    repeated = []
    for index, tracklet in enumerate(tracklets):
        is_archive = archive.is_archive(tracklet.store)
        for frame in tracklet.frames:
            if is_archive:  # one long list of places
                inner, name = "", frame
            else:
                inner, _, name = frame.rpartition(
                    "/"
                )  # a name without a folder stays the very string: there are a million
            names = folders.setdefault(os.path.join(tracklet.store, inner) if inner else tracklet.store, {})
            if name in names:
                repeated.append(os.path.join(tracklet.store, frame))
            else:
                names[name] = index
    return folders, repeated


def _find(pool: ThreadPoolExecutor, folders: Folders, advance: Callable[[int], None]) -> tuple[list[str], list[str]]:
    """Name the frames that are not there, and those of 0 bytes."""
    missing, empty = [], []
    done = 0
    for (folder, names), sizes in zip(folders.items(), pool.map(_sizes, folders, folders.values())):
        missing += [os.path.join(folder, name) for name in names if name not in sizes]
        empty += [os.path.join(folder, name) for name in names if sizes.get(name) == 0]
        advance(done := done + len(names))
    return missing, empty


def _sizes(folder: str, names: Iterable[str]) -> dict[str, int]:
    """List a folder once, with the bytes of each file, or an archive; one that is not there holds nothing."""
    try:
        if archive.is_archive(folder):
            return archive.sizes(folder, names)
        with os.scandir(folder) as entries:
            return {entry.name: entry.stat().st_size for entry in entries if entry.is_file()}
    except OSError:
        return {}


def _chunks(folders: Folders, lost: set[str], size: int = 256) -> Iterator[Chunk]:
    """Cut all frames but the lost ones into pieces of work, in order."""
    paths = ((os.path.join(folder, name), index) for folder, names in folders.items() for name, index in names.items())
    there = ((path, index) for path, index in paths if path not in lost)
    while chunk := list(islice(there, size)):
        yield chunk


def _decode_all(
    pool: ThreadPoolExecutor, chunks: Sequence[Chunk], advance: Callable[[int], None]
) -> tuple[list[str], list[str]]:
    """Say what is wrong with which frames, and which are copies of another tracklet's."""
    unreadable, copies = [], []
    first_with: dict[bytes, tuple[int, str]] = {}  # what a frame's bytes hash to -> its tracklet and its path
    done = 0
    for chunk, answers in zip(chunks, pool.map(_decode, chunks)):
        for (path, index), (digest, complaint) in zip(chunk, answers):
            if complaint:
                unreadable.append(complaint)
            owner, original = first_with.setdefault(digest, (index, path))
            if owner != index:
                copies.append(f"{path} of {original}")
        advance(done := done + len(chunk))
    return unreadable, copies


def _decode(chunk: Chunk) -> list[tuple[bytes, str]]:
    """Decode some frames: the hash of each one's bytes, and what is wrong with it, if anything."""
    return [_try(path) for path, _ in chunk]


def _try(path: str) -> tuple[bytes, str]:
    encoded, complaint = path.encode(errors="surrogateescape"), ""
    try:
        encoded = archive.read(path)
        decode(encoded, path)
    except OSError as error:
        complaint = f"cannot read the frame {path}: {error.strerror}"
    except ValueError as error:
        complaint = str(error)
    return hashlib.blake2b(encoded, digest_size=8).digest(), complaint
