"""The manifest contract."""

import pytest
from tests.datasets.layouts import write_manifest
from tests.shared import shared

from s2reid.datasets import csv
from s2reid.types import DISTRACTOR, UNKNOWN, Tracklet

HEADER = "path,tracklet,person,camera,outfit,split\n"


def test_one_row_a_frame_keeps_the_order_of_the_rows(tmp_path):
    rows = "a/10.jpg,x,3,0,1,train\nb/1.jpg,y,3,1,0,train\na/1.jpg,x,3,0,1,train\n\na/2.jpg,x,3,0,1,train\n"
    dataset = csv.load(write_manifest(tmp_path, HEADER + rows))
    folder = str(tmp_path)
    assert dataset.train == (
        Tracklet(folder, ("a/10.jpg", "a/1.jpg", "a/2.jpg"), 3, 0, 1),
        Tracklet(folder, ("b/1.jpg",), 3, 1, 0),
    )
    assert (dataset.name, dataset.query, dataset.gallery) == ("m", (), ())
    assert dict(dataset.origin) == {"layout": "csv", "root": str(tmp_path / "m.csv")}


def test_one_row_a_tracklet_sorts_its_frames_and_needs_no_name(tmp_path):
    rows = "split,camera,person,path\nquery,0,5,a/\ngallery,1,5,b\ngallery,1,-2,c\n"
    dataset = csv.load(write_manifest(tmp_path, "\ufeff" + rows))
    folder = str(tmp_path)
    assert dataset.query == (Tracklet(folder, ("a/1.jpg", "a/2.jpg", "a/10.jpg"), 5, 0),)
    assert [(t.person, t.camera) for t in dataset.gallery] == [(5, 1), (DISTRACTOR, 1)]


def test_unlabelled_rows_mixed_kinds_and_absolute_paths(tmp_path):
    rows = f"a,,,0,,train\n{tmp_path}/b,,-1,1,,train\nc/2.jpg,z, -1 ,1,,train\n"
    dataset = csv.load(write_manifest(tmp_path, HEADER + rows))
    assert [t.person for t in dataset.train] == [UNKNOWN] * 3
    assert [t.num_frames for t in dataset.train] == [3, 3, 1]
    assert dataset.train[1].paths()[0] == f"{tmp_path}/b/1.jpg"
    assert dataset.num_persons == 0


