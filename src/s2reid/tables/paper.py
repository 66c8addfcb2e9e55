"""The numbers that the paper printed in Tables 1, 2 and 3, as data."""

import csv
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True)
class Published:
    """A row of a table on one pair of real datasets, as fractions; `rank10` is None where the paper has a dash."""

    table: int
    row: str
    source: str
    target: str
    rank1: float
    rank5: float
    rank10: float | None
    mean_ap: float
    note: str


def load(table: int) -> list[Published]:
    """Read the published rows of a table, in the paper's order.

    >>> [row.mean_ap for row in load(2) if row.row == "Ours"]
    [0.533, 0.724]
    """
    text = (files("s2reid.tables") / "paper.csv").read_text("utf-8")
    return [_row(line) for line in csv.DictReader(text.splitlines()) if int(line["table"]) == table]


def _row(line: dict[str, str]) -> Published:
    rank1, rank5, rank10, mean_ap = (
        round(float(line[name]) / 100, 3) if line[name] else None for name in ("rank1", "rank5", "rank10", "mean_ap")
    )
    assert rank1 is not None
    assert rank5 is not None
    assert mean_ap is not None
    place = int(line["table"]), line["row"], line["source"], line["target"]
    return Published(*place, rank1, rank5, rank10, mean_ap, line["note"])
