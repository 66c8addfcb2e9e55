"""The worlds that exist, how large they are made, and who is seen by whom in them."""

from dataclasses import replace
from difflib import get_close_matches

from s2reid.world import layouts
from s2reid.world.domain import Planned, Preset
from s2reid.world.standins import STANDINS

__all__ = ["NAMES", "PRESETS", "Planned", "Preset", "find", "plan", "sized"]

SVREID = Preset("svreid", "svreid", 0, persons=333, tracklets=1164, num_scenes=5, cameras_per_scene=2, frames=16)
LARGE = Preset(
    "svreid-large",
    "svreid",
    1,
    persons=5000,
    tracklets=20000,
    num_scenes=96,
    cameras_per_scene=1,
    frames=4,
    interval=(0.15, 0.5),
)
PRESETS = {preset.name: preset for preset in (SVREID, LARGE, *STANDINS)}
NAMES = tuple(PRESETS)

LONGEST = 6.0
"""Seconds that a walk in a stand-in takes at most."""


def find(name: str) -> Preset:
    """Look a preset up; raise `ValueError` with the list of what exists.

    >>> find("svreid").tracklets
    1164
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
    persons, frames, height = (
        preset.persons if persons is None else persons,
        preset.frames if frames is None else frames,
        preset.height if height is None else height,
    )
    for name, value, least in (("persons", persons, 2), ("frames", frames, 1), ("height", height, 16)):
        if value < least:
            raise ValueError(f"a world needs at least {least} for {name}, found {value}: ask for more")
    tracklets = round(persons * preset.tracklets / preset.persons)
    # The many frames of a real tracklet come fast: nobody walks farther than the place goes.
    hurry = min(1.0, LONGEST / (frames * preset.interval[1])) if preset.sizes else 1.0
    interval = preset.interval[0] * hurry, preset.interval[1] * hurry
    return replace(preset, persons=persons, frames=frames, height=height, tracklets=tracklets, interval=interval)


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
