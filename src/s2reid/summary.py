"""The page of a folder of runs: what `report` shows of each, read back from disk."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from s2reid import evaluate, runs
from s2reid.embed import load_model
from s2reid.metrics.ranking import Distance
from s2reid.metrics.rerank import Rerank
from s2reid.report.page import write_page
from s2reid.report.result import Result
from s2reid.report.training import Curve
from s2reid.runs import LOG, SOURCE, read_log
from s2reid.types import Embeddings, Scores, Tracklet

SHOWN = {field.name for field in fields(Scores)} | {"cell", "target", "is_real"}
"""What a row of scores must say to be shown."""


def write(
    folders: Sequence[Path],
    out: Path,
    *,
    show_real: bool = False,
    title: str = "s2reid",
    sheets: Mapping[str, Path] | None = None,
    versus: tuple[Path, Path] | None = None,
) -> Path:
    """Write one page of some runs; `versus` are two of them, a baseline and ours, to be compared query by query."""
    said = [runs.read(folder) for folder in folders]
    names = labels(said)
    results = [result for folder, name in zip(folders, names) for result in read_results(folder, name)]
    if not results:
        raise ValueError(f"the {len(folders)} runs have no scores yet: `s2reid evaluate` them first")
    curves = [curve for folder, name in zip(folders, names) if (curve := read_curve(folder, name))]
    return write_page(
        out,
        title=title,
        command=runs.command(),
        seed=said[0]["training"]["seed"],
        results=results,
        curves=curves,
        sheets=sheets,
        facts=facts(said, folders, names),
        show_real=show_real,
        versus=(names[folders.index(versus[0])], names[folders.index(versus[1])]) if versus else None,
    )


def find(root: Path) -> list[Path]:
    """List the run folders under `root`, in the order they were begun."""
    if (root / "run.json").is_file():
        return [root]
    if not root.is_dir():
        raise ValueError(f"no runs at {root}: there is no such folder")
    found = [path.parent for path in sorted(root.glob("*/run.json"), key=lambda path: (path.stat().st_mtime_ns, path))]
    if not found:
        raise ValueError(f"no runs in {root}: expected folders with a run.json, as `s2reid train` makes")
    return found


def labels(said: Sequence[Mapping[str, Any]]) -> list[str]:
    """Name runs by method, and by seed or key too where methods repeat."""
    trainings = [run["training"] for run in said]
    plain = [_method(t) if t["schedule"]["steps"] else "untrained" for t in trainings]
    seeded = [f"{name} seed {t['seed']}" if plain.count(name) > 1 else name for name, t in zip(plain, trainings)]
    repeats = Counter(seeded)
    return [f"{name} {run['key'][:6]}" if repeats[name] > 1 else name for name, run in zip(seeded, said)]


def _method(training: Mapping[str, Any]) -> str:
    target = training.get("target")
    return f"{training['method']} to {target['name']}" if target else str(training["method"])


def read_results(
    folder: Path, name: str, wanted: Callable[[Mapping[str, Any]], bool] = lambda row: True
) -> list[Result]:
    """Read the tests of a run whose rows of scores are wanted, with the embeddings and the frames to show."""
    results = []
    source = Embeddings.load(folder / SOURCE) if (folder / SOURCE).is_file() else None
    for row in filter(wanted, runs.read_scores(folder)):
        if lacking := sorted(SHOWN - row.keys()):
            raise ValueError(
                f"{folder / 'scores.json'} has a row without {lacking[0]!r}: it was written by another version, "
                "remove it and `s2reid evaluate` again"
            )
        cell = folder / "embeddings" / row["cell"]
        query, gallery = (Embeddings.load(cell / f"{part}.npz") for part in ("query", "gallery"))
        shown = runs.read_json(cell / "tracklets.json")
        values = {field.name: row[field.name] for field in fields(Scores)}
        scores = Scores(**{**values, "interval": tuple(row["interval"])})
        tracklets = {"query": _tracklets(query, shown["query"]), "gallery": _tracklets(gallery, shown["gallery"])}
        setting = evaluate.settings(row["protocol"], query, gallery)[row["protocol"]]
        # Where the protocol puts the queries into the gallery, they come first.
        searched = (tracklets["query"] + tracklets["gallery"])[-len(setting.gallery) :]
        results.append(
            Result(
                name,
                row.get("label", row["target"]),
                scores,
                setting.query,
                setting.gallery,
                tracklets["query"],
                searched,
                is_real=row["is_real"],
                distance=_distance(folder, row),
                keep=setting.keep,
                precision=setting.precision,
                source=None if row.get("cameras") else source,  # which the same model embedded, not centred
            )
        )
    return results


def _distance(folder: Path, row: Mapping[str, Any]) -> Distance:
    """Give the distance that a test was ranked by: the method's own, where it has one."""
    if row.get("own_distance"):
        return load_model(folder / "model").distance
    return Rerank(**row["rerank"]) if row.get("rerank") else "cosine"


