"""Data from outside the repository: found, or the test is skipped with the reason."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def shared(*parts: str) -> Path:
    """Find a file or folder under `$S2REID_SHARED`, else `../shared/data` beside the repository; skip where absent."""
    path = Path(os.environ.get("S2REID_SHARED") or ROOT.parent / "shared" / "data", *parts)
    if not path.exists():
        pytest.skip(f"{path} is not here: set S2REID_SHARED to the folder of outside data")
    return path
