"""A model folder: weights in safetensors, and a card that says how to rebuild the network and where it came from.

A model that was calibrated has its cameras' means beside its weights.
"""

import hashlib
import json
import pickle
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from s2reid import lookup, scales, shipped, whole
from s2reid.cameras import CameraMeans, check_names
from s2reid.learner import Learner, Pretrainable, Task
from s2reid.scales import Schedule
from s2reid.shipped import CARD
from s2reid.types import Dataset
from s2reid.version import __version__

FORMAT = 1
WEIGHTS = "weights.safetensors"
CAMERAS = "cameras.safetensors"


@dataclass(frozen=True)
class Card:
    """What `model.json` says: how to build the network, and its provenance (data, seed, commit, command).

    A published model holds the weights of the learner's `embedder` only: it embeds, and cannot be trained further.
    """

    method: str
    settings: Any
    task: Task
    provenance: Mapping[str, Any]
    is_published: bool = False

    def build(self) -> Learner:
        """Build the learner with fresh weights."""
        learner: Learner = self.settings.build(self.task)
        return learner

    def check_cameras(self, data: Dataset) -> None:
        """Raise `ValueError` where a model was calibrated to cameras that `data` numbers otherwise."""
        check_names(self.provenance.get("camera_names", {}), data.origin.get("camera_names", {}))


def settings(method: str, values: Mapping[str, Any] | None = None) -> Any:
    """Build a method's settings from plain values; raise `ValueError` for a name or a type that it does not have.

    >>> settings("source_only", {"average": 0.0}).average
    0.0
    """
    return _fill(lookup.find("methods", method).METHOD, values or {}, method)


def save(learner: Learner, card: Card, folder: str | Path) -> Path:
    """Write a model folder atomically: it appears whole, or the old one stays."""
    weights = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in learner.state_dict().items()}
    return _write(weights, card, Path(folder))


def publish(folder: str | Path, out: str | Path, beside: Mapping[str, bytes] | None = None) -> Path:
    """Write the part of a model that embeds, without what only training needs and with kernels in half precision.

    `beside` are more files of the folder, by name.
    Raises `ValueError` where `out` holds anything but a published model, and where a number is too large for half
    precision.
    """
    learner, card = load(folder)
    out = Path(out)
    if out.exists() and not ((out / CARD).is_file() and read_card(out).is_published):
        raise ValueError(f"{out} is there already and is no published model: name a new folder")
    weights = {name: _halved(name, tensor) for name, tensor in learner.embedder.state_dict().items()}
    return _write(weights, replace(card, is_published=True), out, read_cameras(folder), beside)


def calibrate(
    folder: str | Path, means: CameraMeans, made_of: Mapping[str, Any], names: Mapping[str, int], out: str | Path
) -> Path:
    """Write the same model with its cameras' means; what they were measured on, and their names, in its provenance."""
    card = read_card(folder)
    provenance = {**card.provenance, "cameras": dict(made_of), "camera_names": dict(names)}
    return _write(read_weights(folder), replace(card, provenance=provenance), Path(out), means)


def read_cameras(folder: str | Path) -> CameraMeans | None:
    """Read the means of a calibrated model; None for another."""
    path = Path(folder) / CAMERAS
    return CameraMeans.load(path) if path.is_file() else None


def _halved(name: str, tensor: torch.Tensor) -> torch.Tensor:
    """Halve kernels and matrices; statistics and biases are few and keep their precision."""
    tensor = tensor.detach().cpu().contiguous().clone()
    if tensor.ndim < 2 or not tensor.is_floating_point():
        return tensor
    halved = tensor.half()
    if not halved.isfinite().all():
        largest = float(tensor.abs().max())
        raise ValueError(f"the weight {name} holds {largest}, too large for half precision: did the training diverge?")
    return halved


