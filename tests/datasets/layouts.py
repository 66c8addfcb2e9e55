"""Tiny datasets in the real layouts. A frame is a file with one byte: no loader looks inside."""

import json

import numpy as np
from scipy.io import savemat


def write_frames(folder, names=("10.jpg", "2.jpg", "1.jpg")):
    """Write frames in a shuffled order, so that the order of creation says nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"x")


def write_marker(folder, **content):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "world.json").write_text(json.dumps(content))


def write_svreid(root):
    """Two persons to train on (outfits 10, 2 and 7), two to test on."""
    lists = {
        "train_svreid": ["1/2/3 1 2", "1/10/4 1 10", "7/7/3 7 7"],
        "train_svreid_cc": ["1/2/3 1 2"],
        "query": ["8/0/1 8 0"],
        "gallery": ["8/0/2\t8\t0", "8/5/2 8 5"],
    }
    for name, lines in lists.items():
        root.mkdir(parents=True, exist_ok=True)
        (root / f"{name}.txt").write_text("\n".join(lines) + "\n")
        for line in lines:
            write_frames(root / line.split()[0])
    return root


def write_ilids(root, num_persons=6, num_splits=10):
    """Persons 3, 6, 9, ... so that a person's number is not its row."""
    persons = [f"person{3 * (row + 1):03d}" for row in range(num_persons)]
    for person in persons[::-1]:
        for camera in (1, 2):
            names = [f"cam{camera}_{person}_{frame:05d}.png" for frame in (317, 9, 40)]
            write_frames(root / "i-LIDS-VID" / "sequences" / f"cam{camera}" / person, names)
    splits = root / "train-test people splits"
    splits.mkdir()
    table = np.stack([np.random.default_rng(s).permutation(num_persons) + 1 for s in range(num_splits)])
    savemat(splits / "train_test_splits_ilidsvid.mat", {"ls_set": table.astype(float)})
    return root, persons, table


def write_persons(root, people=("p_4", "p_31"), cameras=("cam_10", "cam_2")):
    for person in people:
        for camera in cameras:
            write_frames(root / person / camera)
    return root


def write_manifest(folder, text, name="m.csv"):
    """Write frames a/1.jpg ... a/10.jpg, the same in b and c, and a manifest."""
    for place in "abc":
        write_frames(folder / place)
    (folder / name).write_text(text)
    return folder / name
