"""A table's entries: mean and spread over seeds, beside what the paper printed for other data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, stdev

from s2reid.evaluate import NUMBERS
from s2reid.tables import grid, paper, worlds
from s2reid.tables.grid import Result, Table
from s2reid.tables.paper import Published


@dataclass(frozen=True)
class Spread:
    """A number over seeds, as a fraction: the mean and the sample standard deviation, None for one seed."""

    mean: float
    sd: float | None
    each: tuple[float, ...]

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Average values.

        >>> Spread.of([0.5])
        Spread(mean=0.5, sd=None, each=(0.5,))
        """
        return cls(fmean(values), stdev(values) if len(values) > 1 else None, tuple(values))


@dataclass(frozen=True)
class Entry:
    """One row of a table on one pair; `scores` holds the numbers by protocol, the table's own first.

    There are no seeds and no scores where it was not run. A seed's number is the mean over `splits`, and counts once
    all of them are done; `between_splits` is the sample standard deviation between them, the mean over the seeds.
    `runs` has the run of each seed, on the first split, and `all_runs` that of every split. `published` are the paper's
    numbers on real data.
    """

    row: str
    source: str
    target: str
    seeds: tuple[int, ...]
    runs: tuple[str, ...]
    test: str
    scores: Mapping[str, Mapping[str, Spread]]
    published: Published | None
    splits: tuple[int, ...] = (0,)
    all_runs: tuple[tuple[str, ...], ...] = ()
    between_splits: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @property
    def shown(self) -> Mapping[str, Spread] | None:
        """Give the numbers that the table shows: of CCVID's settings the general one, as in the paper."""
        return next(iter(self.scores.values()), None)

    @property
    def links(self) -> list[tuple[str, str]]:
        """List the runs, each with its seed and, where its training saw one split alone, that."""
        found: dict[str, str] = {}
        for seed, several in zip(self.seeds, self.all_runs):
            for split, run in zip(self.splits, several):
                found.setdefault(run, f"{seed}/{split}" if len({*several}) > 1 else str(seed))
        return [(label, run) for run, label in found.items()]


def collect(table: Table, results: Sequence[Result], split: int | None = 0) -> list[Entry]:
    """Make the entries of a whole table, pair by pair, row by row, from what one split or all of them scored."""
    published = {(row.row, row.source, row.target): row for row in paper.load(table.number)}
    entries = []
    for source, target in table.pairs:
        splits = grid.splits(target, split)
        for row in table.rows:
            found = [r for r in results if (r.cell.row, r.cell.source, r.cell.target) == (row, source, target)]
            place = row, worlds.real_name(source), worlds.real_name(target)
            entries.append(_entry(row, source, target, splits, found, published.get(place)))
    return entries


def _entry(
    row: str, source: str, target: str, splits: Sequence[int], found: Sequence[Result], published: Published | None
) -> Entry:
    by_place = {(result.cell.seed, result.cell.split): result for result in found}
    seeds = sorted({result.cell.seed for result in found})
    whole = {
        seed: [by_place[seed, split] for split in splits]
        for seed in seeds
        if all((seed, split) in by_place for split in splits)
    }
    first = next(iter(whole.values()))[0].scores if whole else ()
    numbers = {  # by protocol and number: a row of splits for each seed
        scores["protocol"]: {
            number: [[result.scores[place][number] for result in results] for results in whole.values()]
            for number in NUMBERS
        }
        for place, scores in enumerate(first)
    }
    return Entry(
        row,
        source,
        target,
        seeds=tuple(whole),
        runs=tuple(results[0].run for results in whole.values()),
        test=first[0]["test"] if first else "",
        scores={
            protocol: {number: Spread.of([fmean(row) for row in rows]) for number, rows in by_number.items()}
            for protocol, by_number in numbers.items()
        },
        published=published,
        splits=tuple(splits),
        all_runs=tuple(tuple(result.run for result in results) for results in whole.values()),
        between_splits={
            protocol: {number: fmean(stdev(row) for row in rows) for number, rows in by_number.items()}
            for protocol, by_number in numbers.items()
            if len(splits) > 1
        },
    )
