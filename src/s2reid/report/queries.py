"""The section that shows single queries: a method's best, its worst, and some drawn at random."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from s2reid.metrics.ranking import rank_matrix
from s2reid.report.document import Section, percent, render
from s2reid.report.ranked import Found, RankedList, ranked_list
from s2reid.report.result import Result, by_target

NUM_HITS = 7
NUM_RANDOM = 3


@dataclass(frozen=True)
class Answer:
    """What a method found for a query."""

    method: str
    outcome: str
    ranked: RankedList


@dataclass(frozen=True)
class ShownQuery:
    """A query with the answer of the best method and, to compare, of the next."""

    heading: str
    best: Answer
    other: Answer | None


@dataclass(frozen=True)
class Part:
    """The queries of one target; `note` says what is shown, or why nothing is."""

    target: str
    note: str
    queries: tuple[ShownQuery, ...] = ()


def query_section(results: Sequence[Result], *, seed: int, show_real: bool) -> Section:
    """Show a few queries of each target; frames of a real target are read only with `show_real`."""
    parts = [target_part(target, group, seed, show_real) for target, group in by_target(results).items()]
    return Section("queries", "Queries and what was found", render("queries.jinja", parts=parts))


def target_part(target: str, results: Sequence[Result], seed: int, show_real: bool) -> Part:
    """Choose the queries by the best method's average precision and answer them by it and by the next best."""
    best, *others = sorted(results, key=lambda result: -result.scores.mean_ap)
    if best.is_real and not show_real:
        return Part(target, "Hidden: the tracklets show real people. Run the command with --show-real to show them.")
    if not best.ranking.valid.any():
        return Part(target, "No query has a match in the gallery, so there is none to show.")
    note = (
        f"Chosen by the average precision of {best.method}, the method with the highest mAP here (the first of "
        f"equals); the random ones are drawn with seed {seed}. Each list shows the {NUM_HITS} nearest tracklets that "
        "count, and the first right one where it comes later."
    )
    other = next((result for result in others if result.query_tracklets == best.query_tracklets), None)
    picks = pick(best.ranking.average_precision, best.ranking.valid, seed)
    shown = [ShownQuery(name, answer(best, query), answer(other, query) if other else None) for name, query in picks]
    return Part(target, note, tuple(shown))


def pick(
    average_precision: Float[np.ndarray, " q"], is_valid: Bool[np.ndarray, " q"], seed: int
) -> list[tuple[str, int]]:
    """Pick the best, the worst and random queries among those that count, each once.

    >>> pick(np.array([0.5, 0.1, 1.0]), np.array([True, True, True]), seed=0)
    [('Best query', 2), ('Worst query', 1), ('Random query 1', 0)]
    """
    rows = np.flatnonzero(is_valid)
    best, worst = rows[np.argmax(average_precision[rows])], rows[np.argmin(average_precision[rows])]
    rest = rows[(rows != best) & (rows != worst)]
    drawn = np.sort(np.random.default_rng(seed).permutation(rest)[:NUM_RANDOM])
    picks = [("Best query", int(best)), *([("Worst query", int(worst))] if worst != best else [])]
    return [*picks, *((f"Random query {number}", int(row)) for number, row in enumerate(drawn, 1))]


def answer(result: Result, query: int, num_hits: int = NUM_HITS) -> Answer:
    """Search the gallery for one query and say how it went."""
    distances = result.distances(query)
    ranking = rank_matrix(
        distances,
        result.query[[query]],
        result.gallery,
        keep=result.keep,
        precision=result.precision,
        top=len(result.gallery),
    )
    order, first = ranking.top[0][ranking.top[0] >= 0], int(ranking.first_hit[0])
    precision = percent(float(ranking.average_precision[0]))
    shown = [position for position in range(1, len(order) + 1) if position <= num_hits or position == first]
    person = result.query.person[query]
    found = [
        Found(
            position,
            result.gallery_tracklets[row],
            is_match=bool(result.gallery.person[row] == person),
            notes=(f"distance {distances[0, row]:.3f}",),
        )
        for position, row in ((position, order[position - 1]) for position in shown)
    ]
    outcome = f"average precision {precision} %, first right match at rank {first} of {len(order)}"
    return Answer(result.method, outcome, ranked_list(result.query_tracklets[query], found))
