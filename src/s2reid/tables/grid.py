"""A table is rows x (source, target) x seeds x splits; a cell is one training and one test, found where both exist.

OUT/worlds/<preset>/  what is rendered, once
    runs/<key>/       the trainings, each with report.html, the page of its tests
    table2.json, .md, .tex, .html: written again after every cell; real data has files of its own (`Asked.stem`)
"""

import importlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from s2reid import evaluate, experiment, lookup, progress, scales, summary
from s2reid.experiment import Plan
from s2reid.scales import TestSetting
from s2reid.tables import worlds
from s2reid.train import Options
from s2reid.types import Dataset

NUMBERS = (1, 2, 3)
OWN = "own"
PROTOCOLS = (OWN, evaluate.seed_protocol.__name__)
"""How a table can be tested: by each dataset's own protocol, or all of it as the paper's reference release did."""
PAGE = "report.html"


Data = Callable[..., Dataset]
"""Loads a dataset by its name, or by its name and the number of a split."""


@dataclass(frozen=True)
class Table:
    """A table as a value: `rows` are the settings of methods, None for a method that does not exist yet.

    `versus` are the two rows that figures set against each other: before and after adaptation. `centred` names the
    rows whose model is calibrated to the target's cameras before it is tested. `flip` says whether mirror images count
    in the test of every row, where that is not left to its method.
    """

    number: int
    title: str
    rows: Mapping[str, Any]
    pairs: tuple[tuple[str, str], ...]
    versus: tuple[str, str] = ("Baseline", "Ours")
    centred: frozenset[str] = frozenset()
    flip: bool | None = None

    @property
    def lacking(self) -> list[str]:
        """List the rows without a method."""
        return [row for row, settings in self.rows.items() if settings is None]

    @property
    def is_real(self) -> bool:
        """Say whether its targets are recordings of real people; they never stand beside stand-ins."""
        return not any(target.startswith("standin-") for _, target in self.pairs)


@dataclass(frozen=True)
class Asked:
    """How a table is filled, and where.

    `data` is the root of real datasets, None for stand-ins; `split` is one split of the targets that have several, or
    None for each of them and their mean; `init` is a file of weights from which every backbone starts; `show_real` puts
    pictures of real people on the pages.
    """

    out: Path
    seeds: int = 1
    steps: int | None = None
    scale: str = "small"
    data: Path | None = None
    split: int | None = 0
    protocol: str = OWN
    init: Path | None = None
    show_real: bool = False
    options: Options = Options()

    def __post_init__(self) -> None:
        for name in ("seeds", "steps"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} is {value}, expected at least 1")
        scales.find(self.scale)
        if self.protocol not in PROTOCOLS:
            raise ValueError(f"no protocol named {self.protocol!r} for a table: there are {', '.join(PROTOCOLS)}")
        if self.protocol != OWN and self.split != 0:
            raise ValueError(f"{self.protocol} is one split, 0: leave --split out")
        if self.init and not self.init.is_file():
            raise ValueError(f"{self.init} is no file: give a file of backbone weights, such as ResNet-50's")

    @property
    def worlds(self) -> Path:
        return self.out / "worlds"

    @property
    def runs(self) -> Path:
        return self.out / "runs"

    def stem(self, number: int) -> Path:
        """Name a table's files, without their ending: what is asked differently is written elsewhere.

        >>> Asked(Path("tables"), data=Path("data"), scale="paper", split=None).stem(2).as_posix()
        'tables/table2-real-splits'
        """
        parts = [f"table{number}"]
        if self.data:
            parts += ["real"] + [self.scale] * (self.scale != scales.PAPER.name)
        parts += ["splits"] if self.split is None else [f"split{self.split}"] if self.split else []
        parts += [self.protocol] if self.protocol != OWN else []
        parts += [f"steps{self.steps}"] if self.steps else []
        parts += [f"init_{self.init.stem}".replace(".", "_")] if self.init else []
        return self.out / "-".join(parts)


@dataclass(frozen=True)
class Cell:
    """One training and one test of a table."""

    row: str
    source: str
    target: str
    seed: int
    split: int = 0

    def __str__(self) -> str:
        split = f", split {self.split}" if self.split else ""
        return f"{self.source} -> {self.target}, {self.row}, seed {self.seed}{split}"


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


def on_recordings(table: Table, scale: str) -> Table:
    """Put the real datasets in the places of their stand-ins; another scale than the paper's makes a trial of it."""
    trial = "" if scale == scales.PAPER.name else f" (a quick trial at {scale} scale)"
    pairs = tuple((worlds.real_name(source), worlds.real_name(target)) for source, target in table.pairs)
    return replace(table, title=table.title + trial, pairs=pairs)


