import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from s2reid.metrics.ranking import other_camera_other_outfit
from s2reid.report import document, strips
from s2reid.report.page import Curve, domain_charts, write_page
from s2reid.report.queries import NUM_HITS, NUM_RANDOM, pick
from s2reid.report.strips import strip

COMMAND = "s2reid demo --seed 3"
CURVES = [Curve("ours", [1, 2, 3], {"identity": [3.0, 2.0, 1.0], "images_per_second": [100.0, 110.0, 120.0]})]


@pytest.fixture
def write(tmp_path, read):
    """Write a page and read it back."""

    def write(results, **changes):
        values = {"title": "Demo", "command": COMMAND, "seed": 3, "results": results, **changes}
        return read(write_page(tmp_path / "out" / "report.html", **values))

    return write


def text_of(page):
    return " ".join("".join(page.elements[0][2]).split())


def section_names(page):
    return [attrs["id"] for attrs, _ in page.find("section")]


def test_nothing_is_requested_and_nothing_runs(write, make_result, tmp_path):
    watched = {"weight of identity": [1.0, 1.1, 1.2], "frame accuracy": [0.9, 0.7, 0.5], "mean cosine": [0.1, 0.2, 0.3]}
    base = make_result("base", degrees=(40.0, 10.0, 20.0, 30.0, 40.0))
    ours = make_result()
    page = write(
        [replace(base, source=base.gallery), replace(ours, source=ours.gallery)],
        curves=[*CURVES, Curve("base", [1, 2, 3], watched, {2: "stage 2"})],
        versus=("base", "ours"),
    )
    assert section_names(page) == [
        *("scores", "cmc", "differences", "distances", "domains", "adaptation", "training", "queries", "made")
    ]
    text = (tmp_path / "out" / "report.html").read_text("utf-8")
    for forbidden in ("http:", "https:", "//", "@import", "url(", "<script", "<iframe"):
        assert forbidden not in re.sub(r"base64,[^\"]*", "", text), forbidden
    links = [attrs[name] for _, attrs, _ in page.elements for name in ("src", "href", "srcset") if name in attrs]
    assert len(links) > 20
    assert all(link.startswith(("data:", "#")) for link in links)
    assert not [name for _, attrs, _ in page.elements for name in attrs if name.startswith("on")]
    (policy,) = [attrs["content"] for attrs, _ in page.find("meta") if "http-equiv" in attrs]
    assert "default-src 'none'" in policy


def test_sections_come_in_order_and_an_empty_one_is_absent(write, make_result, make_tracklet, tmp_path):
    sheet = Path(make_tracklet(1, 1).paths()[0])
    assert section_names(write([make_result()])) == ["scores", "cmc", "distances", "queries", "made"]
    full = write([make_result()], curves=CURVES, sheets={"standin-tiny": sheet}, facts={"machine": "2 cores"})
    assert section_names(full) == ["scores", "cmc", "distances", "training", "queries", "data", "made"]
    assert [attrs["href"] for attrs, _ in full.find("a")] == [f"#{name}" for name in section_names(full)]
    assert [text for _, text in full.find("dt")] == ["machine"]
    assert [text for _, text in full.find("dd")] == ["2 cores"]
    assert len(full.find("img", class_="sheet")) == 1
    assert (
        section_names(write([make_result()], curves=[Curve("ours", [1], {"identity": [float("nan")]})]))[3] == "queries"
    )


def test_the_table_prints_the_scores_in_percent(write, make_result):
    page = write([make_result("a", mean_ap=0.25), make_result("b", mean_ap=0.755)])
    cells = [text for _, text in page.find("td")]
    assert cells[:6] == ["12.3", "56.8", "90.0", "25.0", "15.0–35.0", "5 / 7"]
    assert cells[6:12] == ["12.3", "56.8", "90.0", "75.5", "65.5–85.5", "5 / 7"]
    assert next(text for _, text in page.find("tr", class_="best")).startswith("b best mAP")
    assert len(page.find("tr", class_="best")) == 1
    assert [text for _, text in page.find("span", class_="protocol")] == ["cross_camera"]
    assert COMMAND in [text for _, text in page.find("code")]
    assert "(seed 3)" in text_of(page)


def test_standins_and_real_data_never_share_a_table(write, make_result):
    page = write(
        [make_result(), make_result(target="mars", is_real=True), make_result("base"), make_result(target="standin-b")]
    )
    tables = [text for _, text in page.find("table", class_="scores")]
    assert len(tables) == 2
    assert "standin-tiny" in tables[0]
    assert "standin-b" in tables[0]
    assert "mars" not in tables[0]
    assert "mars" in tables[1]
    assert "standin" not in tables[1]
    assert "2 methods on 2 stand-ins and 1 real set" in text_of(page)


def test_best_worst_and_random_queries_are_those_worked_out_by_hand(write, make_result):
    page = write([make_result()])
    shown = [text for _, text in page.find("article")]
    assert len(shown) == 5
    assert shown[0].startswith("Best query average precision 100.0 %, first right match at rank 1 of 6 query person 1,")
    assert shown[1].startswith("Worst query average precision 20.0 %, first right match at rank 5 of 6 query person 5,")
    assert [int(re.search(r"query person (\d)", text)[1]) for text in shown[2:]] == [2, 3, 4]


