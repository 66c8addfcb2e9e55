"""Source and target in one picture: the two directions in which a method's vectors differ most."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from markupsafe import Markup

from s2reid.metrics.distance import unit
from s2reid.report.document import Section, percent, render
from s2reid.report.figures import Chart
from s2reid.types import Embeddings

SIDE, MARGIN, LEGEND, LABEL = 400, 12, 26, 20
MOST = 200
"""How many tracklets of each domain are drawn."""
MARKS = (
    "M{:g} {:g}m-2.4 0a2.4 2.4 0 1 0 4.8 0a2.4 2.4 0 1 0-4.8 0z",  # disc
    "M{:g} {:g}m0-3.4l3.2 5.4h-6.4z",  # triangle
)
NOTE = (
    "Vectors of the source's training tracklets and of the target's test tracklets, by the two principal components of "
    "both together; each picture has axes of its own. The share of the variance between the domains (of all vectors, "
    "in all directions) says how far apart their means are: 0 % where they are one, 100 % where nothing else differs. "
    f"At most {MOST} tracklets of each, evenly spaced."
)
Vectors = Float[np.ndarray, "_n d"]


@dataclass(frozen=True)
class Cloud:
    """The points of one domain, in units of the drawing."""

    name: str
    style: int
    path: str
    sample: str


def domain_section(charts: Sequence[Chart]) -> Section:
    """Put the pictures of some methods together."""
    return Section("domains", "Source and target", render("charts.jinja", charts=charts, note=NOTE))


def domain_chart(title: str, source: Embeddings, target: Embeddings) -> Chart:
    """Draw the vectors of both domains by their two principal components."""
    both = [flat(evenly(domain)) for domain in (source, target)]
    points, explained = principal(np.concatenate(both))
    domains = dict(zip(("source", "target"), np.split(points, [len(both[0])])))
    between = percent(between_share(*both))
    svg = scatter(f"Source and target by {title}", list(domains.items()), explained)
    rows = tuple(
        (name, str(len(domain)), *(f"{domain[:, axis].mean():.3f} ± {domain[:, axis].std():.3f}" for axis in (0, 1)))
        for name, domain in domains.items()
    )
    heads = ("domain", "tracklets", "component 1", "component 2")
    return Chart(f"{title}: {between} % of the variance is between the domains", svg, heads, rows)


def evenly(domain: Embeddings) -> Embeddings:
    """Take at most `MOST` rows, evenly spaced."""
    return domain[np.unique(np.linspace(0, len(domain) - 1, min(MOST, len(domain))).round().astype(int))]


def flat(domain: Embeddings) -> Vectors:
    """Give one vector of length 1 a tracklet, whatever shape its features have."""
    return unit(domain.vectors.reshape(len(domain), -1)).astype(np.float64)


def principal(vectors: Vectors) -> tuple[Float[np.ndarray, "_n 2"], tuple[float, float]]:
    """Project vectors on their two principal components; say also which share of the variance each has.

    The sign of a component is that of the vector farthest out, so that equal vectors give equal pictures.

    >>> points, shares = principal(np.array([[0.0, 0.0], [2.0, 0.0], [7.0, 0.0]]))
    >>> points[:, 0].round(6).tolist(), [round(share, 6) for share in shares]
    ([-3.0, -1.0, 4.0], [1.0, 0.0])
    """
    centred = vectors - vectors.mean(axis=0)
    values, directions = np.linalg.eigh(centred @ centred.T)  # as large as there are tracklets, not as vectors are wide
    values = np.maximum(values[::-1][:2], 0)
    points = directions[:, ::-1][:, :2] * np.sqrt(values)
    farthest = points[np.abs(points).argmax(axis=0), [0, 1]]
    total = float((centred**2).sum()) or 1.0
    return points * np.where(farthest < 0, -1, 1), (float(values[0]) / total, float(values[1]) / total)


def between_share(source: Vectors, target: Vectors) -> float:
    """Compute the share of all variance that is between the means of two domains.

    >>> between_share(np.array([[0.0], [2.0]]), np.array([[3.0], [5.0]]))
    0.6923076923076923
    """
    both = np.concatenate([source, target])
    centre = both.mean(axis=0)
    between = sum(len(domain) * ((domain.mean(axis=0) - centre) ** 2).sum() for domain in (source, target))
    return float(between / (((both - centre) ** 2).sum() or 1.0))


def scatter(
    title: str, domains: Sequence[tuple[str, Float[np.ndarray, "_n 2"]]], explained: tuple[float, float]
) -> Markup:
    """Draw points, one unit as long across as up, with a mark of its own for every domain."""
    everything = np.concatenate([points for _, points in domains])
    centre = (everything.max(axis=0) + everything.min(axis=0)) / 2
    reach = float(np.abs(everything - centre).max()) or 1.0
    unit_length = (SIDE / 2 - MARGIN) / reach
    clouds = []
    for style, (name, points) in enumerate(domains):
        places = ((points - centre) * (unit_length, -unit_length) + (LABEL + SIDE / 2, LEGEND + SIDE / 2)).round(1)
        mark = MARKS[style % len(MARKS)]
        clouds.append(Cloud(name, style, "".join(mark.format(x, y) for x, y in places.tolist()), mark.format(0, 0)))
    labels = [f"component {axis}: {percent(share)} % of the variance" for axis, share in enumerate(explained, 1)]
    return render("scatter.jinja", title=title, clouds=clouds, labels=labels, side=SIDE, legend=LEGEND, label=LABEL)
