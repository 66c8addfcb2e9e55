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


SVREID = {
    "train_svreid": ["1/2/3 1 2", "1/10/4 1 10", "7/7/3 7 7"],
    "train_svreid_cc": ["1/2/3 1 2"],
    "query": ["8/0/1 8 0"],
    "gallery": ["8/0/2\t8\t0", "8/5/2 8 5"],
}


def write_svreid(root):
    """Two persons to train on (outfits 10, 2 and 7), two to test on."""
    return write_lists(root, SVREID)


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


def write_prid(root, both=8, only_a=2, only_b=3, place="prid_2011/multi_shot", num_frames=3):
    """Persons from 1: in both cameras, then others, another one in each camera under one number."""
    names = [f"{number:04d}.png" for number in (10, 2, 1)][-num_frames:]
    for camera, persons in (("cam_a", both + only_a), ("cam_b", both + only_b)):
        for person in range(persons, 0, -1):
            write_frames(root / place / camera / f"person_{person:04d}", names)
    return root


def write_prid_splits(root, persons, num_splits=10, seed=0):
    """Halve some persons again and again; return the list that was written."""
    rng, splits = np.random.default_rng(seed), []
    for _ in range(num_splits):
        mixed = [f"person_{person:04d}" for person in rng.permutation(persons)]
        splits.append({"test": mixed[: len(mixed) // 2], "train": mixed[len(mixed) // 2 :]})
    (root / "splits_prid2011.json").write_text(json.dumps(splits))
    return splits


def write_lists(root, lists, inner=".", num_frames=3):
    """Write lists of `<path> <person> <outfit label>` and the frames of every tracklet in them."""
    root.mkdir(parents=True, exist_ok=True)
    for name, lines in lists.items():
        (root / f"{name}.txt").write_text("\n".join(lines) + "\n")
        for line in lines:
            write_frames(root / inner / line.split()[0], ("10.jpg", "2.jpg", "1.jpg")[:num_frames])
    return root


CCVID = {
    "train": ["session1/001_02\t001\tu2_l0", "session1/001_10\t001\tu10_l0", "session3/001_02\t001\tu10_l0"],
    "query": ["session2/150_01 150 u1_l0", "session3/150_12 150 u0_l0"],
    "gallery": ["session2/150_12 150 u1_l0", "session3/150_01 150 u5_l0"],
}


def write_ccvid(root, inner="."):
    """One person to train on, in two outfits; one to test on, in three, of which query and gallery share one."""
    return write_lists(root, CCVID, inner)


MARS_TRAIN = [(1, 1, 1), (1, 2, 1), (3, 6, 2)]
MARS_TEST = [(-1, 1, 1), (0, 2, 1), (2, 1, 1), (2, 1, 2), (2, 3, 1), (4, 5, 1)]


def mars_names(person, camera, tracklet, frames=(1, 2, 10)):
    label = "00-1" if person == -1 else f"{person:04d}"
    return [f"{label}C{camera}T{tracklet:04d}F{frame:03d}.jpg" for frame in frames]


def write_mars_half(info, half, tracklets, **changes):
    """Write a name list and its table; `changes` replaces rows of the table: row5=(first, last, person, camera)."""
    info.mkdir(parents=True, exist_ok=True)
    names = [name for tracklet in tracklets for name in mars_names(*tracklet)]
    (info / f"{half}_name.txt").write_bytes("".join(f"{name}\r\n" for name in names).encode())
    table = [(3 * row + 1, 3 * row + 3, person, camera) for row, (person, camera, _) in enumerate(tracklets)]
    for row, changed in changes.items():
        table[int(row.removeprefix("row")) - 1] = changed
    savemat(info / f"tracks_{half}_info.mat", {f"track_{half}_info": np.array(table, float)})


def write_mars(root, train=MARS_TRAIN, test=MARS_TEST, queries=(3, 5)):
    """Persons 1 and 3 to train on; person 2 asks from cameras 1 and 3; a distractor, junk, and person 4."""
    for half, tracklets in (("train", train), ("test", test)):
        write_mars_half(root / "info", half, tracklets)
        for tracklet in tracklets:
            names = mars_names(*tracklet)[::-1]
            write_frames(root / f"bbox_{half}" / names[0][:4], names)
    savemat(root / "info" / "query_IDX.mat", {"query_IDX": np.array([queries], float)})
    return root


LS_VID = {"train": ["0007_001_15", "0007_002_02"], "test": ["0030_001_01", "0030_002_03", "0031_001_01", "0030_003_03"]}


def write_ls_vid(root, info="", queries=(1, 3)):
    """Person 7 to train on; persons 30 and 31 ask from camera 1; `info` may be the folder of lists and queries."""
    for half, names in LS_VID.items():
        lines = []
        for name in names:
            place = f"tracklet_{half}/{name[:4]}"
            write_frames(root / place, [f"{name}_{frame}.jpg" for frame in (10, 2, 1)])
            lines.append(f"{place}/{name} {int(name[:4])}")
        (root / info / "list_sequence").mkdir(parents=True, exist_ok=True)
        (root / info / "list_sequence" / f"list_seq_{half}.txt").write_text("\n".join(lines) + "\n")
    place = root / (info or "test") / "data"
    place.mkdir(parents=True)
    savemat(place / "info_test.mat", {"query": np.array([queries], float), "info_test": np.zeros((4, 4))})
    return root
