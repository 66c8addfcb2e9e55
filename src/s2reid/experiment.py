"""One training, one test: train or reuse, embed or reuse, score, and write all of it into the run's folder."""

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import accelerate
import torch

from s2reid import evaluate as scoring
from s2reid import lock, model, remote, runs, scales, shipped, train, whole
from s2reid.cameras import CameraMeans
from s2reid.embed import QUICK, clip_length, how_tested, load_model
from s2reid.learner import Learner, Task
from s2reid.metrics.rerank import Rerank
from s2reid.runs import Cell, Training
from s2reid.scales import Schedule, TestSetting, shorter
from s2reid.types import Coverage, Dataset, Embeddings, Tracklet
from s2reid.video.augment import Augmentation
from s2reid.video.loader import PersonBatches, source_labels


@dataclass(frozen=True)
class Plan:
    """What to train, from data that is already loaded.

    `schedule` is the method's own where none is given; `steps` changes its number of steps, and those of the earlier
    stages in proportion. `start` is a model to continue, or a file of weights for the backbone.
    """

    method: str
    source: Dataset
    target: Dataset | None = None
    scale: str = "small"
    settings: Mapping[str, Any] | None = None
    schedule: Schedule | None = None
    steps: int | None = None
    augmentation: Augmentation = Augmentation()
    seed: int = 0
    start: Path | None = None

    @property
    def continues(self) -> bool:
        """Say whether it starts from a trained model, rather than from scratch or from a file of backbone weights."""
        return self.start is not None and not self.start.is_file()

    def resolved(self) -> tuple[Any, Schedule]:
        """Fill in the method's settings and its schedule; raise `ValueError` for a name that is not there."""
        settings = model.settings(self.method, self.settings)
        schedule = self.schedule or settings.schedule(scales.find(self.scale).name, self.continues)
        return settings, schedule if self.steps is None else shorter(schedule, self.steps)

    def before(self) -> "Plan | None":
        """Plan the training that this one goes on from; None where it starts afresh or from a model that is given.

        A file of weights that is given is for the first of them.
        """
        earlier = self.resolved()[0].before()
        return None if earlier is None or self.continues else self._earlier(earlier)

    def trunk(self) -> "Plan | None":
        """Plan the training of the network on single frames that it starts from; None without, or with a file.

        It is to the small scale what ImageNet's weights are to the published recipes.
        """
        single = self.resolved()[0].trunk(scales.find(self.scale).name)
        return None if single is None or self.start or self.before() else self._earlier(single)

    def _earlier(self, settings: Any) -> "Plan":
        """Plan the same with an earlier stage's settings, and as many steps for its share."""
        own, schedule = self.resolved()
        full, whole = own.schedule(self.scale).steps, settings.schedule(self.scale).steps
        steps = None if self.steps is None else round(whole * schedule.steps / full)
        return replace(self, method=method_of(settings), settings=asdict(settings), schedule=None, steps=steps)

    def task(self) -> Task:
        """Say what the learner is built for."""
        settings, schedule = self.resolved()
        num_target = len(self.target.train) if settings.needs_target and self.target else 0
        return Task(scales.find(self.scale), schedule, self.source.num_persons, self.source.outfits, num_target)

    def training(self) -> Training:
        """Resolve every default; raise `ValueError` for a name, a setting or a target that is not there."""
        settings, schedule = self.resolved()
        PersonBatches(source_labels(self.source.train), schedule.num_persons, schedule.clips_per_person, self.seed)
        if settings.needs_target and (self.target is None or not self.target.train):
            found = f"{self.target.name} has no training tracklets" if self.target else "none was given"
            raise ValueError(f"{self.method} adapts to a target, and {found}: name a target with a training part")
        target = (
            runs.fingerprint(runs.unlabelled(self.target), ["train"]) if settings.needs_target and self.target else None
        )
        return Training(
            method=self.method,
            settings=asdict(settings),
            source=runs.fingerprint(self.source, ["train"]),
            target=target,
            scale=scales.find(self.scale).name,
            schedule=schedule,
            augmentation=asdict(self.augmentation),
            seed=self.seed,
            continues=self._started_from(settings.before()),
        )

    def _started_from(self, earlier: Any) -> str | None:
        """Identify what is continued, and check that a model that was given is the right method's."""
        trained = self.before() or self.trunk()
        if trained is not None:
            return trained.training().key
        if self.start is None:
            return None
        method = method_of(earlier) if earlier else None
        if self.start.is_file():
            return model.digest(self.start)
        card = model.read_card(shipped.find(self.start))
        if card.is_published:
            raise ValueError(
                f"{self.start} is a published model, which embeds and cannot be trained further: continue the model of "
                "a run"
            )
        if method and card.method != method:
            raise ValueError(f"{self.method} continues a model of {method}, and {self.start} is one of {card.method}")
        learned, source = card.provenance.get("source"), _origin(self.source)
        if learned != source:
            raise ValueError(f"{self.start} was trained on {learned}, and the source is {source}: its persons differ")
        return model.digest(self.start)


