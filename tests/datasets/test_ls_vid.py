"""The LS-VID layout."""

import importlib
import shutil

import numpy as np
import pytest
from scipy.io import savemat
from tests.datasets import layouts

from s2reid import datasets
from s2reid.datasets import ls_vid

MAT = "test/data/info_test.mat"
COUNTS = {"train": {"persons": 1, "tracklets": 2}, "query": {"tracklets": 2}, "gallery": {"tracklets": 2}, "images": 18}


@pytest.fixture
def root(tmp_path):
    root = layouts.write_ls_vid(tmp_path / "sets" / "LS-VID")
    layouts.write_marker(root, name="standin-ls-vid", counts=COUNTS)
    return root


def labels(tracklets):
    return [(tracklet.person, tracklet.camera) for tracklet in tracklets]


def test_halves_queries_and_frames(root):
    dataset = datasets.load(f"ls-vid:{root}")
    assert (dataset.name, dataset.protocol) == ("standin-ls-vid", "ls_vid")
    assert labels(dataset.train) == [(7, 15), (7, 2)]
    assert labels(dataset.query) == [(30, 1), (31, 1)]
    assert labels(dataset.gallery) == [(30, 3), (30, 3)]
    assert dataset.train[0].store == f"{root}/tracklet_train/0007"
    assert dataset.train[0].frames == ("0007_001_15_1.jpg", "0007_001_15_2.jpg", "0007_001_15_10.jpg")


def test_queries_keep_the_order_of_their_file(root):
    savemat(root / MAT, {"query": np.array([[4], [1]])})
    dataset = ls_vid.load(root)
    assert [t.frames[0] for t in dataset.query] == ["0030_003_03_1.jpg", "0030_001_01_1.jpg"]
    assert [t.frames[0] for t in dataset.gallery] == ["0030_002_03_1.jpg", "0031_001_01_1.jpg"]


def test_lists_and_queries_may_be_in_info(root, tmp_path):
    other = layouts.write_ls_vid(tmp_path / "other", info="info")
    assert labels(ls_vid.load(other).query) == labels(ls_vid.load(root).query)


def test_all_frames_in_one_folder_and_lists_from_windows(root):
    expected = [t.frames for t in ls_vid.load(root).train]
    for frame in (root / "tracklet_train" / "0007").iterdir():
        frame.rename(root / frame.name)
    lines = [f".\\{name}\t0007\r\n" for name in layouts.LS_VID["train"]]
    (root / "list_sequence/list_seq_train.txt").write_bytes("\ufeff".encode() + "".join(lines).encode())
    dataset = ls_vid.load(root)
    assert [t.frames for t in dataset.train] == expected
    assert dataset.train[0].paths()[0] == f"{root}/0007_001_15_1.jpg"


def test_a_frame_belongs_to_the_longest_prefix(root):
    names = ["0007_1_2", "0007_1_2_5", "0007_1_2_50"]
    files = ["0007_1_2_4.jpg", "0007_1_2_5_9.jpg", "0007_1_2_50_1.jpg", "0007_1_2_6.jpg", "0007_1_2_5_10.jpg"]
    layouts.write_frames(root / "tracklet_train/0007", [*files, "0007_1_2_5_11.txt", "0007_1_3_1.jpg"])
    lines = [f"tracklet_train/0007/{name} 7\n" for name in names]
    (root / "list_sequence/list_seq_train.txt").write_text("".join(lines))
    assert [t.frames for t in ls_vid.load(root).train] == [
        ("0007_1_2_4.jpg", "0007_1_2_6.jpg"),
        ("0007_1_2_5_9.jpg", "0007_1_2_5_10.jpg"),
        ("0007_1_2_50_1.jpg",),
    ]


def test_counts_that_differ(root):
    layouts.write_marker(root, name="standin-ls-vid", counts={"images": 19})
    with pytest.raises(ValueError, match=r"standin-ls-vid at .* has 18 images, expected 19"):
        datasets.load(f"ls_vid:{root}")
    (root / "world.json").unlink()
    dataset = ls_vid.load(root)
    assert (dataset.name, dataset.expected) == ("ls_vid", ls_vid.PUBLISHED)
    with pytest.raises(ValueError, match=r"ls_vid at .* has .*2 train tracklets, expected 2,831"):
        datasets.load(f"ls_vid:{root}")


# Where things are


@pytest.mark.parametrize("off", ["..", "tracklet_train", "tracklet_train/0007", "list_sequence", "test/data"])
def test_another_root_says_where_it_is(root, off):
    message = r"no LS-VID at .* \(no folder list_sequence or info/list_sequence\): it is in .*/sets/LS-VID, give that"
    with pytest.raises(ValueError, match=message):
        ls_vid.load((root / off).resolve())


def test_the_folder_info_is_too_deep(tmp_path):
    layouts.write_ls_vid(tmp_path / "lsvid", info="info")
    with pytest.raises(ValueError, match=r"no LS-VID at .*: it is in .*/lsvid, give that folder"):
        ls_vid.load(tmp_path / "lsvid" / "info")


def test_something_else(tmp_path):
    layouts.write_persons(tmp_path)
    with pytest.raises(ValueError, match=r"no LS-VID at .*: .* holds 2 folders \(p_4, p_31\)"):
        ls_vid.load(tmp_path)


