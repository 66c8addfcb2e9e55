"""Write MATLAB files."""

import struct

import numpy as np
from jaxtyping import Float


def matrix_file(name: str, matrix: Float[np.ndarray, "r c"]) -> bytes:
    """Encode one matrix as a MATLAB level 4 file, which every reader of .mat files knows."""
    title = name.encode() + b"\0"
    header = struct.pack("<5i", 0, *matrix.shape, 0, len(title))
    return header + title + np.asfortranarray(matrix, "<f8").tobytes(order="F")
