"""Rank a gallery for every query: average precision, first hit and, on request, the nearest entries.

Queries are handled block by block, so nothing of size queries x gallery is ever held. The rules:

- gallery entries that are `UNKNOWN` (junk, unlabelled) are removed;
- entries that the `keep` rule excludes for a query are removed; by default those of the same person *and* camera;
- `DISTRACTOR` entries stay and never match;
- entries at exactly the same distance keep the order of the gallery (a stable sort), so that a ranking is the same on
  every machine. Evaluators with an unstable sort give slightly different numbers where many distances are equal;
- a query without a match has no average precision: it is counted apart and never scored as zero.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from s2reid.metrics.distance import DISTANCES, Block, block_size, check_vectors
from s2reid.metrics.rerank import Rerank
from s2reid.types import UNKNOWN, Embeddings

Distance = str | Rerank | Callable[[np.ndarray, np.ndarray], Block]
"""`cosine`, `euclidean`, re-ranking, or a function of (query block, gallery) vectors that gives their distances."""
Keep = Callable[[Embeddings, Embeddings], Bool[np.ndarray, "q g"]]
"""Which gallery entries count for which query."""
Precision = Callable[[Int[np.ndarray, " m"]], float]
"""Average precision from the ranks (1-based, rising) of a query's matches."""


@dataclass(frozen=True)
class Ranking:
    """What one ranked list a query leaves behind.

    `average_precision` is NaN and `first_hit` 0 where a query has no match; `first_hit` is 1 for a hit at the top.
    `top` holds the indices of the nearest gallery entries that count, nearest first, -1 where there are no more.
    """

    average_precision: Float[np.ndarray, " q"]
    first_hit: Int[np.ndarray, " q"]
    num_matches: Int[np.ndarray, " q"]
    top: Int[np.ndarray, "q k"]

    @property
    def valid(self) -> Bool[np.ndarray, " q"]:
        """Tell which queries have a match."""
        return self.num_matches > 0

    @property
    def mean_ap(self) -> float:
        """Average the precision over the valid queries; NaN where there is none."""
        return float(self.average_precision[self.valid].mean()) if self.valid.any() else float("nan")

    def cmc(self, max_rank: int) -> Float[np.ndarray, " r"]:
        """Compute the share of valid queries with a hit among the first 1, 2, ... `max_rank`; NaN if there is none."""
        if not self.valid.any():
            return np.full(max_rank, np.nan)
        ranks = np.arange(1, max_rank + 1)
        num_hits = np.searchsorted(np.sort(self.first_hit[self.valid]), ranks, side="right")
        return np.asarray(num_hits / self.valid.sum())


# Which entries count


def other_camera(query: Embeddings, gallery: Embeddings) -> Bool[np.ndarray, "q g"]:
    """Keep all but the same person in the same camera: the rule of the field."""
    own = _same(query, gallery, "person")
    own &= _same(query, gallery, "camera")
    return np.logical_not(own, out=own)


def other_camera_same_outfit(query: Embeddings, gallery: Embeddings) -> Bool[np.ndarray, "q g"]:
    """Keep, of the query's person, only other cameras in the same outfit (the same-clothes setting)."""
    alike = ~_same(query, gallery, "camera") & _same(query, gallery, "outfit")
    kept: Bool[np.ndarray, "q g"] = alike | ~_same(query, gallery, "person")
    return kept


def other_camera_other_outfit(query: Embeddings, gallery: Embeddings) -> Bool[np.ndarray, "q g"]:
    """Keep, of the query's person, only other cameras in another outfit (the clothes-changing setting)."""
    changed = ~_same(query, gallery, "camera") & ~_same(query, gallery, "outfit")
    kept: Bool[np.ndarray, "q g"] = changed | ~_same(query, gallery, "person")
    return kept


def _same(query: Embeddings, gallery: Embeddings, label: str) -> Bool[np.ndarray, "q g"]:
    same: Bool[np.ndarray, "q g"] = getattr(query, label)[:, None] == getattr(gallery, label)
    return same


