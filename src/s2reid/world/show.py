"""One picture of a preset before it is rendered: the same persons before many cameras, and in many clothes."""

from collections.abc import Sequence
from dataclasses import replace as but
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from s2reid.world.film import World
from s2reid.world.folder import encode, replace
from s2reid.world.presets import Planned
from s2reid.world.request import Request, request

COLUMNS, MOST_PERSONS = 10, 50
GAP, TITLE = 4, 22
"""Pixels between pictures, and above the rows of a title."""
FIRST = 1 << 30
"""The pictures are nobody's tracklets: they count from here."""
Picture = UInt8[np.ndarray, "h w 3"]


def show(
    preset: str,
    out_png: str | Path,
    *,
    persons: int = 6,
    seed: int = 0,
    height: int | None = None,
    without: Sequence[str] = (),
) -> Path:
    """Draw a row a person: the person before up to ten cameras and, where there are some, in up to ten outfits.

    The persons are those of `write` with the same preset and seed who have the most outfits. Raises `ValueError` for
    what cannot be asked for.
    """
    if not 1 <= persons <= MOST_PERSONS:
        raise ValueError(f"a sheet shows 1 to {MOST_PERSONS} persons, asked for {persons}")
    target = Path(out_png)
    if target.suffix != ".png":
        raise ValueError(f"{target} is not a .png file: name one")
    asked = request(preset, seed=seed, height=height, without=without)
    outfits = _outfits(asked)
    chosen = sorted(outfits, key=lambda person: -len(outfits[person]))[:persons]
    name = asked.sized().name
    rows = [[_shot(asked, person, view, outfits[person]) for view in _views(asked)] for person in chosen]
    blocks = [_block(f"{name}: the same person before different cameras", rows)]
    if any(len(outfits[person]) > 1 for person in chosen):
        rows = [[_shot(asked, person, view, [view]) for view in outfits[person][:COLUMNS]] for person in chosen]
        blocks.append(_block(f"{name}: a person's outfits", rows))
    width = max(block.shape[1] for block in blocks)
    sheet = np.concatenate([np.pad(b, ((0, 0), (0, width - b.shape[1]), (0, 0)), constant_values=255) for b in blocks])
    target.parent.mkdir(parents=True, exist_ok=True)
    replace(target, encode(sheet, target.name))
    return target


def _outfits(asked: Request) -> dict[int, list[Planned]]:
    """Find a tracklet of every outfit of every person, in order."""
    found: dict[int, dict[tuple[int, int], Planned]] = {}
    for item in asked.plan():
        if item.kind == "person":
            found.setdefault(item.person, {}).setdefault((item.setting, item.outfit), item)
    return {person: [of[key] for key in sorted(of)] for person, of in sorted(found.items())}


def _views(asked: Request) -> list[Planned]:
    """Pick a tracklet of each camera, evenly where there are many."""
    found = {(item.setting, item.camera): item for item in asked.plan()}
    places = np.linspace(0, len(found) - 1, min(COLUMNS, len(found))).round().astype(int)
    return [found[sorted(found)[place]] for place in places]


def _shot(asked: Request, person: int, view: Planned, worn: Sequence[Planned]) -> Picture:
    """Take one picture of a person where a tracklet was taken, in what the person wears there."""
    outfit = next((item.outfit for item in worn if item.setting == view.setting), worn[0].outfit)
    world = _world(asked, view.setting)
    index = FIRST + person * 1000 + view.camera * 40 + outfit
    return next(world.film(Planned(index, person, outfit, view.camera, 1), world.person(person, outfit)))


@lru_cache(maxsize=16)
def _world(asked: Request, setting: int) -> World:
    """Open a world whose detector does not err: a sheet shows persons."""
    preset = asked.sized().seen(setting, "person")
    return World(but(preset, cameras=but(preset.cameras, slips=0.0)), asked.seed)


def _block(title: str, rows: Sequence[Sequence[Picture]]) -> UInt8[np.ndarray, "y x 3"]:
    """Put rows of pictures below a title, on white."""
    height, width = rows[0][0].shape[:2]
    most = max(max(len(row) for row in rows), -(-9 * len(title) // (width + GAP)))
    sheet = np.full((TITLE + len(rows) * (height + GAP), most * (width + GAP), 3), 255, np.uint8)
    cv2.putText(sheet, title, (2, TITLE - 7), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (40, 40, 40), 1, cv2.LINE_AA)
    for k, row in enumerate(rows):
        for column, picture in enumerate(row):
            top, left = TITLE + k * (height + GAP), column * (width + GAP)
            sheet[top : top + height, left : left + width] = picture
    return sheet
