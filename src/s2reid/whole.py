"""Files and folders that appear whole or not at all, whenever the process is killed or the disk is full."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from s2reid import lock


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """Give a name beside `path` to write to; what is there at the end is on the disk, and takes the place of `path`.

    Where the body fails, the old file stays and nothing is left beside it. Two processes take turns.
    """
    partial = path.with_name(path.name + ".partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    taken = lock.take(partial, wait=True)
    assert taken is not None
    try:
        yield partial
        _sync(partial)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    finally:
        lock.release(taken)


def check(path: Path) -> None:
    """Raise `ValueError` where a file cannot be written: before the work, not after it."""
    if path.is_dir() or not path.name:
        raise ValueError(f"cannot write {path}: it is a folder; name a file")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        is_writable = os.access(path.parent, os.W_OK)
    except OSError as error:
        raise ValueError(f"cannot write {path} ({error.strerror}): name another place") from error
    if not is_writable:
        raise ValueError(f"cannot write {path} ({path.parent} is not writable): name another place")


def write(path: Path, content: str | bytes) -> None:
    """Write a file whole or not at all; text is UTF-8."""
    with writing(path) as partial:
        if isinstance(content, bytes):
            partial.write_bytes(content)
        else:
            partial.write_text(content, "utf-8")


def put(partial: Path, folder: Path) -> None:
    """Put a written folder in the place of another.

    A kill between the two renames leaves no `folder`, but its old content as `old(folder)`.
    """
    for path in partial.rglob("*"):
        _sync(path)
    _sync(partial)
    if folder.exists():
        shutil.rmtree(old(folder), ignore_errors=True)
        folder.rename(old(folder))
    partial.rename(folder)
    shutil.rmtree(old(folder), ignore_errors=True)


def old(folder: Path) -> Path:
    """Name the place where `put` keeps a folder until another has its name."""
    return folder.with_name(folder.name + ".old")


def _sync(path: Path) -> None:
    """Wait until what was written is on the disk; a network's disk says only now that it is full."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
