"""People, their clothes and their walk."""

from dataclasses import replace

import numpy as np
import pytest

from s2reid.world import body, clothes, figure, gait, people, textures
from s2reid.world.garments import Fabric

BAGS = ("none", "pack", "satchel", "tote", "handbag", "trolley")
HATS = ("none", "cap", "beanie", "hood")
COLLARS = ("none", "hood", "stand")


def dressed(seed: int, **changes: object) -> tuple[people.Shape, clothes.Outfit]:
    rng = np.random.default_rng(seed)
    shape = people.draw_shape(rng)
    return shape, replace(clothes.draw_outfit(rng, clothes.Wardrobe(), is_female=shape.is_female), **changes)


def build(shape: people.Shape, outfit: clothes.Outfit, seed: int = 0) -> figure.Figure:
    rng = np.random.default_rng(seed)
    return figure.build(rng, shape, outfit, gait.draw_gait(rng))


def check(built: figure.Figure, height: float) -> None:
    mesh = built.mesh
    assert np.isfinite(mesh.vertices).all()
    # Hair and hats may stand above the head, soles a little below the ground.
    assert height * 0.97 < mesh.vertices[:, 2].max() < height + 0.15
    assert -0.06 < mesh.vertices[:, 2].min() < 0.05
    assert mesh.faces.min() == 0
    assert mesh.faces.max() == len(mesh.vertices) - 1
    assert mesh.uv.min() >= 0
    assert mesh.uv.max() <= 1
    assert mesh.bones.max() < gait.BONES
    assert (mesh.weights >= 0).all()
    assert (mesh.weights <= 1).all()
    assert built.texture.std() > 10


def test_every_kind_of_bag_hat_collar_and_hair_is_built() -> None:
    kinds = [{"bag": bag} for bag in BAGS] + [{"hat": hat} for hat in HATS] + [{"collar": c} for c in COLLARS]
    num_vertices = set()
    for k, change in enumerate(kinds):
        shape, outfit = dressed(k, **change)
        check(build(shape, outfit), shape.height)
    for hair in people.HAIR_STYLES:
        shape, outfit = dressed(3, hat="none")
        built = build(replace(shape, hair=hair), outfit)
        check(built, shape.height)
        num_vertices.add(len(built.mesh.vertices))
    assert len(kinds) + len(people.HAIR_STYLES) == 20
    assert len(num_vertices) > 2


def test_every_pattern_is_painted_and_differs_from_plain() -> None:
    patterns = sorted({*clothes.PATTERNS[1:], *clothes.STREET.patterns, "plaid", "worn"})
    for pattern in patterns:
        fabric = Fabric((0.2, 0.2, 0.2), (0.9, 0.9, 0.9), pattern, 0.08, 0.0)
        tile = textures.cloth(np.random.default_rng(0), fabric)
        assert tile.shape == (3, textures.TILE, textures.TILE)
        assert tile.std() > 0.02, pattern
    plain = textures.cloth(np.random.default_rng(0), Fabric((0.2,) * 3, (0.9,) * 3, "plain", 0.08, 0.0))
    assert plain.std() < 0.02
    assert len(patterns) == 20


def test_normals_point_out_of_a_lofted_tube() -> None:
    column = body.tube([(0.0, 0.0, z) for z in (2.0, 1.0, 0.0)], [(0.5, 0.5)] * 3, [(0, 0, 0.0)], body.SKIN)
    upside_down = body.tube([(0.0, 0.0, z) for z in (0.0, 1.0, 2.0)], [(0.5, 0.5)] * 3, [(0, 0, 0.0)], body.SKIN)
    for part in (column, upside_down):
        mesh = body.assemble([part])
        radial = mesh.vertices[:, :2] / 0.5
        np.testing.assert_allclose((mesh.normals[:, :2] * radial).sum(1), 1, atol=0.01)
        a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
        assert (np.cross(b - a, c - a) * (a + b + c)).sum(1).min() > 0


def test_an_opening_leaves_the_front_free() -> None:
    jacket = body.tube([(0.0, 0.0, 1.0), (0.0, 0.0, 0.0)], [(1.0, 1.0)] * 2, [(0, 0, 0.0)], body.LAYER, opening=0.1)
    assert not jacket.is_closed
    assert jacket.rings[..., 0].max() == pytest.approx(np.cos(0.2 * np.pi))