# Average precision


def mean_precision(ranks: Int[np.ndarray, " m"]) -> float:
    """Average the precision at each hit.

    >>> mean_precision(np.array([1, 4]))
    0.75
    """
    return float(np.mean(np.arange(1, len(ranks) + 1) / ranks))


def trapezoid_precision(ranks: Int[np.ndarray, " m"]) -> float:
    """Integrate the precision-recall curve by trapezoids, as the official MARS tool does.

    >>> round(trapezoid_precision(np.array([1, 4])), 4)
    0.7083
    """
    hits = np.arange(1, len(ranks) + 1)
    before = np.where(ranks > 1, (hits - 1) / np.maximum(ranks - 1, 1), 1.0)
    return float(np.mean((before + hits / ranks) / 2))


# Ranking


def rank(
    query: Embeddings,
    gallery: Embeddings,
    distance: Distance = "cosine",
    *,
    keep: Keep = other_camera,
    precision: Precision = mean_precision,
    top: int = 0,
    block: int | None = None,
) -> Ranking:
    """Rank the gallery for every query, `block` queries at a time (default: what fits in 256 MiB, 512 at most).

    Raises `ValueError` for an empty side, an unknown distance, vectors that are not finite or not equally wide, and a
    distance that is not a number.

    >>> zero, camera = np.array([0]), np.array([1, 0, 1])
    >>> query = Embeddings(np.array([[0.0]]), np.array([7]), zero, zero)
    >>> gallery = Embeddings(np.array([[1.0], [0.1], [0.5]]), np.array([7, 7, 8]), camera, camera)
    >>> ranking = rank(query, gallery, "euclidean", top=3)  # the entry at 0.1 is the same person in the same camera
    >>> ranking.average_precision.tolist(), ranking.top.tolist()
    ([0.5], [[2, 0, -1]])
    """
    blocks = _blocks(query, gallery, distance, block or block_size(len(gallery)))
    return rank_blocks(blocks, query, gallery, keep=keep, precision=precision, top=top)


def rank_matrix(
    distances: Block,
    query: Embeddings,
    gallery: Embeddings,
    *,
    keep: Keep = other_camera,
    precision: Precision = mean_precision,
    top: int = 0,
    block: int | None = None,
) -> Ranking:
    """Rank by a distance matrix that exists already; only the labels of the embeddings are used."""
    if distances.shape != (len(query), len(gallery)):
        raise ValueError(
            f"the distance matrix has shape {distances.shape}, expected ({len(query)}, {len(gallery)}): "
            "one row a query, one column a gallery entry"
        )
    size = block or block_size(len(gallery))
    rows = (distances[start : start + size] for start in range(0, len(query), size))
    return rank_blocks(rows, query, gallery, keep=keep, precision=precision, top=top)


def rank_blocks(
    blocks: Iterable[Block],
    query: Embeddings,
    gallery: Embeddings,
    *,
    keep: Keep = other_camera,
    precision: Precision = mean_precision,
    top: int = 0,
) -> Ranking:
    """Rank by blocks of distances that follow the queries in order; only the labels of the embeddings are used."""
    average_precision = np.full(len(query), np.nan)
    first_hit, num_matches = np.zeros(len(query), np.int64), np.zeros(len(query), np.int64)
    nearest = np.full((len(query), top), -1, np.int64)
    labelled = gallery.person != UNKNOWN
    start = 0
    for distances in blocks:
        rows = query[start : start + len(distances)]
        if len(rows) < len(distances):
            raise ValueError(f"the blocks of distances have more rows than the {len(query)} queries")
        distances = _comparable(distances, start)
        counts = keep(rows, gallery) & labelled
        for row, index in enumerate(range(start, start + len(distances))):
            if top:
                found = _nearest(distances[row], np.flatnonzero(counts[row]), top)
                nearest[index, : len(found)] = found
            if rows.person[row] < 0:  # unlabelled, or a distractor: it never matches
                continue
            ranks = _hit_ranks(distances[row][counts[row]], (gallery.person == rows.person[row])[counts[row]])
            num_matches[index] = len(ranks)
            if len(ranks):
                average_precision[index], first_hit[index] = precision(ranks), ranks[0]
        start += len(distances)
    if start != len(query):
        raise ValueError(f"the blocks of distances have {start} rows, expected one for each of {len(query)} queries")
    return Ranking(average_precision, first_hit, num_matches, nearest)


