"""iLIDS-VID: `i-LIDS-VID/sequences/cam#/person###/cam#_person###_#####.png`, and ten splits in a .mat file."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

from s2reid.world.domain import Planned, Preset
from s2reid.world.layouts.deal import lengths
from s2reid.world.layouts.matlab import matrix_file

OWN_FOLDERS = True
SPLITS = 10


def plan(preset: Preset, seed: int) -> tuple[Planned, ...]:
    """Let both cameras see everyone once."""
    rng = np.random.default_rng((seed, preset.space, 0))
    frames = lengths(rng, preset, 2 * preset.persons)
    return tuple(Planned(k, k // 2, 0, k % 2, frames[k], part="") for k in range(2 * preset.persons))


def _number(person: int) -> int:
    """Number the folders as the real ones are: from 1, with gaps."""
    return person + 1 + person // 15


def folder(item: Planned) -> str:
    return f"i-LIDS-VID/sequences/cam{item.camera + 1}/person{_number(item.person):03d}"


def frame_name(item: Planned, index: int) -> str:
    return f"cam{item.camera + 1}_person{_number(item.person):03d}_{index + 1:05d}.png"


def camera(item: Planned) -> int:
    return item.camera + 1


def _splits(preset: Preset, seed: int) -> Float[np.ndarray, "s n"]:
    """Draw a permutation of 1..n a split; its first half is for test and its last half is for training."""
    rng = np.random.default_rng((seed, preset.space, 8))
    return np.stack([rng.permutation(preset.persons) + 1 for _ in range(SPLITS)]).astype(float)


def parts(preset: Preset, planned: Sequence[Planned], seed: int) -> Mapping[str, Sequence[Planned]]:
    test = set((_splits(preset, seed)[0, : preset.persons // 2] - 1).astype(int).tolist())
    return {
        "train": [item for item in planned if item.person not in test],
        "query": [item for item in planned if item.person in test and item.camera == 0],
        "gallery": [item for item in planned if item.person in test and item.camera == 1],
    }


def lists(preset: Preset, planned: Sequence[Planned], seed: int) -> Mapping[str, bytes]:
    path = "train-test people splits/train_test_splits_ilidsvid.mat"
    return {path: matrix_file("ls_set", _splits(preset, seed))}
