"""The seventeen keypoints of COCO on a figure: where they are on its body, and where a pose puts them."""

import numpy as np
from jaxtyping import Float, Float32, Int32

from s2reid.world import gait as g

PAIRS = ("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")
NAMES = ("nose", *(f"{side}_{part}" for part in PAIRS for side in ("left", "right")))
HEAD, ARMS = (g.HEAD,) * 5, (g.UPPER_L, g.UPPER_R, g.FORE_L, g.FORE_R, g.FORE_L, g.FORE_R)
LEGS = (g.THIGH_L, g.THIGH_R, g.SHIN_L, g.SHIN_R, g.FOOT_L, g.FOOT_R)
BONES: Int32[np.ndarray, " j"] = np.array([*HEAD, *ARMS, *LEGS], np.int32)
NECK, FOREARM = 1.50, 0.24
"""The neck's height on a body of 1.75 m, and how far below the elbow its wrist hangs."""
FACE = np.array(
    [[0.12, 0, 1.615], [0.1, 0.032, 1.655], [0.1, -0.032, 1.655], [0.01, 0.078, 1.64], [0.01, -0.078, 1.64]]
)


def at_rest(pivots: Float[np.ndarray, "b 3"]) -> Float[np.ndarray, "j 3"]:
    """Place the keypoints on a standing body, in metres; `pivots` are the joints of its bones."""
    scale = pivots[g.HEAD, 2] / NECK
    points = pivots[BONES].astype(float)
    points[:5] = FACE * scale
    points[9:11, 2] -= FOREARM * scale
    return points


def posed(pivots: Float[np.ndarray, "b 3"], bones: Float32[np.ndarray, "b 3 4"]) -> Float[np.ndarray, "j 3"]:
    """Place the keypoints in the world, with the bone matrices of a pose."""
    turns = bones[BONES].astype(float)
    return np.einsum("jik,jk->ji", turns[:, :, :3], at_rest(pivots)) + turns[:, :, 3]
