"""The figures of a table: its rows' CMC curves, and what adaptation changes from the baseline to ours."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

import numpy as np
from jaxtyping import Float

from s2reid import summary
from s2reid.report.differences import difference_section
from s2reid.report.distances import distance_chart, distance_section
from s2reid.report.document import Section, render
from s2reid.report.figures import cmc_chart
from s2reid.report.page import CMC_RANKS, curve, domain_charts, sheet_section
from s2reid.report.result import Result
from s2reid.report.scatter import domain_section
from s2reid.report.training import adaptation_charts, adaptation_section
from s2reid.tables import worlds
from s2reid.tables.entries import Entry
from s2reid.tables.grid import Asked, Table

Curve = Float[np.ndarray, " r"]
Place = tuple[str, str, str]
"""One test: the run, the target, and what was looked at."""
Before = tuple[Entry, Entry, int]
"""The baseline and ours on a pair of datasets, and the first seed that both have."""


def shown(entry: Entry) -> Callable[[Mapping[str, Any]], bool]:
    """Tell the test that the table shows from others that a user made of the same run."""
    protocol = next(iter(entry.scores))
    return lambda row: (
        (row["target"], row["protocol"], row["test"]) == (entry.target, protocol, entry.test)
        and row.get("split") in (None, entry.splits[0])
        and not row.get("rerank")
    )


def place_of(entry: Entry, seed: int) -> Place:
    return entry.runs[entry.seeds.index(seed)], entry.target, entry.test


def one_of(entries: Sequence[Entry]) -> str:
    """Say that a figure is of the first split alone, where the table's numbers are means over several."""
    several = {entry.splits[0] for entry in entries if len(entry.splits) > 1}
    return f", on split {several.pop()} alone" if several else ""


class Figures:
    """Draws a table's figures from the folders of its runs, each of which is read once."""

    def __init__(self, table: Table, asked: Asked) -> None:
        self.table, self.asked = table, asked
        self.curves: dict[Place, Curve] = {}
        self.versus_read: dict[Place, Result] = {}

    def sections(self, entries: Sequence[Entry]) -> list[Section]:
        """Make the sections that have something to show."""
        scored = [entry for entry in entries if entry.scores]
        versus = self.versus(scored)
        return [*self.cmc(scored), *self.compared(versus), *self.adaptation(versus), *self.people(scored)]

    def result(self, entry: Entry, seed: int) -> Result:
        """Read the test of one seed: the setting of the protocol that the table shows."""
        run, *_ = place_of(entry, seed)
        return summary.read_results(self.asked.runs / run, entry.row, shown(entry))[0]

    def curve(self, entry: Entry, seed: int) -> Curve:
        """Compute the CMC curve of one seed, once: some methods compare every query with all of the gallery for it."""
        place = place_of(entry, seed)
        if place not in self.curves:
            self.curves[place] = curve(self.result(entry, seed))
        return self.curves[place]

    def versus(self, entries: Sequence[Entry]) -> list[Before]:
        """Find the pairs of datasets on which both rows were run, with a seed that both have."""
        found = []
        for _, several in groupby(entries, key=lambda entry: (entry.source, entry.target)):
            rows = {entry.row: entry for entry in several}
            if rows.keys() >= {*self.table.versus}:
                baseline, ours = (rows[name] for name in self.table.versus)
                common = sorted({*baseline.seeds} & {*ours.seeds})
                found += [(baseline, ours, seed) for seed in common[:1]]
        return found

    def cmc(self, entries: Sequence[Entry]) -> list[Section]:
        """Draw the CMC curves of every pair, each the mean over the row's seeds."""
        styles = {row: style for style, row in enumerate(self.table.rows)}
        charts = []
        for (source, target), several in groupby(entries, key=lambda entry: (entry.source, entry.target)):
            lines = []
            for entry in several:
                curves = [self.curve(entry, seed) for seed in entry.seeds]
                lines.append((entry.row, styles[entry.row], np.mean(curves, axis=0)))
            charts.append(cmc_chart(f"{source} → {target}", lines))
        note = (
            f"The share of queries whose first right match is at this rank or above, in percent, to rank {CMC_RANKS}; "
            f"means over the seeds of a row{one_of(entries)}."
        )
        return [Section("cmc", "CMC curves", render("charts.jinja", charts=charts, note=note))] if charts else []

    def compared(self, versus: Sequence[Before]) -> list[Section]:
        """Set ours against the baseline: query by query, by distances, and by where the two domains lie."""
        if not versus:
            return []
        pairs = [(self.titled(baseline, seed), self.titled(ours, seed)) for baseline, ours, seed in versus]
        both = [result for pair in pairs for result in pair]
        charts = [distance_chart(f"{result.method} on {result.target}", result) for result in both]
        sections = [difference_section(pairs, show_real=self.asked.show_real)]
        sections += [distance_section([chart for chart in charts if chart])]
        clouds = [chart for result in both for chart in domain_charts([result])]
        return sections + ([domain_section(clouds)] if clouds else [])

    def titled(self, entry: Entry, seed: int) -> Result:
        """Give a result, read and ranked once, whose target says what it was trained on, and which seed is shown."""
        place = place_of(entry, seed)
        if place not in self.versus_read:
            title = f"{entry.source} → {entry.target}, seed {seed}{one_of([entry])}"
            self.versus_read[place] = replace(self.result(entry, seed), target=title)
        return self.versus_read[place]

    def adaptation(self, versus: Sequence[Before]) -> list[Section]:
        """Draw how the adaptation of ours went on every pair."""
        read = [
            summary.read_curve(self.asked.runs / ours.runs[ours.seeds.index(seed)], f"{ours.source} → {ours.target}")
            for _, ours, seed in versus
        ]
        curves = [found for found in read if found]
        charts = adaptation_charts(curves, {found.name: style for style, found in enumerate(curves)})
        return [adaptation_section(charts)] if charts else []

    def people(self, entries: Sequence[Entry]) -> list[Section]:
        """Show the persons of the sources: the same person before many cameras and in many clothes (Fig. 4).

        Under a data root they may be other people's pictures.
        """
        names = dict.fromkeys(entry.source for entry in entries if not self.asked.data)
        shown = {name: worlds.picture(name, self.asked.worlds) for name in names}
        commands = ", ".join(f"“s2reid world show {name}”" for name in names)
        note = f"Rendered people, a row a person. With more of them: {commands}."
        return [sheet_section("The same person in various styles", shown, note)] if shown else []
