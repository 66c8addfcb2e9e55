"""The data of a table by name: rendered for it, or found under a data root; each is loaded once."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from s2reid import experiment, runs, scales
from s2reid.tables import grid, recordings, worlds
from s2reid.tables.grid import Asked, Cell, Table, splits
from s2reid.types import Dataset


class Sets:
    """Gives the data of a table by name and split; what is not rendered yet is planned, unless `is_rendering`."""

    def __init__(self, asked: Asked, is_rendering: bool = False) -> None:
        self.asked, self.is_rendering = asked, is_rendering
        self.loaded: dict[tuple[str, int], Dataset] = {}
        self.planned: dict[str, Dataset] = {}

    def __call__(self, name: str, split: int = 0) -> Dataset:
        """Load a dataset; raise `ValueError` for what cannot be loaded."""
        if not (self.is_rendering or self.is_there(name)):
            return self.planned.setdefault(name, worlds.planned(self.world(name)))
        if (name, split) not in self.loaded:
            self.loaded[name, split] = self._load(name, split)
        return self.loaded[name, split]

    def _load(self, name: str, split: int) -> Dataset:
        root = self.recorded(name)
        if root:
            return recordings.load(name, root, split, scales.find(self.asked.scale).height)
        return worlds.load(self.world(name), self.asked.worlds, split)

    def recorded(self, name: str) -> Path | None:
        """Give the data root where it has a dataset."""
        root = self.asked.data
        return root if root and recordings.is_there(name, root) else None

    def world(self, name: str) -> str:
        """Name what is rendered in a source's place: as tall as the scale's images."""
        return worlds.tall(name) if scales.find(self.asked.scale).height > worlds.HEIGHT else name

    def is_there(self, name: str) -> bool:
        """Say whether a dataset need not be rendered."""
        return bool(self.recorded(name)) or worlds.is_there(self.world(name), self.asked.worlds)

    def lacking(self, table: Table) -> list[str]:
        """List the datasets of a table that are not there and that nothing can render."""
        names = dict.fromkeys(name for pair in table.pairs for name in pair)
        return [name for name in names if self.world(name) not in worlds.WORLDS and not self.recorded(name)]


def available(table: Table, sets: Sets, targets: Sequence[str] = ()) -> tuple[Table, list[str]]:
    """Keep the pairs of a table whose data is there, and say what was left out and why.

    Every dataset that is kept is loaded, in all the splits asked for. Raises `ValueError` for a target that was asked
    for by name and is not there, where no pair is left, for what cannot be loaded, and for sources of two origins.
    """
    lacking = sets.lacking(table)
    kept = tuple(pair for pair in table.pairs if not {*pair} & {*lacking})
    if not kept or (targets and {target for _, target in table.pairs} & {*lacking}):
        found = recordings.present(sets.asked.data) if sets.asked.data else []
        raise ValueError(
            f"the data root {sets.asked.data} has no {' and no '.join(lacking)}, it has {', '.join(found) or 'none'}: "
            f"`s2reid data get {lacking[0]}` says where it is from"
        )
    if sets.asked.data:
        for name, target in kept:
            for split in splits(target, sets.asked.split):
                sets(target, split)
            sets(name)
        _check_one_origin(dict.fromkeys(name for name, _ in kept if name in recordings.SOURCES), sets)
    why = [f"{source} -> {target}" for source, target in table.pairs if (source, target) not in kept]
    said = [f"left out, no {' and no '.join(lacking)} in {sets.asked.data}: {', '.join(why)}"] if why else []
    return replace(table, pairs=kept), said


def _check_one_origin(names: dict[str, None], sets: Sets) -> None:
    """Refuse a table in which one synthetic source is the authors' archive and the other is rendered here."""
    rendered = [name for name in names if not sets.recorded(name) or recordings.is_rendered(sets(name))]
    archived = [name for name in names if name not in rendered]
    if rendered and archived:
        raise ValueError(
            f"{archived[0]} is the authors' archive and {rendered[0]} is rendered: two sources in one table; put both "
            f"of one kind into {sets.asked.data}, or choose with --targets"
        )


def finished(cells: Sequence[Cell], table: Table, sets: Sets) -> list[Cell]:
    """Find the cells that were trained and tested; data on which no run was tested is not loaded for that."""
    folders = [path.parent for path in sorted(sets.asked.runs.glob("*/scores.json"))]
    tested = {row.get("target") for folder in folders for row in runs.read_scores(folder)}
    return [cell for cell in cells if cell.target in tested and _is_finished(cell, table, sets)]


def _is_finished(cell: Cell, table: Table, sets: Sets) -> bool:
    asked = sets.asked
    if not (sets.is_there(cell.source) and sets.is_there(cell.target)):
        return False
    try:
        target, training = sets(cell.target, cell.split), grid.plan(cell, table, sets, asked).training()
    except ValueError:  # a dataset that this table was not asked for is no longer whole: a dash
        return False
    protocol = target.protocol if asked.protocol == grid.OWN else asked.protocol
    cameras = target.name if cell.row in table.centred else None
    wanted = (target.name, target.origin.get("split"), protocol, None, cameras)
    look = grid.looks_at(cell, table, protocol)
    rows = runs.read_scores(training.folder(asked.runs)) if experiment.is_trained(training, asked.runs) else []
    return wanted in [_place(row) for row in rows if str(row.get("test")).startswith(f"{look} in clips")]


def _place(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Say which test a row of scores is of: the target and its split, the protocol, how it was ranked and centred."""
    target, split, protocol, rerank, cameras = map(row.get, ("target", "split", "protocol", "rerank", "cameras"))
    return target, split, str(protocol).split(" ")[0], rerank, cameras
