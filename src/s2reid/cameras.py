"""What a camera puts into every vector, measured without labels and taken out again.

A camera's light, height and codec move the vectors of all persons that it sees the same way, so that two people before
one camera can be nearer than one person before two. The mean over whoever passed a camera says how it moves them.
That embeddings are biased by cameras, and that a normalisation by camera removes much of it without training, is what
Song, Park and Lee (ICLR 2025) report; ours takes out the mean alone, drawn to the mean of all where a camera saw few.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from s2reid.types import Embeddings

PRIOR = 5
"""As many tracklets of no camera in particular count beside a camera's own: a camera that saw one person is not it."""
FEWEST = 2
"""Tracklets below which there is no mean to speak of."""


def check_names(measured: Mapping[str, int], here: Mapping[str, int]) -> None:
    """Raise `ValueError` where a number is one camera's in a model and another's here.

    Both map the names of folders to numbers. A number that stands in both names is the same camera, whatever else they
    are called; where folders were numbered by their order, one folder more or less changes the numbers.

    >>> check_names({"door_1": 1, "hall_2": 2}, {"cam1": 1, "cam7": 7})
    """
    names = {number: name for name, number in measured.items()}
    for name, number in here.items():
        if measured.get(name, number) != number:
            raise ValueError(
                f"the camera {name} has the number {number} here and had {measured[name]} when it was measured: "
                f"give folders numbers of their own, such as {name}_1, and calibrate again"
            )
        other = names.get(number, name)
        if other != name and not (_says(other, number) and _says(name, number)):
            raise ValueError(
                f"the camera {name} has the number {number} here, and the model was calibrated with that number for "
                f"{other}: give the folders numbers of their own, such as {name}_1, and calibrate again"
            )


def _says(name: str, number: int) -> bool:
    """Say whether a number is the last one in a name."""
    return [*map(int, re.findall(r"[0-9]+", name))][-1:] == [number]


@dataclass(frozen=True)
class CameraMeans:
    """The mean vector of each camera, and the overall one, which stands for a camera that is not known."""

    camera: Int[np.ndarray, " c"]
    mean: Float[np.ndarray, "c d"]
    overall: Float[np.ndarray, " d"]

    @classmethod
    def fit(cls, embeddings: Embeddings) -> "CameraMeans":
        """Measure the cameras of some tracklets; persons are not looked at.

        Raises `ValueError` for fewer than two tracklets, and for blocks of features in the place of vectors.

        >>> seen = Embeddings(np.eye(4, dtype=np.float32), *np.array([[-1] * 4, [1, 1, 2, 2], [0] * 4]))
        >>> CameraMeans.fit(seen).camera.tolist()
        [1, 2]
        """
        vectors = embeddings.vectors
        if len(embeddings) < FEWEST:
            raise ValueError(f"cameras are measured by who passed them, found {len(embeddings)} tracklets: give more")
        if vectors.ndim != 2:
            raise ValueError(f"there is no mean of features of shape {vectors.shape[1:]}, expected one vector each")
        overall, known = vectors.mean(0), np.unique(embeddings.camera)
        sums = [vectors[embeddings.camera == camera].sum(0) for camera in known]
        counts = [(embeddings.camera == camera).sum() for camera in known]
        means = [(PRIOR * overall + total) / (PRIOR + count) for total, count in zip(sums, counts)]
        return cls(known, np.stack(means).astype(np.float32), overall.astype(np.float32))

    def centre(
        self, vectors: Float[np.ndarray, "n d"], camera: Sequence[int] | Int[np.ndarray, " n"] | None = None
    ) -> Float[np.ndarray, "n d"]:
        """Take from each vector what its camera put there, and make it as long as 1 again.

        Without `camera`, and of a camera that was not measured, the overall mean is taken.
        """
        cameras = [None] * len(vectors) if camera is None else [int(number) for number in camera]
        if len(cameras) != len(vectors):
            raise ValueError(f"there are {len(vectors)} vectors and {len(cameras)} cameras: give one a vector")
        means = dict(zip(self.camera.tolist(), self.mean))
        if not cameras:
            return vectors
        centred = vectors - np.stack([means.get(number, self.overall) for number in cameras])
        lengths = np.linalg.norm(centred, axis=1, keepdims=True)
        return (centred / np.maximum(lengths, 1e-12)).astype(np.float32)

    def save(self, path: Path) -> None:
        """Write safetensors; whoever calls sees to it that the file appears whole."""
        save_file({"camera": self.camera, "mean": self.mean, "overall": self.overall}, path)

    @classmethod
    def load(cls, path: Path) -> "CameraMeans":
        """Read what `save` wrote; raise `ValueError` where the file is damaged."""
        try:
            return cls(**load_file(path))
        except (OSError, SafetensorError, TypeError) as error:
            raise ValueError(f"{path} cannot be read ({error}): calibrate the model again") from error
