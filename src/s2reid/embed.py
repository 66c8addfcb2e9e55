"""Tracklets -> embeddings, in bounded memory: frames are read when their batch is due, and dropped after it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8

from s2reid import model, shipped
from s2reid.cameras import CameraMeans
from s2reid.learner import Learner
from s2reid.model import Card
from s2reid.scales import TestSetting
from s2reid.types import Embeddings, Tracklet
from s2reid.video.decode import read_frames, resize
from s2reid.video.sample import clips_to_test

BATCH_IMAGES = 64  # images in one forward pass, mirror images not counted: what caches hold
QUICK = TestSetting("begin", flip=False)
"""One clip of a tracklet's frames, without mirror images: a fourth of the work where tracklets have eight frames."""
Precision = Literal["no", "bf16"]


class DiskFrames:
    """The frames of a tracklet on disk, read when they are asked for: `frames[[0, 2]]`, as those of an array."""

    def __init__(self, tracklet: Tracklet) -> None:
        self.tracklet = tracklet

    def __len__(self) -> int:
        return self.tracklet.num_frames

    def __getitem__(self, places: Sequence[int] | Int[np.ndarray, " t"]) -> list[UInt8[np.ndarray, "_ _ 3"]]:
        return list(read_frames([(self.tracklet.store, self.tracklet.frames[place]) for place in places]))


Frames = DiskFrames | UInt8[np.ndarray, "_ _ _ 3"]


class Model:
    """A trained network that maps tracklets to vectors: the same person's are near each other across cameras.

    Args:
        cameras: of a calibrated model: what is taken out of every vector.
    """

    def __init__(
        self,
        learner: Learner,
        card: Card,
        device: str | torch.device | None = None,
        precision: Precision = "no",
        cameras: CameraMeans | None = None,
    ) -> None:
        self.card, self.precision, self.cameras = card, precision, cameras
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.learner = learner.to(self.device).eval()

    def quick(self, precision: Precision = "no") -> "Model":
        """Return a faster model of the same weights, which looks at one clip and no mirror images, for large galleries.

        `bf16` makes it faster still where the processor computes in it, and slower where it does not.
        """
        learner = copy(self.learner)
        learner.test = QUICK
        return Model(learner, self.card, self.device, precision, self.cameras)

    def embed(
        self, tracklets: Iterable[UInt8[np.ndarray, "_ _ _ 3"]], cameras: Sequence[int] | None = None
    ) -> Float[np.ndarray, "n d"]:
        """Embed tracklets of any number, length and size.

        Args:
            tracklets: uint8 RGB arrays (t, h, w, 3), one a tracklet; a generator is read as it is needed.
            cameras: the number of each tracklet's camera, which a calibrated model looks at.

        Returns:
            one float32 vector of length 1 for each tracklet.
        """
        return self._centred(self._embed(_checked(*numbered) for numbered in enumerate(tracklets)), cameras)

    def embed_tracklets(
        self, tracklets: Sequence[Tracklet], progress: Callable[[int], None] | None = None
    ) -> Embeddings:
        """Embed tracklets on disk, with their labels beside the vectors; `progress` is told how many are done."""
        vectors = self._centred(self._embed(map(DiskFrames, tracklets), progress), [t.camera for t in tracklets])
        columns = ([getattr(t, name) for t in tracklets] for name in ("person", "camera", "outfit"))
        person, camera, outfit = (np.array(column, np.int64) for column in columns)
        return Embeddings(vectors, person, camera, outfit)

    @torch.no_grad()
    def distance(self, query: Float[np.ndarray, "q d"], gallery: Float[np.ndarray, "g d"]) -> Float[np.ndarray, "q g"]:
        """Tell how far embeddings are apart, by the method's own distance if it has one; smaller is more alike."""
        sides = (torch.from_numpy(side).float().to(self.device) for side in (query, gallery))
        return self.learner.distance(*sides).float().cpu().numpy()

    @property
    def test(self) -> str:
        """Say what a test looks at and which network is tested."""
        return how_tested(self.card, self.learner) + (f", {self.precision}" if self.precision != "no" else "")

    def _centred(
        self, vectors: Float[np.ndarray, "n ..."], cameras: Sequence[int] | None
    ) -> Float[np.ndarray, "n ..."]:
        return self.cameras.centre(vectors, cameras) if self.cameras else vectors

    def _embed(
        self, tracklets: Iterable[Frames], progress: Callable[[int], None] | None = None
    ) -> Float[np.ndarray, "n d"]:
        vectors: list[torch.Tensor] = []
        waiting: list[torch.Tensor] = []  # features of the clips of the tracklet that is not complete yet
        for clips, closes in self._batches(tracklets):
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16"):
                features = self.learner.embed(clips.to(self.device)).float()
            for feature, is_last in zip(features, closes):
                waiting.append(feature)
                if is_last:
                    vectors.append(self.learner.pool(torch.stack(waiting)))
                    waiting = []
            if progress:
                progress(len(vectors))
        if not vectors:
            raise ValueError("there is nothing to embed: no tracklets given")
        return torch.stack(vectors).float().cpu().numpy()

    def _batches(self, tracklets: Iterable[Frames]) -> Iterator[tuple[torch.Tensor, list[bool]]]:
        """Cut tracklets into clips and group the clips; the flag says whether a clip is its tracklet's last."""
        length = clip_length(self.card, self.learner)
        size = max(1, BATCH_IMAGES // length)
        clips: list[torch.Tensor] = []
        closes: list[bool] = []
        for clip, is_last in self._clips(tracklets):
            clips.append(clip)
            closes.append(is_last)
            if len(clips) == size:
                yield torch.stack(clips), closes
                clips, closes = [], []
        if clips:
            yield torch.stack(clips), closes

    def _clips(self, tracklets: Iterable[Frames]) -> Iterator[tuple[torch.Tensor, bool]]:
        scale, length = self.card.task.scale, clip_length(self.card, self.learner)
        for frames in tracklets:
            chosen = clips_to_test(len(frames), length, self.learner.test.coverage)
            for place, clip in enumerate(chosen):
                images = [resize(image, scale.height, scale.width) for image in frames[clip]]
                yield torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2), place == len(chosen) - 1


