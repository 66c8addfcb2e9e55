"""The values that every part shares."""

import numpy as np
import pytest

from s2reid.types import DISTRACTOR, UNKNOWN, Dataset, Embeddings, Tracklet


def embeddings(n=5):
    vectors = np.random.default_rng(0).normal(size=(n, 3)).astype(np.float32)
    return Embeddings(vectors, np.arange(n), np.arange(n) % 2, np.zeros(n, int))


def test_a_tracklet_names_its_frames_in_order(tmp_path):
    tracklet = Tracklet("store", ("b/2.jpg", "a/1.jpg"), 1, 0)
    assert tracklet.paths() == ("store/b/2.jpg", "store/a/1.jpg")
    assert tracklet.num_frames == 2
    assert len({tracklet, Tracklet("store", ("b/2.jpg", "a/1.jpg"), 1, 0)}) == 1


def test_persons_of_a_dataset_are_the_labelled_ones_of_its_training_part():
    train = tuple(Tracklet("", ("x",), person, 0) for person in (4, 4, 9, UNKNOWN, DISTRACTOR))
    assert Dataset("d", train=train, query=(Tracklet("", ("x",), 77, 0),)).num_persons == 2
    assert Dataset("empty").num_persons == 0


def test_outfits_are_counted_by_person_where_one_has_several():
    worn = [(5, 0), (2, 7), (2, 7), (5, 3), (UNKNOWN, 1), (5, 9), (9, 0)]
    train = tuple(Tracklet("", ("x",), person, 0, outfit) for person, outfit in worn)
    assert Dataset("d", train=train).outfits == (1, 3, 1)
    assert Dataset("d", train=train[:2]).outfits == ()
    assert Dataset("empty").outfits == ()


def test_embeddings_slice_like_an_array():
    whole = embeddings()
    part = whole[whole.camera == 1]
    assert (len(part), part.person.tolist()) == (2, [1, 3])
    np.testing.assert_array_equal(part.vectors, whole.vectors[[1, 3]])
    assert len(whole[:0]) == 0


def test_columns_of_other_lengths():
    with pytest.raises(
        ValueError, match=r"one row a tracklet in every column, found \{'vectors': 2, 'person': 2, 'camera'"
    ):
        Embeddings.__post_init__(_Uneven())


class _Uneven:
    vectors, person, camera, outfit = np.zeros((2, 3)), np.zeros(2, int), np.zeros(1, int), np.zeros(2, int)


def test_embeddings_go_through_a_file(tmp_path):
    path = tmp_path / "deep" / "x.npz"
    embeddings().save(path)
    embeddings(4).save(path)
    found = Embeddings.load(path)
    assert len(found) == 4
    for name in ("vectors", "person", "camera", "outfit"):
        np.testing.assert_array_equal(getattr(found, name), getattr(embeddings(4), name))
    assert [entry.name for entry in path.parent.iterdir()] == ["x.npz"]


@pytest.mark.parametrize("damage", ["empty", "text", "half", "changed", "one array"])
def test_files_that_are_no_embeddings(tmp_path, damage):
    path = tmp_path / "x.npz"
    embeddings().save(path)
    whole = path.read_bytes()
    contents = {"empty": b"", "text": b"no array at all", "half": whole[:300]}
    changed = whole.replace(embeddings().person.tobytes(), b"\xff" * embeddings().person.nbytes)
    path.write_bytes(contents.get(damage, changed))
    if damage == "one array":
        with path.open("wb") as file:
            np.save(file, np.zeros(3))
    with pytest.raises(ValueError, match=r"x.npz is no whole .npz file \(.*\): embed the tracklets again"):
        Embeddings.load(path)


def test_a_missing_column(tmp_path):
    np.savez(tmp_path / "x.npz", vectors=np.zeros((2, 3)), person=np.zeros(2))
    with pytest.raises(ValueError, match=r"holds \['person', 'vectors'\] but lacks \['camera', 'outfit'\]"):
        Embeddings.load(tmp_path / "x.npz")
    with pytest.raises(FileNotFoundError):
        Embeddings.load(tmp_path / "none.npz")
