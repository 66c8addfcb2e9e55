"""Detailed people: what they wear and carry, and that all of it is in the picture."""

from collections import Counter
from dataclasses import asdict, replace

import numpy as np
import pytest
from jaxtyping import Float

from s2reid.world import body, carried, clothes, face, fashion, figure, gait, garments, people, textures
from s2reid.world.clothes import STREET
from s2reid.world.garments import Details, Emblem, Fabric, Outfit
from s2reid.world.street import draw_street

RED = (0.95, 0.02, 0.02)
SIGNAL = Fabric(RED, RED, "plain", 0.1, 0.0)


def outfits(count: int, wardrobe: garments.Wardrobe = STREET) -> list[Outfit]:
    return [draw_street(np.random.default_rng(k), wardrobe, is_female=k % 2 == 0) for k in range(count)]


def build(seed: int = 0, details: dict[str, object] | None = None, **changes: object) -> figure.Figure:
    """Build a person who wears nothing red, holds nothing and has no bag, but for what is asked for."""
    rng = np.random.default_rng(seed)
    shape, walk = people.draw_shape(rng), gait.draw_gait(rng)
    outfit = draw_street(rng, replace(STREET, vivid=0.0, patterned=0.0, held=0.0, masks=0.0), is_female=False)
    own: dict[str, object] = {"emblem": None, "over_emblem": None, "headphones": None, "cuffs": None, **(details or {})}
    outfit = replace(outfit, **{"bag": "none", "hat": "none", "scarf": None, **changes})
    assert outfit.details is not None
    return figure.build(rng, shape, replace(outfit, details=replace(outfit.details, **own)), walk)


def num_red(built: figure.Figure) -> int:
    """Count the texels that are red."""
    texture = built.texture.astype(int)
    return int(((texture[..., 0] > 120) & (texture[..., 1] < 40) & (texture[..., 2] < 40)).sum())


def shown(built: figure.Figure, tile: int) -> int:
    """Count the vertices that show a tile."""
    row, column = divmod(tile, body.TILES)
    at = np.floor(built.mesh.uv * body.TILES).astype(int)
    return int(((at[:, 0] == column) & (at[:, 1] == row)).sum())


def test_most_people_are_dark_and_plain() -> None:
    drawn = outfits(400)
    outer = [outfit.layer or outfit.top for outfit in drawn]
    is_dark = [max(fabric.colour) < 0.36 for fabric in outer]
    is_grey = [max(fabric.colour) - min(fabric.colour) < 0.15 for fabric in outer]
    assert 0.45 < np.mean(is_dark) < 0.75
    assert np.mean(is_grey) > 0.6
    assert np.mean([fabric.pattern in ("plain", "quilt", "worn", "ribs") for fabric in outer]) > 0.6
    assert np.mean([max(outfit.bottom.colour) < 0.36 for outfit in drawn]) > 0.55


def test_many_pairs_of_people_cannot_be_told_apart_by_their_colours() -> None:
    drawn = outfits(300)
    looks = np.array([[*(outfit.layer or outfit.top).colour, *outfit.bottom.colour] for outfit in drawn])
    apart = np.abs(looks[:, None] - looks).max(2) + np.eye(len(looks))
    assert np.mean(apart.min(1) < 0.06) > 0.6


def test_shares_of_a_wardrobe_are_kept() -> None:
    drawn = outfits(1000)
    shares = {
        "layered": np.mean([outfit.layer is not None for outfit in drawn]),
        "bags": np.mean([outfit.bag != "none" for outfit in drawn]),
        "hats": np.mean([outfit.hat != "none" for outfit in drawn]),
        "scarves": np.mean([outfit.scarf is not None for outfit in drawn]),
        "held": np.mean([outfit.details is not None and outfit.details.held != "none" for outfit in drawn]),
    }
    for name, share in shares.items():
        assert share == pytest.approx(getattr(STREET, name), abs=0.06), name
    none = replace(STREET, layered=0.0, bags=0.0, hats=0.0, scarves=0.0, held=0.0, masks=0.0, skirts=0.0, shorts=0.0)
    for outfit in outfits(60, none):
        assert (outfit.layer, outfit.bag, outfit.hat, outfit.scarf, outfit.skirt) == (None, "none", "none", None, None)
        assert outfit.details is not None
        assert outfit.details.held == "none"
        assert outfit.details.mask is None
        assert outfit.details.legs != "shorts"


