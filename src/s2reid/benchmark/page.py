"""The page of a benchmark: for each part its speeds, its ratios and, of a training step, where the time goes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from s2reid.report.bars import Bar, bar_chart
from s2reid.report.document import Section, provenance, render, write_document


def write_page(out: Path, found: Mapping[str, Any]) -> Path:
    """Write what `everything.measure` found as one self-contained page."""
    machine = found["machine"]
    facts = {
        "machine": f"{machine['processor']}, {machine['cores']} cores, {machine['system']}",
        "device": f"{found['device']}, {found['threads']} threads",
        "load before": f"{found['load']:.1f} (other programs that were running)",
        "version": f"s2reid {found['s2reid']}, Python {machine['python']}, commit {found['commit']}",
        "date": found["date"],
    }
    lead = (
        "How fast this machine is at each thing the program does, beside what one would otherwise run. Both sides of a "
        "ratio took turns; a number is the median of the turns, with the smallest and the largest behind it."
    )
    sections = [Section(f"part-{place}", part["heading"], _body(part)) for place, part in enumerate(found["parts"])]
    return write_document(out, title="Benchmark", lead=lead, sections=[*sections, provenance(found["command"], facts)])


def _body(part: Mapping[str, Any]) -> Markup:
    shares = [measure for measure in part["measures"] if measure["name"] in part["adds_up"]]
    chart = bar_chart("ms/step", [Bar(measure["name"], measure["value"]) for measure in shares]) if shares else None
    return render("benchmark.jinja", part=part, number=number, chart=chart)


def number(value: float) -> str:
    """Print three digits that count.

    >>> number(1234.5), number(12.34), number(0.01234)
    ('1,234', '12.3', '0.0123')
    """
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:#.3g}".rstrip(".")
