"""The labelled folder `persons` and the unlabelled folder `cameras`."""

import shutil

import pytest
from tests.datasets.layouts import write_frames, write_marker, write_persons
from tests.shared import shared

from s2reid.datasets import cameras, persons
from s2reid.types import UNKNOWN


def test_the_first_camera_asks(tmp_path):
    dataset = persons.load(write_persons(tmp_path / "shop"))
    assert dataset.name == "shop"
    assert dataset.train == ()
    assert [(t.person, t.camera) for t in dataset.query] == [(4, 2), (31, 2)]  # cam_2 before cam_10
    assert [(t.person, t.camera) for t in dataset.gallery] == [(4, 10), (31, 10)]
    assert dataset.query[0].frames == ("p_4/cam_2/1.jpg", "p_4/cam_2/2.jpg", "p_4/cam_2/10.jpg")


@pytest.mark.parametrize("wanted", ["cam_10", 10, "10"])
def test_another_camera_asks(tmp_path, wanted):
    dataset = persons.load(write_persons(tmp_path), query_camera=wanted)
    assert ({t.camera for t in dataset.query}, {t.camera for t in dataset.gallery}) == ({10}, {2})


def test_all_to_train_on(tmp_path):
    dataset = persons.load(write_persons(tmp_path), train=True)
    assert (len(dataset.train), dataset.query, dataset.gallery) == (4, (), ())
    assert dataset.num_persons == 2


def test_several_tracklets_in_a_camera(tmp_path):
    write_persons(tmp_path)
    for tracklet in ("10", "9"):
        write_frames(tmp_path / "p_31" / "cam_3" / tracklet)
    dataset = persons.load(tmp_path, query_camera="cam_3")
    assert [t.frames[0] for t in dataset.query] == ["p_31/cam_3/9/1.jpg", "p_31/cam_3/10/1.jpg"]
    assert len(dataset.gallery) == 4


def test_names_without_numbers_are_numbered_in_order(tmp_path):
    dataset = persons.load(write_persons(tmp_path, ["bo", "al"], ["hall", "door"]))
    assert [(t.person, t.camera) for t in dataset.query + dataset.gallery] == [(0, 0), (1, 0), (0, 1), (1, 1)]
    assert dataset.query[0].frames[0] == "al/door/1.jpg"


@pytest.mark.parametrize("load", [persons.load, cameras.load])
def test_a_rendered_folder_gives_its_name(tmp_path, load):
    write_marker(write_persons(tmp_path), name="standin-shop", seed=3)
    dataset = load(tmp_path)
    assert (dataset.name, dataset.origin["seed"]) == ("standin-shop", 3)


def test_unlabelled_cameras(tmp_path):
    dataset = cameras.load(write_persons(tmp_path, ["cam_10", "cam_2"], ["t10", "t9"]))
    assert [(t.person, t.camera, t.frames[0]) for t in dataset.train] == [
        (UNKNOWN, 2, "cam_2/t9/1.jpg"),
        (UNKNOWN, 2, "cam_2/t10/1.jpg"),
        (UNKNOWN, 10, "cam_10/t9/1.jpg"),
        (UNKNOWN, 10, "cam_10/t10/1.jpg"),
    ]
    assert (dataset.query, dataset.gallery, dataset.num_persons) == ((), (), 0)


def test_wrong_cameras(tmp_path):
    write_persons(tmp_path)
    with pytest.raises(ValueError, match="no camera 'cam_3' to take queries from: there are cam_2, cam_10"):
        persons.load(tmp_path, query_camera="cam_3")
    for person in ("p_4", "p_31"):
        shutil.rmtree(tmp_path / person / "cam_2")
    with pytest.raises(
        ValueError, match=r"has one camera only \(cam_10\): a query needs another camera to be found in"
    ):
        persons.load(tmp_path)


@pytest.mark.parametrize(
    ("load", "what"), [(persons.load, "person/camera/frames"), (cameras.load, "camera/tracklet/frames")]
)
def test_one_level_off(tmp_path, load, what):
    root = write_persons(tmp_path / "shop")
    with pytest.raises(ValueError, match=f"cam_2 holds frames, expected {what}: a level is missing; .*too deep .*shop"):
        load(root / "p_4")
    with pytest.raises(ValueError, match=rf"holds no \w+ folder, expected {what}: .* holds 3 files"):
        load(root / "p_4" / "cam_2")
    (root / "p_5").mkdir()
    with pytest.raises(ValueError, match=rf"folder .*p_5 holds no .*, expected {what}: .*p_5 holds nothing"):
        load(root)


@pytest.mark.parametrize("load", [persons.load, cameras.load])
def test_tracklets_that_are_none(tmp_path, load):
    write_persons(tmp_path)
    (tmp_path / "p_4" / "cam_2" / "deeper").mkdir()
    with pytest.raises(ValueError, match=r"cam_2 holds both frames and folders \(such as deeper\)"):
        load(tmp_path)
    shutil.rmtree(tmp_path / "p_4" / "cam_2")
    (tmp_path / "p_4" / "cam_2").mkdir()
    with pytest.raises(ValueError, match=r"cam_2 holds no frame \(.jpg .jpeg .png .bmp\): .*cam_2 holds nothing"):
        load(tmp_path)


@pytest.mark.parametrize("place", ["3", "3/1", "3/1/9.jpg"])
def test_a_link_to_what_is_not_there_is_refused(tmp_path, place):
    write_frames(tmp_path / "2" / "1")
    write_frames(tmp_path / "3" / "2")
    link = tmp_path / place
    link.parent.mkdir(exist_ok=True)
    if place == "3":
        shutil.rmtree(tmp_path / "3")
    link.symlink_to("/no/such/disk")
    with pytest.raises(ValueError, match=rf"{link} is a link to /no/such/disk, which is not there: mount it or"):
        cameras.load(tmp_path)


def test_pictures_that_are_not_read_are_not_passed_over(tmp_path):
    write_frames(tmp_path / "2" / "1")
    (tmp_path / "2" / "1" / "9.WebP").touch()
    with pytest.raises(ValueError, match=r"2/1 holds 9.WebP: frames are JPEG, PNG or BMP files; convert it, or take"):
        cameras.load(tmp_path)


def test_folder_of_real_people():
    dataset = persons.load(shared("pku_reid"))
    assert (len(dataset.query), len(dataset.gallery)) == (74, 74)
    assert len({t.person for t in dataset.query}) == 74
    assert ({t.camera for t in dataset.query}, {t.camera for t in dataset.gallery}) == ({1}, {2})
    assert dataset.query[1].frames == tuple(f"person_003/cam_1/{n:02d}.jpg" for n in range(1, 9))
