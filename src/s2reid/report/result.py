"""A method's result on a target, and what is asked of a set of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float

from s2reid.metrics.distance import Block
from s2reid.metrics.ranking import Distance, Keep, Precision, Ranking, mean_precision, other_camera, prepare, rank
from s2reid.types import Embeddings, Scores, Tracklet


@dataclass(frozen=True)
class Result:
    """What a method scored on a target, with the embeddings and tracklets behind it, row by row.

    `is_real` says that the tracklets show real people: their pictures stay off a page unless asked for. `distance`,
    `keep` and `precision` are those that gave the scores. `source` are vectors of some of the source's tracklets by the
    same model, where they were kept.
    """

    method: str
    target: str
    scores: Scores
    query: Embeddings
    gallery: Embeddings
    query_tracklets: tuple[Tracklet, ...]
    gallery_tracklets: tuple[Tracklet, ...]
    is_real: bool
    distance: Distance = "cosine"
    keep: Keep = other_camera
    precision: Precision = mean_precision
    source: Embeddings | None = None

    def __post_init__(self) -> None:
        if self.is_real and "standin" in self.target:
            raise ValueError(f"the target {self.target!r} counts as real but its name says stand-in: set is_real=False")
        check_rows(f"{self.method} on {self.target}, query", self.query, self.query_tracklets)
        check_rows(f"{self.method} on {self.target}, gallery", self.gallery, self.gallery_tracklets)

    @cached_property
    def ranking(self) -> Ranking:
        """Rank the gallery for every query."""
        return rank(self.query, self.gallery, self.distance, keep=self.keep, precision=self.precision)

    @cached_property
    def _distances_of(self) -> Callable[[slice], Block]:
        return prepare(self.query.vectors, self.gallery.vectors, self.distance)

    def distances(self, query: int) -> Float[np.ndarray, "1 g"]:
        """Compute the distances of one query to the gallery."""
        return self._distances_of(slice(query, query + 1))


def check_rows(where: str, embeddings: Embeddings, tracklets: Sequence[Tracklet]) -> None:
    """Raise `ValueError` unless row i of the embeddings is tracklet i: a shift would mark wrong matches as right."""
    if len(embeddings) != len(tracklets):
        raise ValueError(
            f"{where}: {len(embeddings)} embeddings for {len(tracklets)} tracklets: give one a tracklet, in order"
        )
    for row, tracklet in enumerate(tracklets):
        labels = (int(embeddings.person[row]), int(embeddings.camera[row]))
        if labels != (tracklet.person, tracklet.camera):
            raise ValueError(
                f"{where}: row {row} is (person, camera) {labels} in the embeddings and "
                f"{(tracklet.person, tracklet.camera)} in the tracklets: give both in the same order"
            )


def check_results(results: Sequence[Result]) -> None:
    """Raise `ValueError` where there is nothing to show, or two results claim one place."""
    if not results:
        raise ValueError("no result to show: expected at least one method scored on one target; evaluate first")
    places = [(result.method, result.target) for result in results]
    doubled = sorted({place for place in places if places.count(place) > 1})
    if doubled:
        raise ValueError(f"two results for {doubled}: give each method one result a target, or names that differ")
    for target, group in by_target(results).items():
        if len({result.is_real for result in group}) > 1:
            raise ValueError(f"the target {target!r} is real in one result and a stand-in in another: which is it?")


def by_target(results: Sequence[Result]) -> dict[str, list[Result]]:
    """Group results by target, in the order given."""
    groups: dict[str, list[Result]] = {}
    for result in results:
        groups.setdefault(result.target, []).append(result)
    return groups
