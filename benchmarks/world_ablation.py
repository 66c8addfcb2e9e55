"""Which ingredient of the world matters: train the same small model on worlds that lack one, and on smaller ones.

    python benchmarks/world_ablation.py --out ablation [--real csv:DIR/adapt.csv] [--ingredients crowd dark]
        [--persons 1000] [--sizes 100 300 1000 3000] [--steps 500] [--finalists crowd 3000] [--yes]

The cost is printed first, and nothing starts without --yes. Every world is trained on once, with seed 0; the whole
world and the finalists with three seeds, so that a difference can be seen beside the spread. A seed is that of the
world, the weights and the batches. What exists already (worlds, runs, scores) is used again: the same command goes on.

Tests are stand-ins, on their training part only, and, with --real, the training part of real data, whose labels serve
to score and nothing else. Every tracklet asks, and all tracklets of the other cameras are searched. OUT gets worlds/,
runs/, scores.json, table.json and table.md.
"""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from colour_histogram import everybody_asks
from s2reid import datasets, evaluate, experiment, forecast, progress, runs
from s2reid.embed import load_model
from s2reid.experiment import Plan
from s2reid.types import Dataset, Tracklet
from s2reid.world import write
from s2reid.world.ingredients import INGREDIENTS, in_order

SOURCE, FRAMES = "svreid-large", 3
WHOLE = "whole"
STANDINS = {  # persons, frames of the longest tracklet; half of the persons are in the training part
    "standin-ilids": ("ilids_vid", 200, 6),
    "standin-prid": ("prid2011", 146, 6),
    "standin-mars": ("mars", 80, 4),
    "standin-ccvid": ("ccvid", 60, 4),
}
"""The targets; each is rendered with seed 100, which no source has."""
TARGET_SEED = 100


@dataclass(frozen=True)
class Row:
    """A world to train on, and with which seeds."""

    name: str
    persons: int
    without: tuple[str, ...] = ()
    seeds: tuple[int, ...] = (0,)

    def asked(self, seed: int) -> dict[str, Any]:
        """Say what to render, as `write.write` takes it."""
        return {"seed": seed, "persons": self.persons, "frames": FRAMES, "without": self.without}

    def folder(self, root: Path, seed: int) -> Path:
        return root / "worlds" / "-".join([str(self.persons), *(f"no-{name}" for name in self.without), f"seed{seed}"])


def rows(
    ingredients: Sequence[str], persons: int, sizes: Sequence[int], finalists: Sequence[str], seeds: Sequence[int]
) -> list[Row]:
    """List the worlds: the whole one, each without one ingredient, and whole ones of other sizes."""
    wanted = {WHOLE: (persons, ()), **{name: (persons, (name,)) for name in in_order(tuple(ingredients))}}
    wanted |= {str(size): (size, ()) for size in sorted(sizes) if size != persons}
    unknown = sorted(set(finalists) - wanted.keys())
    if unknown:
        raise ValueError(f"no row named {unknown[0]!r} to be a finalist: there are {', '.join(wanted)}")
    final = {WHOLE, *finalists}
    return [Row(name, *world, tuple(seeds) if name in final else tuple(seeds[:1])) for name, world in wanted.items()]


def cost(todo: Sequence[Row], steps: int, scale: str, root: Path) -> str:
    """Say what rendering and training will cost; what exists already is not counted off.

    Raises `ValueError` where a world cannot be trained on, before anything is rendered.
    """
    estimates = [write.estimate(SOURCE, **row.asked(seed)) for row in todo for seed in row.seeds]
    plans = [Plan("source_only", _planned(row), scale=scale, steps=steps) for row in todo]
    for plan in plans:
        plan.training()
    return (
        f"{len(estimates)} worlds, about {sum(e.bytes for e in estimates) / 1e9:.1f} GB and "
        f"{sum(e.seconds for e in estimates) / 60:.0f} minutes of one core to render;\n"
        f"{len(estimates)} trainings, each {forecast.cost(plans[0], root / 'cost')}"
    )


