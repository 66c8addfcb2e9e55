"""What a person carries, holds and pushes: bags on the back, the shoulder and in the hand, and things."""

from dataclasses import replace

import numpy as np

from s2reid.world import body as b
from s2reid.world import gait as g
from s2reid.world.body import Tube, X, Y, Z, tube
from s2reid.world.garments import Outfit
from s2reid.world.people import Shape

Point = tuple[float, float, float]
Bone = tuple[int, int, float]
ON_HEAD, ON_CHEST, ON_PELVIS = ((bone, bone, 0.0) for bone in (g.HEAD, g.CHEST, g.PELVIS))
BLACK, METAL, WHITE, SCREEN, PAPER, WOOD, RED, CARDBOARD = range(8)
"""Patches of the tile of small hard things."""
IN_HAND = ("handbag", "trolley", "duffel in hand")
"""Bags that keep an arm still."""
ACTS = {"phone": "phone", "call": "call", "cup": "phone", "paper": "phone", "umbrella": "umbrella", "coat": "phone"}
ACTS |= {"pram": "push", "bicycle": "push", "shopper": "carry", "briefcase": "carry", "cane": "carry"}
"""What the arm on the side of a held thing does."""


def bag(shape: Shape, outfit: Outfit) -> list[Tube]:
    """Hang a bag on its bearer."""
    side = outfit.bag_side
    hand = _hand(side)
    match outfit.bag:
        case "pack":
            return [_pack(shape, outfit, 0.075, 0.145)]
        case "slim pack":
            return [_pack(shape, outfit, 0.045, 0.125)]
        case "satchel":
            return [box((-0.02, side * 0.235 * shape.hips, 0.90), (0.14, 0.045, 0.11), ON_PELVIS)]
        case "purse":
            return [box((0.05, side * 0.20 * shape.hips, 0.95), (0.09, 0.035, 0.065), ON_PELVIS)]
        case "belt bag":
            return [box((0.135 * shape.girth + 0.03, side * 0.03, 0.99), (0.035, 0.10, 0.06), ON_PELVIS)]
        case "tote":
            return [box((0.0, side * 0.27 * shape.shoulders, 0.98), (0.16, 0.05, 0.17), ON_CHEST)]
        case "duffel":
            return [_roll((-0.06, side * 0.27 * shape.hips, 0.95), 0.25, 0.12, ON_CHEST)]
        case "handbag":
            return [box((0.0, side * 0.185 * shape.shoulders, 0.60), (0.13, 0.045, 0.10), hand)]
        case "trolley":
            at = side * 0.20 * shape.shoulders
            handle = tube([(-0.05, at, 0.78), (-0.28, at, 0.52)], [(0.012, 0.012)] * 2, [ON_PELVIS], b.SHOE)
            return [box((-0.38, at, 0.30), (0.12, 0.19, 0.27), ON_PELVIS), handle]
    return []


def _hand(side: int) -> Bone:
    bone = g.FORE_L if side > 0 else g.FORE_R
    return bone, bone, 0.0


def _pack(shape: Shape, outfit: Outfit, depth: float, width: float) -> Tube:
    back = -0.115 * shape.girth - outfit.bulk * 0.1
    heights = np.array([1.44, 1.42, 1.36, 1.24, 1.12, 1.04, 1.03])
    swell = np.array([0.1, 0.75, 0.95, 1.05, 1.05, 0.85, 0.1])
    centres = np.stack([back - depth + 0 * heights, 0 * heights, heights], 1)
    return tube(centres, np.stack([depth * swell, width * swell], 1), [ON_CHEST], b.BAG, roundness=0.55)


def box(centre: Point, half: Point, bone: Bone, tile: int = b.BAG) -> Tube:
    """Make a box with round edges."""
    z = centre[2] + half[2] * np.array([1, 0.98, 0.8, 0, -0.8, -0.98, -1])
    size = np.array([0.05, 0.85, 0.97, 1.0, 1.0, 0.9, 0.05])
    centres = np.stack([centre[0] + 0 * z, centre[1] + 0 * z, z], 1)
    return tube(centres, np.stack([half[0] * size, half[1] * size], 1), [bone], tile, roundness=0.55)


