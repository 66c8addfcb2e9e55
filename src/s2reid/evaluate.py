"""Protocols as named functions, and the scores they give.

A protocol says who is query, who is gallery and which entries count: a function of (query, gallery, distance) that
returns a `Ranking`. Its name is printed with every score.
"""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
from jaxtyping import Float

from s2reid.metrics.ranking import (
    Distance,
    Keep,
    Ranking,
    other_camera,
    other_camera_other_outfit,
    other_camera_same_outfit,
    rank,
)
from s2reid.types import Embeddings, Scores

Protocol = Callable[[Embeddings, Embeddings, Distance], Ranking]
KEEP: dict[str, Keep] = {
    "cross_camera": other_camera,
    "same_clothes": other_camera_same_outfit,
    "clothes_changing": other_camera_other_outfit,
}
"""Which gallery entries count for a query, by protocol."""


def cross_camera(query: Embeddings, gallery: Embeddings, distance: Distance = "cosine") -> Ranking:
    """Rank every query against the gallery without its own person in its own camera."""
    return rank(query, gallery, distance)


def same_clothes(query: Embeddings, gallery: Embeddings, distance: Distance = "cosine") -> Ranking:
    """Rank as `cross_camera`, with the query's person in other outfits removed from the gallery."""
    return rank(query, gallery, distance, keep=KEEP["same_clothes"])


def clothes_changing(query: Embeddings, gallery: Embeddings, distance: Distance = "cosine") -> Ranking:
    """Rank as `cross_camera`, with the query's person in the same outfit removed from the gallery."""
    return rank(query, gallery, distance, keep=KEEP["clothes_changing"])


PROTOCOLS: dict[str, Protocol] = {
    protocol.__name__: protocol for protocol in (cross_camera, same_clothes, clothes_changing)
}


def score(
    query: Embeddings,
    gallery: Embeddings,
    *,
    protocol: str | Protocol = cross_camera,
    distance: Distance = "cosine",
    seed: int = 0,
) -> Scores:
    """Score queries against a gallery by a protocol (a function, or the name of one in `PROTOCOLS`).

    Raises `ValueError` with the reason where no query has a match, and for what `rank` refuses.

    >>> query = Embeddings(np.eye(2), np.array([1, 2]), np.array([0, 0]), np.array([0, 0]))
    >>> gallery = Embeddings(np.eye(2), np.array([1, 2]), np.array([1, 1]), np.array([0, 0]))
    >>> result = score(query, gallery)
    >>> result.rank1, result.mean_ap, result.num_valid, result.protocol
    (1.0, 1.0, 2, 'cross_camera')
    """
    protocol = _find_protocol(protocol)
    return summarise(protocol(query, gallery, distance), query, gallery, protocol=protocol.__name__, seed=seed)


def summarise(ranking: Ranking, query: Embeddings, gallery: Embeddings, *, protocol: str, seed: int = 0) -> Scores:
    """Summarise a ranking as scores; raise `ValueError` with the reason where no query has a match."""
    if not ranking.valid.any():
        raise ValueError(f"none of {len(query)} queries has a match under {protocol}: {_why_no_match(query, gallery)}")
    cmc = ranking.cmc(10)
    return Scores(
        rank1=float(cmc[0]),
        rank5=float(cmc[4]),
        rank10=float(cmc[9]),
        mean_ap=ranking.mean_ap,
        num_queries=len(ranking.valid),
        num_valid=int(ranking.valid.sum()),
        interval=bootstrap(ranking.average_precision[ranking.valid], seed),
        protocol=protocol,
    )


def bootstrap(values: Float[np.ndarray, " q"], seed: int = 0, num_resamples: int = 1_000) -> tuple[float, float]:
    """Compute the 95 % percentile interval of the mean by resampling queries with replacement."""
    drawn = np.random.default_rng(seed).integers(len(values), size=(num_resamples, len(values)), dtype=np.int32)
    low, high = np.percentile(values[drawn].mean(axis=1), [2.5, 97.5])
    return float(low), float(high)


def to_dict(scores: Scores) -> dict[str, Any]:
    """Turn scores into what JSON can hold, as fractions."""
    return {**asdict(scores), "interval": list(scores.interval)}


def _find_protocol(protocol: str | Protocol) -> Protocol:
    if not isinstance(protocol, str):
        return protocol
    name = protocol.replace("-", "_")
    if name not in PROTOCOLS:
        raise ValueError(f"no protocol named {protocol!r}: there are {', '.join(sorted(PROTOCOLS))}")
    return PROTOCOLS[name]


def _why_no_match(query: Embeddings, gallery: Embeddings) -> str:
    """Say why no query can have a match, and what to do."""
    asked = set(query.person[query.person >= 0].tolist())
    shared = asked & set(gallery.person.tolist())
    if not asked:
        return "the queries have no person labels; give them labels, or use search instead of evaluate"
    if not shared:
        return f"none of their {len(asked)} persons is in the gallery; were query and gallery cut from the same data?"
    cameras: dict[int, set[int]] = {}
    for person, camera in zip(gallery.person.tolist(), gallery.camera.tolist()):
        cameras.setdefault(person, set()).add(camera)
    if not any(
        cameras.get(person, set()) - {camera} for person, camera in zip(query.person.tolist(), query.camera.tolist())
    ):
        return (
            f"{len(shared)} of their persons are in the gallery, but only in the query's own camera, and those entries "
            "are removed; the gallery needs other cameras"
        )
    return (
        f"{len(shared)} of their persons are in the gallery in other cameras, but in no outfit that counts; are the "
        "outfit labels right?"
    )
