"""Paint a person: one square texture of sixteen tiles, each wrapped around a part of the body."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from jaxtyping import Float, UInt8

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
    TAIL_TOP,
    TILES,
    TORSO,
)
from s2reid.world.clothes import Fabric, Outfit
from s2reid.world.people import Colour, Shape

TILE = 96
"""Texels along a tile: about a centimetre each around a body."""
# Width (the way around) and length of a tile in metres, so that a pattern has one size on every part.
SIZES = {TORSO: (1.0, 0.65), ARM: (0.32, 0.85), LAYER: (1.1, 0.6), LEG: (0.42, 0.9), SKIRT: (1.1, 0.5)}
DOWN, AROUND = np.mgrid[0:TILE, 0:TILE] / TILE
FRONT = np.minimum(AROUND, 1 - AROUND)
"""How far a texel is from the front of its part, in turns."""
SIDE = np.where(AROUND < 0.5, AROUND, AROUND - 1)

Tile = Float[np.ndarray, "s s 3"]
Mask = Float[np.ndarray, "s s"]


def clouds(rng: np.random.Generator, size: int, roughness: float) -> Float[np.ndarray, "s s"]:
    """Draw repeating noise of unit variance; a larger `roughness` (1 to 2.5) makes larger blots."""
    wave = np.fft.fft2(rng.standard_normal((size, size)))
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(size), np.fft.fftfreq(size)))
    frequency[0, 0] = 1
    field = np.real(np.fft.ifft2(wave / frequency**roughness))
    return np.asarray((field - field.mean()) / field.std())


@lru_cache(maxsize=1)
def _bank() -> tuple[Float[np.ndarray, "n s s"], Float[np.ndarray, "n s s"]]:
    """Draw the noise that every texture is cut from: soft folds and blots."""
    rng = np.random.default_rng(2022)
    stretched = [clouds(rng, TILE, 1.6 + 0.1 * k) for k in range(8)]
    return np.stack(stretched), np.stack([clouds(rng, TILE, 1.5 + 0.15 * k) for k in range(8)])


def _cut(rng: np.random.Generator, bank: Float[np.ndarray, "n s s"]) -> Mask:
    field = bank[rng.integers(len(bank))][:: rng.choice([-1, 1]), :: rng.choice([-1, 1])]
    return np.roll(field, rng.integers(0, TILE, 2), (0, 1))


def _pattern(rng: np.random.Generator, fabric: Fabric, x: Mask, y: Mask) -> Mask:
    """Say how much of the second colour shows at (x, y) metres."""
    u, v = x / fabric.scale % 1, y / fabric.scale % 1
    patterns: dict[str, Callable[[], Mask]] = {
        "plain": lambda: np.zeros_like(x),
        "stripes": lambda: (v < 0.45) * 1.0,
        "pinstripes": lambda: (u < 0.22) * 0.8,
        "checks": lambda: ((u < 0.5) != (v < 0.5)) * 1.0,
        "plaid": lambda: 0.5 * (u < 0.35) + 0.5 * (v < 0.35),
        "dots": lambda: (np.hypot(u - 0.5, v - 0.5) < 0.3) * 1.0,
        "blots": lambda: (_cut(rng, _bank()[1]) > 0.4) * 1.0,
        "yoke": lambda: (y < 0.08 + 1.6 * fabric.scale) * 1.0,
        "band": lambda: (np.abs(y - 0.12 - fabric.scale) < 0.05) * 1.0,
        "print": lambda: _print(rng, x, y),
        "heather": lambda: 0.35 * rng.random(x.shape),
        "quilt": lambda: (v < 0.16) * 0.3,
        "worn": lambda: 0.7 * np.exp(-(((np.abs(u - 0.5)) / 0.3) ** 2)) * (0.5 + 0.5 * (y > 0.1) * (y < 0.5)),
    }
    return patterns[fabric.pattern]()


def _print(rng: np.random.Generator, x: Mask, y: Mask) -> Mask:
    """Draw a logo on the chest: a few bars like lines of text, or a disc; sometimes one on the back."""
    across = np.where(x < x.max() / 2, x, x - x.max())
    if rng.random() < 0.3:
        across = across + np.where(across < 0, x.max() / 2, -x.max() / 2)
    size, middle = rng.uniform(0.04, 0.13), rng.uniform(0.15, 0.25)
    if rng.random() < 0.4:
        return (np.hypot(across, y - middle) < size) * 1.0
    lines = ((y - middle) / size * 2.5 % 1 < 0.6) & (rng.random(TILE)[None, :].repeat(TILE, 0) < 0.8)
    return ((np.abs(across) < 1.2 * size) & (np.abs(y - middle) < size) & lines) * 1.0


def cloth(rng: np.random.Generator, fabric: Fabric, size: tuple[float, float] = (1.0, 0.6), start: float = 0.0) -> Tile:
    """Paint a tile of `size` metres (around, down) with a fabric, its folds and its grain, `start` below its top."""
    share = _pattern(rng, fabric, AROUND * size[0], start + DOWN * size[1])[..., None]
    paint = np.array(fabric.colour) * (1 - share) + np.array(fabric.second) * share
    folds = 1 + fabric.folds * _cut(rng, _bank()[0]) + 0.02 * rng.standard_normal((TILE, TILE))
    if fabric.pattern == "quilt":
        folds = folds * (0.8 + 0.35 * np.sin(np.pi * (DOWN * size[1] / fabric.scale % 1)))
    return np.asarray(paint * folds[..., None])


def _over(base: Tile, mask: Mask | np.ndarray, colour: Colour | Tile) -> Tile:
    return np.where(mask[..., None], colour, base)


def _scaled(colour: Colour, factor: float) -> Colour:
    return colour[0] * factor, colour[1] * factor, colour[2] * factor


def _head(rng: np.random.Generator, shape: Shape, skin: Tile) -> Tile:
    """Paint a face (down 0 is the crown), hair around it, and what is on it."""
    x = np.abs(SIDE)
    lips = (shape.skin[0] * 0.88, shape.skin[1] * 0.66, shape.skin[2] * 0.66)
    face = skin * (1 - 0.10 * np.exp(-((x / 0.018) ** 2) - ((DOWN - 0.62) / 0.05) ** 2))[..., None]
    face = face * (1 - 0.22 * np.exp(-(((x - 0.075) / 0.035) ** 2) - ((DOWN - 0.47) / 0.045) ** 2))[..., None]
    if shape.has_beard:
        beard = (x < 0.2) & (DOWN > 0.66) & (DOWN < 0.97) & ~((x < 0.045) & (np.abs(DOWN - 0.73) < 0.03))
        face = np.where(beard[..., None], 0.6 * np.array(shape.hair_colour) + 0.4 * face, face)
    face = _over(face, (x < 0.045) & (np.abs(DOWN - 0.735) < 0.018), lips)
    face = _over(face, (np.abs(x - 0.075) < 0.022) & (np.abs(DOWN - 0.47) < 0.018), (0.15, 0.12, 0.1))
    face = _over(face, (np.abs(x - 0.075) < 0.038) & (np.abs(DOWN - 0.405) < 0.012), _scaled(shape.hair_colour, 1.1))
    if shape.has_glasses:
        rim = np.hypot((x - 0.075) / 1.1, DOWN - 0.47)
        face = _over(face, (rim > 0.038) & (rim < 0.056), (0.1, 0.1, 0.1))
    if shape.hair != "bald":
        hairline = 0.16 + 0.10 * np.clip((x - 0.07) / 0.1, 0, 1)
        grown = (hairline > DOWN) | ((x > 0.21) & (DOWN < 0.70)) | ((x > 0.30) & (DOWN < 0.85))
        face = _over(face, grown, cloth(rng, Fabric(shape.hair_colour, shape.hair_colour, "plain", 0.1, 0.08)))
    return face


def _hair(rng: np.random.Generator, colour: Colour) -> Tile:
    strands = 1 + 0.10 * np.sin(AROUND * 90 + 2 * _cut(rng, _bank()[0])) + 0.05 * rng.standard_normal((TILE, TILE))
    return np.array(colour) * strands[..., None]


def _legs(rng: np.random.Generator, outfit: Outfit, skin: Tile) -> Tile:
    bare = skin if outfit.stockings is None else np.broadcast_to(outfit.stockings, skin.shape)
    legs = cloth(rng, outfit.bottom, SIZES[LEG])
    seams = (np.abs(AROUND - 0.25) < 0.012) | (np.abs(AROUND - 0.75) < 0.012)
    legs = legs * (1 - 0.12 * seams)[..., None]
    if outfit.has_side_stripe:
        legs = _over(legs, np.abs(np.abs(SIDE) - 0.25) < 0.05, outfit.bottom.second)
    legs = np.where((outfit.leg_hem > DOWN)[..., None], legs, bare)
    if outfit.boots:
        legs = _over(legs, 1 - outfit.boots < DOWN, cloth(rng, outfit.shoe))
    return legs


def _torso(rng: np.random.Generator, outfit: Outfit, skin: Tile) -> Tile:
    height = 1.465 - DOWN * 0.635
    torso = cloth(rng, outfit.top, SIZES[TORSO])
    if outfit.top.pattern == "plain" and rng.random() < 0.3:
        buttons = (FRONT < 0.006) & (DOWN * 14 % 1 < 0.5)
        torso = _over(torso * (1 - 0.15 * (FRONT < 0.012))[..., None], buttons, outfit.top.second)
    neckline = rng.uniform(0.0, 0.10) * np.exp(-((FRONT / 0.09) ** 2))
    torso = _over(torso, height > 1.44 - neckline, skin)
    lower = outfit.bottom if outfit.skirt is None else outfit.skirt
    torso = _over(torso, height < 1.0, cloth(rng, lower, SIZES[LEG]))
    if outfit.tail_hem == 0 and outfit.skirt is None and rng.random() < 0.5:
        torso = _over(torso, np.abs(height - 1.0) < 0.015, outfit.shoe.colour)
    return torso


def _layer(rng: np.random.Generator, outfit: Outfit) -> Tile:
    assert outfit.layer is not None
    layer = cloth(rng, outfit.layer, SIZES[LAYER])
    edge = (FRONT < 0.02) & (rng.random() < 0.6)
    layer = np.where(edge[..., None], layer * rng.uniform(0.5, 1.3), layer)
    pocket = (np.abs(FRONT - 0.13) < 0.05) & (np.abs(DOWN - 0.72) < 0.008)
    return layer * (1 - 0.3 * pocket)[..., None]


def _straps(torso: Tile, outfit: Outfit, length: float, start: float = 0.0) -> Tile:
    """Paint a bag's straps on a tile of `length` metres that begins `start` below the shoulders."""
    down = start + DOWN * length
    strap = _scaled(outfit.bag_fabric.colour, 0.7)
    if outfit.bag == "pack":
        return _over(torso, (np.abs(FRONT - 0.16) < 0.028) & (down > 0.03) & (down < 0.34), strap)
    if outfit.bag == "satchel":
        # From the shoulder opposite the bag to the hip below it, on the front and on the back.
        across = np.where(FRONT < 0.25, SIDE, np.sign(SIDE) * (0.5 - np.abs(SIDE))) * -outfit.bag_side
        return _over(torso, np.abs(across - (0.17 - 0.9 * down)) < 0.02, strap)
    return torso


