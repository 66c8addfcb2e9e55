"""Draw what a person wears on one day: garments in layers, shoes, hats and bags."""

import colorsys
from dataclasses import replace

import numpy as np

from s2reid.world.garments import DARK, DENIM, PATTERNS, PLAIN, Fabric, Outfit, Wardrobe
from s2reid.world.people import Colour, near
from s2reid.world.street import STREET, draw_street

__all__ = ["PATTERNS", "PLAIN", "STREET", "Fabric", "Outfit", "Wardrobe", "draw_colour", "draw_fabric", "draw_outfit"]


def draw_colour(rng: np.random.Generator, wardrobe: Wardrobe, *, dark: float = 1.0, vivid: float = 1.0) -> Colour:
    """Draw the colour of a cloth: dark, vivid or plain; `dark` and `vivid` scale the domain's shares."""
    kind = rng.random()
    if kind < wardrobe.dark * dark:
        return near(rng, DARK[int(rng.integers(len(DARK)))], 0.25)
    if kind < wardrobe.dark * dark + wardrobe.vivid * vivid:
        r, g, b = colorsys.hsv_to_rgb(rng.random(), rng.random() ** 0.8 * 0.85, rng.uniform(0.2, 0.95))
        return near(rng, (r, g, b), 0.05)
    return near(rng, wardrobe.plain[int(rng.integers(len(wardrobe.plain)))], 0.16)


def draw_fabric(
    rng: np.random.Generator, wardrobe: Wardrobe, *, patterned: float, dark: float = 1.0, vivid: float = 1.0
) -> Fabric:
    """Draw a cloth that has a pattern with probability `patterned`."""
    has_pattern = rng.random() < patterned
    pattern = str(rng.choice(wardrobe.patterns)) if has_pattern else "plain"
    colour = draw_colour(rng, wardrobe, dark=dark, vivid=vivid)
    second = draw_colour(rng, wardrobe, dark=0.6)
    scale = float(np.exp(rng.uniform(np.log(0.025), np.log(0.16))))
    return Fabric(colour, second, pattern, scale, float(rng.uniform(0.03, 0.16)))


def _draw_bottom(rng: np.random.Generator, wardrobe: Wardrobe) -> Fabric:
    if rng.random() < 0.38:
        colour = near(rng, DENIM[int(rng.integers(len(DENIM)))], 0.15)
        return Fabric(colour, near(rng, colour, 0.3), "worn", 0.1, float(rng.uniform(0.05, 0.14)))
    return draw_fabric(rng, wardrobe, patterned=0.08, dark=1.35, vivid=0.35)


def _plain(colour: Colour, folds: float = 0.06) -> Fabric:
    return Fabric(colour, colour, "plain", 0.1, folds)


def draw_outfit(rng: np.random.Generator, wardrobe: Wardrobe, *, is_female: bool) -> Outfit:
    """Draw what one person wears on one day."""
    if wardrobe.is_detailed:
        return draw_street(rng, wardrobe, is_female=is_female)
    top = draw_fabric(rng, wardrobe, patterned=wardrobe.patterned)
    is_bare = rng.random() < wardrobe.bare_arms
    layer = None
    if not is_bare and rng.random() < wardrobe.layered:
        layer = draw_fabric(rng, wardrobe, patterned=wardrobe.patterned * 0.45, dark=1.25, vivid=0.8)
    is_coat = layer is not None and rng.random() < 0.4
    bottom = _draw_bottom(rng, wardrobe)
    has_skirt = is_female and rng.random() < wardrobe.skirts
    is_dress = has_skirt and rng.random() < 0.45
    skirt_fabric = top if is_dress else draw_fabric(rng, wardrobe, patterned=wardrobe.patterned * 0.6)
    is_short = has_skirt or rng.random() < wardrobe.shorts
    sleeves = draw_fabric(rng, wardrobe, patterned=0.1) if rng.random() < 0.12 else top
    shoe = _plain(draw_colour(rng, wardrobe, vivid=0.7))
    return Outfit(
        top=top,
        sleeve=float(rng.choice([0.16, 0.34, 0.40, 0.60])) if is_bare else 0.86,
        sleeve_fabric=layer or sleeves,
        tail_hem=0.0 if has_skirt or rng.random() < 0.25 else float(rng.uniform(0.80, 0.94)),
        layer=layer,
        layer_hem=float(rng.uniform(0.35, 0.72) if is_coat else rng.uniform(0.78, 0.93)),
        opening=float(rng.uniform(0.04, 0.11)) if rng.random() < 0.5 else 0.012,
        bottom=bottom,
        leg_hem=float(rng.uniform(0.30, 0.58)) if is_short else float(rng.uniform(0.88, 0.99)),
        leg_ease=float(rng.choice([0.02, 0.15, 0.3, 0.55], p=[0.3, 0.35, 0.25, 0.1])),
        leg_flare=float(rng.uniform(0.7, 1.8)),
        has_side_stripe=bool(rng.random() < 0.07),
        skirt=skirt_fabric if has_skirt else None,
        skirt_hem=float(rng.uniform(0.28, 0.72)),
        skirt_flare=float(rng.uniform(0.02, 0.32)),
        stockings=None if not has_skirt or rng.random() < 0.45 else draw_colour(rng, wardrobe, dark=1.8, vivid=0.3),
        shoe=shoe,
        sole=near(rng, ((0.9, 0.9, 0.88), (0.15, 0.15, 0.15), shoe.colour)[int(rng.integers(3))], 0.05),
        boots=float(rng.uniform(0.1, 0.5)) if rng.random() < 0.15 else 0.0,
        hat=str(rng.choice(["cap", "cap", "beanie", "hood"])) if rng.random() < wardrobe.hats else "none",
        hat_colour=draw_colour(rng, wardrobe),
        bag=str(rng.choice(wardrobe.bag_kinds)) if rng.random() < wardrobe.bags else "none",
        bag_fabric=replace(draw_fabric(rng, wardrobe, patterned=0.15), folds=0.05),
        bag_side=int(rng.choice([-1, 1])),
        scarf=draw_colour(rng, wardrobe) if rng.random() < wardrobe.scarves else None,
        collar=str(rng.choice(["hood", "stand", "none"])) if layer or rng.random() < 0.2 else "none",
        bulk=float(rng.uniform(0.03, 0.12) if layer else rng.uniform(0, 0.04)),
        sleeve_ease=float(rng.uniform(0.02, 0.22) + 0.08 * (layer is not None)),
    )
