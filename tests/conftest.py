"""Tiny data and a tiny scale; nothing here renders a world. What needs torch imports it when it is asked for."""

from pathlib import Path

import pytest

from s2reid import datasets
from s2reid.types import Dataset


@pytest.fixture
def tiny_scale(monkeypatch: pytest.MonkeyPatch):
    """Let every part know a scale of 32x16 pixels, on one thread, so that equal seeds give equal bits."""
    import torch
    from accelerate.state import AcceleratorState, GradientState
    from tests import tiny

    from s2reid import lookup, scales
    from s2reid.methods import glt, qaconv, s2r, source_only

    for name, size in tiny.SIZES.items():
        monkeypatch.setitem(lookup.find("backbones", name).SIZES, "tiny", size)
    monkeypatch.setitem(scales.SCALES, "tiny", tiny.SCALE)
    monkeypatch.setitem(source_only.SCHEDULES, "tiny", tiny.SCHEDULE)
    monkeypatch.setitem(glt.SCHEDULES, "tiny", (tiny.SCHEDULE, tiny.SCHEDULE))
    monkeypatch.setitem(qaconv.SCHEDULES, "tiny", tiny.SCHEDULE)
    monkeypatch.setitem(s2r.SCHEDULES, "tiny", (tiny.SCHEDULE, tiny.SCHEDULE))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
    AcceleratorState._reset_state(reset_partial_state=True)  # accelerate keeps a precision for the whole process
    GradientState._reset_state()


@pytest.fixture(scope="session")
def source_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests import tiny

    return tiny.write_source(tmp_path_factory.mktemp("source"))


@pytest.fixture(scope="session")
def target_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests import tiny

    return tiny.write_target(tmp_path_factory.mktemp("target"))


@pytest.fixture(scope="session")
def source(source_root: Path) -> Dataset:
    return datasets.load(f"svreid:{source_root}")


@pytest.fixture(scope="session")
def target(target_root: Path) -> Dataset:
    return datasets.load(f"ilids_vid:{target_root}")