def paint(rng: np.random.Generator, shape: Shape, outfit: Outfit) -> UInt8[np.ndarray, "s s 3"]:
    """Paint the whole texture of a person; values are square roots of reflectance."""
    skin = np.array(shape.skin) * (1 + 0.03 * _cut(rng, _bank()[0]))[..., None]
    bag = cloth(rng, outfit.bag_fabric, (0.8, 0.5))
    bag = bag * (1 - 0.5 * (np.abs(DOWN - 0.45) < 0.02))[..., None]
    shoe = _over(cloth(rng, outfit.shoe), np.abs(AROUND - 0.5) < 0.17, outfit.sole)
    sleeves = np.where((outfit.sleeve > DOWN)[..., None], cloth(rng, outfit.sleeve_fabric, SIZES[ARM]), skin)
    tail = cloth(rng, outfit.skirt or outfit.top, SIZES[SKIRT], 0.0 if outfit.skirt else 1.465 - TAIL_TOP)
    if outfit.tail_hem:
        tail = _straps(tail, outfit, TAIL_TOP - outfit.tail_hem, 1.465 - TAIL_TOP)
    tiles: dict[int, Tile] = {
        TORSO: _straps(_torso(rng, outfit, skin), outfit, 0.635),
        SKIN: skin,
        HEAD: _head(rng, shape, skin),
        HAIR: _hair(rng, shape.hair_colour),
        ARM: sleeves,
        LEG: _legs(rng, outfit, skin),
        SKIRT: tail,
        SHOE: shoe,
        BAG: bag,
        HAT: cloth(rng, Fabric(outfit.hat_colour, outfit.hat_colour, "plain", 0.1, 0.05)),
        SCARF: cloth(rng, Fabric(outfit.scarf or outfit.hat_colour, outfit.top.second, "pinstripes", 0.08, 0.15)),
        COLLAR: cloth(rng, outfit.layer or outfit.top, (0.5, 0.2), 0.1),
    }
    if outfit.layer is not None:
        tiles[LAYER] = _straps(_layer(rng, outfit), outfit, 1.44 - outfit.layer_hem)
    texture = np.zeros((TILES * TILE, TILES * TILE, 3), np.uint8)
    for tile, painted in tiles.items():
        row, column = divmod(tile, TILES)
        area = texture[row * TILE : (row + 1) * TILE, column * TILE : (column + 1) * TILE]
        area[:] = np.clip(painted * 255, 0, 255)
    return texture
