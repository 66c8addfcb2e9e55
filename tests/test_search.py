"""Who looks most like the query."""

import numpy as np
import pytest
import torch
from tests import tiny

from s2reid import search
from s2reid.embed import Model
from s2reid.learner import Learner
from s2reid.metrics.distance import cosine
from s2reid.model import Card, settings
from s2reid.types import UNKNOWN, Embeddings, Tracklet

pytestmark = pytest.mark.usefixtures("tiny_scale")


class OnCircle(Model):
    """A model that places a tracklet at `camera` degrees."""

    def __init__(self):
        self.learner = Learner()

    def embed_tracklets(self, tracklets, progress=None):
        angles = np.radians([tracklet.camera for tracklet in tracklets])
        zeros = np.zeros(len(tracklets), int)
        if progress:
            progress(len(tracklets))
        return Embeddings(np.stack([np.cos(angles), np.sin(angles)], 1).astype(np.float32), zeros, zeros, zeros)


def at(degrees, person=UNKNOWN):
    return Tracklet("", (f"{degrees}.jpg",), person, degrees)


def find(asked, held, top, **how):
    return search.search(OnCircle(), asked, held, top, **how)


def test_the_nearest_come_first_with_their_cosine():
    (found,) = find([at(10)], [at(80), at(12), at(50), at(9)], 3)
    assert [hit.camera for hit, _, _ in found.hits] == [9, 12, 50]
    assert [similarity for _, similarity, _ in found.hits] == pytest.approx(np.cos(np.radians([1, 2, 40])), abs=1e-5)


def test_ties_keep_the_gallerys_order_and_top_may_exceed_it():
    held = [at(30, 1), at(30, 2), at(30, 3)]
    (found,) = find([at(0)], held, 10)
    assert [hit.person for hit, _, _ in found.hits] == [1, 2, 3]


def test_right_and_wrong_are_said_where_they_are_known():
    labelled, bare = find([at(0, 1), at(0)], [at(1, 1), at(2, 2), at(3), at(4, -2)], 4, is_one=True)
    assert [match for _, _, match in labelled.hits] == [True, False, None, False]
    assert [match for _, _, match in bare.hits] == [None] * 4


def test_equal_numbers_of_two_datasets_are_not_equal_persons():
    (found,) = find([at(0, 1)], [at(1, 1), at(2, 2)], 2)
    assert [match for _, _, match in found.hits] == [None, None]


def test_progress_counts_both_sides():
    told = []
    find([at(0)], [at(1), at(2)], 1, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (3, 3)]


@pytest.mark.parametrize("top", [0, -1])
def test_top_must_be_positive(top):
    with pytest.raises(ValueError, match=f"top is {top}, expected at least 1"):
        find([at(0)], [at(1)], top)


def test_a_folder_is_one_tracklet_in_natural_order(tmp_path):
    for name in ("10.jpg", "9.JPG", "1.png", ".hidden.jpg", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    (tracklet,) = search.queries(str(tmp_path))
    assert tracklet.frames == ("1.png", "9.JPG", "10.jpg")
    assert tracklet.person == UNKNOWN


def test_an_image_is_one_tracklet(tmp_path):
    (tmp_path / "a.PNG").write_bytes(b"x")
    (tracklet,) = search.queries(str(tmp_path / "a.PNG"))
    assert tracklet.paths() == (str(tmp_path / "a.PNG"),)
    assert tracklet.camera == UNKNOWN
    for place in (tmp_path / "a.PNG", tmp_path):
        assert [t.camera for t in search.queries(str(place), 7)] == [7]


def test_a_dataset_gives_its_queries_and_its_gallery_or_else_its_training_part(
    source_root, target_root, source, target
):
    assert search.queries(f"ilids_vid:{target_root}") == target.query
    assert search.gallery(f"ilids_vid:{target_root}") == target.gallery
    assert search.gallery(f"svreid:{source_root}") == source.train


def test_what_is_no_query(tmp_path, target_root):
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(ValueError, match=r"the query .* holds no frames \(.jpg, .jpeg, .png, .bmp\): give a folder"):
        search.queries(str(tmp_path))
    with pytest.raises(ValueError, match="no query at nowhere: give a folder of frames, an image, or NAME:PATH"):
        search.queries("nowhere")
    with pytest.raises(ValueError, match="no dataset named 'mers'"):
        search.queries(f"mers:{target_root}")


def test_a_network_finds_the_very_tracklet(source):
    model = Model(tiny.learner(), Card("source_only", settings("source_only"), tiny.task(), {}))
    found = search.search(model, source.train[:2], source.train, 1)
    assert [one.hits[0][0] for one in found] == list(source.train[:2])
    assert found[0].hits[0][1] == pytest.approx(1, abs=1e-4)


def test_a_method_with_a_distance_of_its_own_is_ranked_by_it(source):
    learner = tiny.perturb(tiny.learner("qaconv"))
    with torch.no_grad():  # the place that counts most is not the one that a cosine of whole maps hears
        learner.matcher.weight.zero_()
        learner.matcher.weight[-1] = 1
    model = Model(learner, Card("qaconv", settings("qaconv"), tiny.task(method="qaconv"), {}))
    held = source.train
    vectors = model.embed_tracklets(held).vectors
    expected = model.distance(vectors, vectors)
    found = search.search(model, held, held, len(held))
    for row, one in enumerate(found):
        order = np.argsort(expected[row], kind="stable")
        assert [hit for hit, _, _ in one.hits] == [held[i] for i in order]
        assert [similarity for _, similarity, _ in one.hits] == pytest.approx(-expected[row][order], abs=1e-4)
    by_cosine = np.argsort(cosine(vectors, vectors), axis=1, kind="stable")
    assert (np.argsort(expected, axis=1, kind="stable") != by_cosine).any()
