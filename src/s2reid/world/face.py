"""A face up close, and the hair around it; down 0 is the crown, a quarter turn to either side is an ear."""

from functools import lru_cache

import numpy as np

from s2reid.world.garments import Fabric
from s2reid.world.people import Colour, Shape
from s2reid.world.textures import DOWN, FRONT, Mask, Share, Tile, cloth, flat, over, scaled

EYES, NOSE, MOUTH = 0.47, 0.63, 0.74
LIPS = np.array([0.90, 0.66, 0.66])


@lru_cache
def _spot(x: float, y: float, wide: float, high: float) -> Share:
    """Fade from 1 around a place on either side of the face."""
    return np.asarray(np.exp(-(((FRONT - x) / wide) ** 2) - ((DOWN - y) / high) ** 2))


@lru_cache
def _oval(x: float, y: float, wide: float, high: float) -> Mask:
    return ((FRONT - x) / wide) ** 2 + ((DOWN - y) / high) ** 2 < 1


def paint_face(rng: np.random.Generator, shape: Shape, mask: Colour | None, skin: Tile) -> Tile:
    """Paint a face with its eyes, brows, nose, mouth, wrinkles, beard, glasses and mask."""
    old = np.clip((shape.age - 45) / 30, 0, 1)
    shade = 0.25 * _spot(0.075, EYES, 0.036, 0.05) + 0.16 * _spot(0.0, NOSE + 0.05, 0.035, 0.018)
    shade = shade + 0.10 * _spot(0.035, 0.58, 0.014, 0.07) + 0.12 * _spot(0.0, 0.81, 0.05, 0.02)
    shade = shade + 0.14 * (DOWN > 0.92) + 0.12 * old * _spot(0.06, 0.68, 0.012, 0.06)
    face = skin * (1 - shade + 0.10 * _spot(0.0, 0.58, 0.016, 0.08) + 0.05 * _spot(0.10, 0.60, 0.04, 0.05))
    face = over(face, _oval(0.0, MOUTH, 0.048, 0.022), tuple((np.array(shape.skin) * LIPS).tolist()))
    face = over(face, _oval(0.075, EYES, 0.026, 0.016), (0.72, 0.70, 0.68))
    face = over(face, _oval(0.075, EYES, 0.013, 0.018), (0.13, 0.10, 0.09))
    brows = np.abs(DOWN - 0.405 - 2 * (FRONT - 0.075) ** 2) < (0.009 if shape.is_female else 0.014)
    face = over(face, brows & (np.abs(FRONT - 0.075) < 0.036), scaled(shape.hair_colour, 0.9))
    face = _glasses(_beard(face, shape), shape.glasses)
    ear = _oval(0.25, 0.50, 0.028, 0.09)
    if shape.hair != "bald":
        face = np.where(_grown(shape) & ~ear, _scalp(rng, shape, skin), face)
    if mask is not None:
        face = over(face, (0.18 - 0.4 * np.abs(DOWN - 0.74) ** 1.2 > FRONT) & (np.abs(DOWN - 0.745) < 0.17), mask)
        face = over(face, (np.abs(DOWN - 0.62 + 0.5 * (FRONT - 0.2)) < 0.012) & (np.abs(FRONT - 0.2) < 0.05), mask)
    return np.where(ear, face * (1 - 0.2 * _oval(0.25, 0.50, 0.014, 0.05)), face)


def _grown(shape: Shape) -> Mask:
    """Say where hair grows on the head."""
    back = ((FRONT > 0.21) & (DOWN < 0.70)) | ((FRONT > 0.30) & (DOWN < 0.88))
    if shape.hair == "receding":
        return back & (DOWN > 0.30)
    hairline = 0.17 + 0.09 * np.clip((FRONT - 0.07) / 0.1, 0, 1) + 0.12 * shape.fringe
    return np.asarray((hairline > DOWN) | back)


def _scalp(rng: np.random.Generator, shape: Shape, skin: Tile) -> Tile:
    """Paint hair; where it is cropped, skin shows through."""
    hair = cloth(rng, Fabric(shape.hair_colour, shape.hair_colour, "plain", 0.1, 0.08))
    return 0.7 * hair + 0.3 * skin if shape.hair in ("crew", "receding") else hair


def _beard(face: Tile, shape: Shape) -> Tile:
    jaw = (FRONT < 0.21) & (0.68 - 0.5 * np.clip(FRONT - 0.12, 0, 1) < DOWN) & (DOWN < 0.98)
    lip = _oval(0.0, MOUTH, 0.045, 0.024)
    over_lip = (FRONT < 0.06) & (np.abs(DOWN - 0.695) < 0.02)
    chin = (FRONT < 0.065) & (DOWN > 0.685) & (DOWN < 0.95)
    where, strength = {
        "stubble": (jaw & ~lip, 0.28),
        "full": (jaw & ~lip, 0.85),
        "goatee": (chin & ~lip, 0.8),
        "moustache": (over_lip, 0.85),
    }.get(shape.beard, (jaw, 0.0))
    return np.where(where, strength * flat(shape.hair_colour) + (1 - strength) * face, face)


def _glasses(face: Tile, kind: str) -> Tile:
    """Put glasses on: thick or thin rims, or dark ones."""
    if kind == "none":
        return face
    rim = np.hypot((FRONT - 0.075) / 1.15, (DOWN - EYES) * 0.8)
    temple = (np.abs(DOWN - EYES + 0.01) < 0.010) & (FRONT > 0.11) & (FRONT < 0.25)
    bridge = (np.abs(DOWN - EYES + 0.012) < 0.010) & (FRONT < 0.03)
    inner = {"rims": 0.034, "thin": 0.042, "dark": 0.0}[kind]
    return over(face, ((rim >= inner) & (rim < 0.05)) | temple | bridge, (0.10, 0.10, 0.11))


def dyed(hair: Tile, shape: Shape) -> Tile:
    """Let the ends of some people's hair be lighter, and soften what is long."""
    is_dyed = shape.is_female and shape.hair_length * 7 % 1 < 0.18
    return hair * (1 + (0.9 if is_dyed else 0.12) * np.clip(DOWN - 0.4, 0, 1))
