"""MATLAB files, old and new."""

import importlib

import numpy as np
import pytest
from scipy.io import savemat

from s2reid.datasets._matlab import read_matrix

TABLE = np.arange(12).reshape(3, 4)
# MATLAB writes a text of 512 bytes before the HDF5 file.
VERSION_7_3 = b"MATLAB 7.3 MAT-file".ljust(512) + b"\x89HDF\r\n\x1a\n"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.mat"


@pytest.mark.parametrize("version", ["4", "5"])
@pytest.mark.parametrize("dtype", [np.float64, np.uint8, np.int32])
def test_older_versions(path, version, dtype):
    savemat(path, {"table": TABLE.astype(dtype)}, format=version)
    values = read_matrix(path, "table", "ask")
    assert (values.tolist(), values.dtype) == (TABLE.tolist(), np.int64)


@pytest.mark.parametrize("userblock", [0, 512])
def test_version_7_3(path, userblock):
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w", userblock_size=userblock) as file:
        file.create_dataset("table", data=TABLE.T.astype(float), compression="gzip")  # MATLAB stores columns first
        file.create_group("#refs#")
    assert read_matrix(path, "table", "ask").tolist() == TABLE.tolist()
    with pytest.raises(ValueError, match=r"a.mat holds table, expected other: ask"):
        read_matrix(path, "other", "ask")


def test_version_7_3_without_h5py(path, monkeypatch):
    def no_h5py(name):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(importlib, "import_module", no_h5py)
    path.write_bytes(VERSION_7_3)
    message = r"a.mat is a MATLAB file of version 7.3 \(HDF5\), and reading it needs h5py: `pip install h5py`, or ask"
    with pytest.raises(ValueError, match=message):
        read_matrix(path, "table", "ask")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"other": TABLE, "more": 1}, "a.mat holds other, more, expected table: ask$"),
        ({}, "a.mat holds nothing, expected table: ask$"),
        ({"table": TABLE + 0.5}, "a.mat holds a table that is not a matrix of whole numbers: ask$"),
        ({"table": np.full(3, np.nan)}, "that is not a matrix of whole numbers: ask$"),
        ({"table": "text"}, "that is not a matrix of whole numbers: ask$"),
        ({"table": {"inner": 1}}, "that is not a matrix of whole numbers: ask$"),
    ],
)
def test_files_that_hold_something_else(path, content, message):
    savemat(path, content)
    with pytest.raises(ValueError, match=message):
        read_matrix(path, "table", "ask")


def test_damaged_files(path):
    savemat(path, {"table": TABLE})
    for content in (b"", b"text", path.read_bytes()[:150]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"cannot read .*a.mat as a MATLAB file \(.*\): ask$"):
            read_matrix(path, "table", "ask")
    pytest.importorskip("h5py")
    path.write_bytes(VERSION_7_3)
    with pytest.raises(ValueError, match=r"cannot read .*a.mat as a MATLAB file \(.*\): ask$"):
        read_matrix(path, "table", "ask")