def test_missing_lists_and_queries(root):
    (root / MAT).unlink()
    with pytest.raises(ValueError, match=r"LS-VID/test/data/info_test.mat does not exist: it says which tracklets of"):
        ls_vid.load(root)
    (root / "list_sequence/list_seq_test.txt").unlink()
    with pytest.raises(ValueError, match=r"list_sequence has no list_seq_test.txt: the archive of LS-VID has both"):
        ls_vid.load(root)


def test_a_partial_extraction(root):
    shutil.rmtree(root / "tracklet_test" / "0031")
    for frame in (root / "tracklet_train" / "0007").glob("0007_001*"):
        frame.unlink()
    message = (
        r"LS-VID has the frames of 4 tracklets, expected 6 \(no frame of tracklet_train/0007/0007_001_15, "
        r"tracklet_test/0031/0031_001_01\): is the extraction complete\?"
    )
    with pytest.raises(ValueError, match=message):
        ls_vid.load(root)


# Lists, names and queries that are wrong


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", r"list_seq_train.txt, line 2: found '', expected `<path prefix> <person>`"),
        ("tracklet_train/0007/0007_001", "line 2: found 'tracklet_train/0007/0007_001', expected"),
        ("tracklet_train/0007/0007_001 seven", "line 2: found '.* seven', expected"),
        ("tracklet_train/0007/ 7", "line 2: found 'tracklet_train/0007/ 7', expected"),
        ("tracklet_train/0007/0007_001_15 7", "line 2: the tracklet tracklet_train/0007/0007_001_15 is listed twice"),
        (f"tracklet_train/0007/0007_002 {10**30}", "line 2: the number 1000.* is larger than a label can be"),
        ("tracklet_test/0030/0030_009_01 30", r"has 1 persons in both train and test \(30\): a test on persons seen"),
    ],
)
def test_lines_that_do_not_parse(root, line, message):
    path = root / "list_sequence/list_seq_train.txt"
    first, last = path.read_text().splitlines()
    path.write_text(f"{first}\n{line}\n{last}\n")
    with pytest.raises(ValueError, match=message) as error:
        ls_vid.load(root)
    assert "\n" not in str(error.value)


def test_an_empty_list(root):
    (root / "list_sequence/list_seq_test.txt").write_text("\n")
    with pytest.raises(ValueError, match=r"list_seq_test.txt lists no tracklet: is the data complete"):
        ls_vid.load(root)


@pytest.mark.parametrize("name", ["0007_001_15x_1.jpg", "0007_001_150_1.jpg", "0007_001_15.jpg"])
def test_names_that_do_not_parse(root, name):
    layouts.write_frames(root / "tracklet_train/0007", [name])
    message = r"tracklet_train/0007 has 0007_001_15.*, expected names <person>_<...>_<camera>_<...> of one camera"
    with pytest.raises(ValueError, match=message):
        ls_vid.load(root)


@pytest.mark.parametrize(
    ("queries", "message"),
    [
        ((1, 5), "info_test.mat names tracklet 5, but list_seq_test.txt has 4 lines: do the two files belong together"),
        ((0,), "names tracklet 0, but list_seq_test.txt has 4 lines"),
        ((1, 2, 1, 2), "names 2 tracklets twice: is it the archive's own file"),
    ],
)
def test_queries_that_are_none(root, queries, message):
    savemat(root / MAT, {"query": np.array([queries])})
    with pytest.raises(ValueError, match=message):
        ls_vid.load(root)


# The query file


def test_queries_as_text(root):
    (root / "test/data/info_test.txt").write_text("2\n4\n")
    (root / MAT).write_bytes(b"never read")
    assert labels(ls_vid.load(root).query) == [(30, 3), (30, 3)]


@pytest.mark.parametrize(("text", "what"), [("", "nothing"), ("1 two 3", "two"), ("1.5", "1.5"), ("-1", "-1")])
def test_queries_as_text_that_does_not_parse(root, text, what):
    (root / "test/data/info_test.txt").write_text(text)
    with pytest.raises(ValueError, match=f"info_test.txt holds '{what}', expected whole numbers, one a line"):
        ls_vid.load(root)


def test_queries_of_matlab_version_7_3(root):
    h5py = pytest.importorskip("h5py")
    expected = ls_vid.load(root)
    with h5py.File(root / MAT, "w", userblock_size=512) as file:  # as MATLAB writes it: 1 x q is stored as q x 1
        file.create_dataset("query", data=np.array([[1.0], [3.0]]), compression="gzip")
        file["info_test"] = np.zeros((4, 4))
    assert ls_vid.load(root) == expected


def test_queries_of_matlab_version_7_3_without_h5py(root, monkeypatch):
    def no_h5py(name):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(importlib, "import_module", no_h5py)
    (root / MAT).write_bytes(b"MATLAB 7.3 MAT-file".ljust(512) + b"\x89HDF\r\n\x1a\n")
    message = (
        r"info_test.mat is a MATLAB file of version 7.3 \(HDF5\), .* needs h5py: `pip install h5py`, or write the "
        "numbers of its `query`, one a line, to a file info_test.txt beside it"
    )
    with pytest.raises(ValueError, match=message):
        ls_vid.load(root)


def test_a_query_file_of_another_kind(root):
    savemat(root / MAT, {"info_test": np.ones(3)})
    with pytest.raises(ValueError, match=r"info_test.mat holds info_test, expected query: write the numbers"):
        ls_vid.load(root)
    (root / MAT).write_bytes(b"damaged")
    with pytest.raises(ValueError, match=r"cannot read .*info_test.mat as a MATLAB file \(.*\): write the numbers"):
        ls_vid.load(root)
