"""The data of the small tables: sources and stand-ins, each rendered once. Real data would be loaded here too."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from s2reid import datasets, progress
from s2reid.types import Dataset, Tracklet
from s2reid.world import write
from s2reid.world.presets import find
from s2reid.world.show import show


@dataclass(frozen=True)
class World:
    """How a rendered set is read (`{}` is its folder), and its size, as `write.write` takes it."""

    spec: str
    size: Mapping[str, Any] = field(default_factory=dict)


WORLDS = {
    "svreid": World("svreid:{}"),
    "svreid-cc": World("svreid:{}?list=svreid_cc"),
    "standin-mars": World("mars:{}", {"size": "small"}),
    "standin-ilids": World("ilids_vid:{}", {"size": "small"}),
    "standin-prid": World("prid2011:{}", {"size": "small"}),
    "standin-ccvid": World("ccvid:{}", {"size": "small"}),
}
"""What is rendered, by its preset."""
PICTURED = 4
"""How many persons a picture of a world shows."""
SEED = 0
"""Of every world, whatever the seed of a training: a seed is that of the weights and the batches."""


def is_there(name: str, root: Path) -> bool:
    """Say whether a world is whole; raise `ValueError` where its marker is damaged."""
    folder = root / name
    return (folder / write.MARKER).is_file() and bool(write.read_marker(folder)["finished"])


def load(name: str, root: Path) -> Dataset:
    """Render a world, or find it, and load it."""
    world, folder = WORLDS[name], root / name
    if is_there(name, root):
        write.write(name, folder, seed=SEED, **world.size)  # refuses another world
    else:
        with progress.bar(f"render {name}", "images") as advance:
            write.write(name, folder, seed=SEED, **world.size, progress=advance)
    return datasets.load(world.spec.format(folder))


def picture(name: str, root: Path) -> Path:
    """Draw the same persons before different cameras and, where they change, in different clothes; once a world."""
    path = root / f"{name}.png"
    return path if path.is_file() else show(name, path, persons=PICTURED, seed=SEED)


def planned(name: str) -> Dataset:
    """Make a dataset of what will be rendered, to ask what training on it costs."""
    plan = write.request(name, seed=SEED, **WORLDS[name].size).plan()
    known = [item for item in plan if item.kind == "person" and item.part in ("train", "")]
    tracklets = tuple(Tracklet("", (str(item.index),), item.person, item.camera, item.outfit) for item in known)
    return Dataset(name, tracklets, origin={"preset": name})


def estimate(name: str) -> write.Estimate:
    """Say what rendering a world costs."""
    return write.estimate(name, seed=SEED, **WORLDS[name].size)


def real_name(name: str) -> str:
    """Name the data that the paper has in this place.

    >>> real_name("standin-prid"), real_name("svreid-cc")
    ('prid2011', 'svreid-cc')
    """
    return find(name).layout if name.startswith("standin-") else name


def loader(root: Path, render: bool) -> Callable[[str], Dataset]:
    """Give what loads a world once; without `render` what is not there yet is planned."""
    loaded: dict[str, Dataset] = {}

    def get(name: str) -> Dataset:
        if name not in loaded:
            loaded[name] = load(name, root) if render or is_there(name, root) else planned(name)
        return loaded[name]

    return get
