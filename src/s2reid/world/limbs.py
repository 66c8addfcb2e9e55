"""A body and the garments that hang from it: torso, shells around it, arms, legs and shoes."""

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from s2reid.world import gait as g
from s2reid.world.body import ARM, LEG, SHOE, TORSO, Tube, X, Y, Z, tube
from s2reid.world.garments import Outfit
from s2reid.world.people import Shape

SHELL = 10
"""Rings of a garment around the torso."""
TAIL_TOP = 1.20
"""Where the tail of an untucked top leaves the torso, on a body of 1.75 m."""
# Height, half depth, half width and centre of the torso, of a person of 1.75 m.
BODY = np.array(
    [
        [0.830, 0.070, 0.090, -0.006],
        [0.880, 0.106, 0.156, -0.010],
        [0.960, 0.119, 0.167, -0.010],
        [1.040, 0.106, 0.150, 0.000],
        [1.130, 0.103, 0.143, 0.006],
        [1.240, 0.113, 0.155, 0.008],
        [1.330, 0.108, 0.163, 0.004],
        [1.380, 0.095, 0.154, 0.000],
        [1.415, 0.078, 0.118, 0.001],
        [1.440, 0.066, 0.082, 0.003],
        [1.465, 0.055, 0.058, 0.006],
    ]
)
# What sloping shoulders add to the torso's depth and width, and a seat to its depth and centre.
SLOPE = np.zeros((11, 4))
SLOPE[6:, 2] = 0.000, 0.004, 0.022, 0.030, 0.010
SLOPE[7:, 1] = 0.004, 0.008, 0.010, 0.004
SEAT = np.zeros((11, 4))
SEAT[1:4, 1], SEAT[1:4, 3] = (0.010, 0.012, 0.004), (-0.010, -0.012, -0.004)
# How far out, how high, how thick, and how steep (radians below the horizon) an arm is along its length.
ARM_RINGS = np.array(
    [
        [0.080, 1.372, 0.044, 0.30],
        [0.122, 1.366, 0.050, 0.50],
        [0.152, 1.350, 0.053, 0.90],
        [0.168, 1.318, 0.052, 1.30],
        [0.175, 1.270, 0.049, 1.50],
        [0.179, 1.215, 0.046, 1.57],
        [0.180, 1.160, 0.041, 1.57],
        [0.180, 1.125, 0.040, 1.57],
        [0.180, 1.080, 0.042, 1.57],
        [0.180, 1.000, 0.038, 1.57],
        [0.180, 0.920, 0.031, 1.57],
        [0.180, 0.882, 0.027, 1.57],
        [0.180, 0.860, 0.029, 1.57],
        [0.180, 0.810, 0.033, 1.57],
        [0.180, 0.755, 0.024, 1.57],
        [0.180, 0.730, 0.008, 1.57],
    ]
)
# Depth and half thickness (up, sideways) of a shoe from heel to toe.
SHOE_RINGS = np.array(
    [
        [-0.075, 0.022, 0.025],
        [-0.060, 0.045, 0.036],
        [0.000, 0.052, 0.040],
        [0.060, 0.042, 0.043],
        [0.120, 0.035, 0.044],
        [0.160, 0.027, 0.035],
        [0.175, 0.012, 0.016],
    ]
)


def silhouette(
    shape: Shape, outfit: Outfit, heights: Float[np.ndarray, " r"]
) -> tuple[Float[np.ndarray, " r"], Float[np.ndarray, " r"], Float[np.ndarray, " r"]]:
    """Return half depth, half width and centre of the clothed torso at unit heights, as wide below the hips."""
    z = np.maximum(heights, 0.93)
    body = BODY + shape.slope * SLOPE + shape.seat * SEAT
    depth, width, centre = (np.interp(z, body[:, 0], body[:, k]) for k in (1, 2, 3))
    belly = np.exp(-(((z - 1.06) / 0.12) ** 2))
    bust = np.exp(-(((z - 1.25) / 0.06) ** 2))
    waist = np.exp(-(((z - 1.10) / 0.08) ** 2))
    depth = depth * (shape.girth + 0.7 * max(0.0, shape.girth - 1) * belly + 0.14 * shape.is_female * bust)
    mix = np.clip((z - 1.0) / 0.25, 0, 1)
    width = width * (shape.hips * (1 - mix) + shape.shoulders * mix) * (1 + 0.6 * (shape.girth - 1))
    width = width * (1 - 0.07 * shape.is_female * waist)
    return depth * (1 + outfit.bulk), width * (1 + outfit.bulk), centre + 0.02 * (shape.girth - 1) * belly


def torso(shape: Shape, outfit: Outfit) -> Tube:
    heights = BODY[::-1, 0]
    depth, width, centre = silhouette(shape, outfit, heights)
    depth[-2:], width[-2:] = depth[-2:] * [0.95, 0.65], width[-2:] * [0.96, 0.6]
    spine = [(g.PELVIS, g.CHEST, float(np.clip((z - 1.0) / 0.2, 0, 1))) for z in heights]
    middle = np.stack([centre, 0 * heights, heights], 1)
    part = tube(middle, np.stack([depth, width], 1), spine, TORSO, roundness=0.92)
    return replace(part, down=(heights[0] - heights) / (heights[0] - heights[-1]))


