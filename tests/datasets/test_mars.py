"""The MARS layout."""

import shutil
import zipfile
from collections import Counter

import numpy as np
import pytest
from scipy.io import savemat
from tests.datasets import layouts
from tests.datasets.layouts import MARS_TEST, MARS_TRAIN, mars_names, write_mars_half
from tests.shared import shared

from s2reid import datasets
from s2reid.datasets import mars
from s2reid.types import DISTRACTOR, UNKNOWN

SOURCE = "get it from the folder info of github.com/liangzheng06/MARS-evaluation"
COUNTS = {
    "persons": 4,
    "cameras": 5,
    "tracklets": 8,
    "images": 24,
    "train": {"persons": 2, "tracklets": 3},
    "query": {"persons": 1, "tracklets": 2},
    "gallery": {"persons": 2, "tracklets": 3},
    "junk": {"tracklets": 1},
}


@pytest.fixture
def root(tmp_path):
    root = layouts.write_mars(tmp_path / "sets" / "mars")
    layouts.write_marker(root, name="standin-mars", seed=3, counts=COUNTS)
    return root


def labels(tracklets):
    return [(tracklet.person, tracklet.camera) for tracklet in tracklets]


def test_halves_queries_distractors_and_junk(root):
    dataset = datasets.load(f"mars:{root}")
    assert (dataset.name, dataset.protocol, dataset.origin["seed"]) == ("standin-mars", "mars", 3)
    assert labels(dataset.train) == [(1, 1), (1, 2), (3, 6)]
    assert labels(dataset.query) == [(2, 1), (2, 3)]
    assert labels(dataset.gallery) == [(DISTRACTOR, 2), (2, 1), (4, 5)]  # no query, no junk
    assert dataset.origin["counted"] == {"junk": {"tracklets": 1}}
    assert dataset.train[2].frames == ("0003C6T0002F001.jpg", "0003C6T0002F002.jpg", "0003C6T0002F010.jpg")
    assert dataset.gallery[0].paths()[2] == f"{root}/bbox_test/0000/0000C2T0001F010.jpg"


def test_queries_keep_the_order_of_their_file(tmp_path):
    layouts.write_mars(tmp_path, queries=(6, 3))
    assert labels(mars.load(tmp_path).query) == [(4, 5), (2, 1)]


def test_more_than_999_frames_are_in_order(root):
    names = mars_names(1, 1, 1, range(1, 1102))
    (root / "info/train_name.txt").write_text("\n".join(names))
    savemat(root / "info/tracks_train_info.mat", {"track_train_info": np.array([[1, 1101, 1, 1]])})
    assert mars.load(root).train[0].frames == tuple(names)


@pytest.mark.parametrize("place", [*mars.PLACES, *(f"../{place}" for place in mars.PLACES)])
def test_the_tables_may_be_in_the_root_or_beside_it(root, place):
    expected = mars.load(root)
    shutil.copytree(root / "info", root.parent / "tables")
    shutil.rmtree(root / "info")
    shutil.copytree(root.parent / "tables", root / place, dirs_exist_ok=True)
    assert mars.load(root) == expected


def test_images_unpacked_into_a_folder_of_their_own_name(root):
    expected = labels(mars.load(root).train)
    (root / "bbox_train").rename(root / "inner")
    (root / "bbox_train").mkdir()
    (root / "inner").rename(root / "bbox_train" / "bbox_train")
    dataset = mars.load(root)
    assert labels(dataset.train) == expected
    assert dataset.train[0].store == f"{root}/bbox_train/bbox_train/0001"


def test_no_frame_is_looked_at_and_junk_may_be_missing(root):
    expected = mars.load(root)
    for frame in root.glob("bbox_*/*/*.jpg"):
        frame.unlink()
    (root / "bbox_test" / "00-1").rmdir()
    assert mars.load(root) == expected