def method_of(settings: Any) -> str:
    """Name the method of some settings: its file."""
    return type(settings).__module__.rpartition(".")[2]


def run(
    plan: Plan,
    root: Path,
    options: train.Options = train.Options(),
    report: Callable[[train.Progress], None] = lambda progress: None,
) -> Path:
    """Train what a plan says, go on with it, or find it finished; return the run's folder, with `model/` in it.

    What it goes on from is trained, or found, before it, as a run of its own. Raises `ValueError` where another process
    is training in the folder.
    """
    training, before, trunk = plan.training(), plan.before(), plan.trunk()
    processes = accelerate.PartialState(cpu=train.default_device() == "cpu")
    if plan.resolved()[0].in_one_process and processes.num_processes > 1:
        raise ValueError(f"{plan.method} plans its epochs in one process: start one, not several")
    folder = training.folder(root)
    if is_trained(training, root):
        _forget_checkpoints(folder)  # a kill after the model was saved leaves them
        return folder
    earlier = before or trunk
    start = run(earlier, root, options, report) / "model" if earlier else plan.start
    with lock.held(folder):
        processes.wait_for_everyone()
        if not is_trained(training, root):  # as it is where another process was at it
            _train(plan, training, start, root, options, report)
    return folder


def _train(
    plan: Plan,
    training: Training,
    start: Path | None,
    root: Path,
    options: train.Options,
    report: Callable[[train.Progress], None],
) -> None:
    processes, folder = accelerate.PartialState(), training.folder(root)
    if processes.is_main_process:
        runs.begin(training, root)
    processes.wait_for_everyone()
    task, trunk = plan.task(), plan.trunk()
    torch.manual_seed(plan.seed)
    settings, _ = plan.resolved()
    learner: Learner = settings.build(task)
    if start and trunk:
        learner.begin(model.read_weights(start))
    elif start and start.is_file():
        model.load_pretrained(learner.backbone, start)
    elif start:
        model.load_weights(learner, start, learner.fresh)
    target = plan.target.train if settings.needs_target and plan.target else None
    if training.schedule.steps:
        options = replace(options, seed=plan.seed)
        train.fit(learner, task, plan.source.train, target, folder, plan.augmentation, options, report)
    provenance = {
        "training": training.key,
        "source": _origin(plan.source),
        "target": _origin(plan.target) if target is not None and plan.target else None,
        "seed": plan.seed,
        "precision": options.numbers,
        **runs.provenance(),
    }
    if processes.is_main_process:
        model.save(learner, model.Card(plan.method, settings, task, provenance), folder / "model")
        _forget_checkpoints(folder)
    processes.wait_for_everyone()


def _forget_checkpoints(folder: Path) -> None:
    newest = folder / train.CHECKPOINT
    for place in (newest, whole.old(newest), newest.with_name(f"{newest.name}.partial")):
        shutil.rmtree(place, ignore_errors=True)


