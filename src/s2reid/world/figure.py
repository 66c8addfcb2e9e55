"""Put a person together: body, garments, head, bags and things, skinned to the skeleton and painted."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, UInt8

from s2reid.world import body as b
from s2reid.world import carried, heads, limbs
from s2reid.world import gait as g
from s2reid.world.body import Mesh, Tube, tube
from s2reid.world.gait import Gait
from s2reid.world.garments import Outfit
from s2reid.world.paint import paint
from s2reid.world.people import Shape

ON_CHEST = (g.CHEST, g.CHEST, 0.0)


@dataclass(frozen=True)
class Figure:
    """A dressed person, ready to walk: a mesh, its texture, its joints and its gait.

    The first `num_own` vertices are the person, with garments and bags; those after them are things held or pushed.
    """

    mesh: Mesh
    texture: UInt8[np.ndarray, "s s 3"]
    pivots: Float[np.ndarray, "b 3"]
    gait: Gait
    leg: float
    num_own: int


def _scarf() -> Tube:
    centres = [(0.01, 0.0, 1.53), (0.012, 0.0, 1.50), (0.012, 0.0, 1.45), (0.01, 0.0, 1.42)]
    return tube(centres, [(0.07, 0.07), (0.09, 0.085), (0.095, 0.095), (0.06, 0.07)], [ON_CHEST], b.SCARF)


def _scarf_end(shape: Shape, outfit: Outfit) -> Tube:
    """Let one end of a scarf hang down before the chest."""
    x, y = 0.125 * shape.girth + 0.1 * outfit.bulk, outfit.bag_side * 0.05
    centres = [(x - 0.05, y, 1.44), (x, y, 1.36), (x + 0.012, y, 1.25), (x, y, 1.10)]
    return tube(centres, [(0.02, 0.045), (0.016, 0.05), (0.014, 0.055), (0.012, 0.06)], [ON_CHEST], b.SCARF)


def _garments(shape: Shape, outfit: Outfit) -> list[Tube]:
    """Hang what is worn over the torso, from inside to outside."""
    parts, looser = [], 0.010 if outfit.details else 0.0
    if outfit.tail_hem:
        own = looser if outfit.layer is None else 0.0
        ease, flare = 0.010 + own, 0.08 + 5 * looser
        parts.append(limbs.shell(shape, outfit, limbs.TAIL_TOP, outfit.tail_hem, b.SKIRT, ease=ease, flare=flare))
    if outfit.skirt is not None:
        flare = outfit.skirt_flare
        parts.append(limbs.shell(shape, outfit, 1.06, outfit.skirt_hem, b.SKIRT, ease=0.018, flare=flare))
    if outfit.layer is not None:
        hem, opening = outfit.layer_hem, outfit.opening * np.linspace(0.6, 1.25, limbs.SHELL)
        if outfit.details is not None and outfit.details.has_lapels:
            heights = np.linspace(1.44, hem, limbs.SHELL)
            opening = np.maximum(opening, np.interp(heights, [1.12, 1.44], [0.0, 0.075]))
        ease, top = 0.016 + 1.2 * looser, 1.44 + 1.5 * looser
        parts.append(limbs.shell(shape, outfit, top, hem, b.LAYER, ease=ease, flare=0.10, opening=opening))
    return parts + _collar(outfit)


def _collar(outfit: Outfit) -> list[Tube]:
    """Stand a collar around the neck, or let a hood hang behind it."""
    if outfit.collar == "hood" and (outfit.details is None or outfit.hat != "hood"):
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


def _on_head(shape: Shape, outfit: Outfit) -> list[Tube]:
    parts = []
    if shape.hair != "bald" and outfit.hat not in ("hood", "headscarf"):
        parts += heads.hair(shape, is_covered=outfit.details is not None and outfit.hat != "none")
    if outfit.hat != "none":
        parts += heads.hat(outfit)
    return [heads.resized(part, shape.head) for part in parts]


def as_drawn(shape: Shape, outfit: Outfit, gait: Gait) -> tuple[Shape, Outfit, Gait]:
    """Return who is drawn: an outfit with details shows the finer shape and walk, and arms do what things ask."""
    if outfit.details is None:
        return replace(shape, finer=None), outfit, replace(gait, finer=None)
    return shape.finer or shape, outfit, carried.acting(gait.finer or gait, outfit)


def build(rng: np.random.Generator, shape: Shape, outfit: Outfit, gait: Gait) -> Figure:
    """Model and paint a dressed person (see `as_drawn`); `rng` decides where folds and prints fall."""
    shape, outfit, gait = as_drawn(shape, outfit, gait)
    parts = [limbs.torso(shape, outfit), heads.neck(shape), heads.resized(heads.skull(shape), shape.head)]
    parts += [*_garments(shape, outfit), *carried.bag(shape, outfit)]
    parts += [limbs.arm(shape, outfit, side, upper, fore) for side, upper, fore in g.ARMS]
    for side, thigh, shin, foot in g.LEGS:
        parts += [limbs.leg(shape, outfit, side, thigh, shin), limbs.shoe(shape, side, foot)]
    parts += _on_head(shape, outfit)
    if outfit.scarf is not None:
        parts += [_scarf()] if outfit.details is None else [_scarf(), _scarf_end(shape, outfit)]
    num_own = sum(part.weights.size for part in parts)
    mesh = b.assemble([*parts, *carried.things(shape, outfit)])
    scale = np.float32(shape.scale)
    mesh = Mesh(mesh.vertices * scale, mesh.normals, mesh.uv, mesh.faces, mesh.bones, mesh.weights)
    joints = pivots(shape) * shape.scale
    return Figure(mesh, paint(rng, shape, outfit), joints, gait, float(joints[g.THIGH_L, 2]), num_own)
