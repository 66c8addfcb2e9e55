"""The page of a comparison: scores, curves, ranked galleries, the data, and how it was made."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from s2reid.report.differences import difference_section
from s2reid.report.distances import distance_chart, distance_section
from s2reid.report.document import Section, provenance, render, write_document
from s2reid.report.figures import Chart, cmc_chart
from s2reid.report.queries import query_section
from s2reid.report.result import Result, by_target, check_results
from s2reid.report.scatter import domain_chart, domain_section
from s2reid.report.strips import sheet
from s2reid.report.training import Curve, training_sections
from s2reid.types import Embeddings, Scores

CMC_RANKS = 20
COLUMNS = ("vectors", "person", "camera", "outfit")


@dataclass(frozen=True)
class Row:
    """One line of a score table."""

    method: str
    scores: Scores
    is_best: bool


@dataclass(frozen=True)
class Group:
    """The rows of one target under one protocol."""

    target: str
    protocol: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class ScoreTable:
    """One table: of stand-ins or of real data, never of both."""

    heading: str
    note: str
    groups: tuple[Group, ...]


def write_page(
    out: Path,
    *,
    title: str,
    command: str,
    seed: int,
    results: Sequence[Result],
    curves: Sequence[Curve] = (),
    sheets: Mapping[str, Path] | None = None,
    facts: Mapping[str, str] | None = None,
    show_real: bool = False,
    versus: tuple[str, str] | None = None,
) -> Path:
    """Write one self-contained HTML file that compares methods on targets.

    `sheets` are pictures of rendered data (they are embedded whatever `show_real` says); the pictures of real targets
    are read only with `show_real`. `versus` names a baseline and ours, whose answers are compared query by query on
    every target that both were tested on. A section with nothing in it is left out. The random queries depend on
    `seed` alone. Raise `ValueError` where there is no result, or where one method has two on a target.
    """
    check_results(results)
    names = dict.fromkeys([*(result.method for result in results), *(curve.name for curve in curves)])
    styles = {name: style for style, name in enumerate(names)}
    sections = [
        scores_section(results),
        cmc_section(results, styles),
        *difference_sections(results, versus, show_real),
        *distance_sections(results),
        *domain_sections(results),
        *training_sections(curves, styles),
        query_section(results, seed=seed, show_real=show_real),
        *sheet_sections(sheets or {}),
        provenance(command, facts or {}, seed),
    ]
    return write_document(out, title=title, lead=lead_sentence(results), sections=sections)


def lead_sentence(results: Sequence[Result]) -> str:
    methods = count(len({result.method for result in results}), "method")
    targets = by_target(results)
    num_real = sum(group[0].is_real for group in targets.values())
    kinds = [
        count(number, kind)
        for number, kind in ((len(targets) - num_real, "stand-in"), (num_real, "real set"))
        if number
    ]
    return (
        f"Person re-identification with {methods} on {' and '.join(kinds)}: each query tracklet asks for "
        "the same person among the tracklets of the other cameras, and the scores say how near the top of the list "
        "that person comes."
    )


def count(number: int, noun: str) -> str:
    """Say how many.

    >>> count(1, "method"), count(3, "method")
    ('1 method', '3 methods')
    """
    return f"{number} {noun}{'' if number == 1 else 's'}"


def scores_section(results: Sequence[Result]) -> Section:
    standins = [result for result in results if not result.is_real]
    real = [result for result in results if result.is_real]
    tables = []
    if standins:
        note = "In percent, on targets of rendered people: to compare methods with each other, not with published ones."
        tables.append(ScoreTable("Stand-ins", note, score_groups(standins)))
    if real:
        tables.append(
            ScoreTable(
                "Real data", "In percent, on targets of real people, recorded by real cameras.", score_groups(real)
            )
        )
    return Section("scores", "Scores", render("scores.jinja", tables=tables))


def score_groups(results: Sequence[Result]) -> tuple[Group, ...]:
    """Collect the rows of each target and protocol; the best mAP is marked where two or more compete."""
    groups: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        groups.setdefault((result.target, result.scores.protocol), []).append(result)
    return tuple(Group(target, protocol, score_rows(group)) for (target, protocol), group in groups.items())


def score_rows(results: Sequence[Result]) -> tuple[Row, ...]:
    best = max(result.scores.mean_ap for result in results)
    return tuple(
        Row(result.method, result.scores, len(results) > 1 and result.scores.mean_ap == best) for result in results
    )


def cmc_section(results: Sequence[Result], styles: Mapping[str, int]) -> Section:
    scored = [result for result in results if result.ranking.valid.any()]
    charts = [
        cmc_chart(target, [(result.method, styles[result.method], curve(result)) for result in group])
        for target, group in by_target(scored).items()
    ]
    note = "The share of queries whose first right match is at this rank or above, recomputed from the embeddings."
    return Section("cmc", "CMC curves", render("charts.jinja", charts=charts, note=note))


def curve(result: Result) -> Float[np.ndarray, " r"]:
    return result.ranking.cmc(min(CMC_RANKS, len(result.gallery)))


def difference_sections(
    results: Sequence[Result], versus: tuple[str, str] | None, show_real: bool
) -> Iterator[Section]:
    found = [{result.method: result for result in group} for group in by_target(results).values()]
    pairs = [(one[versus[0]], one[versus[1]]) for one in found if versus and one.keys() >= {*versus}]
    if pairs:
        yield difference_section(pairs, show_real=show_real)


def distance_sections(results: Sequence[Result]) -> Iterator[Section]:
    if charts := distance_charts(results):
        yield distance_section(charts)


def domain_sections(results: Sequence[Result]) -> Iterator[Section]:
    if charts := domain_charts(results):
        yield domain_section(charts)


def distance_charts(results: Sequence[Result]) -> list[Chart]:
    """Draw the distances of each result that has any."""
    charts = [distance_chart(f"{result.method} on {result.target}", result) for result in results]
    return [chart for chart in charts if chart]


def domain_charts(results: Sequence[Result]) -> list[Chart]:
    """Draw source and target as each method sees them; several settings of one test have the same vectors."""
    there = [(result, result.source) for result in results if result.source is not None]
    places = {(result.method, result.target.partition(",")[0]): (result, source) for result, source in there}
    return [
        domain_chart(f"{method} on {target}", source, join(result.query, result.gallery))
        for (method, target), (result, source) in places.items()
    ]


def join(query: Embeddings, gallery: Embeddings) -> Embeddings:
    """Put queries and gallery together; where the protocol has put the queries there already, they come once."""
    is_inside = len(gallery) >= len(query) and np.array_equal(gallery.vectors[: len(query)], query.vectors)
    sides = [gallery] if is_inside else [query, gallery]
    columns = (np.concatenate([getattr(side, name) for side in sides]) for name in COLUMNS)
    return Embeddings(*columns)


def sheet_sections(sheets: Mapping[str, Path]) -> Iterator[Section]:
    if sheets:
        yield sheet_section("The data", sheets)


def sheet_section(heading: str, sheets: Mapping[str, Path], note: str = "") -> Section:
    """Embed pictures of rendered data."""
    pictures = {name: sheet(path) for name, path in sheets.items()}
    return Section("data", heading, render("sheets.jinja", sheets=pictures, note=note))
