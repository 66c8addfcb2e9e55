"""Histograms of distances: how far apart a method puts the same person, and different persons."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from s2reid.report.document import Section, percent, render
from s2reid.report.figures import Chart, Line, line_chart
from s2reid.report.result import Result

BINS = 25
MOST_QUERIES = 500
NOTE = (
    "Every query against every gallery tracklet that counts for it: how far apart the method puts the same person and "
    "different persons. The less the two curves overlap, the better; the overlap is the area that they share, 0 to "
    f"100 %. Of more than {MOST_QUERIES} queries, {MOST_QUERIES} are taken, evenly spaced."
)
Values = Float[np.ndarray, " _n"]


def distance_section(charts: Sequence[Chart]) -> Section:
    """Put the histograms of some results together."""
    return Section("distances", "Distances", render("charts.jinja", charts=charts, note=NOTE))


def pair_distances(result: Result) -> tuple[Values, Values]:
    """Give the distances of a result's pairs that count: of the same person, and of different persons."""
    rows = np.unique(np.linspace(0, len(result.query) - 1, min(MOST_QUERIES, len(result.query))).round().astype(int))
    same, different = [], []
    for row in rows[result.query.person[rows] >= 0]:
        counts = result.keep(result.query[[row]], result.gallery)[0] & (result.gallery.person != -1)
        is_same = result.gallery.person == result.query.person[row]
        distances = result.distances(int(row))[0]
        same.append(distances[counts & is_same])
        different.append(distances[counts & ~is_same])
    empty = [np.zeros(0, np.float32)]
    return np.concatenate(same or empty), np.concatenate(different or empty)


def overlap(one: Values, other: Values) -> float:
    """Compute the area that two histograms with common bins share, each of area 1.

    >>> overlap(np.array([0.0, 0.0, 1.0, 1.0]), np.array([1.0, 1.0]))
    0.5
    """
    return float(np.minimum(*_shares(one, other)[1:]).sum())


def distance_chart(title: str, result: Result) -> Chart | None:
    """Draw the two histograms of a result; None where the same person is never there to be found, or nobody else."""
    same, different = pair_distances(result)
    if not len(same) or not len(different):
        return None
    edges, *shares = _shares(same, different)
    centres = ((edges[1:] + edges[:-1]) / 2).tolist()
    found = {"same": same, "different": different}
    lines = [
        Line(name, centres, (100 * share).tolist(), style) for style, (name, share) in enumerate(zip(found, shares))
    ]
    svg = line_chart(
        lines,
        title=f"Distances by {title}",
        x_label="distance",
        y_label="share of the pairs, %",
        y_floor=0,
        x_first=min(0.0, float(edges[0])),
    )
    rows = tuple((name, f"{len(d):,}", f"{d.mean():.3f}", f"{d.std():.3f}") for name, d in found.items())
    shared = percent(overlap(same, different))
    return Chart(f"{title}: overlap {shared} %", svg, ("persons", "pairs", "mean", "standard deviation"), rows)


def _shares(one: Values, other: Values) -> tuple[Values, Values, Values]:
    """Count both in common bins from the smallest to the largest of all: edges, and the share of each in every bin."""
    low, high = float(min(one.min(), other.min())), float(max(one.max(), other.max()))
    edges = np.linspace(low, high if high > low else low + 1, BINS + 1)
    first, second = (np.histogram(values, edges)[0] / len(values) for values in (one, other))
    return edges, first, second
