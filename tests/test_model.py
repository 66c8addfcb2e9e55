"""A model folder: all that is needed, and a clear word where something is not."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from tests import tiny

import s2reid
from s2reid import lookup, model
from s2reid.model import CARD, WEIGHTS, Card
from s2reid.scales import TestSetting

pytestmark = pytest.mark.usefixtures("tiny_scale")
PROVENANCE = {"training": "abc", "source": {"name": "tiny"}, "seed": 0}


@pytest.fixture
def folder(tmp_path):
    card = Card("source_only", model.settings("source_only"), tiny.task(), PROVENANCE)
    return model.save(tiny.learner(), card, tmp_path / "model")


def edit(folder, **changes):
    card = json.loads((folder / CARD).read_text())
    (folder / CARD).write_text(json.dumps(card | changes))


def test_what_is_saved_is_loaded(folder):
    learner, card = model.load(folder)
    assert tiny.equal_weights(learner.state_dict(), tiny.learner().state_dict())
    assert not learner.training
    assert card == Card("source_only", model.settings("source_only"), tiny.task(), PROVENANCE)
    assert card.settings.test == TestSetting("all", True)
    assert {path.name for path in folder.iterdir()} == {CARD, WEIGHTS}
    assert (folder / WEIGHTS).stat().st_mode == (folder / CARD).stat().st_mode
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


def test_the_public_loader(folder):
    encoder = s2reid.load_model(folder)
    assert encoder.embed([np.zeros((1, 8, 4, 3), np.uint8)]).shape == (1, 64)
    assert s2reid.load_model(str(folder), "cpu").device == torch.device("cpu")


def test_a_model_replaces_another_and_a_failed_write_leaves_the_old_one(folder, monkeypatch):
    card = model.read_card(folder)
    model.save(tiny.learner(seed=1), card, folder)
    assert tiny.equal_weights(model.load(folder)[0].state_dict(), tiny.learner(seed=1).state_dict())

    def full(weights, path):
        raise model.SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(model, "save_file", full)
    with pytest.raises(OSError, match=r"cannot write the weights .*model.partial.*: I/O error: No space left"):
        model.save(tiny.learner(seed=2), card, folder)
    assert tiny.equal_weights(model.load(folder)[0].state_dict(), tiny.learner(seed=1).state_dict())


def test_a_model_that_was_moved_away_when_its_writer_was_killed_comes_back(folder, monkeypatch):
    card, old = model.read_card(folder), folder.with_name(f"{folder.name}.old")
    folder.rename(old)

    def full(weights, path):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(model, "save_file", full)
        with pytest.raises(OSError, match="cannot write the weights"):
            model.save(tiny.learner(seed=2), card, folder)
    assert not old.exists()
    assert not folder.with_name(f"{folder.name}.partial").exists()
    model.load(folder)


def test_folders_that_are_no_model(tmp_path, folder):
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    for name, found in (("none", "nothing"), ("file", "a file"), ("empty", "a folder without model.json")):
        with pytest.raises(ValueError, match=rf"{name} is no model: found {found}, expected a folder with model.json"):
            model.load(tmp_path / name)


def test_another_format(folder):
    edit(folder, format=2, s2reid="9.0")
    with pytest.raises(ValueError, match=r"model format 2 \(written by s2reid 9.0\), this version reads format 1"):
        model.load(folder)
    (folder / CARD).write_text("[]")
    with pytest.raises(ValueError, match="has model format None"):
        model.load(folder)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", r"model.json is not JSON .*: copy the model folder again"),
        ('{"format": 1}', "model.json lacks or misspells 'task'"),
        ('{"format": 1, "task": []}', "model.json lacks or misspells"),
    ],
)
def test_a_damaged_card(folder, text, message):
    (folder / CARD).write_text(text)
    with pytest.raises(ValueError, match=message):
        model.load(folder)


def test_a_card_of_other_names(folder):
    edit(folder, method="ours")
    with pytest.raises(ValueError, match=f"no method named 'ours': there are {', '.join(lookup.names('methods'))}"):
        model.load(folder)
    edit(folder, method="source_only", settings={"speed": 1})
    with pytest.raises(ValueError, match="source_only has no setting 'speed'"):
        model.load(folder)


@pytest.mark.parametrize("content", [b"", b"\0" * 100, None], ids=["empty", "zeros", "missing"])
def test_weights_that_cannot_be_read(folder, content):
    (folder / WEIGHTS).unlink()
    if content is not None:
        (folder / WEIGHTS).write_bytes(content)
    with pytest.raises(
        ValueError, match=r"cannot read the weights .*weights.safetensors .*: copy the model folder again"
    ):
        model.load(folder)


def test_weights_cut_short(folder):
    (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:-100])
    with pytest.raises(ValueError, match="cannot read the weights"):
        model.load(folder)


def test_weights_of_other_shapes_or_names(folder):
    with pytest.raises(
        ValueError, match=r"do not fit: 0 missing \[\], 0 unknown \[\], 1 of another shape \['classifier"
    ):
        model.load_weights(tiny.learner(num_persons=9), folder)
    with pytest.raises(
        ValueError, match=r"do not fit: 0 missing \[\], \d+ unknown \['average.*another number of persons"
    ):
        model.load_weights(tiny.learner(average=0.0), folder)
    bare = replace(model.read_card(folder), settings=model.settings("source_only", {"average": 0.0}))
    model.save(tiny.learner(average=0.0), bare, folder)
    with pytest.raises(ValueError, match=r"\d+ missing \['average"):
        model.load_weights(tiny.learner(), folder)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"speed": 1},
            "source_only has no setting 'speed': there are backbone, smoothing, margin, metric, average, test, blocks, "
            "stripes, ibn$",
        ),
        ({"needs_target": True}, "source_only has no setting 'needs_target'"),
        ({"average": "high"}, "the setting average of source_only is 'high', expected float"),
        ({"average": True}, "the setting average of source_only is True, expected float"),
        ({"margin": "soft"}, r"the setting margin of source_only is 'soft', expected float \| None"),
        ({"metric": "cos"}, "the setting metric of source_only is 'cos', expected 'cosine' or 'euclidean'"),
        ({"backbone": 3}, "the setting backbone of source_only is 3, expected str"),
        ({"test": "all"}, "the setting test of source_only is 'all', expected TestSetting"),
        ({"test": {"coverage": "end"}}, "the setting coverage of test is 'end', expected 'begin' or 'all'"),
        ({"test": {"flip": 1}}, "the setting flip of test is 1, expected bool"),
        ({"test": {"flop": True}}, "test has no setting 'flop': there are coverage, flip"),
        ({"average": 1.0}, "the setting average is 1.0, expected 0 or more and less than 1"),
        ({"smoothing": -0.1}, "the setting smoothing is -0.1, expected 0 or more"),
    ],
)
def test_settings_that_cannot_be(values, message):
    with pytest.raises(ValueError, match=message):
        model.settings("source_only", values)


def test_settings_that_can():
    made = model.settings("source-only", {"margin": None, "average": 0, "test": {"flip": False}})
    assert (made.margin, made.average, made.test) == (None, 0, TestSetting("all", False))
    assert isinstance(made.average, float)  # so that 0 and 0.0 make one key
    weights = model.settings("s2r", {"weights": [1, 1, 0.2, 0.6]}).weights
    assert (weights, {*map(type, weights)}) == ((1.0, 1.0, 0.2, 0.6), {float})
    assert model.settings("source_only", {"blocks": [1, 1, 1, 1]}).blocks == (1, 1, 1, 1)
    assert model.settings("source_only") == model.settings("source_only", {})


def test_an_unknown_backbone_is_named_with_those_there_are():
    known = ", ".join(lookup.names("backbones"))
    with pytest.raises(ValueError, match=rf"no backbone named 'c3d': there are {known}; did you mean 'c2d'\?"):
        tiny.learner(backbone="c3d")
