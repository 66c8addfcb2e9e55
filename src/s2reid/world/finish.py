"""The finishing touches of a person's texture: how garments are made, printed, wrinkled and worn, and faces up close.

Torso, tail and outer garment are painted in places of the body: turns from the front and heights on a body of 1.75 m.
"""

import numpy as np

from s2reid.world import face
from s2reid.world.body import ARM, HAIR, HAT, HEAD, LAYER, LEG, PAINTS, SHOE, SKIN, SKIRT, THING, TORSO
from s2reid.world.garments import Details, Emblem, Outfit
from s2reid.world.limbs import TAIL_TOP
from s2reid.world.people import Shape
from s2reid.world.textures import AROUND, DOWN, FRONT, SIDE, Mask, Share, Tile, cloth, cut, flat, over, scaled

COLOURS = (
    (0.10, 0.10, 0.11),
    (0.62, 0.63, 0.65),
    (0.92, 0.92, 0.92),
    (0.35, 0.45, 0.60),
    (0.85, 0.82, 0.74),
    (0.45, 0.33, 0.22),
    (0.60, 0.20, 0.16),
    (0.70, 0.55, 0.40),
)
"""What small hard things are made of: black, metal, white, screen, paper, wood, red, cardboard."""
SMALL = 2
"""The tile of small things holds 4 x 2 patches of one colour each."""


def finish(rng: np.random.Generator, shape: Shape, outfit: Outfit, tiles: dict[int, Tile]) -> None:
    """Add to every tile what only detailed people have."""
    own, skin = outfit.details, tiles[SKIN]
    assert own is not None
    height = 1.465 - DOWN * 0.635
    tiles[TORSO] = _neckline(_top(tiles[TORSO], height, outfit, own), height, own, skin)
    if outfit.tail_hem:
        hem = outfit.tail_hem
        tail = _top(tiles[SKIRT], TAIL_TOP - DOWN * (TAIL_TOP - hem), outfit, own)
        tiles[SKIRT] = tail * (1 - 0.25 * (1 - 0.02 / (TAIL_TOP - hem) < DOWN))
    elif outfit.skirt is not None:
        tiles[SKIRT] = tiles[SKIRT] * (1 + own.creases * np.sin(AROUND * 2 * np.pi * 16 + cut(rng)) * DOWN)
    if outfit.layer is not None:
        tiles[LAYER] = _over(tiles[LAYER], 1.44 - DOWN * (1.44 - outfit.layer_hem), outfit, own)
    if own.neck == "turtle":
        tiles[SKIN] = np.where(DOWN > 0.3, cloth(rng, outfit.top, (0.4, 0.15)), skin)
    tiles[ARM] = _sleeves(tiles[ARM] * _wrinkles(rng, own.creases, 0.40), outfit, own, skin)
    tiles[LEG] = _legs(tiles[LEG] * _wrinkles(rng, own.creases, 0.46), outfit, own, skin)
    tiles[SHOE] = _shoes(tiles[SHOE], outfit, own, skin)
    tiles[HEAD] = face.paint_face(rng, shape, own.mask, skin)
    tiles[HAIR] = face.dyed(tiles[HAIR], shape)
    tiles[HAT] = _hat(tiles[HAT], outfit)
    if own.held != "none":
        tiles[THING] = cloth(rng, own.held_fabric, (0.6, 0.6))
    if own.held != "none" or own.headphones is not None or outfit.bag == "trolley":
        tiles[PAINTS] = _small_things()


def _small_things() -> Tile:
    row, column = (DOWN * SMALL).astype(int), (AROUND * 4).astype(int)
    return np.moveaxis(np.array(COLOURS)[row * 4 + column], 2, 0)


def _wrinkles(rng: np.random.Generator, depth: float, joint: float) -> Share:
    """Wrinkle a limb's cloth where it bends, and where it piles up at its end."""
    where = 0.35 + np.exp(-(((DOWN - joint) / 0.09) ** 2)) + 0.7 * np.exp(-(((DOWN - 0.86) / 0.07) ** 2))
    return np.asarray(1 + depth * where * cut(rng, "creases"))


