"""Protocols and scores."""

import io
import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from scipy.io import loadmat
from tests.shared import shared

from s2reid.evaluate import (
    PROTOCOLS,
    Setting,
    bootstrap,
    ccvid,
    clothes_changing,
    cross_camera,
    mars,
    mars_excluded,
    mars_official,
    same_clothes,
    score,
    score_all,
    score_splits,
    settings,
    to_dict,
)
from s2reid.metrics.ranking import other_camera_other_outfit, rank
from s2reid.metrics.rerank import Rerank
from s2reid.types import DISTRACTOR, UNKNOWN, Embeddings


def embeddings(person, camera, outfit=None, vectors=None):
    person, camera = np.array(person), np.array(camera)
    vectors = np.eye(8, dtype=np.float32)[np.arange(len(person)) % 8] if vectors is None else vectors
    return Embeddings(vectors, person, camera, np.zeros(len(person), int) if outfit is None else np.array(outfit))


def crowd(seed=0, size=60):
    rng = np.random.default_rng(seed)
    person = rng.integers(8, size=size)
    vectors = (np.eye(8)[person] + rng.normal(scale=0.5, size=(size, 8))).astype(np.float32)
    return embeddings(person, rng.integers(3, size=size), rng.integers(2, size=size), vectors)


def test_scores_say_what_the_ranking_says():
    query, gallery = crowd(0), crowd(1)
    scores, ranking = score(query, gallery), rank(query, gallery)
    assert (scores.rank1, scores.rank5, scores.rank10) == tuple(ranking.cmc(10)[[0, 4, 9]])
    assert scores.mean_ap == ranking.mean_ap
    assert 0.2 < scores.mean_ap < 0.99
    assert (scores.num_queries, scores.num_valid, scores.protocol) == (60, ranking.valid.sum(), "cross_camera")
    assert scores.interval[0] < scores.mean_ap < scores.interval[1]


def test_queries_without_a_match_are_counted_and_not_scored():
    query = embeddings([0, 1, 9], [0, 0, 0])
    gallery = embeddings([0, 1], [1, 1])
    scores = score(query, gallery)
    assert (scores.num_queries, scores.num_valid, scores.mean_ap, scores.rank1) == (3, 2, 1.0, 1.0)


def test_outfits_by_hand():
    # One person, query in camera 0 and outfit 0; the gallery is at distances 0 (other outfit), 2 (same outfit) and
    # in between a stranger.
    query = embeddings([1], [0], [0], np.array([[0.0]]))
    gallery = embeddings([1, 2, 1], [1, 1, 1], [1, 0, 0], np.array([[0.0], [1.0], [2.0]]))
    expected = {"cross_camera": (1 + 2 / 3) / 2, "same_clothes": 1 / 2, "clothes_changing": 1}
    for protocol, value in expected.items():
        assert score(query, gallery, protocol=protocol, distance="euclidean").mean_ap == pytest.approx(value)
    three = score_all(query, gallery, protocol=ccvid, distance="euclidean")
    assert list(three) == ["ccvid general", "ccvid same_clothes", "ccvid clothes_changing"]
    assert [one.protocol for one in three.values()] == list(three)
    assert [one.mean_ap for one in three.values()] == pytest.approx(list(expected.values()))


def test_ccvid_counts_a_query_only_where_it_has_a_match():
    # Person 1 changes clothes between the cameras, person 2 does not, person 3 is in one camera only.
    query, gallery = embeddings([1, 2, 3], [1, 1, 1]), embeddings([1, 2, 3], [2, 2, 1], [1, 0, 1])
    three = score_all(query, gallery, protocol="ccvid")
    assert [(one.num_queries, one.num_valid) for one in three.values()] == [(3, 2), (3, 1), (3, 1)]


def test_mars_by_hand():
    # Person 1 has two queries, in cameras 1 and 2, and nothing else; person 2 a query and a gallery entry.
    places = {"query": [0.0, 1.0, 4.0], "gallery": [3.0, 0.5, 5.0]}
    query = embeddings([1, 1, 2], [1, 2, 1], vectors=np.array(places["query"])[:, None])
    gallery = embeddings([2, DISTRACTOR, UNKNOWN], [2, 3, 4], vectors=np.array(places["gallery"])[:, None])
    # Query 0: distractor 0.5, then its match, query 1, at 1. Query 1: distractor at 0.5, query 0 at 1.
    # Query 2: gallery 0 at 1, its match.
    returned = score(query, gallery, protocol=mars, distance="euclidean")
    assert (returned.num_queries, returned.num_valid) == (3, 3)
    assert returned.mean_ap == pytest.approx((1 / 2 + 1 / 2 + 1) / 3)
    assert returned.rank1 == pytest.approx(1 / 3)
    excluded = score(query, gallery, protocol=mars_excluded, distance="euclidean")
    assert (excluded.num_queries, excluded.num_valid, excluded.mean_ap) == (3, 1, 1.0)
    # Trapezoids: at a match of rank 2 precision goes from 0 (rank 1) to 1/2.
    official = score(query, gallery, protocol=mars_official, distance="euclidean")
    assert (official.rank1, official.num_valid) == (returned.rank1, 3)
    assert official.mean_ap == pytest.approx(((0 + 1 / 2) / 2 + (0 + 1 / 2) / 2 + 1) / 3)


