"""Distances against their definition, at every magnitude."""

import numpy as np
import pytest

from s2reid.metrics.distance import DISTANCES, check_vectors, cosine, euclidean


def vectors(seed, rows, width=16, dtype=np.float32):
    return np.random.default_rng(seed).normal(size=(rows, width)).astype(dtype)


def by_definition(name, query, gallery):
    query, gallery = query.astype(np.float64), gallery.astype(np.float64)
    table = np.empty((len(query), len(gallery)))
    for i, q in enumerate(query):
        for j, g in enumerate(gallery):
            cos = q @ g / np.sqrt((q @ q) * (g @ g))
            table[i, j] = 1 - cos if name == "cosine" else np.sqrt(((q - g) ** 2).sum())
    return table


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("distance", [cosine, euclidean])
def test_definition(distance, dtype):
    query, gallery = vectors(0, 5, dtype=dtype), vectors(1, 7, dtype=dtype)
    block = distance(query, gallery)
    assert block.dtype == np.float32
    np.testing.assert_allclose(block, by_definition(distance.__name__, query, gallery), rtol=1e-5, atol=1e-6)


def test_there_are_two_distances():
    assert sorted(DISTANCES) == ["cosine", "euclidean"]


@pytest.mark.parametrize("scale", [1e-40, 1e-20, 1e18, 1e30])
def test_magnitude_does_not_overflow(scale):
    query, gallery = vectors(0, 5).astype(np.float64), vectors(1, 7).astype(np.float64)
    scaled = [(side * scale).astype(np.float32) for side in (query, gallery)]
    np.testing.assert_allclose(cosine(*scaled), cosine(query, gallery), atol=1e-4)
    np.testing.assert_allclose(euclidean(*scaled) / scale, euclidean(query, gallery), rtol=1e-3)


def test_cosine_ignores_length_and_stays_in_range():
    gallery = vectors(1, 7)
    stretched = gallery * np.geomspace(1e-3, 1e3, 7, dtype=np.float32)[:, None]
    block = cosine(gallery, stretched)
    assert block.min() >= 0
    assert block.max() <= 2
    np.testing.assert_allclose(np.diag(block), 0, atol=1e-6)


def test_euclidean_keeps_its_digits_far_from_the_origin():
    query, gallery = vectors(0, 5), vectors(1, 7)
    np.testing.assert_allclose(euclidean(query + 1000, gallery + 1000), euclidean(query, gallery), rtol=1e-3)


def test_zero_vectors_are_at_distance_one_from_everything():
    assert cosine(np.zeros((1, 4), np.float32), vectors(0, 3, 4)).tolist() == [[1, 1, 1]]
    assert euclidean(np.zeros((2, 4)), np.zeros((1, 4))).tolist() == [[0], [0]]


@pytest.mark.parametrize("distance", [cosine, euclidean])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_vectors_that_are_not_finite_are_refused(distance, bad):
    broken = vectors(0, 5)
    broken[3, 2], broken[4] = bad, np.inf
    with pytest.raises(
        ValueError, match=r"2 of 5 gallery vectors are not finite \(first: row 3\): did training diverge"
    ):
        distance(vectors(1, 2), broken)
    with pytest.raises(ValueError, match=r"2 of 5 query vectors are not finite \(first: row 3\): did training diverge"):
        distance(broken, vectors(1, 2))


def test_a_sum_that_overflows_is_not_taken_for_infinity():
    assert cosine(np.full((2, 4), 1e308), np.full((1, 4), 1e308)).tolist() == [[0], [0]]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (np.zeros((2, 3)), "query vectors have 3 numbers and gallery vectors 4: are they from the same model"),
        (np.zeros((2, 4, 1)), r"query vectors have shape \(2, 4, 1\) and type float64, expected floats"),
        (np.zeros((0, 4)), r"query vectors have shape \(0, 4\)"),
        (np.zeros((2, 4), int), "type int64, expected floats"),
    ],
)
def test_other_shapes_are_refused(query, message):
    with pytest.raises(ValueError, match=message):
        check_vectors(query, np.ones((5, 4)))
