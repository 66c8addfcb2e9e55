"""The benchmarks are scripts: they are found as they are when somebody runs one."""

import importlib
import sys

import pytest
from tests.shared import ROOT


@pytest.fixture
def script(monkeypatch):
    """Import a script by its name, as if it stood alone; it is forgotten after the test."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    before = set(sys.modules)
    yield importlib.import_module
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(ROOT / "benchmarks")):
            del sys.modules[name]
