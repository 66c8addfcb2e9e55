"""Protocols and scores."""

import json

import numpy as np
import pytest

from s2reid.evaluate import PROTOCOLS, bootstrap, clothes_changing, cross_camera, same_clothes, score, to_dict
from s2reid.metrics.ranking import other_camera_other_outfit, rank
from s2reid.types import UNKNOWN, Embeddings


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


def test_protocols_by_hand():
    # One person, query in camera 0 and outfit 0; the gallery is at distances 0 (same outfit), 1 (other outfit) and
    # in between a stranger.
    query = embeddings([1], [0], [0], np.array([[0.0]]))
    gallery = embeddings([1, 2, 1], [1, 1, 1], [1, 0, 0], np.array([[0.0], [1.0], [2.0]]))
    found = {name: score(query, gallery, protocol=name, distance="euclidean").mean_ap for name in PROTOCOLS}
    assert found == {
        "cross_camera": pytest.approx((1 + 2 / 3) / 2),
        "same_clothes": pytest.approx(1 / 2),
        "clothes_changing": pytest.approx(1),
    }
    assert len(found) == 3


@pytest.mark.parametrize("protocol", [cross_camera, same_clothes, clothes_changing])
def test_a_protocol_is_a_function_or_its_name(protocol):
    query, gallery = crowd(0), crowd(1)
    by_function, *by_name = (
        score(query, gallery, protocol=p) for p in (protocol, protocol.__name__, protocol.__name__.replace("_", "-"))
    )
    assert by_name == [by_function] * 2
    assert by_function.protocol == protocol.__name__


def test_a_new_protocol_is_a_plain_function():
    def queries_returned(query, gallery, distance):
        both = (np.concatenate([getattr(side, column) for side in (query, gallery)]) for column in columns)
        return rank(query, Embeddings(*both), distance)

    columns = ("vectors", "person", "camera", "outfit")
    query, gallery = embeddings([1, 1, 2], [0, 1, 0]), embeddings([2], [1])
    assert score(query, gallery).num_valid == 1
    assert score(query, gallery, protocol=queries_returned).num_valid == 3
    assert score(query, gallery, protocol=queries_returned).protocol == "queries_returned"


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
        ValueError, match="no protocol named 'mars2': there are clothes_changing, cross_camera, same_clothes"
    ):
        score(crowd(0), crowd(1), protocol="mars2")


def test_clothes_changing_is_its_rule():
    query, gallery = crowd(0), crowd(1)
    expected = rank(query, gallery, keep=other_camera_other_outfit)
    np.testing.assert_array_equal(clothes_changing(query, gallery).average_precision, expected.average_precision)