def _roll(centre: Point, half: float, radius: float, bone: Bone, tile: int = b.BAG) -> Tube:
    """Lay a cylinder along the way its bearer goes."""
    x = centre[0] + half * np.array([1, 0.9, 0, -0.9, -1])
    size = radius * np.array([0.7, 1.0, 1.05, 1.0, 0.7])
    centres = np.stack([x, 0 * x + centre[1], 0 * x + centre[2]], 1)
    return tube(centres, np.stack([size, 0.8 * size], 1), [bone], tile, axes=(Z, -Y), is_capped=True)


def _rod(start: Point, end: Point, radius: float, bone: Bone, patch: int) -> Tube:
    """Lay a thin rod between two points."""
    along = np.subtract(end, start)
    first = Y if abs(along[1]) < 0.8 * np.linalg.norm(along) else X
    first = first - along * (first @ along) / (along @ along)
    first = first / np.linalg.norm(first)
    second = np.cross(along / np.linalg.norm(along), first)
    return _painted(tube([start, end], [(radius, radius)] * 2, [bone], b.PAINTS, axes=(first, second)), patch)


def _painted(part: Tube, patch: int) -> Tube:
    """Give a part the flat colour of a patch."""
    row, column = divmod(patch, 4)
    down, around = (row + 0.3 + 0.4 * part.down) / 2, (column + 0.3 + 0.4 * part.around) / 4
    return replace(part, down=down, around=around, tile=b.PAINTS)


def _wheel(x: float, y: float, radius: float, bone: Bone = ON_PELVIS) -> Tube:
    """Stand a tyre on the ground, along the way its owner goes."""
    half, inner = 0.02, 0.86 * radius
    sizes = [radius, radius, inner, inner, radius]
    centres = [(x, y + dy, radius) for dy in (half, -half, -half, half, half)]
    return _painted(tube(centres, [(r, r) for r in sizes], [bone], b.PAINTS, axes=(X, Z)), BLACK)


def things(shape: Shape, outfit: Outfit) -> list[Tube]:
    """Make what a person holds or pushes."""
    if outfit.details is None:
        return []
    parts, side = [], outfit.details.held_side
    at, hand = side * 0.180 * shape.shoulders, _hand(side)
    match outfit.details.held:
        case "phone":
            parts = [_painted(box((0.035, at, 0.755), (0.008, 0.04, 0.08), hand), SCREEN)]
        case "call":
            parts = [_painted(box((0.0, at - side * 0.035, 0.765), (0.04, 0.008, 0.08), hand), BLACK)]
        case "cup":
            cup = tube([(0.11, at, 0.77), (-0.02, at, 0.77)], [(0.042, 0.042), (0.03, 0.03)], [hand], 0, axes=(Y, -Z))
            parts = [_painted(cup, WHITE if side > 0 else CARDBOARD)]
        case "paper":
            parts = [_painted(box((0.08, at - side * 0.06, 0.76), (0.11, 0.085, 0.006), hand), PAPER)]
        case "coat":
            parts = [box((-0.11, at, 0.98), (0.17, 0.05, 0.10), hand, b.THING)]
        case "shopper":
            parts = _shopper(at, hand)
        case "two shoppers":
            parts = [*_shopper(at, hand), *_shopper(-at, _hand(-side))]
        case "briefcase":
            parts = [box((0.0, at, 0.58), (0.21, 0.05, 0.15), hand, b.THING)]
        case "cane":
            parts = [_rod((0.06, at, 0.80), (0.10, at, 0.06), 0.012, hand, WOOD)]
        case "umbrella":
            parts = _umbrella(shape, side)
        case "pram":
            parts = _pram()
        case "bicycle":
            parts = _bicycle(side)
    return parts + _headphones(outfit)


def _shopper(at: float, hand: Bone) -> list[Tube]:
    handles = tube([(0.0, at, 0.76), (0.0, at, 0.64)], [(0.03, 0.006), (0.09, 0.02)], [hand], b.THING)
    rows = [(0.15, 0.05), (0.155, 0.07), (0.145, 0.075), (0.14, 0.06)]
    heights = (0.64, 0.52, 0.38, 0.28)
    return [handles, tube([(0.0, at, z) for z in heights], rows, [hand], b.THING, roundness=0.6, is_capped=True)]


def _umbrella(shape: Shape, side: int) -> list[Tube]:
    """Open an umbrella over the head, its shaft in a bent arm."""
    x, y = 0.20, side * 0.14 * shape.shoulders
    down = np.array([0.0, 0.03, 0.10, 0.21, 0.22, 0.12, 0.04])
    wide = np.array([0.01, 0.20, 0.38, 0.50, 0.49, 0.36, 0.02])
    centres = np.stack([0 * down + 0.55 * x, 0 * down + 0.6 * y, 2.06 - down], 1)
    canopy = tube(centres, np.stack([wide, wide], 1), [ON_CHEST], b.THING)
    shaft = _rod((0.55 * x, 0.6 * y, 2.04), (x, y, 1.12), 0.010, ON_CHEST, METAL)
    return [canopy, shaft]


