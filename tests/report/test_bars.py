"""Bars with their spread."""

import re

import pytest

from s2reid.report.bars import Bar, bar_chart


def test_lengths_follow_the_values():
    svg = bar_chart("mAP", [Bar("Baseline", 20.0), Bar("Ours", 40.0, 5.0), Bar("nothing", 0.0)])
    spans = [(float(a), float(b)) for a, b in re.findall(r'class="bar" d="M([\d.]+) [\d.]+H([\d.]+)v', svg)]
    lengths = [end - start for start, end in spans]
    assert lengths[1] == pytest.approx(2 * lengths[0], abs=0.2)
    assert lengths[2] == 0
    (whisker,) = re.findall(r'class="error" d="M([\d.]+) [\d.]+H([\d.]+)M', svg)
    low, high = map(float, whisker)
    assert (low + high) / 2 == pytest.approx(spans[1][1], abs=0.11)
    assert (high - low) / lengths[1] == pytest.approx(0.25, abs=0.01)
    assert 'aria-label="mAP: Baseline 20.0, Ours 40.0, nothing 0.0"' in svg


def test_long_and_strange_names():
    svg = bar_chart("t", [Bar("a name much too long for its place", 1.0), Bar("<b>", 2.0)])
    assert "a name much too l…" in svg
    assert "<b>" not in svg


def test_no_bars():
    with pytest.raises(ValueError, match="nothing to draw in the chart 'mAP'"):
        bar_chart("mAP", [])
