"""The command line: one function a verb. Everything heavy is imported inside the verb, so that `--help` is instant."""

import errno
import json
import os
import sys
import traceback
from pathlib import Path
from typing import Annotated, Any, Literal

from tyro.conf import Positional, arg
from tyro.extras import SubcommandApp

from s2reid.cli_benchmark import benchmark
from s2reid.cli_data import Spec
from s2reid.cli_data import app as data_app
from s2reid.cli_table import table
from s2reid.cli_world import app as world_app
from s2reid.cli_world import spelled_out

app = SubcommandApp()
WRONG_PLACE = (FileNotFoundError, FileExistsError, NotADirectoryError, IsADirectoryError, PermissionError)
"""The errors of the operating system that come from a path which the user gave."""


app.command(world_app, name="world", help="Render a world of synthetic people, look at one, or record a whole place.")


@app.command
def train(
    source: Spec,
    target: Spec | None = None,
    method: str = "source_only",
    scale: str = "small",
    steps: int | None = None,
    seed: int = 0,
    init: Path | None = None,
    out: Path = Path("runs"),
    without: tuple[str, ...] = (),
    settings: tuple[str, ...] = (),
    workers: int = 1,
    threads: int | None = None,
    checkpoint_every: int = 200,
    precision: Literal["no", "bf16", "fp16"] | None = None,
    tensorboard: bool = False,
    checkpointing: bool = False,
) -> None:
    """Train a method; a run that was stopped goes on, a finished one is reused.

    Args:
        source: labelled tracklets, such as svreid:DIR.
        target: unlabelled tracklets to adapt to, such as cameras:DIR; labels it may have are dropped.
        method: a file of s2reid/methods, such as s2r; what it continues is trained first, unless --init gives it.
        scale: small (128x64, laptop) or paper (256x128).
        steps: how many updates, where the method's number will not do; earlier stages change in proportion.
        seed: of the weights, the batches and the augmentation.
        init: a model folder to continue, or a file of backbone weights (torchvision's names) to start from.
        out: where runs are kept, each in a folder named by its key.
        without: augmentations to switch off: flip zoom shift erase light colour blur noise.
        settings: of the method, as name=value (value in JSON).
        workers: processes that decode and augment.
        threads: CPU threads of the network; equal numbers give equal bits.
        checkpoint_every: steps from one checkpoint to the next.
        precision: no (float32), bf16 or fp16; bf16 on GPUs that compute in it, else float32.
        tensorboard: log for TensorBoard too.
        checkpointing: take less memory and more time; equal bits.
    """
    from s2reid import datasets, experiment, forecast, progress
    from s2reid.train import Options, disband, set_threads
    from s2reid.video.augment import Augmentation
    from s2reid.video.augment import without as switch_off

    set_threads(threads)
    plan = experiment.Plan(
        method=method,
        source=datasets.load(source),
        target=datasets.load(target) if target else None,
        scale=scale,
        settings=parse_settings(settings),
        steps=steps,
        augmentation=switch_off(Augmentation(), *without),
        seed=seed,
        start=init,
    )
    options = Options(seed, workers, checkpoint_every, precision, tensorboard, checkpointing)
    print(forecast.cost(plan, out))
    with progress.training(f"train {method}") as report:
        folder = experiment.run(plan, out, options, report)
    if is_main_process():
        experiment.embed_source(folder / "model", plan.source)
    disband()
    print(f"run   {folder}\nmodel {folder / 'model'}")


@app.command
def embed(
    model: Positional[Path],
    data: Positional[Spec],
    /,
    out: Path,
    part: Literal["train", "query", "gallery"] | None = None,
    quick: bool = False,
    precision: Literal["no", "bf16"] = "no",
) -> None:
    """Embed tracklets: one vector a tracklet, with its labels, as .npz (vectors, person, camera, outfit).

    Args:
        model: a model folder, or a model that comes with s2reid, such as s2reid-small.
        data: the tracklets, such as persons:DIR.
        out: the .npz to write.
        part: of the dataset; all parts in the order train, query, gallery, where none is named.
        quick: look at one clip of a tracklet and no mirror images.
        precision: bf16 is faster on processors that compute in it.
    """
    from s2reid import datasets, progress, whole
    from s2reid.embed import load_model

    whole.check(out)
    dataset = datasets.load(data)
    parts = [part] if part else ["train", "query", "gallery"]
    tracklets = [tracklet for name in parts for tracklet in getattr(dataset, name)]
    encoder = load_model(model, quick=quick, precision=precision)
    encoder.card.check_cameras(dataset)
    with progress.bar("embed", "tracklets") as advance:
        vectors = encoder.embed_tracklets(tracklets, lambda done: advance(done, len(tracklets)))
    vectors.save(out)
    print(f"wrote {out}: {len(vectors)} vectors of {vectors.vectors.shape[1]} numbers")


