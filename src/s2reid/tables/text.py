"""A table as text: in the terminal, in Markdown, in LaTeX and in JSON. Pair by pair, ours beside the published."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

from rich.table import Table as RichTable

from s2reid.evaluate import NUMBERS
from s2reid.tables import worlds
from s2reid.tables.entries import Entry, Spread
from s2reid.tables.grid import Table

HEADS = ("Rank-1", "Rank-5", "Rank-10", "mAP")
PUBLISHED = "published, real data"
NOTE = (
    "In percent. Targets and sources are rendered: a stand-in is no real set, and its scores compare with each other "
    f"only. The columns “{PUBLISHED}” are the paper's, on real recordings."
)
DASH = "–"
TEX = {"%": r"\%", "_": r"\_", "→": r"$\to$", "±": r"$\pm$", DASH: "--", "“": "``", "”": "''"}


@dataclass(frozen=True)
class Line:
    """A row of a pair's block, in print: `ours` and `published` are Rank-1, Rank-5, Rank-10 and mAP."""

    row: str
    num_seeds: int
    ours: tuple[str, ...]
    published: tuple[str, ...]
    note: str
    is_best: bool


@dataclass(frozen=True)
class Block:
    """The rows of one pair, and what the paper had in their place."""

    source: str
    target: str
    protocol: str
    real: str
    lines: tuple[Line, ...]


def blocks(entries: Sequence[Entry]) -> list[Block]:
    """Lay entries out, a block a pair; the best mAP of a pair is marked where two or more compete."""
    found = []
    for (source, target), several in groupby(entries, key=lambda entry: (entry.source, entry.target)):
        group = list(several)
        scored = [entry.shown["mean_ap"].mean for entry in group if entry.shown]
        best = max(scored) if len(scored) > 1 else None
        protocols = dict.fromkeys(next(iter(entry.scores)) for entry in group if entry.scores)
        real = f"{worlds.real_name(source)} → {worlds.real_name(target)}"
        lines = tuple(_line(entry, best) for entry in group)
        found.append(Block(source, target, ", ".join(protocols), real, lines))
    return found


def _line(entry: Entry, best: float | None) -> Line:
    shown, published = entry.shown, entry.published
    theirs = [getattr(published, number) if published else None for number in NUMBERS]
    return Line(
        entry.row,
        len(entry.seeds),
        tuple(percent(shown[number]) if shown else DASH for number in NUMBERS),
        tuple(DASH if value is None else f"{100 * value:.1f}" for value in theirs),
        published.note if published else "",
        is_best=shown is not None and shown["mean_ap"].mean == best,
    )


def percent(value: Spread) -> str:
    """Print a number over seeds.

    >>> percent(Spread.of([0.5, 0.7])), percent(Spread.of([0.5]))
    ('60.0 ± 14.1', '50.0')
    """
    return f"{100 * value.mean:.1f}" + ("" if value.sd is None else f" ± {100 * value.sd:.1f}")


def spread_note(entries: Sequence[Entry]) -> str:
    """Say over how many seeds the numbers are."""
    counts = sorted({len(entry.seeds) for entry in entries if entry.seeds})
    if not counts or counts == [1]:
        return "One seed: no spread."
    seeds = " or ".join(map(str, counts))
    return f"Mean ± sample standard deviation over {seeds} seeds (of the weights and the batches)."


def as_rich(block: Block) -> RichTable:
    """Lay a block out for the terminal, where there is room for the paper's Rank-1 and mAP only."""
    title = f"{block.source} → {block.target}" + (f"  ({block.protocol})" if block.protocol else "")
    table = RichTable(box=None, pad_edge=False, title=title, title_justify="left", title_style="bold")
    table.add_column("row", overflow="fold", min_width=9)
    for head in ("seeds", *HEADS):
        table.add_column(head, justify="right", no_wrap=True)
    for head in (HEADS[0], HEADS[-1]):
        table.add_column(f"{head}*", justify="right", no_wrap=True, style="dim")
    for line in block.lines:
        table.add_row(line.row, _seeds(line), *line.ours, line.published[0], line.published[-1])
    table.caption = f"* {PUBLISHED}: {block.real}"
    return table


def as_markdown(table: Table, entries: Sequence[Entry], facts: Mapping[str, str]) -> str:
    """Write a table as Markdown."""
    lines = [f"# {table.title}", "", f"{NOTE} {spread_note(entries)}", ""]
    lines += [f"- {name}: {value}" for name, value in facts.items()]
    heads = ["row", "seeds", *HEADS, *(f"{head}, {PUBLISHED}" for head in HEADS)]
    for block in blocks(entries):
        lines += ["", f"## {block.source} → {block.target}", ""]
        lines += [f"Protocol {block.protocol or DASH}. {PUBLISHED.capitalize()}: {block.real}.", ""]
        lines += ["| " + " | ".join(heads) + " |", "|---" + "|---:" * (len(heads) - 1) + "|"]
        lines += [
            "| " + " | ".join([_name(line), _seeds(line), *line.ours, *line.published]) + " |" for line in block.lines
        ]
        lines += [f"\n{line.row}, published: {line.note}." for line in block.lines if line.note]
    return "\n".join(lines) + "\n"


def _name(line: Line) -> str:
    return f"**{line.row}**" if line.is_best else line.row


def _seeds(line: Line) -> str:
    return str(line.num_seeds or DASH)


def as_latex(table: Table, entries: Sequence[Entry]) -> str:
    """Write a table as LaTeX, for the package booktabs."""
    lines = [
        r"\begin{table}",
        rf"\caption{{{_tex(table.title)}. {_tex(NOTE)} {_tex(spread_note(entries))}}}",
        r"\begin{tabular}{lr" + "r" * 2 * len(HEADS) + "}",
        r"\toprule",
        rf"& & \multicolumn{{4}}{{c}}{{ours, stand-ins}} & \multicolumn{{4}}{{c}}{{{PUBLISHED}}} \\",
        " & ".join(["row", "seeds", *HEADS, *HEADS]) + r" \\",
    ]
    for block in blocks(entries):
        title = f"{block.source} → {block.target} (published: {block.real})"
        lines += [r"\midrule", rf"\multicolumn{{10}}{{l}}{{{_tex(title)}}} \\"]
        for line in block.lines:
            cells = [_seeds(line), *line.ours, *line.published]
            lines.append(" & ".join([_tex(line.row), *map(_tex, cells)]) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table}"]) + "\n"


def _tex(text: str) -> str:
    for plain, written in TEX.items():
        text = text.replace(plain, written)
    return text


def as_json(table: Table, entries: Sequence[Entry], facts: Mapping[str, Any]) -> dict[str, Any]:
    """Turn a table into what JSON can hold: fractions, every protocol's setting and every seed."""
    return {
        "table": table.number,
        "title": table.title,
        "data": "stand-ins",
        "lacking": table.lacking,
        **facts,
        "settings": {row: asdict(settings) for row, settings in table.rows.items() if settings is not None},
        "entries": [
            {**asdict(entry), "published": {"data": "real", **asdict(entry.published)} if entry.published else None}
            for entry in entries
        ],
    }
