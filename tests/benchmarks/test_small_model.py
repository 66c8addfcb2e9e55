"""The maker of the shipped model: several seeds side by side, the first one shipped, nothing too large."""

import json

import pytest
from tests import tiny

from s2reid import model
from s2reid.model import Card
from s2reid.world import write

pytestmark = pytest.mark.usefixtures("tiny_scale")


@pytest.fixture
def maker(script):
    return script("small_model")


def row(rank1, mean_ap, **more):
    said = {"label": "standin-a", "protocol": "cross_camera", "is_real": False, "num_valid": 4}
    return {**said, "rank1": rank1, "rank5": 1.0, "rank10": 1.0, "mean_ap": mean_ap, **more}


def test_means_over_seeds(maker):
    scored = {0: [row(0.5, 0.6), row(1.0, 1.0, label="b", is_real=True)], 1: [row(0.7, 0.8), row(0.0, 0.5, label="b")]}
    made = maker.over_seeds(scored)
    assert [(one["target"], one["rank1"], one["is_real"]) for one in made] == [
        ("standin-a", pytest.approx(0.6), False),
        ("b", pytest.approx(0.5), True),
    ]
    assert made[0]["sd"]["mean_ap"] == pytest.approx(0.2 / 2**0.5)
    lines = maker.as_markdown(made).splitlines()
    assert lines[2] == ("| standin-a (rendered) | 60.0 ± 14.1 | 100.0 ± 0.0 | 100.0 ± 0.0 | 70.0 ± 14.1 | 60.0, 80.0 |")
    assert lines[3].startswith("| b (real) | 50.0 ± 70.7 |")
    assert maker.over_seeds({0: [row(0.5, 0.6)]})[0]["sd"]["mean_ap"] == 0.0


def test_what_is_too_large_does_not_ship(maker, tmp_path, monkeypatch):
    card = Card("source_only", model.settings("source_only"), tiny.task(), {})
    trained = model.save(tiny.learner(), card, tmp_path / "trained")
    monkeypatch.setattr(maker, "LARGEST", 1e4)
    with pytest.raises(ValueError, match=r"small has 0.\d MB, and what ships has at most 0 MB"):
        maker.put(trained, tmp_path / "small", [])


@pytest.mark.slow
def test_all_of_it_once(maker, target_root, tmp_path, monkeypatch):
    whole = write.write

    def small(preset, out, **asked):
        size = {"size": "tiny"} if preset.startswith("standin") else {"height": 32}
        return whole(preset, out, **asked, **size, workers=1)

    monkeypatch.setattr(write, "write", small)
    monkeypatch.setattr(maker, "TARGETS", {"standin-ilids": "ilids_vid"})
    monkeypatch.setattr(maker, "FRAMES", 1)
    arguments = [
        "--persons",
        "4",
        "--steps",
        "2",
        "--seeds",
        "1",
        "2",
        "--scale",
        "tiny",
        "--out",
        str(tmp_path / "out"),
    ]
    ship = tmp_path / "models" / "s2reid-small"
    arguments += ["--ship", str(ship), "--real", f"ilids_vid:{target_root}"]
    maker.main(arguments)
    said = json.loads((tmp_path / "out" / "scores.json").read_text())
    assert [one["target"] for one in said["rows"]] == ["standin-tiny, split 0", "standin-ilids, split 0"]
    assert all(len(one["each"]["mean_ap"]) == 2 for one in said["rows"])
    assert model.read_card(ship).provenance["seed"] == 1
    page = (ship / "MODEL_CARD.md").read_text()
    assert "# s2reid-small" in page
    assert "| made again by | `make model` |" in page
    assert "| licence | Apache-2.0 |" in page
    assert page.count("(rendered)") == 2

    before = tiny.snapshot(tmp_path / "out" / "runs")
    maker.main(arguments)
    assert tiny.snapshot(tmp_path / "out" / "runs") == before
