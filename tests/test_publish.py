"""Publishing: what embeds stays, what only training needs goes, and a page says what it is."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tests import tiny

from s2reid import cli, lookup, model, publish, runs, shipped
from s2reid.embed import load_model
from s2reid.model import CARD, WEIGHTS, Card

pytestmark = pytest.mark.usefixtures("tiny_scale")
SOURCE = {"name": "svreid-tiny", "preset": "svreid-tiny", "seed": 3, "version": 1}
MADE = {"source": SOURCE, "target": None, "seed": 0, "command": "s2reid train", "commit": "abc", "s2reid": "0.1.0"}


@pytest.fixture
def trained(tmp_path):
    card = Card("source_only", model.settings("source_only"), tiny.task(), MADE)
    return model.save(tiny.fill(tiny.learner()), card, tmp_path / "run" / "model")


def pictures():
    return [np.random.default_rng(seed).integers(0, 256, (3, 40, 20, 3), dtype=np.uint8) for seed in range(4)]


WITHOUT = {"qaconv": [{}], "s2r": [{}], "s2r_released": [{}], "glt": [{"average": 0.9}]}
"""Without a choice: they have no average, or are nothing without."""
CASES = [
    (method, choice)
    for method in lookup.names("methods")
    for choice in WITHOUT.get(method, [{"average": 0.0}, {"average": 0.9}])
]


@pytest.mark.parametrize(("method", "choice"), CASES)
def test_a_published_model_embeds_as_the_trained_one(method, choice, tmp_path):
    learner = tiny.fill(tiny.learner(method, **choice))
    card = Card(method, learner.settings, tiny.task(method=method), MADE)
    folder = model.save(learner, card, tmp_path / "model")
    out = model.publish(folder, tmp_path / "small")
    np.testing.assert_allclose(load_model(out).embed(pictures()), load_model(folder).embed(pictures()), atol=2e-3)
    assert load_model(out).test == load_model(folder).test


def test_there_are_as_many_methods_as_were_tried():
    assert len(lookup.names("methods")) >= 2


def test_no_head_and_half_precision(trained, tmp_path):
    out = model.publish(trained, tmp_path / "small")
    weights = load_file(out / WEIGHTS)
    kinds = {(value.ndim > 1, value.dtype) for value in weights.values() if value.is_floating_point()}
    assert kinds == {(True, torch.float16), (False, torch.float32)}
    assert not any("classifier" in name or "average" in name for name in weights)
    num_persons = model.read_card(trained).task.num_persons
    assert not any(num_persons in value.shape for value in weights.values())
    assert (out / WEIGHTS).stat().st_size < (trained / WEIGHTS).stat().st_size / 3
    assert model.read_card(out).is_published
    assert not model.read_card(trained).is_published
    assert model.read_card(out).provenance == MADE


def test_publishing_twice_gives_the_same_bytes(trained, tmp_path):
    one, other = (model.publish(trained, tmp_path / name) for name in ("one", "other"))
    again = model.publish(trained, one)
    assert (again / WEIGHTS).read_bytes() == (other / WEIGHTS).read_bytes()
    assert (again / CARD).read_bytes() == (other / CARD).read_bytes()


def test_nothing_else_is_overwritten(trained, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "me.jpg").write_text("me")
    for out in (tmp_path / "photos", tmp_path / "photos" / "me.jpg", trained):
        with pytest.raises(ValueError, match="is there already and is no published model: name a new folder"):
            model.publish(trained, out)
    assert (tmp_path / "photos" / "me.jpg").read_text() == "me"
    assert not model.read_card(trained).is_published


def test_a_number_too_large(trained, tmp_path):
    weights = load_file(trained / WEIGHTS)
    name = next(name for name in weights if name.startswith("average") and weights[name].ndim == 4)
    weights[name][0, 0, 0, 0] = 1e6
    save_file(weights, trained / WEIGHTS)
    with pytest.raises(ValueError, match=r"holds 1000000.0, too large for half precision: did the training diverge\?"):
        model.publish(trained, tmp_path / "small")
    assert not (tmp_path / "small").exists()


def test_published_weights_fit_no_learner(trained, tmp_path):
    out = model.publish(trained, tmp_path / "small")
    with pytest.raises(ValueError, match=r"do not fit: \d+ missing"):
        model.load_weights(tiny.learner(), out)


def test_the_page(trained, target, tmp_path):
    rows = publish.publish(trained, tmp_path / "small", [[target]], licence="Apache-2.0", again="make model")
    text = (tmp_path / "small" / shipped.PAGE).read_text()
    assert {path.name for path in (tmp_path / "small").iterdir()} == {CARD, WEIGHTS, shipped.PAGE}
    assert text.startswith("# small\n")
    assert 's2reid.load_model("small")' in text
    assert "| trained on | svreid-tiny, seed 3, version 1: rendered, with no real image in it; 4 persons |" in text
    assert "| adapted to | nothing |" in text
    assert "| command | `s2reid train` |" in text
    assert "| made again by | `make model` |\n| licence | Apache-2.0 |\n" in text
    assert ", 64 numbers a vector |" in text
    (row,) = rows
    assert f"| standin-tiny, split 0 (rendered) | ilids_vid | {100 * row['rank1']:.1f} |" in text
    assert f"| {100 * row['mean_ap']:.1f} | {100 * row['interval'][0]:.1f}-" in text
    assert publish.LIMITS in text


def test_a_page_that_was_corrected_by_hand_is_kept(trained, tmp_path, monkeypatch):
    publish.publish(trained, tmp_path / "small")
    page, pages = tmp_path / "small" / shipped.PAGE, []
    page.write_text("corrected")
    monkeypatch.setattr(publish.experiment, "evaluate", None)  # a scoring that fails
    with pytest.raises(TypeError):
        publish.publish(trained, tmp_path / "small", [[]])
    assert not page.exists()
    for text in ("again", "again", "and again"):
        publish.publish(trained, tmp_path / "small")
        assert page.read_text().startswith("# small")
        page.write_text(text)
        pages.append({path.read_text() for path in page.parent.glob(f"{shipped.PAGE}.old*")})
    assert pages == [{"corrected"}, {"corrected", "again"}, {"corrected", "again"}]


def test_a_model_that_ships_is_published_by_its_name(tmp_path):
    publish.publish(Path("s2reid-small"), tmp_path / "mine")
    assert load_model(tmp_path / "mine").card.is_published


def test_the_page_of_another_model(trained, tmp_path):
    card = json.loads((trained / CARD).read_text())
    card["provenance"] |= {"source": {"name": "mars"}, "target": {"name": "cameras"}}
    (trained / CARD).write_text(json.dumps(card))
    assert publish.publish(trained, tmp_path / "small") == []
    text = (tmp_path / "small" / shipped.PAGE).read_text()
    assert "| trained on | mars: recordings; 4 persons |" in text
    assert "| adapted to | cameras: recordings |" in text
    assert "It was not scored when it was published." in text
    assert "licence" not in text
    assert "made again" not in text


def test_the_verb(trained, target_root, tmp_path, capsys, monkeypatch):
    runs.write_json(trained.parent / "run.json", {})
    data = f"ilids_vid:{target_root}"
    monkeypatch.setattr(sys, "argv", ["s2reid", "publish", str(trained), str(tmp_path / "small"), "--on", data])
    cli.main()
    out = capsys.readouterr().out
    assert "standin-tiny" in out
    assert f"wrote {tmp_path / 'small'}; read {tmp_path / 'small' / 'MODEL_CARD.md'} before you give it away" in out
    assert not (trained.parent / "scores.json").exists()  # the published model was scored, not the run's
