"""The rendered data of the tables: sources and stand-ins, each rendered once."""

from collections.abc import Mapping
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
    """How a rendered set is read (`{}` is its folder), its size, as `write.write` takes it, and its preset.

    With `truth` it is written down what hides whom, which a page shows; training and tests do not read it.
    """

    spec: str
    size: Mapping[str, Any] = field(default_factory=dict)
    preset: str = ""
    truth: bool = False


WORLDS = {
    "svreid": World("svreid:{}"),
    "svreid-cc": World("svreid:{}?list=svreid_cc"),
    "standin-mars": World("mars:{}", {"size": "small"}, truth=True),
    "standin-ilids": World("ilids_vid:{}", {"size": "small"}, truth=True),
    "standin-prid": World("prid2011:{}", {"size": "small"}, truth=True),
    "standin-ccvid": World("ccvid:{}", {"size": "small"}, truth=True),
    # As tall as the images of the paper's scale.
    "svreid-256": World("svreid:{}", {"height": 256}, "svreid"),
    "svreid-cc-256": World("svreid:{}?list=svreid_cc", {"height": 256}, "svreid-cc"),
}
"""What is rendered, by the name of its folder: that of its preset, unless another is named."""
HEIGHT = 128
"""Of the images of these worlds, where their size does not say more."""
PICTURED = 4
"""How many persons a picture of a world shows."""
SEED = 0
"""Of every world, whatever the seed of a training: a seed is that of the weights and the batches."""


def is_there(name: str, root: Path) -> bool:
    """Say whether a world is whole; raise `ValueError` where its marker is damaged."""
    folder = root / name
    return (folder / write.MARKER).is_file() and bool(write.read_marker(folder)["finished"])


def tall(name: str) -> str:
    """Name the world of a source with taller images.

    >>> tall("svreid-cc")
    'svreid-cc-256'
    """
    return f"{name}-256"


def load(name: str, root: Path, split: int = 0) -> Dataset:
    """Render a world, or find it, and load it, or one split of it; one that was rendered without its truth stays so."""
    world, folder = WORLDS[name], root / name
    preset = world.preset or name
    if is_there(name, root):
        write.write(preset, folder, seed=SEED, **world.size)  # refuses another world
    else:
        with progress.bar(f"render {name}", "images") as advance:
            write.write(preset, folder, seed=SEED, **world.size, truth=world.truth, progress=advance)
    options: dict[str, Any] = {"split": split} if split else {}
    return datasets.load(world.spec.format(folder), **options)


def picture(name: str, root: Path) -> Path:
    """Draw the same persons before different cameras and, where they change, in different clothes; once a world."""
    path = root / f"{name}.png"
    return path if path.is_file() else show(name, path, persons=PICTURED, seed=SEED)


def planned(name: str) -> Dataset:
    """Make a dataset of what will be rendered, to ask what training and testing on it costs.

    Where the split decides what is trained on, everything is, and one camera's tracklets, as many as a split has, ask.
    """
    world = WORLDS[name]
    preset = world.preset or name
    plan = write.request(preset, seed=SEED, **world.size).plan()
    known = [item for item in plan if item.kind == "person" and item.part in ("train", "")]
    tested = [item for item in plan if item.part in ("query", "gallery")] or known[::2]
    tracklets = tuple(Tracklet("", (str(item.index),), item.person, item.camera, item.outfit) for item in known)
    query = tuple(
        Tracklet("", (str(item.index),) * item.frames, item.person, item.camera, item.outfit) for item in tested
    )
    return Dataset(preset, tracklets, query, origin={"preset": preset})


def estimate(name: str) -> write.Estimate:
    """Say what rendering a world costs."""
    world = WORLDS[name]
    return write.estimate(world.preset or name, seed=SEED, **world.size, truth=world.truth)


def real_name(name: str) -> str:
    """Name the data that the paper has in this place.

    >>> real_name("standin-prid"), real_name("svreid-cc")
    ('prid2011', 'svreid-cc')
    """
    return find(name).layout if name.startswith("standin-") else name