def _write(
    weights: dict[str, torch.Tensor],
    card: Card,
    folder: Path,
    means: CameraMeans | None = None,
    beside: Mapping[str, bytes] | None = None,
) -> Path:
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    if not folder.exists() and whole.old(folder).exists():  # a kill between the two renames of another writer
        whole.old(folder).rename(folder)
    partial.mkdir(parents=True)
    try:
        save_file(weights, partial / WEIGHTS)
        (partial / CARD).write_text(json.dumps(_to_json(card), indent=1) + "\n")
        if means:
            means.save(partial / CAMERAS)
        for name, content in (beside or {}).items():
            (partial / name).write_bytes(content)
        for file in partial.glob("*.safetensors"):  # safetensors lets nobody else read them
            file.chmod((partial / CARD).stat().st_mode)
        whole.put(partial, folder)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise OSError(f"cannot write the weights {partial / WEIGHTS}: {error}") from error
    return folder


def read_card(folder: str | Path) -> Card:
    """Read the card of a model folder; raise `ValueError` where there is none, or one of another format."""
    folder = Path(folder)
    path = folder / CARD
    if not path.is_file():
        found = "a folder without " + CARD if folder.is_dir() else "a file" if folder.exists() else "nothing"
        names = ", ".join(shipped.names())
        raise ValueError(
            f"{folder} is no model: found {found}, expected a folder with {CARD} and {WEIGHTS}, as `s2reid train` makes"
            + (f", or the name of a model that comes with s2reid: {names}" if names else "")
        )
    try:
        said = json.loads(path.read_text())
    except ValueError as error:
        raise ValueError(f"{path} is not JSON ({error}): copy the model folder again") from error
    said = said if isinstance(said, dict) else {}
    if said.get("format") != FORMAT:
        raise ValueError(
            f"{folder} has model format {said.get('format')} (written by s2reid {said.get('s2reid', 'unknown')}), "
            f"this version reads format {FORMAT}: use the s2reid that wrote it, or train again"
        )
    try:
        task = said["task"]
        sizes = tuple((share, height) for share, height in task["schedule"]["sizes"])
        schedule = Schedule(**{**task["schedule"], "sizes": sizes, "milestones": tuple(task["schedule"]["milestones"])})
        counts = task["num_persons"], tuple(task.get("outfits", ())), task.get("num_target", 0)
        built = Task(scales.Scale(**task["scale"]), schedule, *counts)
        known = settings(said["method"], said["settings"])
        return Card(said["method"], known, built, said["provenance"], said.get("published", False))
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path} lacks or misspells {error}: it was edited or written by another version") from error


def load(folder: str | Path) -> tuple[Learner, Card]:
    """Rebuild a learner in evaluation mode with its weights; every weight must fit."""
    folder = Path(folder)
    card = read_card(folder)
    learner = card.build()
    load_weights(learner.embedder if card.is_published else learner, folder)
    return learner.eval(), card


def digest(path: str | Path) -> str:
    """Identify weights by their bytes: a file's, or a model folder's, with its cameras' means if it has them."""
    path = Path(path)
    files = [path / WEIGHTS, *path.glob(CAMERAS)] if path.is_dir() else [path]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]


