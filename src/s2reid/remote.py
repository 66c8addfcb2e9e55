"""Files in object storage, named by address: `https://`, `s3://`, `gs://`, or what else fsspec opens.

Bytes are asked for by range, those of many places at once. What fails is asked for again, a few times: one lost packet
should not end a training of days.
"""

import errno
import os
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

PAUSES = (0.5, 2.0, 8.0)
"""Seconds before each further try."""
_Answer = TypeVar("_Answer")


def is_remote(place: str) -> bool:
    """Tell an address from a path.

    >>> is_remote("s3://bucket/source"), is_remote("worlds/source")
    (True, False)
    """
    return "://" in place


def read(address: str) -> bytes:
    """Read a file; raise `OSError` where it is not there or cannot be read."""
    return _patiently(address, lambda storage, paths: storage.cat_file(paths[0]))


def read_ranges(ranges: Sequence[tuple[str, int, int]]) -> list[bytes]:
    """Read `(address, first byte, byte behind the last)` of files in one storage, all at once; raise `OSError`."""
    starts, ends = [start for _, start, _ in ranges], [end for _, _, end in ranges]
    addresses = [address for address, _, _ in ranges]

    def ask(storage: Any, paths: list[str]) -> list[bytes]:
        parts: list[Any] = storage.cat_ranges(paths, starts, ends, on_error="raise")
        for part in parts:
            if isinstance(part, BaseException):  # as fsspec did it before 2026.6, whatever it was asked
                raise part
        return parts

    return _patiently(addresses, ask)


def sizes(addresses: Sequence[str]) -> list[int | None]:
    """Say how many bytes files in one storage have, None where it does not say; raise `OSError`."""
    return _patiently(addresses, lambda storage, paths: storage.sizes(paths)) if addresses else []


def _patiently(where: str | Sequence[str], ask: Callable[[Any, list[str]], _Answer]) -> _Answer:
    """Ask a storage, by the paths that it has for some addresses, until it answers."""
    addresses = [where] if isinstance(where, str) else list(where)
    opened = [_open(address) for address in addresses]
    storage, paths = opened[0][0], [path for _, path in opened]
    for pause in (*PAUSES, None):
        try:
            return ask(storage, paths)
        except FileNotFoundError as error:
            raise OSError(errno.ENOENT, os.strerror(errno.ENOENT), str(error) or addresses[0]) from error
        except PermissionError as error:
            raise OSError(errno.EACCES, f"{os.strerror(errno.EACCES)}: {error}", addresses[0]) from error
        except Exception as error:  # each storage has errors of its own
            if pause is None:
                raise OSError(errno.EIO, f"{type(error).__name__}: {error}", addresses[0]) from error
            time.sleep(pause)
    raise AssertionError("the last try ends in an answer or an error")


def _open(address: str) -> tuple[Any, str]:
    """Give the storage of an address, one for each process, which fsspec remembers, and the path that it has there."""
    try:
        import fsspec

        storage, path = fsspec.core.url_to_fs(address)
        return storage, path
    except (ImportError, ValueError) as error:
        raise ValueError(
            f"{address} cannot be opened ({error}): pip install 's2reid[remote]', or copy it to a disk"
        ) from error
