"""Heads: the skull and its neck, hair in many styles, and hats."""

from dataclasses import dataclass, replace

import numpy as np

from s2reid.world import body as b
from s2reid.world import gait as g
from s2reid.world.body import Tube, tube
from s2reid.world.garments import Outfit
from s2reid.world.people import Shape

HEAD_HEIGHT = 1.635
"""The middle of the head of a body of 1.75 m."""
ON_HEAD = (g.HEAD, g.HEAD, 0.0)
SKULL = np.array([1.0, 0.92, 0.75, 0.5, 0.2, -0.1, -0.4, -0.65, -0.85, -1.0])
NOSE = np.array([0, 0, 0, 0, 0, 0.010, 0.019, 0, 0, 0])
EARS = np.array([0, 0, 0, 0, 0.008, 0.010, 0.004, 0, 0, 0])


@dataclass(frozen=True)
class Hairdo:
    """How hair hangs: its lower end and what length adds to it, relative to the head's middle; how puffed it is, what
    share of the turn it leaves free on either side of the face, how far back it sits, whether the crown is bare.
    """

    low: float = -0.4
    longer: float = 0.0
    puff: float = 1.0
    sides: float = 0.27
    back: float = 0.0
    is_bare: bool = False


HAIRDOS = {
    "short": Hairdo(-0.3, -0.3),
    "bob": Hairdo(-1.0, -0.5, sides=0.19),
    "long": Hairdo(-1.7, -1.9, sides=0.19),
    "curls": Hairdo(puff=1.35),
    "crew": Hairdo(-0.2, -0.15, puff=0.93),
    "pixie": Hairdo(-0.5, -0.25, sides=0.23),
    "mid": Hairdo(-1.3, -0.4, sides=0.20),
    "waves": Hairdo(-1.5, -1.4, 1.16, 0.20),
    "afro": Hairdo(-0.5, -0.3, 1.5, 0.26, back=0.05),
    "receding": Hairdo(-0.4, -0.2, is_bare=True),
}


def ball(centre: tuple[float, float, float], radii: tuple[float, float, float], tile: int) -> Tube:
    """Make a ball on the head."""
    t = np.linspace(1, -1, 7)
    round_off = np.sqrt(np.maximum(1 - t * t, 1e-6))
    centres = np.array(centre) + np.stack([0 * t, 0 * t, radii[2] * t], 1)
    return tube(centres, np.stack([radii[0] * round_off, radii[1] * round_off], 1), [ON_HEAD], tile)


def neck(shape: Shape) -> Tube:
    """Make a neck, straight or (where shoulders slope) wider at its foot."""
    bones = [(g.CHEST, g.HEAD, share) for share in (1.0, 0.5, 0.1)]
    centres = [(0.016, 0.0, 1.57), (0.012, 0.0, 1.50), (0.006, 0.0, 1.43)]
    radii = np.array([(0.052, 0.048), (0.054, 0.051), (0.062, 0.062)]) * shape.neck
    radii[2] += shape.slope * np.array([0.004, 0.022])
    return tube(centres, radii, bones, b.SKIN)


def skull(shape: Shape) -> Tube:
    """Make a head, with a nose and ears if the shape has any."""
    width = np.array([0.05, 0.40, 0.68, 0.88, 0.98, 0.97, 0.90, 0.78, 0.60, 0.30])
    centres = np.stack([0.018 - 0.006 * SKULL, 0 * SKULL, HEAD_HEIGHT + 0.118 * SKULL], 1)
    part = tube(centres, np.stack([0.094 * width, 0.076 * width], 1), [ON_HEAD], b.HEAD)
    rings = part.rings.copy()
    if shape.nose:
        rings[:, 0, 0] = rings[:, -1, 0] = rings[:, 0, 0] + shape.nose * NOSE
        quarter = b.AROUND // 4
        rings[:, quarter, 1] += EARS
        rings[:, -1 - quarter, 1] -= EARS
    return replace(part, rings=rings, down=(1 - SKULL) / 2)


def resized(part: Tube, size: float) -> Tube:
    """Scale what sits on the neck about the top of the spine."""
    foot = np.array([0.01, 0.0, 1.52])
    return part if size == 1 else replace(part, rings=foot + (part.rings - foot) * size)


def hair(shape: Shape, *, is_covered: bool = False) -> list[Tube]:
    """Hang hair from the crown: open before the face, closed above it; longer hair follows the chest.

    Where it is covered (by a hat) only what hangs below is made.
    """
    do = HAIRDOS.get(shape.hair, Hairdo())
    low = do.low + do.longer * shape.hair_length
    t = np.concatenate([[1.0, 0.93, 0.78, 0.6], np.linspace(0.45, low, 7)])
    dome = np.sqrt(np.maximum(1 - np.clip(t, 0, 1) ** 2, 1e-6)) * (1 + 0.05 * np.clip(-t, 0, 1.5))
    shift = -0.004 - 0.022 * np.clip(-t - 0.5, 0, 1) - do.back
    centres = np.stack([shift, 0 * t, HEAD_HEIGHT + 0.126 * do.puff**0.5 * t], 1)
    nape = 1 - 0.10 * np.clip((-t - 0.1) / 0.5, 0, 1) * (low > -0.8)
    radii = np.stack([0.101 * dome * do.puff * nape, 0.084 * dome * do.puff * nape], 1)
    bones = [(g.HEAD, g.CHEST, float(np.clip((-x - 1.0) / 1.2, 0, 0.9))) for x in t]
    opening = np.interp(t, [-1.5, -0.2, 0.3, 0.6, 0.85], [do.sides + 0.04, do.sides, 0.17, 0.10, 0.0])
    opening = opening - shape.fringe * np.interp(t, [-0.1, 0.3, 0.6, 0.85], [0, 0.10, 0.10, 0])
    start = 4 if do.is_bare or is_covered else 0
    parts = [tube(centres[start:], radii[start:], bones[start:], b.HAIR, opening=opening[start:])]
    return parts + _tied(shape)


