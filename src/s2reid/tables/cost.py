"""What a table will cost, before it starts."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from s2reid import experiment
from s2reid.experiment import Forecast, Plan
from s2reid.lock import LOCK
from s2reid.tables import grid, worlds
from s2reid.tables.grid import Asked, Cell, Table


@dataclass(frozen=True)
class Cost:
    """What is to do: cells and trainings by name, seconds of this machine, bytes on disk."""

    cells: tuple[str, ...]
    finished: int
    trainings: int
    steps: int
    worlds: tuple[str, ...]
    training_seconds: float
    rendering_seconds: float
    bytes: int

    def __str__(self) -> str:
        todo = f"{len(self.cells)} cells to do, {self.finished} finished"
        if not self.cells:
            return f"{todo}: nothing to do"
        lines = [f"  {cell}" for cell in self.cells]
        render = ", ".join(self.worlds) or "nothing"
        total = self.training_seconds + self.rendering_seconds
        lines += [
            f"{todo}; {self.trainings} trainings, {self.steps:,} steps: about {self.training_seconds / 60:.1f} minutes",
            f"to render: {render}: about {self.rendering_seconds / 60:.1f} minutes of one core",
            f"in all about {total / 3600:.2f} hours here, and {self.bytes / 1e6:,.0f} MB of disk",
        ]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Turn the cost into what JSON can hold."""
        return asdict(self)


def predict(table: Table, asked: Asked) -> Cost:
    """Predict what a table costs: a few steps of every kind of training are timed, and nothing is written."""
    data = worlds.loader(asked.worlds, render=False)
    cells = grid.cells(table, asked.seeds)
    todo = [cell for cell in cells if not grid.is_finished(cell, table, asked, data)]
    plans = grid.trainings([grid.plan(cell, table, data, asked) for cell in todo], asked.runs)
    expected = forecasts(plans)
    missing = [name for name in _names(todo) if not worlds.is_there(name, asked.worlds)]
    rendering = [worlds.estimate(name) for name in missing]
    return Cost(
        cells=tuple(map(str, todo)),
        finished=len(cells) - len(todo),
        trainings=len(plans),
        steps=sum(plan.resolved()[1].steps for plan in plans),
        worlds=tuple(missing),
        training_seconds=sum((one.seconds for one in expected), 0.0),
        rendering_seconds=sum((one.seconds for one in rendering), 0.0),
        bytes=sum(one.bytes for one in expected) + sum(one.bytes for one in rendering),
    )


def forecasts(plans: Sequence[Plan]) -> list[Forecast]:
    """Time each kind of training once: seeds, sources and targets do not change what a step takes."""
    known: dict[str, Forecast] = {}
    for plan in plans:
        kind = str(plan.resolved())
        if kind not in known:
            known[kind] = experiment.forecast(plan)
    return [known[str(plan.resolved())] for plan in plans]


def _names(cells: Sequence[Cell]) -> list[str]:
    return list(dict.fromkeys(name for cell in cells for name in (cell.source, cell.target)))


def check_out(out: Path) -> None:
    """Raise `ValueError` for a folder that holds other things than tables."""
    if out.exists() and not out.is_dir():
        raise ValueError(f"{out} is a file: name a folder for the table")
    held = sorted(path.name for path in out.iterdir() if path.name != LOCK) if out.exists() else []
    if held and not any(name in ("worlds", "runs") or name.startswith("table") for name in held):
        raise ValueError(f"{out} holds other things ({', '.join(held[:3])}): name a new folder, or that of a table")
