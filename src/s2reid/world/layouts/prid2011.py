"""PRID-2011: `prid_2011/multi_shot/{cam_a,cam_b}/person_####/####.png`, and ten splits in a .json file.

Both cameras see the first persons; the folders after them hold others, another one in each camera under one number. A
few of the persons in both have too few frames, and no split has them.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from s2reid.world.domain import Planned, Preset
from s2reid.world.layouts.deal import FEWEST, lengths, share

OWN_FOLDERS = True
SPLITS = 10
BOTH, SPLIT, CAMERA_A, CAMERA_B = 200, 178, 385, 749
"""Persons of the real one: in both cameras, in the splits, in each camera."""


def plan(preset: Preset, seed: int) -> tuple[Planned, ...]:
    """Let both cameras see `preset.persons` persons once, and each some others; `take` numbers a person's folder."""
    rng = np.random.default_rng((seed, preset.space, 0))
    both = preset.persons
    only_a, only_b = share(both, CAMERA_A - BOTH, BOTH), share(both, CAMERA_B - BOTH, BOTH)
    views = [(person, camera, person + 1) for person in range(both) for camera in (0, 1)]
    views += [(both + k, 0, both + k + 1) for k in range(only_a)]
    views += [(both + only_a + k, 1, both + k + 1) for k in range(only_b)]
    frames = lengths(rng, preset, len(views))
    listed = set(rng.permutation(both)[: share(both, SPLIT, BOTH)].tolist())
    planned = [
        Planned(k, person, 0, camera, frames[k], take, part="split" if person in listed else "")
        for k, (person, camera, take) in enumerate(views)
    ]
    short = min(FEWEST, preset.frames + 1) - 1
    return tuple(replace(item, frames=short) if item.person < both and not item.part else item for item in planned)


def folder(item: Planned) -> str:
    return f"prid_2011/multi_shot/cam_{'ab'[item.camera]}/{_name(item)}"


def _name(item: Planned) -> str:
    return f"person_{item.take:04d}"


def frame_name(item: Planned, index: int) -> str:
    return f"{index + 1:04d}.png"


def camera(item: Planned) -> int:
    return item.camera + 1


def _splits(preset: Preset, planned: Sequence[Planned], seed: int) -> list[dict[str, list[str]]]:
    """Draw halves of the persons that splits may have."""
    rng = np.random.default_rng((seed, preset.space, 8))
    names = sorted({_name(item) for item in planned if item.part == "split"})
    splits = []
    for _ in range(SPLITS):
        mixed = [names[k] for k in rng.permutation(len(names))]
        half = len(names) // 2
        splits.append({"test": sorted(mixed[:half]), "train": sorted(mixed[half:])})
    return splits


def parts(preset: Preset, planned: Sequence[Planned], seed: int) -> Mapping[str, Sequence[Planned]]:
    test = set(_splits(preset, planned, seed)[0]["test"])
    listed = [item for item in planned if item.part == "split"]
    return {
        "train": [item for item in listed if _name(item) not in test],
        "query": [item for item in listed if _name(item) in test and item.camera == 0],
        "gallery": [item for item in listed if _name(item) in test and item.camera == 1],
    }


def lists(preset: Preset, planned: Sequence[Planned], seed: int) -> Mapping[str, bytes]:
    return {"splits_prid2011.json": (json.dumps(_splits(preset, planned, seed), indent=1) + "\n").encode()}
