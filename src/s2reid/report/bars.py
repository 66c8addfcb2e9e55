"""Bars with their spread as inline SVG: one a name, from zero, each with its number."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from s2reid.report.document import render
from s2reid.report.figures import LETTER, LONGEST_LABEL, WIDTH, plain_number, ticks

TOP, BOTTOM, PITCH = 6, 24, 26


@dataclass(frozen=True)
class Bar:
    """A named value; `spread` is half the length of its whisker, 0 draws none."""

    name: str
    value: float
    spread: float = 0.0


def bar_chart(title: str, bars: Sequence[Bar]) -> Markup:
    """Draw bars from zero; raise `ValueError` where there is none.

    >>> "<svg" in bar_chart("mAP", [Bar("Baseline", 39.8, 1.2)])
    True
    """
    if not bars:
        raise ValueError(f"nothing to draw in the chart {title!r}: no bar was given")
    left = LETTER * min(LONGEST_LABEL, max(len(bar.name) for bar in bars)) + 14
    right = WIDTH - 46
    marks = ticks(0.0, max(bar.value + bar.spread for bar in bars))
    unit = (right - left) / marks[-1]

    def x(value: float) -> float:
        return round(left + unit * max(0.0, value), 1)

    drawn = [
        {
            "name": bar.name,
            "label": bar.name if len(bar.name) <= LONGEST_LABEL else bar.name[: LONGEST_LABEL - 1] + "…",
            "y": TOP + PITCH * place,
            "end": x(bar.value),
            "whisker": (x(bar.value - bar.spread), x(bar.value + bar.spread)) if bar.spread else None,
            "text": f"{bar.value:.1f}",
        }
        for place, bar in enumerate(bars)
    ]
    bottom = TOP + PITCH * len(bars)
    shown = [(x(mark), plain_number(mark)) for mark in marks]
    box = {"left": round(left, 1), "top": TOP, "bottom": bottom, "width": WIDTH, "height": bottom + BOTTOM}
    return render("bars.jinja", title=title, bars=drawn, ticks=shown, box=box, thick=PITCH - 10)
