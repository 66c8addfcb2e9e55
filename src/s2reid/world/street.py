"""Dress people as they are seen in streets, stations and shops: mostly dark, plain and alike.

Garments go together: the weather decides how many layers, the occasion which. What tells people apart is how garments
are cut, worn and combined, what is printed on them, and what is carried.
"""

import colorsys
from dataclasses import replace
from typing import TypeVar

import numpy as np

from s2reid.world import fashion as f
from s2reid.world.fashion import CUTS, STREET
from s2reid.world.garments import Details, Emblem, Fabric, Outfit, Wardrobe
from s2reid.world.people import Colour, near

__all__ = ["STREET", "draw_street", "draw_tone"]

T = TypeVar("T")


def pick(rng: np.random.Generator, kinds: tuple[T, ...]) -> T:
    """Draw one of several kinds."""
    return kinds[int(rng.integers(len(kinds)))]


def draw_tone(rng: np.random.Generator, wardrobe: Wardrobe, dark: float = 1.0, vivid: float = 1.0) -> Colour:
    """Draw a colour as people wear them: few, and close to each other; `dark` and `vivid` scale the domain's shares."""
    kind = rng.random()
    if kind < wardrobe.dark * dark:
        return near(rng, pick(rng, f.DARKS), 0.12)
    if kind < wardrobe.dark * dark + wardrobe.vivid * vivid:
        r, g, b = colorsys.hsv_to_rgb(rng.random(), rng.uniform(0.35, 0.85), rng.uniform(0.25, 0.85))
        return near(rng, (r, g, b), 0.05)
    return near(rng, pick(rng, wardrobe.plain), 0.08)


def _fabric(
    rng: np.random.Generator, wardrobe: Wardrobe, patterned: float, dark: float = 1.0, vivid: float = 1.0
) -> Fabric:
    pattern = pick(rng, wardrobe.patterns) if rng.random() < patterned else "plain"
    colour = draw_tone(rng, wardrobe, dark, vivid)
    # Two colours of one cloth are mostly near: a pattern seen from afar is a texture, not a flag.
    second = near(rng, colour, 0.5) if rng.random() < 0.5 else draw_tone(rng, wardrobe, 0.7)
    return Fabric(colour, second, pattern, float(np.exp(rng.uniform(-3.7, -2.0))), float(rng.uniform(0.05, 0.18)))


def _as(fabric: Fabric, pattern: str, colour: Colour | None = None) -> Fabric:
    return Fabric(colour or fabric.colour, fabric.second, pattern, fabric.scale, fabric.folds)


def plain(colour: Colour, folds: float = 0.06) -> Fabric:
    """Return a cloth of one colour."""
    return Fabric(colour, colour, "plain", 0.1, folds)


def _over(rng: np.random.Generator, wardrobe: Wardrobe, name: str) -> Fabric:
    """Draw the cloth of an outer garment: darker and plainer than what is under it."""
    cut = CUTS[name]
    vivid = 2.0 if name in ("rain jacket", "track jacket") else 0.7
    fabric = _fabric(rng, wardrobe, 0.35 * wardrobe.patterned, 1.35, vivid)
    colours = {"denim jacket": f.JEANS, "leather jacket": f.LEATHER, "safety vest": f.SIGNAL}.get(name)
    colour = near(rng, pick(rng, colours), 0.1) if colours else fabric.colour
    if name == "trench coat" and rng.random() < 0.5:
        colour = near(rng, f.BEIGE, 0.1)
    if cut.pattern == "quilt":
        return Fabric(colour, near(rng, colour, 0.2), "quilt", float(rng.uniform(0.06, 0.16)), 0.06)
    return _as(fabric, cut.pattern or fabric.pattern, colour)


def _bottom(rng: np.random.Generator, wardrobe: Wardrobe, name: str) -> Fabric:
    if name == "jeans":
        colour = near(rng, pick(rng, f.JEANS), 0.1)
        pattern = "worn" if rng.random() < 0.6 else "plain"
        return Fabric(colour, near(rng, colour, 0.25), pattern, 0.1, float(rng.uniform(0.05, 0.14)))
    patterned = {"leggings": 0.3, "joggers": 0.05, "trousers": 0.15}.get(name, 0.06) * wardrobe.patterned / 0.3
    return _fabric(rng, wardrobe, patterned, 1.4, 0.3)


def _draw_emblem(rng: np.random.Generator, wardrobe: Wardrobe, share: float) -> Emblem | None:
    if rng.random() >= share:
        return None
    is_small = rng.random() < 0.4
    size = rng.uniform(0.05, 0.09) if is_small else rng.uniform(0.14, 0.30)
    return Emblem(
        kind=pick(rng, f.EMBLEMS),
        colour=draw_tone(rng, wardrobe, 0.4, 4.0),
        x=float(rng.choice([-1, 1]) * 0.09) if is_small else 0.0,
        y=float(rng.uniform(1.25, 1.32)),
        width=float(size),
        height=float(size * rng.uniform(0.35, 1.1)),
        is_behind=bool(rng.random() < 0.3),
        seed=int(rng.integers(1 << 30)),
    )


