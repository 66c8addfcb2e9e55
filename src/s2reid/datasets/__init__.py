"""Datasets: one file one layout, each with `load(root, **options) -> Dataset`."""

import inspect
import os
import re
from pathlib import Path
from typing import Any

from s2reid import lookup
from s2reid.datasets._counts import check_counts
from s2reid.types import Dataset


def load(spec: str, *, data_root: Path | None = None, check: bool = True, **options: Any) -> Dataset:
    """Load a dataset from `name:path`, or from a bare `name` under the data root, and check its counts.

    The data root is `data_root`, else `$S2REID_DATA`, else `data`; a bare name finds the folder of that name whatever
    its case and dashes (`ilids_vid` finds `iLIDS-VID`). `options` are the loader's own; they can stand in the spec too:
    `ilids_vid:DIR?split=3`, `svreid?list=svreid_cc`. Raises `ValueError` for an unknown name or option, a folder that
    is not there, whatever the loader refuses, and, unless `check` is off, for counts other than the expected.
    """
    spec, options = _parse(spec, options)
    name, _, path = spec.partition(":")
    if name not in lookup.names("datasets") and not path and Path(spec).exists():
        known = ", ".join(lookup.names("datasets"))
        raise ValueError(f"{spec} is a path: say what is in it as NAME:{spec}, where NAME is one of {known}")
    loader = lookup.find("datasets", name).load
    allowed = [parameter.name for parameter in inspect.signature(loader).parameters.values()][1:]
    unknown = sorted(options.keys() - set(allowed))
    if unknown:
        raise ValueError(f"{name} has no option {unknown[0]!r}: it takes {', '.join(allowed) or 'none'}")
    root = Path(path).expanduser() if path else _under_data_root(name, data_root)
    dataset: Dataset = loader(root, **options)
    if check:
        check_counts(dataset, dataset.expected, root)
    return dataset


def _parse(spec: str, options: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Split `name:path?option=value&option=value` into the plain spec and the options; whole numbers become int."""
    plain, mark, written = spec.rpartition("?")
    if not mark or "=" not in written:  # a question mark may stand in a path
        return spec, options
    found: dict[str, Any] = {}
    for pair in written.split("&"):
        name, equals, value = pair.partition("=")
        if not (name and equals and value):
            raise ValueError(f"{spec}: found the option {pair!r}, expected name=value after the question mark")
        found[name] = int(value) if re.fullmatch(r"-?[0-9]+", value) else value
    return plain, found | options


def _under_data_root(name: str, data_root: Path | None) -> Path:
    """Find the folder of a bare name under the data root."""
    root = data_root or Path(os.environ.get("S2REID_DATA") or "data")
    inside = sorted(entry.name for entry in root.iterdir()) if root.is_dir() else []
    alike = [folder for folder in inside if _plain(folder) == _plain(name) and (root / folder).is_dir()]
    if len(alike) == 1 or name in alike:
        return root / (name if name in alike else alike[0])
    problem = f"{' and '.join(alike)} could all be meant" if alike else "there is none"
    raise ValueError(
        f"looked for {name} under the data root {root}: {problem}; give its place as {name}:PATH, or set S2REID_DATA"
    )


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
