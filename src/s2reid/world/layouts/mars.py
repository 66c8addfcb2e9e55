"""MARS: `bbox_{train,test}/<person>/0001C1T0001F001.jpg`, and tables of which frames are a tracklet.

The name says person, camera, tracklet (counted on over the cameras of a person) and frame. Person 0000 is nobody whom
the system knows, 00-1 is junk.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Int

from s2reid.world.domain import Planned, Preset
from s2reid.world.layouts.deal import deal, lengths, share
from s2reid.world.layouts.matlab import matrix_file

OWN_FOLDERS = False
SPLITS = 1
# The real one: persons, their tracklets, persons before one camera only, and views (a person before a camera).
TRAIN_PERSONS, TRAIN_TRACKLETS, TRAIN_ALONE, TRAIN_VIEWS = 625, 8298, 6, 1955
TEST_PERSONS, TEST_TRACKLETS, TEST_ALONE, QUERIES = 634, 8062, 8, 1980
PERSONS, DISTRACTORS, JUNK = TRAIN_PERSONS + TEST_PERSONS, 3248, 870
NOBODY = 10_000
"""Whom the system does not know has numbers from here."""
DISTRACTOR_KINDS = {"stranger": 0.55, "nobody": 0.2, "piece": 0.15, "crowd": 0.1}
JUNK_KINDS = {"piece": 0.6, "crowd": 0.25, "nobody": 0.15}


def plan(preset: Preset, seed: int) -> tuple[Planned, ...]:
    """Keep the real one's shares of training persons, tracklets, distractors and junk.

    Persons have the numbers of their folders: odd ones for training, even ones for test, both with gaps. A view has one
    query, unless its person is seen by one camera only; so some queries have no match in the gallery.
    """
    rng = np.random.default_rng((seed, preset.space, 0))
    num_train = share(preset.persons, TRAIN_PERSONS, PERSONS)
    num_test = preset.persons - num_train
    rows: list[Planned] = []

    def add(person: int, camera: int, take: int, part: str, kind: str = "person") -> None:
        setting = camera if preset.settings else 0
        rows.append(Planned(len(rows), person, 0, camera, 0, take, setting, part, kind))

    views = _views(rng, preset, num_train, TRAIN_ALONE, TRAIN_VIEWS, TRAIN_PERSONS)
    tracklets = share(num_train, TRAIN_TRACKLETS, TRAIN_PERSONS)
    for person, camera, take, _ in _takes(rng, views, tracklets):
        add(2 * (person + person // 5) + 1, camera, take, "train")

    nobody = NOBODY
    for part, kinds, number in (("junk", JUNK_KINDS, JUNK), ("gallery", DISTRACTOR_KINDS, DISTRACTORS)):
        count = share(preset.persons, number, PERSONS)
        drawn = rng.choice([*kinds], count, p=[*kinds.values()])
        for k, camera in enumerate(sorted(rng.integers(preset.num_cameras, size=count).tolist())):
            add(nobody + k, camera, k + 1, part, str(drawn[k]))
        nobody += count

    views = _views(rng, preset, num_test, TEST_ALONE, QUERIES + TEST_ALONE, TEST_PERSONS)
    tracklets = share(num_test, TEST_TRACKLETS, TEST_PERSONS)
    for person, camera, take, asks in _takes(rng, views, tracklets):
        part = "query" if asks and len(views[person]) > 1 else "gallery"
        add(2 * (person + person // 5) + 2, camera, take, part)

    frames = lengths(rng, preset, len(rows))
    return tuple(replace(row, frames=length) for row, length in zip(rows, frames))


def _views(rng: np.random.Generator, preset: Preset, persons: int, alone: int, views: int, of: int) -> list[list[int]]:
    """Decide which cameras see each person, a few of them one only; the shares are those of `of` persons."""
    alone = min(max(1, share(persons, alone, of)), persons - 1)
    seen = deal(rng, share(persons, views, of) - alone, persons - alone, 2, preset.num_cameras)
    counts = rng.permutation(np.concatenate([np.ones(alone, int), seen]))
    return [sorted(rng.choice(preset.num_cameras, count, replace=False).tolist()) for count in counts]


def _takes(rng: np.random.Generator, views: list[list[int]], total: int) -> list[tuple[int, int, int, bool]]:
    """Cut every view into tracklets, `total` in all: (person, camera, tracklet, whether it is the view's query)."""
    num_views = sum(len(cameras) for cameras in views)
    weights = rng.gamma(1.2, size=num_views)
    counts = iter(1 + rng.multinomial(total - num_views, weights / weights.sum()))
    takes = []
    for person, cameras in enumerate(views):
        take = 0
        for camera in cameras:
            count = int(next(counts))
            query = int(rng.integers(count))
            takes += [(person, camera, take + k + 1, k == query) for k in range(count)]
            take += count
    return takes


def _name(item: Planned) -> str:
    if item.part == "junk":
        return "00-1"
    if item.kind != "person":
        return "0000"
    return f"{item.person:04d}"


def folder(item: Planned) -> str:
    return f"bbox_{'train' if item.part == 'train' else 'test'}/{_name(item)}"


def frame_name(item: Planned, index: int) -> str:
    return f"{_name(item)}C{item.camera + 1}T{item.take:04d}F{index + 1:03d}.jpg"


def camera(item: Planned) -> int:
    return item.camera + 1


def parts(preset: Preset, planned: Sequence[Planned], seed: int) -> Mapping[str, Sequence[Planned]]:
    return {part: [item for item in planned if item.part == part] for part in ("train", "query", "gallery")}


def lists(preset: Preset, planned: Sequence[Planned], seed: int) -> Mapping[str, bytes]:
    train = [item for item in planned if item.part == "train"]
    test = [item for item in planned if item.part != "train"]
    queries = [row + 1 for row, item in enumerate(test) if item.part == "query"]
    files = {"info/query_IDX.mat": matrix_file("query_IDX", np.array([queries], float))}
    for half, items in (("train", train), ("test", test)):
        names = [frame_name(item, index) for item in items for index in range(item.frames)]
        files[f"info/{half}_name.txt"] = "".join(f"{name}\n" for name in names).encode()
        files[f"info/tracks_{half}_info.mat"] = matrix_file(f"track_{half}_info", _table(items).astype(float))
    return files


def _table(items: Sequence[Planned]) -> Int[np.ndarray, "n 4"]:
    """Say of every tracklet: its first and its last line (from 1), its person and its camera."""
    last = np.cumsum([item.frames for item in items])
    first = last - [item.frames for item in items] + 1
    persons = [-1 if item.part == "junk" else 0 if item.kind != "person" else item.person for item in items]
    return np.stack([first, last, persons, [camera(item) for item in items]], axis=1)
