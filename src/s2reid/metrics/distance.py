"""Vector distances between queries and a gallery, computed in float32.

`DISTANCES[name](gallery)` prepares the gallery once and answers with a function of a query block, so that a long list
of queries is compared block by block without normalising the gallery again and again.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

Vectors = Float[np.ndarray, "n d"]
Block = Float[np.ndarray, "q g"]


def cosine(query: Float[np.ndarray, "q d"], gallery: Float[np.ndarray, "g d"]) -> Block:
    """Compute one minus the cosine of every pair, in [0, 2]; a zero vector is at distance 1 from everything.

    Raises `ValueError` where a vector is not finite or the two widths differ.

    >>> cosine(np.array([[2.0, 0.0]]), np.array([[3.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])).tolist()
    [[0.0, 1.0, 2.0]]
    """
    query, gallery = check_vectors(query, gallery)
    return cosine_to(gallery)(query)


def euclidean(query: Float[np.ndarray, "q d"], gallery: Float[np.ndarray, "g d"]) -> Block:
    """Compute the Euclidean distance of every pair.

    Vectors are centred on the gallery's mean first, which keeps the digits that |q|² + |g|² - 2qg would cancel.
    Raises `ValueError` where a vector is not finite or the two widths differ.

    >>> euclidean(np.array([[0.0, 0.0]]), np.array([[3.0, 4.0], [0.0, 0.0]])).tolist()
    [[5.0, 0.0]]
    """
    query, gallery = check_vectors(query, gallery)
    return euclidean_to(gallery)(query)


def cosine_to(gallery: Float[np.ndarray, "g d"]) -> Callable[[Vectors], Block]:
    """Prepare a gallery for `cosine`; vectors have passed `check_vectors`."""
    gallery_units = unit(gallery)

    def block(query: Float[np.ndarray, "q d"]) -> Block:
        distances: Block = unit(query) @ gallery_units.T
        np.subtract(np.float32(1), distances, out=distances)
        np.clip(distances, 0, 2, out=distances)
        return distances

    return block


def euclidean_to(gallery: Float[np.ndarray, "g d"]) -> Callable[[Vectors], Block]:
    """Prepare a gallery for `euclidean`; vectors have passed `check_vectors`."""
    centre = gallery.mean(axis=0, dtype=np.float64).astype(gallery.dtype)
    gallery = gallery - centre
    # One unit of length for all: squares of very large or very small vectors stay inside float32.
    scale = _largest(gallery, axis=None)
    gallery = (gallery / scale).astype(np.float32, copy=False)
    gallery_squares = np.einsum("gd,gd->g", gallery, gallery)

    def block(query: Float[np.ndarray, "q d"]) -> Block:
        query = ((query - centre) / scale).astype(np.float32, copy=False)
        distances: Block = query @ gallery.T
        distances *= -2
        distances += gallery_squares
        distances += np.einsum("qd,qd->q", query, query)[:, None]
        np.sqrt(np.maximum(distances, 0, out=distances), out=distances)
        distances *= np.float32(scale)
        return distances

    return block


DISTANCES: dict[str, Callable[[Vectors], Callable[[Vectors], Block]]] = {
    "cosine": cosine_to,
    "euclidean": euclidean_to,
}


def unit(vectors: Vectors) -> Float[np.ndarray, "n d"]:
    """Scale every row to length 1 (a zero row stays zero), whatever its magnitude."""
    rows: Vectors = (vectors / _largest(vectors, axis=1)).astype(np.float32, copy=False)
    lengths = np.sqrt(np.einsum("nd,nd->n", rows, rows))
    rows /= np.where(lengths > 0, lengths, 1)[:, None]
    return rows


def _largest(values: Float[np.ndarray, "n d"], axis: int | None) -> Float[np.ndarray, "..."]:
    """Find the largest magnitude, a row or in all; 1 where everything is zero."""
    keepdims = axis is not None
    largest = np.maximum(values.max(axis=axis, keepdims=keepdims), -values.min(axis=axis, keepdims=keepdims))
    return np.where(largest > 0, largest, 1).astype(values.dtype)


def check_vectors(query: np.ndarray, gallery: np.ndarray) -> tuple[Float[np.ndarray, "q d"], Float[np.ndarray, "g d"]]:
    """Refuse anything but finite vectors of one width, at least one a side; half precision becomes float32."""
    for which, vectors in (("query", query), ("gallery", gallery)):
        if vectors.ndim != 2 or vectors.size == 0 or vectors.dtype.kind != "f":
            raise ValueError(
                f"{which} vectors have shape {vectors.shape} and type {vectors.dtype}, expected floats of shape (n, d) "
                "with n and d at least 1: features that are not vectors need the distance of their method"
            )
    if query.shape[1] != gallery.shape[1]:
        raise ValueError(
            f"query vectors have {query.shape[1]} numbers and gallery vectors {gallery.shape[1]}: "
            "are they from the same model?"
        )
    return _finite(query, "query"), _finite(gallery, "gallery")


def _finite(vectors: Vectors, which: str) -> Vectors:
    # A sum is finite only where every term is: one pass, no array of flags.
    with np.errstate(invalid="ignore", over="ignore"):
        total = vectors.sum(dtype=np.float64)
    if not np.isfinite(total):
        bad = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
        if len(bad):
            raise ValueError(
                f"{len(bad)} of {len(vectors)} {which} vectors are not finite (first: row {bad[0]}): "
                "did training diverge?"
            )
    return vectors.astype(np.float32) if vectors.dtype == np.float16 else vectors


def block_size(num_gallery: int) -> int:
    """Choose how many queries to compare at a time: many make a matrix product fast, but never a GiB of them."""
    return max(16, min(512, 2**26 // max(num_gallery, 1)))
