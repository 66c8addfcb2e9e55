"""Read frames of a tracklet: encoded bytes -> uint8 RGB."""

import os
from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import simplejpeg
from jaxtyping import UInt8

from s2reid import archive, remote

JPEG_MAGIC, PNG_MAGIC, PNG_END = b"\xff\xd8", b"\x89PNG", b"IEND\xaeB`\x82"
# What OpenCV would print about a damaged file, our own message says, with the path.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


def read_frame(store: str, name: str) -> UInt8[np.ndarray, "h w 3"]:
    """Decode one frame to RGB; raise `ValueError` with the path where the file is missing, empty or damaged."""
    path = os.path.join(store, name)
    try:
        encoded = archive.read(path)
    except OSError as error:
        raise ValueError(f"cannot read the frame {path}: {error.strerror}; is the data complete?") from error
    return decode(encoded, path)


def read_frames(places: Sequence[tuple[str, str]]) -> Iterator[UInt8[np.ndarray, "_ _ 3"]]:
    """Decode frames, each `(store, name)`, one by one as `read_frame` does; object storage is asked for all at once."""
    if not (places and remote.is_remote(places[0][0])):
        yield from (read_frame(*place) for place in places)
        return
    paths = [os.path.join(*place) for place in places]
    try:
        fetched = archive.read_all(paths)
    except OSError as error:
        raise ValueError(f"cannot read {error.filename}: {error.strerror}; is the data complete?") from error
    yield from (decode(encoded, path) for encoded, path in zip(fetched, paths))


def decode(encoded: bytes, path: str) -> UInt8[np.ndarray, "h w 3"]:
    """Decode JPEG (simplejpeg, strict: a truncated file is an error) or any other format OpenCV reads to RGB.

    >>> decode(simplejpeg.encode_jpeg(np.zeros((4, 2, 3), np.uint8)), "black.jpg").shape
    (4, 2, 3)
    """
    if not encoded:
        raise ValueError(f"the frame {path} is empty (0 bytes): copy it again or remove it")
    if encoded.startswith(PNG_MAGIC) and PNG_END not in encoded:
        raise ValueError(f"the frame {path} is cut short ({len(encoded)} bytes): copy it again or remove it")
    try:
        if encoded[:2] == JPEG_MAGIC:
            return simplejpeg.decode_jpeg(encoded, strict=True)
        # Pixels as they are stored, as those of a JPEG are: no turning by what a camera noted.
        image = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
        if image is not None:
            return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    except (ValueError, cv2.error) as error:
        raise ValueError(f"the frame {path} is damaged ({error}): copy it again or remove it") from error
    raise ValueError(
        f"the frame {path} is not an image ({len(encoded)} bytes that no decoder reads): copy it again or remove it"
    )


def resize(image: UInt8[np.ndarray, "h w 3"], height: int, width: int) -> UInt8[np.ndarray, "height width 3"]:
    """Resize to the network's input: area when shrinking, bilinear when growing."""
    if image.shape[:2] == (height, width):
        return image
    shrinks = image.shape[0] > height and image.shape[1] > width
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