def _comparable(distances: Block, start: int) -> Block:
    """Refuse what is not a number; half precision becomes float32, which keeps every order and every tie."""
    if distances.size and np.isnan(distances.min()):  # the smallest of anything and NaN is NaN: no array of flags
        raise ValueError(f"a distance of the queries {start} to {start + len(distances) - 1} is not a number (NaN)")
    return distances.astype(np.float32) if distances.dtype == np.float16 else distances


def labels(
    person: Int[np.ndarray, " n"], camera: Int[np.ndarray, " n"], outfit: Int[np.ndarray, " n"] | None = None
) -> Embeddings:
    """Make embeddings that have labels and no vectors, for distances that exist already."""
    outfit = np.zeros_like(person) if outfit is None else outfit
    return Embeddings(np.zeros((len(person), 0), np.float32), person, camera, outfit)


def prepare(query: np.ndarray, gallery: np.ndarray, distance: Distance) -> Callable[[slice], Block]:
    """Bind a distance to what is compared; the function that comes back computes the distances of some query rows.

    Named distances and re-ranking need vectors; a function may take any features.
    """
    if isinstance(distance, Rerank):
        return distance.prepare(*check_vectors(query, gallery))
    if not isinstance(distance, str):
        return lambda rows: distance(query[rows], gallery)
    if distance not in DISTANCES:
        raise ValueError(f"no distance named {distance!r}: there are {', '.join(sorted(DISTANCES))}")
    query, gallery = check_vectors(query, gallery)
    to_gallery = DISTANCES[distance](gallery)
    return lambda rows: to_gallery(query[rows])


def _blocks(query: Embeddings, gallery: Embeddings, distance: Distance, block: int) -> Iterator[Block]:
    """Compute distances for `block` queries at a time."""
    if not len(query) or not len(gallery):
        raise ValueError(f"{len(query)} queries and {len(gallery)} gallery entries: ranking needs at least one of each")
    distances_of = prepare(query.vectors, gallery.vectors, distance)
    for start in range(0, len(query), block):
        distances = distances_of(slice(start, start + block))
        expected = (min(block, len(query) - start), len(gallery))
        if distances.shape != expected:
            raise ValueError(f"the distance gave shape {distances.shape}, expected {expected}: one row a query")
        yield distances


def _hit_ranks(distances: Float[np.ndarray, " e"], matches: Bool[np.ndarray, " e"]) -> Int[np.ndarray, " m"]:
    """Find the ranks of the matches in a stable sort of the entries that count.

    Values are sorted without their places, which vector instructions do ten times faster than a stable sort with them;
    where a match shares its value with others, those before it in the gallery are counted.
    """
    places = np.flatnonzero(matches)
    if not len(places):
        return places
    hits = distances[places]
    ordered = np.sort(distances[distances <= hits.max()])
    before, through = (np.searchsorted(ordered, hits, side) for side in ("left", "right"))
    for tied in np.flatnonzero(through - before > 1):
        before[tied] += np.count_nonzero(distances[: places[tied]] == hits[tied])
    ranks: Int[np.ndarray, " m"] = np.sort(before + 1)
    return ranks


def _nearest(distances: Float[np.ndarray, " g"], entries: Int[np.ndarray, " e"], top: int) -> Int[np.ndarray, " k"]:
    """Find the `top` nearest of some entries; equal distances keep the order of the gallery."""
    values = distances[entries]
    if len(entries) > top:
        near = np.flatnonzero(values <= np.partition(values, top - 1)[top - 1])
        entries, values = entries[near], values[near]
    return entries[np.argsort(values, kind="stable")[:top]]