def _planned(row: Row) -> Dataset:
    """Make a dataset of what will be rendered, to ask what training on it costs."""
    planned = write.request(SOURCE, **row.asked(0)).plan()
    tracklets = tuple(Tracklet("", (str(item.index),), item.person, item.camera) for item in planned)
    return Dataset(SOURCE, tracklets, origin={"preset": SOURCE})


def train(row: Row, seed: int, steps: int, scale: str, root: Path) -> Path:
    """Render a world and train on it, or find both; return the run's folder."""
    what = f"{row.name}, seed {seed}"
    with progress.bar(f"render {what}", "images") as advance:
        world = write.write(SOURCE, row.folder(root, seed), **row.asked(seed), progress=advance)
    plan = Plan("source_only", datasets.load(f"svreid:{world}"), scale=scale, steps=steps, seed=seed)
    with progress.training(f"train {what}") as report:
        return experiment.run(plan, root / "runs", report=report)


def render_targets(root: Path, real: Sequence[str]) -> dict[str, tuple[Tracklet, ...]]:
    """Render the stand-ins, read the real data, and keep the training part of each: no test person is looked at."""
    found = {}
    for name, (layout, persons, frames) in STANDINS.items():
        with progress.bar(f"render {name}", "images") as advance:
            size = {"seed": TARGET_SEED, "persons": persons, "frames": frames}
            folder = write.write(name, root / "worlds" / name, **size, progress=advance)
        found[name] = datasets.load(f"{layout}:{folder}").train
    for spec in real:
        data = datasets.load(spec)
        labelled = tuple(tracklet for tracklet in data.train if tracklet.person >= 0)
        if len({tracklet.camera for tracklet in labelled}) < 2:
            raise ValueError(f"the training part of {spec} has no labelled tracklets in two cameras: nothing to score")
        found[f"{Path(spec.partition(':')[2]).parent.name} {data.name}".strip()] = labelled
    return found


def score(folder: Path, tracklets: Sequence[Tracklet]) -> dict[str, float]:
    """Embed tracklets and let each one ask."""
    found = evaluate.to_dict(everybody_asks(load_model(folder / "model").embed_tracklets(tracklets)))
    return {name: found[name] for name in ("mean_ap", "rank1")}


