"""The demo, end to end, at the smallest size that holds a batch."""

import json

import numpy as np
import pytest
from tests import tiny

import s2reid
from s2reid import demo


@pytest.mark.slow
def test_the_demo_from_start_to_end_and_again(tmp_path, capsys, target_root):
    asked = demo.Demo(tmp_path / "demo", seed=3, real=f"ilids_vid:{target_root}", persons=40, steps=2)
    page = demo.run(asked)
    said = json.loads((tmp_path / "demo" / "scores.json").read_text())
    rows = [(row["method"], row["target"], row["adapted_to"]) for row in said["rows"]]
    assert rows == [
        (method, target, "standin-ilids" if method == "target_bn" else None)
        for target in ("standin-ilids", "standin-tiny")
        for method in ("untrained", "source_only", "target_bn")
    ]
    assert all(0 <= row["rank1"] <= row["rank5"] <= row["rank10"] <= 1 for row in said["rows"])
    assert said["rows"][0]["num_valid"] == said["rows"][0]["num_queries"] == 50
    assert said["rows"][1]["seconds_per_step"] > 0
    assert "target_bn to standin-ilids" in page.read_text("utf-8")
    assert "target_bn was adapted to standin-ilids" in capsys.readouterr().out
    vectors = s2reid.load_model(tmp_path / "demo" / "model").embed([np.zeros((2, 40, 20, 3), np.uint8)])
    assert vectors.shape == (1, 512)
    before = tiny.snapshot(tmp_path / "demo" / "runs")
    demo.run(asked)  # finds everything finished
    assert tiny.snapshot(tmp_path / "demo" / "runs") == before
    assert json.loads((tmp_path / "demo" / "scores.json").read_text())["rows"] == said["rows"]


def test_a_demo_that_cannot_be_is_refused_before_it_renders(tmp_path, source_root):
    for asked, message in (
        (demo.Demo(tmp_path / "demo", steps=0), "steps is 0, expected at least 1"),
        (demo.Demo(tmp_path / "demo", real=f"svreid:{source_root}"), "0 queries and 0 gallery tracklets"),
        (demo.Demo(tmp_path / "demo", persons=10), "has 10 persons, and a batch needs 32: give --persons 32 or more"),
    ):
        with pytest.raises(ValueError, match=message):
            demo.run(asked)
    assert not (tmp_path / "demo").exists()
