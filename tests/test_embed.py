"""Tracklets of any shape become unit vectors, in bounded memory, whatever else is embedded with them."""

import inspect
from dataclasses import replace

import numpy as np
import pytest
import torch
from tests import tiny

from s2reid import embed
from s2reid.embed import DiskFrames, Model, how_tested
from s2reid.model import Card, settings
from s2reid.types import Tracklet
from s2reid.video.sample import all_frames, restricted_begin

pytestmark = pytest.mark.usefixtures("tiny_scale")


def make(**changes) -> Model:
    learner = tiny.learner(**changes)
    with torch.no_grad():
        for _ in range(3):  # statistics that are not zero and one
            learner.train()(tiny.clips(), None)
    if learner.average:
        learner.average.update(learner.encoder)
    return Model(learner, Card("source_only", settings("source_only", changes), tiny.task(), {}))


def tracklet(seed, frames=3, height=40, width=20):
    return np.random.default_rng(seed).integers(0, 256, (frames, height, width, 3), dtype=np.uint8)


SHAPES = [(1, 32, 16), (2, 32, 16), (5, 64, 32), (9, 7, 50), (3, 200, 90), (4, 1, 1)]


def test_any_length_and_size():
    vectors = make().embed([tracklet(seed, *shape) for seed, shape in enumerate(SHAPES)])
    assert vectors.shape == (len(SHAPES), 64)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("batch", [1, 4, 7, 256])
def test_the_company_does_not_change_a_vector(monkeypatch, batch):
    model, tracklets = make(), [tracklet(seed, *shape) for seed, shape in enumerate(SHAPES)]
    alone = np.concatenate([model.embed([one]) for one in tracklets])
    monkeypatch.setattr(embed, "BATCH_IMAGES", batch)
    np.testing.assert_allclose(model.embed(tracklets), alone, atol=2e-5)
    np.testing.assert_allclose(model.embed(tracklets[::-1]), alone[::-1], atol=2e-5)


def test_a_vector_is_the_mean_over_clips_and_mirror_images():
    model, pixels = make(), tracklet(0, 5, 32, 16)
    clips = torch.from_numpy(np.stack([pixels[places] for places in all_frames(5, 2)])).permute(0, 1, 4, 2, 3)
    with torch.no_grad():
        views = [model.learner.encode(view) for view in (clips, clips.flip(-1))]
    mean = sum(torch.nn.functional.normalize(view, dim=1).mean(0) for view in views)
    np.testing.assert_allclose(model.embed([pixels])[0], mean / mean.norm(), atol=1e-5)


def test_flip_averaging_makes_mirror_images_equal():
    pixels = tracklet(0, 2, 32, 16)
    both = [pixels, pixels[:, :, ::-1]]
    averaged, plain = (make(test={"coverage": "all", "flip": flip}).embed(both) for flip in (True, False))
    np.testing.assert_allclose(averaged[0], averaged[1], atol=1e-5)
    assert np.abs(plain[0] - plain[1]).max() > 1e-3


def test_coverage():
    pixels, changed = tracklet(0, 8, 32, 16), tracklet(0, 8, 32, 16)
    changed[[1, 2, 3, 5, 6, 7]] = 0  # the restricted-begin clip of two shows frames 0 and 4 only
    begin, everything = (make(test={"coverage": coverage, "flip": False}) for coverage in ("begin", "all"))
    np.testing.assert_allclose(begin.embed([pixels]), begin.embed([changed]), atol=1e-6)
    assert np.abs(everything.embed([pixels]) - everything.embed([changed])).max() > 1e-3


def test_a_batch_never_holds_more_than_its_images_and_a_generator_is_read_as_needed(monkeypatch):
    monkeypatch.setattr(embed, "BATCH_IMAGES", 8)
    model, sizes, given = make(), [], []

    class Watched(type(model.learner)):
        def encode(self, pixels):
            sizes.append(pixels.shape[0] * pixels.shape[1])
            assert len(given) * 3 <= sum(sizes) / 2 + 8  # three frames make two clips of two, seen twice
            return super().encode(pixels)

    def stream():
        for seed in range(40):
            given.append(seed)
            yield tracklet(seed)

    model.learner.__class__ = Watched
    assert model.embed(stream()).shape == (40, 64)
    assert max(sizes) == 8
    assert len(sizes) == 2 * 40 * 2 * 2 / 8