class Scores:
    """`scores.json`: what was scored once is not scored again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.known: dict[str, dict[str, float]] = json.loads(path.read_text()) if path.is_file() else {}

    def get(self, key: str, compute: Callable[[], dict[str, float]]) -> dict[str, float]:
        if key not in self.known:
            self.known[key] = compute()
            runs.write_json(self.path, self.known)
        return self.known[key]


Measured = Mapping[str, Mapping[int, Mapping[str, Mapping[str, float]]]]
"""Row -> seed -> target -> number."""


def table(measured: Measured, todo: Sequence[Row]) -> list[dict[str, Any]]:
    """Average over seeds, and compare with the whole world trained with the same seeds; numbers are fractions."""
    made = []
    for row in todo:
        by_seed = measured[row.name]
        targets = list(next(iter(by_seed.values())))
        mean_ap = {target: [by_seed[seed][target]["mean_ap"] for seed in row.seeds] for target in targets}
        rank1 = {target: [by_seed[seed][target]["rank1"] for seed in row.seeds] for target in targets}
        over_targets = [fmean(by_seed[seed][target]["mean_ap"] for target in targets) for seed in row.seeds]
        whole = [fmean(measured[WHOLE][seed][target]["mean_ap"] for target in targets) for seed in row.seeds]
        instead = "; ".join(INGREDIENTS[name].instead for name in row.without)
        made.append(
            {
                "row": row.name,
                "persons": row.persons,
                "without": list(row.without),
                "instead": instead,
                "seeds": list(row.seeds),
                "mean_ap": {target: _spread(values) for target, values in mean_ap.items()},
                "rank1": {target: _spread(values) for target, values in rank1.items()},
                "over_targets": _spread(over_targets),
                "against_whole": _spread([mine - theirs for mine, theirs in zip(over_targets, whole)]),
            }
        )
    return made


def _spread(values: Sequence[float]) -> dict[str, Any]:
    return {"mean": fmean(values), "sd": stdev(values) if len(values) > 1 else None, "each": list(values)}


def as_markdown(made: Sequence[Mapping[str, Any]], facts: Mapping[str, Any]) -> str:
    """Lay the table out: mAP in percent, the sample standard deviation over seeds where there are several."""
    targets = list(made[0]["mean_ap"])
    heads = ["world", "what is there instead", "persons", "seeds", *targets, "mean", "against the whole"]
    lines = [
        f"`{facts['command']}`; commit {facts['commit']}; {facts['machine']['processor']}, {facts['machine']['cores']} "
        f"cores; {facts['steps']} steps. mAP in percent on the training part of each target, every tracklet asks in "
        "the other cameras; ± is the standard deviation over seeds.",
        "",
        "| " + " | ".join(heads) + " |",
        "|---" * len(heads) + "|",
    ]
    for row in sorted(made, key=lambda row: (row["row"] != WHOLE, row["row"].isdigit(), row["against_whole"]["mean"])):
        name = WHOLE if row["row"] == WHOLE else ", ".join(f"no {left}" for left in row["without"]) or "whole"
        numbers = [_percent(row["mean_ap"][target]) for target in targets]
        against = "" if row["row"] == WHOLE else _percent(row["against_whole"], "+.1f")
        cells = [name, row["instead"], f"{row['persons']:,}", str(len(row["seeds"])), *numbers]
        lines.append("| " + " | ".join([*cells, _percent(row["over_targets"]), against]) + " |")
    return "\n".join(lines) + "\n"


def _percent(value: Mapping[str, Any], form: str = ".1f") -> str:
    spread = "" if value["sd"] is None else f" ± {100 * value['sd']:.1f}"
    return f"{100 * value['mean']:{form}}{spread}"


def run(todo: Sequence[Row], real: Sequence[str], steps: int, scale: str, root: Path) -> list[dict[str, Any]]:
    """Render, train and score all rows; the table is written again after each of them."""
    targets = render_targets(root, real)
    prints = {name: runs.fingerprint(Dataset(name, part), ["train"]).fingerprint for name, part in targets.items()}
    scores = Scores(root / "scores.json")
    facts = {**runs.provenance(), "steps": steps, "scale": scale, "source": SOURCE, "frames": FRAMES}
    measured: dict[str, dict[int, dict[str, dict[str, float]]]] = {}
    made: list[dict[str, Any]] = []
    for place, row in enumerate(todo):
        measured[row.name] = {}
        for seed in row.seeds:
            folder = train(row, seed, steps, scale, root)
            measured[row.name][seed] = {
                name: scores.get(f"{folder.name} {prints[name]}", lambda f=folder, p=part: score(f, p))
                for name, part in targets.items()
            }
        made = table(measured, todo[: place + 1])
        runs.write_json(root / "table.json", {**facts, "rows": made})
        (root / "table.md").write_text(as_markdown(made, facts))
        print(as_markdown(made[-1:], facts).splitlines()[-1])
    return made


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("ablation"))
    parser.add_argument("--ingredients", nargs="*", default=list(INGREDIENTS), help="which to leave out; default: each")
    parser.add_argument("--persons", type=int, default=1000)
    parser.add_argument("--sizes", type=int, nargs="*", default=[100, 300, 1000, 3000])
    parser.add_argument("--finalists", nargs="*", default=[], help="rows to train with every seed")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--scale", default="small")
    parser.add_argument(
        "--real", nargs="*", default=[], metavar="NAME:PATH", help="real data, of which `train` is used"
    )
    parser.add_argument("--yes", action="store_true", help="start; without it only the cost is printed")
    asked = parser.parse_args(arguments)
    todo = rows(asked.ingredients, asked.persons, asked.sizes, asked.finalists, asked.seeds)
    print(cost(todo, asked.steps, asked.scale, asked.out), flush=True)
    if not asked.yes:
        print("add --yes to start")
        return
    run(todo, asked.real, asked.steps, asked.scale, asked.out)
    print(f"wrote {asked.out / 'table.md'} and {asked.out / 'table.json'}")


if __name__ == "__main__":
    main()