def load_pretrained(backbone: nn.Module, path: str | Path) -> None:
    """Fill a backbone from a public checkpoint file (.pth, .pt or .safetensors), strictly.

    The backbone knows the names that it accepts; a file that holds {"state_dict": ...} or {"model": ...} is unwrapped.
    """
    try:
        weights = load_file(path) if Path(path).suffix == ".safetensors" else torch.load(path, "cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, SafetensorError, pickle.UnpicklingError) as error:
        raise ValueError(f"cannot read the checkpoint {path} ({error}): expected .pth, .pt or .safetensors") from error
    for wrapper in ("state_dict", "model"):
        if isinstance(weights, Mapping) and isinstance(weights.get(wrapper), Mapping):
            weights = weights[wrapper]
    if not isinstance(weights, Mapping) or not all(isinstance(value, torch.Tensor) for value in weights.values()):
        raise ValueError(f"the checkpoint {path} holds no state dict: expected names with tensors")
    if not isinstance(backbone, Pretrainable):
        raise ValueError(f"{type(backbone).__name__} cannot start from a checkpoint file: give a model folder")
    backbone.load_pretrained(weights)


def read_weights(folder: str | Path) -> dict[str, torch.Tensor]:
    """Read the weights of a model folder; raise `ValueError` where they cannot be read."""
    path = Path(folder) / WEIGHTS
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise ValueError(f"cannot read the weights {path} ({error}): copy the model folder again") from error


def load_weights(network: nn.Module, folder: str | Path, fresh: tuple[str, ...] = ()) -> None:
    """Fill a learner (or its embedder) with a folder's weights, strictly, but for what is `fresh` (`Learner.fresh`).

    Raises `ValueError` where a name or a shape differs.
    """
    path, weights = Path(folder) / WEIGHTS, read_weights(folder)
    own = network.state_dict()
    begun = {name: tensor for name, tensor in own.items() if name.startswith(fresh)} if fresh else {}
    weights = {**weights, **begun}
    missing, extra = sorted(own.keys() - weights.keys()), sorted(weights.keys() - own.keys())
    reshaped = sorted(name for name in own.keys() & weights.keys() if own[name].shape != weights[name].shape)
    if missing or extra or reshaped:
        raise ValueError(
            f"the weights in {path} do not fit: {len(missing)} missing {missing[:3]}, {len(extra)} unknown "
            f"{extra[:3]}, {len(reshaped)} of another shape {reshaped[:3]}; were they trained with other settings or "
            "another number of persons?"
        )
    with torch.no_grad():
        network.load_state_dict(weights)


def _fill(kind: Any, values: Mapping[str, Any], owner: str) -> Any:
    """Build a dataclass of settings, and those inside it, from plain values."""
    hints = {field.name: get_type_hints(kind)[field.name] for field in fields(kind)}
    unknown = sorted(values.keys() - hints.keys())
    if unknown:
        raise ValueError(f"{owner} has no setting {unknown[0]!r}: there are {', '.join(hints)}")
    made = {}
    for name, given in values.items():
        value = given
        if is_dataclass(hints[name]) and isinstance(value, Mapping):
            value = _fill(hints[name], value, name)
        if isinstance(value, (list, tuple)):
            items = _items(hints[name], len(value))
            value = tuple(value) if items is None else tuple(map(_plain, value, items))
        made[name] = _plain(value, hints[name])
        if not _fits(made[name], hints[name]):
            raise ValueError(f"the setting {name} of {owner} is {given!r}, expected {_say(hints[name])}")
    return kind(**made)


def _plain(value: Any, hint: Any) -> Any:
    """Write a whole number as a fraction where one is expected: 0 and 0.0 are one setting, and have one key."""
    return float(value) if type(value) is int and _fits(0.5, hint) else value


def _items(hint: Any, number: int) -> tuple[Any, ...] | None:
    """Say what each of the items of a tuple may be; None where it cannot have so many, or is no tuple."""
    for option in get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,):
        if get_origin(option) is tuple:
            kinds = get_args(option)
            if kinds[-1] is Ellipsis:
                return kinds[:1] * number
            return kinds if len(kinds) == number else None
    return None


def _fits(value: Any, hint: Any) -> bool:
    if get_origin(hint) is Literal:
        return value in get_args(hint)
    if get_origin(hint) in (Union, UnionType):
        return any(_fits(value, option) for option in get_args(hint))
    kind = get_origin(hint) or hint
    if kind is tuple and isinstance(value, tuple):
        items = _items(hint, len(value))
        return items is not None and all(map(_fits, value, items))
    return isinstance(value, (int, float) if kind is float else kind) and (kind is bool or not isinstance(value, bool))


def _say(hint: Any) -> str:
    if get_origin(hint) is Literal:
        return " or ".join(map(repr, get_args(hint)))
    return hint.__name__ if isinstance(hint, type) else str(hint)


def _to_json(card: Card) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "s2reid": __version__,
        "method": card.method,
        "settings": asdict(card.settings),
        "task": asdict(card.task),
        "provenance": dict(card.provenance),
        "published": card.is_published,
    }
