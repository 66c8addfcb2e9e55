"""What a setting of an adaptation method does, told without any test person: to tune by, and for nothing else.

    python benchmarks/adaptation.py --source svreid:DIR --target ilids_vid:DIR
        --trials 'baseline={"terms": ["identity", "triplet", "diversity"], "statistics": "source"}' 'ours={}'
        [--method s2r] [--seeds 0 1 2] [--steps N] [--precision bf16] [--out adaptation]

The target's training persons are divided in two: the method adapts to every other one, unlabelled, and both halves
are scored, `adapted` and `new`; each tracklet asks and those of the other cameras are searched. A stand-in whose seed
no table has keeps even its training persons apart from what is reported. What exists already is used again. OUT gets
runs/ and trials.json, which is written after every trial.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from colour_histogram import everybody_asks
from s2reid import datasets, evaluate, experiment, progress, runs
from s2reid.embed import load_model
from s2reid.experiment import Plan
from s2reid.train import Options
from s2reid.types import Dataset, Tracklet

HALVES = ("adapted", "new")


def halves(target: Dataset) -> tuple[Dataset, list[Tracklet]]:
    """Keep every other training person of a target, and list the tracklets of the others."""
    persons = sorted({tracklet.person for tracklet in target.train})
    kept = set(persons[::2])
    if len(persons) < 4 or persons[0] < 0:
        raise ValueError(f"{target.name} has {len(persons)} known training persons, expected at least 4 to divide")
    adapted = tuple(tracklet for tracklet in target.train if tracklet.person in kept)
    return replace(target, train=adapted), [tracklet for tracklet in target.train if tracklet.person not in kept]


def trial(plan: Plan, new: Sequence[Tracklet], out: Path, options: Options) -> dict[str, Any]:
    """Train a plan, or find it trained, and score both halves."""
    assert plan.target is not None
    with progress.training(f"{plan.method}, seed {plan.seed}") as report:
        folder = experiment.run(plan, out / "runs", options, report)
    encoder, found = load_model(folder / "model"), {}
    for half, tracklets in zip(HALVES, (plan.target.train, new)):
        scores = evaluate.to_dict(everybody_asks(encoder.embed_tracklets(tracklets)))
        found[half] = {name: scores[name] for name in ("rank1", "mean_ap")}
    last = runs.read_log(folder / runs.LOG)[-1:]
    return {"seed": plan.seed, "run": folder.name, **found, "last": last}


def as_markdown(rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Lay the trials out, in percent, with the sample standard deviation where there are several seeds."""
    lines = ["| trial | seeds | mAP, adapted | mAP, new | Rank-1, adapted | Rank-1, new |", "|---|---|---|---|---|---|"]
    for name, several in rows.items():
        cells = [
            _spread([100 * row[half][number] for row in several]) for number in ("mean_ap", "rank1") for half in HALVES
        ]
        lines.append(f"| {name} | {len(several)} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _spread(values: Sequence[float]) -> str:
    return f"{fmean(values):.1f}" + (f" ± {stdev(values):.1f}" if len(values) > 1 else "")


def read_trials(asked: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Read NAME=JSON; raise `ValueError` for anything else."""
    found = {}
    for text in asked:
        name, _, settings = text.partition("=")
        try:
            found[name] = json.loads(settings)
        except json.JSONDecodeError as error:
            raise ValueError(f"cannot read the trial {text!r} ({error}): expected NAME={{JSON}}") from error
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", required=True, metavar="NAME:PATH")
    parser.add_argument("--target", required=True, metavar="NAME:PATH", help="its training part must be labelled")
    parser.add_argument("--trials", nargs="+", required=True, metavar="NAME=JSON", help="settings of the method")
    parser.add_argument("--method", default="s2r")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--scale", default="small")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--precision", choices=["no", "bf16", "fp16"])
    parser.add_argument("--out", type=Path, default=Path("adaptation"))
    asked = parser.parse_args(arguments)
    trials, source = read_trials(asked.trials), datasets.load(asked.source)
    target, new = halves(datasets.load(asked.target))
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in trials}
    for seed in asked.seeds:
        for name, settings in trials.items():
            plan = Plan(asked.method, source, target, asked.scale, settings, steps=asked.steps, seed=seed)
            rows[name].append(trial(plan, new, asked.out, Options(precision=asked.precision)))
            done = {name: several for name, several in rows.items() if several}
            runs.write_json(asked.out / "trials.json", {**runs.provenance(), "settings": trials, "rows": done})
            print(f"seed {seed}, {name}:", as_markdown({name: rows[name][-1:]}).splitlines()[-1], flush=True)
    print(as_markdown(rows))


if __name__ == "__main__":
    main()
