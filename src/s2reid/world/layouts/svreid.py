"""SVReID: `<person>/<outfit>/<camera>/<frame>.jpg`, and lists of `<tracklet path> <person> <outfit>`.

Three lists, each contained in the next: `svreid` has the outfit of a person with the most tracklets, `svreid_cc` the
eight outfits with the most, `svreid_plus` all. A world may hold the first one or two only; then the others repeat it.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Int

from s2reid.world.domain import Planned, Preset
from s2reid.world.layouts.deal import deal

OWN_FOLDERS = True
SPLITS = 1
LISTS = {"svreid": 1, "svreid_cc": 8, "svreid_plus": 37}
"""Outfits of a person in each list, at most."""
FULL = 0.9
"""Of the persons whom the second list has room for with all its outfits, so many have them all."""


def plan(preset: Preset, seed: int) -> tuple[Planned, ...]:
    """Decide who is seen by which cameras in which outfit; every list has exactly its number of tracklets.

    Two or more cameras see everyone in the first outfit. One camera sees each of the others: so the numbers of the
    published lists come about, and the first outfit is the one with the most tracklets. A preset with fewer lists has
    the very tracklets that these lists name in a larger preset.
    """
    rngs = [np.random.default_rng((seed, preset.space, 0, k)) for k in range(len(LISTS))]
    planned: list[Planned] = []

    def add(person: int, outfit: int, camera: int) -> None:
        planned.append(Planned(len(planned), person, outfit, camera, preset.frames))

    for person, count in enumerate(_views(rngs[0], preset)):
        for camera in sorted(rngs[0].choice(preset.num_cameras, count, replace=False).tolist()):
            add(person, 0, camera)
    worn = [1] * preset.persons
    for rng, outfits in zip(rngs[1:], _wardrobes(rngs, preset)):
        for person, count in enumerate(outfits):
            for camera in rng.integers(preset.num_cameras, size=count).tolist():
                add(person, worn[person], camera)
                worn[person] += 1
    return tuple(planned)


def _views(rng: np.random.Generator, preset: Preset) -> list[int]:
    """Deal out the tracklets of the first outfit: at least two a person, or the same number to everyone."""
    each, rest = divmod(preset.tracklets[0], preset.persons)
    if rest == 0:
        return [each] * preset.persons
    return deal(rng, preset.tracklets[0], preset.persons, 2, preset.num_cameras).tolist()


def _wardrobes(rngs: Sequence[np.random.Generator], preset: Preset) -> list[list[int]]:
    """Say how many more outfits each person has in the second list, and then in the third.

    Only who fills the second list can have more in the third. So most persons have all of the second list's outfits,
    and the others share what is left.
    """
    totals = np.diff(preset.tracklets).tolist()
    if not totals:
        return []
    most, more = LISTS["svreid_cc"] - 1, LISTS["svreid_plus"] - LISTS["svreid_cc"]
    spare = totals[0] - preset.persons
    num_full = min(preset.persons, int(np.ceil(FULL * (spare // (most - 1)))))
    left, few = totals[0] - most * num_full, preset.persons - num_full
    if spare < 0 or (len(totals) > 1 and totals[1] > more * num_full):
        raise ValueError(f"{preset.name} cannot be planned with {preset.persons} persons: ask for at least 3")
    # One person has two outfits in all wherever the others can take the rest.
    frugal = int(few > 0 and left - 1 <= (most - 1) * (few - 1))
    order = rngs[1].permutation(preset.persons)
    dealt = deal(rngs[1], left - frugal, few - frugal, 1, most - 1)
    second = _to(order, [1] * frugal, dealt, [most] * num_full)
    if len(totals) == 1:
        return [second]
    return [second, _to(order, [0] * few, deal(rngs[2], totals[1], num_full, 0, more))]


def _to(order: Int[np.ndarray, " p"], *hands: Sequence[int] | Int[np.ndarray, " h"]) -> list[int]:
    """Give the hands to persons in this order; return them by person."""
    given = np.empty(len(order), int)
    given[order] = np.concatenate(hands)
    return given.tolist()


def folder(item: Planned) -> str:
    return f"{item.person:04d}/{item.outfit:02d}/{item.camera:02d}"


def frame_name(item: Planned, index: int) -> str:
    return f"{index:04d}.jpg"


def camera(item: Planned) -> int:
    return item.camera


def parts(preset: Preset, planned: Sequence[Planned], seed: int) -> Mapping[str, Sequence[Planned]]:
    """Name the tracklets of every list; all are for training."""
    return {name: [item for item in planned if item.outfit < outfits] for name, outfits in LISTS.items()}


def lists(preset: Preset, planned: Sequence[Planned], seed: int) -> Mapping[str, bytes]:
    files = {"query.txt": b"", "gallery.txt": b""}
    for name, items in parts(preset, planned, seed).items():
        ordered = sorted(items, key=lambda item: (item.person, item.outfit, item.camera))
        lines = [f"{folder(item)} {item.person} {item.outfit}\n" for item in ordered]
        files[f"train_{name}.txt"] = "".join(lines).encode()
    return files