def test_the_marker_may_be_one_level_up(root):
    (root / "world.json").rename(root.parent / "world.json")
    assert mars.load(root).name == "standin-mars"


def test_counts_that_differ(root):
    layouts.write_marker(root, name="standin-mars", counts={"gallery": {"tracklets": 9330}})
    with pytest.raises(ValueError, match=r"standin-mars at .* has 3 gallery tracklets, expected 9,330: was the copy"):
        datasets.load(f"mars:{root}")
    layouts.write_marker(root, name="standin-mars", counts={"junk": {"tracklets": 870}})
    with pytest.raises(ValueError, match="has 1 junk tracklets, expected 870"):
        datasets.load(f"mars:{root}")
    layouts.write_marker(root, name="standin-mars", finished=False)
    with pytest.raises(ValueError, match="is an unfinished render"):
        mars.load(root)
    (root / "world.json").unlink()
    dataset = mars.load(root)
    assert (dataset.name, dataset.expected) == ("mars", mars.PUBLISHED)
    with pytest.raises(ValueError, match=r"mars at .* has .*3 train tracklets, expected 8,298"):
        datasets.load(f"mars:{root}")


# Where things are


@pytest.mark.parametrize("off", ["..", "../..", "info", "bbox_train", "bbox_test/0002"])
def test_another_root_says_where_it_is(root, off):
    with pytest.raises(
        ValueError, match=r"no MARS at .* \(no folder bbox_train\): it is in .*sets/mars, give that folder"
    ):
        mars.load((root / off).resolve())


def test_something_else_and_one_archive_only(root, tmp_path):
    other = layouts.write_persons(tmp_path / "other")
    with pytest.raises(ValueError, match=r"no MARS at .*other \(no folder bbox_train\): .* holds 2 folders \(p_4"):
        mars.load(other)
    shutil.rmtree(root / "bbox_test")
    with pytest.raises(ValueError, match=r"\(no folder bbox_test\): extract bbox_test.zip beside bbox_train"):
        mars.load(root)


@pytest.mark.parametrize("name", mars.TABLES)
def test_a_missing_table(root, name):
    (root / "info" / name).unlink()
    with pytest.raises(ValueError, match=f"mars/info has no {name}: {SOURCE}"):
        mars.load(root)


def test_missing_tables(root):
    for name in mars.TABLES[1:3]:
        (root / "info" / name).unlink()
    with pytest.raises(ValueError, match=r"info has no test_name.txt and no tracks_train_info.mat: get it"):
        mars.load(root)
    shutil.rmtree(root / "info")
    with pytest.raises(ValueError, match=rf"mars/info does not exist: MARS's tables \(train_name.txt, .*; {SOURCE}"):
        mars.load(root)


def test_a_partial_extraction(root):
    shutil.rmtree(root / "bbox_test" / "0004")
    shutil.rmtree(root / "bbox_test" / "0000")
    message = r"bbox_test has 1 person folders, expected 3 \(missing 0000, 0004\): is the extraction complete\?"
    with pytest.raises(ValueError, match=message):
        mars.load(root)


# Tables that are wrong


