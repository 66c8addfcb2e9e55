"""Centring by cameras: as a loop, without labels, kept with a model, and worth something where cameras differ."""

import json
from dataclasses import replace

import numpy as np
import pytest
from tests import tiny

from s2reid import datasets, evaluate, experiment, model, publish, runs, search
from s2reid.cameras import PRIOR, CameraMeans, check_names
from s2reid.embed import Model, load_model
from s2reid.experiment import Plan
from s2reid.model import CAMERAS, Card, settings
from s2reid.types import Embeddings

pytestmark = pytest.mark.usefixtures("tiny_scale")


def seen(number=40, cameras=3, width=8, shift=0.0, seed=0, persons=10):
    """Persons whose vectors are moved by their camera."""
    rng = np.random.default_rng(seed)
    moves = shift * np.random.default_rng(99).standard_normal((cameras, width))
    looks = np.random.default_rng(seed + 1).standard_normal((persons, width))
    person, camera = np.arange(number) % persons, np.arange(number) // persons % cameras
    vectors = looks[person] + moves[camera] + 0.3 * rng.standard_normal((number, width))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Embeddings(vectors.astype(np.float32), person, camera + 1, np.zeros(number, int))


def test_means_and_centring_as_loops():
    known, others = seen(), seen(seed=3)
    means = CameraMeans.fit(known)
    overall = sum(known.vectors) / len(known)
    np.testing.assert_allclose(means.overall, overall, atol=1e-6)
    expected = []
    for vector, camera in zip(others.vectors, others.camera):
        own = [v for v, c in zip(known.vectors, known.camera) if c == camera]
        mean = (sum(own) + PRIOR * overall) / (len(own) + PRIOR)
        expected.append((vector - mean) / np.linalg.norm(vector - mean))
    np.testing.assert_allclose(means.centre(others.vectors, others.camera), expected, atol=1e-5)


def test_a_camera_that_is_not_known_is_centred_by_all():
    known = seen()
    means = CameraMeans.fit(known)
    expected = known.vectors - means.overall
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    for cameras in (None, [-1] * len(known), [77] * len(known)):
        np.testing.assert_allclose(means.centre(known.vectors, cameras), expected, atol=1e-6)


def test_a_camera_with_one_person_is_hardly_moved_by_him():
    known = seen(30, cameras=1)
    lonely = Embeddings(
        np.concatenate([known.vectors, -known.vectors[:1]]), *(np.append(c, [c[-1]]) for c in (known.person,)),
        np.append(known.camera, 2), np.append(known.outfit, 0),
    )  # fmt: skip
    means = CameraMeans.fit(lonely)
    assert np.linalg.norm(means.mean[1] - means.overall) < np.linalg.norm(-known.vectors[0] - means.overall) / PRIOR
    assert np.isfinite(means.centre(lonely.vectors, lonely.camera)).all()


def test_no_vector_and_a_vector_that_is_the_mean_itself():
    means = CameraMeans.fit(seen())
    assert means.centre(np.empty((0, 8), np.float32), []).shape == (0, 8)
    assert not means.centre(means.mean[:1], [1]).any()


def test_what_a_camera_does_to_everybody_is_taken_out():
    fit, test = seen(300, shift=1.5, seed=5, persons=100), seen(300, shift=1.5, seed=7, persons=100)
    before = evaluate.score(test, test).mean_ap
    centred = replace(test, vectors=CameraMeans.fit(fit).centre(test.vectors, test.camera))
    after = evaluate.score(centred, centred).mean_ap
    assert before < 0.6 < 0.8 < after
    even = seen(300, shift=0.0, seed=7, persons=100)  # and where cameras do nothing, nothing is lost
    kept = replace(even, vectors=CameraMeans.fit(seen(300, seed=5, persons=100)).centre(even.vectors, even.camera))
    assert evaluate.score(kept, kept).mean_ap > evaluate.score(even, even).mean_ap - 0.03


def test_persons_are_not_looked_at():
    known = seen()
    relabelled = replace(known, person=known.person[::-1].copy(), outfit=known.person)
    for name in ("camera", "mean", "overall"):
        ours, theirs = (getattr(CameraMeans.fit(e), name) for e in (known, relabelled))
        np.testing.assert_array_equal(ours, theirs)


