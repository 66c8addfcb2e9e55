"""What a world is made of, as values: whom it holds, what those wear, where they walk, who sees them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from s2reid.world.cameras import CameraStyle, seen_as
from s2reid.world.clothes import Wardrobe
from s2reid.world.scene import SceneStyle


@dataclass(frozen=True)
class Size:
    """How large a stand-in is: persons, frames of its longest tracklets, pixels from top to bottom."""

    persons: int
    frames: int
    height: int


@dataclass(frozen=True)
class Setting:
    """What differs between the recordings of one world: another season, another place, another camera."""

    wardrobe: Wardrobe = field(default_factory=Wardrobe)
    places: SceneStyle = field(default_factory=SceneStyle)
    cameras: CameraStyle = field(default_factory=CameraStyle)


@dataclass(frozen=True)
class Preset:
    """A world to render; `space` keeps its persons, cameras and places apart from every other world's.

    `tracklets` counts those of each training list, from the shortest list to the one that holds all, where the layout
    does not decide it; `interval` is the time between frames in seconds; `layout` names the dataset whose files the
    world imitates. Where a tracklet's setting is k, `settings[k]` replaces the wardrobe, places and cameras. The
    shortest tracklet of a stand-in has the share `shortest` of its frames. `version` rises whenever the plan or the
    looks of this preset change.
    """

    name: str
    layout: str
    space: int
    persons: int
    tracklets: tuple[int, ...]
    num_scenes: int
    cameras_per_scene: int
    frames: int
    height: int = 128
    interval: tuple[float, float] = (0.12, 0.3)
    wardrobe: Wardrobe = field(default_factory=Wardrobe)
    places: SceneStyle = field(default_factory=SceneStyle)
    cameras: CameraStyle = field(default_factory=CameraStyle)
    settings: tuple[Setting, ...] = ()
    sizes: Mapping[str, Size] = field(default_factory=dict)
    shortest: float = 1.0
    version: int = 1

    @property
    def num_cameras(self) -> int:
        return self.num_scenes * self.cameras_per_scene

    @property
    def things(self) -> frozenset[str]:
        """Name every ground, wall and prop that may be in its pictures."""
        settings = self.settings or (self,)
        kinds = [kind for now in settings for kind in (now.places.grounds, now.places.walls, now.places.props)]
        return frozenset(name for names in kinds for name in names)

    def seen(self, setting: int, kind: str) -> "Preset":
        """Return the world of one setting, as a detector saw it who was right or wrong (see `Planned.kind`)."""
        now = self.settings[setting] if self.settings else Setting(self.wardrobe, self.places, self.cameras)
        return replace(self, wardrobe=now.wardrobe, places=now.places, cameras=seen_as(now.cameras, kind))


@dataclass(frozen=True)
class Planned:
    """A tracklet to render; `index` is unique within its world.

    `frames` 0 means as many as the preset has; `take` numbers a folder's tracklets; `part` is where the dataset has
    it: train, query, gallery, junk, or nowhere ("") where it is on disk only or its place depends on the split.
    `kind` is what the detector made of it: a "person" of the system; a "stranger" whom the system does not know,
    "nobody" (background), or only a "piece" or a "crowd" around a stranger.
    """

    index: int
    person: int
    outfit: int
    camera: int
    frames: int = 0
    take: int = 1
    setting: int = 0
    part: str = "train"
    kind: str = "person"
