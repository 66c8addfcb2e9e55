"""A table's entries: mean and spread over seeds, beside what the paper printed for other data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from s2reid.evaluate import NUMBERS
from s2reid.tables import paper, worlds
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

    There are no seeds and no scores where it was not run. `published` are the paper's numbers on real data.
    """

    row: str
    source: str
    target: str
    seeds: tuple[int, ...]
    runs: tuple[str, ...]
    test: str
    scores: Mapping[str, Mapping[str, Spread]]
    published: Published | None

    @property
    def shown(self) -> Mapping[str, Spread] | None:
        """Give the numbers that the table shows: of CCVID's settings the general one, as in the paper."""
        return next(iter(self.scores.values()), None)


def collect(table: Table, results: Sequence[Result]) -> list[Entry]:
    """Make the entries of a whole table, pair by pair, row by row."""
    published = {(row.row, row.source, row.target): row for row in paper.load(table.number)}
    entries = []
    for source, target in table.pairs:
        for row in table.rows:
            found = [r for r in results if (r.cell.row, r.cell.source, r.cell.target) == (row, source, target)]
            place = row, worlds.real_name(source), worlds.real_name(target)
            entries.append(_entry(row, source, target, found, published.get(place)))
    return entries


def _entry(row: str, source: str, target: str, found: Sequence[Result], published: Published | None) -> Entry:
    found = sorted(found, key=lambda result: result.cell.seed)
    protocols = [scores["protocol"] for scores in found[0].scores] if found else []
    return Entry(
        row,
        source,
        target,
        seeds=tuple(result.cell.seed for result in found),
        runs=tuple(result.run for result in found),
        test=found[0].scores[0]["test"] if found else "",
        scores={
            protocol: {number: Spread.of([result.scores[place][number] for result in found]) for number in NUMBERS}
            for place, protocol in enumerate(protocols)
        },
        published=published,
    )
