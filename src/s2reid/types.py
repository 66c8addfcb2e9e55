"""The values that every part of s2reid shares: tracklets, datasets, embeddings and scores.

Legend of the shape letters used in every annotation:

    b clips · t frames · c channels · h height · w width · d feature · n tracklets
    q queries · g gallery · k persons · m clusters
"""

import os
import zipfile
import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Int

from s2reid import whole

UNKNOWN = -1
"""The person of an unlabelled tracklet."""
DISTRACTOR = -2
"""The person of a tracklet that stays in the gallery and can never match."""

Coverage = Literal["begin", "all"]
"""What a test looks at: one clip of restricted-begin frames, or every frame of the tracklet."""


@dataclass(frozen=True, slots=True)
class Tracklet:
    """One person before one camera: frame names in temporal order, relative to a store.

    `store` is a folder, or an archive (`s2reid.archive`); `person` is `UNKNOWN` where there is no label, `DISTRACTOR`
    where the tracklet can never match; `outfit` counts within a person, so that an outfit class is the pair
    (person, outfit).

    >>> Tracklet("data/mars", ("0001/a.jpg", "0001/b.jpg"), person=1, camera=2).num_frames
    2
    """

    store: str
    frames: tuple[str, ...]
    person: int
    camera: int
    outfit: int = 0

    @property
    def num_frames(self) -> int:
        return len(self.frames)

    def paths(self) -> tuple[str, ...]:
        """Join the store and every frame name."""
        return tuple(os.path.join(self.store, frame) for frame in self.frames)


@dataclass(frozen=True)
class Dataset:
    """Tracklets to train on, to ask with, and to search in.

    `origin` says where the data came from (its root; for a rendered set what its `world.json` says: preset, seed,
    version), and travels into every model trained on it. `expected` counts what must be there (published, or promised
    by `world.json`; see `datasets.check_counts`). `protocol` names how the field scores this data.
    """

    name: str
    train: tuple[Tracklet, ...] = ()
    query: tuple[Tracklet, ...] = ()
    gallery: tuple[Tracklet, ...] = ()
    origin: Mapping[str, Any] = field(default_factory=dict)
    expected: Mapping[str, Any] = field(default_factory=dict)
    protocol: str = "cross_camera"

    @property
    def num_persons(self) -> int:
        """Count the labelled persons of the training part."""
        return len({tracklet.person for tracklet in self.train if tracklet.person >= 0})

    @property
    def outfits(self) -> tuple[int, ...]:
        """Count the outfits of each of these persons, in the order of their numbers; empty where each has one."""
        worn = sorted({(tracklet.person, tracklet.outfit) for tracklet in self.train if tracklet.person >= 0})
        counts = Counter(person for person, _ in worn)
        return tuple(counts.values()) if len(worn) > len(counts) else ()


@dataclass(frozen=True)
class Embeddings:
    """One vector (or one block of features) a tracklet, with the labels needed to score it.

    Slices like an array, saves as `.npz`.

    >>> e = Embeddings(np.eye(3, dtype=np.float32), np.array([1, 2, 2]), np.array([0, 0, 1]), np.array([0, 0, 0]))
    >>> e[e.person == 2].camera
    array([0, 1])
    """

    vectors: Float[np.ndarray, "n ..."]
    person: Int[np.ndarray, " n"]
    camera: Int[np.ndarray, " n"]
    outfit: Int[np.ndarray, " n"]

    def __post_init__(self) -> None:
        lengths = {name: len(getattr(self, name)) for name in ("vectors", "person", "camera", "outfit")}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"embeddings need one row a tracklet in every column, found {lengths}")

    def __len__(self) -> int:
        return len(self.person)

    def __getitem__(self, rows: Any) -> "Embeddings":
        return Embeddings(self.vectors[rows], self.person[rows], self.camera[rows], self.outfit[rows])

    def save(self, path: str | Path) -> None:
        """Write an `.npz` atomically: a reader finds the old file or the whole new one."""
        with whole.writing(Path(path)) as partial, open(partial, "wb") as file:
            np.savez(file, vectors=self.vectors, person=self.person, camera=self.camera, outfit=self.outfit)

    @classmethod
    def load(cls, path: str | Path) -> "Embeddings":
        """Read what `save` wrote; raise `ValueError` where the file is damaged or a column is missing."""
        try:
            with np.load(path) as file:
                columns = {name: file[name] for name in file.files}
        except (ValueError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise ValueError(f"{path} is no whole .npz file ({error}): embed the tracklets again") from error
        missing = {"vectors", "person", "camera", "outfit"} - columns.keys()
        if missing:
            raise ValueError(f"{path} holds {sorted(columns)} but lacks {sorted(missing)}: is it an s2reid file?")
        return cls(columns["vectors"], columns["person"], columns["camera"], columns["outfit"])


@dataclass(frozen=True)
class Scores:
    """Retrieval scores in [0, 1] with the counts behind them; percent only in print.

    `interval` is the bootstrap 95 % interval of `mean_ap` over queries; `protocol` names who was query, who was
    gallery and which entries counted.
    """

    rank1: float
    rank5: float
    rank10: float
    mean_ap: float
    num_queries: int
    num_valid: int
    interval: tuple[float, float]
    protocol: str