def shell(
    shape: Shape,
    outfit: Outfit,
    top: float,
    hem: float,
    tile: int,
    *,
    ease: float,
    flare: float,
    opening: float | Float[np.ndarray, " r"] = 0.0,
) -> Tube:
    """Hang a garment around the torso from unit height `top` to `hem`: a shirt's tail, a jacket, a coat, a skirt.

    `opening` is the share of the turn that each of its rings leaves open on either side of the front.
    """
    heights = np.linspace(top, hem, SHELL)
    depth, width, centre = silhouette(shape, outfit, heights)
    below = np.maximum(0.98 - heights, 0)
    depth, width = depth + ease + 0.9 * flare * below, width + ease + flare * below
    spine = [(g.PELVIS, g.CHEST, float(np.clip((z - 1.0) / 0.2, 0, 1))) for z in heights]
    part = tube(
        np.stack([centre, 0 * heights, heights], 1),
        np.stack([depth, width], 1),
        spine,
        tile,
        roundness=0.94,
        opening=opening,
    )
    # Below the hips a garment follows the nearer thigh, less so in the middle.
    side = part.rings[..., 1]
    follow = np.clip((0.97 - heights) / 0.22, 0, 1)[:, None] * np.clip(np.abs(side) / 0.10, 0, 1) * 0.88
    low = np.broadcast_to((heights < 0.97)[:, None], side.shape)
    bones, weights = part.bones.copy(), part.weights.copy()
    bones[low] = np.stack([np.full(side.shape, g.PELVIS), np.where(side > 0, g.THIGH_L, g.THIGH_R)], -1)[low]
    weights[low] = follow[low]
    return replace(part, bones=bones, weights=weights)


def arm(shape: Shape, outfit: Outfit, side: int, upper: int, fore: int) -> Tube:
    out, high, thick, steep = ARM_RINGS.T
    # A sloping shoulder starts higher and smoothly: its sleeve is loose only farther down.
    loose = (0.2, 1.25) if not shape.slope else (0.0, 1.10)
    sleeve = np.interp(high, [0.86, 0.89, loose[1], 1.37], [0.0, 1.0, 1.0, loose[0]]) * outfit.sleeve_ease
    high = high + shape.slope * np.interp(out, [0.08, 0.122, 0.152, 0.17], [0.022, 0.012, 0.004, 0.0])
    radius = thick * (0.35 + 0.65 * shape.girth) * (1 + outfit.bulk) * (1 + sleeve)
    flat = np.where(high < 0.87, 0.55, 1.0)
    centres = np.stack([0 * out, side * out * shape.shoulders, high], 1)
    sideways = np.stack([0 * out, side * np.sin(steep), np.cos(steep)], 1)
    bones = [
        (g.CHEST, upper, (0.1, 0.45, 0.85)[i]) if i < 3 else (upper, fore, float(np.clip((1.165 - z) / 0.07, 0, 1)))
        for i, z in enumerate(high)
    ]
    part = tube(centres, np.stack([radius, radius * flat], 1), bones, ARM, axes=(X, sideways))
    return replace(
        part, down=np.concatenate([[0, 0.04, 0.08], 0.12 + 0.88 * (high[3] - high[3:]) / (high[3] - high[-1])])
    )


def leg(shape: Shape, outfit: Outfit, side: int, thigh: int, shin: int) -> Tube:
    hip, knee, ankle = 0.90 * shape.legs, 0.49 * shape.legs, 0.085
    up = np.array([hip + 0.03, hip - 0.06, hip - 0.2, knee + 0.08, knee + 0.02, knee - 0.03, knee - 0.1, knee - 0.22])
    heights = np.concatenate([up, [ankle + 0.07, ankle + 0.01, ankle - 0.03]])
    radius = np.array([0.086, 0.088, 0.078, 0.062, 0.058, 0.056, 0.058, 0.053, 0.042, 0.040, 0.034])
    radius = radius * (0.35 + 0.65 * shape.girth) * (1.03 if shape.is_female else 1.0)
    down = (heights[0] - heights) / (heights[0] - heights[-1])
    covered = down < outfit.leg_hem
    wide = np.interp(down, [0.1, 0.55, 1.0], [0.04, outfit.leg_ease, outfit.leg_ease * outfit.leg_flare])
    radius = radius * np.where(covered, 1 + wide, 1.0)
    centres = np.stack([0 * heights, np.full_like(heights, side * 0.088 * shape.hips), heights], 1)
    bones = [(thigh, shin, float(np.clip((knee + 0.04 - z) / 0.08, 0, 1))) for z in heights]
    part = tube(centres, np.stack([radius, 0.95 * radius], 1), bones, LEG)
    return replace(part, down=down)


def shoe(shape: Shape, side: int, foot: int) -> Tube:
    x, up, across = SHOE_RINGS.T
    centres = np.stack([x, np.full_like(x, side * 0.088 * shape.hips), np.maximum(up, 0.02)], 1)
    return tube(centres, np.stack([up, across], 1), [(foot, foot, 0.0)], SHOE, axes=(Z, -Y), is_capped=True)
