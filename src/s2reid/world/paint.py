"""Paint a person: one square texture of sixteen tiles, each wrapped around a part of the body."""

import numpy as np
from jaxtyping import UInt8

from s2reid.world.body import (
    ARM,
    BAG,
    COLLAR,
    HAIR,
    HAT,
    HEAD,
    LAYER,
    LEG,
    SCARF,
    SHOE,
    SKIN,
    SKIRT,
    TILES,
    TORSO,
)
from s2reid.world.finish import finish
from s2reid.world.garments import Fabric, Outfit
from s2reid.world.limbs import TAIL_TOP
from s2reid.world.people import Colour, Shape
from s2reid.world.textures import AROUND, DOWN, FRONT, SIDE, TILE, Tile, cloth, cut, flat, over, scaled

# Width (the way around) and length of a tile in metres, so that a pattern has one size on every part.
SIZES = {TORSO: (1.0, 0.65), ARM: (0.32, 0.85), LAYER: (1.1, 0.6), LEG: (0.42, 0.9), SKIRT: (1.1, 0.5)}


def _head(rng: np.random.Generator, shape: Shape, skin: Tile) -> Tile:
    """Paint a face (down 0 is the crown), hair around it, and what is on it."""
    x = np.abs(SIDE)
    lips = (shape.skin[0] * 0.88, shape.skin[1] * 0.66, shape.skin[2] * 0.66)
    face = skin * (1 - 0.10 * np.exp(-((x / 0.018) ** 2) - ((DOWN - 0.62) / 0.05) ** 2))
    face = face * (1 - 0.22 * np.exp(-(((x - 0.075) / 0.035) ** 2) - ((DOWN - 0.47) / 0.045) ** 2))
    if shape.has_beard:
        beard = (x < 0.2) & (DOWN > 0.66) & (DOWN < 0.97) & ~((x < 0.045) & (np.abs(DOWN - 0.73) < 0.03))
        face = np.where(beard, 0.6 * flat(shape.hair_colour) + 0.4 * face, face)
    face = over(face, (x < 0.045) & (np.abs(DOWN - 0.735) < 0.018), lips)
    face = over(face, (np.abs(x - 0.075) < 0.022) & (np.abs(DOWN - 0.47) < 0.018), (0.15, 0.12, 0.1))
    face = over(face, (np.abs(x - 0.075) < 0.038) & (np.abs(DOWN - 0.405) < 0.012), scaled(shape.hair_colour, 1.1))
    if shape.has_glasses:
        rim = np.hypot((x - 0.075) / 1.1, DOWN - 0.47)
        face = over(face, (rim > 0.038) & (rim < 0.056), (0.1, 0.1, 0.1))
    if shape.hair != "bald":
        hairline = 0.16 + 0.10 * np.clip((x - 0.07) / 0.1, 0, 1)
        grown = (hairline > DOWN) | ((x > 0.21) & (DOWN < 0.70)) | ((x > 0.30) & (DOWN < 0.85))
        face = over(face, grown, cloth(rng, Fabric(shape.hair_colour, shape.hair_colour, "plain", 0.1, 0.08)))
    return face


def _hair(rng: np.random.Generator, colour: Colour) -> Tile:
    strands = 1 + 0.10 * np.sin(AROUND * 90 + 2 * cut(rng)) + 0.05 * rng.standard_normal((TILE, TILE))
    return flat(colour) * strands


def _legs(rng: np.random.Generator, outfit: Outfit, skin: Tile) -> Tile:
    bare = skin if outfit.stockings is None else flat(outfit.stockings)
    legs = cloth(rng, outfit.bottom, SIZES[LEG])
    seams = (np.abs(AROUND - 0.25) < 0.012) | (np.abs(AROUND - 0.75) < 0.012)
    legs = legs * (1 - 0.12 * seams)
    if outfit.has_side_stripe:
        legs = over(legs, np.abs(np.abs(SIDE) - 0.25) < 0.05, outfit.bottom.second)
    legs = np.where(outfit.leg_hem > DOWN, legs, bare)
    if outfit.boots:
        legs = over(legs, 1 - outfit.boots < DOWN, cloth(rng, outfit.shoe))
    return legs


def _torso(rng: np.random.Generator, outfit: Outfit, skin: Tile) -> Tile:
    height = 1.465 - DOWN * 0.635
    torso = cloth(rng, outfit.top, SIZES[TORSO])
    if outfit.top.pattern == "plain" and rng.random() < 0.3:
        buttons = (FRONT < 0.006) & (DOWN * 14 % 1 < 0.5)
        torso = over(torso * (1 - 0.15 * (FRONT < 0.012)), buttons, outfit.top.second)
    neckline = rng.uniform(0.0, 0.10) * np.exp(-((FRONT / 0.09) ** 2))
    if outfit.details is None:
        torso = over(torso, height > 1.44 - neckline, skin)
    lower = outfit.bottom if outfit.skirt is None else outfit.skirt
    torso = over(torso, height < 1.0, cloth(rng, lower, SIZES[LEG]))
    if outfit.tail_hem == 0 and outfit.skirt is None and rng.random() < 0.5:
        torso = over(torso, np.abs(height - 1.0) < 0.015, outfit.shoe.colour)
    return torso


