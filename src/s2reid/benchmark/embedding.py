"""Embedding: tracklets a second, beside OSNet x0.25 through onnxruntime."""

import importlib.util
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Float, UInt8

from s2reid.benchmark.part import Effort, Part, rate, ratio, take_turns, timed
from s2reid.embed import Model
from s2reid.layers.encoder import MEAN, STD

FRAMES, PEER_SIZE, PEER_BATCH = 8, (128, 256), 64  # the peer's size as OpenCV says it: width, height
Tracklets = UInt8[np.ndarray, "n t h w 3"]
PEER = "OSNet x0.25, onnxruntime"


def measure(model: Model, effort: Effort, peer: Path | None = None) -> Part:
    """Time a model, and the peer's graph where it is given, on the same tracklets in memory."""
    scale = model.card.task.scale
    rng = np.random.default_rng(0)
    tracklets = rng.integers(0, 256, (effort.tracklets, FRAMES, scale.height, scale.width, 3), np.uint8)
    ways = {"ours": model, "ours, quick": model.quick(), "ours, quick, bf16": model.quick("bf16")}
    sides: dict[str, Callable[[], object]] = {name: partial(way.embed, tracklets) for name, way in ways.items()}
    reason = why_not(peer)
    if peer and not reason:
        embed = open_peer(peer)
        sides[PEER] = lambda: embed(tracklets)
    for side in sides.values():
        side()  # memory is claimed
    turns = take_turns({name: timed(side) for name, side in sides.items()}, effort.rounds)
    return Part(
        "embed",
        f"Embedding tracklets of {FRAMES} frames of {scale.height}x{scale.width}, from memory",
        [
            *[rate(name, seconds, len(tracklets), "tracklets/s") for name, seconds in turns.items()],
            *[
                rate(f"{name}, images", turns[name], len(tracklets) * FRAMES, "images/s")
                for name in ("ours", PEER)  # which look at every frame
                if name in turns
            ],
        ],
        [
            ratio(f"speed of {name}, by that of {PEER}", turns[PEER], turns[name], "at least 5")
            for name in ways
            if PEER in turns
        ],
        {PEER: reason} if reason else {},
        note=f"Ours: {model.test}. Quick: {model.quick().test}. The peer: images brought to 256x128, in batches of "
        f"{PEER_BATCH}, no mirror images. All: from uint8 pixels to one vector a tracklet.",
    )


def why_not(peer: Path | None) -> str:
    """Say why the peer cannot be run; nothing where it can. Raises `ValueError` for a path that leads nowhere."""
    if peer is None:
        return "no graph was given: --peer osnet_x0_25_msmt17.onnx"
    if not peer.is_file():
        raise ValueError(f"no graph at {peer}: --peer takes an .onnx file")
    lacking = [name for name in ("onnx", "onnxruntime") if importlib.util.find_spec(name) is None]
    return f"pip install {' '.join(lacking)}" if lacking else ""


def open_peer(path: Path) -> Callable[[Tracklets], Float[np.ndarray, "n d"]]:
    """Open an image network's graph, on as many threads as ours has; it maps tracklets to unit vectors."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(batched(path), options, providers=["CPUExecutionProvider"])
    (entry,) = session.get_inputs()
    mean, std = (255 * np.array(values, np.float32) for values in (MEAN, STD))

    def embed(tracklets: Tracklets) -> Float[np.ndarray, "n d"]:
        images = tracklets.reshape(-1, *tracklets.shape[2:])
        vectors = []
        for start in range(0, len(images), PEER_BATCH):
            sized = [cv2.resize(image, PEER_SIZE) for image in images[start : start + PEER_BATCH]]
            pixels = (np.stack(sized).astype(np.float32) - mean) / std
            vectors.append(session.run(None, {entry.name: np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))})[0])
        pooled = np.concatenate(vectors).reshape(*tracklets.shape[:2], -1).mean(1)
        return pooled / np.linalg.norm(pooled, axis=1, keepdims=True)

    return embed


def batched(path: Path) -> bytes:
    """Free the batch dimension of a graph that was written for one image."""
    import onnx

    graph = onnx.load(str(path))
    for value in (*graph.graph.input, *graph.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    shapes = {node.input[1] for node in graph.graph.node if node.op_type == "Reshape"}
    for node in graph.graph.node:
        if node.op_type == "Constant" and node.output[0] in shapes:
            (held,) = node.attribute
            shape = onnx.numpy_helper.to_array(held.t).copy()
            shape[0] = 0  # as many as came in
            held.t.CopyFrom(onnx.numpy_helper.from_array(shape))
    return bytes(graph.SerializeToString())
