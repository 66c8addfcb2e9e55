"""Files that are whole or not there."""

from pathlib import Path

import numpy as np
import scipy.io

from s2reid.world import folder
from s2reid.world.layouts.matlab import matrix_file


def test_an_empty_file_is_not_written(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "full").write_bytes(b"1")
    assert [folder.is_written(tmp_path / name) for name in ("empty", "full", "none", "full/inside")] == [
        False,
        True,
        False,
        False,
    ]


def test_the_matlab_file_of_a_known_matrix(tmp_path: Path) -> None:
    matrix = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    code = matrix_file("m", matrix)
    assert len(code) == 20 + 2 + 48
    (tmp_path / "m.mat").write_bytes(code)
    np.testing.assert_array_equal(scipy.io.loadmat(tmp_path / "m.mat")["m"], matrix)