def _hat(rng: np.random.Generator, outfit: Outfit) -> Tile:
    return cloth(rng, Fabric(outfit.hat_colour, outfit.hat_colour, "plain", 0.1, 0.05))


def _scarf(rng: np.random.Generator, outfit: Outfit) -> Tile:
    return cloth(rng, Fabric(outfit.scarf or outfit.hat_colour, outfit.top.second, "pinstripes", 0.08, 0.15))


def _layer(rng: np.random.Generator, outfit: Outfit) -> Tile:
    assert outfit.layer is not None
    layer = cloth(rng, outfit.layer, SIZES[LAYER])
    edge = (FRONT < 0.02) & (rng.random() < 0.6)
    layer = np.where(edge, layer * rng.uniform(0.5, 1.3), layer)
    pocket = (np.abs(FRONT - 0.13) < 0.05) & (np.abs(DOWN - 0.72) < 0.008)
    return layer * (1 - 0.3 * pocket)


def _straps(torso: Tile, outfit: Outfit, length: float, start: float = 0.0) -> Tile:
    """Paint a bag's straps on a tile of `length` metres that begins `start` below the shoulders."""
    down = start + DOWN * length
    strap = scaled(outfit.bag_fabric.colour, 0.7)
    if outfit.bag in ("pack", "slim pack"):
        return over(torso, (np.abs(FRONT - 0.16) < 0.028) & (down > 0.03) & (down < 0.34), strap)
    if outfit.bag in ("satchel", "purse"):
        # From the shoulder opposite the bag to the hip below it, on the front and on the back.
        across = np.where(FRONT < 0.25, SIDE, np.sign(SIDE) * (0.5 - np.abs(SIDE))) * -outfit.bag_side
        return over(torso, np.abs(across - (0.17 - 0.9 * down)) < (0.02 if outfit.bag == "satchel" else 0.01), strap)
    if outfit.bag in ("tote", "duffel") and outfit.details is not None:
        return over(torso, (np.abs(SIDE * outfit.bag_side - 0.2) < 0.02) & (down < 0.3), strap)
    if outfit.bag == "belt bag":
        return over(torso, np.abs(down - 0.47) < 0.012, strap)
    return torso


def paint(rng: np.random.Generator, shape: Shape, outfit: Outfit) -> UInt8[np.ndarray, "s s 3"]:
    """Paint the whole texture of a person; values are square roots of reflectance."""
    skin = flat(shape.skin) * (1 + 0.03 * cut(rng))
    bag = cloth(rng, outfit.bag_fabric, (0.8, 0.5))
    bag = bag * (1 - 0.5 * (np.abs(DOWN - 0.45) < 0.02))
    shoe = over(cloth(rng, outfit.shoe), np.abs(AROUND - 0.5) < 0.17, outfit.sole)
    sleeves = np.where(outfit.sleeve > DOWN, cloth(rng, outfit.sleeve_fabric, SIZES[ARM]), skin)
    is_detailed = outfit.details is not None  # whose face is painted later, and nothing that nobody sees
    tail = cloth(rng, outfit.skirt or outfit.top, SIZES[SKIRT], 0.0 if outfit.skirt else 1.465 - TAIL_TOP)
    tiles: dict[int, Tile] = {
        TORSO: _torso(rng, outfit, skin),
        SKIN: skin,
        HEAD: skin if is_detailed else _head(rng, shape, skin),
        HAIR: _hair(rng, shape.hair_colour),
        ARM: sleeves,
        LEG: _legs(rng, outfit, skin),
        SKIRT: tail,
        SHOE: shoe,
        BAG: bag,
        HAT: skin if is_detailed and outfit.hat == "none" else _hat(rng, outfit),
        SCARF: skin if is_detailed and not (outfit.scarf or outfit.hat == "bobble") else _scarf(rng, outfit),
        COLLAR: cloth(rng, outfit.layer or outfit.top, (0.5, 0.2), 0.1),
    }
    if outfit.layer is not None:
        tiles[LAYER] = _layer(rng, outfit)
    if outfit.details is not None:
        finish(rng, shape, outfit, tiles)
    tiles[TORSO] = _straps(tiles[TORSO], outfit, 0.635)
    if outfit.tail_hem:
        tiles[SKIRT] = _straps(tiles[SKIRT], outfit, TAIL_TOP - outfit.tail_hem, 1.465 - TAIL_TOP)
    if outfit.layer is not None:
        tiles[LAYER] = _straps(tiles[LAYER], outfit, 1.44 - outfit.layer_hem)
    return _join(tiles)


def _join(tiles: dict[int, Tile]) -> UInt8[np.ndarray, "h w 3"]:
    texture = np.zeros((TILES * TILE, TILES * TILE, 3), np.uint8)
    for tile, painted in tiles.items():
        row, column = divmod(tile, TILES)
        area = texture[row * TILE : (row + 1) * TILE, column * TILE : (column + 1) * TILE]
        texels = painted * 255
        np.clip(texels, 0, 255, out=texels)
        area[:] = np.moveaxis(texels, 0, 2)
    return texture
