"""Make a table: cell after cell, with everything that speaks of it written again after each."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from s2reid import runs
from s2reid.tables import grid, text, worlds
from s2reid.tables.entries import Entry, collect
from s2reid.tables.figures import Figures
from s2reid.tables.grid import Asked, Result, Table
from s2reid.tables.page import write_page


def make(
    whole: Table, chosen: Table, asked: Asked, report: Callable[[Result, int, int], None] = lambda *_: None
) -> list[Entry]:
    """Fill the chosen part of a table and return the entries of the whole, with what was finished before.

    `report` is told of every cell: what it scored, its number and how many there are.
    """
    writer = Writer(whole, asked)
    writer.write([])  # a folder that cannot be written is found out now
    data = worlds.loader(asked.worlds, render=False)
    wanted = grid.cells(chosen, asked.seeds)
    finished = [cell for cell in grid.cells(whole, asked.seeds) if grid.is_finished(cell, whole, asked, data)]
    results = [grid.fill(cell, whole, data, asked) for cell in finished]
    for result in results:
        if not (asked.runs / result.run / grid.PAGE).is_file():  # killed between the test and its page
            grid.write_page(result, asked)
    entries = writer.write(results)
    todo, data = [cell for cell in wanted if cell not in finished], worlds.loader(asked.worlds, render=True)
    for number, cell in enumerate(todo, 1):
        results.append(grid.fill(cell, whole, data, asked))
        grid.write_page(results[-1], asked)
        entries = writer.write(results)
        report(results[-1], number, len(todo))
    return entries


class Writer:
    """Writes what is known of a table so far."""

    def __init__(self, table: Table, asked: Asked) -> None:
        self.table, self.asked = table, asked
        self.provenance: dict[str, Any] = runs.provenance()
        self.figures = Figures(table, asked)

    def write(self, results: Sequence[Result]) -> list[Entry]:
        """Write all files, each of them atomically; raise `ValueError` where that cannot be."""
        entries = collect(self.table, results)
        stem = self.asked.out / f"table{self.table.number}"
        try:
            self.asked.out.mkdir(parents=True, exist_ok=True)
            runs.write_json(stem.with_suffix(".json"), self.as_json(entries))
            _write(stem.with_suffix(".md"), text.as_markdown(self.table, entries, self.facts()))
            _write(stem.with_suffix(".tex"), text.as_latex(self.table, entries))
            figures = self.figures.sections(entries)
            write_page(
                stem.with_suffix(".html"), self.table, entries, self.provenance["command"], self.facts(), figures
            )
        except OSError as error:
            raise ValueError(f"cannot write into {self.asked.out} ({error.strerror}): name another --out") from error
        return entries

    def as_json(self, entries: Sequence[Entry]) -> dict[str, Any]:
        """Say everything that is known of the table."""
        asked = {"scale": self.asked.scale, "steps": self.asked.steps, "seeds": self.asked.seeds}
        return text.as_json(self.table, entries, {**asked, **self.provenance})

    def facts(self) -> dict[str, str]:
        """Say in words how the table was made."""
        machine, lacking = self.provenance["machine"], ", ".join(self.table.lacking)
        steps = "each method's own" if self.asked.steps is None else f"{self.asked.steps}"
        said = {
            "command": f"`{self.provenance['command']}`",
            "version": f"s2reid {self.provenance['s2reid']}, commit {self.provenance['commit']}",
            "machine": f"{machine['processor']}, {machine['cores']} cores",
            "training": f"{self.asked.scale} scale, no weights from outside, steps: {steps}; tested at the last one",
        }
        return said | ({"not there yet": lacking} if lacking else {})


def _write(path: Path, content: str) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_text(content, "utf-8")
    partial.replace(path)