def test_what_cannot_be_measured():
    with pytest.raises(ValueError, match="found 1 tracklets: give more"):
        CameraMeans.fit(seen()[:1])
    blocks = replace(seen(), vectors=np.zeros((40, 4, 2), np.float32))
    with pytest.raises(ValueError, match=r"no mean of features of shape \(4, 2\)"):
        CameraMeans.fit(blocks)
    with pytest.raises(ValueError, match="there are 40 vectors and 2 cameras: give one a vector"):
        CameraMeans.fit(seen()).centre(seen().vectors, [1, 2])


# Models


@pytest.fixture
def plain(tmp_path):
    card = Card("source_only", settings("source_only"), tiny.task(), {"source": {"name": "svreid"}, "target": None})
    return model.save(tiny.fill(tiny.learner()), card, tmp_path / "plain")


def test_a_calibrated_model_embeds_the_centred_vectors(plain, target, tmp_path):
    out = experiment.calibrate(plain, target, tmp_path / "out")
    raw = load_model(plain)
    means = CameraMeans.fit(raw.embed_tracklets(target.train))
    found = load_model(out).embed_tracklets(target.gallery)
    expected = means.centre(raw.embed_tracklets(target.gallery).vectors, found.camera)
    np.testing.assert_array_equal(found.vectors, expected)
    pictures = [np.random.default_rng(0).integers(0, 256, (3, 40, 20, 3), dtype=np.uint8)] * 2
    one = target.gallery[0].camera
    vectors = load_model(out).embed(pictures, [one, -1])
    np.testing.assert_allclose(vectors, means.centre(raw.embed(pictures), [one, -1]), atol=1e-6)
    assert np.abs(vectors[0] - vectors[1]).max() > 1e-3
    assert load_model(out).quick().cameras is not None
    assert load_model(out).test.endswith(f", centred by the cameras of {target.name}")
    assert model.digest(out) != model.digest(plain)
    again = experiment.calibrate(out, target, tmp_path / "again")  # measured anew, not twice
    assert model.digest(again) == model.digest(out)


def test_labels_and_test_persons_change_no_mean(plain, target, tmp_path):
    others = tuple(replace(t, person=-1, outfit=0) for t in target.train)
    bare = replace(target, train=others, query=(), gallery=())
    folders = [experiment.calibrate(plain, data, tmp_path / name) for data, name in ((target, "a"), (bare, "b"))]
    assert model.digest(folders[0]) == model.digest(folders[1])


def test_a_published_model_is_calibrated_and_a_calibrated_one_published(plain, target, tmp_path):
    small = model.publish(plain, tmp_path / "small")
    fitted = experiment.calibrate(small, target, tmp_path / "fitted")
    assert model.read_card(fitted).is_published
    given = tmp_path / "given"
    publish.publish(experiment.calibrate(plain, target, tmp_path / "out"), given)
    assert (given / CAMERAS).stat().st_mode == (given / "model.json").stat().st_mode
    assert f"| calibrated to | the cameras of {target.name}" in (given / publish.PAGE).read_text()
    for tracklets in (target.query, target.gallery):
        vectors = [load_model(folder).embed_tracklets(tracklets).vectors for folder in (fitted, given)]
        np.testing.assert_allclose(*vectors, atol=3e-2)


def test_a_run_keeps_both_tests(source, target, tmp_path):
    run = experiment.run(Plan("source_only", source, scale="tiny", schedule=tiny.schedule(2)), tmp_path)
    folder = experiment.calibrated(run / "model", target)
    assert folder.parent == run
    assert experiment.calibrated(run / "model", target) == folder
    (before,) = experiment.evaluate(run / "model", target)
    (after,) = experiment.evaluate(folder, target)
    kept = json.loads((run / "scores.json").read_text())
    assert [row.get("cameras") for row in kept] == [None, target.name]
    assert [row["label"] for row in kept] == [f"{target.name}, split 0", f"{target.name}, split 0, cameras centred"]
    assert before["cell"] != after["cell"]
    query = Embeddings.load(run / "embeddings" / after["cell"] / "query.npz")
    np.testing.assert_array_equal(query.vectors, load_model(folder).embed_tracklets(target.query).vectors)
    assert runs.read_scores(run) == kept


