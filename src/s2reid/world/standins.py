"""The stand-ins: targets in the layouts of real datasets, each a domain with things that no source and no other has."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from s2reid.world.cameras import CameraStyle
from s2reid.world.clothes import PATTERNS, PLAIN, Wardrobe
from s2reid.world.domain import Preset, Setting, Size
from s2reid.world.scene import SceneStyle

TINY, SMALL, FULL = "tiny", "small", "full"


def _standin(name: str, layout: str, space: int, sizes: Mapping[str, Size], **domain: Any) -> Preset:
    """Make a stand-in whose own size is the small one, and whose own setting is the first of several."""
    own = sizes[SMALL]
    domain = {**vars(domain["settings"][0]), **domain} if "settings" in domain else domain
    return Preset(
        name,
        layout,
        space,
        persons=own.persons,
        tracklets=(),
        frames=own.frames,
        height=own.height,
        interval=(0.1, 0.2),
        sizes=sizes,
        **domain,
    )


# MARS: a campus in low sun; six cameras that share little, and a detector and tracker that err a lot.
CAMPUS = CameraStyle(
    height=(2.2, 5.0),
    distance=(6.0, 14.0),
    stature=(70.0, 130.0),
    loose=(0.02, 0.2),
    jitter=(0.04, 0.06),
    crowd=(0.5, 1.6),
    sunny=1.0,
    sun=(0.9, 1.4),
    climb=(0.2, 0.5),
    cast=(1.1, 1.0, 0.88),
    tint=0.06,
    noise=(0.01, 0.035),
    quality=(40.0, 80.0),
    fringe=(0.5, 1.2),
)
STANDIN_MARS = _standin(
    "standin-mars",
    "mars",
    3,
    {TINY: Size(8, 4, 64), SMALL: Size(160, 8, 128), FULL: Size(1259, 180, 256)},
    num_scenes=3,
    cameras_per_scene=2,
    shortest=0.06,
    settings=tuple(
        Setting(
            Wardrobe(
                dark=0.3,
                vivid=0.22,
                bare_arms=0.45,
                shorts=0.3,
                hats=0.3,
                bags=0.75,
                uniforms=0.15,
                plain=(*PLAIN[:4], (0.85, 0.78, 0.80), (0.70, 0.80, 0.74), (0.22, 0.26, 0.42)),
                bag_kinds=("pack", "pack", "pack", "tote"),
            ),
            SceneStyle(
                grounds=("herringbone", "gravel"),
                walls=("arcade", "ivy"),
                props=("bicycle", "lantern", "kiosk", "rack"),
                indoor=0.0,
                num_walls=(1, 3),
                num_props=(6, 10),
            ),
            replace(CAMPUS, **camera),
        )
        for camera in (
            {},
            {"saturation": (0.25, 0.4), "contrast": (0.3, 0.6)},
            {"sunny": 0.0, "cast": (0.9, 1.0, 1.15), "haze": 0.25},
            {"stature": (48.0, 60.0), "quality": (25.0, 35.0)},
            {"saturation": (1.5, 1.7), "sharpened": 1.0, "cast": (1.0, 1.0, 1.0)},
            {"height": (5.5, 7.0), "distance": (5.0, 7.0), "cast": (0.9, 1.12, 0.9)},
        )
    ),
)

# iLIDS-VID: an airport hall by day: crowds, trolleys, an interlaced and badly compressed composite signal.
STANDIN_ILIDS = _standin(
    "standin-ilids",
    "ilids_vid",
    2,
    {TINY: Size(8, 4, 64), SMALL: Size(200, 12, 128), FULL: Size(300, 192, 128)},
    num_scenes=1,
    cameras_per_scene=2,
    shortest=0.3,
    version=2,
    wardrobe=Wardrobe(
        dark=0.62,
        vivid=0.08,
        layered=0.6,
        bare_arms=0.12,
        shorts=0.05,
        skirts=0.2,
        bags=0.8,
        scarves=0.2,
        uniforms=0.12,
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
        stature=(75.0, 110.0),
        spread=(0.3, 0.6),
        aspect=(0.46, 0.5),
        loose=(0.05, 0.12),
        warmth=0.3,
        tint=0.22,
        exposure=0.3,
        saturation=(0.45, 0.75),
        haze=0.25,
        noise=(0.04, 0.07),
        blur=(0.7, 1.3),
        quality=(18.0, 30.0),
        crowd=(1.8, 2.8),
        interlaced=1.0,
        bleed=(3.0, 6.0),
    ),
)

# PRID-2011: two streets from high windows, far away, in haze: little people, grey light, no colour to rely on.
STANDIN_PRID = _standin(
    "standin-prid",
    "prid2011",
    4,
    {TINY: Size(9, 4, 64), SMALL: Size(146, 8, 128), FULL: Size(200, 300, 128)},
    num_scenes=2,
    cameras_per_scene=1,
    shortest=0.12,
    wardrobe=Wardrobe(
        dark=0.5,
        vivid=0.12,
        layered=0.6,
        bare_arms=0.1,
        shorts=0.04,
        bags=0.7,
        plain=((0.70, 0.70, 0.72), (0.50, 0.48, 0.46), (0.56, 0.50, 0.42), (0.40, 0.36, 0.34), (0.46, 0.50, 0.56)),
        bag_kinds=("handbag", "satchel", "tote"),
    ),
    places=SceneStyle(
        grounds=("crossing", "cobbles"),
        walls=("shopfront", "hoarding"),
        props=("van", "stall", "signal", "scooter"),
        indoor=0.0,
        num_walls=(1, 2),
        num_props=(5, 9),
    ),
    cameras=CameraStyle(
        height=(7.5, 9.0),
        distance=(24.0, 34.0),
        stature=(34.0, 46.0),
        spread=(0.2, 0.5),
        aspect=(0.48, 0.52),
        loose=(0.1, 0.2),
        jitter=(0.01, 0.02),
        sunny=0.3,
        sun=(0.1, 0.4),
        cast=(0.92, 1.0, 1.2),
        saturation=(0.3, 0.5),
        haze=0.35,
        contrast=(-0.4, -0.1),
        noise=(0.02, 0.05),
        blur=(0.5, 0.9),
        quality=(30.0, 50.0),
        crowd=(0.3, 0.9),
    ),
)

# CCVID: walkways that people come along towards a near camera: a summer, a rainy autumn and, for a few, a winter.
WALKWAY = CameraStyle(
    height=(1.4, 2.2),
    distance=(3.2, 4.4),
    stature=(170.0, 200.0),
    spread=(0.05, 0.15),
    loose=(0.1, 0.2),
    jitter=(0.01, 0.03),
    noise=(0.004, 0.02),
    blur=(0.2, 0.5),
    quality=(60.0, 90.0),
    crowd=(0.0, 0.3),
    frontal=True,
    returning=0.0,
    straying=0.05,
    flicker=(0.06, 0.14),
)
STANDIN_CCVID = _standin(
    "standin-ccvid",
    "ccvid",
    5,
    {TINY: Size(6, 4, 64), SMALL: Size(90, 8, 128), FULL: Size(226, 240, 256)},
    num_scenes=3,
    cameras_per_scene=12,
    shortest=0.25,
    settings=(
        Setting(
            Wardrobe(dark=0.25, vivid=0.4, layered=0.1, bare_arms=0.8, shorts=0.45, skirts=0.4, bags=0.3, hats=0.25),
            SceneStyle(("boards",), ("trellis",), ("gate", "urn"), 0.0, (1, 2), (5, 8)),
            replace(WALKWAY, sunny=1.0, sun=(1.0, 1.5), climb=(1.0, 2.0), cast=(1.1, 1.0, 0.86)),
        ),
        Setting(
            Wardrobe(dark=0.5, vivid=0.2, layered=0.7, bare_arms=0.05, shorts=0.02, hats=0.35, bags=0.5, scarves=0.2),
            SceneStyle(("puddles",), ("stones",), ("handrail", "umbrella"), 0.0, (2, 3), (5, 8)),
            replace(WALKWAY, sunny=0.0, cast=(0.9, 1.0, 1.1), haze=0.35, saturation=(0.4, 0.7)),
        ),
        Setting(
            Wardrobe(dark=0.55, vivid=0.2, layered=1.0, bare_arms=0.0, shorts=0.0, hats=0.7, bags=0.4, scarves=0.7),
            SceneStyle(("snow",), ("icicles",), ("snowman", "drift", "fir"), 0.0, (1, 2), (5, 8), is_snowy=True),
            replace(WALKWAY, sunny=0.5, sun=(0.5, 1.0), climb=(0.2, 0.4), cast=(0.9, 1.0, 1.15), contrast=(0.4, 0.8)),
        ),
    ),
)
STANDINS = (STANDIN_MARS, STANDIN_ILIDS, STANDIN_PRID, STANDIN_CCVID)