def test_marks_agree_with_the_labels(write, make_result):
    page = write([make_result()])
    marked = 0
    for _, article in page.find("article"):
        asked = re.search(r"query person (\d)", article)[1]
        hits = re.findall(r"(\d+) ([✓✗]) (right|wrong) (person (\d)|distractor), camera 2 distance", article)
        assert [hit[0] for hit in hits] == ["1", "2", "3", "4", "5", "6"]
        for _, mark, word, _, person in hits:
            assert (mark, word) == (("✓", "right") if person == asked else ("✗", "wrong"))
        marked += len(hits)
    assert marked == 30
    assert len(page.find("li", class_="right")) == 5
    assert all("✓" in text and "right" in text for _, text in page.find("li", class_="right"))
    assert all("✗" in text and "wrong" in text for _, text in page.find("li", class_="wrong"))


def test_a_right_match_far_down_is_shown_at_its_rank(write, make_result, make_tracklet, on_circle):
    crowd = (*(make_tracklet(person, 2) for person in range(100, 120)), make_tracklet(1, 2))
    query = (make_tracklet(1, 1),)
    sides = {"query": on_circle(query, [0.0]), "gallery": on_circle(crowd, list(range(21)))}
    far = make_result(**sides, query_tracklets=query, gallery_tracklets=crowd)
    hits = write([far]).find("li", class_="hit")
    assert [attrs["value"] for attrs, _ in hits] == [*map(str, range(1, NUM_HITS + 1)), "21"]
    assert ["skipped" in attrs["class"].split() for attrs, _ in hits] == [False] * NUM_HITS + [True]
    assert "✓" in hits[-1][1]
    assert "person 1, camera 2" in hits[-1][1]


def test_entries_that_the_protocol_removes_are_not_listed(write, make_result):
    """Every outfit is 0, so under the clothes-changing rule no person has a match, and none is listed."""
    assert "No query has a match" in text_of(write([make_result(keep=other_camera_other_outfit)]))
    same_camera = make_result()
    cameras = np.array([1, 2, 2, 2, 2, 2])
    gallery = replace(same_camera.gallery, camera=cameras)
    tracklets = tuple(replace(t, camera=int(c)) for t, c in zip(same_camera.gallery_tracklets, cameras))
    page = write([replace(same_camera, gallery=gallery, gallery_tracklets=tracklets)])
    for _, article in page.find("article"):
        if "query person 2" in article:
            assert "person 1, camera 1" in article
        assert "query person 1," not in article  # its only match is gone: not valid, not shown


def test_the_next_best_method_answers_the_same_queries(write, make_result):
    worse = make_result("base", mean_ap=0.3, degrees=(40.0, 10.0, 20.0, 30.0, 40.0))
    page = write([worse, make_result("ours", mean_ap=0.6), make_result("zero", mean_ap=0.1)])
    (first, *_), summaries = (
        page.find("article"),
        [t for _, t in page.find("summary") if t.startswith("The same query")],
    )
    assert "Best query average precision 100.0 %" in first[1]
    assert summaries[0] == "The same query by base: average precision 20.0 %, first right match at rank 5 of 6"
    assert len(summaries) == 5


def test_no_pixel_of_a_real_person_leaks(write, make_result, monkeypatch, tmp_path):
    stores = []
    genuine = strips.read_frame
    monkeypatch.setattr(strips, "read_frame", lambda store, name: stores.append(store) or genuine(store, name))
    results = [make_result(), make_result(target="mars", is_real=True)]
    real = {strip(t, n).uri for t in (*results[1].query_tracklets, *results[1].gallery_tracklets) for n in (1, 2, 4)}
    assert all(uri.startswith("data:image/jpeg") for uri in real)
    assert len(real) > 10
    stores.clear()
    hidden = write(results)
    assert set(stores) == {str(tmp_path / "standin-tiny")}
    shown = {attrs["src"] for attrs, _ in hidden.find("img")}
    assert len(shown) == 11
    assert not shown & real
    assert "Hidden: the tracklets show real people." in text_of(hidden)
    assert "--show-real" in text_of(hidden)
    assert len(hidden.find("article")) == 5
    stores.clear()
    assert not write([results[1]]).find("img")
    assert not stores
    open_page = write([results[1]], show_real=True)
    assert set(stores) == {str(tmp_path / "mars")}
    assert {attrs["src"] for attrs, _ in open_page.find("img")} <= real


def test_special_characters_are_escaped(write, make_result, tmp_path):
    nasty = "<b>&\"'</b><script>alert(1)</script>"
    result = make_result(nasty, target="standin-<i>&")
    page = write(
        [result],
        title=nasty,
        command=nasty,
        facts={nasty: nasty},
        curves=[Curve(nasty, [1, 2], {nasty: [1.0, 2.0]})],
        sheets={nasty: tmp_path / f"{'<x>'}.png"},
    )
    assert not page.find("script")
    assert not page.find("i")
    assert page.find("h1")[0][1] == nasty
    assert page.find("code")[0][1] == nasty
    assert page.find("title")[0][1] == nasty
    assert [text for _, text in page.find("dd")] == [nasty]


