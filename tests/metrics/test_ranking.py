"""Ranking against a loop written from the definition, by hand, and by what must not change it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s2reid.metrics import distance, ranking
from s2reid.metrics.ranking import (
    labels,
    mean_precision,
    other_camera,
    other_camera_other_outfit,
    other_camera_same_outfit,
    rank,
    rank_blocks,
    rank_matrix,
    trapezoid_precision,
)
from s2reid.types import DISTRACTOR, UNKNOWN, Embeddings

KEEPS = {
    other_camera: lambda same_camera, same_outfit: not same_camera,
    other_camera_same_outfit: lambda same_camera, same_outfit: not same_camera and same_outfit,
    other_camera_other_outfit: lambda same_camera, same_outfit: not same_camera and not same_outfit,
}


def ranked_list(distances, i, query, gallery, keep):
    """The gallery entries that count for query i, nearest first, as plain Python."""
    entries = []
    for j in range(len(gallery)):
        if gallery.person[j] == UNKNOWN:
            continue
        same = gallery.person[j] == query.person[i]
        same_camera = gallery.camera[j] == query.camera[i]
        same_outfit = gallery.outfit[j] == query.outfit[i]
        if same and not KEEPS[keep](same_camera, same_outfit):
            continue
        entries.append((distances[i, j], j, bool(same and query.person[i] >= 0)))
    return [(j, match) for _, j, match in sorted(entries)]


def by_definition(distances, query, gallery, keep=other_camera):
    """(average precision, trapezoid AP, first hit, matches, order) of every query; None where nothing matches."""
    results = []
    for i in range(len(query)):
        entries = ranked_list(distances, i, query, gallery, keep)
        hits, precisions, area, first = 0, [], 0.0, 0
        num_matches = sum(match for _, match in entries)
        old_recall, old_precision = 0.0, 1.0
        for place, (_, match) in enumerate(entries, start=1):
            if match:
                hits += 1
                first = first or place
                precisions.append(hits / place)
                area += (hits / num_matches - old_recall) * (old_precision + hits / place) / 2
            old_recall, old_precision = hits / max(num_matches, 1), hits / place
        ap = (sum(precisions) / len(precisions), area) if precisions else (None, None)
        results.append((*ap, first, hits, [j for j, _ in entries]))
    return results


def scene(seed, num_queries=9, num_gallery=60, levels=6):
    """Labels with junk, distractors and unlabelled queries, and distances with many ties."""
    rng = np.random.default_rng(seed)
    people = lambda size: rng.choice([UNKNOWN, DISTRACTOR, 0, 1, 2, 3, 4], size)  # noqa: E731
    side = lambda size: labels(people(size), rng.integers(3, size=size), rng.integers(2, size=size))  # noqa: E731
    return rng.integers(levels, size=(num_queries, num_gallery)) / 8, side(num_queries), side(num_gallery)


@given(
    seed=st.integers(0, 10_000),
    num_gallery=st.integers(1, 40),
    levels=st.sampled_from([1, 2, 5, 1000]),
    keep=st.sampled_from(list(KEEPS)),
    dtype=st.sampled_from([np.float16, np.float32, np.float64]),
)
@settings(max_examples=150, deadline=None)
def test_definition(seed, num_gallery, levels, keep, dtype):
    distances, query, gallery = scene(seed, 5, num_gallery, levels)
    distances = distances.astype(dtype)
    expected = by_definition(distances, query, gallery, keep)
    found = rank_matrix(distances, query, gallery, keep=keep, top=7, block=2)
    area = rank_matrix(distances, query, gallery, keep=keep, precision=trapezoid_precision)
    for i, (ap, trapezoid, first, num_matches, order) in enumerate(expected):
        assert found.num_matches[i] == num_matches
        assert found.first_hit[i] == first
        assert found.top[i].tolist() == (order + [-1] * 7)[:7]
        assert np.isnan(found.average_precision[i]) == (ap is None)
        if ap is not None:
            assert found.average_precision[i] == pytest.approx(ap, abs=1e-12)
            assert area.average_precision[i] == pytest.approx(trapezoid, abs=1e-12)


def test_three_queries_by_hand():
    # Gallery: 0 of person 1, camera 2 · 1 of person 2, camera 2 · 2 distractor · 3 junk · 4 of person 1, camera 1
    gallery = labels(np.array([1, 2, DISTRACTOR, UNKNOWN, 1]), np.array([2, 2, 1, 2, 1]))
    query = labels(np.array([1, 2, 9]), np.array([1, 1, 1]))
    distances = np.array(
        [
            [0.4, 0.5, 0.3, 0.1, 0.0],  # junk and the own camera go, the distractor is first, the match second: AP 1/2
            [0.4, 0.5, 0.6, 0.1, 0.2],  # both of person 1 are before the match: AP 1/3
            [0.1, 0.2, 0.3, 0.4, 0.5],  # nobody is person 9: not valid
        ]
    )
    ranking = rank_matrix(distances, query, gallery, top=5)
    np.testing.assert_array_equal(ranking.average_precision, [1 / 2, 1 / 3, np.nan])
    assert ranking.first_hit.tolist() == [2, 3, 0]
    assert ranking.num_matches.tolist() == [1, 1, 0]
    assert ranking.valid.tolist() == [True, True, False]
    assert ranking.mean_ap == pytest.approx(5 / 12)
    assert ranking.cmc(4).tolist() == [0, 0.5, 1, 1]
    assert ranking.top.tolist() == [[2, 0, 1, -1, -1], [4, 0, 1, 2, -1], [0, 1, 2, 4, -1]]


def test_precisions_by_hand():
    assert mean_precision(np.array([1, 3, 6])) == pytest.approx((1 + 2 / 3 + 1 / 2) / 3)
    assert trapezoid_precision(np.array([1, 3, 6])) == pytest.approx(
        (1 + (1 / 2 + 2 / 3) / 2 + (2 / 5 + 1 / 2) / 2) / 3
    )
    assert trapezoid_precision(np.array([1, 2, 3])) == mean_precision(np.array([1, 2, 3])) == 1


def test_perfect_ranking_scores_one():
    person, camera = np.repeat(np.arange(5), 3), np.tile([0, 1, 2], 5)
    everyone = labels(person, camera)
    distances = (person[:, None] != person).astype(float)
    ranking = rank_matrix(distances, everyone, everyone)
    assert ranking.mean_ap == 1
    assert ranking.cmc(3).tolist() == [1, 1, 1]
    assert ranking.num_matches.tolist() == [2] * 15


@given(seed=st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_monotone_rescaling_changes_nothing(seed):
    distances, query, gallery = scene(seed, levels=1000)
    one, other = (rank_matrix(values, query, gallery, top=5) for values in (distances, np.exp(3 * distances) - 7))
    for column in ("average_precision", "first_hit", "num_matches", "top"):
        np.testing.assert_array_equal(getattr(one, column), getattr(other, column))


@given(seed=st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_order_of_queries_and_gallery_changes_nothing_without_ties(seed):
    rng = np.random.default_rng(seed)
    _, query, gallery = scene(seed)
    distances = rng.permutation(len(query) * len(gallery)).reshape(len(query), len(gallery)).astype(float)
    rows, columns = rng.permutation(len(query)), rng.permutation(len(gallery))
    one = rank_matrix(distances, query, gallery)
    other = rank_matrix(distances[rows][:, columns], query[rows], gallery[columns])
    np.testing.assert_array_equal(one.average_precision[rows], other.average_precision)
    np.testing.assert_array_equal(one.first_hit[rows], other.first_hit)


def test_ties_keep_the_order_of_the_gallery():
    query = labels(np.array([1]), np.array([0]))
    people = np.array([2, 1, 2, 1, 2])
    ranking = rank_matrix(np.zeros((1, 5)), query, labels(people, np.ones(5, int)), top=3)
    assert ranking.average_precision.tolist() == [(1 / 2 + 2 / 4) / 2]
    assert ranking.top.tolist() == [[0, 1, 2]]


def embeddings(seed, size):
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(size, 8)).astype(np.float32)
    return Embeddings(vectors, rng.integers(6, size=size), rng.integers(3, size=size), np.zeros(size, int))


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_blocks_equal_the_full_matrix(distance):
    query, gallery = embeddings(0, 23), embeddings(1, 70)
    if distance == "cosine":
        unit = lambda x: x / np.linalg.norm(x, axis=1, keepdims=True)  # noqa: E731
        matrix = 1 - unit(query.vectors) @ unit(gallery.vectors).T
    else:
        matrix = np.linalg.norm(query.vectors[:, None] - gallery.vectors, axis=2)
    expected = rank_matrix(matrix, query, gallery, top=4)
    for block in (1, 5, 23, 1000):
        found = rank(query, gallery, distance, block=block, top=4)
        np.testing.assert_allclose(found.average_precision, expected.average_precision)
        np.testing.assert_array_equal(found.top, expected.top)


def test_the_default_block_is_bounded_and_changes_nothing(monkeypatch):
    assert [distance.block_size(num) for num in (1, 11_310, 200_000, 10**9)] == [512, 512, 335, 16]
    query, gallery = embeddings(0, 23), embeddings(1, 70)
    expected = rank(query, gallery)
    monkeypatch.setattr(ranking, "block_size", lambda num: 5)
    found = rank(query, gallery)
    np.testing.assert_array_equal(found.first_hit, expected.first_hit)
    np.testing.assert_allclose(found.average_precision, expected.average_precision)


def test_many_matches_at_many_equal_distances():
    distances, query, gallery = scene(3, num_queries=6, num_gallery=700, levels=4)
    gallery = labels(gallery.person % 2, gallery.camera, gallery.outfit)
    query = labels(query.person % 2, query.camera, query.outfit)
    expected = by_definition(distances, query, gallery)
    found = rank_matrix(distances.astype(np.float32), query, gallery)
    assert found.num_matches.min() > 100
    np.testing.assert_allclose(found.average_precision, [row[0] for row in expected])


def test_infinite_distances_are_ranked_last_and_in_order():
    query, people = labels(np.array([1]), np.array([0])), np.array([2, 1, 2, 1])
    found = rank_matrix(np.array([[np.inf, np.inf, 0.0, -np.inf]]), query, labels(people, np.ones(4, int)))
    assert found.average_precision.tolist() == [(1 / 1 + 2 / 4) / 2]


def test_a_function_is_a_distance_and_never_sees_more_than_a_block():
    query, gallery = embeddings(0, 23), embeddings(1, 70)
    seen = []

    def manhattan(rows, entries):
        seen.append((rows.shape, entries.shape))
        return np.abs(rows[:, None] - entries).sum(axis=2)

    found = rank(query, gallery, manhattan, block=10)
    assert seen == [((10, 8), (70, 8)), ((10, 8), (70, 8)), ((3, 8), (70, 8))]
    expected = rank_matrix(manhattan(query.vectors, gallery.vectors), query, gallery)
    np.testing.assert_array_equal(found.average_precision, expected.average_precision)


def test_features_that_are_not_vectors_rank_by_their_own_distance():
    query, gallery = (
        Embeddings(side.vectors.reshape(-1, 2, 2, 2), side.person, side.camera, side.outfit)
        for side in (embeddings(0, 5), embeddings(1, 9))
    )
    flat = lambda a, b: -np.einsum("qchw,gchw->qg", a, b)  # noqa: E731
    assert len(rank(query, gallery, flat).average_precision) == 5
    with pytest.raises(ValueError, match=r"query vectors have shape \(5, 2, 2, 2\).*need the distance of their method"):
        rank(query, gallery)


def test_no_query_has_a_match():
    ranking = rank_matrix(
        np.zeros((2, 3)), labels(np.array([5, UNKNOWN]), np.zeros(2, int)), labels(*np.ones((2, 3), int))
    )
    assert not ranking.valid.any()
    assert np.isnan(ranking.mean_ap)
    assert np.isnan(ranking.cmc(2)).all()


def test_unlabelled_and_distractor_queries_never_match():
    everyone = labels(np.array([UNKNOWN, DISTRACTOR]), np.array([0, 0]))
    gallery = labels(np.array([UNKNOWN, DISTRACTOR]), np.array([1, 1]))
    assert rank_matrix(np.zeros((2, 2)), everyone, gallery).num_matches.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("sizes", "distance", "message"),
    [
        ((0, 3), "cosine", "0 queries and 3 gallery entries: ranking needs at least one of each"),
        ((3, 0), "cosine", "3 queries and 0 gallery entries"),
        ((2, 3), "manhattan", "no distance named 'manhattan': there are cosine, euclidean"),
        ((2, 3), lambda q, g: np.zeros((1, 3)), r"the distance gave shape \(1, 3\), expected \(2, 3\)"),
        ((2, 3), lambda q, g: np.full((2, 3), np.nan), r"a distance of the queries 0 to 1 is not a number \(NaN\)"),
    ],
)
def test_wrong_input_to_rank(sizes, distance, message):
    with pytest.raises(ValueError, match=message):
        rank(embeddings(0, sizes[0]), embeddings(1, sizes[1]), distance)


def test_wrong_matrix_and_blocks():
    query, gallery = labels(*np.ones((2, 4), int)), labels(*np.ones((2, 5), int))
    with pytest.raises(ValueError, match=r"the distance matrix has shape \(5, 4\), expected \(4, 5\): one row a query"):
        rank_matrix(np.zeros((5, 4)), query, gallery)
    with pytest.raises(ValueError, match="the blocks of distances have 3 rows, expected one for each of 4 queries"):
        rank_blocks([np.zeros((3, 5))], query, gallery)
    with pytest.raises(ValueError, match="the blocks of distances have more rows than the 4 queries"):
        rank_blocks([np.zeros((5, 5))], query, gallery)