def _tied(shape: Shape) -> list[Tube]:
    """Tie the rest of the hair: a bun, a tail, a braid, two tails."""
    match shape.hair:
        case "bun":
            return [ball((-0.105, 0.0, HEAD_HEIGHT + 0.06), (0.05, 0.05, 0.045), b.HAIR)]
        case "low bun":
            return [ball((-0.105, 0.0, HEAD_HEIGHT - 0.05), (0.045, 0.055, 0.045), b.HAIR)]
        case "topknot":
            return [ball((-0.035, 0.0, HEAD_HEIGHT + 0.145), (0.042, 0.042, 0.038), b.HAIR)]
        case "tail":
            return [_tail(shape, 0.0, 1.0, 0.25)]
        case "braid":
            return [_tail(shape, 0.0, 0.75, 0.40)]
        case "pigtails":
            return [_tail(shape, side * 0.07, 0.7, 0.20) for side in (1, -1)]
    return []


def _tail(shape: Shape, aside: float, thickness: float, reach: float) -> Tube:
    down = np.linspace(0.07, -0.10 - reach * shape.hair_length, 6)
    bones = [(g.HEAD, g.CHEST, share) for share in np.linspace(0, 0.7, 6).tolist()]
    thick = np.array([0.015, 0.03, 0.034, 0.032, 0.025, 0.005]) * thickness
    centres = np.stack([-0.10 - 0.04 * np.sin(np.linspace(0.3, 3, 6)), 0 * down + aside, HEAD_HEIGHT + down], 1)
    return tube(centres, np.stack([thick, 1.2 * thick], 1), bones, b.HAIR)


def hat(outfit: Outfit) -> list[Tube]:
    """Put a hat on."""
    if outfit.hat in ("hood", "headscarf"):
        return [_hood(1.0 if outfit.hat == "hood" else 0.9, 0.16 if outfit.hat == "hood" else 0.12)]
    t = np.array([1.0, 0.93, 0.75, 0.5, 0.25, 0.15])
    dome = np.sqrt(np.maximum(1 - t**2, 1e-6))
    swell = {"helmet": 1.18, "beret": 1.2}.get(outfit.hat, 1.0)
    crown = np.stack([0 * t + 0.008, 0 * t, HEAD_HEIGHT + 0.135 * t], 1)
    parts = [tube(crown, np.stack([0.109 * dome * swell, 0.092 * dome * swell], 1), [ON_HEAD], b.HAT)]
    high = HEAD_HEIGHT + 0.038
    match outfit.hat:
        case "cap" | "backward cap":
            x = 1 if outfit.hat == "cap" else -0.9
            brim = [(x * 0.105, 0.0, high), (x * 0.108, 0.0, HEAD_HEIGHT + 0.022)]
            parts.append(tube(brim, [(0.078, 0.068), (0.082, 0.070)], [ON_HEAD], b.HAT, is_capped=True))
        case "brim" | "bucket":
            reach = 0.10 if outfit.hat == "brim" else 0.045
            edge = [(0.008, 0.0, high), (0.008, 0.0, high - 0.2 * reach - 0.01)]
            radii = [(0.11, 0.095), (0.11 + reach, 0.095 + reach)]
            parts.append(tube(edge, radii, [ON_HEAD], b.HAT, is_capped=True))
        case "bobble":
            parts.append(ball((0.0, 0.0, HEAD_HEIGHT + 0.155), (0.035, 0.035, 0.033), b.SCARF))
    return parts


def _hood(size: float, front: float) -> Tube:
    t = np.array([1.0, 0.93, 0.75, 0.45, 0.1, -0.3, -0.7, -1.05, -1.3])
    width = np.array([0.05, 0.4, 0.72, 0.93, 1.02, 1.04, 1.0, 0.95, 0.95]) * size
    opening = np.where(t > 0.5, 0.0, np.where(t > -0.8, front, 0.06 if size == 1 else 0.0))
    centres = np.stack([0 * t - 0.012, 0 * t, HEAD_HEIGHT + 0.132 * t], 1)
    bones = [(g.HEAD, g.CHEST, float(np.clip(-x - 0.5, 0, 0.7))) for x in t]
    return tube(centres, np.stack([0.118 * width, 0.102 * width], 1), bones, b.HAT, opening=opening)
