"""k-reciprocal re-ranking (Zhong et al., "Re-ranking person re-identification with k-reciprocal encoding", CVPR 2017).

Two tracklets are alike where each is among the other's nearest, and where they share such neighbours. The input is the
squared Euclidean distance of vectors at length 1 among all queries and gallery entries together; it is computed block
by block and only each row's nearest are kept, so nothing of size n x n is ever held.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int32
from scipy import sparse

from s2reid.metrics.distance import Block, Vectors, block_size, unit
from s2reid.metrics.kernels import add_overlaps, expanded_neighbours

Neighbours = Int32[np.ndarray, "n k"]


@dataclass(frozen=True)
class Rerank:
    """The parameters of the paper: neighbours that must be mutual, neighbours averaged, and the original's share.

    Departures, both the reference implementation's: an entry is its own first neighbour, so that `k1` neighbours are
    `k1` others, and a neighbour's set is added where *more* than two thirds of it are shared. Neighbours at exactly
    the same distance keep the order of the data, queries first. Entries are compared by cosine alone: other distances
    cannot be re-ranked.

    >>> vectors = np.eye(3, dtype=np.float32)
    >>> Rerank(k1=1, k2=1, weight=0.5).prepare(vectors[:1], vectors)(slice(0, 1)).round(2).tolist()
    [[0.0, 1.0, 1.0]]
    """

    k1: int = 20
    k2: int = 6
    weight: float = 0.3

    def __post_init__(self) -> None:
        if self.k1 < 1 or self.k2 < 1:
            raise ValueError(f"re-ranking with k1 {self.k1} and k2 {self.k2}: expected at least 1 neighbour each")
        if self.k2 > self.k1 + 1:
            raise ValueError(f"re-ranking with k2 {self.k2} and k1 {self.k1}: k2 can be k1 + 1 at most")
        if not 0 <= self.weight <= 1:
            raise ValueError(f"re-ranking with lambda {self.weight}: expected a share from 0 to 1")

    def __str__(self) -> str:
        return f"re-ranked (k1 {self.k1}, k2 {self.k2}, lambda {self.weight:g})"

    def prepare(self, query: Float[np.ndarray, "q d"], gallery: Float[np.ndarray, "g d"]) -> Callable[[slice], Block]:
        """Find the neighbours of everything; the function that comes back gives the distances of some query rows.

        Vectors have passed `check_vectors`. Distances are in [0, 1], float32.
        """
        vectors = unit(np.concatenate([query, gallery]))
        near, farthest = _neighbours(vectors, min(self.k1 + 1, len(vectors)))
        encoded = _encode(vectors, near, farthest, round(self.k1 / 2) + 1)
        encoded = _average(encoded, near[:, : self.k2])
        inverse = encoded.tocsc()
        num_query = len(query)

        def block(rows: slice) -> Block:
            places = np.arange(num_query)[rows]
            original = _squared(vectors[places], vectors[num_query:]) / farthest[places, None]
            jaccard = _jaccard(encoded[places], inverse)[:, num_query:]
            return (1 - self.weight) * jaccard + self.weight * original

        return block


def _squared(some: Float[np.ndarray, "q d"], others: Float[np.ndarray, "g d"]) -> Block:
    """Compute the squared Euclidean distances of vectors at length 1."""
    distances: Block = some @ others.T
    distances *= -2
    distances += 2
    return np.maximum(distances, 0, out=distances)


def _neighbours(vectors: Vectors, num_near: int) -> tuple[Neighbours, Float[np.ndarray, " n"]]:
    """Find each row's nearest rows, in order and itself first, and the squared distance of its farthest row."""
    near = np.empty((len(vectors), num_near), np.int32)
    farthest = np.empty(len(vectors), np.float32)
    size = block_size(len(vectors))
    for start in range(0, len(vectors), size):
        distances = _squared(vectors[start : start + size], vectors)
        farthest[start : start + size] = distances.max(axis=1)
        for row, values in enumerate(distances, start):
            values[row] = -1  # before its twins
            limit = np.partition(values, num_near - 1)[num_near - 1]
            nearest = np.flatnonzero(values <= limit)
            near[row] = nearest[np.argsort(values[nearest], kind="stable")[:num_near]]
    return near, np.where(farthest > 1e-6, farthest, 1)  # where all vectors are one, rounding errors are no scale


def _encode(vectors: Vectors, near: Neighbours, farthest: Float[np.ndarray, " n"], num_half: int) -> sparse.csr_matrix:
    """Describe each row by its expanded reciprocal neighbours, weighted by exp(-distance), sum 1 (Eq. 4 and 7)."""
    found = [expanded_neighbours(near, entry, min(num_half, near.shape[1])) for entry in range(len(near))]
    starts = np.cumsum([0, *map(len, found)]).astype(np.int32)
    columns, weights = np.concatenate(found), np.empty(starts[-1], np.float32)
    for entry, (start, stop) in enumerate(pairwise(starts)):
        distances = _squared(vectors[entry : entry + 1], vectors[columns[start:stop]])[0] / farthest[entry]
        weights[start:stop] = np.exp(-distances)
        weights[start:stop] /= weights[start:stop].sum()
    return sparse.csr_matrix((weights, columns, starts), shape=(len(near), len(near)))


def _average(encoded: sparse.csr_matrix, near: Neighbours) -> sparse.csr_matrix:
    """Average each row's encoding over its nearest rows (local query expansion, Eq. 11)."""
    num_rows, num_near = near.shape
    if num_near == 1:
        return encoded
    shares = np.full(near.size, 1 / num_near, np.float32)
    chosen = sparse.csr_matrix((shares, near.ravel(), np.arange(num_rows + 1) * num_near), shape=encoded.shape)
    return (chosen @ encoded).tocsr()


def _jaccard(rows: sparse.csr_matrix, inverse: sparse.csc_matrix) -> Block:
    """Compute the Jaccard distance of some rows to all (Eq. 10); every encoding sums to 1."""
    shared = np.zeros(rows.shape, np.float32)
    add_overlaps(shared, rows.indptr, rows.indices, rows.data, inverse.indptr, inverse.indices, inverse.data)
    return 1 - shared / (2 - shared)
