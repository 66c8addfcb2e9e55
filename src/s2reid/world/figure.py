"""Put a person together: body, garments, head, hair, hats and bags, skinned to the skeleton and painted."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8

from s2reid.world import body as b
from s2reid.world import gait as g
from s2reid.world.body import Mesh, Tube, tube
from s2reid.world.clothes import Outfit
from s2reid.world.gait import Gait
from s2reid.world.people import Shape
from s2reid.world.textures import paint

HEAD_HEIGHT = 1.635
"""The middle of the head of a body of 1.75 m."""
ON_HEAD, ON_CHEST, ON_PELVIS = ((bone, bone, 0.0) for bone in (g.HEAD, g.CHEST, g.PELVIS))


@dataclass(frozen=True)
class Figure:
    """A dressed person, ready to walk: a mesh, its texture, its joints and its gait."""

    mesh: Mesh
    texture: UInt8[np.ndarray, "s s 3"]
    pivots: Float[np.ndarray, "b 3"]
    gait: Gait
    leg: float


def _ball(centre: tuple[float, float, float], radii: tuple[float, float, float], tile: int) -> Tube:
    t = np.linspace(1, -1, 7)
    round_off = np.sqrt(np.maximum(1 - t * t, 1e-6))
    centres = np.array(centre) + np.stack([0 * t, 0 * t, radii[2] * t], 1)
    return tube(centres, np.stack([radii[0] * round_off, radii[1] * round_off], 1), [ON_HEAD], tile)


def _neck() -> Tube:
    bones = [(g.CHEST, g.HEAD, share) for share in (1.0, 0.5, 0.1)]
    centres = [(0.016, 0.0, 1.57), (0.012, 0.0, 1.50), (0.006, 0.0, 1.43)]
    return tube(centres, [(0.052, 0.048), (0.054, 0.051), (0.062, 0.062)], bones, b.SKIN)


def _head() -> Tube:
    t = np.array([1.0, 0.92, 0.75, 0.5, 0.2, -0.1, -0.4, -0.65, -0.85, -1.0])
    width = np.array([0.05, 0.40, 0.68, 0.88, 0.98, 0.97, 0.90, 0.78, 0.60, 0.30])
    centres = np.stack([0.018 - 0.006 * t, 0 * t, HEAD_HEIGHT + 0.118 * t], 1)
    part = tube(centres, np.stack([0.094 * width, 0.076 * width], 1), [ON_HEAD], b.HEAD)
    return Tube(part.rings, part.bones, part.weights, (1 - t) / 2, part.around, part.tile)


def _hair(shape: Shape) -> list[Tube]:
    """Hang hair from the crown: open before the face, closed above it; longer hair follows the chest."""
    length = shape.hair_length
    lowest = {"short": -0.3 - 0.3 * length, "bob": -1.0 - 0.5 * length, "long": -1.7 - 1.9 * length}
    low = lowest.get(shape.hair, -0.4)
    t = np.concatenate([[1.0, 0.93, 0.78, 0.6], np.linspace(0.45, low, 7)])
    puff = 1.35 if shape.hair == "curls" else 1.0
    dome = np.sqrt(np.maximum(1 - np.clip(t, 0, 1) ** 2, 1e-6)) * (1 + 0.05 * np.clip(-t, 0, 1.5))
    shift = -0.004 - 0.022 * np.clip(-t - 0.5, 0, 1)
    centres = np.stack([shift, 0 * t, HEAD_HEIGHT + 0.126 * puff**0.5 * t], 1)
    nape = 1 - 0.10 * np.clip((-t - 0.1) / 0.5, 0, 1) * (low > -0.8)
    radii = np.stack([0.101 * dome * puff * nape, 0.084 * dome * puff * nape], 1)
    bones = [(g.HEAD, g.CHEST, float(np.clip((-x - 1.0) / 1.2, 0, 0.9))) for x in t]
    sides = 0.19 if shape.hair in ("long", "bob") else 0.27
    opening = np.interp(t, [-1.5, -0.2, 0.3, 0.6, 0.85], [sides + 0.04, sides, 0.17, 0.10, 0.0])
    parts = [tube(centres, radii, bones, b.HAIR, opening=opening)]
    if shape.hair == "bun":
        parts.append(_ball((-0.105, 0.0, HEAD_HEIGHT + 0.06), (0.05, 0.05, 0.045), b.HAIR))
    if shape.hair == "tail":
        down = np.linspace(0.07, -0.10 - 0.25 * shape.hair_length, 6)
        bones = [(g.HEAD, g.CHEST, share) for share in np.linspace(0, 0.7, 6).tolist()]
        thick = np.array([0.015, 0.03, 0.034, 0.032, 0.025, 0.005])
        centres = np.stack([-0.10 - 0.04 * np.sin(np.linspace(0.3, 3, 6)), 0 * down, HEAD_HEIGHT + down], 1)
        parts.append(tube(centres, np.stack([thick, 1.2 * thick], 1), bones, b.HAIR))
    return parts


def _hat(outfit: Outfit) -> list[Tube]:
    t = np.array([1.0, 0.93, 0.75, 0.5, 0.25, 0.15])
    dome = np.sqrt(np.maximum(1 - t**2, 1e-6))
    if outfit.hat == "hood":
        t = np.array([1.0, 0.93, 0.75, 0.45, 0.1, -0.3, -0.7, -1.05, -1.3])
        size = np.array([0.05, 0.4, 0.72, 0.93, 1.02, 1.04, 1.0, 0.95, 0.95])
        opening = np.where(t > 0.5, 0.0, np.where(t > -0.8, 0.16, 0.06))
        centres = np.stack([0 * t - 0.012, 0 * t, HEAD_HEIGHT + 0.132 * t], 1)
        bones = [(g.HEAD, g.CHEST, float(np.clip(-x - 0.5, 0, 0.7))) for x in t]
        return [tube(centres, np.stack([0.118 * size, 0.102 * size], 1), bones, b.HAT, opening=opening)]
    crown = np.stack([0 * t + 0.008, 0 * t, HEAD_HEIGHT + 0.135 * t], 1)
    parts = [tube(crown, np.stack([0.109 * dome, 0.092 * dome], 1), [ON_HEAD], b.HAT)]
    if outfit.hat == "cap":
        brim = [(0.105, 0.0, HEAD_HEIGHT + 0.038), (0.108, 0.0, HEAD_HEIGHT + 0.022)]
        parts.append(tube(brim, [(0.078, 0.068), (0.082, 0.070)], [ON_HEAD], b.HAT, is_capped=True))
    return parts


def _bag(shape: Shape, outfit: Outfit) -> list[Tube]:
    side = outfit.bag_side
    back = -0.115 * shape.girth - outfit.bulk * 0.1
    if outfit.bag == "pack":
        heights = np.array([1.44, 1.42, 1.36, 1.24, 1.12, 1.04, 1.03])
        swell = np.array([0.1, 0.75, 0.95, 1.05, 1.05, 0.85, 0.1])
        centres = np.stack([back - 0.075 + 0 * heights, 0 * heights, heights], 1)
        radii = np.stack([0.075 * swell, 0.145 * swell], 1)
        return [tube(centres, radii, [ON_CHEST], b.BAG, roundness=0.55)]
    if outfit.bag == "satchel":
        return [_box((-0.02, side * 0.235 * shape.hips, 0.90), (0.14, 0.045, 0.11), ON_PELVIS)]
    if outfit.bag == "tote":
        return [_box((0.0, side * 0.27 * shape.shoulders, 0.98), (0.16, 0.05, 0.17), ON_CHEST)]
    if outfit.bag == "handbag":
        hand = g.FORE_L if side > 0 else g.FORE_R
        return [_box((0.0, side * 0.185 * shape.shoulders, 0.60), (0.13, 0.045, 0.10), (hand, hand, 0.0))]
    if outfit.bag == "trolley":
        hand = g.FORE_L if side > 0 else g.FORE_R
        at = side * 0.20 * shape.shoulders
        handle = tube([(-0.05, at, 0.78), (-0.28, at, 0.52)], [(0.012, 0.012)] * 2, [ON_PELVIS], b.SHOE)
        return [_box((-0.38, at, 0.30), (0.12, 0.19, 0.27), ON_PELVIS), handle]
    return []


def _box(centre: tuple[float, float, float], half: tuple[float, float, float], bone: tuple[int, int, float]) -> Tube:
    """Make a bag with round edges."""
    z = centre[2] + half[2] * np.array([1, 0.98, 0.8, 0, -0.8, -0.98, -1])
    size = np.array([0.05, 0.85, 0.97, 1.0, 1.0, 0.9, 0.05])
    centres = np.stack([centre[0] + 0 * z, centre[1] + 0 * z, z], 1)
    return tube(centres, np.stack([half[0] * size, half[1] * size], 1), [bone], b.BAG, roundness=0.55)


def _scarf() -> Tube:
    centres = [(0.01, 0.0, 1.53), (0.012, 0.0, 1.50), (0.012, 0.0, 1.45), (0.01, 0.0, 1.42)]
    return tube(centres, [(0.07, 0.07), (0.09, 0.085), (0.095, 0.095), (0.06, 0.07)], [ON_CHEST], b.SCARF)


def _garments(shape: Shape, outfit: Outfit) -> list[Tube]:
    """Hang what is worn over the torso, from inside to outside."""
    parts = []
    if outfit.tail_hem:
        tail = b.shell(shape, outfit, b.TAIL_TOP, outfit.tail_hem, b.SKIRT, ease=0.010, flare=0.08, opening=0.0)
        parts.append(tail)
    if outfit.skirt is not None:
        flare = outfit.skirt_flare
        parts.append(b.shell(shape, outfit, 1.06, outfit.skirt_hem, b.SKIRT, ease=0.018, flare=flare, opening=0.0))
    if outfit.layer is not None:
        hem, opening = outfit.layer_hem, outfit.opening
        parts.append(b.shell(shape, outfit, 1.44, hem, b.LAYER, ease=0.016, flare=0.10, opening=opening))
    parts += _collar(outfit)
    return parts


def _collar(outfit: Outfit) -> list[Tube]:
    """Stand a collar around the neck, or let a hood hang behind it."""
    if outfit.collar == "hood":
        centres = [(-0.075, 0.0, 1.475), (-0.10, 0.0, 1.45), (-0.115, 0.0, 1.40), (-0.105, 0.0, 1.34)]
        sizes = [(0.03, 0.06), (0.055, 0.10), (0.055, 0.095), (0.03, 0.05)]
        return [tube(centres, sizes, [ON_CHEST], b.COLLAR, is_capped=True)]
    if outfit.collar == "stand":
        centres = [(0.006, 0.0, 1.515), (0.004, 0.0, 1.48), (0.0, 0.0, 1.43)]
        sizes = [(0.070, 0.068), (0.072, 0.074), (0.088, 0.105)]
        return [tube(centres, sizes, [ON_CHEST], b.COLLAR, opening=np.array([0.12, 0.08, 0.06]))]
    return []


def pivots(shape: Shape) -> Float[np.ndarray, "b 3"]:
    """Return every bone's joint on a body of 1.75 m, in metres."""
    y, arm = 0.088 * shape.hips, 0.160 * shape.shoulders
    hip, knee = 0.90 * shape.legs, 0.49 * shape.legs
    spine = [(0, 0, hip), (0, 0, 1.10), (0.01, 0, 1.50)]
    arms = [(0, side * arm, z) for side in (1, -1) for z in (1.36, 1.13)]
    legs = [(0, side * y, z) for side in (1, -1) for z in (hip, knee, 0.085)]
    return np.array(spine + arms + legs, float)


def build(rng: np.random.Generator, shape: Shape, outfit: Outfit, gait: Gait) -> Figure:
    """Model and paint a dressed person; `rng` decides where folds and prints fall."""
    parts = [b.torso(shape, outfit), _neck(), _head(), *_garments(shape, outfit), *_bag(shape, outfit)]
    parts += [b.arm(shape, outfit, side, upper, fore) for side, upper, fore in g.ARMS]
    for side, thigh, shin, foot in g.LEGS:
        parts += [b.leg(shape, outfit, side, thigh, shin), b.shoe(shape, side, foot)]
    if shape.hair != "bald" and outfit.hat != "hood":
        parts += _hair(shape)
    if outfit.hat != "none":
        parts += _hat(outfit)
    if outfit.scarf is not None:
        parts.append(_scarf())
    mesh = b.assemble(parts)
    scale = np.float32(shape.scale)
    mesh = Mesh(mesh.vertices * scale, mesh.normals, mesh.uv, mesh.faces, mesh.bones, mesh.weights)
    joints = pivots(shape) * shape.scale
    return Figure(mesh, paint(rng, shape, outfit), joints, gait, float(joints[g.THIGH_L, 2]))