def how_tested(card: Card, learner: Learner | None = None) -> str:
    """Say which frames a test looks at and which network it tests; printed beside every score."""
    learner = learner or card.build()
    measured = card.provenance.get("cameras")
    centred = f", centred by the cameras of {measured['name']}" if measured else ""
    return f"{learner.test} in clips of {clip_length(card, learner)}, {learner.tested}{centred}"


def clip_length(card: Card, learner: Learner) -> int:
    """Say how many frames a test's clip has: the learner's own number, else the scale's."""
    return learner.clip_length or card.task.scale.num_frames


def load_model(
    path: str | Path, device: str | None = None, *, quick: bool = False, precision: Precision = "no"
) -> Model:
    """Load a model folder that `s2reid train` wrote, or a model that comes with the package, by its name.

    `quick` and `precision` are those of `Model.quick`.
    """
    folder = shipped.find(path)
    learner, card = model.load(folder)
    whole = Model(learner, card, device, precision, model.read_cameras(folder))
    return whole.quick(precision) if quick else whole


def _checked(place: int, tracklet: Any) -> UInt8[np.ndarray, "_ _ _ 3"]:
    array = np.asarray(tracklet)
    if array.ndim != 4 or array.shape[-1] != 3 or array.dtype != np.uint8 or 0 in array.shape:
        raise ValueError(
            f"tracklet {place} has shape {array.shape} and type {array.dtype}, expected uint8 RGB (t, h, w, 3) "
            "with at least one frame"
        )
    return array