def test_everything_in_fashion_is_worn_by_somebody() -> None:
    drawn = outfits(3000)
    details = [outfit.details for outfit in drawn if outfit.details is not None]
    assert len(details) == 3000
    assert {own.over for own in details} == {"", *fashion.CUTS}
    assert {own.held for own in details} == {"none", *fashion.HELD}
    assert {outfit.bag for outfit in drawn} == {"none", *fashion.BAGS}
    assert {outfit.hat for outfit in drawn} == {"none", *fashion.HATS}
    assert {own.legs for own in details} == {
        "skirt",
        "shorts",
        *(name for kind in fashion.LEGS.values() for name in kind),
    }
    assert Counter(outfit.top.pattern for outfit in drawn)["plain"] > 1200


def test_an_outfit_is_drawn_again_from_its_seed() -> None:
    assert [asdict(one) for one in outfits(20)] == [asdict(one) for one in outfits(20)]
    assert (build(4).texture == build(4).texture).all()


def test_a_body_and_a_walk_are_kept_over_outfits() -> None:
    figures = []
    for day in range(3):
        rng = np.random.default_rng(8)
        shape, walk = people.draw_shape(rng), gait.draw_gait(rng)
        own = np.random.default_rng((8, day))
        figures.append(figure.build(own, shape, draw_street(own, STREET, is_female=shape.is_female), walk))
    for other in figures[1:]:
        np.testing.assert_array_equal(other.pivots, figures[0].pivots)
        for name in ("speed", "hip", "knee", "elbow", "stoop", "toes", "drop", "look", "spread"):
            assert getattr(other.gait, name) == getattr(figures[0].gait, name)
    assert len({built.texture.tobytes() for built in figures}) == 3


def test_a_closer_look_keeps_the_plain_person() -> None:
    for seed in range(50):
        shape = people.draw_shape(np.random.default_rng(seed))
        finer = shape.finer
        assert finer is not None
        assert (finer.is_female, finer.skin, finer.legs) == (shape.is_female, shape.skin, shape.legs)
        assert abs(finer.height - shape.height) < 0.03
        assert finer.finer is None
        assert (shape.slope, shape.nose, shape.glasses) == (0.0, 0.0, "none")


@pytest.mark.parametrize("held", sorted(set(fashion.HELD)))
def test_every_held_thing_is_made_and_drawn(held: str) -> None:
    built = build(3, {"held": held, "held_fabric": SIGNAL})
    empty = build(3)
    assert built.num_own == empty.num_own == len(empty.mesh.vertices)
    assert np.isfinite(built.mesh.vertices).all()
    assert np.isfinite(built.mesh.normals).all()
    things = shown(built, body.THING) + shown(built, body.PAINTS)
    assert things == len(built.mesh.vertices) - built.num_own > 0
    if held in ("shopper", "two shoppers", "umbrella", "pram", "briefcase", "coat"):
        assert num_red(built) > 0.9 * textures.TILE**2
    assert num_red(empty) == 0
    assert {built.gait.left, built.gait.right} != {"none"}
    if held in carried.ACTS:
        assert carried.ACTS[held] in (built.gait.left, built.gait.right)


@pytest.mark.parametrize("bag", sorted(set(fashion.BAGS)))
def test_every_bag_is_made(bag: str) -> None:
    built, empty = build(2, bag=bag, bag_fabric=SIGNAL), build(2)
    assert len(built.mesh.vertices) > len(empty.mesh.vertices)
    assert shown(built, body.BAG) > 0
    assert num_red(built) > 0


