"""Decoding: JPEG files to a clip of the network's size, beside Pillow."""

import importlib.util
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import simplejpeg
from jaxtyping import UInt8

from s2reid.benchmark.part import Effort, Part, rate, ratio, take_turns, timed
from s2reid.scales import SMALL
from s2reid.types import Tracklet
from s2reid.video.decode import read_frame, resize

FRAMES, HEIGHT, WIDTH = 4, 256, 128
"""Frames of a clip, and the size of MARS's files."""
PEER = "Pillow"
Clip = UInt8[np.ndarray, "t h w 3"]
Reader = Callable[[str, list[str]], Clip]


def measure(tracklets: tuple[Tracklet, ...], effort: Effort) -> Part:
    """Time both readers on the same files, which are pictures of the tracklets, enlarged."""
    reason = "" if importlib.util.find_spec("PIL") else "pip install pillow"
    with tempfile.TemporaryDirectory() as folder:
        names = [f"{number}.jpg" for number in range(FRAMES * effort.clips)]
        for number, name in enumerate(names):
            tracklet = tracklets[number % len(tracklets)]
            picture = cv2.resize(read_frame(tracklet.store, tracklet.frames[0]), (WIDTH, HEIGHT))
            Path(folder, name).write_bytes(simplejpeg.encode_jpeg(picture, 92))
        clips = [names[start : start + FRAMES] for start in range(0, len(names), FRAMES)]
        readers: dict[str, Reader] = {"ours": ours}
        if not reason:
            readers[PEER] = pillow
        sides = {name: timed(partial(_read, read, folder, clips)) for name, read in readers.items()}
        turns = take_turns(sides, effort.rounds)
    return Part(
        "decode",
        f"Decoding clips of {FRAMES} JPEG files of {HEIGHT}x{WIDTH} to {SMALL.height}x{SMALL.width}",
        [
            *[rate(name, seconds, len(clips), "clips/s") for name, seconds in turns.items()],
            *[rate(f"{name}, images", seconds, len(names), "images/s") for name, seconds in turns.items()],
        ],
        [ratio(f"speed of ours by that of {PEER}", turns[PEER], turns["ours"])] if PEER in turns else [],
        {PEER: reason} if reason else {},
        note="In one process, with the files in the system's memory.",
    )


def _read(reader: Reader, store: str, clips: list[list[str]]) -> None:
    for clip in clips:
        reader(store, clip)


def ours(store: str, names: list[str]) -> Clip:
    return np.stack([resize(read_frame(store, name), SMALL.height, SMALL.width) for name in names])


def pillow(store: str, names: list[str]) -> Clip:
    from PIL import Image

    frames = []
    for name in names:
        with Image.open(Path(store, name)) as file:
            frames.append(
                np.asarray(file.convert("RGB").resize((SMALL.width, SMALL.height), Image.Resampling.BILINEAR))
            )
    return np.stack(frames)