@pytest.fixture(scope="module")
def mars_tables():
    """Query and gallery of the real MARS, without vectors that mean anything."""
    with zipfile.ZipFile(shared("mars_info.zip")) as archive:
        table, rows = (
            loadmat(io.BytesIO(archive.read(next(n for n in archive.namelist() if n.endswith(name)))))[key]
            for name, key in (("tracks_test_info.mat", "track_test_info"), ("query_IDX.mat", "query_IDX"))
        )
    person, camera = table[:, 2].astype(int), table[:, 3].astype(int)
    person = np.where(person == 0, DISTRACTOR, person)
    rows = rows.ravel().astype(int) - 1
    others = np.setdiff1d(np.flatnonzero(person != -1), rows)
    vectors = np.random.default_rng(0).normal(size=(len(person), 2)).astype(np.float32)
    return [embeddings(person[part], camera[part], vectors=vectors[part]) for part in (rows, others)]


@pytest.mark.parametrize(
    ("protocol", "num_valid", "num_gallery"),
    [
        ("mars", 1980, 11310),
        ("mars-official", 1980, 11310),
        ("mars-excluded", 1840, 9330),
        ("seed-protocol", 1840, 9330),
    ],
)
def test_what_the_real_mars_counts(mars_tables, protocol, num_valid, num_gallery):
    (setting,) = settings(protocol, *mars_tables).values()
    assert len(setting.gallery) == num_gallery
    scores = score(*mars_tables, protocol=protocol)
    assert (scores.num_queries, scores.num_valid) == (1980, num_valid)


@pytest.mark.parametrize("protocol", ["ilids_vid", "prid2011"])
def test_two_cameras(protocol):
    query, gallery = embeddings([1, 2, 3], [1, 1, 1]), embeddings([3, 2, 1], [2, 2, 2])
    assert score(query, gallery, protocol=protocol) == replace(score(query, gallery), protocol=protocol)
    for cameras in ([1, 2, 2], [1, 1, 1]):
        with pytest.raises(
            ValueError, match=rf"{protocol} asks from one camera .* queries of cameras \[1\] and a gall"
        ):
            score(query, embeddings([3, 2, 1], cameras), protocol=protocol)


def test_protocols_are_functions_and_names():
    query = embeddings([0, 1, 2], [1, 1, 1])
    gallery = embeddings([0, 1, 2] * 2, [2] * 6, [0, 0, 0, 1, 1, 1])
    for name, protocol in PROTOCOLS.items():
        by_function, *by_name = (
            score_all(query, gallery, protocol=asked) for asked in (protocol, name, name.replace("_", "-"))
        )
        assert by_name == [by_function] * 2
        assert [scores.protocol for scores in by_function.values()] == list(by_function)
        assert next(iter(by_function)).split()[0] == name
    assert len(PROTOCOLS) == 11


def test_a_setting_of_several_can_be_named():
    query, gallery = crowd(0), crowd(1)
    assert (
        score(query, gallery, protocol="ccvid same-clothes").mean_ap
        == score(query, gallery, protocol=same_clothes).mean_ap
    )
    with pytest.raises(ValueError, match=r"the protocol has 3 settings: name one of ccvid general, .*or use score_all"):
        score(query, gallery, protocol="ccvid")
    with pytest.raises(ValueError, match="no protocol named 'ccvid hats': ccvid gives ccvid general, ccvid same"):
        score(query, gallery, protocol="ccvid hats")
    with pytest.raises(ValueError, match="no protocol named 'mars general': mars gives mars"):
        score(query, gallery, protocol="mars general")


def test_a_new_protocol_is_a_plain_function():
    def own_camera_too(query, gallery):
        return Setting(query, gallery, keep=lambda asked, held: np.ones((len(asked), len(held)), bool))

    query, gallery = embeddings([1, 1, 2], [0, 1, 0]), embeddings([2], [0])
    scores = score(query, gallery, protocol=own_camera_too)
    assert (scores.num_valid, scores.protocol) == (1, "own_camera_too")
    with pytest.raises(ValueError, match="none of 3 queries has a match"):
        score(query, gallery)


def test_re_ranking_is_a_distance():
    query, gallery = crowd(0), crowd(1)
    found = score(query, gallery, protocol=mars, distance=Rerank(6, 3))
    setting = mars(query, gallery)
    assert found.mean_ap == rank(setting.query, setting.gallery, Rerank(6, 3)).mean_ap
    assert found.mean_ap != score(query, gallery, protocol=mars).mean_ap