def test_straps_cross_the_clothes() -> None:
    """A bag's colour is on the torso's tile, not on its own tile alone."""
    names = ("pack", "slim pack", "satchel", "purse", "tote", "duffel", "belt bag")
    for name in names:
        textures_of = [
            build(2, bag=bag, bag_fabric=SIGNAL).texture[: textures.TILE, : textures.TILE] for bag in ("none", name)
        ]
        assert (textures_of[0] != textures_of[1]).any(2).sum() > 40, name
    assert len(names) == 7


@pytest.mark.parametrize("hat", sorted(set(fashion.HATS)))
def test_every_hat_is_made(hat: str) -> None:
    built = build(1, hat=hat, hat_colour=RED)
    assert shown(built, body.HAT) > 0
    assert num_red(built) > 0
    assert built.mesh.vertices[:, 2].max() < 2.4


def emblem(kind: str) -> Emblem:
    return Emblem(kind, RED, 0.0, 1.28, 0.2, 0.2, False, 5)


DRAWN: dict[str, dict[str, object]] = {
    **{f"{kind} on the top": {"emblem": emblem(kind)} for kind in dict.fromkeys(fashion.EMBLEMS)},
    "cuffs": {"cuffs": RED},
    "stripe": {"stripe": RED},
    "bands": {"bands": RED},
    "tie": {"tie": RED},
    "socks": {"socks": RED, "sock_top": 0.6},
    "gloves": {"gloves": RED},
    "mask": {"mask": RED},
}


@pytest.mark.parametrize("name", DRAWN)
def test_every_detail_is_drawn(name: str) -> None:
    changes = {"layer": None, "collar": "none", "leg_hem": 0.4, "stockings": None, "boots": 0.0}
    assert num_red(build(6, **changes)) == 0
    assert num_red(build(6, DRAWN[name], **changes)) > 8


def test_hair_beards_and_glasses_look_different() -> None:
    shape = people.draw_shape(np.random.default_rng(0)).finer
    assert shape is not None
    skin = np.ones((3, textures.TILE, textures.TILE)) * 0.6

    def painted(**changes: object) -> Float[np.ndarray, "3 s s"]:
        return face.paint_face(np.random.default_rng(0), replace(shape, **changes), None, skin)

    kinds = [{"beard": kind} for kind in dict.fromkeys(people.BEARDS)]
    kinds += [{"glasses": kind} for kind in list(dict.fromkeys(people.GLASSES))[1:]]
    faces = {painted(**{"beard": "none", "glasses": "none", "is_female": False, **kind}).tobytes() for kind in kinds}
    assert len(faces) == len(kinds) == 8
    for hair in sorted({*people.WOMENS, *people.MENS}):
        parts = figure.heads.hair(replace(shape, hair=hair))
        assert parts
        assert all(np.isfinite(part.rings).all() for part in parts)


def test_a_body_without_details_is_drawn_as_before() -> None:
    rng = np.random.default_rng(0)
    shape = people.draw_shape(rng)
    outfit = clothes.draw_outfit(rng, garments.Wardrobe(), is_female=shape.is_female)
    assert outfit.details is None
    built = figure.build(rng, shape, outfit, gait.draw_gait(rng))
    assert built.num_own == len(built.mesh.vertices)
    plain, _, own = figure.as_drawn(shape, outfit, gait.draw_gait(rng))
    assert plain == replace(shape, finer=None)
    assert own.finer is None
    assert built.gait.stoop == built.gait.toes == built.gait.drop == 0.0


def test_details_are_values() -> None:
    """Two persons in one uniform have equal outfits."""
    first, second = (draw_street(np.random.default_rng(3), STREET, is_female=True) for _ in range(2))
    assert first == second
    assert isinstance(first.details, Details)
