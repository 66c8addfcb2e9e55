"""Make a table: cell after cell, with everything that speaks of it written again after each."""

from collections.abc import Callable, Sequence
from typing import Any

from s2reid import lock, runs, whole
from s2reid.tables import grid, models, recordings, text
from s2reid.tables.entries import Entry, collect
from s2reid.tables.figures import Figures
from s2reid.tables.grid import Asked, Cell, Result, Table
from s2reid.tables.page import write_page
from s2reid.tables.sets import Sets, finished


def make(
    table: Table,
    chosen: Table,
    asked: Asked,
    report: Callable[[Result, int, int], None] = lambda *_: None,
    sets: Sets | None = None,
) -> list[Entry]:
    """Fill the chosen part of a table and return the entries of the whole, with what was finished before.

    That is shown whether it was asked for this time or not: other rows, other targets, more seeds.
    `report` is told of every cell: what it scored, its number and how many there are. `sets` may be given where some
    of the data is loaded already. The folder is locked: tables in it share their worlds and runs, and are made one
    after another.
    """
    with lock.held(asked.out):
        return _make(table, chosen, asked, report, sets or Sets(asked))


def _make(
    table: Table, chosen: Table, asked: Asked, report: Callable[[Result, int, int], None], data: Sets
) -> list[Entry]:
    writer, done = Writer(table, asked), known(table, asked, data)
    results = [grid.fill(cell, table, data, asked) for cell in done]
    for result in results:
        is_written = (asked.runs / result.run / grid.PAGE).is_file()  # unless killed between the test and its page
        if not is_written or asked.show_real:
            grid.write_page(result, asked)
    entries = writer.write(results)
    todo = [cell for cell in grid.cells(chosen, asked.seeds, asked.split) if cell not in done]
    data.is_rendering = True
    for number, cell in enumerate(todo, 1):
        results.append(grid.fill(cell, table, data, asked))
        grid.write_page(results[-1], asked)
        entries = writer.write(results)
        report(results[-1], number, len(todo))
    return entries


def known(table: Table, asked: Asked, data: Sets) -> list[Cell]:
    """List the cells of a table that are finished: of the seeds that were asked for, and of those that follow them."""
    done, seed = finished(grid.cells(table, asked.seeds, asked.split), table, data), asked.seeds
    while more := finished(grid.cells(table, seed + 1, asked.split, first=seed), table, data):
        done, seed = done + more, seed + 1
    return done


class Writer:
    """Writes what is known of a table so far."""

    def __init__(self, table: Table, asked: Asked) -> None:
        self.table, self.asked = table, asked
        self.provenance: dict[str, Any] = runs.provenance()
        self.figures = Figures(table, asked)

    def write(self, results: Sequence[Result]) -> list[Entry]:
        """Write all files, each of them atomically."""
        entries = collect(self.table, results, self.asked.split)
        stem, found = self.asked.stem(self.table.number), models.origins(entries, self.asked.runs)
        facts = self.facts(found)
        runs.write_json(stem.with_suffix(".json"), {**self.as_json(entries), "models": found})
        whole.write(stem.with_suffix(".md"), text.as_markdown(self.table, entries, facts))
        whole.write(stem.with_suffix(".tex"), text.as_latex(self.table, entries))
        figures = self.figures.sections(entries)
        write_page(stem.with_suffix(".html"), self.table, entries, self.provenance["command"], facts, figures)
        return entries

    def as_json(self, entries: Sequence[Entry]) -> dict[str, Any]:
        """Say everything that is known of the table."""
        names = ("scale", "steps", "seeds", "split", "protocol", "init")
        asked = {"data_root": self.asked.data, **{name: getattr(self.asked, name) for name in names}}
        return text.as_json(self.table, entries, {**asked, **self.provenance})

    def facts(self, found: models.Origins) -> dict[str, str]:
        """Say in words how the table was made."""
        lacking = ", ".join(self.table.lacking)
        steps = "each method's own" if self.asked.steps is None else f"{self.asked.steps}"
        begin = f"backbones begin as {self.asked.init.name}" if self.asked.init else "no weights from outside"
        if self.table.is_real and not self.asked.init:
            begin += " (the paper's networks began with ImageNet's)"
        said = {
            "command": f"`{self.provenance['command']}`",
            "version": f"s2reid {self.provenance['s2reid']}, commit {self.provenance['commit']}",
            "models": models.in_words(found),
            "training": f"{self.asked.scale} scale, {begin}, steps: {steps}; tested at the last one",
        }
        if self.asked.data:
            sources = dict.fromkeys(source for source, _ in self.table.pairs if source in recordings.SOURCES)
            said["sources"] = ", ".join(f"{name}: {recordings.origin(name, self.asked.data)}" for name in sources)
        return said | ({"not there yet": lacking} if lacking else {})