def test_a_frame_that_cannot_be_read_is_replaced_by_its_reason(write, make_result):
    result = make_result()
    for path in result.gallery_tracklets[0].paths():
        Path(path).unlink()
    page = write([result], sheets={"lost": Path("no/such/sheet.png")})
    problems = [text for _, text in page.find("span", class_="problem")]
    assert len(problems) == 6  # five lists, one sheet
    assert all("cannot read the frame" in problem for problem in problems)
    assert "no/such/sheet.png" in problems[-1]


def test_the_seed_alone_decides_which_queries_are_random(write, make_result, tmp_path):
    write([make_result()])
    first = (tmp_path / "out" / "report.html").read_bytes()
    write([make_result()])
    assert (tmp_path / "out" / "report.html").read_bytes() == first
    precision = np.linspace(0, 1, 50)
    drawn = [tuple(row for _, row in pick(precision, np.full(50, True), seed)) for seed in range(20)]
    assert drawn == [tuple(row for _, row in pick(precision, np.full(50, True), seed)) for seed in range(20)]
    assert len(set(drawn)) > 15
    assert all(rows[:2] == (49, 0) and len(set(rows)) == 2 + NUM_RANDOM for rows in drawn)


def test_queries_without_a_match_are_never_picked():
    precision = np.array([np.nan, 0.5, np.nan])
    assert pick(precision, ~np.isnan(precision), seed=0) == [("Best query", 1)]


def test_a_failed_write_leaves_the_old_page(write, make_result, monkeypatch, tmp_path):
    write([make_result()])
    old = (tmp_path / "out" / "report.html").read_bytes()

    def full(self, text, encoding):
        self.write_bytes(text[:100].encode(encoding))
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(document.Path, "write_text", full)
    with pytest.raises(OSError, match="No space left"):
        write([make_result("other")])
    assert (tmp_path / "out" / "report.html").read_bytes() == old
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["report.html"]


def test_wrong_input_is_refused_before_anything_is_written(write, make_result, tmp_path):
    ours = make_result()
    with pytest.raises(ValueError, match="no result to show"):
        write([])
    with pytest.raises(ValueError, match=r"two results for \[\('ours', 'standin-tiny'\)\]"):
        write([ours, ours])
    with pytest.raises(ValueError, match="'tiny' is real in one result and a stand-in in another"):
        write([make_result("a", "tiny", is_real=True), make_result("b", "tiny")])
    with pytest.raises(ValueError, match="'standin-tiny' counts as real but its name says stand-in"):
        make_result(is_real=True)
    with pytest.raises(ValueError, match="gallery: 6 embeddings for 5 tracklets"):
        replace(ours, gallery_tracklets=ours.gallery_tracklets[:-1])
    with pytest.raises(ValueError, match=r"query: row 0 is \(person, camera\) \(1, 1\) in the embeddings and \(5, 1\)"):
        replace(ours, query_tracklets=ours.query_tracklets[::-1])
    with pytest.raises(ValueError, match="'ours' has 1 values of 'identity' for 2 steps"):
        Curve("ours", [1, 2], {"identity": [1.0]})
    assert not (tmp_path / "out").exists()
    (tmp_path / "out" / "report.html").mkdir(parents=True)
    with pytest.raises(ValueError, match="it is a folder"):
        write([ours])


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_both_themes_are_whole_and_legible():
    style = (document.HERE / "page.css").read_text("utf-8")
    light, dark = style.split("@media (prefers-color-scheme: dark)")
    themes = [dict(re.findall(r"(--[\w-]+): (#\w{6})", part)) for part in (light, dark)]
    assert len(themes[0]) == 17
    assert set(themes[0]) == set(themes[1])
    assert set(re.findall(r"var\((--[\w-]+)\)", style)) <= {*themes[0], "--colour"}
    for theme in themes:
        for ground in ("--page", "--panel", "--highlight"):
            for name in ("--ink", "--muted", "--link", "--right", "--wrong"):
                assert contrast(theme[name], theme[ground]) >= 4.5, (name, ground)
        assert all(contrast(theme[f"--colour-{i}"], theme["--page"]) >= 4.5 for i in range(7))


def test_only_vectors_of_one_network_are_in_one_picture(make_result):
    result = make_result("ours", target="standin-ilids")
    kept = replace(result, source=result.gallery)
    centred = replace(result, target="standin-ilids, cameras centred")  # its source was embedded by another
    assert [chart.title for chart in domain_charts([kept, centred])] == [chart.title for chart in domain_charts([kept])]
    assert domain_charts([centred]) == []


def test_a_name_that_is_no_utf8_is_no_trouble(tmp_path):
    page = document.write_document(tmp_path / "r.html", title="b\udce4d", lead="", sections=[])
    assert "b?d" in page.read_text("utf-8")