def _draw_details(
    rng: np.random.Generator, wardrobe: Wardrobe, occasion: str, over: str, under: str, legs: str, shoes: str
) -> Details:
    cut, top_is_printed = CUTS.get(over), under in ("tee", "sweatshirt", "hooded", "jersey", "tank")
    patterned = wardrobe.patterned / 0.3
    stripe = draw_tone(rng, wardrobe, 0.2) if occasion == "sport" and rng.random() < 0.5 * patterned else None
    return Details(
        over=over,
        under=under,
        legs=legs,
        shoes=shoes,
        neck=f.NECKS.get(under, pick(rng, ("crew", "crew", "vee", "scoop"))),
        closure=cut.closure if cut else "none",
        has_lapels=cut.has_lapels if cut else False,
        has_belt=over == "trench coat" or rng.random() < 0.12,
        pockets=pick(rng, ("none", "slanted", "patch")) if over or under == "shirt" else "none",
        emblem=_draw_emblem(rng, wardrobe, (0.5 if top_is_printed else 0.06) * patterned),
        over_emblem=_draw_emblem(rng, wardrobe, 0.22 * patterned) if over else None,
        cuffs=draw_tone(rng, wardrobe) if rng.random() < 0.12 * patterned else None,
        stripe=stripe,
        bands=(0.80, 0.80, 0.78) if over == "safety vest" or (occasion == "work" and rng.random() < 0.4) else None,
        tie=draw_tone(rng, wardrobe, 1.0, 3.0)
        if under == "shirt" and occasion == "office" and rng.random() < 0.3
        else None,
        socks=near(rng, pick(rng, (f.WHITE, f.BLACK, f.BLACK, f.GREY)), 0.1),
        sock_top=float(rng.uniform(0.88, 0.97)) if rng.random() < 0.8 else 0.62,
        gloves=near(rng, f.BLACK, 0.2)
        if over in ("coat", "puffer", "down coat", "parka") and rng.random() < 0.25
        else None,
        mask=pick(rng, f.MASKS) if rng.random() < wardrobe.masks else None,
        headphones=pick(rng, f.RUBBER) if rng.random() < wardrobe.headphones else None,
        creases=float(rng.uniform(0.04, 0.14)),
        held=pick(rng, f.HELD) if rng.random() < wardrobe.held else "none",
        held_side=int(rng.choice([-1, 1])),
        held_fabric=Fabric(
            near(rng, pick(rng, f.SHOPPERS), 0.1), near(rng, pick(rng, f.SHOPPERS), 0.1), "plain", 0.1, 0.05
        ),
    )


def _shoe(rng: np.random.Generator, wardrobe: Wardrobe, kind: str) -> tuple[Fabric, Colour]:
    """Draw a shoe and its sole."""
    if kind == "trainers":
        upper = near(rng, pick(rng, (f.WHITE, f.WHITE, f.BLACK, f.BLACK, f.GREY)), 0.08)
        upper = draw_tone(rng, wardrobe, 0.4, 3.0) if rng.random() < 0.25 else upper
        return Fabric(upper, draw_tone(rng, wardrobe), "plain", 0.1, 0.06), pick(rng, f.RUBBER)
    colour = near(rng, pick(rng, f.LEATHER), 0.1)
    return plain(colour), near(rng, (0.12, 0.11, 0.10), 0.1)


def draw_street(rng: np.random.Generator, wardrobe: Wardrobe, *, is_female: bool) -> Outfit:
    """Draw what one person wears and carries on one day."""
    occasion = pick(rng, f.OCCASIONS)
    is_bare, covered = rng.random() < wardrobe.bare_arms, max(0.01, 1 - wardrobe.bare_arms)
    over = pick(rng, f.OVERS[occasion]) if not is_bare and rng.random() < wardrobe.layered / covered else ""
    under = pick(rng, (f.BARE_TOPS if is_bare else f.WARM_TOPS)[occasion])
    has_skirt = is_female and occasion in ("casual", "office") and rng.random() < wardrobe.skirts / 0.8
    is_short = not has_skirt and rng.random() < wardrobe.shorts * (2.5 if is_bare else 0.3)
    legs = "skirt" if has_skirt else "shorts" if is_short else pick(rng, f.LEGS[occasion])
    shoes = pick(rng, f.SHOES[occasion])
    if (shoes == "heels" and not is_female) or (shoes == "sandals" and not is_bare):
        shoes = "leather"
    details = _draw_details(rng, wardrobe, occasion, over, under, legs, shoes)
    top = _fabric(rng, wardrobe, wardrobe.patterned * (0.5 if details.emblem else 1.2), 0.8, 1.3)
    if occasion == "office" and under == "shirt" and rng.random() < 0.7:
        top = _as(top, top.pattern, near(rng, pick(rng, (f.WHITE, f.WHITE, f.SKY)), 0.05))
    if under == "sweater" and top.pattern == "plain" and "ribs" in wardrobe.patterns and rng.random() < 0.4:
        top = _as(top, "ribs")
    outfit = _combine(rng, wardrobe, details, top, is_bare=is_bare, is_dress=has_skirt and rng.random() < 0.4)
    return replace(outfit, hat="hood") if outfit.hat == "headscarf" and not is_female else outfit


