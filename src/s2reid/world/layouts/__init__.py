"""The files of a written world, in the very layouts of the datasets that it imitates: one file a layout."""

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from s2reid.world.domain import Planned, Preset
from s2reid.world.layouts import ccvid, ilids_vid, mars, prid2011, svreid

Parts = Mapping[str, Sequence[Planned]]


@runtime_checkable
class Layout(Protocol):
    """What a layout's module has: who is seen by whom, what files are called, which lists name them.

    `OWN_FOLDERS` says that every tracklet has a folder to itself. `SPLITS` counts the ways to divide the persons; with
    more than one, a part's images depend on the split.
    """

    OWN_FOLDERS: bool
    SPLITS: int

    def plan(self, preset: Preset, seed: int) -> tuple[Planned, ...]: ...

    def folder(self, item: Planned) -> str: ...

    def frame_name(self, item: Planned, index: int) -> str: ...

    def camera(self, item: Planned) -> int: ...

    def parts(self, preset: Preset, planned: Sequence[Planned], seed: int) -> Parts: ...

    def lists(self, preset: Preset, planned: Sequence[Planned], seed: int) -> Mapping[str, bytes]: ...


LAYOUTS: Mapping[str, Layout] = {
    "svreid": svreid,
    "mars": mars,
    "ilids_vid": ilids_vid,
    "prid2011": prid2011,
    "ccvid": ccvid,
}


def find(name: str) -> Layout:
    """Return the module of a layout."""
    return LAYOUTS[name]


def folder(layout: str, item: Planned) -> str:
    """Name the folder that holds a tracklet's frames, relative to the root.

    >>> folder("svreid", Planned(index=0, person=3, outfit=0, camera=7))
    '0003/00/07'
    """
    return find(layout).folder(item)


def frame_name(layout: str, item: Planned, index: int) -> str:
    """Name a frame so that names sort in temporal order.

    >>> frame_name("ilids_vid", Planned(index=0, person=3, outfit=0, camera=1), 11)
    'cam2_person004_00012.png'
    """
    return find(layout).frame_name(item, index)


def counts(preset: Preset, planned: Sequence[Planned], seed: int) -> dict[str, int | dict[str, int]]:
    """Count what the dataset's own loader will find, in all and in each part or list."""
    layout = find(preset.layout)
    parts = layout.parts(preset, planned, seed)
    every = {item.index: item for items in parts.values() for item in items}  # lists may hold each other
    inner = {name: _count(layout, items) for name, items in parts.items()}
    for part in inner.values():
        if layout.SPLITS > 1:
            del part["images"]
    return {**_count(layout, [*every.values()]), **inner}


def _count(layout: Layout, items: Sequence[Planned]) -> dict[str, int]:
    known = [item for item in items if item.kind == "person"]
    return {
        "persons": len({item.person for item in known}),
        "tracklets": len(items),
        "images": sum(item.frames for item in items),
        "cameras": len({layout.camera(item) for item in items}),
        "outfits": len({(item.person, item.outfit) for item in known}),
    }
