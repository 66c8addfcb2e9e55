import math
import re

import numpy as np
import pytest

from s2reid.report.figures import (
    HEIGHT,
    LABEL_GAP,
    MARKERS,
    NUM_COLOURS,
    NUM_DASHES,
    WIDTH,
    Line,
    cmc_chart,
    line_chart,
    spread,
    thin,
    ticks,
    training_chart,
)


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (0, 100), (0.123, 0.124), (-3, 7), (5, 5), (0, 0), (1e-7, 3e-7), (47, 98.3), (0, 12345)]
)
def test_ticks_are_round_even_and_cover_the_range(low, high):
    marks = ticks(low, high)
    steps = np.diff(marks)
    assert marks[0] <= low + 1e-12
    assert marks[-1] >= high - 1e-12
    assert 2 <= len(marks) <= 8
    np.testing.assert_allclose(steps, steps[0], rtol=1e-6)
    assert round(steps[0] / 10 ** math.floor(math.log10(steps[0]) + 1e-6), 3) in (1, 2, 5, 10)


def test_labels_move_apart_in_order_and_stay_inside():
    rng = np.random.default_rng(0)
    for number in range(1, 12):
        wanted = rng.uniform(0, 200, number).tolist()
        placed = spread(wanted, 15, 0, 200)
        assert np.argsort(wanted).tolist() == np.argsort(placed).tolist()
        assert min(np.diff(sorted(placed)), default=15) >= 15 - 1e-9
        assert min(placed) >= 0
        assert max(placed) <= 200 + 1e-9
    assert spread([], 15, 0, 200) == []
    assert spread([0.0, 50.0, 100.0], 15, 0, 100) == [0.0, 50.0, 100.0]


def labels(svg):
    return [(float(y), text) for y, text in re.findall(r'class="label" x="[\d.]+" y="([\d.]+)">([^<]*)<', svg)]


def test_equal_ends_get_labels_that_do_not_touch():
    lines = [Line(f"method {i}", [0, 1], [0.0, 1.0], i) for i in range(8)]
    found = labels(line_chart(lines, title="t", x_label="x", y_label="y"))
    assert len(found) == 8
    assert min(np.diff(sorted(y for y, _ in found))) >= LABEL_GAP - 0.11
    assert max(y for y, _ in found) < HEIGHT
    assert min(y for y, _ in found) > 0


def test_lines_are_told_apart_without_colour():
    looks = {(style % NUM_DASHES, MARKERS[style % len(MARKERS)]) for style in range(30)}
    assert len(looks) == 30
    svg = line_chart([Line("a", [0, 1], [0, 1], 8)], title="t", x_label="x", y_label="y")
    assert f'class="colour-{8 % NUM_COLOURS} dash-{8 % NUM_DASHES}"' in svg
    assert MARKERS[8 % len(MARKERS)] in svg


def test_values_land_where_the_axes_say():
    svg = line_chart([Line("a", [0, 50, 100], [0.0, 10.0, 5.0])], title="t", x_label="x", y_label="y")
    ((x0, y0), (x1, y1), (x2, y2)) = [
        (float(x), float(y))
        for x, y in re.findall(r"[ML]([\d.]+) ([\d.]+)", re.search(r'class="line" d="([^"]+)"', svg)[1])
    ]
    assert (x1 - x0, x2 - x1) == pytest.approx(((x2 - x0) / 2,) * 2, abs=0.11)
    assert (y0 - y1) == pytest.approx(2 * (y0 - y2), abs=0.21)
    grid = {text: float(y) - 4 for y, text in re.findall(r'y="([\d.]+)" text-anchor="end">([^<]+)<', svg)}
    assert (grid["0"], grid["10"]) == pytest.approx((y0, y1))
    assert x2 < WIDTH


def test_a_value_that_is_not_finite_leaves_a_gap():
    line = Line("a", [0, 1, 2, 3], [1.0, float("nan"), 2.0, float("inf")])
    path = re.search(r'class="line" d="([^"]+)"', line_chart([line], title="t", x_label="x", y_label="y"))[1]
    assert path.count("M") == 2
    assert "L" not in path
    empty = Line("nothing", [0], [float("nan")])
    assert [text for _, text in labels(line_chart([line, empty], title="t", x_label="x", y_label="y"))] == ["a"]
    with pytest.raises(ValueError, match="nothing to draw in the chart 'identity'"):
        line_chart([empty], title="identity", x_label="x", y_label="y")


def test_long_names_are_cut_in_the_drawing_and_whole_in_its_title():
    name = "a method with a very long name"
    svg = line_chart([Line(name, [0, 1], [0, 1])], title="t", x_label="x", y_label="y")
    assert [text for _, text in labels(svg)] == ["a method with a v…"]
    assert f"<title>{name}</title>" in svg


def test_the_cmc_table_repeats_the_curve():
    curve = np.linspace(0.5, 0.975, 20)
    chart = cmc_chart("standin", [("a", 0, curve), ("b", 1, curve[:5])])
    assert chart.header == ("method", "rank 1", "rank 2", "rank 5", "rank 10", "rank 20")
    assert chart.rows == (("a", "50.0", "52.5", "60.0", "72.5", "97.5"), ("b", "50.0", "52.5", "60.0", "–", "–"))


def test_training_numbers_are_those_of_the_log_not_of_the_drawing():
    values = [float(v) for v in range(1000, 0, -1)]
    chart = training_chart("identity", [Line("a", list(range(1000)), values), Line("b", [0], [float("nan")])])
    assert chart.rows == (("a", "1,000", "1", "1", "1,000"), ("b", "nan", "nan", "nan", "nan"))


def test_an_axis_of_logged_values_has_its_zero():
    for values in ([-0.0652, -0.0653], [0.0652, 0.0653]):
        svg = training_chart("mean cosine", [Line("a", [0, 1], values)]).svg
        marks = re.findall(r'text-anchor="end">([^<]+)<', svg)
        assert "0" in marks
        assert len({*marks}) == len(marks)


def test_thinning_keeps_the_mean():
    x = list(range(997))
    y = np.random.default_rng(0).normal(size=997).tolist()
    thinned = thin(Line("a", x, y), most=100)
    weights = [len(part) for part in np.array_split(x, 100)]
    assert len(thinned.x) == 100
    assert np.average(thinned.y, weights=weights) == pytest.approx(np.mean(y))
