"""A self-contained page: a title, one sentence, and sections; every report is a list of sections."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from s2reid import whole

HERE = Path(__file__).parent
TEMPLATES = Environment(
    loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


@dataclass(frozen=True)
class Section:
    """One part of a page: `name` is its anchor, `body` finished HTML."""

    name: str
    heading: str
    body: Markup


def percent(fraction: float) -> str:
    """Print a fraction as the field prints scores: in percent, one decimal.

    >>> percent(0.7568)
    '75.7'
    """
    return f"{100 * fraction:.1f}"


TEMPLATES.filters["percent"] = percent


def render(template: str, **values: Any) -> Markup:
    """Fill a template of this folder; every plain string is escaped."""
    return Markup(TEMPLATES.get_template(template).render(**values))  # noqa: S704 - escaped by the environment


def provenance(command: str, facts: Mapping[str, str], seed: int | None = None) -> Section:
    """Say how the page was made: the exact command, the seed, and whatever else was noted."""
    return Section(
        "made", "How this page was made", render("provenance.jinja", command=command, seed=seed, facts=facts)
    )


def write_document(out: Path, *, title: str, lead: str, sections: Sequence[Section]) -> Path:
    """Write one HTML file that needs nothing beside it, atomically; raise `ValueError` where `out` is a folder.

    The page carries a policy under which a browser refuses every request and every script.
    """
    if out.is_dir():
        raise ValueError(f"cannot write the page {out}: it is a folder; name a file, such as {out / 'report.html'}")
    text = render(
        "document.jinja", title=title, lead=lead, sections=sections, style=(HERE / "page.css").read_text("utf-8")
    )
    whole.write(out, text.encode("utf-8", "replace").decode())  # a name from an old disk may be no UTF-8
    return out
