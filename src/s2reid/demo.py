"""The demo: from synthetic people to a re-identification score, start to end in a few minutes on a laptop."""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

from s2reid import datasets, experiment, forecast, lock, progress, runs, summary, whole
from s2reid.experiment import Plan
from s2reid.methods.source_only import SourceOnly
from s2reid.train import Options
from s2reid.types import Dataset
from s2reid.world import write

SOURCE, TARGET = "svreid-large", "standin-ilids"
TARGET_PERSONS = 100
SOURCE_FRAMES = 3  # of a tracklet; training takes one at a time, and rendering is a fifth of the demo


@dataclass(frozen=True)
class Demo:
    """What is run, and where it goes."""

    out: Path
    seed: int = 0
    real: str | None = None
    show_real: bool = False
    persons: int = 1200
    steps: int | None = None


def run(demo: Demo) -> Path:
    """Render, train, adapt, score and write the page; return its path."""
    if demo.steps is not None and demo.steps < 1:
        raise ValueError(f"steps is {demo.steps}, expected at least 1: the demo trains a network")
    real = datasets.load(demo.real) if demo.real else None
    if real is not None and not (real.query and real.gallery):
        raise ValueError(
            f"{demo.real} has {len(real.query)} queries and {len(real.gallery)} gallery tracklets: it cannot be scored"
        )
    batch = SourceOnly().schedule("small").num_persons
    if demo.persons < batch:
        raise ValueError(
            f"the demo's source has {demo.persons} persons, and a batch needs {batch}: give --persons {batch} or more"
        )
    print(f"source  {SOURCE}: {write.estimate(SOURCE, persons=demo.persons, frames=SOURCE_FRAMES)}")
    print(f"target  {TARGET}: {write.estimate(TARGET, persons=TARGET_PERSONS)}")

    with lock.held(demo.out):
        return _run(demo, real)


def _run(demo: Demo, real: Dataset | None) -> Path:
    began = perf_counter()

    # Worlds
    source = datasets.load(f"svreid:{_render(SOURCE, demo.out / 'source', demo.seed, demo.persons, SOURCE_FRAMES)}")
    target = datasets.load(f"ilids_vid:{_render(TARGET, demo.out / 'target', demo.seed, TARGET_PERSONS)}")
    rendered = perf_counter()

    # Training
    root = demo.out / "runs"
    base = Plan("source_only", source, steps=demo.steps, seed=demo.seed)
    print(f"train   {forecast.cost(base, root)}")
    untrained = experiment.run(replace(base, steps=0), root)
    trained = _train(base, root, "train source_only")
    adapted = _train(
        Plan("target_bn", source, target, seed=demo.seed, start=trained / "model"), root, "adapt target_bn"
    )
    finished = perf_counter()

    # Scores
    folders = {"untrained": untrained, "source_only": trained, "target_bn": adapted}
    rows = [
        row | {"method": name, "adapted_to": adapted_to, "seconds_per_step": summary.seconds_per_step(folder)}
        for scored in (target, *([real] if real else []))
        for name, folder in folders.items()
        for adapted_to in (TARGET if folder == adapted else None,)
        for row in experiment.evaluate(folder / "model", scored)
    ]
    progress.score_table(rows)
    print(f"protocol {', '.join(dict.fromkeys(row['protocol'] for row in rows))}; {rows[0]['test']}")
    print(f"target_bn was adapted to {TARGET}, whatever it is scored on")
    for folder in folders.values():
        experiment.embed_source(folder / "model", source)
    page = summary.write(
        list(folders.values()),
        demo.out / "report.html",
        show_real=demo.show_real,
        title="s2reid demo",
        sheets=_sheets(demo.out),
        versus=(trained, adapted),
    )
    seconds = {"render": rendered - began, "train": finished - rendered, "all": perf_counter() - began}
    runs.write_json(
        demo.out / "scores.json",
        {
            "rows": rows,
            "seed": demo.seed,
            "seconds": seconds,
            "data_wait": summary.data_wait(trained),
            **runs.provenance(),
        },
    )
    model = _publish(trained / "model", demo.out / "model")
    print(f"model  {model}\nscores {demo.out / 'scores.json'}\nreport {page}\n{seconds['all']:.0f} s in all")
    return page


def _publish(model: Path, out: Path) -> Path:
    """Copy a model folder so that it appears whole."""
    partial = out.with_name(out.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(model, partial)
    whole.put(partial, out)
    return out


def _render(preset: str, out: Path, seed: int, persons: int, frames: int | None = None) -> Path:
    with progress.bar(f"render {preset}", "images") as advance:
        return write.write(preset, out, seed=seed, persons=persons, frames=frames, progress=advance)


def _train(plan: Plan, root: Path, what: str) -> Path:
    with progress.training(what) as report:
        return experiment.run(plan, root, Options(), report)


def _sheets(out: Path) -> dict[str, Path]:
    names = {f"{SOURCE}: the source": "source", f"{TARGET}: the stand-in target": "target"}
    return {title: write.contact_sheet(out / name, out / f"{name}.png") for title, name in names.items()}
