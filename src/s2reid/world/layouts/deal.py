"""Deal tracklets out: exact totals, uneven shares."""

import numpy as np
from jaxtyping import Int

from s2reid.world.domain import Preset

FEWEST = 4
"""A tracklet has at least so many frames, where its preset has them: what a test looks at."""


def share(total: int, part: int, whole: int) -> int:
    """Return `part / whole` of a total, rounded half up.

    >>> share(10, 625, 1259), share(1259, 625, 1259)
    (5, 625)
    """
    return (2 * total * part + whole) // (2 * whole)


def deal(rng: np.random.Generator, total: int, hands: int, least: int, most: int) -> Int[np.ndarray, " h"]:
    """Deal `total` cards to hands of `least` to `most` each, one after another to a hand that has room."""
    counts = np.full(hands, least)
    assert least * hands <= total <= most * hands
    for _ in range(total - least * hands):
        counts[rng.choice(np.flatnonzero(counts < most))] += 1
    return counts


def lengths(rng: np.random.Generator, preset: Preset, count: int) -> list[int]:
    """Draw how many frames tracklets have: between the preset's shortest share and all, short ones more often."""
    fewest = max(min(FEWEST, preset.frames), preset.shortest * preset.frames)
    drawn = np.exp(rng.uniform(np.log(fewest), np.log(preset.frames), count))
    return [round(length) for length in drawn.tolist()]
