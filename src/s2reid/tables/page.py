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

LEADS = {
    "stand-ins": "Trained on labelled synthetic people or a stand-in, tested on other stand-ins, whose "
    "labels no method sees; the paper's numbers, on real recordings, stand beside them.",
    "real": "Trained on labelled synthetic people or other recordings, tested on real recordings, whose "
    "labels no method sees; the paper's numbers, on the same datasets, stand beside them.",
}


def write_page(
    out: Path,
    table: Table,
    entries: Sequence[Entry],
    command: str,
    facts: Mapping[str, str],
    figures: Sequence[Section] = (),
) -> Path:
    """Write a table with its figures as one self-contained page, which links to the pages of its runs."""
    runs = {(entry.source, entry.target, entry.row): entry.links for entry in entries}
    note = f"{text.note(table)} {text.spread_note(entries)} Each seed links to the page of its run."
    shown = {"blocks": text.blocks(entries), "heads": text.HEADS, "kind": text.kind(table)}
    scores = render("table.jinja", note=note, runs=runs, **shown)
    sections = [Section("scores", "Scores", scores)]
    scored = groupby((entry for entry in entries if entry.scores), key=lambda entry: (entry.source, entry.target))
    charts = [_chart(f"{source} → {target}", list(group)) for (source, target), group in scored]
    if charts:
        said = f"mAP in percent on {text.kind(table)}. {text.spread_note(entries)}"
        sections.append(Section("bars", "mAP", render("charts.jinja", charts=charts, note=said)))
    sections += figures
    sections.append(provenance(command, {name: value for name, value in facts.items() if name != "command"}))
    lead = LEADS["real" if table.is_real else "stand-ins"]
    return write_document(out, title=table.title, lead=lead, sections=sections)


def _chart(title: str, entries: Sequence[Entry]) -> Chart:
    found = [(entry.row, entry.shown["mean_ap"]) for entry in entries if entry.shown]
    bars = [Bar(row, 100 * value.mean, 100 * (value.sd or 0.0)) for row, value in found]
    rows = tuple((row, text.percent(value)) for row, value in found)
    return Chart(title, bar_chart(f"mAP on {title}", bars), ("row", "mAP"), rows)
