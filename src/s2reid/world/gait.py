"""How a person walks: a skeleton of thirteen bones, a personal gait, and the joint angles at a phase of it."""

import math
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Float32, Int32

from s2reid.world.raster import chain_bones

BONES = 13
PELVIS, CHEST, HEAD, UPPER_L, FORE_L, UPPER_R, FORE_R, THIGH_L, SHIN_L, FOOT_L, THIGH_R, SHIN_R, FOOT_R = range(BONES)
PARENTS: Int32[np.ndarray, " b"] = np.array([-1, 0, 1, 1, 3, 1, 5, 0, 7, 8, 0, 10, 11], np.int32)
LEGS = ((1, THIGH_L, SHIN_L, FOOT_L), (-1, THIGH_R, SHIN_R, FOOT_R))
HELD = {
    "call": (0.30, 0.42, -0.30, 2.5),
    "umbrella": (0.10, 0.30, -0.10, 1.75),
    "push": (0.10, 0.20, 0.0, 0.95),
    "strap": (0.20, 0.15, -0.45, 2.2),
    "behind": (0.25, -0.45, 0.5, 0.75),
}
"""An arm that is held: outwards, forwards, turned in or out, and bent at the elbow (radians)."""
ARMS = ((1, UPPER_L, FORE_L), (-1, UPPER_R, FORE_R))


@dataclass(frozen=True)
class Gait:
    """A personal walk; amplitudes in radians, speed in m/s, `bounce` in metres.

    `left` and `right` say what an arm does: swing, rest in a pocket, hold a phone before the chest, call, carry, hold
    an umbrella, push, or hold a strap. `finer` is the same walk with all that a closer look shows: a `stoop`, toes that
    turn out, one arm that swings more than the other, hips that drop, a head that is turned, elbows that stand off.
    """

    speed: float
    hip: float
    knee: float
    arm: float
    elbow: float
    lean: float
    nod: float
    twist: float
    sway: float
    bounce: float
    stance: float
    left: str
    right: str
    stoop: float = 0.0
    toes: float = 0.0
    favour: float = 0.0
    drop: float = 0.0
    look: float = 0.0
    spread: float = 0.0
    finer: "Gait | None" = None

    def phase_per_metre(self, leg: float) -> float:
        """Convert distance walked into phase, so that a standing foot slides little; `leg` is its length in metres."""
        return 2 * math.pi / (5 * leg * math.sin(self.hip))


def draw_gait(rng: np.random.Generator, *, carries: int = 0) -> Gait:
    """Draw a personal walk; an arm that carries (1 the left, -1 the right) hangs still."""
    acts = [str(act) for act in rng.choice(["swing", "pocket", "phone", "carry"], 2, p=[0.78, 0.09, 0.07, 0.06])]
    gait = Gait(
        speed=float(np.clip(rng.normal(1.3, 0.2), 0.7, 1.9)),
        hip=float(np.clip(rng.normal(0.38, 0.06), 0.22, 0.55)),
        knee=float(np.clip(rng.normal(0.95, 0.12), 0.6, 1.3)),
        arm=float(np.clip(rng.normal(0.40, 0.15), 0.05, 0.8)),
        elbow=float(np.clip(rng.normal(0.32, 0.14), 0.05, 0.9)),
        lean=float(rng.normal(0.04, 0.035)),
        nod=float(rng.normal(0.03, 0.08)),
        twist=float(np.clip(rng.normal(0.10, 0.04), 0, 0.25)),
        sway=float(rng.normal(0.02, 0.01)),
        bounce=float(rng.uniform(0.01, 0.025)),
        stance=float(rng.normal(0.0, 0.025)),
        left="carry" if carries == 1 else acts[0],
        right="carry" if carries == -1 else acts[1],
    )
    return replace(gait, finer=_refine(rng.spawn(1)[0], gait))


def _refine(rng: np.random.Generator, gait: Gait) -> Gait:
    """Look closer at a walk, with a stream of its own."""
    acts = rng.choice(["swing", "pocket", "strap", "behind"], 2, p=[0.80, 0.12, 0.04, 0.04])
    return replace(
        gait,
        left=str(acts[0]),
        right=str(acts[1]),
        stoop=float(np.clip(rng.normal(0.05, 0.08), -0.05, 0.35)),
        toes=float(np.clip(rng.normal(0.10, 0.10), -0.15, 0.4)),
        favour=float(rng.normal(0, 0.18)),
        drop=float(np.clip(rng.normal(0.04, 0.03), 0, 0.12)),
        look=float(rng.normal(0, 0.22)),
        spread=float(np.clip(rng.normal(0.05, 0.06), -0.04, 0.25)),
    )


def _arm_angles(act: str, gait: Gait, side: int, phase: float) -> tuple[list[float], list[float]]:
    """Return the angles of an upper arm and a forearm."""
    swing = math.sin(phase)
    if act == "pocket":
        return [side * 0.22, 0.18 - 0.05 * swing, 0.0], [-side * 0.1, -0.45, side * -0.35]
    if act == "phone":
        return [side * 0.06, -0.45, 0.0], [0.0, -1.55 + 0.03 * swing, side * -0.35]
    if act == "carry":
        return [side * 0.08, -0.06 * swing, 0.0], [0.0, -0.12, 0.0]
    if act in HELD:
        out, forward, turn, bend = HELD[act]
        return [side * out, -forward, side * turn], [0.0, -bend, side * -0.2]
    own = gait.arm * (1 + side * gait.favour)
    return [side * (0.08 + gait.spread), -own * swing, 0.0], [0.0, -gait.elbow * (1 + 0.4 * swing), side * -0.15]


def joint_angles(gait: Gait, phase: float) -> Float[np.ndarray, "b 3"]:
    """Return every bone's turn about x (front), y (left) and z (up) at a phase; 2 pi is two steps."""
    angles = np.zeros((BONES, 3))
    for side, thigh, shin, foot in LEGS:
        own = phase if side > 0 else phase + math.pi
        hip = gait.hip * math.sin(own) + 0.06
        knee = gait.knee * (0.08 + 0.92 * max(0.0, math.cos(own - 0.35)) ** 2)
        angles[thigh] = -side * gait.stance, -hip, side * gait.toes
        angles[shin, 1] = knee
        angles[foot, 1] = -0.75 * (knee - hip)
    for (side, upper, fore), act in zip(ARMS, (gait.left, gait.right)):
        angles[upper], angles[fore] = _arm_angles(act, gait, side, phase + (math.pi if side > 0 else 0))
    turn = gait.twist * math.sin(phase)
    lift = gait.drop * math.sin(phase)
    angles[PELVIS] = 2 * gait.sway * math.sin(phase) + lift, 0, turn
    angles[CHEST] = -gait.sway * math.sin(phase) - 1.2 * lift, gait.lean + gait.stoop, -1.5 * turn
    angles[HEAD] = 0, gait.nod - gait.lean - 0.5 * gait.stoop, 0.4 * turn + gait.look
    return angles


def pose(
    gait: Gait, pivots: Float[np.ndarray, "b 3"], phase: float, x: float, y: float, heading: float
) -> Float32[np.ndarray, "b 3 4"]:
    """Place the skeleton on the ground at (x, y) metres, walking along `heading` radians; return bone matrices."""
    matrices = np.empty((BONES, 3, 4), np.float32)
    height = -0.35 * gait.hip**2 * 0.2 + gait.bounce * math.cos(2 * phase)
    root = np.array([x, y, height, heading])
    chain_bones(joint_angles(gait, phase), pivots, PARENTS, root, matrices)
    return matrices
