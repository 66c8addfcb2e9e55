"""Frames inside tar archives: a path may name a place in one, as `shard-000000.tar/OFFSET+SIZE/NAME`.

The place is part of the frame's name, so that nothing is looked up, however many millions there are. NAME is what the
frame was called before it was packed.
"""

import os
import re
import tarfile
from collections.abc import Iterable, Sequence

from s2reid import remote
from s2reid.types import Tracklet

BLOCK = tarfile.BLOCKSIZE
ENDING = ".tar"
_PLACE = re.compile(r"([0-9]+)\+([0-9]+)/", re.ASCII)


def read(path: str) -> bytes:
    """Read a file, or a member of an archive.

    Raises `OSError` where there is no such file, and `ValueError` where an archive does not hold the member at its
    place.
    """
    if remote.is_remote(path):
        return read_all([path])[0]
    found = _locate(path)
    if found is None:
        with open(path, "rb") as file:
            return file.read()
    archive, offset, size = found
    with open(archive, "rb") as file:
        file.seek(offset - BLOCK)
        return _content(path, archive, size, file.read(BLOCK + size))


def read_all(paths: Sequence[str]) -> list[bytes]:
    """Read several files or members of one dataset, as `read` does; in object storage all at once."""
    if not (paths and remote.is_remote(paths[0])):
        return [read(path) for path in paths]
    places = [_locate(path) for path in paths]
    assert None not in places, paths
    found = [place for place in places if place]
    members = remote.read_ranges([(archive, offset - BLOCK, offset + size) for archive, offset, size in found])
    return [_content(path, archive, size, member) for path, (archive, _, size), member in zip(paths, found, members)]


def _content(path: str, archive: str, size: int, member: bytes) -> bytes:
    """Cut the content of a frame out of what was read of an archive."""
    if len(member) < BLOCK + size:
        raise ValueError(f"the frame {path} lies behind the end of {archive}: the archive is cut short, copy it again")
    if len(member) > BLOCK + size:
        raise ValueError(
            f"{archive}: {BLOCK + size:,} bytes were asked for and {len(member):,} came: what serves it does not send "
            "parts of files; copy the shards to a disk"
        )
    # Magic and size of the member's header: enough to tell another archive, or one that has lost or gained bytes.
    if member[257:262] != b"ustar" or member[124:135] != b"%011o" % size:
        raise ValueError(
            f"{archive} does not hold the frame {path} at its place: the archive is damaged, copy it again"
        )
    return member[BLOCK:]


def size(path: str) -> int:
    """Say how many bytes a file or a member has; the archive itself is not looked at."""
    found = _locate(path)
    return os.path.getsize(path) if found is None else found[2]


def sizes(archive: str, frames: Iterable[str]) -> dict[str, int]:
    """Say how many bytes each frame of an archive has; those that lie behind its end are left out."""
    end = remote.sizes([archive])[0] if remote.is_remote(archive) else os.path.getsize(archive)
    places = {frame: _place(frame) for frame in frames}
    return {frame: size for frame, (offset, size) in places.items() if end is None or offset + size <= end}


def is_archive(store: str) -> bool:
    """Tell an archive from a folder, whatever the folder's name."""
    return store.endswith(ENDING) and not os.path.isdir(store)


def names(tracklet: Tracklet) -> tuple[str, ...]:
    """Name a tracklet's frames without their places in an archive: as before they were packed.

    >>> names(Tracklet("shard-000000.tar", ("512+9000/1/a.jpg",), person=1, camera=1))
    ('1/a.jpg',)
    """
    if not tracklet.store.endswith(ENDING):
        return tracklet.frames
    return tuple(_PLACE.sub("", frame, count=1) if _PLACE.match(frame) else frame for frame in tracklet.frames)


def layout(sizes: Sequence[int], start: int) -> tuple[list[int], int]:
    """Say at which offsets members of these sizes lie that are written from `start` on, and where they end.

    >>> layout([512, 1], 0)
    ([512, 1536], 2048)
    """
    offsets = []
    for size in sizes:
        offsets.append(start + BLOCK)
        start += BLOCK + -(-size // BLOCK) * BLOCK
    return offsets, start


def member(name: str, content: bytes) -> bytes:
    """Make a member as it stands in an archive: header, content, padding; equal contents give equal bytes."""
    header = tarfile.TarInfo(name)
    header.size = len(content)
    padding = bytes(-len(content) % BLOCK)
    return header.tobuf(tarfile.USTAR_FORMAT) + content + padding


def _locate(path: str) -> tuple[str, int, int] | None:
    """Cut a path into archive, offset and size; None for a plain file."""
    archive, mark, frame = path.partition(ENDING + "/")
    while mark:
        if found := _PLACE.match(frame):
            return archive + ENDING, int(found[1]), int(found[2])
        more, mark, frame = frame.partition(ENDING + "/")  # a folder that is called so
        archive += ENDING + "/" + more
    return None


def _place(frame: str) -> tuple[int, int]:
    found = _PLACE.match(frame)
    assert found is not None, frame
    return int(found[1]), int(found[2])