def test_splits_by_hand():
    # Two splits of two queries each: AP 1 and 1/2, then 1/2 and 1/2. Person 2 is asked in both.
    line = lambda *places: np.array(places)[:, None]  # noqa: E731
    first = (
        embeddings([1, 2], [0, 0], vectors=line(0.0, 10.0)),
        embeddings([1, 2, 3], [1] * 3, vectors=line(0, 12.0, 11)),
    )
    second = (
        embeddings([2, 4], [0, 0], vectors=line(0.0, 10.0)),
        embeddings([2, 4, 3, 3], [1] * 4, vectors=line(2.0, 12, 1, 11)),
    )
    (found,) = score_splits([first, second], protocol=cross_camera, distance="euclidean").values()
    assert [one.mean_ap for one in found.each] == [3 / 4, 1 / 2]
    assert [one.rank1 for one in found.each] == [1 / 2, 0]
    assert (found.mean.mean_ap, found.mean.rank1) == (5 / 8, 1 / 4)
    assert found.deviation["mean_ap"] == pytest.approx(np.sqrt(2 * (1 / 8) ** 2 / 1))
    assert found.deviation["rank1"] == pytest.approx(np.sqrt(2 * (1 / 4) ** 2 / 1))
    assert (found.mean.num_queries, found.mean.num_valid, found.mean.protocol) == (4, 4, "cross_camera")
    # Persons 1, 2 and 4 are drawn with all their queries: sums 1, 1 and 1/2 over 1, 2 and 1 queries.
    drawn = np.random.default_rng(0).integers(3, size=(1000, 3), dtype=np.int32)
    means = [sum((1, 1, 0.5)[i] for i in row) / sum((1, 2, 1)[i] for i in row) for row in drawn]
    assert found.mean.interval == pytest.approx(np.percentile(means, [2.5, 97.5]))


def test_one_split_is_its_own_mean():
    query, gallery = crowd(0), crowd(1)
    (found,) = score_splits([(query, gallery)], protocol=mars).values()
    assert found.each == [score(query, gallery, protocol=mars)]
    assert (found.mean.mean_ap, found.mean.rank1) == (found.each[0].mean_ap, found.each[0].rank1)
    assert set(found.deviation.values()) == {0.0}


def test_interval_is_seeded_and_covers_the_mean():
    values = np.random.default_rng(0).uniform(size=200)
    assert bootstrap(values, seed=1) == bootstrap(values, seed=1)
    assert bootstrap(values, seed=1) != bootstrap(values, seed=2)
    low, high = bootstrap(values)
    error = values.std() / np.sqrt(200)
    assert low == pytest.approx(values.mean() - 1.96 * error, abs=0.2 * error)
    assert high == pytest.approx(values.mean() + 1.96 * error, abs=0.2 * error)
    assert bootstrap(np.array([0.25])) == (0.25, 0.25)


def test_interval_is_that_of_a_loop():
    values, rng = np.array([0.1, 0.5, 0.9]), np.random.default_rng(3)
    drawn = rng.integers(3, size=(50, 3), dtype=np.int32)
    means = [sum(values[index] for index in row) / 3 for row in drawn]
    assert bootstrap(values, seed=3, num_resamples=50) == pytest.approx(np.percentile(means, [2.5, 97.5]))


def test_scores_go_through_json_as_fractions():
    scores = score(crowd(0), crowd(1))
    assert json.loads(json.dumps(to_dict(scores))) == {
        "rank1": scores.rank1,
        "rank5": scores.rank5,
        "rank10": scores.rank10,
        "mean_ap": scores.mean_ap,
        "num_queries": 60,
        "num_valid": scores.num_valid,
        "interval": list(scores.interval),
        "protocol": "cross_camera",
    }


@pytest.mark.parametrize(
    ("query", "gallery", "protocol", "message"),
    [
        (
            ([UNKNOWN] * 2, [0, 0]),
            ([1], [1]),
            "cross_camera",
            "none of 2 queries has a match.*no person labels.*use search",
        ),
        (([1, 2], [0, 0]), ([3, UNKNOWN], [1, 1]), "cross_camera", "none of their 2 persons is in the gallery"),
        (
            ([1, 2], [0, 0]),
            ([1, 3], [0, 1]),
            "cross_camera",
            "1 of their persons are in the gallery, but only in the query's",
        ),
        (([1], [0]), ([1], [1]), "clothes_changing", "in other cameras, but in no outfit that counts"),
    ],
)
def test_no_match_at_all_is_refused_with_the_reason(query, gallery, protocol, message):
    with pytest.raises(ValueError, match=message):
        score(embeddings(*query), embeddings(*gallery), protocol=protocol)


def test_unknown_protocol():
    with pytest.raises(
        ValueError, match="no protocol named 'mars2': there are ccvid, clothes_changing, cross_camera, il"
    ):
        score(crowd(0), crowd(1), protocol="mars2")


def test_clothes_changing_is_its_rule():
    query, gallery = crowd(0), crowd(1)
    expected = rank(query, gallery, keep=other_camera_other_outfit)
    np.testing.assert_array_equal(clothes_changing(query, gallery).rank().average_precision, expected.average_precision)
