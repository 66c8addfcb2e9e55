"""The worlds that exist, how large they are made, and who is seen by whom in them."""

from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from s2reid.world import layouts
from s2reid.world.cameras import ANYWHERE
from s2reid.world.clothes import STREET
from s2reid.world.domain import Planned, Preset
from s2reid.world.places import EVERYWHERE
from s2reid.world.standins import STANDINS

__all__ = ["NAMES", "PRESETS", "Planned", "Preset", "find", "plan", "sized"]

LOOKS = 2
"""The version of all sources."""
LISTED = (1164, 3187, 9620)
"""Tracklets of the published training lists, each contained in the next."""
FULL = Preset(
    "svreid-full",
    "svreid",
    0,
    persons=333,
    tracklets=LISTED,
    num_scenes=5,
    cameras_per_scene=2,
    frames=16,
    wardrobe=STREET,
    places=EVERYWHERE,
    cameras=ANYWHERE,
    version=LOOKS,
)
CHANGING = replace(FULL, name="svreid-cc", tracklets=LISTED[:2])
SVREID = replace(FULL, name="svreid", tracklets=LISTED[:1])
LARGE = Preset(
    "svreid-large",
    "svreid",
    1,
    persons=5000,
    tracklets=(20000,),
    num_scenes=96,
    cameras_per_scene=1,
    frames=4,
    interval=(0.15, 0.5),
    wardrobe=STREET,
    places=EVERYWHERE,
    cameras=ANYWHERE,
    version=LOOKS,
)
PRESETS = {preset.name: preset for preset in (SVREID, CHANGING, FULL, LARGE, *STANDINS)}
NAMES = tuple(PRESETS)

LONGEST = 6.0
"""Seconds that a walk takes at most."""
LIMITS = {"persons": (2, 1_000_000), "frames": (1, 9_999), "height": (16, 2_160)}
"""What can be asked for, at least and at most: names of frames have four digits."""


def find(name: str) -> Preset:
    """Look a preset up; raise `ValueError` with the list of what exists.

    >>> find("svreid-cc").tracklets
    (1164, 3187)
    """
    if name not in PRESETS:
        close = get_close_matches(name, NAMES, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise ValueError(f"no world preset named {name!r}: there are {', '.join(NAMES)}{hint}")
    return PRESETS[name]


def sized(
    preset: Preset, persons: int | None, frames: int | None, height: int | None, size: str | None = None
) -> Preset:
    """Change a preset's size: that of a name, then as many persons, frames a tracklet and pixels as asked.

    A stand-in has the sizes tiny, small (its own) and full; everything else that it counts follows from its persons.
    Elsewhere tracklets keep their ratio to the persons.
    """
    if size is not None:
        preset = _resize(preset, size)
    asked = {"persons": persons, "frames": frames, "height": height}
    numbers: dict[str, Any] = {name: getattr(preset, name) if value is None else value for name, value in asked.items()}
    for name, value in numbers.items():
        least, most = LIMITS[name]
        if value < least:
            raise ValueError(f"a world needs at least {least} for {name}, found {value}: ask for more")
        if value > most:
            raise ValueError(f"a world has at most {most:,} for {name}, found {value:,}: ask for less")
    tracklets = tuple(round(numbers["persons"] * count / preset.persons) for count in preset.tracklets)
    # Frames come fast where a tracklet has many of them: nobody walks farther than the place goes.
    hurry = min(1.0, LONGEST / (numbers["frames"] * preset.interval[1]))
    interval = preset.interval[0] * hurry, preset.interval[1] * hurry
    return replace(preset, **numbers, tracklets=tracklets, interval=interval)


def _resize(preset: Preset, size: str) -> Preset:
    if not preset.sizes:
        raise ValueError(
            f"{preset.name} has no size {size!r}: only stand-ins have sizes; say --persons, --frames or --height"
        )
    if size not in preset.sizes:
        raise ValueError(f"{preset.name} has no size {size!r}: it has {', '.join(preset.sizes)}")
    chosen = preset.sizes[size]
    return replace(preset, **vars(chosen))


def plan(preset: Preset, seed: int) -> tuple[Planned, ...]:
    """Decide who is seen by which cameras, in how many frames, and which part of the dataset that is.

    >>> len(plan(find("svreid"), seed=0))
    1164
    """
    return layouts.find(preset.layout).plan(preset, seed)
