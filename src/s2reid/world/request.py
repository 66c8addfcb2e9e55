"""What is asked for: a world of some size, what it will cost, and how each of its tracklets is filmed."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any

from s2reid.world import ingredients, layouts
from s2reid.world.coco import Record, attributes
from s2reid.world.figure import Figure
from s2reid.world.film import Frame, World
from s2reid.world.presets import Planned, Preset, find, plan, sized

SECONDS_PER_IMAGE, SECONDS_PER_PERSON, SECONDS_PER_TRUTH = 0.004, 0.03, 0.002
BYTES_PER_PIXEL = {".jpg": 0.75, ".png": 2.6}
"""What a stored pixel costs, at most."""
BYTES_PER_TRUTH = 8000
"""What is true of an image costs, at most, in its part and in the whole."""


@dataclass(frozen=True)
class Request:
    """Everything that decides the files of a world, and nothing else."""

    preset: str
    seed: int
    persons: int
    frames: int
    height: int
    without: tuple[str, ...] = ()

    @lru_cache(maxsize=4)  # noqa: B019 - a process asks for one world
    def sized(self) -> Preset:
        whole = sized(find(self.preset), self.persons, self.frames, self.height)
        return ingredients.without(whole, *self.without)

    def facts(self) -> dict[str, Any]:
        """Say what was asked, in JSON's types; nothing is said of ingredients where all are there."""
        return {name: [*value] if name == "without" else value for name, value in asdict(self).items() if value != ()}

    @lru_cache(maxsize=4)  # noqa: B019
    def plan(self) -> tuple[Planned, ...]:
        return plan(self.sized(), self.seed)

    def world(self, setting: int = 0, kind: str = "person") -> World:
        """Open the world as one setting shows it and a detector sees it; what is the same is drawn once."""
        return _open(self, setting, kind)

    def dress(self, item: Planned) -> Figure:
        """Build the person of a tracklet."""
        return self.world(item.setting).person(item.person, item.outfit)

    def shots(self, item: Planned, figure: Figure, *, is_examined: bool) -> Iterator[Frame]:
        """Render the frames of a tracklet, with what is true of them if that `is_examined`."""
        if item.kind == "nobody":
            figure = hidden(figure)
        return self.world(item.setting, item.kind).shots(item, figure, is_examined=is_examined)

    def wears(self, item: Planned) -> Record:
        """Describe the person of a tracklet and what they wear."""
        return attributes(*self.world(item.setting).looks(item.person, item.outfit))


@lru_cache(maxsize=64)
def _open(asked: Request, setting: int, kind: str) -> World:
    world = World(asked.sized().seen(setting, kind), asked.seed)
    if (setting, kind) != (0, "person"):
        first = asked.world()
        if world.preset.places == first.preset.places:
            world.scene = first.scene
        if world.preset.wardrobe == first.preset.wardrobe:
            world.passer_by = first.passer_by
    return world


def hidden(figure: Figure) -> Figure:
    """Return a figure that nobody sees: its box is framed, and shows what is behind it."""
    return replace(figure, mesh=replace(figure.mesh, faces=figure.mesh.faces[:0]))


@dataclass(frozen=True)
class Estimate:
    """What a world will cost: counts, bytes on disk, and seconds of one core."""

    persons: int
    tracklets: int
    images: int
    bytes: int
    seconds: float

    def __str__(self) -> str:
        return (
            f"{self.persons:,} persons, {self.tracklets:,} tracklets, {self.images:,} images, about "
            f"{self.bytes / 1e6:,.0f} MB and {max(self.seconds / 60, 0.1):,.1f} minutes of one core"
        )


def request(
    preset: str,
    *,
    seed: int = 0,
    size: str | None = None,
    persons: int | None = None,
    frames: int | None = None,
    height: int | None = None,
    without: Sequence[str] = (),
) -> Request:
    """Fill in a size's or a preset's own numbers.

    Raises `ValueError` for an unknown preset or ingredient, or an impossible size.
    """
    chosen = ingredients.without(sized(find(preset), persons, frames, height, size), *without)
    if seed < 0:
        raise ValueError(f"a world's seed is 0 or more, found {seed}")
    left_out = ingredients.in_order(tuple(without))
    asked = Request(preset, seed, chosen.persons, chosen.frames, chosen.height, left_out)
    asked.plan()  # may be impossible
    return asked


def estimate(
    preset: str,
    *,
    seed: int = 0,
    size: str | None = None,
    persons: int | None = None,
    frames: int | None = None,
    height: int | None = None,
    without: Sequence[str] = (),
    truth: bool = False,
) -> Estimate:
    """Say what `write` would cost, before it starts.

    >>> estimate("svreid", frames=10).images
    11640
    """
    asked = request(preset, seed=seed, size=size, persons=persons, frames=frames, height=height, without=without)
    return cost(asked, truth=truth)


def cost(asked: Request, *, truth: bool = False) -> Estimate:
    """Say what a request costs."""
    planned, layout = asked.plan(), layouts.find(asked.sized().layout)
    images = sum(item.frames for item in planned)
    figures = len({(item.person, item.outfit) for item in planned})
    suffix = layout.frame_name(planned[0], 0)[-4:]
    size = int(images * (600 + BYTES_PER_PIXEL[suffix] * asked.height * (asked.height // 2)))
    seconds = images * SECONDS_PER_IMAGE + figures * SECONDS_PER_PERSON
    if truth:
        size, seconds = size + images * BYTES_PER_TRUTH, seconds + images * SECONDS_PER_TRUTH
    known = sum(item.kind == "person" for item in {item.person: item for item in planned}.values())
    return Estimate(known, len(planned), images, size, seconds)