@app.command
def evaluate(
    model: Positional[Path],
    data: Positional[Spec],
    /,
    protocol: str | None = None,
    split: str | None = None,
    frames: Literal["begin", "all"] | None = None,
    quick: bool = False,
    rerank: bool = False,
    k1: int = 20,
    k2: int = 6,
    lambda_: Annotated[float, arg(name="lambda")] = 0.3,
    query_camera: str | None = None,
    json_: Annotated[bool, arg(name="json")] = False,
) -> None:
    """Score a model: Rank-1/5/10 and mAP of a dataset's queries against its gallery.

    Args:
        model: a model folder, or a model that comes with s2reid, such as s2reid-small.
        data: a dataset with query and gallery, such as ilids_vid:DIR.
        protocol: who is searched and which entries count; the dataset's own where none is named (docs/evaluation.md).
        split: of a dataset that has several: its number, or all for each of them and their mean.
        frames: what a test looks at, instead of the method's own: begin (one restricted-begin clip) or all.
        quick: look at one clip and no mirror images, as the quick search does.
        rerank: re-rank by k-reciprocal neighbours.
        k1: of re-ranking: neighbours that must be mutual.
        k2: of re-ranking: neighbours averaged.
        lambda_: of re-ranking: the share of the original distance.
        query_camera: for persons:DIR, the camera that asks (default: the first).
        json_: print one JSON object.
    """
    from s2reid import datasets, experiment, progress
    from s2reid.metrics.rerank import Rerank

    how = Rerank(k1, k2, lambda_) if rerank else None
    targets = datasets.load_splits(data, split, **({"query_camera": query_camera} if query_camera else {}))
    with progress.bar("embed", "tracklets") as advance:
        rows = experiment.evaluate(model, targets, protocol, frames=frames, quick=quick, rerank=how, progress=advance)
    if json_:
        print(json.dumps({"protocol": rows[0]["protocol"].split()[0], "test": rows[0]["test"], "rows": rows}))
    else:
        progress.score_table(rows)
        protocols = ", ".join(dict.fromkeys(row["protocol"] for row in rows))
        print("; ".join([f"protocol {protocols}", rows[0]["test"], *([str(how)] if how else [])]))


@app.command
def calibrate(model: Positional[Path], data: Positional[Spec], /, out: Path) -> None:
    """Fit a model to cameras in seconds, without labels and without training: write it with their means taken out.

    The numbers of the cameras must mean the same wherever the new model is used.

    Args:
        model: a model folder, or a model that comes with s2reid, such as s2reid-small.
        data: who passed the cameras, such as cameras:DIR: the training part is looked at, without its labels.
        out: the model folder to write.
    """
    from s2reid import datasets, experiment, progress

    dataset = datasets.load(data)
    with progress.bar("embed", "tracklets") as advance:
        experiment.calibrate(model, dataset, out, advance)
    names = {number: name for name, number in dataset.origin.get("camera_names", {}).items()}
    known = sorted({tracklet.camera for tracklet in dataset.train})
    said = ", ".join(f"{number} {names.get(number, '')}".strip() for number in known)
    print(f"model {out}: centred by the {len(known)} cameras of {dataset.name}: {said}")


@app.command
def search(
    model: Positional[Path],
    query: Positional[str],
    gallery: Positional[str],
    /,
    top: int = 10,
    out: Path | None = None,
    camera: int = -1,
    quick: bool = False,
    precision: Literal["no", "bf16"] = "no",
    json_: Annotated[bool, arg(name="json")] = False,
) -> None:
    """Search a gallery for the person of a query: the ranked list, and as a page with --out.

    Whether a hit is right is said where query and gallery are the same NAME:PATH, with labels.

    Args:
        model: a model folder, or a model that comes with s2reid, such as s2reid-small.
        query: a folder of frames (one tracklet), an image, or NAME:PATH (its queries).
        gallery: NAME:PATH (its gallery, or else its training part).
        top: how many to list.
        out: an HTML page to write; it shows the pictures.
        camera: the number of the query's camera, for a calibrated model and a query that is a folder or an image.
        quick: look at one clip of a tracklet and no mirror images.
        precision: bf16 is faster on processors that compute in it.
        json_: print one JSON object.
    """
    from s2reid import progress, runs, whole
    from s2reid import search as searching
    from s2reid.embed import load_model
    from s2reid.report.search import to_dict, write_search_page

    if out:
        whole.check(out)
    encoder = load_model(model, quick=quick, precision=precision)
    asked, held = searching.queries(query, camera, encoder.card), searching.gallery(gallery, encoder.card)
    with progress.bar("embed", "tracklets") as advance:
        found = searching.search(encoder, asked, held, top, is_one=query == gallery, progress=advance)
    if json_:
        print(json.dumps({"model": str(model), "test": encoder.test, "searches": [to_dict(one) for one in found]}))
    else:
        progress.ranked_lists(found)
    if out:
        facts = {"model": str(model), "test": encoder.test}
        write_search_page(out, searches=found, num_gallery=len(held), command=runs.command(), facts=facts)
        print(f"wrote {out}", file=sys.stderr if json_ else sys.stdout)


