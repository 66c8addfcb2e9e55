"""One process at a time: a lock that the kernel takes back when its holder dies, however it dies."""

import errno
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

if sys.platform == "win32":
    fcntl = None
else:
    import fcntl

LOCK = ".lock"
FULL = (errno.ENOSPC, errno.EDQUOT)
_WITHOUT_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
_mine: set[int] = set()


@contextmanager
def held(folder: Path, *, wait: bool = False) -> Iterator[None]:
    """Keep every other process out of a folder, which is made where it is not there yet.

    Of processes that were launched together the first holds it for all. On a disk that knows no locks nobody is kept
    out. With `wait` it waits for another holder to end.

    Raises:
        ValueError: where another process holds the folder (the message names it), or nothing can be written there.
    """
    if os.environ.get("RANK", "0") != "0":
        yield
        return
    path = folder / LOCK
    try:
        folder.mkdir(parents=True, exist_ok=True)
        taken = take(path, wait=wait)
        if taken is not None:
            os.ftruncate(taken, 0)
            os.write(taken, f"process {os.getpid()} on {socket.gethostname()}".encode())
    except OSError as error:
        if error.errno in FULL:
            raise
        raise ValueError(
            f"cannot write into {folder} ({error.strerror}): make it writable, or use another folder"
        ) from error
    if taken is None:
        raise ValueError(f"{folder} is in use by {_holder(path)}: wait until that has ended, or stop it")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        release(taken)


def take(path: Path, *, wait: bool) -> int | None:
    """Open a file, which is made if need be, and lock it; return its descriptor, or None where another process has it.

    The holder may rename or remove the file before it lets go: what counts is the file that has the name.
    """
    while True:
        taken = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        _mine.add(taken)
        try:
            if fcntl is not None:
                fcntl.flock(taken, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            release(taken)
            return None
        except OSError as error:
            if error.errno not in _WITHOUT_LOCKS:
                release(taken)
                raise
        if _is_named(taken, path):
            return taken
        release(taken)


def release(taken: int) -> None:
    """Let go of what `take` returned."""
    _mine.discard(taken)
    os.close(taken)


def _is_named(taken: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(taken), path.stat())
    except FileNotFoundError:
        return False


def _holder(path: Path) -> str:
    try:
        return path.read_text() or "another process"
    except OSError:  # it has just ended
        return "another process"


def _let_go() -> None:
    """Close what a parent holds: a child of its that outlives it must not go on holding."""
    while _mine:
        os.close(_mine.pop())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)