def _at(edge: Share, width: float) -> Mask:
    return np.abs(edge) < width


def _top(tile: Tile, height: Share, outfit: Outfit, own: Details) -> Tile:
    """Make a shirt, a polo, a pullover: closure, pockets, pouch, print, ribs; shade it under the arms."""
    upper = np.exp(-(((FRONT - 0.25) / 0.06) ** 2)) * (height > 1.0)
    tile = tile * (1 - 0.16 * upper)
    is_top = (height > 1.0) | (outfit.tail_hem > 0)
    if own.neck == "shirt":
        tile = tile * (1 - 0.16 * (_at(FRONT - 0.012, 0.004) & is_top))
        tile = over(tile, (FRONT < 0.005) & (height * 11 % 1 < 0.25) & is_top, scaled(outfit.top.colour, 0.55))
        if own.pockets == "patch":
            tile = tile * (1 - 0.22 * _outline(SIDE - 0.11, height - 1.29, 0.045, 0.05))
    if own.under == "hooded":
        tile = tile * (1 - 0.25 * _outline(SIDE, height - 1.10, 0.10 + 0.25 * (1.17 - height), 0.07))
        tile = over(tile, _at(FRONT - 0.022, 0.005) & (height > 1.27) & (height < 1.41), (0.85, 0.85, 0.83))
    if own.cuffs is not None:
        tile = over(tile, is_top & (height < (outfit.tail_hem or 1.0) + 0.04), own.cuffs)
    if own.emblem is not None:
        tile = _stamp(tile, own.emblem, height, is_top)
    if own.tie is not None:
        tile = over(tile, (0.012 + 0.03 * (1.40 - height) > FRONT) & (height > 1.04) & (height < 1.42), own.tie)
    return _banded(tile, height, own)


def _neckline(tile: Tile, height: Share, own: Details, skin: Tile) -> Tile:
    depth = {
        "crew": 0.018 * np.exp(-((FRONT / 0.09) ** 2)),
        "vee": 0.12 * np.clip(1 - FRONT / 0.07, 0, 1),
        "scoop": 0.09 * np.exp(-((FRONT / 0.10) ** 4)),
        "shirt": 0.06 * np.clip(1 - FRONT / 0.04, 0, 1),
        "polo": 0.08 * np.clip(1 - FRONT / 0.04, 0, 1),
        "turtle": np.zeros_like(FRONT),
    }[own.neck]
    edge = height - (1.455 - depth)
    if own.neck in ("shirt", "polo"):
        collar = (edge > -0.045) & (edge <= 0) & (FRONT < 0.3)
        tile = tile * (1 + 0.10 * collar - 0.35 * (_at(edge + 0.045, 0.006) & (FRONT < 0.3)))
    else:
        tile = tile * (1 - 0.18 * _at(edge + 0.012, 0.005))
    return tile if own.neck == "turtle" else over(tile, edge > 0, skin)