@pytest.mark.parametrize(
    "name", ["", "0001C1T0001F001", "1C1T0001F001.jpg", "0001c1s1_000151.jpg", "00-2C1T1F1.jpg", "0001C1T0001F001.jpg "]
)
def test_names_that_do_not_parse(root, name):
    path = root / "info" / "test_name.txt"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:4], name, *lines[5:]]))
    with pytest.raises(ValueError, match=rf"test_name.txt, line 5: found {name!r}, expected a name like 0001C1T0001F0"):
        mars.load(root)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((1, 10, 1, 1), r"row 1 of .*tracks_train_info.mat says lines 1 to 10, but train_name.txt has 9 lines: do the"),
        ((0, 3, 1, 1), "row 1 of .* says lines 0 to 3, but train_name.txt has 9 lines"),
        ((3, 2, 1, 1), "row 1 of .* says lines 3 to 2, but"),
        (
            (1, 4, 1, 1),
            r"row 1 of .* \(lines 1 to 4 of train_name.txt\) holds frames of 0001C1T0001, 0001C2T0001: a tracklet is",
        ),
        ((4, 6, 1, 2), "rows 1 and 2 of .*tracks_train_info.mat are both 0001C2T0001: a tracklet is one row"),
        ((5, 6, 1, 2), "rows 1 and 2 of .* are both 0001C2T0001"),  # ranges that overlap
        ((1, 3, 5, 1), "row 1 of .* says person 5, camera 1, but its frames are of 0001C1T0001: do it and train_name"),
        ((1, 3, 1, 2), "row 1 of .* says person 1, camera 2, but its frames are of 0001C1T0001"),
        ((1, 3, -1, 1), "row 1 of .* says person -1, camera 1, but its frames are of 0001C1T0001"),
    ],
)
def test_rows_that_do_not_fit_the_names(root, row, message):
    write_mars_half(root / "info", "train", MARS_TRAIN, row1=row)
    with pytest.raises(ValueError, match=message) as error:
        mars.load(root)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("frames", [(1, 3, 2), (1, 2, 2), (999, 1000, 2)])
def test_frames_out_of_order_or_twice(root, frames):
    names = mars_names(1, 1, 1, frames) + mars_names(1, 2, 1) + mars_names(3, 6, 2)
    (root / "info/train_name.txt").write_text("\n".join(names))
    message = (
        r"row 1 of .*tracks_train_info.mat \(lines 1 to 3 of train_name.txt\) holds frames of 0001C1T0001 out of order"
    )
    with pytest.raises(ValueError, match=message):
        mars.load(root)


@pytest.mark.parametrize(
    ("queries", "message"),
    [
        ((3, 7), "query_IDX.mat names row 7, but tracks_test_info.mat has 6 rows: do the two files belong together"),
        ((0, 3), "names row 0, but tracks_test_info.mat has 6 rows"),
        ((1, 3), "names row 1, which is junk in tracks_test_info.mat: a query must be of a person"),
        ((3, 2), "names row 2, which is a distractor in tracks_test_info.mat"),
        ((3, 5, 3), f"names 1 rows twice: {SOURCE}"),
    ],
)
def test_queries_that_are_none(root, queries, message):
    savemat(root / "info" / "query_IDX.mat", {"query_IDX": np.array([queries])})
    with pytest.raises(ValueError, match=message):
        mars.load(root)


@pytest.mark.parametrize("extra", [(-1, 3, 3), (0, 3, 3)])
def test_nobody_to_train_on(root, extra):
    write_mars_half(root / "info", "train", [*MARS_TRAIN, extra])
    with pytest.raises(ValueError, match=r"tracks_train_info.mat has junk or distractors \(person -1 or 0\), expected"):
        mars.load(root)


def test_persons_in_both_halves(root):
    write_mars_half(root / "info", "test", [*MARS_TEST, (3, 4, 4)])
    with pytest.raises(ValueError, match=r"info has 1 persons in both train and test \(3\): a test on persons seen in"):
        mars.load(root)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"track_test_info": np.ones((2, 4))}, "holds track_test_info, expected track_train_info: "),
        (
            {"track_train_info": np.full((2, 4), 1.5)},
            "holds a track_train_info that is not a matrix of whole numbers: ",
        ),
        ({"track_train_info": np.ones((2, 3))}, r"holds a table of shape \(2, 3\), expected four columns: "),
        ({"track_train_info": np.ones((0, 4))}, r"holds a table of shape \(0, 4\), expected four columns: "),
    ],
)
def test_tables_of_another_kind(root, content, message):
    savemat(root / "info/tracks_train_info.mat", content)
    with pytest.raises(ValueError, match=f"tracks_train_info.mat {message}{SOURCE}"):
        mars.load(root)


# The official tables