def test_another_split_s_cameras_are_not_clean(plain, target, tmp_path):
    splits = [replace(target, origin={**target.origin, "split": split}) for split in (0, 1)]
    out = experiment.calibrate(plain, splits[1], tmp_path / "out")
    experiment.evaluate(out, splits[1])
    with pytest.raises(ValueError, match=r"was calibrated to split 1 of .*: only --split 1 is clean"):
        experiment.evaluate(out, splits[0])


def test_models_and_data_that_do_not_fit(plain, target, tmp_path):
    with pytest.raises(ValueError, match=f"{target.name} has no training tracklets: its cameras cannot be measured"):
        experiment.calibrate(plain, replace(target, train=()), tmp_path / "out")
    before = model.digest(plain)
    (tmp_path / "mine").mkdir()
    for out in (tmp_path / "mine", plain):  # another model is not written over
        with pytest.raises(ValueError, match=f"{out.name} is there already and is no calibrated model: name a new"):
            experiment.calibrate(plain, target, out)
    assert model.digest(plain) == before
    experiment.calibrate(plain, target, tmp_path / "out")
    learner = tiny.fill(tiny.learner("qaconv"))
    card = Card("qaconv", settings("qaconv"), tiny.task(method="qaconv"), {})
    matcher = model.save(learner, card, tmp_path / "matcher")
    with pytest.raises(ValueError, match="qaconv compares by a distance of its own: it has no vectors to centre"):
        experiment.calibrate(matcher, target, tmp_path / "out")
    out = experiment.calibrate(plain, target, tmp_path / "out")
    (out / CAMERAS).write_bytes(b"cut short")
    with pytest.raises(ValueError, match=r"cameras\.safetensors cannot be read .*: calibrate the model again"):
        load_model(out)


def test_a_model_without_means_is_as_it_was(plain):
    assert load_model(plain).cameras is None
    assert isinstance(load_model(plain), Model)


def test_a_number_that_was_another_camera_s_is_refused(plain, tmp_path):
    def stand(name, cameras):
        for place, camera in enumerate(cameras):
            for person in range(2):
                tiny.write_frames(tmp_path / name / camera / str(person), ["1.jpg"], person, place)
        return datasets.load(f"cameras:{tmp_path / name}")

    fitted = experiment.calibrate(plain, stand("first", ["door", "hall", "yard"]), tmp_path / "fitted")
    card = model.read_card(fitted)
    assert card.provenance["camera_names"] == {"door": 0, "hall": 1, "yard": 2}
    search.gallery(f"cameras:{tmp_path / 'first'}", card)
    stand("second", ["hall", "yard"])
    message = "the camera hall has the number 0 here and had 1 when it was measured: give folders numbers of their own"
    for read in (search.gallery, lambda spec, card: search.queries(spec, -1, card)):
        with pytest.raises(ValueError, match=message):
            read(f"cameras:{tmp_path / 'second'}", card)
    for person in range(2):
        for place, camera in enumerate(["hall", "yard"]):
            tiny.write_frames(tmp_path / "labelled" / str(person) / camera, ["1.jpg"], person, place)
    with pytest.raises(ValueError, match=message):
        experiment.evaluate(fitted, datasets.load(f"persons:{tmp_path / 'labelled'}"))


def test_names_that_say_their_number_may_change():
    check_names({"cam_1": 1, "cam_2": 2}, {"door 2": 2, "7": 7})
    with pytest.raises(ValueError, match="the camera door has the number 1 here"):
        check_names({"cam_1": 1}, {"door": 1})
    with pytest.raises(
        ValueError, match="the camera a5 has the number 0 here and had 5 when it was measured: give folders"
    ):
        check_names({"a5": 5, "b6": 6}, {"a5": 0, "b5": 1})


def test_a_published_model_is_not_overwritten(plain, target, tmp_path):
    out = experiment.calibrate(plain, target, tmp_path / "fitted")
    publish.publish(out, tmp_path / "given")
    with pytest.raises(ValueError, match=r"given has been published \(MODEL_CARD.md is there\): name a new folder"):
        experiment.calibrate(plain, target, tmp_path / "given")
