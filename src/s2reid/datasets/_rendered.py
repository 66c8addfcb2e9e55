"""The marker of a rendered set, `world.json`: its own name, where it came from, and what it must hold."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MARKER = "world.json"


def read_marker(*places: Path) -> dict[str, Any]:
    """Read the `world.json` of the first folder that has one; {} for a set that was not rendered.

    Raises `ValueError` where it cannot be read, has no name, or says that the rendering is not finished.
    """
    path = next((place / MARKER for place in places if (place / MARKER).is_file()), None)
    if path is None:
        return {}
    try:
        marker = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"cannot read {path} ({error}): render the world again") from error
    if not isinstance(marker, dict) or not isinstance(marker.get("name"), str):
        raise ValueError(f"{path} does not name its dataset: was it written by `s2reid world`?")
    if marker.get("finished") is False:
        raise ValueError(
            f"{path.parent} is an unfinished render: run the same `s2reid world` command again to finish it"
        )
    return marker


def origin(root: Path, layout: str, marker: Mapping[str, Any]) -> dict[str, Any]:
    """Say where a dataset came from: its layout, its root and, where it was rendered, what its marker says."""
    return {"layout": layout, "root": str(root), **marker}