@app.command
def publish(
    model: Positional[Path],
    out: Positional[Path],
    /,
    on: tuple[Spec, ...] = (),
    licence: str | None = None,
) -> None:
    """Write a model to give away: what embeds, in half precision, and MODEL_CARD.md, which says what it is.

    Args:
        model: the model folder of a run; it stays as it is.
        out: the folder to write; its name is the model's name.
        on: data to score the published model on for its page, such as ilids_vid:DIR.
        licence: of the weights.
    """
    from s2reid import datasets, progress, shipped
    from s2reid import publish as publishing

    targets = [datasets.load_splits(spec) for spec in on]
    with progress.bar("embed", "tracklets") as advance:
        rows = publishing.publish(model, out, targets, licence=licence, progress=advance)
    if rows:
        progress.score_table(rows)
    print(f"wrote {out}; read {out / shipped.PAGE} before you give it away")


@app.command
def report(runs: Positional[tuple[Path, ...]], /, out: Path = Path("report.html"), show_real: bool = False) -> None:
    """Write one self-contained page of runs: scores, curves, distances, source and target, ranked galleries.

    Args:
        runs: a folder of runs, or runs; where several are named, the first is the baseline, and the page shows where
            the last is right and the baseline wrong, and the other way round.
        out: the HTML file.
        show_real: show pictures of real people too.
    """
    from s2reid import summary

    if not runs:
        raise ValueError("no runs named: name a folder of runs, or several runs")
    folders = list(dict.fromkeys(folder for named in runs for folder in summary.find(named)))
    versus = (folders[0], folders[-1]) if len(runs) > 1 and len(folders) > 1 else None
    print(f"wrote {summary.write(folders, out, show_real=show_real, versus=versus)}")


app.command(table)
app.command(
    data_app, name="data", help="Look at a dataset, turn it into a manifest, pack it, or learn where to get it."
)


@app.command
def demo(
    out: Path = Path("demo"),
    seed: int = 0,
    real: Spec | None = None,
    show_real: bool = False,
    persons: int = 1200,
    steps: int | None = None,
    threads: int | None = None,
) -> None:
    """Render people, train on them, adapt, and score on a stand-in and on real people; open report.html to look.

    Args:
        out: the folder to write; an unfinished demo there goes on.
        seed: of the worlds, the weights and the batches.
        real: real tracklets to score on without having seen any, such as persons:DIR or csv:FILE.
        show_real: show pictures of real people in the report.
        persons: how many persons the source has.
        steps: training steps, where the default will not do.
        threads: CPU threads of the network.
    """
    from s2reid import demo as demonstration
    from s2reid.train import set_threads

    set_threads(threads)
    demonstration.run(demonstration.Demo(out, seed, real, show_real, persons, steps))


app.command(benchmark)


@app.command
def doctor(json_: Annotated[bool, arg(name="json")] = False) -> None:
    """Say what is installed, which device and precision will be used, where data was found, and what is missing.

    Args:
        json_: print one JSON object.
    """
    from s2reid import doctor as examination

    found = examination.examine()
    print(json.dumps(found) if json_ else examination.as_text(found))


def parse_settings(pairs: tuple[str, ...]) -> dict[str, Any]:
    """Read name=value pairs; a value is JSON, or else a plain word.

    >>> parse_settings(("average=0", "metric=cosine"))
    {'average': 0, 'metric': 'cosine'}
    """
    values = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise ValueError(f"the setting {pair!r} has no '=': write name=value")
        try:
            values[name] = json.loads(value)
        except ValueError:
            values[name] = value
    return values


def main() -> None:
    """Run a verb; a mistake of the user's ends in one line and exit code 2, any other failure in one line and 1."""
    try:
        tyro_main()
    except (Exception, KeyboardInterrupt) as error:
        if os.environ.get("S2REID_DEBUG"):
            traceback.print_exc()
        sys.exit(complain(error))


def tyro_main() -> None:
    if not is_main_process():
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - one process speaks for all
    app.cli(
        prog="s2reid",
        description="Video person re-identification: learn from synthetic people, adapt to real cameras.",
        args=spelled_out(sys.argv[1:]),
    )


def is_main_process() -> bool:
    return os.environ.get("RANK", "0") == "0"


def complain(error: BaseException) -> int:
    """Print one line about what went wrong, and return the exit code."""
    if isinstance(error, KeyboardInterrupt):
        print("s2reid: stopped; run the same command again to go on", file=sys.stderr)
        return 130
    what, code = " ".join(str(error).split()), 2
    if isinstance(error, OSError):
        what = f"{error.strerror or what}" + (f": {error.filename}" if error.filename else "")
        if not isinstance(error, WRONG_PLACE) and error.errno != errno.EROFS:
            what, code = f"{what}; what was finished is kept, run the same command again", 1
    elif not isinstance(error, ValueError):
        what, code = f"{type(error).__name__}: {what}; set S2REID_DEBUG=1 to see where", 1
    print(f"s2reid: {what}", file=sys.stderr)
    return code
