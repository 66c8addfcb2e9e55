"""The files of a written world, in the very layouts of the datasets that it imitates."""

import struct
from pathlib import Path

import numpy as np
from jaxtyping import Float

from s2reid.world.presets import Planned, Preset

BYTES_PER_PIXEL = {"svreid": 0.75, "ilids_vid": 2.6}
"""What a stored pixel costs, at most: JPEG and PNG."""
SPLITS = 10


def _number(person: int) -> int:
    """Number iLIDS-VID's folders as the real ones are: from 1, with gaps."""
    return person + 1 + person // 15


def folder(layout: str, item: Planned) -> str:
    """Name a tracklet's folder, relative to the root.

    >>> folder("svreid", Planned(index=0, person=3, outfit=0, camera=7))
    '0003/00/07'
    """
    if layout == "svreid":
        return f"{item.person:04d}/{item.outfit:02d}/{item.camera:02d}"
    return f"i-LIDS-VID/sequences/cam{item.camera + 1}/person{_number(item.person):03d}"


def frame_name(layout: str, item: Planned, index: int) -> str:
    """Name a frame so that names sort in temporal order.

    >>> frame_name("ilids_vid", Planned(index=0, person=3, outfit=0, camera=1), 11)
    'cam2_person004_00012.png'
    """
    if layout == "svreid":
        return f"{index:04d}.jpg"
    return f"cam{item.camera + 1}_person{_number(item.person):03d}_{index + 1:05d}.png"


def write_lists(root: Path, preset: Preset, planned: tuple[Planned, ...], seed: int) -> None:
    """Write the lists (or splits) that name the tracklets."""
    if preset.layout == "svreid":
        lines = [f"{folder('svreid', item)} {item.person} {item.outfit}\n" for item in planned]
        first = [line for line, item in zip(lines, planned) if item.outfit == 0]
        texts = {"train_svreid": first, "train_svreid_cc": lines, "query": [], "gallery": []}
        for name, text in texts.items():
            _replace(root / f"{name}.txt", "".join(text).encode())
        return
    # A row a split: a permutation of 1..n whose first half is for test and whose last half is for training.
    rng = np.random.default_rng((seed, preset.space, 8))
    splits = np.stack([rng.permutation(preset.persons) + 1 for _ in range(SPLITS)]).astype(float)
    path = root / "train-test people splits" / "train_test_splits_ilidsvid.mat"
    path.parent.mkdir(exist_ok=True)
    _replace(path, matlab_matrix("ls_set", splits))


def matlab_matrix(name: str, matrix: Float[np.ndarray, "r c"]) -> bytes:
    """Encode one matrix as a MATLAB level 4 file, which every reader of .mat files knows."""
    title = name.encode() + b"\0"
    header = struct.pack("<5i", 0, *matrix.shape, 0, len(title))
    return header + title + np.asfortranarray(matrix, "<f8").tobytes(order="F")


def _replace(path: Path, content: bytes) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(content)
    partial.replace(path)
