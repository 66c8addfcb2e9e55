"""Read one matrix of whole numbers from a MATLAB file of any version."""

import importlib
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int
from scipy.io import loadmat

HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
"""How an HDF5 file begins, at once or behind MATLAB's own header of 512 bytes."""


def read_matrix(path: Path, key: str, advice: str) -> Int[np.ndarray, "..."]:
    """Read the variable `key` in the shape that MATLAB shows.

    Versions up to 7 are read by SciPy, version 7.3 (an HDF5 file) by h5py where it is installed. Raises `ValueError`,
    ending in `advice`, for a file that cannot be read, lacks the variable, or holds something else than whole numbers.
    """
    try:
        content = _read_hdf5(path) if _is_hdf5(path) else loadmat(path)
    except ImportError as error:
        raise ValueError(
            f"{path} is a MATLAB file of version 7.3 (HDF5), and reading it needs h5py: `pip install h5py`, or {advice}"
        ) from error
    except Exception as error:  # damaged files make the readers raise almost anything
        raise ValueError(f"cannot read {path} as a MATLAB file ({error}): {advice}") from error
    if key not in content:
        found = ", ".join(name for name in content if not name.startswith("__")) or "nothing"
        raise ValueError(f"{path} holds {found}, expected {key}: {advice}")
    values = np.asarray(content[key])
    if values.dtype.kind not in "iuf" or not (values == np.rint(values)).all():
        raise ValueError(f"{path} holds a {key} that is not a matrix of whole numbers: {advice}")
    return values.astype(np.int64)


def _is_hdf5(path: Path) -> bool:
    with open(path, "rb") as file:
        start = file.read(512 + len(HDF5_MAGIC))
    return start.startswith(HDF5_MAGIC) or start[512:] == HDF5_MAGIC


def _read_hdf5(path: Path) -> dict[str, Any]:
    """Read the plain matrices of an HDF5 file, which stores them transposed."""
    h5py = importlib.import_module("h5py")  # optional, and imported only for the files that need it
    with h5py.File(path, "r") as file:
        return {name: value[()].T for name, value in file.items() if isinstance(value, h5py.Dataset)}
