"""Source and target in one picture, against singular vectors and by what is drawn."""

import re

import numpy as np
import pytest

from s2reid.report import scatter
from s2reid.report.scatter import MOST, between_share, domain_chart, principal
from s2reid.types import Embeddings


def domain(number, centre, seed=0, shape=(6,)):
    vectors = np.random.default_rng(seed).normal(size=(number, *shape)) + centre
    zeros = np.zeros(number, int)
    return Embeddings(vectors.astype(np.float32), zeros, zeros, zeros)


def drawn(svg):
    """Read the points of each domain back, in units of the drawing."""
    paths = re.findall(r'</title><path class="cloud" d="([^"]+)"', svg)
    return [np.array(re.findall(r"M([\d.]+) ([\d.]+)m", path), float) for path in paths]


def test_components_are_the_singular_vectors():
    vectors = np.random.default_rng(1).normal(size=(40, 7)) * np.arange(1, 8)
    points, shares = principal(vectors)
    centred = vectors - vectors.mean(0)
    left, values, _ = np.linalg.svd(centred, full_matrices=False)
    np.testing.assert_allclose(np.abs(points), np.abs(left[:, :2] * values[:2]), atol=1e-9)
    assert shares == pytest.approx(tuple(values[:2] ** 2 / (values**2).sum()))
    farthest = points[np.abs(points).argmax(0), [0, 1]]
    assert (farthest > 0).all()
    np.testing.assert_allclose(principal(-vectors)[0], points, atol=1e-9)


def test_points_are_drawn_where_they_are():
    source, target = domain(30, 1.0), domain(50, -1.0, seed=1)
    chart = domain_chart("ours", source, target)
    points, explained = principal(np.concatenate([scatter.flat(source), scatter.flat(target)]))
    first, second = drawn(chart.svg)
    assert (len(first), len(second)) == (30, 50)
    x, y = np.concatenate([first, second]).T
    for axis, sign, places in ((0, 1, x), (1, -1, y)):
        slope, _ = np.polyfit(points[:, axis], places, 1)
        assert np.corrcoef(points[:, axis], places)[0, 1] * sign == pytest.approx(1, abs=1e-4)
        assert sign * slope == pytest.approx(np.polyfit(points[:, 0], x, 1)[0], rel=1e-3)  # one unit for both axes
    assert x.min() >= scatter.LABEL
    assert x.max() <= scatter.LABEL + scatter.SIDE
    assert f"component 1: {100 * explained[0]:.1f} % of the variance" in chart.svg
    assert [row[:2] for row in chart.rows] == [("source", "30"), ("target", "50")]
    assert {*re.findall(r"m(-?[\d.]+)", "".join(re.findall(r"cloud\" d=\"([^\"]+)", chart.svg)))} == {
        "-2.4",
        "0",
    }  # two shapes


def test_the_share_between_domains():
    rng = np.random.default_rng(0)
    one = rng.normal(size=(500, 4))
    assert between_share(one, one) == pytest.approx(0)
    assert between_share(np.zeros((3, 2)), np.ones((5, 2))) == pytest.approx(1)
    assert between_share(one, one + 100) > 0.99
    assert between_share(np.zeros((3, 2)), np.zeros((5, 2))) == 0
    chart = domain_chart("ours", domain(9, 5.0), domain(9, -5.0, seed=1))
    share = float(re.fullmatch(r"ours: ([\d.]+) % of the variance is between the domains", chart.title)[1])
    expected = between_share(scatter.flat(domain(9, 5.0)), scatter.flat(domain(9, -5.0, seed=1)))
    assert share == pytest.approx(100 * expected, abs=0.05)
    assert share > 70


def test_strange_domains():
    """Many tracklets, features that are no vectors, one tracklet a domain, all of them alike."""
    many = drawn(domain_chart("t", domain(MOST + 333, 0.0), domain(3, 0.0, seed=1)).svg)
    assert [len(points) for points in many] == [MOST, 3]
    assert drawn(domain_chart("t", domain(2, 1.0, shape=(2, 3)), domain(1, 0.0, shape=(2, 3))).svg)
    alike = Embeddings(np.ones((2, 4), np.float32), *[np.zeros(2, int)] * 3)
    assert "NaN" not in domain_chart("t", alike, alike).svg
    assert "nan" not in domain_chart("t", alike, alike).svg
