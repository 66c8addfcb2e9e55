"""What was logged, as charts."""

import re

import pytest

from s2reid.report.training import Curve, adaptation_charts, training_sections

NAN = float("nan")
LOGGED = {
    "identity": [3.0, 2.0, 1.0],
    "weight of identity": [1.0, 1.2, 1.4],
    "weight of domain": [0.2, 0.3, 0.25],
    "weight of nothing": [0.6, 0.6, 0.6],
    "frame accuracy": [0.9, 0.7, 0.55],
    "video accuracy": [0.8, 0.6, 0.5],
    "cluster disagreement": [NAN, 0.5, 0.25],
    "mean cosine": [NAN, 0.1, 0.2],
    "effective rank": [NAN, 5.0, 7.0],
}
CURVE = Curve("ours", [10, 20, 30], LOGGED, {10: "stage 2"})
STYLES = {"ours": 0, "base": 1}


def test_charts_of_the_adaptation():
    weights, heads, *rest = adaptation_charts([CURVE], STYLES)
    assert weights.title == "Learned loss weights: ours"
    assert [row[:3] for row in weights.rows] == [("identity", "1", "1.4"), ("domain", "0.2", "0.25")]
    assert [row[:3] for row in heads.rows] == [
        ("frame", "0.9", "0.55"),
        ("video", "0.8", "0.5"),
        ("guessing", "0.5", "0.5"),
    ]
    assert [chart.title.partition(":")[0] for chart in rest] == [
        "Cluster disagreement",
        "Mean cosine",
        "Effective rank",
    ]
    assert rest[0].rows == (("ours", "0.5", "0.25", "0.25", "0.5"),)


def test_the_drawn_lines_are_the_logged_values():
    _, heads, *_ = adaptation_charts([CURVE], STYLES)
    labels = re.findall(r'y="([\d.]+)" text-anchor="end">([^<]+)<', heads.svg)
    (bottom, low), *_, (top, high) = [(float(y) - 4, float(text)) for y, text in labels]
    line = re.findall(r"[ML][\d.]+ ([\d.]+)", re.search(r'class="line" d="([^"]+)"', heads.svg)[1])
    found = [low + (bottom - float(y)) / (bottom - top) * (high - low) for y in line]
    assert found == pytest.approx(LOGGED["frame accuracy"], abs=0.003)


def test_a_later_stage_is_marked_where_it_began():
    for chart in adaptation_charts([CURVE], STYLES):
        (x,) = re.findall(r'class="stage" d="M([\d.]+) ', chart.svg)
        ticks = dict(re.findall(r'<text class="tick" x="([\d.]+)" y="[\d.]+" text-anchor="middle">([^<]+)<', chart.svg))
        assert ticks[x] == "10"
        assert ">stage 2<" in chart.svg


def test_runs_share_what_can_be_compared_and_nothing_is_drawn_twice():
    base = Curve("base", [1, 2], {"identity": [2.0, 1.0], "mean cosine": [0.3, 0.4]})
    charts = adaptation_charts([base, CURVE], STYLES)
    assert [[row[0] for row in chart.rows] for chart in charts[3:4]] == [["base", "ours"]]
    sections = list(training_sections([base, CURVE], STYLES))
    assert [section.name for section in sections] == ["adaptation", "training"]
    assert sections[0].body.count("<svg") == 5
    assert sections[1].body.count("<svg") == 1
    assert not adaptation_charts([Curve("x", [1], {"weight of domain": [NAN]})], {"x": 0})
    assert [section.name for section in training_sections([Curve("x", [1], {"identity": [1.0]})], {"x": 0})] == [
        "training"
    ]
