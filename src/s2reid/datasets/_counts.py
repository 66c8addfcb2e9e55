"""What a dataset holds, and whether that is what it should hold."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from s2reid.types import Dataset, Tracklet

NAMED = 4  # differences that a message names


def check_counts(dataset: Dataset, expected: Mapping[str, Any], place: Path | str) -> None:
    """Raise `ValueError`, with what differs and the likely cause, where a dataset does not hold what was promised.

    `expected` counts as `count` does: the whole set and, in an inner mapping named `train`, `query` or `gallery`, that
    part. What a loader counts itself beside its tracklets, in `origin["counted"]`, is compared in the same way. What
    `expected` does not mention, or mentions beyond all these, is not checked.
    """
    found = {
        **{part: count(getattr(dataset, part)) for part in ("train", "query", "gallery")},
        **dataset.origin.get("counted", {}),
        "": count(dataset.train + dataset.query + dataset.gallery),
    }
    differences = [*_differences(found, expected)]
    if differences:
        listed = [f"{has:,} {what}, expected {wanted:,}" for what, has, wanted in differences]
        more = f"; and {len(listed) - NAMED} more counts differ" if len(listed) > NAMED else ""
        is_less, is_more = (any(sign * has > sign * wanted for _, has, wanted in differences) for sign in (-1, 1))
        causes = ["was the copy or the extraction cut short"] * is_less + ["were files added"] * is_more
        raise ValueError(f"{dataset.name} at {place} has {'; '.join(listed[:NAMED])}{more}: {', or '.join(causes)}?")


def _differences(found: Mapping[str, Any], expected: Mapping[str, Any]) -> Iterator[tuple[str, int, int]]:
    """Name every count that is not as expected, with what was found and what was expected."""
    for part, counts in found.items():
        promised = expected.get(part) if part else expected
        if not isinstance(promised, Mapping):
            continue
        for kind, has in counts.items():
            wanted = promised.get(kind)
            if isinstance(wanted, int) and has != wanted:
                yield f"{part} {kind}".strip(), has, wanted


def count(tracklets: Iterable[Tracklet]) -> dict[str, int]:
    """Count labelled persons, cameras, outfits (of a person), tracklets and images."""
    tracklets = tuple(tracklets)
    return {
        "persons": len({tracklet.person for tracklet in tracklets if tracklet.person >= 0}),
        "cameras": len({tracklet.camera for tracklet in tracklets}),
        "outfits": len({(tracklet.person, tracklet.outfit) for tracklet in tracklets if tracklet.person >= 0}),
        "tracklets": len(tracklets),
        "images": sum(tracklet.num_frames for tracklet in tracklets),
    }
