"""Leaving things out of a world: every ingredient can be left out, and then it is not there."""

from dataclasses import replace

import numpy as np
import pytest
from tests.shared import ROOT

from s2reid.world import write
from s2reid.world.cameras import ANYWHERE, draw_camera
from s2reid.world.film import World
from s2reid.world.ingredients import INGREDIENTS, in_order, without
from s2reid.world.places import EVERYWHERE, NIGHT
from s2reid.world.presets import FULL, LARGE, PRESETS, plan, sized

WORLD = replace(LARGE, places=EVERYWHERE, cameras=ANYWHERE)
"""A source with all that a source can have."""
STYLES = ("wardrobe", "places", "cameras")


def test_each_changes_what_it_names_and_nothing_else():
    assert len(INGREDIENTS) >= 20
    for name, left in INGREDIENTS.items():
        bare = without(WORLD, name)
        assert bare.name == f"svreid-large without {name}"
        assert left.instead
        expected = {"name", *left.preset, *(style for style in STYLES if getattr(left, style))}
        assert {key for key in vars(WORLD) if getattr(bare, key) != getattr(WORLD, key)} == expected, name
        for style in STYLES:
            before, after = vars(getattr(WORLD, style)), vars(getattr(bare, style))
            assert {key for key in before if before[key] != after[key]} == set(getattr(left, style)), name


def test_each_shows_in_what_is_drawn():
    """Clothes and cameras are drawn from equal streams; what a place has not is checked by name below."""
    outfits, cameras = _outfits(WORLD), _cameras(WORLD)
    for name, left in INGREDIENTS.items():
        bare = without(WORLD, name)
        if left.wardrobe:
            assert _outfits(bare) != outfits, name
        if set(left.cameras) - {"company", "slips", "changing"}:
            assert _cameras(bare) != cameras, name


def _outfits(world):
    return [World(world, 0).looks(person)[1] for person in range(60)]


def _cameras(world):
    streams = (np.random.default_rng(k) for k in range(8))
    return [str(draw_camera(rng, world.cameras, 0.0, False)) + str(world.cameras.straying) for rng in streams]


def test_what_is_left_out_is_not_there():
    outfits = _outfits(without(WORLD, "patterns", "layers", "bags", "hats"))
    assert {fabric.pattern for outfit in outfits for fabric in (outfit.top, outfit.sleeve_fabric)} == {"plain"}
    assert {(outfit.layer, outfit.bag, outfit.hat, outfit.scarf) for outfit in outfits} == {
        (None, "none", "none", None)
    }
    types = without(WORLD, "indoor").places.types
    assert 0 < len(types) < len(EVERYWHERE.types)
    assert not any(kind.is_indoor for kind in types)
    lights = {light for kind in without(WORLD, "night").places.types for light in kind.lights}
    assert not lights & set(NIGHT)
    assert "sun" in lights
    assert {kind.lights for kind in without(WORLD, "light").places.types} == {("overcast",)}
    assert [kind.name for kind in without(WORLD, "scenes").places.types] == ["street"]
    assert {item.camera for item in plan(sized(without(WORLD, "places"), 30, 1, 32), 0)} <= set(range(10))


def test_several_in_any_order_once_each():
    assert without(WORLD, "walls", "dark", "walls") == without(WORLD, "dark", "walls")
    assert without(WORLD, "dark", "walls").name == "svreid-large without dark, walls"
    assert in_order(("walls", "dark", "walls")) == ("dark", "walls")
    assert without(WORLD) is WORLD
    assert without(FULL, "crowd").cameras.crowd == (0.0, 0.0)


def test_every_setting_of_a_world_lacks_it():
    seasons = replace(WORLD, settings=PRESETS["standin-ccvid"].settings)
    bare = without(seasons, "bags")
    assert len(bare.settings) == 3
    assert {setting.wardrobe.bags for setting in bare.settings} == {bare.wardrobe.bags} == {0.0}


def test_unknown_ingredients_and_targets():
    with pytest.raises(ValueError, match=r"no ingredient named 'crowds': there are dark, .*; did you mean 'crowd'\?"):
        without(WORLD, "crowds")
    with pytest.raises(ValueError, match=r"no ingredient named 'zzz': there are dark, vivid, [^;]*$"):
        write.request("svreid", without=["zzz"])
    for name, preset in PRESETS.items():
        if preset.sizes:
            with pytest.raises(
                ValueError, match=f"{name} is a target and keeps its ingredients: leave them out of a so"
            ):
                write.request(name, without=["crowd"])
    assert sum(bool(preset.sizes) for preset in PRESETS.values()) == 4


def test_the_page_lists_them():
    page = (ROOT / "docs" / "ingredients.md").read_text()
    assert [line for line in page.splitlines() if line.startswith("| `")] == [
        f"| `{name}` | {left.instead} |" for name, left in INGREDIENTS.items()
    ]