@pytest.fixture(scope="module")
def official(tmp_path_factory):
    """The official tables and the person folders that they name, without an image."""
    root = tmp_path_factory.mktemp("mars")
    with zipfile.ZipFile(shared("mars_info.zip")) as archive:
        archive.extractall(root / "info")
    for half in ("train", "test"):
        names = (root / "info" / f"{half}_name.txt").read_text().split()
        for person in {name[:4] for name in names}:
            (root / f"bbox_{half}" / person).mkdir(parents=True)
    return root


@pytest.fixture(scope="module")
def official_set(official):
    return datasets.load(f"mars:{official}")  # compares with what is published


def test_the_official_tables(official_set):
    dataset = official_set
    assert (dataset.name, dataset.expected) == ("mars", mars.PUBLISHED)
    test = dataset.query + dataset.gallery
    assert [len(dataset.train), len(dataset.query), len(dataset.gallery)] == [8_298, 1_980, 9_330]
    assert dataset.origin["counted"] == {"junk": {"tracklets": 12_180 - 1_980 - 9_330}} == {"junk": {"tracklets": 870}}
    assert dataset.num_persons == 625
    assert sum(tracklet.num_frames for tracklet in dataset.train) == 509_914
    assert (min(t.num_frames for t in dataset.train), max(t.num_frames for t in dataset.train)) == (5, 900)
    assert (min(t.num_frames for t in test), max(t.num_frames for t in test)) == (2, 920)
    assert len({t.person for t in dataset.query}) == 626
    assert len({t.person for t in test if t.person > 0}) == 634
    assert sum(t.person == DISTRACTOR for t in dataset.gallery) == 3_248
    assert not any(t.person in (UNKNOWN, DISTRACTOR) for t in dataset.train + dataset.query)
    cameras = Counter(t.camera for t in dataset.query)
    assert [cameras[camera] for camera in range(1, 7)] == [524, 456, 319, 191, 384, 106]


def test_official_queries_without_a_match_unless_queries_return(official_set):
    dataset = official_set

    def num_valid(gallery):
        views = {}
        for tracklet in gallery:
            views.setdefault(tracklet.person, set()).add(tracklet.camera)
        return sum(bool(views.get(query.person, set()) - {query.camera}) for query in dataset.query)

    assert num_valid(dataset.gallery) == 1_840
    assert num_valid(dataset.gallery + dataset.query) == 1_980
    persons = {tracklet.person for tracklet in dataset.gallery}
    alone = [query.person for query in dataset.query if query.person not in persons]
    assert (len(alone), sorted(set(alone))) == (
        28,
        [6, 152, 436, 454, 640, 782, 944, 1062, 1138, 1140, 1146, 1172, 1252, 1444],
    )


def test_an_official_person_folder_is_missing(official):
    (official / "bbox_train" / "0001").rename(official / "elsewhere")
    with pytest.raises(ValueError, match=r"bbox_train has 624 person folders, expected 625 \(missing 0001\)"):
        mars.load(official)
    (official / "elsewhere").rename(official / "bbox_train" / "0001")


def test_official_tables_that_do_not_belong_together(official, tmp_path):
    for half in ("bbox_train", "bbox_test"):
        (tmp_path / half).mkdir()
    shutil.copytree(official / "info", tmp_path / "info")
    shutil.copy(tmp_path / "info" / "test_name.txt", tmp_path / "info" / "train_name.txt")
    with pytest.raises(ValueError, match=r"row 1 of .* says person 1, camera 1, but its frames are of 00-1C1T0001"):
        mars.load(tmp_path)
    names = (official / "info" / "train_name.txt").read_text().splitlines()
    (tmp_path / "info" / "train_name.txt").write_text("\n".join(names[:500_000]))
    with pytest.raises(ValueError, match=r"row 8,?\d+ of .* but train_name.txt has 500,000 lines: do the two files"):
        mars.load(tmp_path)
