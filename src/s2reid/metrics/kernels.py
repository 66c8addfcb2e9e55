"""The hot loops of re-ranking, compiled once a machine; on one thread, so that a result is the same anywhere."""

import numpy as np
from jaxtyping import Float32, Int32

from s2reid.compiled import kernel


@kernel
def reciprocal_neighbours(near: Int32[np.ndarray, "n k"], entry: int, num_near: int) -> Int32[np.ndarray, " m"]:
    """Find which of an entry's first `num_near` neighbours have the entry among their own first `num_near`."""
    found = np.empty(num_near, np.int32)
    count = 0
    for neighbour in near[entry, :num_near]:
        for other in near[neighbour, :num_near]:
            if other == entry:
                found[count] = neighbour
                count += 1
                break
    return found[:count]


@kernel
def expanded_neighbours(near: Int32[np.ndarray, "n k"], entry: int, num_half: int) -> Int32[np.ndarray, " m"]:
    """Add to an entry's reciprocal neighbours those of each neighbour that shares more than two thirds of its own."""
    own = reciprocal_neighbours(near, entry, near.shape[1])
    found = np.empty(len(own) * (1 + num_half), np.int32)
    found[: len(own)] = own
    count = len(own)
    for neighbour in own:
        others = reciprocal_neighbours(near, neighbour, num_half)
        shared = 0
        for other in others:
            if (own == other).any():
                shared += 1
        if shared > 2.0 / 3 * len(others):
            found[count : count + len(others)] = others
            count += len(others)
    return np.unique(found[:count])


@kernel
def add_overlaps(
    shared: Float32[np.ndarray, "q n"],
    starts: Int32[np.ndarray, " q+1"],
    columns: Int32[np.ndarray, " a"],
    weights: Float32[np.ndarray, " a"],
    inverse_starts: Int32[np.ndarray, " n+1"],
    inverse_rows: Int32[np.ndarray, " e"],
    inverse_weights: Float32[np.ndarray, " e"],
) -> None:
    """Add to `shared` the sum over all columns of the smaller of two weights, for every query row and every row.

    The queries are sparse by row, all rows are sparse by column; both follow SciPy's compressed layout.
    """
    for query in range(len(shared)):
        for place in range(starts[query], starts[query + 1]):
            column, weight = columns[place], weights[place]
            for entry in range(inverse_starts[column], inverse_starts[column + 1]):
                shared[query, inverse_rows[entry]] += min(weight, inverse_weights[entry])
