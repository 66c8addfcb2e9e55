"""CCVID: `session#/###_##/#####.jpg` (person, walk), and lists of `<path> <person> <outfit label>`.

Every person walks twelve times in one session, in two outfits; a few come back in the third session in others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from s2reid.world.domain import Planned, Preset
from s2reid.world.layouts.deal import lengths, share

OWN_FOLDERS = True
SPLITS = 1
WALKS, OUTFITS = 12, 2
# The real one: persons of the first session, of those to train on, and of those who come back in the third.
PERSONS, FIRST, TRAIN, TRAIN_BACK, TEST_BACK = 226, 147, 75, 4, 8
QUERIES, TEST_WALKS = 834, 1908


def plan(preset: Preset, seed: int) -> tuple[Planned, ...]:
    """Keep the real one's shares of sessions, training persons and queries; walk k is before camera k."""
    rng = np.random.default_rng((seed, preset.space, 0))
    persons, num_train = preset.persons, share(preset.persons, TRAIN, PERSONS)
    order = rng.permutation(persons).tolist()
    train, test = order[:num_train], order[num_train:]
    back = [*_come_back(train, TRAIN_BACK, TRAIN), *_come_back(test, TEST_BACK, PERSONS - TRAIN)]
    first = share(persons, FIRST, PERSONS)
    visits = [(person, int(person >= first), range(OUTFITS)) for person in range(persons)]
    visits += [(person, 2, range(OUTFITS, OUTFITS + outfits)) for person, outfits in back]
    rows = [
        Planned(k, person, outfits[k * len(outfits) // WALKS], WALKS * session + walk, 0, walk + 1, session)
        for person, session, outfits in sorted(visits, key=lambda visit: visit[:2])
        for k, walk in enumerate(rng.permutation(WALKS).tolist())
    ]
    frames = lengths(rng, preset, len(rows))
    places = _parts(rows, set(train))
    return tuple(
        replace(row, index=index, frames=length, part=part)
        for index, (row, length, part) in enumerate(zip(rows, frames, places))
    )


def _come_back(persons: list[int], back: int, of: int) -> list[tuple[int, int]]:
    """Say who comes back, and in how many other outfits: two, or three for every third one."""
    chosen = persons[: max(1, share(len(persons), back, of))]
    return [(person, 3 if k % 3 == 1 else 2) for k, person in enumerate(chosen)]


def _parts(rows: Sequence[Planned], train: set[int]) -> list[str]:
    """Make queries of some walks of everyone who is not for training, evenly over persons and outfits."""
    num_test = sum(row.person not in train for row in rows)
    num_queries = share(num_test, QUERIES, TEST_WALKS)
    places, k = [], 0
    for row in rows:
        asks = (k + 1) * num_queries // num_test > k * num_queries // num_test
        places.append("train" if row.person in train else "query" if asks else "gallery")
        k += row.person not in train
    return places


def folder(item: Planned) -> str:
    return f"session{item.setting + 1}/{item.person + 1:03d}_{item.take:02d}"


def frame_name(item: Planned, index: int) -> str:
    return f"{index + 1:05d}.jpg"


def camera(item: Planned) -> int:
    """Number a camera as the field does: by the walk, and apart in the third session."""
    return item.take + (WALKS if item.setting == 2 else 0)


def parts(preset: Preset, planned: Sequence[Planned], seed: int) -> Mapping[str, Sequence[Planned]]:
    return {part: [item for item in planned if item.part == part] for part in ("train", "query", "gallery")}


def lists(preset: Preset, planned: Sequence[Planned], seed: int) -> Mapping[str, bytes]:
    return {f"{part}.txt": _list(items) for part, items in parts(preset, planned, seed).items()}


def _list(items: Sequence[Planned]) -> bytes:
    label = "u{0}_l{0}_s{0}_c0_a0"
    lines = [f"{folder(item)}\t{item.person + 1:03d}\t{label.format(item.outfit)}\n" for item in items]
    return "".join(lines).encode()
