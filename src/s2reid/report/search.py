"""The page of a search: what a gallery holds that looks most like the tracklets asked for."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from s2reid.report.document import Section, provenance, render, write_document
from s2reid.report.ranked import Found, ranked_list
from s2reid.types import Tracklet


@dataclass(frozen=True)
class Search:
    """A query and its (tracklet, similarity, is_match) in the gallery, most similar first.

    `is_match` is None where query or gallery carry no labels.
    """

    query: Tracklet
    hits: Sequence[tuple[Tracklet, float, bool | None]]


def write_search_page(
    out: Path, *, searches: Sequence[Search], num_gallery: int, command: str, facts: Mapping[str, str]
) -> Path:
    """Write the ranked lists of one or more searches of a gallery of `num_gallery` tracklets as one page.

    The page contains pictures of everyone shown. Raise `ValueError` where there is no search, or where one is not in
    order of similarity.
    """
    if not searches:
        raise ValueError("no search to show: expected at least one query tracklet; is the query folder empty?")
    for search in searches:
        similarities = [similarity for _, similarity, _ in search.hits]
        if similarities != sorted(similarities, reverse=True):
            raise ValueError(
                f"the hits of {place(search.query)} have similarities {similarities}: sort them, highest first"
            )
    lead = (
        f"The tracklets of a gallery of {num_gallery:,} that look most like {number_of_queries(len(searches))}, most "
        "similar first. This page contains the pictures: hand it on with the same care as the recordings themselves."
    )
    sections = [search_section(number, search) for number, search in enumerate(searches, 1)]
    return write_document(out, title="Search", lead=lead, sections=[*sections, provenance(command, facts)])


def number_of_queries(number: int) -> str:
    return "the query" if number == 1 else f"each of {number} queries"


def search_section(number: int, search: Search) -> Section:
    found = [
        Found(rank, tracklet, is_match, (f"similarity {similarity:.3f}", place(tracklet)))
        for rank, (tracklet, similarity, is_match) in enumerate(search.hits, 1)
    ]
    has_labels = any(entry.is_match is not None for entry in found)
    body = render("search.jinja", ranked=ranked_list(search.query, found), has_labels=has_labels)
    return Section(f"query-{number}", f"Query {number}: {place(search.query)}", body)


def to_dict(search: Search) -> dict[str, Any]:
    """Turn a search into what JSON can hold."""
    hits = [
        {
            "rank": rank,
            "similarity": similarity,
            "is_match": is_match,
            "person": tracklet.person,
            "camera": tracklet.camera,
            "frames": list(tracklet.paths()),
        }
        for rank, (tracklet, similarity, is_match) in enumerate(search.hits, 1)
    ]
    return {"query": list(search.query.paths()), "hits": hits}


def place(tracklet: Tracklet) -> str:
    """Say where a tracklet lies: its folder inside the store, or the frame where it has only one.

    >>> place(Tracklet("data", ("1/2/a.jpg", "1/2/b.jpg"), person=1, camera=2))
    '1/2'
    """
    folder = os.path.dirname(tracklet.frames[0]) if tracklet.frames else ""
    return tracklet.frames[0] if tracklet.num_frames == 1 else folder or tracklet.store
