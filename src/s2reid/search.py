"""Who in a gallery looks most like the person of a query; no labels needed."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from s2reid import datasets
from s2reid.datasets._folders import IMAGE_SUFFIXES, is_image, natural
from s2reid.embed import Model
from s2reid.metrics.distance import cosine
from s2reid.model import Card
from s2reid.report.search import Search
from s2reid.types import UNKNOWN, Tracklet


def queries(asked: str, camera: int = UNKNOWN, card: Card | None = None) -> tuple[Tracklet, ...]:
    """Read a query: a folder of frames or one image is one tracklet, of `camera`; NAME:PATH gives its queries.

    Raises `ValueError` where the model of the card was calibrated to cameras that the dataset numbers otherwise.
    """
    path = Path(asked)
    if path.is_file() and is_image(path.name):
        return (Tracklet(str(path.parent), (path.name,), UNKNOWN, camera),)
    if path.is_dir():
        frames = tuple(sorted((entry.name for entry in path.iterdir() if is_image(entry.name)), key=natural))
        if not frames:
            raise ValueError(
                f"the query {path} holds no frames ({', '.join(IMAGE_SUFFIXES)}): give a folder of one person's frames"
            )
        return (Tracklet(str(path), frames, UNKNOWN, camera),)
    if ":" not in asked:
        raise ValueError(f"no query at {asked}: give a folder of frames, an image, or NAME:PATH")
    found = datasets.load(asked)
    if card:
        card.check_cameras(found)
    tracklets = found.query or found.train
    if not tracklets:
        raise ValueError(f"{asked} has no queries: give a folder of frames, or a dataset with queries")
    return tracklets


def gallery(spec: str, card: Card | None = None) -> tuple[Tracklet, ...]:
    """Read what is searched: the dataset's gallery, or its training part where it has no gallery."""
    found = datasets.load(spec)
    if card:
        card.check_cameras(found)
    tracklets = found.gallery or found.train
    if not tracklets:
        raise ValueError(f"{spec} has neither a gallery nor training tracklets: nothing to search in")
    return tracklets


def search(
    model: Model,
    asked: Sequence[Tracklet],
    held: Sequence[Tracklet],
    top: int,
    *,
    is_one: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Search]:
    """List for every query the `top` most similar tracklets of the gallery; ties keep the gallery's order.

    Similarity is the cosine or, of a method with a distance of its own, minus that distance. Whether a hit is right is
    said only where queries and gallery are of one dataset (`is_one`): elsewhere equal numbers are not equal persons.
    `progress` is told how many tracklets of all are embedded.
    """
    if top < 1:
        raise ValueError(f"top is {top}, expected at least 1")
    distance = model.distance if model.learner.has_distance else cosine
    nearest = 0.0 if model.learner.has_distance else 1.0  # a cosine reads better than one minus it
    total = len(asked) + len(held)
    queries_embedded = model.embed_tracklets(asked, lambda done: progress(done, total)).vectors
    vectors = model.embed_tracklets(held, lambda done: progress(len(asked) + done, total)).vectors
    found = []
    for query, vector in zip(asked, queries_embedded):
        distances = distance(vector[None], vectors)[0]
        order = np.argsort(distances, kind="stable")[:top]
        hits = [(held[i], nearest - float(distances[i]), _is_match(query, held[i]) if is_one else None) for i in order]
        found.append(Search(query, hits))
    return found


def _is_match(query: Tracklet, hit: Tracklet) -> bool | None:
    if query.person < 0 or hit.person == UNKNOWN:
        return None
    return query.person == hit.person