def test_a_rendered_folder_gives_its_name(tmp_path):
    (tmp_path / "world.json").write_text('{"name": "standin-ilids"}')
    assert csv.load(write_manifest(tmp_path, HEADER + "a,,1,0,,query\n")).name == "standin-ilids"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "path,person,camera\n",
            r"lacks the column 'split' \(found path, person, camera\): the columns are path, person",
        ),
        ("", r"lacks the column 'path' \(found nothing\)"),
        (
            "path,person,camera,split,age\n",
            "has the unknown column 'age': the columns are path, person, camera, split and",
        ),
        ("path,person,camera,split,path\n", "has a column twice"),
        (HEADER, "lists nothing below its header"),
        (HEADER + "a,x,one,0,0,train\n", "m.csv, line 2: person 'one' is not a whole number"),
        (HEADER + "a,x,1,0,0,train\n\nb,y,1,1.5,0,train\n", "line 4: camera '1.5' is not a whole number"),
        (HEADER + "a,x,1,,0,train\n", "line 2: camera '' is not a whole number"),
        (HEADER + "a,x,1,0,-1,train\n", "line 2: outfit -1 is below 0"),
        (HEADER + "a,x,-3,0,0,train\n", "line 2: person -3 is below -2"),
        (HEADER + f"a,x,{2**63},0,0,train\n", f"line 2: person {2**63} is above {2**63 - 1}"),
        (HEADER + "a,x,-2,0,0,query\n", r"line 2: a distractor \(person -2\) belongs into the gallery, not into query"),
        (HEADER + "a,x,1,0,0,test\n", "line 2: split 'test' is none of train, query, gallery"),
        (HEADER + ",x,1,0,0,train\n", "line 2: the path is empty"),
        (HEADER + "a,x,1,0,train\n", "line 2: expected 6 fields, as in the header"),
        (HEADER + "a,x,1,0,0,train,7\n", "line 2: expected 6 fields, as in the header"),
        (HEADER + "nowhere,x,1,0,0,train\n", "line 2: cannot find nowhere in .*: No such file"),
        (HEADER + "m.csv,x,1,0,0,train\n", r"line 2: m.csv is neither a folder nor a frame \(.jpg"),
        (HEADER + "a/1.jpg,,1,0,0,train\n", "line 2: a row that is a frame needs the name of its tracklet"),
        (HEADER + "empty.jpg,x,1,0,0,train\n", r"line 2: the frame empty.jpg is empty \(0 bytes\)"),
        (HEADER + "hollow,x,1,0,0,train\n", "the tracklet folder .*hollow holds no frame"),
        (
            HEADER + "a/1.jpg,x,1,0,0,train\na/./1.jpg,x,1,0,0,train\n",
            r"line 3: the frame a/./1.jpg is listed already \(line 2\)",
        ),
        (
            HEADER + "a,x,1,0,0,query\na/2.jpg,y,1,1,0,gallery\n",
            r"line 3: the frame a/2.jpg is listed already \(line 2\)",
        ),
        (
            HEADER + "a,x,1,0,0,query\nb,x,1,0,0,query\n",
            r"line 3: the tracklet x has rows already \(line 2\): a folder is one row",
        ),
        (HEADER + "a/1.jpg,x,1,0,0,query\nb,x,1,0,0,query\n", "line 3: the tracklet x has rows already"),
        (HEADER + "a,x,1,0,0,query\nb/1.jpg,x,1,0,0,query\n", "line 3: the tracklet x has rows already"),
        (HEADER + "a,,1,0,0,query\na,,1,0,0,query\n", "line 3: the tracklet a has rows already"),
        (
            HEADER + "a/1.jpg,x,1,0,0,query\na/2.jpg,x,2,0,0,query\n",
            "line 3: the tracklet x has person 2 here and 1 in line 2",
        ),
        (
            HEADER + "a/1.jpg,x,1,0,0,query\na/2.jpg,x,1,3,0,query\n",
            "line 3: the tracklet x has camera 3 here and 0 in line 2",
        ),
        (
            HEADER + "a/1.jpg,x,1,0,0,query\na/2.jpg,x,1,0,4,query\n",
            "line 3: the tracklet x has outfit 4 here and 0 in line 2",
        ),
        (
            HEADER + "a/1.jpg,x,1,0,0,query\na/2.jpg,x,1,0,0,train\n",
            "the tracklet x has split train here and query in line 2",
        ),
        (
            HEADER + "a,x,1,0,0,train\nb,y,1,1,0,gallery\n",
            r"has 1 persons in both train and test \(1\): a test on persons seen",
        ),
    ],
)
def test_what_the_contract_does_not_allow(tmp_path, text, message):
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "hollow").mkdir()
    with pytest.raises(ValueError, match=message) as error:
        csv.load(write_manifest(tmp_path, text))
    assert "\n" not in str(error.value)


def test_manifests_that_are_not_there_or_not_text(tmp_path):
    path = write_manifest(tmp_path, HEADER)
    with pytest.raises(ValueError, match=r"is a folder, expected a CSV file: it holds m.csv"):
        csv.load(tmp_path)
    with pytest.raises(ValueError, match="is a folder, expected a CSV file: it holds none"):
        csv.load(tmp_path / "a")
    with pytest.raises(ValueError, match=r"n.csv does not exist; the manifests in .*: m.csv"):
        csv.load(tmp_path / "n.csv")
    path.write_bytes(b"\xff\xfe\x00path")
    with pytest.raises(ValueError, match=r"cannot read .*m.csv as CSV in UTF-8"):
        csv.load(path)


def test_zero_shot_manifest_of_real_people():
    dataset = csv.load(shared("pku_reid", "zero_shot.csv"))
    assert (dataset.name, dataset.train, len(dataset.query), len(dataset.gallery)) == ("zero_shot", (), 74, 74)
    assert ({t.camera for t in dataset.query}, {t.camera for t in dataset.gallery}) == ({1}, {2})
    assert [t.person for t in dataset.query] == [t.person for t in dataset.gallery]
    assert {t.num_frames for t in dataset.query + dataset.gallery} == {8}


def test_adapt_manifest_of_real_people():
    dataset = csv.load(shared("pku_reid", "adapt.csv"))
    assert [len(part) for part in (dataset.train, dataset.query, dataset.gallery)] == [74, 37, 37]
    assert dataset.num_persons == 37
