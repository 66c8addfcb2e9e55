"""A table as text: in the terminal, in Markdown, in LaTeX and in JSON. Pair by pair, ours beside the published."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

from rich.table import Table as RichTable

from s2reid.evaluate import NUMBERS
from s2reid.tables import grid, worlds
from s2reid.tables.entries import Entry, Spread
from s2reid.tables.grid import Table

HEADS = ("Rank-1", "Rank-5", "Rank-10", "mAP")
PUBLISHED = "published, real data"
STANDINS = (
    "In percent. Targets and sources are rendered: a stand-in is no real set, and its scores compare with each other "
    f"only. The columns “{PUBLISHED}” are the paper's, on real recordings."
)
REAL = f"In percent, on real recordings. The columns “{PUBLISHED}” are the paper's, on the same datasets."
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
    """The rows of one pair, and what the paper had in their place; `tests` say which rows looked at what."""

    source: str
    target: str
    protocol: str
    real: str
    lines: tuple[Line, ...]
    tests: tuple[tuple[str, str], ...] = ()


def blocks(entries: Sequence[Entry]) -> list[Block]:
    """Lay entries out, a block a pair; the best mAP of a pair is marked where two or more compete."""
    found = []
    for (source, target), several in groupby(entries, key=lambda entry: (entry.source, entry.target)):
        group = list(several)
        scored = [entry.shown["mean_ap"].mean for entry in group if entry.shown]
        best = max(scored) if len(scored) > 1 else None
        protocols = dict.fromkeys(next(iter(entry.scores)) for entry in group if entry.scores)
        said = [*protocols, *([_splits(group[0])] if protocols else [])]
        real = f"{worlds.real_name(source)} → {worlds.real_name(target)}"
        lines = tuple(_line(entry, best) for entry in group)
        looks = dict.fromkeys(entry.test for entry in group if entry.test)
        tests = tuple((look, ", ".join(entry.row for entry in group if entry.test == look)) for look in looks)
        found.append(Block(source, target, ", ".join(filter(None, said)), real, lines, tests))
    return found


def _splits(entry: Entry) -> str:
    """Say which split the numbers are of, where there are several."""
    if len(entry.splits) > 1:
        return f"mean of {len(entry.splits)} splits"
    return f"split {entry.splits[0]}" if grid.num_splits(entry.target) > 1 else ""


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


def note(table: Table) -> str:
    """Say what the numbers are, and of what."""
    return REAL if table.is_real else STANDINS


def kind(table: Table) -> str:
    """Name what our columns are on."""
    return "real data" if table.is_real else "stand-ins"


def spread_note(entries: Sequence[Entry]) -> str:
    """Say over how many seeds and splits the numbers are."""
    counts = sorted({len(entry.seeds) for entry in entries if entry.seeds})
    number = max((len(entry.splits) for entry in entries if entry.seeds), default=1)
    means = (
        f" With {number} splits a seed's number is their mean: a training for each, where the method sees the target."
        if number > 1
        else ""
    )
    if not counts or counts == [1]:
        return f"One seed: no spread.{means}"
    seeds = " or ".join(map(str, counts))
    return f"Mean ± sample standard deviation over {seeds} seeds (of the weights and the batches).{means}"


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
    lines = [f"# {table.title}", "", f"{note(table)} {spread_note(entries)}", ""]
    lines += [f"- {name}: {value}" for name, value in facts.items()]
    heads = ["row", "seeds", *HEADS, *(f"{head}, {PUBLISHED}" for head in HEADS)]
    for block in blocks(entries):
        lines += ["", f"## {block.source} → {block.target}", ""]
        lines += [f"Protocol {block.protocol or DASH}. {PUBLISHED.capitalize()}: {block.real}.", ""]
        lines += [*(f"- tested on {look}: {rows}" for look, rows in block.tests), *[""] * bool(block.tests)]
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
        rf"\caption{{{_tex(table.title)}. {_tex(note(table))} {_tex(spread_note(entries))}}}",
        r"\begin{tabular}{lr" + "r" * 2 * len(HEADS) + "}",
        r"\toprule",
        rf"& & \multicolumn{{4}}{{c}}{{ours, {kind(table)}}} & \multicolumn{{4}}{{c}}{{{PUBLISHED}}} \\",
        " & ".join(["row", "seeds", *HEADS, *HEADS]) + r" \\",
    ]
    for block in blocks(entries):
        protocol = f"; {block.protocol}" if block.protocol else ""
        title = f"{block.source} → {block.target} (published: {block.real}{protocol})"
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
        "data": kind(table),
        "lacking": table.lacking,
        **facts,
        "settings": {row: asdict(settings) for row, settings in table.rows.items() if settings is not None},
        "entries": [
            {**asdict(entry), "published": {"data": "real", **asdict(entry.published)} if entry.published else None}
            for entry in entries
        ],
    }
