"""Models that come with the package: a name is enough, in Python and on the command line, and nothing is downloaded."""

import fnmatch
import json
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from tests import tiny
from tests.shared import ROOT

import s2reid
from s2reid import cli, doctor, experiment, model, shipped
from s2reid.experiment import Plan
from s2reid.model import CARD, WEIGHTS, Card

pytestmark = pytest.mark.usefixtures("tiny_scale")
SMALL = "s2reid-small"


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Let the package come with one model, published from an untrained one, and run in an empty folder."""
    card = Card("source_only", model.settings("source_only"), tiny.task(), {"source": {"name": "tiny-source"}})
    trained = model.save(tiny.learner(), card, tmp_path / "trained")
    monkeypatch.setattr(shipped, "FOLDER", tmp_path / "package" / "models")
    shipped.FOLDER.mkdir(parents=True)
    model.publish(trained, shipped.FOLDER / SMALL)
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    return trained


def test_a_name_is_enough(package):
    pictures = [np.full((2, 40, 20, 3), shade, np.uint8) for shade in (0, 90, 200)]
    assert shipped.names() == [SMALL]
    np.testing.assert_array_equal(
        s2reid.load_model(SMALL).embed(pictures), s2reid.load_model(shipped.FOLDER / SMALL).embed(pictures)
    )


def test_a_folder_of_the_same_name_wins(package, tmp_path):
    assert shipped.find(SMALL) == shipped.FOLDER / SMALL
    model.save(tiny.learner(seed=1), model.read_card(package), SMALL)
    assert shipped.find(SMALL).resolve() == tmp_path / "empty" / SMALL
    assert not s2reid.load_model(SMALL).card.is_published
    assert shipped.find(f"elsewhere/{SMALL}").as_posix() == f"elsewhere/{SMALL}"


def test_another_name_is_told_which_there_are(package, monkeypatch):
    with pytest.raises(
        ValueError, match=r"s2reid-smal is no model: found nothing, .* comes with s2reid: s2reid-small$"
    ):
        s2reid.load_model("s2reid-smal")
    monkeypatch.setattr(shipped, "FOLDER", shipped.FOLDER / "none")
    assert shipped.names() == []
    with pytest.raises(ValueError, match=r"as `s2reid train` makes$"):
        s2reid.load_model(SMALL)


def test_it_is_not_trained_further(package, source):
    with pytest.raises(ValueError, match="s2reid-small is a published model, which embeds and cannot be trained furth"):
        Plan("source_only", source, scale="tiny", start=Path(SMALL)).training()


def test_it_is_scored(package, target):
    (row,) = experiment.evaluate(Path(SMALL), target)
    assert row["num_valid"] == 4
    assert not (shipped.FOLDER / "scores.json").exists()


def test_the_command_line_takes_the_name(package, target_root, capsys, monkeypatch):
    data = f"ilids_vid:{target_root}"
    for arguments in (
        ("embed", SMALL, data, "--out", "x.npz"),
        ("evaluate", SMALL, data, "--json"),
        ("search", SMALL, data, data, "--top", "1"),
    ):
        monkeypatch.setattr(sys, "argv", ["s2reid", *arguments])
        cli.main()
    assert '"num_valid": 4' in capsys.readouterr().out


def test_the_doctor_lists_it(package, monkeypatch):
    found = json.loads(json.dumps(doctor.examine()))
    assert found["models"] == {SMALL: str(shipped.FOLDER / SMALL)}
    assert "\nmodels     s2reid-small\n" in doctor.as_text(found)
    assert "\nmodels     none came with this copy; train one" in doctor.as_text(found | {"models": {}})


def test_the_package_takes_its_files_along():
    package_data = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["s2reid"]
    for name in (CARD, WEIGHTS, "MODEL_CARD.md"):
        assert any(fnmatch.fnmatch(f"models/{SMALL}/{name}", pattern) for pattern in package_data)


def test_the_shipped_weights():
    folder = shipped.FOLDER / SMALL
    if not folder.exists():
        pytest.skip("the weights of s2reid-small are not in this checkout yet: `make model` makes them")
    assert {path.name for path in folder.iterdir()} == {CARD, WEIGHTS, "MODEL_CARD.md"}
    assert sum(path.stat().st_size for path in folder.iterdir()) < 5e6
    encoder = s2reid.load_model(SMALL)
    assert encoder.card.is_published
    assert "preset" in encoder.card.provenance["source"], "it was trained on something that is not rendered"
    assert encoder.card.provenance["target"] is None
    assert sum(parameter.numel() for parameter in encoder.learner.embedder.parameters()) < 2e6
    rng = np.random.default_rng(0)
    vectors = encoder.embed([rng.integers(0, 256, (2, 60, 30, 3), dtype=np.uint8) for _ in range(3)])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    page = (folder / "MODEL_CARD.md").read_text()
    assert all(heading in page for heading in ("# s2reid-small", "## Scores", "## Limits", "Apache-2.0"))


def test_the_small_model_knows_a_person_from_another_in_another_light():
    encoder = s2reid.load_model(SMALL)
    people = [tiny.image(person, 0, height=128, width=64) for person in range(8)]
    darker = [(image * 0.7).astype(np.uint8) for image in people]
    vectors = encoder.embed([np.stack([image] * 2) for image in people + darker])
    similarity = vectors[:8] @ vectors[8:].T
    assert (similarity.argmax(1) == np.arange(8)).all()
