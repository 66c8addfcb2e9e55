"""The real datasets of a table, each found by its name under one data root; a stand-in in their place is refused."""

import os
from pathlib import Path
from typing import Any

from s2reid import datasets
from s2reid.datasets._counts import check_counts
from s2reid.datasets._rendered import read_marker
from s2reid.datasets.svreid import LISTS
from s2reid.types import Dataset

TARGETS = ("mars", "ilids_vid", "prid2011", "ccvid")
SOURCES: dict[str, dict[str, Any]] = {"svreid": {}, "svreid-cc": {"list": "svreid_cc"}}
"""The synthetic sources, which may be rendered ones, and the options that load them."""


def find_root(given: Path | None) -> Path:
    """Name the data root: the one given, else `$S2REID_DATA`, else `data`; raise `ValueError` where there is none."""
    root = datasets.find_root(given)
    if not root.is_dir():
        raise ValueError(
            f"there is no data root {root}: say --data ROOT, a folder with some of {', '.join(TARGETS)}, or say "
            "--small for the table on rendered stand-ins"
        )
    return root


def is_there(name: str, root: Path) -> bool:
    """Say whether a folder has a dataset's name; nobody has looked into it yet."""
    return bool(_folders(name, root))


def present(root: Path) -> list[str]:
    """List the datasets of the tables whose folders are there."""
    return [name for name in (*SOURCES, *TARGETS) if is_there(name, root)]


def load(name: str, root: Path, split: int = 0, height: int = 0) -> Dataset:
    """Load a dataset, or one split of it, and see that all of it is there.

    Raises `ValueError` for a target that is a stand-in, a source that was rendered less than `height` pixels high, for
    what its loader refuses, for counts that are not the published ones, and for a frame that is missing or empty.
    """
    folders = _folders(name, root)
    if len(folders) > 1:
        raise ValueError(f"{' and '.join(map(str, folders))} could both be {name}: keep one of them there")
    layout, options = ("svreid", SOURCES[name]) if name in SOURCES else (name, {"split": split} if split else {})
    data = datasets.load(f"{layout}:{folders[0]}", check=False, **options)
    if is_rendered(data) and name not in SOURCES:
        raise ValueError(
            f"{folders[0]} is the stand-in {data.name} (its world.json says so), and a table never mixes stand-ins and "
            "recordings: take it out of the data root, or say --small for a table of stand-ins alone"
        )
    if data.origin.get("height", height) < height:
        raise ValueError(
            f"{folders[0]} was rendered {data.origin['height']} pixels high, and this scale trains on {height}: render "
            f"it again with --height {height}, or take it out of the data root, and the table renders its own"
        )
    check_counts(data, data.expected, folders[0])
    _check_files(data, folders[0], layout)
    return data


def is_rendered(data: Dataset) -> bool:
    """Tell a rendered set by its marker, whose name its origin carries."""
    return "name" in data.origin


def origin(name: str, root: Path) -> str:
    """Say in words where a synthetic source comes from."""
    folders = _folders(name, root)
    return "the archive of its authors" if folders and not read_marker(folders[0]) else "rendered by s2reid"


def _folders(name: str, root: Path) -> list[Path]:
    """List the folders that a name may mean; the list with changing clothes may lie in SVReID's own folder."""
    found = datasets.named_alike(name, root)
    if found or name != "svreid-cc":
        return found
    return [folder for folder in datasets.named_alike("svreid", root) if any(map(Path.is_file, _dressed(folder)))]


def _dressed(folder: Path) -> list[Path]:
    """Name the lists of which either gives SVReID with changing clothes."""
    return [folder / f"train_{name}.txt" for name in LISTS if name != "svreid"]


def _check_files(data: Dataset, folder: Path, layout: str) -> None:
    """Raise `ValueError` for the first frame that is not there or empty: better now than after days of training."""
    for tracklet in data.train + data.query + data.gallery:
        for path in tracklet.paths():
            try:
                size = os.path.getsize(path)
            except OSError:
                size = 0
            if not size:
                raise ValueError(
                    f"{data.name} at {folder} lacks the frame {path}, or it is empty: was the copy cut short? "
                    f"`s2reid data check {layout}:{folder}` lists all"
                )
