"""Which frames of a tracklet make a clip: positions in 0..num_frames-1, in temporal order."""

from typing import get_args

import numpy as np
from jaxtyping import Int

from s2reid.types import Coverage


def restricted_random(num_frames: int, length: int, rng: np.random.Generator) -> Int[np.ndarray, " t"]:
    """Take one random frame from each of `length` equal blocks (training; Li et al. 2018).

    A shorter tracklet repeats its last frame; the last block takes the remainder.

    >>> restricted_random(4, 4, np.random.default_rng(0))  # blocks of one frame leave no choice
    array([0, 1, 2, 3])
    """
    padded = max(num_frames, length)
    block = padded // length
    last = padded - (length - 1) * block
    drawn = rng.random(length).tolist()  # plain numbers: arrays this short cost more than they save
    places = [start * block + int(u * (block if start < length - 1 else last)) for start, u in enumerate(drawn)]
    return np.array([min(place, num_frames - 1) for place in places])


def restricted_begin(num_frames: int, length: int) -> Int[np.ndarray, " t"]:
    """Take the first frame of each of `length` equal blocks (the quick test).

    >>> restricted_begin(10, 4), restricted_begin(2, 4)
    (array([0, 2, 4, 6]), array([0, 1, 1, 1]))
    """
    block = max(num_frames, length) // length
    return np.minimum(np.arange(length) * block, num_frames - 1)


def all_frames(num_frames: int, length: int) -> Int[np.ndarray, "clips t"]:
    """Cut a tracklet into interleaved clips that together show every frame; each spans the whole tracklet.

    A tracklet whose length is no multiple of `length` is padded with copies of its last frame.

    >>> all_frames(7, 4)
    array([[0, 2, 4, 6],
           [1, 3, 5, 6]])
    """
    num_clips = -(-num_frames // length)
    positions = np.minimum(np.arange(num_clips * length), num_frames - 1)
    return positions.reshape(length, num_clips).T


def clips_to_test(num_frames: int, length: int, coverage: Coverage) -> Int[np.ndarray, "clips t"]:
    """List the clips that a test embeds of one tracklet.

    >>> clips_to_test(10, 4, "begin")
    array([[0, 2, 4, 6]])
    """
    if coverage == "all":
        return all_frames(num_frames, length)
    if coverage == "begin":
        return restricted_begin(num_frames, length)[None]
    raise ValueError(f"no test coverage named {coverage!r}: there are {', '.join(get_args(Coverage))}")
