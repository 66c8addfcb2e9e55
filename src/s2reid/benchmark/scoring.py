"""Evaluation: every number of a score, beside the whole matrix and a sort of each row, as the field's scripts do."""

import numpy as np

from s2reid.benchmark.part import Effort, Part, ratio, summarise, take_turns, timed
from s2reid.metrics.ranking import rank
from s2reid.types import DISTRACTOR, Embeddings

Sides = tuple[Embeddings, Embeddings]
PEER = "a full-matrix evaluator"


def measure(effort: Effort) -> Part:
    """Time both evaluators on the same vectors."""
    query, gallery = crowd(*effort.crowd)
    ours(query[:8], gallery[:2_000])  # compiled code is loaded, and threads are started
    sides = {"ours": lambda: ours(query, gallery), PEER: lambda: whole_matrix(query, gallery)}
    turns = take_turns({name: timed(side) for name, side in sides.items()}, effort.rounds)
    queries, entries, width = effort.crowd
    return Part(
        "evaluate",
        f"Scoring {queries:,} queries against {entries:,} gallery entries of {width:,} numbers",
        [summarise(name, seconds, "s") for name, seconds in turns.items()],
        [ratio(f"speed of ours by that of {PEER}", turns[PEER], turns["ours"])],
        note="Ours holds a block of distances at a time; the other holds the whole matrix and its order.",
    )


def crowd(num_query: int, num_gallery: int, width: int) -> Sides:
    """Draw vectors around a centre a person (three queries each), in six cameras; a quarter are distractors."""
    rng, num_persons = np.random.default_rng(0), max(1, num_query // 3)
    centres = rng.normal(size=(num_persons, width)).astype(np.float32)

    def side(num: int) -> Embeddings:
        person = rng.integers(num_persons, size=num)
        vectors = rng.standard_normal((num, width), np.float32)
        for start in range(0, num, 10_000):
            vectors[start : start + 10_000] += 0.3 * centres[person[start : start + 10_000]]
        return Embeddings(vectors, person, rng.integers(1, 7, size=num), np.zeros(num, np.int64))

    query, gallery = side(num_query), side(num_gallery)
    gallery.person[: num_gallery // 4] = DISTRACTOR
    return query, gallery


def ours(query: Embeddings, gallery: Embeddings) -> float:
    return rank(query, gallery).mean_ap


def whole_matrix(query: Embeddings, gallery: Embeddings) -> float:
    units = [side.vectors / np.linalg.norm(side.vectors, axis=1, keepdims=True) for side in (query, gallery)]
    order = np.argsort(1 - units[0] @ units[1].T, axis=1, kind="stable")
    precisions = []
    for row in range(len(query)):
        ranked = order[row]
        own = (gallery.person[ranked] == query.person[row]) & (gallery.camera[ranked] == query.camera[row])
        hits = (gallery.person[ranked] == query.person[row])[~own]
        if hits.any():
            places = np.flatnonzero(hits) + 1
            precisions.append((np.arange(1, len(places) + 1) / places).mean())
    return float(np.mean(precisions))