def calibrate(
    folder: Path,
    data: Dataset,
    out: Path,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Path:
    """Measure a target's cameras by its unlabelled training tracklets, and write the model that takes them out.

    The cameras' numbers are the dataset's. Raises `ValueError` for a target without a training part, for a model whose
    tracklets are compared by a distance of the method's own, and where `out` holds anything but a calibrated model.
    """
    if out.exists() and not (out / model.CAMERAS).is_file():
        raise ValueError(f"{out} is there already and is no calibrated model: name a new folder")
    if (out / shipped.PAGE).is_file():
        raise ValueError(f"{out} has been published ({shipped.PAGE} is there): name a new folder")
    folder, tracklets = shipped.find(folder), runs.unlabelled(data).train
    if not tracklets:
        raise ValueError(f"{data.name} has no training tracklets: its cameras cannot be measured by those of a test")
    encoder = load_model(folder)
    if encoder.learner.has_distance:
        raise ValueError(f"{encoder.card.method} compares by a distance of its own: it has no vectors to centre")
    encoder.cameras = None  # those of an earlier calibration
    seen = encoder.embed_tracklets(tracklets, lambda done: progress(done, len(tracklets)))
    return model.calibrate(folder, CameraMeans.fit(seen), _origin(data), data.origin.get("camera_names", {}), out)


def calibrated(folder: Path, data: Dataset, progress: Callable[[int, int], None] = lambda done, total: None) -> Path:
    """Give the calibrated model of a run's: beside the model itself, made where it is not there yet."""
    out = folder.with_name(f"{folder.name}-{runs.fingerprint(runs.unlabelled(data), ['train']).fingerprint}")
    return out if (out / shipped.CARD).is_file() else calibrate(folder, data, out, progress)


def evaluate(
    folder: Path,
    targets: Dataset | Sequence[Dataset],
    protocol: str | None = None,
    *,
    frames: Coverage | None = None,
    flip: bool | None = None,
    quick: bool = False,
    rerank: Rerank | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[dict[str, Any]]:
    """Score a model (its folder or its name) on a target; return a row for every setting of the protocol.

    The protocol is the target's own unless one is named. Several targets are the splits of one dataset: a tracklet
    is embedded once, and a last row a setting holds the mean over the splits, with the sample standard deviation as
    `sd`. `frames` looks at other frames than the model's own test, `flip` says whether at mirror images too,
    `quick` looks at one clip and no mirror images. The model of a run keeps the rows (but no means) in the run's
    `scores.json`, with the embeddings and what a page needs to show them; embeddings that are there already are
    used again. `progress` is told how many tracklets of all are embedded.
    Raises `ValueError` for a split whose test persons the model has seen, for a test that is not the protocol's, and
    for a run that cannot be written.
    """
    targets = (targets,) if isinstance(targets, Dataset) else tuple(targets)
    folder = shipped.find(folder)
    card, protocol = model.read_card(folder), protocol or targets[0].protocol
    for target in targets:
        card.check_cameras(target)
    learner = _tested(card, protocol, frames, flip, quick)
    if rerank and learner.has_distance:
        raise ValueError(
            f"re-ranking compares vectors by their cosine, and {card.method} has a distance of its own: leave it out"
        )
    _check_splits(folder, card, targets, protocol)
    test, digest = how_tested(card, learner), model.digest(folder)
    cells = [Cell(digest, runs.fingerprint(target, ["query", "gallery"]), test) for target in targets]
    run_folder = folder.parent if (folder.parent / "run.json").is_file() else None
    if run_folder:  # found out now, and not when everything is embedded
        runs.check_writable(run_folder)
    stores = [run_folder / "embeddings" / cell.key if run_folder else None for cell in cells]
    embedded = _embeddings(folder, learner.test, targets, stores, progress)
    distance = load_model(folder).distance if learner.has_distance else rerank or "cosine"
    found = scoring.score_splits(embedded, protocol=protocol, distance=distance)

    said: dict[str, Any] = {"method": card.method, "test": test, "rerank": asdict(rerank) if rerank else None}
    said |= {"own_distance": True} if learner.has_distance else {}
    measured = card.provenance.get("cameras")
    said |= {"cameras": measured["name"]} if measured else {}
    changed = [str(learner.test)] * (learner.test != card.build().test) + [str(rerank)] * (rerank is not None)
    changed += ["cameras centred"] * (measured is not None)
    rows = [
        {"cell": cell.key, **_about([target], name, changed), **said, **scoring.to_dict(splits.each[place])}
        for place, (target, cell) in enumerate(zip(targets, cells))
        for name, splits in found.items()
    ]
    if run_folder:
        for target, store in zip(targets, filter(None, stores)):
            shown = {part: _shown(getattr(target, part)) for part in ("query", "gallery")}
            runs.write_json(store / "tracklets.json", shown)
        runs.add_scores(run_folder, *rows)
    if len(targets) > 1:
        rows += [
            {**_about(targets, name, changed), **said, **scoring.to_dict(splits.mean), "sd": splits.deviation}
            for name, splits in found.items()
        ]
    return rows


def embed_source(folder: Path, source: Dataset, most: int = 200) -> Path:
    """Embed at most `most` of the source's training tracklets, evenly spaced, with the model of a run, or find them.

    A few frames of each. They go into the run's `source.npz`: a page shows them beside the target.
    """
    path = folder.parent / runs.SOURCE
    if not path.is_file():
        number = len(source.train)
        chosen = [source.train[i * number // min(most, number)] for i in range(min(most, number))]
        shown = [replace(t, frames=tuple(frames)) for t, (_, frames) in zip(chosen, _shown(chosen))]
        load_model(folder).embed_tracklets(shown).save(path)
    return path


def _tested(card: model.Card, protocol: str, frames: Coverage | None, flip: bool | None, quick: bool) -> Learner:
    """Build the learner that says what a test looks at: the method's own setting, the asked one, or the protocol's."""
    learner = card.build()
    if scoring.find(protocol) is not scoring.seed_protocol:
        own = QUICK if quick else learner.test
        learner.test = replace(own, coverage=frames or own.coverage, flip=own.flip if flip is None else flip)
        return learner
    length = clip_length(card, learner)
    if frames == "all" or length != scoring.SEED_FRAMES:
        asked = "all frames were asked for" if frames == "all" else f"the model takes {length}"
        raise ValueError(
            f"seed_protocol looks at one clip of {scoring.SEED_FRAMES} restricted-begin frames, and {asked}: "
            "use the dataset's own protocol"
        )
    learner.test = scoring.SEED_TEST
    return learner


def _check_splits(folder: Path, card: model.Card, targets: Sequence[Dataset], protocol: str) -> None:
    """Refuse splits that test persons whom the model has seen, and any but the first under `seed_protocol`."""
    for target in targets:
        origin = _origin(target)
        split = origin.get("split", 0)
        for role, did in (("source", "trained on"), ("target", "adapted to"), ("cameras", "calibrated to")):
            seen = {"split": 0, **(card.provenance.get(role) or {})}
            if "split" in origin and seen["split"] != split and {**seen, "split": split} == origin:
                raise ValueError(
                    f"{folder} was {did} split {seen['split']} of {target.name}, which holds persons that split "
                    f"{split} tests: only --split {seen['split']} is clean; make a model for each other split"
                )
        if split and scoring.find(protocol) is scoring.seed_protocol:
            raise ValueError(f"seed_protocol is one split, 0, and this is split {split} of {target.name}: leave it out")


def _embeddings(
    folder: Path,
    test: TestSetting,
    targets: Sequence[Dataset],
    stores: Sequence[Path | None],
    progress: Callable[[int, int], None],
) -> list[tuple[Embeddings, Embeddings]]:
    """Embed query and gallery of every target, or read them from where a run keeps them; no tracklet twice."""
    files = [[store / f"{part}.npz" for part in ("query", "gallery")] if store else [] for store in stores]
    kept = [_read(pair) for pair in files]
    lacking = [target for target, sides in zip(targets, kept) if not sides]
    tracklets = list(dict.fromkeys(t for target in lacking for t in target.query + target.gallery))
    if tracklets:
        encoder = load_model(folder)
        encoder.learner.test = test
        everything = encoder.embed_tracklets(tracklets, lambda done: progress(done, len(tracklets)))
    row = {tracklet: place for place, tracklet in enumerate(tracklets)}
    found = []
    for target, pair, sides in zip(targets, files, kept):
        if not sides:
            sides = [everything[[row[tracklet] for tracklet in side]] for side in (target.query, target.gallery)]
            for side, path in zip(sides, pair):
                side.save(path)
        found.append((sides[0], sides[1]))
    return found


def _read(pair: Sequence[Path]) -> list[Embeddings]:
    """Read embeddings that are kept; none where one is not there or cannot be read, and is to be made again."""
    try:
        return [Embeddings.load(path) for path in pair] if all(path.is_file() for path in pair) else []
    except ValueError:
        return []


def _about(splits: Sequence[Dataset], protocol: str, changed: Sequence[str]) -> dict[str, Any]:
    """Say what a row is about, one split or several; the label names all but the dataset's own way of testing."""
    data, num_splits = splits[0], len(splits)
    split = "all" if num_splits > 1 else data.origin.get("split")
    which = f"mean of {num_splits} splits" if num_splits > 1 else f"split {split}" if split is not None else ""
    name, _, setting = protocol.partition(" ")
    label = [data.name, which, setting if name == data.protocol else protocol, *changed]
    return {
        "target": data.name,
        "label": ", ".join(filter(None, label)),
        "split": split,
        "is_real": "preset" not in data.origin,
    }


def is_trained(training: Training, root: Path) -> bool:
    """Say whether a training is finished."""
    return (training.folder(root) / "model" / shipped.CARD).is_file()


def _shown(tracklets: Sequence[Tracklet], most: int = 8) -> list[tuple[str, list[str]]]:
    """Keep a few frames of each tracklet, evenly spaced: what a page can show."""
    return [
        (
            t.store if remote.is_remote(t.store) else os.path.abspath(t.store),
            [t.frames[i * t.num_frames // min(most, t.num_frames)] for i in range(min(most, t.num_frames))],
        )
        for t in tracklets
    ]


def _origin(data: Dataset) -> dict[str, Any]:
    kept = ("preset", "without", "seed", "version", "preset_version", "split")
    return {"name": data.name, **{key: value for key, value in data.origin.items() if key in kept}}