def _combine(
    rng: np.random.Generator, wardrobe: Wardrobe, details: Details, top: Fabric, *, is_bare: bool, is_dress: bool
) -> Outfit:
    cut, has_skirt = CUTS.get(details.over), details.legs == "skirt"
    layer = _over(rng, wardrobe, details.over) if cut else None
    bottom = _bottom(rng, wardrobe, details.legs)
    if layer and (details.over == "track jacket" or (details.over == "blazer" and rng.random() < 0.5)):
        bottom = _as(layer, "plain" if layer.pattern == "ribs" else layer.pattern)  # a suit, a tracksuit
    shoe, sole = _shoe(rng, wardrobe, details.shoes)
    boots = float(rng.uniform(0.08, 0.45)) if details.shoes == "boots" and (has_skirt or rng.random() < 0.4) else 0.0
    layer_hem = float(rng.uniform(*cut.hem)) if cut else 0.9
    is_tucked = has_skirt or layer_hem < 0.78 or (details.under == "shirt" and rng.random() < 0.5)
    has_scarf = not is_bare and rng.random() < wardrobe.scarves / max(0.01, 1 - wardrobe.bare_arms)
    is_open = cut is not None and rng.random() < cut.is_open
    bag = pick(rng, wardrobe.bag_kinds) if rng.random() < wardrobe.bags else "none"
    bag_colour = draw_tone(rng, wardrobe, 1.4, 1.2)
    sleeve = rng.uniform(*f.SLEEVES.get(details.under, (0.30, 0.36))) if is_bare else 0.86
    if not is_bare and rng.random() < 0.12:
        sleeve = rng.uniform(0.5, 0.62)  # rolled up
    return Outfit(
        top=top,
        sleeve=float(sleeve),
        sleeve_fabric=layer if layer and cut and cut.has_sleeves else _sleeves(rng, top),
        tail_hem=0.0 if is_tucked else float(rng.uniform(0.82, 0.94)),
        layer=layer,
        layer_hem=layer_hem,
        opening=float(rng.uniform(0.03, 0.10)) if is_open else 0.008,
        bottom=bottom,
        leg_hem=_leg_hem(rng, details.legs),
        leg_ease=f.EASES.get(details.legs, 0.2) * float(rng.uniform(0.6, 1.3)),
        leg_flare=float(rng.uniform(1.2, 2.0) if details.legs == "wide" else rng.uniform(0.5, 1.4)),
        has_side_stripe=details.stripe is not None and bool(rng.random() < 0.7),
        skirt=(top if is_dress else _fabric(rng, wardrobe, 0.8 * wardrobe.patterned, 1.1, 0.8)) if has_skirt else None,
        skirt_hem=float(rng.uniform(0.24, 0.66)),
        skirt_flare=float(rng.uniform(0.02, 0.30)),
        stockings=near(rng, f.BLACK, 0.2) if has_skirt and rng.random() < (0.1 if is_bare else 0.7) else None,
        shoe=shoe,
        sole=sole,
        boots=boots,
        hat=pick(rng, f.HATS) if rng.random() < wardrobe.hats else "none",
        hat_colour=draw_tone(rng, wardrobe, 1.2, 1.5),
        bag=bag,
        bag_fabric=Fabric(bag_colour, near(rng, bag_colour, 0.4), pick(rng, ("plain", "plain", "halves")), 0.05, 0.05),
        bag_side=int(rng.choice([-1, 1])),
        scarf=draw_tone(rng, wardrobe, 0.8, 2.0) if has_scarf else None,
        collar=cut.collar if cut else "hood" if details.under == "hooded" else "none",
        bulk=float(rng.uniform(*cut.bulk)) if cut else float(rng.uniform(0, 0.05)),
        sleeve_ease=float(rng.uniform(0.02, 0.12) + 0.05 * (layer is not None)),
        details=details,
    )


def _sleeves(rng: np.random.Generator, top: Fabric) -> Fabric:
    """Cut the sleeves from the top's cloth, or (a raglan) from its second colour."""
    return _as(top, "plain", top.second) if rng.random() < 0.06 else top


def _leg_hem(rng: np.random.Generator, legs: str) -> float:
    if legs == "skirt":
        return 0.22
    if legs == "shorts":
        return float(rng.uniform(0.28, 0.56))
    return float(rng.uniform(0.78, 0.86)) if rng.random() < 0.1 else float(rng.uniform(0.92, 1.0))
