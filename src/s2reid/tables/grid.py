"""A table is rows x (source, target) x seeds; a cell is one training and one test, found where they exist already.

OUT/worlds/<preset>/  the data, rendered once
    runs/<key>/       the trainings, each with report.html, the page of its tests
    table2.json, .md, .tex, .html: written again after every cell
"""

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from s2reid import experiment, progress, runs, summary
from s2reid.experiment import Plan
from s2reid.tables import worlds
from s2reid.types import Dataset

NUMBERS = (1, 2, 3)
PAGE = "report.html"
Data = Callable[[str], Dataset]
"""Loads a dataset by its name."""


@dataclass(frozen=True)
class Table:
    """A table as a value: `rows` are the settings of methods, None for a method that does not exist yet.

    `versus` are the two rows that figures set against each other: before and after adaptation.
    """

    number: int
    title: str
    rows: Mapping[str, Any]
    pairs: tuple[tuple[str, str], ...]
    versus: tuple[str, str] = ("Baseline", "Ours")

    @property
    def lacking(self) -> list[str]:
        """List the rows without a method."""
        return [row for row, settings in self.rows.items() if settings is None]


@dataclass(frozen=True)
class Asked:
    """How a table is filled, and where."""

    out: Path
    seeds: int = 1
    steps: int | None = None
    scale: str = "small"

    def __post_init__(self) -> None:
        for name in ("seeds", "steps"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} is {value}, expected at least 1")

    @property
    def worlds(self) -> Path:
        return self.out / "worlds"

    @property
    def runs(self) -> Path:
        return self.out / "runs"


@dataclass(frozen=True)
class Cell:
    """One training and one test of a table."""

    row: str
    source: str
    target: str
    seed: int

    def __str__(self) -> str:
        return f"{self.source} -> {self.target}, {self.row}, seed {self.seed}"


@dataclass(frozen=True)
class Result:
    """What a cell scored: a row of scores for every setting of the target's protocol, the table's own first."""

    cell: Cell
    run: str
    scores: Sequence[Mapping[str, Any]]


def find(number: int) -> Table:
    """Return a table by its number; raise `ValueError` with the list of what exists."""
    if number not in NUMBERS:
        raise ValueError(f"no table {number}: there are {', '.join(map(str, NUMBERS))}")
    table: Table = importlib.import_module(f"s2reid.tables.table{number}").TABLE
    return table


def select(table: Table, rows: Sequence[str] = (), targets: Sequence[str] = ()) -> Table:
    """Keep some rows and targets, all where none is named; case and spaces do not count.

    Raises `ValueError` with the list of what exists for a name that is not there, and for a row without a method.
    """
    chosen = _choose("row", rows, list(table.rows))
    kept = _choose("target", targets, list(dict.fromkeys(target for _, target in table.pairs)))
    found = {row: settings for row, settings in table.rows.items() if row in chosen}
    pairs = tuple(pair for pair in table.pairs if pair[1] in kept)
    if rows and None in found.values():
        row = next(row for row, settings in found.items() if settings is None)
        there = ", ".join(row for row in table.rows if row not in table.lacking)
        raise ValueError(f"the row {row!r} of table {table.number} has no method yet: there are {there}")
    return replace(table, rows=found, pairs=pairs)


def _choose(what: str, asked: Sequence[str], known: Sequence[str]) -> list[str]:
    plain = {"".join(name.lower().split()): name for name in known}
    unknown = [name for name in asked if "".join(name.lower().split()) not in plain]
    if unknown:
        raise ValueError(f"no {what} named {unknown[0]!r} in this table: there are {', '.join(known)}")
    return [plain["".join(name.lower().split())] for name in asked] or list(known)


def cells(table: Table, seeds: int) -> list[Cell]:
    """List the cells in the order in which they are filled: a whole table for each seed."""
    return [
        Cell(row, *pair, seed)
        for seed in range(seeds)
        for pair in table.pairs
        for row, settings in table.rows.items()
        if settings is not None
    ]


def plan(cell: Cell, table: Table, data: Data, asked: Asked) -> Plan:
    """Plan the training of a cell."""
    settings = table.rows[cell.row]
    return Plan(
        experiment.method_of(settings),
        data(cell.source),
        data(cell.target),
        asked.scale,
        asdict(settings),
        steps=asked.steps,
        seed=cell.seed,
    )


def is_finished(cell: Cell, table: Table, asked: Asked, data: Data) -> bool:
    """Say whether a cell was trained and tested."""
    if not all(worlds.is_there(name, asked.worlds) for name in (cell.source, cell.target)):
        return False
    training = plan(cell, table, data, asked).training()
    scores = runs.read_scores(training.folder(asked.runs))
    return experiment.is_trained(training, asked.runs) and any(row["target"] == cell.target for row in scores)


def trainings(plans: Sequence[Plan], root: Path) -> list[Plan]:
    """List what has to be trained, each once, with what it goes on from before it."""
    found: dict[str, Plan] = {}
    for last in plans:
        for one in reversed([*_chain(last)]):
            training = one.training()
            if not experiment.is_trained(training, root):
                found.setdefault(training.key, one)
    return list(found.values())


def _chain(last: Plan) -> Iterator[Plan]:
    """Give a plan and what it goes on from, the first of all last."""
    one: Plan | None = last
    while one:
        yield one
        one = one.before() or one.trunk()


def fill(cell: Cell, table: Table, data: Data, asked: Asked) -> Result:
    """Train and test a cell, or find both, and write the page of its run."""
    planned = plan(cell, table, data, asked)
    with progress.training(str(cell)) as report:
        folder = experiment.run(planned, asked.runs, report=report)
    with progress.bar(f"test {cell}", "tracklets") as advance:
        scores = experiment.evaluate(folder / "model", data(cell.target), progress=advance)
    experiment.embed_source(folder / "model", data(cell.source))
    return Result(cell, folder.name, scores)


def write_page(result: Result, asked: Asked) -> Path:
    """Write the page of a cell's run, with all its tests."""
    folder = asked.runs / result.run
    return summary.write([folder], folder / PAGE, title=f"{result.cell.row}, seed {result.cell.seed}")
