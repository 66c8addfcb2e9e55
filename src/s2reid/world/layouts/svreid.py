"""SVReID: `<person>/<outfit>/<camera>/<frame>.jpg`, and lists of `<tracklet path> <person> <outfit>`."""

from collections.abc import Mapping, Sequence

import numpy as np

from s2reid.world.domain import Planned, Preset

OWN_FOLDERS = True
SPLITS = 1


def plan(preset: Preset, seed: int) -> tuple[Planned, ...]:
    """Decide who is seen by which cameras: everyone by at least two, exactly `preset.tracklets` in all."""
    rng = np.random.default_rng((seed, preset.space, 0))
    each, rest = divmod(preset.tracklets, preset.persons)
    if rest == 0:
        counts = np.full(preset.persons, each)
    else:
        counts = np.full(preset.persons, 2)
        for _ in range(preset.tracklets - 2 * preset.persons):
            counts[rng.choice(np.flatnonzero(counts < preset.num_cameras))] += 1
    planned: list[Planned] = []
    for person, count in enumerate(counts):
        for camera in sorted(rng.choice(preset.num_cameras, count, replace=False)):
            planned.append(Planned(len(planned), person, 0, int(camera), preset.frames))
    return tuple(planned)


def folder(item: Planned) -> str:
    return f"{item.person:04d}/{item.outfit:02d}/{item.camera:02d}"


def frame_name(item: Planned, index: int) -> str:
    return f"{index:04d}.jpg"


def camera(item: Planned) -> int:
    return item.camera


def parts(preset: Preset, planned: Sequence[Planned], seed: int) -> Mapping[str, Sequence[Planned]]:
    return {"train": planned}


def lists(preset: Preset, planned: Sequence[Planned], seed: int) -> Mapping[str, bytes]:
    lines = [f"{folder(item)} {item.person} {item.outfit}\n" for item in planned]
    first = [line for line, item in zip(lines, planned) if item.outfit == 0]
    texts: dict[str, list[str]] = {"train_svreid": first, "train_svreid_cc": lines, "query": [], "gallery": []}
    return {f"{name}.txt": "".join(text).encode() for name, text in texts.items()}
