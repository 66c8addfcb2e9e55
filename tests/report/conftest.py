"""A tiny target of plain coloured rectangles, and a reader of the pages made from it."""

from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import simplejpeg

from s2reid.report.result import Result
from s2reid.types import Embeddings, Scores, Tracklet

VOID = {"meta", "link", "img", "br", "path", "circle"}


class Page(HTMLParser):
    """The elements of a page in order, as (tag, attributes, text inside); unbalanced tags fail at once."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str], list[str]]] = []
        self.open: list[int] = []
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {[self.elements[i][0] for i in self.open]}"

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, {name: value or "" for name, value in attrs}, []))
        if tag not in VOID:
            self.open.append(len(self.elements) - 1)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, {name: value or "" for name, value in attrs}, []))

    def handle_endtag(self, tag):
        assert self.elements[self.open[-1]][0] == tag, f"</{tag}> closes nothing at {self.getpos()}"
        self.open.pop()

    def handle_data(self, data):
        for i in self.open:
            self.elements[i][2].append(data)

    def find(self, tag: str, **wanted: str) -> list[tuple[dict[str, str], str]]:
        """List (attributes, text) of the elements of a tag; `class_` matches one class of several."""
        found = [(attrs, " ".join("".join(text).split())) for name, attrs, text in self.elements if name == tag]
        for name, value in wanted.items():
            found = [
                one
                for one in found
                if (value in one[0].get("class", "").split() if name == "class_" else one[0].get(name) == value)
            ]
        return found


def colour(person: int, camera: int, store: str) -> tuple[int, int, int]:
    return (20 * person % 256, 90 * camera % 256, 77 if store.startswith("standin") else 200)


@pytest.fixture
def read() -> Callable[[Path], Page]:
    return lambda path: Page(path.read_text("utf-8"))


@pytest.fixture
def make_tracklet(tmp_path: Path) -> Callable[..., Tracklet]:
    def make(
        person: int, camera: int, store: str = "standin", num_frames: int = 3, size=(32, 16), outfit: int = 0
    ) -> Tracklet:
        folder = tmp_path / store / f"{person}" / f"{camera}"
        folder.mkdir(parents=True, exist_ok=True)
        image = np.full((*size, 3), colour(person, camera, store), np.uint8)
        names = [f"{person}/{camera}/{t}.jpg" for t in range(num_frames)]
        for name in names:
            (tmp_path / store / name).write_bytes(simplejpeg.encode_jpeg(image, quality=95))
        return Tracklet(str(tmp_path / store), tuple(names), person, camera, outfit)

    return make


def embeddings(tracklets: tuple[Tracklet, ...], degrees: list[float]) -> Embeddings:
    """Place each tracklet on the unit circle, so that cosine ranks by angle."""
    angles = np.radians(degrees)
    columns = [np.array([getattr(t, name) for t in tracklets]) for name in ("person", "camera", "outfit")]
    return Embeddings(np.stack([np.cos(angles), np.sin(angles)], 1).astype(np.float32), *columns)


@pytest.fixture
def on_circle() -> Callable[[tuple[Tracklet, ...], list[float]], Embeddings]:
    return embeddings


@pytest.fixture
def make_result(make_tracklet: Callable[..., Tracklet]) -> Callable[..., Result]:
    """Five persons before cameras 1 and 2; the queries' angles decide how well each is found.

    The gallery stands at 0, 10, 20, 30, 40 degrees (persons 1 to 5), and a distractor at 90. By default person 1 is
    found at rank 1, 2 at rank 1, 3 at 2, 4 at 4, and 5 at rank 5 (last but the distractor).
    """

    def make(
        method: str = "ours",
        target: str = "standin-tiny",
        *,
        degrees=(0.0, 10.0, 11.0, 14.0, 2.0),
        is_real=False,
        mean_ap=0.5,
        **changes,
    ) -> Result:
        store = target.replace("/", "_")
        query = tuple(make_tracklet(person, 1, store) for person in (1, 2, 3, 4, 5))
        gallery = (*(make_tracklet(person, 2, store) for person in (1, 2, 3, 4, 5)), make_tracklet(-2, 2, store))
        scores = Scores(0.1234, 0.5678, 0.9, mean_ap, 7, 5, (mean_ap - 0.1, mean_ap + 0.1), "cross_camera")
        values = {
            "scores": scores,
            "query": embeddings(query, list(degrees)),
            "gallery": embeddings(gallery, [0, 10, 20, 30, 40, 90]),
            "query_tracklets": query,
            "gallery_tracklets": gallery,
        }
        return Result(method, target, is_real=is_real, **{**values, **changes})

    return make