def read_curve(folder: Path, name: str) -> Curve | None:
    """Read the loss terms, what was watched and the speed that a run and the stages before it logged.

    Steps are counted through all stages; what a stage did not log is NaN there.
    """
    steps: list[int] = []
    shown: list[dict[str, float]] = []
    begins: dict[int, str] = {}
    for number, stage in enumerate(stages(folder), 1):
        before = steps[-1] if steps else 0
        lines = read_log(stage / LOG)
        steps += [before + line["step"] for line in lines]
        shown += [
            {**line["terms"], **line.get("watched", {}), "images per second": line["images_per_second"]}
            for line in lines
        ]
        if before and lines:
            begins[before] = f"stage {number}"
    terms = dict.fromkeys(term for values in shown for term in values)
    series = {term: [values.get(term, float("nan")) for values in shown] for term in terms}
    return Curve(name, steps, series, begins) if steps else None


def stages(folder: Path) -> list[Path]:
    """List the runs of a training's stages that lie side by side, the last of them `folder`.

    A stage goes on from one of the same method; what another method trained is a training of its own.
    """
    found = [folder]
    while (found[0] / "run.json").is_file():
        training = runs.read(found[0])["training"]
        before = folder.parent / str(training.get("continues"))
        if not (before / "run.json").is_file() or runs.read(before)["training"]["method"] != training["method"]:
            break
        found.insert(0, before)
    return found


def facts(said: Sequence[Mapping[str, Any]], folders: Sequence[Path], names: Sequence[str]) -> dict[str, str]:
    """Say on what, with what and how fast the runs were made."""
    first = said[0]
    machine = first["machine"]
    shown = {
        "machine": f"{machine['processor']}, {machine['cores']} cores",
        "versions": f"s2reid {first['s2reid']}, Python {machine['python']}, commit {first['commit']}",
        "source": first["training"]["source"]["name"],
    }
    for folder, name in zip(folders, names):
        speed = seconds_per_step(folder)
        if speed:
            shown[name] = (
                f"{speed:.3f} s a step, {100 * data_wait(folder):.1f} % of it waiting for data; run {folder.name}"
            )
    return shown


def seconds_per_step(folder: Path) -> float | None:
    """Compute the mean time of a training step; None for a run that trained nothing."""
    lines = read_log(folder / LOG)
    return sum(line["seconds"] for line in lines) / lines[-1]["step"] if lines else None


def data_wait(folder: Path) -> float:
    """Compute the share of the training time that the network waited for data."""
    lines = read_log(folder / LOG)
    seconds = sum(line["seconds"] for line in lines)
    return sum(line["data_wait"] * line["seconds"] for line in lines) / seconds if seconds else 0.0


def _tracklets(rows: Embeddings, shown: Sequence[Sequence[Any]]) -> tuple[Tracklet, ...]:
    labelled = zip(shown, rows.person.tolist(), rows.camera.tolist(), rows.outfit.tolist())
    return tuple(Tracklet(store, tuple(frames), *label) for (store, frames), *label in labelled)
