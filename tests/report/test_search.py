import pytest

from s2reid.report.search import Search, place, write_search_page
from s2reid.types import Tracklet


@pytest.fixture
def write(tmp_path, read):
    def write(*searches):
        out = tmp_path / "search.html"
        return read(
            write_search_page(
                out, searches=searches, num_gallery=1234, command="s2reid search 'a & b'", facts={"model": "m"}
            )
        )

    return write


def test_hits_come_in_order_with_rank_similarity_and_mark(write, make_tracklet):
    gallery = [make_tracklet(person, 2) for person in (4, 3, 5)]
    page = write(
        Search(make_tracklet(3, 1), [(gallery[0], 0.9, False), (gallery[1], 0.8, True), (gallery[2], 0.1, None)])
    )
    hits = page.find("li", class_="hit")
    assert [text for _, text in hits] == [
        "1 ✗ wrong person 4, camera 2 similarity 0.900 4/2",
        "2 ✓ right person 3, camera 2 similarity 0.800 3/2",
        "3 person 5, camera 2 similarity 0.100 5/2",
    ]
    assert [attrs["class"].split()[1] for attrs, _ in hits] == ["wrong", "right", "unknown"]
    assert "a gallery of 1,234 that look most like the query," in page.find("p", class_="lead")[0][1]
    assert page.find("code")[0][1] == "s2reid search 'a & b'"
    assert len(page.find("img")) == 4
    assert all(attrs["alt"] for attrs, _ in page.find("img"))


def test_without_labels_nothing_is_marked(write, make_tracklet):
    page = write(*(Search(make_tracklet(-1, 1), [(make_tracklet(-1, 2), 0.5, None)]) for _ in range(2)))
    assert not page.find("span", class_="mark")
    assert not page.find("p", class_="legend")
    assert [text for _, text in page.find("h2")] == ["Query 1: -1/1", "Query 2: -1/1", "How this page was made"]


def test_a_gallery_smaller_than_asked_for_and_an_empty_answer_still_make_a_page(write, make_tracklet):
    assert not write(Search(make_tracklet(1, 1), [])).find("li", class_="hit")


def test_wrong_input_is_refused(write, make_tracklet, tmp_path):
    with pytest.raises(ValueError, match="no search to show: expected at least one query"):
        write()
    hits = [(make_tracklet(1, 2), 0.1, None), (make_tracklet(2, 2), 0.2, None)]
    with pytest.raises(ValueError, match=r"the hits of 1/1 have similarities \[0.1, 0.2\]: sort them, highest first"):
        write(Search(make_tracklet(1, 1), hits))
    assert not (tmp_path / "search.html").exists()


def test_a_tracklet_is_named_by_its_folder_or_its_only_frame():
    assert place(Tracklet("data", ("a/1.jpg", "a/2.jpg"), 1, 1)) == "a"
    assert place(Tracklet("data/a", ("1.jpg", "2.jpg"), 1, 1)) == "data/a"
    assert place(Tracklet("data", ("1.jpg",), 1, 1)) == "1.jpg"
    assert place(Tracklet("data", (), 1, 1)) == "data"
