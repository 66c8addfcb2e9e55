"""The worlds that exist, as values: whom they hold, what those wear, where they walk, who sees them."""

from dataclasses import dataclass, field, replace
from difflib import get_close_matches

import numpy as np

from s2reid.world.cameras import CameraStyle
from s2reid.world.clothes import PATTERNS, Wardrobe
from s2reid.world.scene import SceneStyle


@dataclass(frozen=True)
class Preset:
    """A world to render; `space` keeps its persons, cameras and places apart from every other world's.

    `tracklets` is how many tracklets `persons` persons have in all, each before another camera; `interval` is the
    time between frames in seconds; `layout` names the dataset whose files the world imitates.
    """

    name: str
    layout: str
    space: int
    persons: int
    tracklets: int
    num_scenes: int
    cameras_per_scene: int
    frames: int
    height: int = 128
    interval: tuple[float, float] = (0.12, 0.3)
    wardrobe: Wardrobe = field(default_factory=Wardrobe)
    places: SceneStyle = field(default_factory=SceneStyle)
    cameras: CameraStyle = field(default_factory=CameraStyle)

    @property
    def num_cameras(self) -> int:
        return self.num_scenes * self.cameras_per_scene


@dataclass(frozen=True)
class Planned:
    """A tracklet to render; `index` is unique within its world."""

    index: int
    person: int
    outfit: int
    camera: int


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
# What no source has: halls with barriers and trolleys, plaid, scarves, interlacing, crowds, low and close cameras.
STANDIN_ILIDS = Preset(
    "standin-ilids",
    "ilids_vid",
    2,
    persons=300,
    tracklets=600,
    num_scenes=1,
    cameras_per_scene=2,
    frames=12,
    interval=(0.10, 0.20),
    wardrobe=Wardrobe(
        dark=0.55,
        vivid=0.14,
        layered=0.6,
        bare_arms=0.12,
        shorts=0.05,
        skirts=0.2,
        bags=0.8,
        scarves=0.2,
        patterns=("plaid", "plaid", *PATTERNS[1:]),
        bag_kinds=("trolley", "trolley", "pack", "satchel", "handbag"),
    ),
    places=SceneStyle(
        grounds=("terrazzo", "carpet"),
        walls=("posters", "glass"),
        props=("pillar", "barrier", "desk", "seats"),
        indoor=1.0,
        num_walls=(4, 4),
        num_props=(7, 10),
    ),
    cameras=CameraStyle(
        height=(2.4, 3.1),
        distance=(5.0, 9.0),
        stature=(95.0, 150.0),
        spread=(0.3, 0.6),
        aspect=(0.46, 0.5),
        loose=(0.05, 0.1),
        warmth=0.22,
        tint=0.14,
        exposure=0.25,
        saturation=(0.55, 0.9),
        haze=0.12,
        noise=(0.03, 0.05),
        blur=(0.6, 1.2),
        quality=(25.0, 45.0),
        crowd=(1.6, 2.6),
        interlaced=1.0,
    ),
)
PRESETS = {preset.name: preset for preset in (SVREID, LARGE, STANDIN_ILIDS)}
NAMES = tuple(PRESETS)


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


def sized(preset: Preset, persons: int | None, frames: int | None, height: int | None) -> Preset:
    """Change a preset's size: as many persons, frames a tracklet and pixels as asked; tracklets keep their ratio."""
    persons, frames, height = (
        preset.persons if persons is None else persons,
        preset.frames if frames is None else frames,
        preset.height if height is None else height,
    )
    for name, value, least in (("persons", persons, 2), ("frames", frames, 1), ("height", height, 16)):
        if value < least:
            raise ValueError(f"a world needs at least {least} for {name}, found {value}: ask for more")
    tracklets = round(persons * preset.tracklets / preset.persons)
    return replace(preset, persons=persons, frames=frames, height=height, tracklets=tracklets)


def plan(preset: Preset, seed: int) -> tuple[Planned, ...]:
    """Decide who is seen by which cameras: everyone by at least two, exactly `preset.tracklets` in all.

    >>> len(plan(find("svreid"), seed=0))
    1164
    """
    rng = np.random.default_rng((seed, preset.space, 0))
    each, rest = divmod(preset.tracklets, preset.persons)
    if rest == 0:
        counts = np.full(preset.persons, each)
    else:
        counts = np.full(preset.persons, 2)
        for _ in range(preset.tracklets - 2 * preset.persons):
            counts[rng.choice(np.flatnonzero(counts < preset.num_cameras))] += 1
    planned: list[Planned] = []
    for person, count in enumerate(counts):
        for camera in sorted(rng.choice(preset.num_cameras, count, replace=False)):
            planned.append(Planned(len(planned), person, 0, int(camera)))
    return tuple(planned)
