"""Re-ranking against loops written from the paper's equations, against the reference's output, and by hand."""

import tracemalloc
from math import exp

import numpy as np
import pytest
from tests.shared import shared

from s2reid.metrics import distance, ranking, rerank
from s2reid.metrics.ranking import rank
from s2reid.metrics.rerank import Rerank
from s2reid.types import Embeddings


def neighbours(distances, entry, k):
    """N(p, k): the entry itself and its k nearest others; equal distances keep the order of the data."""
    others = sorted((d, other) for other, d in enumerate(distances[entry]) if other != entry)
    return [entry, *(other for _, other in others[:k])]


def reciprocal(distances, entry, k):
    """R(p, k), Eq. 2."""
    return {other for other in neighbours(distances, entry, k) if entry in neighbours(distances, other, k)}


def expanded(distances, entry, k1):
    """R*(p, k), Eq. 3: with the sets of neighbours that share more than two thirds of them."""
    own = reciprocal(distances, entry, k1)
    found = set(own)
    for other in own:
        theirs = reciprocal(distances, other, round(k1 / 2))
        if 3 * len(own & theirs) > 2 * len(theirs):
            found |= theirs
    return found


def by_definition(query, gallery, k1, k2, weight):
    vectors = np.concatenate([query, gallery]).astype(np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    n = len(vectors)
    distances = [[float(((a - b) ** 2).sum()) for b in vectors] for a in vectors]
    scaled = [[d / max(row) for d in row] for row in distances]
    encoded = []  # Eq. 4 and 7
    for entry in range(n):
        found = expanded(distances, entry, k1)
        total = sum(exp(-scaled[entry][other]) for other in found)
        encoded.append([exp(-scaled[entry][other]) / total if other in found else 0.0 for other in range(n)])
    averaged = []  # Eq. 11
    for entry in range(n):
        near = neighbours(distances, entry, k2 - 1)
        averaged.append([sum(encoded[other][column] for other in near) / len(near) for column in range(n)])
    final = np.empty((len(query), len(gallery)))
    for i in range(len(query)):
        for j in range(len(gallery)):
            pairs = list(zip(averaged[i], averaged[len(query) + j]))
            jaccard = 1 - sum(map(min, pairs)) / sum(map(max, pairs))  # Eq. 10
            final[i, j] = (1 - weight) * jaccard + weight * scaled[i][len(query) + j]  # Eq. 12
    return final


def everything(query, gallery, *parameters):
    return Rerank(*parameters).prepare(query, gallery)(slice(None))


def crowd(seed, num_query=8, num_gallery=22, width=6, spread=0.6):
    """Vectors of a few persons, so that some neighbours are mutual and some are not."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(7, width))
    person = rng.integers(7, size=num_query + num_gallery)
    vectors = (centres[person] + spread * rng.normal(size=(len(person), width))).astype(np.float32)
    return vectors[:num_query], vectors[num_query:]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("k1", "k2"), [(6, 3), (5, 1), (20, 6), (3, 4), (1, 1), (60, 6)])
def test_definition(seed, k1, k2):
    query, gallery = crowd(seed)
    found = everything(query, gallery, k1, k2, 0.3)
    assert (found.shape, found.dtype) == ((8, 22), np.float32)
    np.testing.assert_allclose(found, by_definition(query, gallery, k1, k2, 0.3), atol=2e-6)


def test_the_expansion_is_tested():
    query, gallery = crowd(0)
    vectors = distance.unit(np.concatenate([query, gallery]))
    distances = 2 - 2 * vectors.astype(float) @ vectors.T
    grown = [len(expanded(distances, i, 6)) - len(reciprocal(distances, i, 6)) for i in range(30)]
    assert min(grown) == 0
    assert max(grown) > 0


def test_ties_keep_the_order_of_the_data():
    # Directions of which several are the same: all their distances are exactly 0 or 2, in float32 too.
    query, gallery = np.eye(4, dtype=np.float32)[[0, 1, 3]], np.eye(4, dtype=np.float32)[[2, 0, 1, 0, 1, 3, 2, 0]]
    for k1, k2 in ((2, 2), (3, 1), (5, 3)):
        np.testing.assert_allclose(
            everything(query, gallery, k1, k2, 0.3), by_definition(query, gallery, k1, k2, 0.3), atol=1e-6
        )


def test_two_pairs_by_hand():
    # The query's only neighbour is gallery 0 and the other way round; 1 and 2 are each other's. A pair is at 60
    # degrees: d² = 1. The farthest of the query is at 180 degrees (d² = 4), so its own is at 1/4 after scaling.
    angles = np.deg2rad([[0], [60], [180], [240]])
    vectors = np.concatenate([np.cos(angles), np.sin(angles)], axis=1)
    own, other = 1 / (1 + exp(-1 / 4)), exp(-1 / 4) / (1 + exp(-1 / 4))
    jaccard = 1 - 2 * other / (2 * own)  # encodings (own, other) and (other, own)
    found = everything(vectors[:1], vectors[1:], 1, 1, 0.3)
    expected = [0.7 * jaccard + 0.3 / 4, 0.7 + 0.3, 0.7 + 0.3 * 3 / 4]
    np.testing.assert_allclose(found, [expected], atol=1e-6)


@pytest.mark.parametrize(("k1", "k2"), [(20, 6), (6, 3)])
def test_the_reference(k1, k2):
    published = np.load(shared("evaluator", f"pku_reid74_rerank_{k1}_{k2}.npy"))
    with np.load(shared("evaluator", "pku_reid74_osnet_feats.npz")) as data:
        found = everything(data["qf"], data["gf"], k1, k2, 0.3)
    assert found.shape == (74, 74)
    np.testing.assert_allclose(found, published, rtol=0, atol=5e-7)


def test_the_original_s_share():
    query, gallery = crowd(1)
    alone, none, some = (everything(query, gallery, 6, 3, weight) for weight in (1.0, 0.0, 0.25))
    np.testing.assert_allclose(some, 0.25 * alone + 0.75 * none, atol=1e-6)
    vectors = np.concatenate([query, gallery])
    cosine = distance.cosine(query, vectors)
    np.testing.assert_allclose(alone, cosine[:, 8:] / cosine.max(axis=1, keepdims=True), atol=1e-5)


def test_blocks_and_lengths_of_vectors_change_nothing(monkeypatch):
    query, gallery = crowd(2)
    expected = everything(query, gallery, 6, 3, 0.3)
    np.testing.assert_allclose(everything(query * 3, gallery / 7, 6, 3, 0.3), expected, atol=1e-6)
    monkeypatch.setattr(rerank, "block_size", lambda num: 7)
    some = Rerank(6, 3).prepare(query, gallery)
    blocks = np.concatenate([some(slice(0, 3)), some(slice(3, 6)), some(slice(6, 9))])
    np.testing.assert_allclose(blocks, expected, atol=1e-6)
    assert (everything(query, gallery, 6, 3, 0.3) == everything(query, gallery, 6, 3, 0.3)).all()


def test_vectors_that_are_all_the_same_are_at_no_distance():
    for num_query, num_gallery in ((1, 1), (2, 30)):
        found = everything(np.ones((num_query, 2), np.float32), np.ones((num_gallery, 2), np.float32), 6, 3, 1.0)
        np.testing.assert_allclose(found, 0, atol=1e-6)


def test_it_ranks():
    query, gallery = (
        Embeddings(vectors, *(np.arange(len(vectors)) % modulus for modulus in (5, 3, 1))) for vectors in crowd(3)
    )
    expected = ranking.rank_matrix(everything(query.vectors, gallery.vectors, 6, 3, 0.3), query, gallery, top=4)
    found = rank(query, gallery, Rerank(6, 3), top=4, block=3)
    np.testing.assert_array_equal(found.top, expected.top)
    np.testing.assert_array_equal(found.average_precision, expected.average_precision)


def test_nothing_of_size_n_by_n_is_held(monkeypatch):
    vectors = np.random.default_rng(0).normal(size=(2500, 8)).astype(np.float32)
    query = Embeddings(vectors[:500], *(np.arange(500) % modulus for modulus in (50, 3, 1)))
    gallery = Embeddings(vectors[500:], *(np.arange(2000) % modulus for modulus in (50, 3, 1)))
    monkeypatch.setattr(rerank, "block_size", lambda num: 64)
    tracemalloc.start()
    rank(query, gallery, Rerank(6, 3), block=64)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.5 * 2500**2 * 4  # half of one float32 matrix


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ((0, 1, 0.3), "re-ranking with k1 0 and k2 1: expected at least 1 neighbour each"),
        ((20, 0, 0.3), "re-ranking with k1 20 and k2 0: expected at least 1 neighbour each"),
        ((5, 7, 0.3), r"re-ranking with k2 7 and k1 5: k2 can be k1 \+ 1 at most"),
        ((20, 6, 1.5), "re-ranking with lambda 1.5: expected a share from 0 to 1"),
        ((20, 6, float("nan")), "re-ranking with lambda nan: expected a share from 0 to 1"),
    ],
)
def test_parameters_that_cannot_be(parameters, message):
    with pytest.raises(ValueError, match=message):
        Rerank(*parameters)


def test_vectors_that_cannot_be_are_refused():
    query, gallery = crowd(0)
    labels = (np.zeros(8, int), np.zeros(22, int))
    sides = [Embeddings(vectors, *[label] * 3) for vectors, label in zip((query, gallery), labels)]
    sides[1].vectors[3] = np.nan
    with pytest.raises(ValueError, match=r"1 of 22 gallery vectors are not finite \(first: row 3\)"):
        rank(*sides, Rerank())
    assert str(Rerank(20, 6, 0.3)) == "re-ranked (k1 20, k2 6, lambda 0.3)"