def test_a_clip_longer_than_a_batch(monkeypatch):
    monkeypatch.setattr(embed, "BATCH_IMAGES", 1)
    assert make().embed([tracklet(0)]).shape == (1, 64)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            np.zeros((3, 8, 8, 3), np.float32),
            r"tracklet 1 has shape \(3, 8, 8, 3\) and type float32, expected uint8 RGB",
        ),
        (np.zeros((3, 8, 8), np.uint8), r"tracklet 1 has shape \(3, 8, 8\) and type uint8"),
        (np.zeros((3, 3, 8, 8), np.uint8), r"tracklet 1 has shape \(3, 3, 8, 8\)"),
        (np.zeros((0, 8, 8, 3), np.uint8), r"shape \(0, 8, 8, 3\) .*with at least one frame"),
        (np.zeros((2, 0, 8, 3), np.uint8), r"shape \(2, 0, 8, 3\)"),
    ],
)
def test_what_is_no_tracklet_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        make().embed(iter([tracklet(0), wrong]))


def test_nothing_to_embed():
    with pytest.raises(ValueError, match="there is nothing to embed: no tracklets given"):
        make().embed(iter([]))


def test_tracklets_on_disk_embed_like_their_arrays_and_keep_their_labels(target):
    model, told = make(), []
    found = model.embed_tracklets(target.gallery, told.append)
    arrays = [np.stack(DiskFrames(one)[range(one.num_frames)]) for one in target.gallery]
    np.testing.assert_allclose(found.vectors, model.embed(arrays), atol=1e-6)
    assert found.person.tolist() == [one.person for one in target.gallery]
    assert found.camera.tolist() == [2] * 4
    assert told[-1] == len(target.gallery) == 4


def test_frames_of_mixed_sizes_in_one_tracklet(tmp_path):
    for number, size in enumerate([(32, 16), (64, 20)]):
        tiny.write_frames(tmp_path, [f"{number}.jpg"], 1, number, *size)
    assert len(make().embed_tracklets([Tracklet(str(tmp_path), ("0.jpg", "1.jpg"), 1, 0)])) == 1


def test_a_damaged_frame_is_named(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8 no more")
    with pytest.raises(ValueError, match=r"the frame .*a.jpg is damaged"):
        make().embed_tracklets([Tracklet(str(tmp_path), ("a.jpg",), 1, 0)])


def test_how_it_was_tested_is_said():
    expected = "all frames, flip-averaged in clips of 2, moving average of the weights (momentum 0.99)"
    model = make()
    assert model.test == how_tested(model.card) == expected
    begin = replace(
        model.card, settings=settings("source_only", {"test": {"coverage": "begin", "flip": False}, "average": 0.0})
    )
    assert how_tested(begin) == "restricted-begin frames, no flip in clips of 2, the trained network"


def test_the_network_is_not_in_training_mode():
    assert not make().learner.training
    assert inspect.signature(Model.embed).parameters.keys() == {"self", "tracklets", "cameras"}


def test_a_quick_model_looks_at_one_clip_and_no_mirror_images():
    model, pixels = make(), tracklet(0, 5, 32, 16)
    clip = torch.from_numpy(pixels[restricted_begin(5, 2)]).permute(0, 3, 1, 2)[None]
    with torch.no_grad():
        expected = torch.nn.functional.normalize(model.learner.encode(clip), dim=1)[0]
    quick = model.quick()
    np.testing.assert_allclose(quick.embed([pixels])[0], expected, atol=1e-5)
    assert quick.test.startswith("restricted-begin frames, no flip")
    assert model.test.startswith("all frames, flip-averaged")  # the other one stays as it is
    assert not np.allclose(model.embed([pixels])[0], expected, atol=1e-3)


def test_bf16_is_near_and_says_so():
    model, pixels = make(), [tracklet(0, 5, 32, 16), tracklet(1, 9, 32, 16)]
    near = Model(model.learner, model.card, precision="bf16")
    assert near.test.endswith(", bf16")
    vectors = near.embed(pixels)
    assert vectors.dtype == np.float32
    assert not np.array_equal(vectors, model.embed(pixels))
    assert (vectors * model.embed(pixels)).sum(1).min() > 0.999
