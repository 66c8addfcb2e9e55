"""Protocols as named functions, and the scores they give.

A protocol says who asks, who is searched, which entries count and how precision is averaged: a function of (query,
gallery) that returns a `Setting`, or a dict of them where a dataset has several. Its name is printed with every score.
The protocols of the field are in docs/evaluation.md.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from s2reid.metrics.ranking import (
    Distance,
    Keep,
    Precision,
    Ranking,
    mean_precision,
    other_camera,
    other_camera_other_outfit,
    other_camera_same_outfit,
    rank,
    trapezoid_precision,
)
from s2reid.scales import TestSetting
from s2reid.types import Embeddings, Scores


@dataclass(frozen=True)
class Setting:
    """Who asks, who is searched, which gallery entries count for a query, and how precision is averaged."""

    query: Embeddings
    gallery: Embeddings
    keep: Keep = other_camera
    precision: Precision = mean_precision

    def rank(self, distance: Distance = "cosine") -> Ranking:
        """Rank the gallery for every query; raises `ValueError` for what `metrics.ranking.rank` refuses."""
        return rank(self.query, self.gallery, distance, keep=self.keep, precision=self.precision)


Protocol = Callable[[Embeddings, Embeddings], Setting | dict[str, Setting]]


# Protocols of any dataset


def cross_camera(query: Embeddings, gallery: Embeddings) -> Setting:
    """Ask for every query in the gallery without its own person in its own camera."""
    return Setting(query, gallery)


def same_clothes(query: Embeddings, gallery: Embeddings) -> Setting:
    """Ask as `cross_camera`, with the query's person in other outfits removed from the gallery."""
    return Setting(query, gallery, other_camera_same_outfit)


def clothes_changing(query: Embeddings, gallery: Embeddings) -> Setting:
    """Ask as `cross_camera`, with the query's person in the same outfit removed from the gallery."""
    return Setting(query, gallery, other_camera_other_outfit)


# Protocols of the benchmarks


def mars(query: Embeddings, gallery: Embeddings) -> Setting:
    """Ask as the field does on MARS: the queries are in the gallery too, so that all 1,980 have a match."""
    return Setting(query, _join(query, gallery))


def mars_excluded(query: Embeddings, gallery: Embeddings) -> Setting:
    """Ask on MARS without the queries in the gallery: 140 have no match and are not scored, 1,840 are."""
    return Setting(query, gallery)


def mars_official(query: Embeddings, gallery: Embeddings) -> Setting:
    """Ask as `mars`, and average precision by trapezoids as the tool of MARS's authors does."""
    return Setting(query, _join(query, gallery), precision=trapezoid_precision)


def ilids_vid(query: Embeddings, gallery: Embeddings) -> Setting:
    """Ask with one split of iLIDS-VID: 150 persons of camera 1 against the same 150 in camera 2."""
    return _two_cameras("ilids_vid", query, gallery)


def prid2011(query: Embeddings, gallery: Embeddings) -> Setting:
    """Ask with one split of PRID-2011: 89 persons of camera a against the same 89 in camera b."""
    return _two_cameras("prid2011", query, gallery)


def ccvid(query: Embeddings, gallery: Embeddings) -> dict[str, Setting]:
    """Ask in CCVID's three settings: any outfit, the same outfit only, other outfits only."""
    return {
        "general": cross_camera(query, gallery),
        "same_clothes": same_clothes(query, gallery),
        "clothes_changing": clothes_changing(query, gallery),
    }


def ls_vid(query: Embeddings, gallery: Embeddings) -> Setting:
    """Ask with the 3,504 queries of LS-VID in its gallery of 7,829, which does not hold them."""
    return Setting(query, gallery)


SEED_FRAMES, SEED_TEST = 4, TestSetting("begin", flip=False)
"""What `seed_protocol` looks at: one clip of this many frames, and no mirror images."""


def seed_protocol(query: Embeddings, gallery: Embeddings) -> Setting:
    """Ask as the reference release of the paper did: queries are in no gallery, not even on MARS.

    What it looked at is part of it (`SEED_FRAMES`, `SEED_TEST`; `experiment.evaluate` sees to it), and so is split 0.
    Not reproduced: it kept the epoch that was best on the test set, and on CCVID did not normalise the vectors.
    """
    return Setting(query, gallery)


