"""What a dataset holds, and whether that is what it should hold."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from s2reid.types import Dataset, Tracklet


def check_counts(dataset: Dataset, expected: Mapping[str, Any], place: Path) -> None:
    """Raise `ValueError` where a dataset does not hold what was promised.

    `expected` counts `persons`, `cameras`, `outfits`, `tracklets` and `images` of the whole set and, in an inner
    mapping named `train`, `query` or `gallery`, of that part; what it does not mention, or mentions beyond these, is
    not checked.
    """
    parts = {"train": dataset.train, "query": dataset.query, "gallery": dataset.gallery}
    found = {name: count(part) for name, part in parts.items()}
    found[""] = count(dataset.train + dataset.query + dataset.gallery)
    promised = {"": expected, **{name: expected[name] for name in parts if isinstance(expected.get(name), Mapping)}}
    for part, counts in promised.items():
        for kind in counts.keys() & found[part].keys():
            if counts[kind] != found[part][kind]:
                where = f"{part} {kind}" if part else kind
                raise ValueError(
                    f"{dataset.name} at {place} has {found[part][kind]:,} {where}, expected {counts[kind]:,}: "
                    "was the copy or the extraction cut short, or were files added?"
                )


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
