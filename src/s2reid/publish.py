"""Publish a model: its weights without what only training needs, and a page that says what it is and is not."""

import os
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from s2reid import experiment, model, shipped, whole
from s2reid.embed import load_model
from s2reid.model import WEIGHTS, Card
from s2reid.shipped import PAGE
from s2reid.types import Dataset

LIMITS = """\
- It says how alike two people look, never who somebody is. A threshold on the similarity has to be chosen, and tested,
  on the cameras where it is used.
- Every score above holds for its own data only. A stand-in is a rendered set in the layout of a real one; its scores
  are never the real set's.
- It was scored on few real people, or none. Whether it errs more often for some groups of people (by skin, age, sex,
  build, dress or disability) was not measured: assume that it does.
- It matches looks. Other clothes, a back against a front, night, and people of a few dozen pixels are hard.
- Searching recordings of people is a serious act: mind the law, and the consent of those who are in them.
"""


def publish(
    folder: Path,
    out: Path,
    targets: Sequence[Sequence[Dataset]] = (),
    *,
    licence: str | None = None,
    again: str | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[dict[str, Any]]:
    """Publish a model and return its scores, one or several rows for each target (a dataset, or all of its splits).

    What is scored is what is published, at the trained model's last step. `again` is the command that makes it again,
    where that is more than the training's. A page that was there already, and may have been corrected by hand, is kept
    as `MODEL_CARD.md.old1`, the next one as `.old2`.
    """
    model.publish(shipped.find(folder), out, _earlier_pages(out))
    rows = [row for target in targets for row in experiment.evaluate(out, target, progress=progress)]
    said = {"made again by": f"`{again}`" if again else None, "licence": licence}
    whole.write(out / PAGE, page(out, rows, {name: value for name, value in said.items() if value}))
    return rows


def _earlier_pages(out: Path) -> dict[str, bytes]:
    """Read the pages of earlier publications by name; the last of them goes by the first name that is free."""
    kept = {path.name: path.read_bytes() for path in sorted(out.glob(f"{PAGE}*"))}
    last = kept.pop(PAGE, None)
    if last is not None and last not in kept.values():
        kept[next(name for name in (f"{PAGE}.old{number}" for number in count(1)) if name not in kept)] = last
    return kept


def page(folder: Path, rows: Sequence[Mapping[str, Any]], more: Mapping[str, str]) -> str:
    """Write a published model's page in Markdown: what it is, how it was trained, what it scores, what it cannot do."""
    card = model.read_card(folder)
    facts = [*_network(folder, card), *_training(card), *more.items()]
    call = f's2reid.load_model("{folder.name}").embed(tracklets)'
    return "\n".join(
        [
            f"# {folder.name}",
            "",
            "A network that maps a tracklet (frames of one person before one camera) to a vector of length 1: the same",
            "person's vectors are near each other across cameras.",
            "",
            f"    vectors = {call}  # uint8 RGB arrays (t, h, w, 3)",
            "",
            "| | |",
            "|---|---|",
            *(f"| {name} | {value} |" for name, value in facts),
            "",
            "## Scores",
            "",
            *(_table(rows) if rows else ["It was not scored when it was published."]),
            "",
            "## Limits",
            "",
            LIMITS,
        ]
    )


def _network(folder: Path, card: Card) -> list[tuple[str, str]]:
    encoder, scale = load_model(folder, "cpu"), card.task.scale
    parameters = sum(parameter.numel() for parameter in encoder.learner.embedder.parameters())
    numbers = encoder.embed([np.zeros((1, scale.height, scale.width, 3), np.uint8)]).shape[1]
    return [
        ("network", f"{card.settings.backbone}, {parameters / 1e6:.2f} M parameters, {numbers} numbers a vector"),
        ("input", f"frames of any size, scaled to {scale.height}x{scale.width} pixels"),
        ("file", f"{os.path.getsize(folder / WEIGHTS) / 1e6:.1f} MB; kernels in half precision, computed in single"),
        ("test", encoder.test),
    ]


def _training(card: Card) -> list[tuple[str, str]]:
    made, schedule = card.provenance, card.task.schedule
    images = f"{schedule.steps} steps of {schedule.images_per_step} images with {schedule.optimizer}"
    return [
        ("method", f"{card.method}; {images}, seed {made.get('seed')}"),
        ("trained on", f"{_data(made.get('source'))}; {card.task.num_persons:,} persons"),
        ("adapted to", _data(made.get("target")) if made.get("target") else "nothing"),
        *([("calibrated to", f"the cameras of {_data(made['cameras'])}")] if made.get("cameras") else []),
        ("command", f"`{made.get('command')}`"),
        ("made by", f"s2reid {made.get('s2reid')}, commit {made.get('commit')}"),
    ]


def _data(said: Mapping[str, Any] | None) -> str:
    """Say what data was, and whether anybody in it is real."""
    said = said or {"name": "unknown data"}
    if "preset" not in said:
        return f"{said['name']}: recordings"
    version = said.get("preset_version", said.get("version"))
    return f"{said['name']}, seed {said.get('seed')}, version {version}: rendered, with no real image in it"


def _table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Lay scores out in percent, with the 95 % interval of mAP over queries."""
    lines = [
        "| target | protocol | Rank-1 | Rank-5 | Rank-10 | mAP | 95 % of mAP | queries |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        numbers = " | ".join(f"{100 * row[name]:.1f}" for name in ("rank1", "rank5", "rank10", "mean_ap"))
        interval = "-".join(f"{100 * edge:.1f}" for edge in row["interval"])
        kind = "real" if row["is_real"] else "rendered"
        label = row.get("label", row["target"])
        lines.append(f"| {label} ({kind}) | {row['protocol']} | {numbers} | {interval} | {row['num_valid']} |")
    return lines