PROTOCOLS: dict[str, Protocol] = {
    protocol.__name__: protocol
    for protocol in (
        *(cross_camera, same_clothes, clothes_changing),
        *(mars, mars_excluded, mars_official, ilids_vid, prid2011, ccvid, ls_vid, seed_protocol),
    )
}


# Scores

NUMBERS = ("rank1", "rank5", "rank10", "mean_ap")


def score(
    query: Embeddings,
    gallery: Embeddings,
    *,
    protocol: str | Protocol = cross_camera,
    distance: Distance = "cosine",
    seed: int = 0,
) -> Scores:
    """Score queries against a gallery by a protocol of one setting (a function, or a name; dashes will do).

    Raises `ValueError` with the reason where no query has a match, for a protocol of several settings (name one, as in
    "ccvid general", or use `score_all`), and for what `rank` refuses.

    >>> query = Embeddings(np.eye(2), np.array([1, 2]), np.array([0, 0]), np.array([0, 0]))
    >>> gallery = Embeddings(np.eye(2), np.array([1, 2]), np.array([1, 1]), np.array([0, 0]))
    >>> result = score(query, gallery)
    >>> result.rank1, result.mean_ap, result.num_valid, result.protocol
    (1.0, 1.0, 2, 'cross_camera')
    """
    found = settings(protocol, query, gallery)
    if len(found) > 1:
        raise ValueError(f"the protocol has {len(found)} settings: name one of {', '.join(found)}, or use score_all")
    ((name, setting),) = found.items()
    return summarise(setting.rank(distance), setting, protocol=name, seed=seed)


def score_all(
    query: Embeddings, gallery: Embeddings, *, protocol: str | Protocol, distance: Distance = "cosine"
) -> dict[str, Scores]:
    """Score queries against a gallery by every setting of a protocol, each by its name, such as "ccvid general"."""
    found = score_splits([(query, gallery)], protocol=protocol, distance=distance)
    return {name: splits.each[0] for name, splits in found.items()}


@dataclass(frozen=True)
class Splits:
    """The scores of a dataset's splits in one setting, and their mean; `deviation` is the sample standard deviation.

    The mean counts the queries of all splits. Its interval resamples persons, each with all its queries in all splits,
    because the splits test the same persons again. One split deviates by nothing.
    """

    each: list[Scores]
    mean: Scores
    deviation: dict[str, float]


def score_splits(
    splits: Sequence[tuple[Embeddings, Embeddings]], *, protocol: str | Protocol, distance: Distance = "cosine"
) -> dict[str, Splits]:
    """Score every split's queries against its gallery, by every setting of a protocol."""
    found: dict[str, list[tuple[Setting, Ranking]]] = {}
    for query, gallery in splits:
        for name, setting in settings(protocol, query, gallery).items():
            found.setdefault(name, []).append((setting, setting.rank(distance)))
    return {name: _over_splits(name, tested) for name, tested in found.items()}


def _over_splits(name: str, tested: Sequence[tuple[Setting, Ranking]]) -> Splits:
    each = [summarise(ranking, setting, protocol=name) for setting, ranking in tested]
    values = {number: [getattr(scores, number) for scores in each] for number in NUMBERS}
    precision = np.concatenate([ranking.average_precision[ranking.valid] for _, ranking in tested])
    person = np.concatenate([setting.query.person[ranking.valid] for setting, ranking in tested])
    mean = Scores(
        **{number: float(np.mean(several)) for number, several in values.items()},
        num_queries=sum(scores.num_queries for scores in each),
        num_valid=sum(scores.num_valid for scores in each),
        interval=bootstrap(precision, group=person),
        protocol=name,
    )
    ddof = min(1, len(each) - 1)
    return Splits(each, mean, {number: float(np.std(several, ddof=ddof)) for number, several in values.items()})


def settings(protocol: str | Protocol, query: Embeddings, gallery: Embeddings) -> dict[str, Setting]:
    """List the settings of a protocol by their printed names: "mars", or "ccvid general" and its two others."""
    function = find(protocol) if isinstance(protocol, str) else protocol
    found, name = function(query, gallery), function.__name__
    several = {"": found} if isinstance(found, Setting) else found
    named = {f"{name} {part}".strip(): setting for part, setting in several.items()}
    chosen = protocol.replace("-", "_") if isinstance(protocol, str) else name
    if chosen != name and chosen not in named:
        raise ValueError(f"no protocol named {protocol!r}: {name} gives {', '.join(named)}")
    return named if chosen == name else {chosen: named[chosen]}