def _pram() -> list[Tube]:
    tub = tube(
        [(0.78, 0.0, z) for z in (0.84, 0.80, 0.62, 0.50)],
        [(0.30, 0.19), (0.36, 0.21), (0.34, 0.20), (0.24, 0.15)],
        [ON_PELVIS],
        b.THING,
        roundness=0.7,
        is_capped=True,
    )
    hood = tube(
        [(0.62, 0.0, 1.10), (0.62, 0.0, 1.07), (0.62, 0.0, 0.98), (0.62, 0.0, 0.80)],
        [(0.02, 0.02), (0.13, 0.15), (0.20, 0.21), (0.21, 0.215)],
        [ON_PELVIS],
        b.THING,
    )
    rods = [_rod((0.36, y, 1.00), (0.95, y, 0.16), 0.012, ON_PELVIS, METAL) for y in (0.20, -0.20)]
    bar = _rod((0.36, 0.21, 1.0), (0.36, -0.21, 1.0), 0.014, ON_PELVIS, BLACK)
    return [tub, hood, *rods, bar, *(_wheel(x, y, 0.14) for x in (0.52, 1.0) for y in (0.22, -0.22))]


def _bicycle(side: int) -> list[Tube]:
    """Walk a bicycle on one side."""
    y = side * 0.42
    saddle, bars, pedals = (-0.05, y, 0.92), (0.52, y, 1.0), (0.12, y, 0.32)
    front, back = (0.68, y, 0.33), (-0.40, y, 0.33)
    frame = [(saddle, pedals), ((0.47, y, 0.82), pedals), ((-0.02, y, 0.80), (0.47, y, 0.82)), (bars, front)]
    frame += [(pedals, back), ((-0.02, y, 0.78), back)]
    rods = [_rod(start, end, 0.017, ON_PELVIS, RED if side > 0 else METAL) for start, end in frame]
    handle = _rod((0.42, y - 0.26, 1.02), (0.42, y + 0.26, 1.02), 0.015, ON_PELVIS, BLACK)
    seat = _painted(box(saddle, (0.12, 0.06, 0.03), ON_PELVIS), BLACK)
    return [*rods, handle, seat, _wheel(0.68, y, 0.33), _wheel(-0.40, y, 0.33)]


def _headphones(outfit: Outfit) -> list[Tube]:
    if outfit.details is None or outfit.details.headphones is None or outfit.hat != "none":
        return []
    patch = WHITE if outfit.details.headphones[0] > 0.5 else BLACK
    cups = [_painted(box((0.01, y, 1.63), (0.035, 0.018, 0.045), ON_HEAD), patch) for y in (0.092, -0.092)]
    turn = np.linspace(0, np.pi, 7)
    arch = np.stack([0 * turn + 0.01, 0.098 * np.cos(turn), 1.65 + 0.128 * np.sin(turn)], 1)
    outwards = np.stack([0 * turn, np.cos(turn), np.sin(turn)], 1)
    band = tube(arch, [(0.022, 0.008)] * 7, [ON_HEAD], b.PAINTS, axes=(np.tile(X, (7, 1)), outwards))
    return [*cups, _painted(band, patch)]


def acting(gait: g.Gait, outfit: Outfit) -> g.Gait:
    """Let the arms do what things and bags ask of them."""
    own = outfit.details
    if own is None:
        return gait
    arms = {1: gait.left, -1: gait.right}
    if outfit.bag in ("handbag", "trolley"):
        arms[outfit.bag_side] = "carry"
    if own.held in ACTS:
        arms[own.held_side] = ACTS[own.held]
    if own.held in ("pram", "two shoppers"):
        arms = dict.fromkeys(arms, "push" if own.held == "pram" else "carry")
    is_pushing = own.held in ("pram", "bicycle")
    return replace(
        gait,
        left=arms[1],
        right=arms[-1],
        twist=gait.twist * (0.3 if is_pushing else 1.0),
        sway=gait.sway * (0.5 if is_pushing else 1.0),
        arm=gait.arm * (0.75 if outfit.bag in ("tote", "duffel") else 1.0),
    )
