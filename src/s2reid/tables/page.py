"""The page of a table: bars with their spread, the numbers beside the published ones, and how it was made."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

from s2reid.report.bars import Bar, bar_chart
from s2reid.report.document import Section, provenance, render, write_document
from s2reid.report.figures import Chart
from s2reid.tables import text
from s2reid.tables.entries import Entry
from s2reid.tables.grid import Table


def write_page(
    out: Path,
    table: Table,
    entries: Sequence[Entry],
    command: str,
    facts: Mapping[str, str],
    figures: Sequence[Section] = (),
) -> Path:
    """Write a table with its figures as one self-contained page, which links to the pages of its runs."""
    runs = {(entry.source, entry.target, entry.row): list(zip(entry.seeds, entry.runs)) for entry in entries}
    note = f"{text.NOTE} {text.spread_note(entries)} Each seed links to the page of its run."
    scores = render("table.jinja", blocks=text.blocks(entries), note=note, heads=text.HEADS, runs=runs)
    sections = [Section("scores", "Scores", scores)]
    scored = groupby((entry for entry in entries if entry.scores), key=lambda entry: (entry.source, entry.target))
    charts = [_chart(f"{source} → {target}", list(group)) for (source, target), group in scored]
    if charts:
        said = f"mAP in percent on stand-ins. {text.spread_note(entries)}"
        sections.append(Section("bars", "mAP", render("charts.jinja", charts=charts, note=said)))
    sections += figures
    shown = {name: value for name, value in facts.items() if name != "command"}
    sections.append(provenance(command, shown))
    lead = (
        "Trained on labelled synthetic people or a stand-in, tested on other stand-ins, whose "
        "labels no method sees; the paper's numbers, on real recordings, stand beside them."
    )
    return write_document(out, title=table.title, lead=lead, sections=sections)


def _chart(title: str, entries: Sequence[Entry]) -> Chart:
    found = [(entry.row, entry.shown["mean_ap"]) for entry in entries if entry.shown]
    bars = [Bar(row, 100 * value.mean, 100 * (value.sd or 0.0)) for row, value in found]
    rows = tuple((row, text.percent(value)) for row, value in found)
    return Chart(title, bar_chart(f"mAP on {title}", bars), ("row", "mAP"), rows)
