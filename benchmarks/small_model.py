"""Make the small model that ships with the package, from nothing but rendered people: render, train, publish, score.

    python benchmarks/small_model.py [--real csv:FILE ...] [--persons 3000] [--steps 3600] [--seeds 0 1 2]
        [--out small] [--ship src/s2reid/models/s2reid-small]

A seed is that of the world, the weights and the batches. Each seed's model is published and scored as it is at its last
step; the first one is shipped, whatever the others score. The stand-ins and the real data serve to score and nothing
else. What exists already is used again. OUT gets worlds/, runs/, published/ (the other seeds), scores.json, scores.md.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from s2reid import datasets, experiment, forecast, model, progress, publish, runs
from s2reid.experiment import Plan
from s2reid.types import Dataset
from s2reid.world import write

NAME, SOURCE, FRAMES = "s2reid-small", "svreid-large", 3
SHIPPED = Path(__file__).parents[1] / "src" / "s2reid" / "models" / NAME
TARGETS = {"standin-ilids": "ilids_vid", "standin-prid": "prid2011", "standin-mars": "mars", "standin-ccvid": "ccvid"}
LARGEST = 5e6
"""Bytes that the model may have."""


def load_targets(root: Path, real: Sequence[str]) -> list[Dataset]:
    """Read the real data, so that what is wrong with it shows first, and render the stand-ins."""
    found = [data for spec in real for data in datasets.load_splits(spec)]
    for name, layout in TARGETS.items():
        with progress.bar(f"render {name}", "images") as advance:
            folder = write.write(name, root / "worlds" / name, progress=advance)
        found += datasets.load_splits(f"{layout}:{folder}")
    return found


def train(seed: int, persons: int, steps: int, scale: str, root: Path) -> Path:
    """Render a world and train on it, or find both; return the model folder."""
    folder = root / "worlds" / f"source-{persons}-seed{seed}"
    print(f"source  {write.estimate(SOURCE, seed=seed, persons=persons, frames=FRAMES)}")
    with progress.bar(f"render {SOURCE}, seed {seed}", "images") as advance:
        write.write(SOURCE, folder, seed=seed, persons=persons, frames=FRAMES, progress=advance)
    plan = Plan("source_only", datasets.load(f"svreid:{folder}"), scale=scale, steps=steps, seed=seed)
    print(f"train   {forecast.cost(plan, root / 'runs')}", flush=True)
    with progress.training(f"train seed {seed}") as report:
        return experiment.run(plan, root / "runs", report=report) / "model"


def put(trained: Path, out: Path, targets: Sequence[Dataset]) -> list[dict[str, Any]]:
    """Publish and score a model; refuse one that is too large."""
    with progress.bar(f"score {out.name}", "tracklets") as advance:
        rows = publish.publish(
            trained, out, [[data] for data in targets], licence="Apache-2.0", again="make model", progress=advance
        )
    size = sum(path.stat().st_size for path in out.iterdir())
    if size > LARGEST:
        raise ValueError(f"{out} has {size / 1e6:.1f} MB, and what ships has at most {LARGEST / 1e6:.0f} MB")
    return rows


def over_seeds(scored: Mapping[int, Sequence[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """Average each test over the seeds."""
    made = []
    for several in zip(*scored.values()):
        numbers = {name: [row[name] for row in several] for name in ("rank1", "rank5", "rank10", "mean_ap")}
        made.append(
            {
                "target": several[0]["label"],
                "protocol": several[0]["protocol"],
                "is_real": several[0]["is_real"],
                "num_valid": several[0]["num_valid"],
                **{name: fmean(values) for name, values in numbers.items()},
                "sd": {name: stdev(values) if len(values) > 1 else 0.0 for name, values in numbers.items()},
                "each": numbers,
            }
        )
    return made


def as_markdown(made: Sequence[Mapping[str, Any]]) -> str:
    """Lay the means out, in percent, with the standard deviation over the seeds."""
    lines = ["| target | Rank-1 | Rank-5 | Rank-10 | mAP | mAP by seed |", "|---|---|---|---|---|---|"]
    for row in made:
        names = ("rank1", "rank5", "rank10", "mean_ap")
        numbers = " | ".join(f"{100 * row[name]:.1f} ± {100 * row['sd'][name]:.1f}" for name in names)
        each = ", ".join(f"{100 * value:.1f}" for value in row["each"]["mean_ap"])
        kind = "real" if row["is_real"] else "rendered"
        lines.append(f"| {row['target']} ({kind}) | {numbers} | {each} |")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--real", nargs="*", default=[], metavar="NAME:PATH", help="real data with query and gallery")
    parser.add_argument("--persons", type=int, default=3000)
    parser.add_argument("--steps", type=int, default=3600)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--scale", default="small")
    parser.add_argument("--out", type=Path, default=Path("small"))
    parser.add_argument("--ship", type=Path, default=SHIPPED, help="where the first seed's model goes")
    asked = parser.parse_args(arguments)
    targets = load_targets(asked.out, asked.real)
    scored = {}
    for seed in asked.seeds:
        trained = train(seed, asked.persons, asked.steps, asked.scale, asked.out)
        out = asked.ship if seed == asked.seeds[0] else asked.out / "published" / f"{NAME}-seed{seed}"
        scored[seed] = put(trained, out, targets)
    made = over_seeds(scored)
    runs.write_json(asked.out / "scores.json", {**runs.provenance(), "seeds": asked.seeds, "rows": made})
    (asked.out / "scores.md").write_text(as_markdown(made))
    print(as_markdown(made))
    print(f"shipped {asked.ship} ({model.digest(asked.ship)})")


if __name__ == "__main__":
    main()