def _over(tile: Tile, height: Share, outfit: Outfit, own: Details) -> Tile:
    """Make an outer garment: the edges of its front, lapels, seams, pockets, belt, print and bands."""
    tile = tile * (1 - 0.20 * np.exp(-(((FRONT - 0.25) / 0.05) ** 2)) * (height > 1.0))
    edge = FRONT - outfit.opening * 1.1
    if own.closure == "zip":
        tile = tile * (1 - 0.35 * (edge < 0.02))
        tile = over(tile, edge < 0.008, (0.5, 0.5, 0.5))
    if own.closure == "buttons":
        tile = tile * (1 - 0.25 * _at(edge - 0.03, 0.004))
        spots = _at(SIDE - outfit.opening * 1.1 - 0.018, 0.007) & (height * 9 % 1 < 0.2) & (height < 1.32)
        tile = over(tile, spots, scaled(outfit.layer.colour if outfit.layer else (0.3, 0.3, 0.3), 0.45))
    if own.has_lapels:
        lapel = edge - 0.02 - 0.075 * np.clip((height - 1.14) / 0.2, 0, 1)
        tile = tile * (1 + 0.14 * ((lapel < 0) & (height > 1.14)) - 0.4 * (_at(lapel, 0.006) & (height > 1.14)))
    if own.pockets == "slanted":
        tile = tile * (1 - 0.4 * (_at(FRONT - 0.15 - 0.25 * (height - 1.03), 0.008) & _at(height - 1.03, 0.07)))
    if own.pockets == "patch":
        tile = tile * (1 - 0.3 * (_outline(FRONT - 0.13, height - 1.0, 0.05, 0.06)))
    if own.has_belt:
        tile = over(
            tile * (1 - 0.3 * _at(height - 1.07, 0.03)), (FRONT < 0.03) & _at(height - 1.07, 0.02), (0.5, 0.45, 0.35)
        )
    if own.cuffs is not None:
        tile = over(tile, height < outfit.layer_hem + 0.045, own.cuffs)
    if own.over_emblem is not None:
        tile = _stamp(tile, own.over_emblem, height, height > 0)
    return _banded(tile, height, own) * (1 - 0.2 * (height < outfit.layer_hem + 0.012))


def _outline(x: Share, y: Share, half_width: float | Share, half_height: float) -> Mask:
    """Draw the edge of a rectangle whose middle is (0, 0)."""
    inside = (np.abs(x) < half_width) & (np.abs(y) < half_height)
    return inside & ~((np.abs(x) < half_width - 0.009) & (np.abs(y) < half_height - 0.011))


def _banded(tile: Tile, height: Share, own: Details) -> Tile:
    if own.bands is None:
        return tile
    across = _at(height - 1.08, 0.022) | _at(height - 1.22, 0.022)
    return over(tile, across | (_at(FRONT - 0.14, 0.016) & (height > 1.08)), own.bands)


def _stamp(tile: Tile, emblem: Emblem, height: Share, where: Mask) -> Tile:
    """Print an emblem on the chest or on the back."""
    turn = (0.5 - np.abs(SIDE)) * -np.sign(SIDE) if emblem.is_behind else SIDE
    is_facing = FRONT > 0.25 if emblem.is_behind else FRONT <= 0.25
    u, v = (turn - emblem.x) / emblem.width + 0.5, (emblem.y - height) / emblem.height + 0.5
    inside = where & is_facing & (u >= 0) & (u < 1) & (v >= 0) & (v < 1)
    shown = _figure(emblem, np.clip(u, 0, 0.999), np.clip(v, 0, 0.999))
    if emblem.kind != "picture":
        return over(tile, inside & (shown > 0.5), emblem.colour)
    return over(tile, inside, flat(emblem.colour) * (0.35 + 0.9 * shown))


def _figure(emblem: Emblem, u: Share, v: Share) -> Share:
    """Say where an emblem has ink, over its own width and height."""
    rng = np.random.default_rng(emblem.seed)
    r = np.hypot(u - 0.5, v - 0.5)
    if emblem.kind == "disc":
        return (r < 0.5) * 1.0
    if emblem.kind == "ring":
        return (_at(r - 0.4, 0.09) | (np.abs(u - v) < 0.12)) * 1.0
    if emblem.kind == "picture":
        return rng.random((6, 6))[(v * 6).astype(int), (u * 6).astype(int)]
    # Letters and numbers: cells of 4 x 5 dots, the last column and row of each left free.
    lines, columns = (int(rng.integers(1, 4)), int(rng.integers(4, 9))) if emblem.kind == "letters" else (1, 2)
    dots = rng.random((lines * 6, columns * 4)) < 0.62
    dots[5::6], dots[:, 3::4] = False, False
    return dots[(v * lines * 6).astype(int), (u * columns * 4).astype(int)] * 1.0