def select(table: Table, rows: Sequence[str] = (), targets: Sequence[str] = ()) -> Table:
    """Keep some rows and targets, all where none is named; case, spaces and dashes do not count.

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
    plain = {_plain(name): name for name in known}
    unknown = [name for name in asked if _plain(name) not in plain]
    if unknown:
        raise ValueError(f"no {what} named {unknown[0]!r} in this table: there are {', '.join(known)}")
    return [plain[_plain(name)] for name in asked] or list(known)


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]", "", name.lower())


def num_splits(name: str) -> int:
    """Count the splits that a dataset is published with.

    >>> num_splits("standin-ilids"), num_splits("mars")
    (10, 1)
    """
    return int(getattr(lookup.find("datasets", worlds.real_name(name)), "NUM_SPLITS", 1))


def splits(name: str, asked: int | None) -> tuple[int, ...]:
    """List the splits of a target on which a table is filled; a dataset without splits is its own only one."""
    number = num_splits(name)
    return tuple(range(number)) if asked is None else (asked if number > 1 else 0,)


def read_split(table: Table, split: str | None) -> int | None:
    """Read which split is asked for, None for all; raise `ValueError` where no target has it."""
    targets = dict.fromkeys(target for _, target in table.pairs)
    numbers = {target: num_splits(target) for target in targets}
    if split is None:
        return 0
    there = ", ".join(f"{name} has splits 0 to {number - 1}" for name, number in numbers.items() if number > 1)
    if not there:
        raise ValueError(f"{' and '.join(targets)} has no splits: leave --split out")
    if split == "all":
        return None
    if not split.isdecimal() or int(split) >= max(numbers.values()):
        raise ValueError(f"no split {split!r}: {there}, or say all")
    return int(split)


def cells(table: Table, seeds: int, split: int | None = 0, first: int = 0) -> list[Cell]:
    """List the cells in the order in which they are filled: a whole table for each seed from `first` to `seeds` - 1."""
    return [
        Cell(row, *pair, seed, number)
        for seed in range(first, seeds)
        for pair in table.pairs
        for row, settings in table.rows.items()
        if settings is not None
        for number in splits(pair[1], split)
    ]


def plan(cell: Cell, table: Table, data: Data, asked: Asked) -> Plan:
    """Plan the training of a cell."""
    settings = table.rows[cell.row]
    return Plan(
        experiment.method_of(settings),
        data(cell.source),
        data(cell.target, cell.split),
        asked.scale,
        asdict(settings),
        steps=asked.steps,
        seed=cell.seed,
        start=asked.init,
    )


def testable(table: Table, asked: Asked, data: Data, asked_rows: Sequence[str]) -> tuple[Table, list[str]]:
    """Keep the rows that the protocol can test, and say which were left out and why.

    Raises `ValueError` where one of those was asked for by name.
    """
    if asked.protocol == OWN:
        return table, []
    other = [row for row, settings in table.rows.items() if settings is not None and not _fits(row, table, asked, data)]
    if not other:
        return table, []
    why = f"{asked.protocol} looks at clips of {evaluate.SEED_FRAMES} frames, and {', '.join(other)} at others"
    if asked_rows:
        raise ValueError(f"{why}: leave {'it' if len(other) == 1 else 'them'} out, or test by the datasets' own")
    kept = {row: settings for row, settings in table.rows.items() if row not in other}
    return replace(table, rows=kept), [f"left out, {why}"]


def _fits(row: str, table: Table, asked: Asked, data: Data) -> bool:
    """Say whether a row's network takes clips of as many frames as the reference release's test."""
    task = plan(Cell(row, *table.pairs[0], 0), table, data, asked).task()
    length = table.rows[row].build(task).clip_length or task.scale.num_frames
    return bool(length == evaluate.SEED_FRAMES)


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
        folder = experiment.run(planned, asked.runs, asked.options, report)
    protocol = None if asked.protocol == OWN else asked.protocol
    with progress.bar(f"test {cell}", "tracklets") as advance:
        target, model = data(cell.target, cell.split), folder / "model"
        if cell.row in table.centred:
            model = experiment.calibrated(model, target, advance)
        scores = experiment.evaluate(model, target, protocol, flip=table.flip, progress=advance)
    experiment.embed_source(folder / "model", data(cell.source))
    return Result(cell, folder.name, scores)


def looks_at(cell: Cell, table: Table, protocol: str) -> TestSetting:
    """Say what the test of a cell looks at: what its method does, but for mirror images where the table decides."""
    if protocol == evaluate.seed_protocol.__name__:
        return evaluate.SEED_TEST
    own: TestSetting = table.rows[cell.row].test
    return own if table.flip is None else replace(own, flip=table.flip)


def write_page(result: Result, asked: Asked) -> Path:
    """Write the page of a cell's run, with all its tests."""
    folder = asked.runs / result.run
    title = f"{result.cell.row}, seed {result.cell.seed}"
    return summary.write([folder], folder / PAGE, title=title, show_real=asked.show_real)
