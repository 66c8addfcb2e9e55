"""The ingredients of a world, each of which can be left out, to see what it is worth."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any, TypeVar

from s2reid.world.domain import Preset, Setting
from s2reid.world.places import NIGHT
from s2reid.world.scene import SceneType

Values = Mapping[str, Any]
"""What fields have instead: a value, or a function of what was there."""
World = TypeVar("World", Preset, Setting)
Styled = TypeVar("Styled", bound=Any)
Types = tuple[SceneType, ...]


@dataclass(frozen=True)
class Ingredient:
    """What is there instead, in words and as values of the preset, its wardrobe, its places and its cameras."""

    instead: str
    preset: Values = field(default_factory=dict)
    wardrobe: Values = field(default_factory=dict)
    places: Values = field(default_factory=dict)
    cameras: Values = field(default_factory=dict)


def _everywhere(**values: Any) -> Callable[[Types], Types]:
    """Change every type of place."""
    return lambda types: tuple(replace(kind, **values) for kind in types)


def _outdoors(types: Types) -> Types:
    return tuple(kind for kind in types if not kind.is_indoor)


def _by_day(types: Types) -> Types:
    """Leave out the lights of the night; where nothing else is there, it is overcast."""
    lights = [tuple(name for name in kind.lights if name not in NIGHT) or ("overcast",) for kind in types]
    return tuple(replace(kind, lights=kept) for kind, kept in zip(types, lights))


INGREDIENTS = {
    # Clothes
    "dark": Ingredient("vivid clothes where dark ones would be", wardrobe={"dark": 0.0, "vivid": 0.66}),
    "vivid": Ingredient("no vivid colours", wardrobe={"vivid": 0.0}),
    "patterns": Ingredient("plain cloth", wardrobe={"patterned": 0.0, "patterns": ("plain",)}),
    "layers": Ingredient("no jackets and coats", wardrobe={"layered": 0.0}),
    "summer": Ingredient(
        "long sleeves and trousers for all", wardrobe={"bare_arms": 0.0, "shorts": 0.0, "skirts": 0.0}
    ),
    "bags": Ingredient("nothing on backs and shoulders", wardrobe={"bags": 0.0}),
    "held": Ingredient(
        "nothing held or pushed, no masks and no headphones", wardrobe={"held": 0.0, "masks": 0.0, "headphones": 0.0}
    ),
    "hats": Ingredient("no hats and scarves", wardrobe={"hats": 0.0, "scarves": 0.0}),
    "uniforms": Ingredient("nobody is dressed like anybody else", wardrobe={"uniforms": 0.0}),
    # Places
    "crowd": Ingredient("nobody else is near", cameras={"crowd": (0.0, 0.0)}),
    "company": Ingredient("everybody walks alone", cameras={"company": 0.0}),
    "props": Ingredient("nothing stands around", places={"num_props": (0, 0), "occluded": 0.0}),
    "occluders": Ingredient("nothing stands before a camera on purpose", places={"occluded": 0.0}),
    "walls": Ingredient("nothing but the ground behind people", places={"num_walls": (0, 0)}),
    "surfaces": Ingredient("asphalt and plaster only", places={"grounds": ("asphalt",), "walls": ("plaster",)}),
    "indoor": Ingredient("no place with a ceiling", places={"indoor": 0.0, "types": _outdoors}),
    "scenes": Ingredient("streets and no other type of place", places={"types": lambda types: types[:1]}),
    "places": Ingredient("ten cameras around one place", preset={"num_scenes": 1, "cameras_per_scene": 10}),
    # Light
    "light": Ingredient(
        "an overcast day everywhere",
        places={"types": _everywhere(lights=("overcast",))},
        cameras={"sunny": 0.0, "warmth": 0.0},
    ),
    "night": Ingredient("no dusk and no night", places={"types": _by_day}),
    "changes": Ingredient("a camera's light and colours hardly change", cameras={"changing": 0.0, "drift": 0.0}),
    # Cameras
    "colour": Ingredient(
        "sensors that see the same colours",
        cameras={"tint": 0.0, "saturation": (1.0, 1.0), "haze": 0.0, "contrast": (0.25, 0.25), "exposure": 0.0},
    ),
    "noise": Ingredient("no noise", cameras={"noise": (1e-3, 1e-3), "banded": (0.0, 0.0)}),
    "blur": Ingredient(
        "pictures that are sharp, not sharpened",
        cameras={"blur": (0.0, 0.0), "shutter": (0.0, 0.0), "sharpened": 0.0},
    ),
    "compression": Ingredient(
        "whole frames of high quality", cameras={"quality": (95.0, 95.0), "recoded": 0.0, "deinterlaced": 0.0}
    ),
    "resolution": Ingredient("people are 128 pixels high in every camera", cameras={"stature": (128.0, 128.0)}),
    "views": Ingredient(
        "every camera is 3 m high and 10 m away", cameras={"height": (3.0, 3.0), "distance": (10.0, 10.0)}
    ),
    "directions": Ingredient(
        "everybody goes one way before a camera",
        places={"types": _everywhere(spread=0.1)},
        cameras={"spread": (0.1, 0.1), "returning": 0.0, "straying": 0.0},
    ),
    "boxes": Ingredient(
        "a detector that frames people tightly and never errs",
        cameras={"loose": (0.0, 0.0), "jitter": (1e-3, 1e-3), "aspect": (0.45, 0.45), "slips": 0.0},
    ),
}
"""What a source can be rendered without; a stand-in is what it is."""


def without(preset: Preset, *names: str) -> Preset:
    """Leave ingredients out of a source; its name says which.

    Raises `ValueError` for an unknown ingredient, and for a stand-in, which would no longer be the target that its
    name promises.

    >>> from s2reid.world.presets import LARGE
    >>> bare = without(LARGE, "props", "crowd")
    >>> bare.name, bare.places.num_props, bare.cameras.crowd
    ('svreid-large without crowd, props', (0, 0), (0.0, 0.0))
    """
    if not names:
        return preset
    if preset.sizes:
        raise ValueError(f"{preset.name} is a target and keeps its ingredients: leave them out of a source, as svreid")
    for name in in_order(names):
        left = INGREDIENTS[name]
        settings = tuple(_strip(setting, left) for setting in preset.settings)
        preset = _change(replace(_strip(preset, left), settings=settings), left.preset)
    return replace(preset, name=f"{preset.name} without {', '.join(in_order(names))}")


def _strip(world: World, left: Ingredient) -> World:
    return replace(
        world,
        wardrobe=_change(world.wardrobe, left.wardrobe),
        places=_change(world.places, left.places),
        cameras=_change(world.cameras, left.cameras),
    )


def _change(style: Styled, values: Values) -> Styled:
    changed = {name: value(getattr(style, name)) if callable(value) else value for name, value in values.items()}
    return replace(style, **changed)


def in_order(names: tuple[str, ...]) -> tuple[str, ...]:
    """Sort ingredients as they stand in the list, each once: the same world whatever the order they were named in."""
    for name in names:
        if name not in INGREDIENTS:
            close = get_close_matches(name, INGREDIENTS, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise ValueError(f"no ingredient named {name!r}: there are {', '.join(INGREDIENTS)}{hint}")
    return tuple(name for name in INGREDIENTS if name in names)
