"""The iLIDS-VID layout."""

import shutil

import numpy as np
import pytest
from scipy.io import savemat
from tests.datasets import layouts

from s2reid import datasets
from s2reid.datasets import ilids_vid
from s2reid.datasets._folders import in_order

MAT = "train-test people splits/train_test_splits_ilidsvid.mat"


@pytest.fixture
def standin(tmp_path):
    root, persons, table = layouts.write_ilids(tmp_path / "set")
    layouts.write_marker(root, name="standin-ilids", counts={"persons": 6, "tracklets": 12, "query": {"persons": 3}})
    return root, persons, table


@pytest.mark.parametrize("split", [0, 9])
def test_halves_of_a_split(standin, split):
    root, persons, table = standin
    dataset = ilids_vid.load(root, split=split)
    test = sorted(
        int(persons[row - 1].removeprefix("person")) for row in table[split][:3]
    )  # the first half is the test
    train = sorted(int(persons[row - 1].removeprefix("person")) for row in table[split][3:])
    assert [t.person for t in dataset.query] == [t.person for t in dataset.gallery] == test
    assert [(t.person, t.camera) for t in dataset.train] == [(person, camera) for person in train for camera in (1, 2)]
    assert ({t.camera for t in dataset.query}, {t.camera for t in dataset.gallery}) == ({1}, {2})
    assert dataset.name == "standin-ilids"
    assert dataset.origin["split"] == split
    person = f"person{test[0]:03d}"
    assert dataset.query[0].frames == tuple(f"sequences/cam1/{person}/cam1_{person}_{n:05d}.png" for n in (9, 40, 317))


def test_the_archive_may_be_given_one_level_down_or_flat(standin):
    root, *_ = standin
    frames = [t.frames for t in ilids_vid.load(root).query]
    assert [t.frames for t in ilids_vid.load(root / "i-LIDS-VID").query] == frames
    for inner in (root / "i-LIDS-VID").iterdir():
        shutil.move(inner, root)
    shutil.move(root / MAT, root)
    assert [t.frames for t in ilids_vid.load(root).query] == frames


@pytest.mark.parametrize("off", [".", "set/i-LIDS-VID/sequences", "set/i-LIDS-VID/sequences/cam1"])
def test_another_root_says_where_it_is(standin, tmp_path, off):
    message = "no iLIDS-VID at .*: it is in .*set/i-LIDS-VID, give that folder"
    with pytest.raises(ValueError, match=message):
        ilids_vid.load(tmp_path / off)


def test_something_else(tmp_path):
    layouts.write_persons(tmp_path)
    with pytest.raises(ValueError, match=r"no iLIDS-VID at .*: .* holds 2 folders \(p_4, p_31\)"):
        ilids_vid.load(tmp_path)


def test_the_real_set_has_300_persons(tmp_path):
    root, *_ = layouts.write_ilids(tmp_path / "real", num_persons=300, num_splits=1)
    dataset = datasets.load(f"ilids_vid:{root}")
    assert (dataset.name, dataset.protocol, dataset.expected) == ("ilids_vid", "ilids_vid", ilids_vid.PUBLISHED)
    assert [len(part) for part in (dataset.train, dataset.query, dataset.gallery)] == [300, 150, 150]
    for camera in (1, 2):
        shutil.rmtree(root / "i-LIDS-VID" / "sequences" / f"cam{camera}" / "person900")
    with pytest.raises(ValueError, match="divides 300 persons, and `sequences` holds 299: is the extraction complete"):
        ilids_vid.load(root)


def test_the_real_set_is_counted(tmp_path):
    root, *_ = layouts.write_ilids(tmp_path / "real")
    with pytest.raises(
        ValueError, match=r"ilids_vid at .* has 3 train persons, expected 150; 6 train tracklets, expected 300"
    ):
        datasets.load(f"ilids_vid:{root}")


def test_persons_in_one_camera_only(standin):
    root, *_ = standin
    shutil.rmtree(root / "i-LIDS-VID/sequences/cam2/person009")
    with pytest.raises(
        ValueError,
        match=r"has 1 persons in one camera only \(person009; cam1 holds 6, cam2 5\), expected the same persons",
    ):
        ilids_vid.load(root)


def test_a_rendered_set_that_lost_something(standin):
    root, *_ = standin
    layouts.write_marker(root, name="standin-ilids", counts={"persons": 300})
    with pytest.raises(ValueError, match=r"standin-ilids at .* has 6 persons, expected 300"):
        datasets.load(f"ilids_vid:{root}")
    layouts.write_marker(root, name="standin-ilids", finished=False)
    with pytest.raises(ValueError, match="is an unfinished render"):
        ilids_vid.load(root)


@pytest.mark.parametrize("split", [10, -1])
def test_split_out_of_range(standin, split):
    with pytest.raises(ValueError, match=f"split {split!r} is out of range: .* has splits 0 to 9"):
        ilids_vid.load(standin[0], split=split)


@pytest.mark.parametrize("table", [np.ones((2, 6)), np.arange(6)[None], np.ones((0, 0)), np.ones((1, 1, 1))])
def test_splits_that_are_no_permutations(standin, table):
    savemat(standin[0] / MAT, {"ls_set": table})
    with pytest.raises(ValueError, match=r"holds an `ls_set` of shape .*, expected rows that are permutations"):
        ilids_vid.load(standin[0])


@pytest.mark.parametrize("persons", [5, 300])
def test_splits_of_other_sequences(standin, persons):
    savemat(standin[0] / MAT, {"ls_set": np.stack([np.arange(persons) + 1] * 2)})
    message = f"divides {persons} persons, and `sequences` holds 6: .* do the splits belong to these sequences"
    with pytest.raises(ValueError, match=message):
        ilids_vid.load(standin[0])


def test_split_files_that_cannot_be_read(standin):
    path = standin[0] / MAT
    savemat(path, {"other": np.ones(3)})
    with pytest.raises(ValueError, match=r"holds other, expected ls_set: is it the file that came with the archive"):
        ilids_vid.load(standin[0])
    savemat(path, {"ls_set": np.full((2, 6), 0.5)})
    with pytest.raises(ValueError, match=r"holds a ls_set that is not a matrix of whole numbers"):
        ilids_vid.load(standin[0])
    for content in (b"", b"MATLAB 7.3 MAT-file" + bytes(600), path.read_bytes()[:150]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"cannot read .*mat as a MATLAB file .*: is it the file that came"):
            ilids_vid.load(standin[0])
    path.unlink()
    with pytest.raises(ValueError, match=r"train_test_splits_ilidsvid.mat does not exist: it comes with the archive"):
        ilids_vid.load(standin[0])


def test_splits_that_others_generated_are_left_alone(standin):
    expected = ilids_vid.load(standin[0])
    (standin[0] / "splits.json").write_text("[]")
    assert ilids_vid.load(standin[0]) == expected


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("person_6", "cam1 holds person_6, expected names of person and a number: take it away"),
        ("person6", "cam1 holds person006 and person6, the same number twice: take one away"),
        (f"person{10**19}", r"cam1/person10+: the number 10+ is larger than a label can be \(9223372036854775807\)"),
    ],
)
def test_names_that_do_not_parse(standin, name, message):
    (standin[0] / "i-LIDS-VID/sequences/cam1" / name).mkdir()
    with pytest.raises(ValueError, match=message):
        ilids_vid.load(standin[0])


def test_natural_and_plain_order_agree_where_the_splits_count_folders():
    real = [f"person{number:03d}" for number in range(1, 320)]
    assert sorted(real) == in_order(real[::-1]) == real