def _sleeves(tile: Tile, outfit: Outfit, own: Details, skin: Tile) -> Tile:
    end = outfit.sleeve
    tile = np.where(end > DOWN, tile, skin)
    tile = tile * (1 - 0.2 * _at(DOWN - end, 0.012))
    if own.stripe is not None:
        tile = over(tile, _at(AROUND - 0.25, 0.045) & (end > DOWN), own.stripe)
    if own.cuffs is not None:
        tile = over(tile, (end > DOWN) & (end - 0.06 < DOWN), own.cuffs)
    if own.bands is not None and outfit.sleeve_fabric is outfit.layer:
        tile = over(tile, _at(DOWN - 0.30, 0.025), own.bands)
    return tile if own.gloves is None else over(tile, DOWN > 0.80, own.gloves)


def _legs(tile: Tile, outfit: Outfit, own: Details, skin: Tile) -> Tile:
    """Make trousers: crease, pockets, stripe, turn-ups; below them the socks."""
    hem, is_covered = outfit.leg_hem, outfit.leg_hem > DOWN
    bare = skin if outfit.stockings is None else flat(outfit.stockings) * (1 + 0.05 * (DOWN - 0.5))
    tile = np.where(is_covered | (1 - outfit.boots < DOWN), tile, bare)
    if own.stripe is not None and outfit.has_side_stripe:
        tile = over(tile, _at(np.abs(SIDE) - 0.25, 0.04) & is_covered, own.stripe)
    if own.legs == "trousers":
        tile = tile * (1 + 0.2 * (FRONT < 0.015) * is_covered)
    if own.legs == "cargo":
        tile = tile * (1 - 0.3 * _outline(np.abs(SIDE) - 0.25, DOWN - 0.42, 0.09, 0.08))
    if hem < 0.9 and own.legs in ("jeans", "chinos"):
        tile = tile * (1 + 0.25 * (is_covered & (hem - 0.035 < DOWN)))
    if outfit.stockings is None and not outfit.boots:
        tile = over(tile, ~is_covered & (own.sock_top < DOWN), own.socks)
    return tile * (1 - 0.25 * (_at(DOWN - hem, 0.01) & (hem < 0.97)))


def _shoes(tile: Tile, outfit: Outfit, own: Details, skin: Tile) -> Tile:
    is_top, side = FRONT < 0.33, np.abs(SIDE) - 0.22
    if own.shoes == "trainers":
        tile = over(
            tile, _at(side, 0.07) & ((DOWN * 9 + side * 6) % 1 < 0.4) & _at(DOWN - 0.5, 0.12), outfit.shoe.second
        )
        return over(tile, (FRONT < 0.07) & _at(DOWN - 0.55, 0.13) & (DOWN * 24 % 1 < 0.5), (0.85, 0.85, 0.85))
    if own.shoes == "sandals":
        strap = _at(DOWN - 0.3, 0.05) | _at(DOWN - 0.68, 0.06)
        return over(tile, is_top & ~strap, skin)
    if own.shoes == "heels":
        return over(tile, (FRONT < 0.16) & _at(DOWN - 0.42, 0.2), skin)
    return tile


def _hat(tile: Tile, outfit: Outfit) -> Tile:
    if outfit.hat in ("beanie", "bobble"):
        return tile * (1 + 0.12 * np.sin(AROUND * 2 * np.pi * 40) - 0.2 * _at(DOWN - 0.72, 0.02))
    if outfit.hat in ("cap", "backward cap"):
        return over(tile, (FRONT < 0.06) & _at(DOWN - 0.62, 0.10), outfit.top.second)
    if outfit.hat in ("brim", "bucket"):
        return tile * (1 - 0.35 * _at(DOWN - 0.45, 0.06))
    if outfit.hat == "helmet":
        return over(tile, _at(np.abs(SIDE) - 0.1, 0.02) | _at(np.abs(SIDE) - 0.3, 0.02), (0.1, 0.1, 0.1))
    return tile
