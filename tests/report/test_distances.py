"""Histograms of distances, against pairs counted by hand."""

import re
from dataclasses import replace

import numpy as np
import pytest

from s2reid.metrics.ranking import other_camera_other_outfit
from s2reid.report import distances
from s2reid.report.distances import BINS, distance_chart, overlap, pair_distances


def heights(svg):
    """Read the values drawn back from a chart: a list a line, by the labels of the y axis."""
    labels = re.findall(r'y="([\d.]+)" text-anchor="end">([^<]+)<', svg)
    (y0, low), *_, (y1, high) = [(float(y) - 4, float(text)) for y, text in labels]
    lines = [re.findall(r"[ML][\d.]+ ([\d.]+)", path) for path in re.findall(r'class="line" d="([^"]+)"', svg)]
    return [[low + (y0 - float(y)) / (y0 - y1) * (high - low) for y in line] for line in lines]


def test_pairs_are_those_that_count(make_result):
    result = make_result()
    same, different = pair_distances(result)
    angles, places = np.radians([0, 10, 11, 14, 2]), np.radians([0, 10, 20, 30, 40, 90])
    expected = 1 - np.cos(angles[:, None] - places)
    is_same = np.eye(5, 6, dtype=bool)
    np.testing.assert_allclose(np.sort(same), np.sort(expected[is_same]), atol=1e-6)
    np.testing.assert_allclose(np.sort(different), np.sort(expected[~is_same]), atol=1e-6)
    unknown = replace(result.gallery, person=np.array([1, 2, 3, 4, 5, -1]))
    tracklets = (*result.gallery_tracklets[:5], replace(result.gallery_tracklets[5], person=-1))
    assert [len(part) for part in pair_distances(replace(result, gallery=unknown, gallery_tracklets=tracklets))] == [
        5,
        20,
    ]


def test_what_is_drawn_is_what_was_counted(make_result):
    result = make_result()
    chart = distance_chart("ours", result)
    drawn = heights(chart.svg)
    assert [len(line) for line in drawn] == [BINS, BINS]
    same, different = pair_distances(result)
    edges = np.linspace(min(same.min(), different.min()), max(same.max(), different.max()), BINS + 1)
    for line, values in zip(drawn, (same, different)):
        np.testing.assert_allclose(line, 100 * np.histogram(values, edges)[0] / len(values), atol=0.5)
    assert chart.rows[0] == ("same", "5", f"{same.mean():.3f}", f"{same.std():.3f}")
    assert chart.rows[1][:2] == ("different", "25")
    assert chart.title == f"ours: overlap {100 * overlap(same, different):.1f} %"


def test_overlaps():
    rng = np.random.default_rng(0)
    values = rng.normal(size=1000)
    assert overlap(values, values) == pytest.approx(1)
    assert overlap(values, values + 100) == 0
    assert overlap(np.zeros(3), np.zeros(2)) == pytest.approx(1)


def test_many_queries_are_thinned_evenly(make_result, monkeypatch):
    monkeypatch.setattr(distances, "MOST_QUERIES", 3)
    same, different = pair_distances(make_result())
    np.testing.assert_allclose(same, 1 - np.cos(np.radians([0, 9, 38])), atol=1e-6)
    assert len(different) == 15


def test_nothing_to_compare(make_result):
    assert distance_chart("ours", make_result(keep=other_camera_other_outfit)) is None
