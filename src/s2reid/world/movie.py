"""Frames as a video file, with PyAV where it is installed."""

import importlib
import importlib.util
from collections.abc import Sequence
from pathlib import Path

import simplejpeg


def check() -> None:
    """Raise `ValueError` where no video file can be written."""
    if importlib.util.find_spec("av") is None:
        raise ValueError("writing video files needs PyAV: pip install 's2reid[av]', or leave --mp4 out")


def write(target: Path, frames: Sequence[Path], rate: int) -> None:
    """Encode JPEG frames as H.264, atomically."""
    av = importlib.import_module("av")
    partial = target.with_name(target.stem + ".partial.mp4")
    with av.open(str(partial), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"crf": "20", "preset": "veryfast"})
        height, width, _, _ = simplejpeg.decode_jpeg_header(frames[0].read_bytes())
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for path in frames:
            image = simplejpeg.decode_jpeg(path.read_bytes(), "RGB")
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())
    partial.replace(target)
