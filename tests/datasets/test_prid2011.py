"""The PRID-2011 layout."""

import json
import re
import shutil

import pytest
from tests.datasets import layouts
from tests.shared import shared

from s2reid import datasets
from s2reid.datasets import prid2011

PLACES = ["prid_2011/multi_shot", "multi_shot", "Prid2011/multi_shot", "prid2011/prid_2011/multi_shot"]


@pytest.fixture
def standin(tmp_path):
    root = layouts.write_prid(tmp_path / "set")
    splits = layouts.write_prid_splits(root, [1, 2, 4, 5, 7, 8])  # 3 and 6 are in both views and in no split
    layouts.write_marker(root, name="standin-prid", counts={"persons": 6, "cam_a": {"persons": 10}})
    return root, splits


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """As many folders as the real set has, a frame each."""
    return layouts.write_prid(tmp_path_factory.mktemp("prid"), both=200, only_a=185, only_b=549, num_frames=1)


def persons(names):
    return sorted(int(name.removeprefix("person_")) for name in names)


@pytest.mark.parametrize("split", [0, 9])
def test_halves_of_a_split(standin, split):
    root, splits = standin
    dataset = datasets.load(f"prid2011:{root}", split=split)
    test, train = persons(splits[split]["test"]), persons(splits[split]["train"])
    assert [(t.person, t.camera) for t in dataset.query] == [(person, 1) for person in test]
    assert [(t.person, t.camera) for t in dataset.gallery] == [(person, 2) for person in test]
    assert [(t.person, t.camera) for t in dataset.train] == [(person, camera) for person in train for camera in (1, 2)]
    assert (dataset.name, dataset.protocol, dataset.origin["split"]) == ("standin-prid", "prid2011", split)
    assert dataset.origin["counted"] == {"cam_a": {"persons": 10}, "cam_b": {"persons": 11}}
    place = f"cam_a/person_{test[0]:04d}"
    assert dataset.query[0].frames == (f"{place}/0001.png", f"{place}/0002.png", f"{place}/0010.png")


@pytest.mark.parametrize("place", PLACES)
def test_every_layout(standin, tmp_path, place):
    root, _ = standin
    expected = prid2011.load(root)
    other = tmp_path / "other"
    (other / place).parent.mkdir(parents=True)
    shutil.move(root / "prid_2011/multi_shot", other / place)
    top = (other / place).parent
    for name in ("world.json", prid2011.SPLITS):
        shutil.move(root / name, top.parent if top.name == "prid_2011" else top)
    for inner in (".", place.rpartition("/")[0] or ".", place):
        dataset = prid2011.load(other / inner)
        assert (dataset.name, [t.frames for t in dataset.query]) == ("standin-prid", [t.frames for t in expected.query])


def test_the_published_splits():
    splits = prid2011.published()
    assert len(splits) == len(set(splits)) == prid2011.NUM_SPLITS == 10
    used = set(range(1, 201)) - set(prid2011.EXCLUDED)
    assert len(used) == 178
    for split in splits:
        assert (len(split.train), len(split.test)) == (89, 89)
        assert sorted(split.train + split.test) == sorted(used)


def test_the_published_splits_are_those_of_the_outside():
    theirs = json.loads(shared("splits_prid2011.json").read_text())
    ours = prid2011.published()
    assert len(theirs) == len(ours) == 10
    for one, other in zip(theirs, ours):
        assert (persons(one["train"]), persons(one["test"])) == ([*other.train], [*other.test])


def test_the_file_of_the_outside_gives_the_same_dataset(whole):
    places = [whole / "prid_2011" / prid2011.SPLITS, whole / prid2011.SPLITS]
    alone = [prid2011.load(whole, split=split) for split in (0, 9)]
    text = shared("splits_prid2011.json").read_text()
    for place in places:
        place.write_text(text)
        assert [prid2011.load(whole, split=split) for split in (0, 9)] == alone
        place.unlink()


def test_the_real_set(whole):
    dataset = datasets.load(f"prid2011:{whole}?split=9")
    assert (dataset.name, dataset.expected) == ("prid2011", prid2011.PUBLISHED)
    assert [len(part) for part in (dataset.train, dataset.query, dataset.gallery)] == [178, 89, 89]
    assert tuple(t.person for t in dataset.query) == prid2011.published()[9].test


def test_the_real_set_in_part(whole, tmp_path):
    base = whole / "prid_2011/multi_shot"
    aside = tmp_path / "aside"
    shutil.move(base / "cam_b/person_0749", aside)
    message = "prid2011 at .* has 748 cam_b persons, expected 749: was the copy or the extraction cut short"
    with pytest.raises(ValueError, match=message):
        datasets.load(f"prid2011:{whole}")
    shutil.move(aside, base / "cam_b/person_0749")
    shutil.move(base / "cam_a/person_0001", aside)
    message = (
        r"the split uses 178 persons in both cameras, cam_a holds 384 persons and 1 of the 178 are missing \(1\), "
        "cam_b holds 749 persons and 0 of the 178 are missing: is the extraction complete"
    )
    with pytest.raises(ValueError, match=message):
        datasets.load(f"prid2011:{whole}")
    shutil.move(aside, base / "cam_a/person_0001")


