"""What was logged while training, as charts: the losses, and how the adaptation went."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite

from s2reid.report.document import Section, render
from s2reid.report.figures import Chart, Line, Number, training_chart

WEIGHT, ACCURACY = "weight of ", " accuracy"
"""How the names of learned loss weights begin, and those of the domain heads' accuracies end."""
CLUSTERS = {
    "cluster disagreement": "share of target clips that student and teacher put into different clusters",
    "mean cosine": "of different target clips: near 1, everybody looks the same",
    "effective rank": "of the target's vectors: near 1, one direction is left",
}
"""What else is watched of the adaptation: whether the clusters agree, and two guards against collapse."""
CHANCE = "guessing"


@dataclass(frozen=True)
class Curve:
    """What one run logged: for each term (a loss, images per second) a value a step.

    A term with fewer values than steps is an error; NaN leaves a gap. `stages` are the steps at which a later stage of
    the training began, each with its name.
    """

    name: str
    steps: Sequence[int]
    values: Mapping[str, Sequence[Number]]
    stages: Mapping[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for term, values in self.values.items():
            if len(values) != len(self.steps):
                raise ValueError(
                    f"the curve {self.name!r} has {len(values)} values of {term!r} for {len(self.steps)} steps: "
                    "give one a step, NaN where nothing was logged"
                )


def adaptation_charts(curves: Sequence[Curve], styles: Mapping[str, int]) -> list[Chart]:
    """Draw how the adaptation went: for each run its loss weights and its domain heads, and the rest run by run."""
    charts = []
    for curve in curves:
        weights = {term.removeprefix(WEIGHT): term for term in curve.values if term.startswith(WEIGHT)}
        weights = {name: term for name, term in weights.items() if _moves(curve.values[term])}
        heads = {term.removesuffix(ACCURACY): term for term in curve.values if term.endswith(ACCURACY)}
        lines = _lines(curve, weights)
        if lines:
            charts.append(training_chart(f"Learned loss weights: {curve.name}", lines, curve.stages))
        lines = _lines(curve, heads)
        if lines:
            ends = [curve.steps[0], curve.steps[-1]]
            guess = Line(CHANCE, ends, [0.5, 0.5], 6)
            charts.append(training_chart(f"Accuracy of the domain heads: {curve.name}", [*lines, guess], curve.stages))
    for term, meaning in CLUSTERS.items():
        lines = [
            Line(curve.name, curve.steps, curve.values[term], styles[curve.name])
            for curve in curves
            if term in curve.values
        ]
        if any(line.has_values for line in lines):
            stages = {step: name for curve in curves for step, name in curve.stages.items()}
            charts.append(training_chart(f"{term.capitalize()}: {meaning}", lines, stages))
    return charts


def _moves(values: Sequence[Number]) -> bool:
    """Say whether a weight is learned: that of a loss which is not there stays where it began."""
    return len({value for value in values if isfinite(value)}) > 1


def _lines(curve: Curve, terms: Mapping[str, str]) -> list[Line]:
    lines = [Line(name, curve.steps, curve.values[term], style) for style, (name, term) in enumerate(terms.items())]
    return [line for line in lines if line.has_values]


def adaptation_section(charts: Sequence[Chart]) -> Section:
    """Put the charts of the adaptation together."""
    note = (
        "A domain head tells source from target: at one half it guesses, which is what the reversed gradient aims at. "
        "A learned weight is what its loss is multiplied by (weights that stay where they began are left out). Means "
        "over a few steps, as they were logged; the steps of all stages of a training are counted through."
    )
    return Section("adaptation", "The adaptation, step by step", render("charts.jinja", charts=charts, note=note))


def training_sections(curves: Sequence[Curve], styles: Mapping[str, int]) -> Iterator[Section]:
    """Draw all that was logged, a chart a quantity; first what was watched of the adaptation, where there was one."""
    adaptation = adaptation_charts(curves, styles)
    if adaptation:
        yield adaptation_section(adaptation)
    terms = dict.fromkeys(term for curve in curves for term in curve.values)
    charts = []
    for term in terms:
        if term.startswith(WEIGHT) or term.endswith(ACCURACY) or term in CLUSTERS:
            continue
        lines = [
            Line(curve.name, curve.steps, curve.values[term], styles[curve.name])
            for curve in curves
            if term in curve.values
        ]
        if any(line.has_values for line in lines):
            charts.append(training_chart(term.replace("_", " "), lines))
    if charts:
        note = (
            "What was logged while training: a chart a quantity, a line a run; long logs are averaged in the drawing."
        )
        yield Section("training", "Training", render("charts.jinja", charts=charts, note=note))
