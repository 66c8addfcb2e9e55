"""Write any dataset as a manifest, the CSV file that `csv:FILE` reads (see `s2reid.datasets.csv`)."""

import csv
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from s2reid import archive, whole
from s2reid.datasets import csv as manifests
from s2reid.datasets._rendered import read_marker
from s2reid.types import Dataset, Tracklet

COLUMNS = ("path", "tracklet", "person", "camera", "outfit", "split")
SPLITS = ("train", "query", "gallery")
Advance = Callable[[int, int], None]
"""Is told (frames done, all frames)."""


def write(dataset: Dataset, out: Path, advance: Advance = lambda done, total: None) -> int:
    """Write one row a frame and return the number of rows.

    Paths are relative where the frames lie under the manifest's folder, else absolute. Before the file gets its name it
    is read back, and must give the same tracklets in the same order. Raises `ValueError` for what a manifest cannot
    hold, for a file that is there already, and for a place where the data would lose its name.
    """
    out = Path(os.path.abspath(out.expanduser()))
    if out.exists():
        raise ValueError(f"{out} is there already: remove it, or give another name")
    packed = [t.store for t in dataset.train + dataset.query + dataset.gallery if archive.is_archive(t.store)]
    if packed:
        raise ValueError(
            f"the frames of {dataset.name} lie in {packed[0]}: a manifest names files; use shards:DIR as it is"
        )
    _check_name_is_kept(dataset, out)
    with whole.writing(out) as partial:
        with open(partial, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            writer.writerows(_rows(dataset, out.parent, advance))
        _check_nothing_is_lost(dataset, partial)
    return _num_frames(dataset)


def _check_name_is_kept(dataset: Dataset, out: Path) -> None:
    """Refuse a place where a rendered set would pass for a real one, or a real one for a rendered one."""
    rendered, here = dataset.origin.get("name"), read_marker(out.parent).get("name")
    if rendered and rendered != here:
        raise ValueError(
            f"{rendered} is rendered, and a manifest in {out.parent} would not say so: write it beside the set's "
            f"world.json (the data is in {dataset.origin.get('root')})"
        )
    if here and not rendered:
        raise ValueError(
            f"{out.parent} is the rendered set {here}: a manifest of {dataset.name} there would take that name; "
            "write it elsewhere"
        )


def _num_frames(dataset: Dataset) -> int:
    return sum(tracklet.num_frames for tracklet in dataset.train + dataset.query + dataset.gallery)


def _rows(dataset: Dataset, folder: Path, advance: Advance) -> Iterator[tuple[str | int, ...]]:
    above, total, done = os.path.join(folder, ""), _num_frames(dataset), 0
    for split in SPLITS:
        for index, tracklet in enumerate(getattr(dataset, split)):
            labels = (f"{split}-{index}", tracklet.person, tracklet.camera, tracklet.outfit, split)
            for path in _places(tracklet):
                yield path.removeprefix(above), *labels
            advance(done := done + tracklet.num_frames, total)


def _check_nothing_is_lost(dataset: Dataset, manifest: Path) -> None:
    """Read a manifest back and compare."""
    try:
        read = manifests.load(manifest)
    except ValueError as error:
        raise ValueError(f"{dataset.name} does not go into a manifest: {error}") from error
    for split in SPLITS:
        ours, theirs = getattr(dataset, split), getattr(read, split)
        assert len(ours) == len(theirs), f"{len(theirs)} of {len(ours)} tracklets came back"
        for one, other in zip(ours, theirs):
            assert _labels(one) == _labels(other), f"{one} came back as {other}"
            assert _places(one) == _places(other), f"{one} came back as {other}"


def _labels(tracklet: Tracklet) -> tuple[int, int, int]:
    return tracklet.person, tracklet.camera, tracklet.outfit


def _places(tracklet: Tracklet) -> list[str]:
    """Name every frame in full."""
    return [os.path.abspath(path) for path in tracklet.paths()]
