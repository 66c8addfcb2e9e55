"""Ranked galleries as pictures: a query's strip, then the strips found, right and wrong marked."""

from collections.abc import Iterable
from dataclasses import dataclass

from s2reid.report.strips import Picture, describe, strip
from s2reid.types import Tracklet

QUERY_FRAMES, HIT_FRAMES = 4, 2


@dataclass(frozen=True)
class Found:
    """A gallery tracklet at its rank (from 1); `is_match` is None where the labels do not say; `notes` go under it."""

    rank: int
    tracklet: Tracklet
    is_match: bool | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Hit:
    """What the page shows of a `Found`."""

    rank: int
    picture: Picture
    is_match: bool | None
    what: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class RankedList:
    """A query beside the gallery tracklets found, nearest first."""

    query: Picture
    what: str
    hits: tuple[Hit, ...]


def ranked_list(query: Tracklet, found: Iterable[Found]) -> RankedList:
    """Read the frames of a query and of what was found for it."""
    hits = tuple(
        Hit(entry.rank, strip(entry.tracklet, HIT_FRAMES), entry.is_match, describe(entry.tracklet), entry.notes)
        for entry in found
    )
    return RankedList(strip(query, QUERY_FRAMES), describe(query), hits)