def find(name: str) -> Protocol:
    """Return a protocol by name, with dashes or without; raise `ValueError` with the list of what exists."""
    plain = name.replace("-", "_").partition(" ")[0]
    if plain not in PROTOCOLS:
        raise ValueError(f"no protocol named {name!r}: there are {', '.join(sorted(PROTOCOLS))}")
    return PROTOCOLS[plain]


def summarise(ranking: Ranking, setting: Setting, *, protocol: str, seed: int = 0) -> Scores:
    """Summarise a ranking as scores; raise `ValueError` with the reason where no query has a match."""
    if not ranking.valid.any():
        why = _why_no_match(setting.query, setting.gallery)
        raise ValueError(f"none of {len(setting.query)} queries has a match under {protocol}: {why}")
    cmc = ranking.cmc(10)
    return Scores(
        rank1=float(cmc[0]),
        rank5=float(cmc[4]),
        rank10=float(cmc[9]),
        mean_ap=ranking.mean_ap,
        num_queries=len(ranking.valid),
        num_valid=int(ranking.valid.sum()),
        interval=bootstrap(ranking.average_precision[ranking.valid], seed),
        protocol=protocol,
    )


def bootstrap(
    values: Float[np.ndarray, " q"],
    seed: int = 0,
    num_resamples: int = 1_000,
    group: Int[np.ndarray, " q"] | None = None,
) -> tuple[float, float]:
    """Compute the 95 % percentile interval of the mean by resampling queries, or whole groups, with replacement."""
    row = np.arange(len(values)) if group is None else np.unique(group, return_inverse=True)[1]
    sums, counts = np.bincount(row, values), np.bincount(row)
    drawn = np.random.default_rng(seed).integers(len(sums), size=(num_resamples, len(sums)), dtype=np.int32)
    low, high = np.percentile(sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1), [2.5, 97.5])
    return float(low), float(high)


def to_dict(scores: Scores) -> dict[str, Any]:
    """Turn scores into what JSON can hold, as fractions."""
    return {**asdict(scores), "interval": list(scores.interval)}


def _join(query: Embeddings, gallery: Embeddings) -> Embeddings:
    """Put the queries before the gallery."""
    columns = ("vectors", "person", "camera", "outfit")
    return Embeddings(*(np.concatenate([getattr(query, name), getattr(gallery, name)]) for name in columns))


def _two_cameras(name: str, query: Embeddings, gallery: Embeddings) -> Setting:
    """Refuse anything but queries of one camera and a gallery of another."""
    asked, searched = (sorted(set(side.camera.tolist())) for side in (query, gallery))
    if len(asked) != 1 or len(searched) != 1 or asked == searched:
        raise ValueError(
            f"{name} asks from one camera and searches in another, found queries of cameras {asked} and a gallery of "
            f"{searched}: use cross_camera"
        )
    return Setting(query, gallery)


def _why_no_match(query: Embeddings, gallery: Embeddings) -> str:
    """Say why no query can have a match, and what to do."""
    asked = set(query.person[query.person >= 0].tolist())
    shared = asked & set(gallery.person.tolist())
    if not asked:
        return "the queries have no person labels; give them labels, or use search instead of evaluate"
    if not shared:
        return f"none of their {len(asked)} persons is in the gallery; were query and gallery cut from the same data?"
    cameras: dict[int, set[int]] = {}
    for person, camera in zip(gallery.person.tolist(), gallery.camera.tolist()):
        cameras.setdefault(person, set()).add(camera)
    if not any(
        cameras.get(person, set()) - {camera} for person, camera in zip(query.person.tolist(), query.camera.tolist())
    ):
        return (
            f"{len(shared)} of their persons are in the gallery, but only in the query's own camera, and those entries "
            "are removed; the gallery needs other cameras"
        )
    return (
        f"{len(shared)} of their persons are in the gallery in other cameras, but in no outfit that counts; are the "
        "outfit labels right?"
    )
