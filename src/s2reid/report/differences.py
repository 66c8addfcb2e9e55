"""Where one method is right and another wrong, by what makes a query hard, with the opposite beside it (Fig. 3)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np
from jaxtyping import Int

from s2reid.report.conditions import Condition, Pair, conditions
from s2reid.report.document import Section, render
from s2reid.report.queries import Answer, answer
from s2reid.report.result import Result
from s2reid.types import Tracklet

NUM_HITS = 3


@dataclass(frozen=True)
class Case:
    """A query that one of two methods finds: how large the condition is, and what both found."""

    measured: str
    winner: Answer
    loser: Answer


@dataclass(frozen=True)
class Compared:
    """A condition with the query of each side that has most of it; None where none is left."""

    name: str
    rule: str
    gained: Case | None
    lost: Case | None


@dataclass(frozen=True)
class Difference:
    """Two methods on a target: how many queries both, one or none of them finds first, and the cases shown."""

    target: str
    baseline: str
    ours: str
    counts: tuple[int, int, int, int]
    note: str
    compared: tuple[Compared, ...] = ()


def difference_section(pairs: Sequence[tuple[Result, Result]], *, show_real: bool) -> Section:
    """Compare a baseline with ours on each target; frames of a real target are read only with `show_real`."""
    parts = [difference(baseline, ours, show_real=show_real) for baseline, ours in pairs]
    return Section(
        "differences",
        "Where ours is right and the baseline wrong",
        render("differences.jinja", parts=parts, num_hits=NUM_HITS),
    )


def difference(baseline: Result, ours: Result, *, show_real: bool = False) -> Difference:
    """Count and pick the queries that only one of two methods answers right at rank 1.

    Of each condition in turn, the query that has most of it and is not shown yet, on either side; the first of equals,
    and none that has less than the median.
    Raise `ValueError` where the two did not search the same gallery for the same queries.
    """
    for side in ("query_tracklets", "gallery_tracklets"):
        if tested(getattr(baseline, side)) != tested(getattr(ours, side)):
            raise ValueError(
                f"{baseline.method} and {ours.method} were not tested on the same tracklets of {ours.target}: evaluate "
                "both on the same data"
            )
    is_right = [result.ranking.first_hit == 1 for result in (baseline, ours)]
    valid = baseline.ranking.valid
    gained, lost = (np.flatnonzero(valid & is_right[won] & ~is_right[1 - won]) for won in (1, 0))
    both, neither = int((is_right[0] & is_right[1]).sum()), int((valid & ~is_right[0] & ~is_right[1]).sum())
    note = ""
    compared: tuple[Compared, ...] = ()
    if ours.is_real and not show_real:
        note = "Hidden: the tracklets show real people. Run the command with --show-real to show them."
    elif not len(gained) and not len(lost):
        note = "Both find the same queries at rank 1: there is none to show."
    else:
        compared = tuple(compare(baseline, ours, gained, lost))
    counts = both, len(gained), len(lost), neither
    return Difference(ours.target, baseline.method, ours.method, counts, note, compared)


def tested(tracklets: Sequence[Tracklet]) -> list[Tracklet]:
    """Forget where tracklets lie: data that was moved between two tests is the same data."""
    return [replace(tracklet, store="") for tracklet in tracklets]


def compare(
    baseline: Result, ours: Result, gained: Int[np.ndarray, " m"], lost: Int[np.ndarray, " n"]
) -> list[Compared]:
    """Pick a case of each condition on both sides."""
    known = {int(query): right_pair(ours, int(query)) for query in gained}
    known |= {int(query): right_pair(baseline, int(query)) for query in lost}
    shown: set[int] = set()
    found = []
    for condition in conditions(next(iter(known.values()))):
        values = {query: condition.measure(pair) for query, pair in known.items()}
        cases: list[Case | None] = []
        for queries, winner, loser in ((gained, ours, baseline), (lost, baseline, ours)):
            query = hardest(condition, values, [int(query) for query in queries if int(query) not in shown])
            if query is None:
                cases.append(None)
                continue
            shown.add(query)
            measured = describe(condition, values, query)
            cases.append(Case(measured, answer(winner, query, NUM_HITS), answer(loser, query, NUM_HITS)))
        found.append(Compared(condition.name, condition.rule, *cases))
    return found


def right_pair(winner: Result, query: int) -> Pair:
    """Pair a query with the right match that its method puts first."""
    return Pair(winner.query_tracklets[query], winner.gallery_tracklets[nearest(winner, query)])


def nearest(result: Result, query: int) -> int:
    """Find the gallery tracklet at rank 1."""
    counts = result.keep(result.query[[query]], result.gallery)[0] & (result.gallery.person != -1)
    return int(np.where(counts, result.distances(query)[0], np.inf).argmin())


def hardest(condition: Condition, values: dict[int, float], queries: Sequence[int]) -> int | None:
    """Pick the query that has most of a condition; None where none has enough (the median, where not said)."""
    least = condition.at_least or median(values.values())
    enough = [query for query in queries if values[query] >= least]
    return max(enough, key=lambda query: values[query], default=None)


def describe(condition: Condition, values: dict[int, float], query: int) -> str:
    """Say how large a condition is, and how large it is as a rule; a label says all by itself."""
    if condition.at_least:
        return ""
    usual = median(values.values())
    return f"{values[query]:.3g}; median of the {len(values)} queries that only one of both finds: {usual:.3g}"
