"""What a table will cost, before it starts."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from s2reid import train
from s2reid.experiment import Plan
from s2reid.forecast import Forecast, forecast
from s2reid.lock import LOCK
from s2reid.tables import grid, worlds
from s2reid.tables.grid import Asked, Cell, Table
from s2reid.tables.sets import Sets, finished
from s2reid.types import Dataset


@dataclass(frozen=True)
class Cost:
    """What is to do: cells and trainings by name, seconds of this machine, bytes on disk.

    `data` are the folders of the real datasets by name, `worlds` what has to be rendered; `device` is what trains.
    """

    cells: tuple[str, ...]
    finished: int
    trainings: int
    steps: int
    data: Mapping[str, str]
    worlds: tuple[str, ...]
    device: str
    training_seconds: float
    testing_seconds: float
    rendering_seconds: float
    bytes: int
    free_bytes: int

    def __str__(self) -> str:
        todo = f"{len(self.cells)} cells to do, {self.finished} finished"
        lines = [f"  {name}: {place}" for name, place in self.data.items()]
        if not self.cells:
            return "\n".join([*lines, f"{todo}: nothing to do"])
        render, unit = ", ".join(self.worlds) or "nothing", "GPU" if self.device == "cuda" else "CPU"
        total = self.training_seconds + self.testing_seconds
        lines += [f"  {cell}" for cell in self.cells]
        lines += [
            f"{todo}; {self.trainings} trainings, {self.steps:,} steps: about {self.training_seconds / 60:.1f} minutes",
            f"to test: about {self.testing_seconds / 60:.1f} minutes, without the ranking",
            f"to render: {render}: about {self.rendering_seconds / 60:.1f} minutes of one core",
            f"in all about {total / 3600:.2f} {unit} hours here, {self.rendering_seconds / 3600:.2f} core hours of "
            f"rendering, and {self.bytes / 1e6:,.0f} MB of disk ({self.free_bytes / 1e9:,.0f} GB are free)",
        ]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Turn the cost into what JSON can hold."""
        return asdict(self)


def predict(table: Table, asked: Asked, sets: Sets | None = None) -> Cost:
    """Predict what a table costs: a few steps of every kind of training are timed, and nothing is written."""
    data = sets or Sets(asked)
    cells = grid.cells(table, asked.seeds, asked.split)
    done = finished(cells, table, data)
    todo = [cell for cell in cells if cell not in done]
    last = [grid.plan(cell, table, data, asked) for cell in todo]
    plans = grid.trainings(last, asked.runs)
    known = forecasts([*plans, *last], asked.options.precision)
    expected = [known[_kind(plan)] for plan in plans]
    tests = [
        (known[_kind(plan)], _embedded(data(cell.target, cell.split), cell.row in table.centred))
        for plan, cell in zip(last, todo)
    ]
    missing = [name for name in _names(todo) if not data.is_there(name)]
    rendering = [worlds.estimate(data.world(name)) for name in missing]
    return Cost(
        cells=tuple(map(str, todo)),
        finished=len(done),
        trainings=len(plans),
        steps=sum(plan.resolved()[1].steps for plan in plans),
        data={name: f"found in {place}" for name in _names(cells) if (place := data.recorded(name))},
        worlds=tuple(map(data.world, missing)),
        device=train.default_device(),
        training_seconds=sum((one.seconds for one in expected), 0.0),
        testing_seconds=sum((one.testing(lengths) for one, lengths in tests), 0.0),
        rendering_seconds=sum((one.seconds for one in rendering), 0.0),
        # A checkpoint has the optimizer's state too; only one training has one at a time.
        bytes=sum(one.bytes for one in expected)
        + sum(one.vector_bytes * len(lengths) for one, lengths in tests)
        + sum(one.bytes for one in rendering)
        + 3 * max((one.bytes for one in expected), default=0),
        free_bytes=shutil.disk_usage(_standing(asked.out)).free,
    )


def forecasts(plans: Sequence[Plan], precision: str | None = None) -> dict[str, Forecast]:
    """Time each kind of training once: seeds, sources and targets do not change what a step takes."""
    known: dict[str, Forecast] = {}
    for plan in plans:
        if _kind(plan) not in known:
            known[_kind(plan)] = _forecast(plan, precision)
    return known


def _forecast(plan: Plan, precision: str | None) -> Forecast:
    try:
        return forecast(plan, precision)
    except ValueError as error:
        raise ValueError(f"{plan.method} cannot be trained so ({error}): choose other rows with --rows") from error


def _kind(plan: Plan) -> str:
    return str(plan.resolved())


def _embedded(data: Dataset, calibrates: bool) -> list[int]:
    """List the lengths of the tracklets that are embedded for a test, and before it to measure the cameras."""
    return [tracklet.num_frames for tracklet in data.query + data.gallery + (data.train if calibrates else ())]


def _names(cells: Sequence[Cell]) -> list[str]:
    return list(dict.fromkeys(name for cell in cells for name in (cell.source, cell.target)))


def _standing(place: Path) -> Path:
    """Find the nearest folder above that exists."""
    return next(folder for folder in (place.absolute(), *place.absolute().parents) if folder.is_dir())


def check_out(out: Path) -> None:
    """Raise `ValueError` for a folder that holds other things than tables."""
    if out.exists() and not out.is_dir():
        raise ValueError(f"{out} is a file: name a folder for the table")
    held = sorted(path.name for path in out.iterdir() if path.name != LOCK) if out.exists() else []
    if held and not any(name in ("worlds", "runs") or name.startswith("table") for name in held):
        raise ValueError(f"{out} holds other things ({', '.join(held[:3])}): name a new folder, or that of a table")
