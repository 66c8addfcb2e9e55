"""Line charts as inline SVG: legible in both themes, told apart without colour, with their numbers beside them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, isfinite, log10

import numpy as np
from jaxtyping import Float
from markupsafe import Markup

from s2reid.report.document import render

Number = int | float
"""A value from a log is often whole."""
WIDTH, HEIGHT = 400, 270
LEFT, TOP, BOTTOM = 44, 30, 38
LETTER = 6.8
"""Width of a letter of a label, in units of the drawing."""
LONGEST_LABEL = 18
LABEL_GAP = 15
NUM_COLOURS, NUM_DASHES = 7, 5
MARKERS = (
    "M-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0z",  # disc
    "M-3.2-3.2h6.4v6.4h-6.4z",  # square
    "M0-4.2l4 7h-8z",  # triangle
    "M0-4.6l4.6 4.6l-4.6 4.6l-4.6-4.6z",  # diamond
    "M-4-2.8h8l-4 7z",  # triangle, point down
    "M-1.3-4h2.6v2.7h2.7v2.6h-2.7v2.7h-2.6v-2.7h-2.7v-2.6h2.7z",  # cross
)


@dataclass(frozen=True)
class Line:
    """One line of a chart; `style` picks its colour, dashes and marker, the same wherever its name appears.

    A `y` that is not finite leaves a gap.
    """

    name: str
    x: Sequence[Number]
    y: Sequence[Number]
    style: int = 0

    @property
    def has_values(self) -> bool:
        return any(isfinite(y) for y in self.y)


@dataclass(frozen=True)
class Chart:
    """A drawing with its title and the numbers behind it."""

    title: str
    svg: Markup
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class DrawnLine:
    """A line in units of the drawing: where its path, markers and label go."""

    name: str
    label: str
    colour: int
    dash: int
    marker: str
    path: str
    points: list[tuple[float, float]]
    end: tuple[float, float]
    label_y: float


def ticks(low: Number, high: Number, count: int = 5) -> list[float]:
    """Cover low to high with about `count` round values, multiples of 1, 2 or 5 times a power of ten.

    >>> ticks(0, 97)
    [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]
    """
    rough = max(high - low, 1e-9 * max(1.0, abs(high))) / count
    power = 10.0 ** floor(log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return [float(f"{step * i:.12g}") for i in range(first, max(last, first + 1) + 1)]


def spread(wanted: Sequence[Number], gap: Number, low: Number, high: Number) -> list[Number]:
    """Move label positions apart until neighbours are `gap` away, in order and, if there is room, in bounds.

    >>> spread([10.0, 12.0, 50.0], gap=10, low=0, high=60)
    [10.0, 20.0, 50.0]
    >>> spread([58.0, 59.0], gap=10, low=0, high=60)
    [50.0, 60.0]
    """
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    placed = list(wanted)
    for previous, i in pairwise(order):
        placed[i] = max(placed[i], placed[previous] + gap)
    limit = high
    for i in reversed(order):
        placed[i] = min(placed[i], limit)
        limit = placed[i] - gap
    shift = max(0.0, low - placed[order[0]]) if order else 0.0
    return [position + shift for position in placed]


def plain_number(value: Number) -> str:
    """Print a number briefly: three significant digits, thousands whole.

    >>> plain_number(1500.0), plain_number(0.12345)
    ('1,500', '0.123')
    """
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def line_chart(
    lines: Sequence[Line],
    *,
    title: str,
    x_label: str,
    y_label: str,
    y_floor: Number | None = None,
    x_first: Number = 0,
    marks: Mapping[int, str] | None = None,
) -> Markup:
    """Draw lines with round ticks and a label at each line's end.

    The y axis starts at `y_floor` and reaches 0 at least, else it starts at the lowest value; `x_first` is the left end
    of the x axis; `marks` are upright lines with a name. Raise `ValueError` where there is nothing finite to draw.
    """
    values = [y for line in lines for y in line.y if isfinite(y)]
    if not values:
        raise ValueError(f"nothing to draw in the chart {title!r}: no line has a finite value")
    y_ticks = ticks(min(values), max(values)) if y_floor is None else ticks(y_floor, max(*values, 0.0))
    x_last = max(x for line in lines for x in line.x)
    right = LETTER * min(LONGEST_LABEL, max(len(line.name) for line in lines)) + 26
    plot = Frame(x_first, max(x_last, x_first + 1), y_ticks[0], y_ticks[-1], WIDTH - right)
    return render(
        "chart.jinja",
        title=title,
        x_label=x_label,
        y_label=y_label,
        lines=draw_lines(lines, plot),
        x_ticks=[(plot.x(x), plain_number(x)) for x in plot.x_ticks()],
        y_ticks=[(plot.y(y), plain_number(y)) for y in y_ticks],
        marks=[(plot.x(x), name) for x, name in (marks or {}).items() if plot.x_low < x < plot.x_high],
        box=(LEFT, TOP, WIDTH - right, HEIGHT - BOTTOM),
        size=(WIDTH, HEIGHT),
    )


@dataclass(frozen=True)
class Frame:
    """The plotting area: from values to units of the drawing."""

    x_low: Number
    x_high: Number
    y_low: Number
    y_high: Number
    right: Number

    def x(self, value: Number) -> float:
        return round(LEFT + (self.right - LEFT) * (value - self.x_low) / (self.x_high - self.x_low), 1)

    def y(self, value: Number) -> float:
        return round(HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * (value - self.y_low) / (self.y_high - self.y_low), 1)

    def x_ticks(self) -> list[Number]:
        inside = [x for x in ticks(0, self.x_high, 4) if self.x_low < x <= self.x_high]
        return [self.x_low, *inside]


def draw_lines(lines: Sequence[Line], plot: Frame) -> list[DrawnLine]:
    """Place every line that has a finite value."""
    placed = []
    for line in lines:
        points = [(plot.x(x), plot.y(y)) if isfinite(y) else None for x, y in zip(line.x, line.y, strict=True)]
        if any(points):
            placed.append((line, points))
    ends = [next(point for point in reversed(points) if point) for _, points in placed]
    heights = spread([end[1] for end in ends], LABEL_GAP, TOP, HEIGHT - BOTTOM)
    return [draw(line, points, end, y) for (line, points), end, y in zip(placed, ends, heights, strict=True)]


def draw(line: Line, points: list[tuple[float, float] | None], end: tuple[float, float], label_y: Number) -> DrawnLine:
    """Give a line its path, its marks and its short label."""
    drawn = [point for point in points if point]
    every = max(1, ceil(len(drawn) / 8))
    return DrawnLine(
        name=line.name,
        label=line.name if len(line.name) <= LONGEST_LABEL else line.name[: LONGEST_LABEL - 1] + "…",
        colour=line.style % NUM_COLOURS,
        dash=line.style % NUM_DASHES,
        marker=MARKERS[line.style % len(MARKERS)],
        path=svg_path(points),
        points=drawn[::every],
        end=end,
        label_y=round(label_y, 1),
    )


def svg_path(points: Sequence[tuple[Number, Number] | None]) -> str:
    """Join points by straight strokes; a `None` lifts the pen.

    >>> svg_path([(0, 1), (2, 3), None, (4, 5)])
    'M0 1L2 3M4 5'
    """
    strokes, pen = [], "M"
    for point in points:
        if point is None:
            pen = "M"
        else:
            strokes.append(f"{pen}{point[0]:g} {point[1]:g}")
            pen = "L"
    return "".join(strokes)


def cmc_chart(target: str, curves: Sequence[tuple[str, int, Float[np.ndarray, " _ranks"]]]) -> Chart:
    """Draw the share of queries found within the first ranks, one line per (method, style, curve in [0, 1])."""
    lines = [Line(name, range(1, len(cmc) + 1), [100 * float(v) for v in cmc], style) for name, style, cmc in curves]
    lowest = min(min(line.y) for line in lines)
    svg = line_chart(
        lines,
        title=f"CMC on {target}",
        x_label="rank",
        y_label="queries found, %",
        y_floor=0.0 if lowest < 50 else None,
        x_first=1,
    )
    shown = [rank for rank in (1, 2, 5, 10, 20) if rank <= max(len(line.y) for line in lines)]
    rows = tuple((line.name, *(f"{line.y[r - 1]:.1f}" if r <= len(line.y) else "–" for r in shown)) for line in lines)
    return Chart(target, svg, ("method", *(f"rank {rank}" for rank in shown)), rows)


def training_chart(term: str, lines: Sequence[Line], stages: Mapping[int, str] | None = None) -> Chart:
    """Draw what was logged over the steps, from zero; a mark where a later stage of the training began."""
    lowest = min((y for line in lines for y in line.y if isfinite(y)), default=0.0)
    thinned = [thin(line) for line in lines]
    floor = min(0.0, lowest)
    svg = line_chart(thinned, title=term, x_label="step", y_label="", y_floor=floor, marks=stages)
    rows = []
    for line in lines:
        finite = [y for y in line.y if isfinite(y)]
        numbers = (finite[0], finite[-1], min(finite), max(finite)) if finite else (float("nan"),) * 4
        rows.append((line.name, *(plain_number(number) for number in numbers)))
    return Chart(term, svg, ("run", "first", "last", "lowest", "highest"), tuple(rows))


def thin(line: Line, most: int = 60) -> Line:
    """Average neighbours so that at most `most` points remain: a log has thousands, the drawing 400 units.

    >>> thin(Line("a", [1, 2, 3, 4], [1.0, 3.0, 5.0, 7.0]), most=2)
    Line(name='a', x=[1.5, 3.5], y=[2.0, 6.0], style=0)
    """
    if len(line.x) <= most:
        return line
    parts = np.array_split(np.arange(len(line.x)), most)
    x, y = np.asarray(line.x, float), np.asarray(line.y, float)
    return Line(line.name, [float(x[p].mean()) for p in parts], [float(y[p].mean()) for p in parts], line.style)