def test_a_person_in_two_outfits_has_one_body() -> None:
    shape, first = dressed(5, bag="none", hat="none", layer=None, scarf=None, collar="none", skirt=None, bulk=0.0)
    second = replace(first, top=replace(first.top, colour=(0.9, 0.1, 0.1)))
    meshes = [build(shape, outfit).mesh for outfit in (first, second)]
    np.testing.assert_array_equal(meshes[0].vertices, meshes[1].vertices)
    assert (build(shape, first).texture != build(shape, second).texture).any()


def test_people_differ_and_are_drawn_again_from_the_same_seed() -> None:
    drawn = [people.draw_shape(np.random.default_rng(seed)) for seed in range(200)]
    assert len(set(drawn)) == 200
    assert drawn[7] == people.draw_shape(np.random.default_rng(7))
    assert 0.3 < np.mean([shape.is_female for shape in drawn]) < 0.7
    assert {shape.hair for shape in drawn} == set(people.HAIR_STYLES)


def test_a_dark_wardrobe_is_darker() -> None:
    def brightness(share: float) -> float:
        rng = np.random.default_rng(0)
        wardrobe = clothes.Wardrobe(dark=share, vivid=0.1)
        return float(np.mean([clothes.draw_colour(rng, wardrobe) for _ in range(300)]))

    assert brightness(0.8) < brightness(0.1) - 0.1


def test_uniforms_are_shared_by_the_garments_alone() -> None:
    rngs = [np.random.default_rng(9) for _ in range(2)]
    outfits = [clothes.draw_outfit(rng, clothes.Wardrobe(), is_female=True) for rng in rngs]
    assert outfits[0] == outfits[1]


def walk(acts: tuple[str, str] = ("swing", "swing")) -> gait.Gait:
    drawn = gait.draw_gait(np.random.default_rng(0))
    return replace(drawn, left=acts[0], right=acts[1], twist=0.1, sway=0.02)


def test_a_walk_repeats_after_two_steps_and_mirrors_after_one() -> None:
    own = walk()
    for phase in np.linspace(0, 6, 13):
        angles, later = gait.joint_angles(own, phase), gait.joint_angles(own, phase + 2 * np.pi)
        np.testing.assert_allclose(angles, later, atol=1e-9)
        mirrored = gait.joint_angles(own, phase + np.pi)
        np.testing.assert_allclose(angles[gait.THIGH_L, 1], mirrored[gait.THIGH_R, 1], atol=1e-9)
        np.testing.assert_allclose(angles[gait.SHIN_L, 1], mirrored[gait.SHIN_R, 1], atol=1e-9)
        np.testing.assert_allclose(angles[gait.UPPER_L, 1], mirrored[gait.UPPER_R, 1], atol=1e-9)


def test_a_carrying_arm_hangs_still() -> None:
    swings = {
        act: np.ptp([gait.joint_angles(walk((act, "swing")), p)[gait.UPPER_L, 1] for p in np.linspace(0, 6, 40)])
        for act in ("swing", "carry", "phone", "pocket")
    }
    assert len(swings) == 4
    assert swings["swing"] > 2 * max(swings[act] for act in ("carry", "phone", "pocket"))
    assert gait.draw_gait(np.random.default_rng(1), carries=1).left == "carry"
    assert gait.draw_gait(np.random.default_rng(1), carries=-1).right == "carry"


def test_a_standing_foot_slides_little() -> None:
    shape, outfit = dressed(1)
    built = build(shape, outfit)
    own, leg = replace(built.gait, twist=0.0, sway=0.0, bounce=0.0), built.leg
    per_metre = own.phase_per_metre(leg)
    ankle = np.array([*built.pivots[gait.FOOT_L], 1.0])
    # While the left leg swings back from its foremost point, its foot stays near one place in the world.
    phases = np.linspace(0.8 * np.pi, 1.2 * np.pi, 9)
    poses = [gait.pose(own, built.pivots, phase, phase / per_metre, 0.0, 0.0) for phase in phases]
    at = [(bones[gait.FOOT_L] @ ankle)[0] for bones in poses]
    walked = 0.4 * np.pi / per_metre
    assert np.ptp(at) < 0.35 * walked
