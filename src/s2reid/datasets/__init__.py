"""Datasets: one file one layout, each with `load(root, **options) -> Dataset`."""

import inspect
import os
import re
from pathlib import Path
from typing import Any

from s2reid import lookup, remote
from s2reid.datasets._counts import check_counts
from s2reid.types import Dataset


def load(spec: str, *, data_root: Path | None = None, check: bool = True, **options: Any) -> Dataset:
    """Load a dataset from `name:path`, or from a bare `name` under the data root, and check its counts.

    The data root is `data_root`, else `$S2REID_DATA`, else `data`; a bare name finds the folder of that name whatever
    its case and dashes (`ilids_vid` finds `iLIDS-VID`). `options` are the loader's own; they can stand in the spec too:
    `ilids_vid:DIR?split=3`, `svreid?list=svreid_cc`. Raises `ValueError` for an unknown name or option, a folder that
    is not there, whatever the loader refuses, and, unless `check` is off, for counts other than the expected.
    """
    spec, written = _parse(spec)
    name, _, path = spec.partition(":")
    if name not in lookup.names("datasets") and not path and Path(spec).exists():
        known = ", ".join(lookup.names("datasets"))
        raise ValueError(f"{spec} is a path: say what is in it as NAME:{spec}, where NAME is one of {known}")
    loader = lookup.find("datasets", name).load
    allowed = {option.name: option.annotation for option in [*inspect.signature(loader).parameters.values()][1:]}
    unknown = sorted((written.keys() | options.keys()) - allowed.keys())
    if unknown:
        raise ValueError(f"{name} has no option {unknown[0]!r}: it takes {', '.join(allowed) or 'none'}")
    options = {option: _value(text, allowed[option], f"{name}?{option}") for option, text in written.items()} | options
    if remote.is_remote(path) and name != "shards":
        raise ValueError(
            f"{spec}: only shards are read from object storage; `s2reid data pack {name}:DIR OUT` makes them of a copy "
            f"on a disk, and shards:{path} reads them when they are there"
        )
    root: Path | str = path.rstrip("/")
    if not remote.is_remote(path):
        root = Path(path).expanduser() if path else _under_data_root(name, find_root(data_root))
    dataset: Dataset = loader(root, **options)
    if check:
        check_counts(dataset, dataset.expected, root)
    return dataset


def load_splits(spec: str, split: str | None = None, **options: Any) -> list[Dataset]:
    """Load what is to be scored: one dataset, one split of it (its number), or all of its splits ("all").

    Raises `ValueError` for what `load` refuses, another `split`, and data without queries or gallery.
    """
    which: list[dict[str, Any]] = [{}]
    if split == "all":
        name = spec.partition(":")[0].partition("?")[0]
        num_splits = getattr(lookup.find("datasets", name), "NUM_SPLITS", None)
        if num_splits is None:
            raise ValueError(f"{name} has no splits: leave --split out")
        which = [{"split": number} for number in range(num_splits)]
    elif split is not None:
        if not split.isdecimal():
            raise ValueError(f"split is {split!r}, expected its number (from 0) or all")
        which = [{"split": int(split)}]
    targets = [load(spec, **options, **one) for one in which]
    for target in targets:
        if not (target.query and target.gallery):
            found = f"{len(target.query)} queries and {len(target.gallery)} gallery tracklets"
            raise ValueError(f"{spec} has {found}: it cannot be scored")
    return targets


def _parse(spec: str) -> tuple[str, dict[str, str]]:
    """Split `name:path?option=value&option=value` into the plain spec and the options as written."""
    plain, mark, written = spec.rpartition("?")
    if not mark or "=" not in written:  # a question mark may stand in a path
        return spec, {}
    found = {}
    for pair in written.split("&"):
        name, equals, value = pair.partition("=")
        if not (name and equals and value):
            raise ValueError(f"{spec}: found the option {pair!r}, expected name=value after the question mark")
        found[name] = value
    return plain, found


def _value(text: str, kind: Any, option: str) -> Any:
    """Read an option's value as what its loader takes; raise `ValueError` where it is none."""
    if kind is bool:
        if text.lower() not in ("true", "false"):
            raise ValueError(f"{option} is {text!r}, expected true or false")
        return text.lower() == "true"
    if kind is int:
        if not re.fullmatch(r"-?[0-9]{1,18}", text):
            raise ValueError(f"{option} is {text!r}, expected a whole number")
        return int(text)
    return text


def find_root(given: Path | None = None) -> Path:
    """Name the folder where bare names are looked up: the one given, else `$S2REID_DATA`, else `data`."""
    return (given or Path(os.environ.get("S2REID_DATA") or "data")).expanduser()


def named_alike(name: str, root: Path) -> list[Path]:
    """List the folders in `root` that a dataset's bare name may mean: that very name, else all it is written like."""
    inside = sorted(entry for entry in root.iterdir() if entry.is_dir()) if root.is_dir() else []
    alike = [folder for folder in inside if _plain(folder.name) == _plain(name)]
    return [folder for folder in alike if folder.name == name] or alike


def _under_data_root(name: str, root: Path) -> Path:
    """Find the folder of a bare name under the data root."""
    alike = named_alike(name, root)
    if len(alike) == 1:
        return alike[0]
    problem = f"{' and '.join(folder.name for folder in alike)} could all be meant" if alike else "there is none"
    raise ValueError(
        f"looked for {name} under the data root {root}: {problem}; give its place as {name}:PATH, or set S2REID_DATA"
    )


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