@pytest.mark.parametrize("split", [10, -1])
def test_split_out_of_range(standin, whole, split):
    with pytest.raises(ValueError, match=f"split {split} is out of range: .*splits_prid2011.json has splits 0 to 9"):
        prid2011.load(standin[0], split=split)
    with pytest.raises(ValueError, match=f"split {split} is out of range: the published list has splits 0 to 9"):
        prid2011.load(whole, split=split)


@pytest.mark.parametrize("off", [".", "set/prid_2011/multi_shot/cam_a", "set/prid_2011/multi_shot/cam_a/person_0001"])
def test_another_root_says_where_it_is(standin, tmp_path, off):
    with pytest.raises(ValueError, match=r"no PRID-2011 at .*: .* it is in .*set(/prid_2011)?, give that folder"):
        prid2011.load(tmp_path / off)


def test_single_shot_given(standin, tmp_path):
    root, _ = standin
    for camera in ("cam_a", "cam_b"):
        layouts.write_frames(root / "prid_2011/single_shot" / camera, ["person_0001.png", "person_0002.png"])
    assert prid2011.load(root).name == "standin-prid"
    message = r"holds pictures, not sequences: of the two parts .* the multi-shot one is needed; it is in .*prid_2011"
    with pytest.raises(ValueError, match=message):
        prid2011.load(root / "prid_2011/single_shot")
    shutil.move(root / "prid_2011/multi_shot", tmp_path / "elsewhere" / "multi_shot")
    with pytest.raises(ValueError, match=r"single_shot holds pictures, not sequences, and `multi_shot` is not beside"):
        prid2011.load(root)


def test_something_else(tmp_path):
    layouts.write_persons(tmp_path)
    with pytest.raises(ValueError, match=r"no PRID-2011 at .*: .* holds 2 folders \(p_4, p_31\)"):
        prid2011.load(tmp_path)


def test_cameras_and_persons_that_are_not_there(standin):
    root, _ = standin
    base = root / "prid_2011/multi_shot"
    (base / "cam_a" / "person_x").mkdir()
    with pytest.raises(ValueError, match="cam_a holds person_x, expected names of person_ and a number"):
        prid2011.load(root)
    (base / "cam_a" / "person_x").rename(base / "cam_a" / "person_1")
    with pytest.raises(ValueError, match="cam_a holds person_0001 and person_1, the same number twice"):
        prid2011.load(root)
    (base / "cam_a" / "person_1").rename(base / "cam_a" / f"person_{2**63}")
    with pytest.raises(ValueError, match=rf"the number {2**63} is larger than a label can be"):
        prid2011.load(root)
    (base / "cam_a" / f"person_{2**63}").rmdir()
    shutil.rmtree(base / "cam_b")
    with pytest.raises(ValueError, match=r"cam_b does not exist; .*multi_shot holds 1 folders"):
        prid2011.load(root)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[", "cannot read .*splits_prid2011.json .*: is it a list of splits in JSON"),
        ("{}", "splits_prid2011.json holds {}, expected a list of splits, each with `train` and `test`"),
        ("[]", r"holds \[\], expected a list of splits"),
        ('["train"]', r"holds \['train'\], expected a list of splits"),
        ('[{"train": ["person_0001"]}]', "a split with None for a half, expected `train` and `test` to list folders"),
        ('[{"train": [1], "test": [2]}]', r"a split with \[1\] for a half"),
        ('[{"train": [], "test": ["person_0001"]}]', r"a split with \[\] for a half"),
        ('[{"train": ["person_0001"], "test": ["person_0001"]}]', "split 0: 1 are in both halves"),
        ('[{"train": ["person_0001", "person_0001"], "test": ["person_0002"]}]', "the same number twice"),
        ('[{"train": ["0001"], "test": ["person_0002"]}]', "holds 0001, expected names of person_ and a number"),
        (
            '[{"train": ["person_0011"], "test": ["person_0012"]}]',
            r"cam_a holds 10 persons and 2 of the 2 are missing \(11, 12\), cam_b holds 11 persons and 1 of",
        ),
    ],
)
def test_split_files_that_are_none(standin, content, message):
    root, _ = standin
    (root / prid2011.SPLITS).write_text(content)
    with pytest.raises(ValueError, match=message) as error:
        prid2011.load(root)
    assert "\n" not in str(error.value)


def test_a_rendered_set_needs_its_own_splits(standin):
    root, _ = standin
    (root / prid2011.SPLITS).unlink()
    with pytest.raises(ValueError, match=r"splits_prid2011.json does not exist, and this set is rendered"):
        prid2011.load(root)


def test_a_rendered_set_that_lost_something(standin):
    root, _ = standin
    layouts.write_marker(root, name="standin-prid", counts={"persons": 7})
    with pytest.raises(ValueError, match=re.escape(f"standin-prid at {root} has 6 persons, expected 7: was the copy")):
        datasets.load(f"prid2011:{root}")
