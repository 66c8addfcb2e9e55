"""A labelled folder: `person/camera/frames`, or `person/camera/tracklet/frames`."""

from collections import defaultdict
from pathlib import Path

from s2reid.datasets._folders import abridge, check_root, describe, folders, frames, has_frames, natural, numbers
from s2reid.datasets._rendered import origin, read_marker
from s2reid.types import Dataset, Tracklet


def load(root: Path, *, query_camera: str | int | None = None, train: bool = False) -> Dataset:
    """Load every tracklet as query (those of `query_camera`) or gallery (all others), or with `train` to train on.

    A person's or camera's number is the last number in its folder's name, or its place in natural order where one
    name has none or two share one. `query_camera` is a folder name or a number; by default the first camera in natural
    order. Raises `ValueError` for a missing or empty root, a layout that is one level off, a camera that is not there,
    only one camera, and empty or mixed tracklet folders or zero-byte frames.
    """
    check_root(root)
    found = _tracklet_folders(root)
    person_numbers = numbers(sorted(found))
    camera_numbers = numbers(sorted({camera for cameras in found.values() for camera in cameras}))
    by_camera: defaultdict[str, list[Tracklet]] = defaultdict(list)
    for person in sorted(found, key=natural):
        for camera, places in found[person].items():
            for place in places:
                tracklet = Tracklet(str(root), frames(root, place), person_numbers[person], camera_numbers[camera])
                by_camera[camera].append(tracklet)
    cameras = sorted(by_camera, key=natural)
    marker = read_marker(root)
    name = marker.get("name", root.resolve().name)
    source = {**origin(root, "persons", marker), "camera_names": camera_numbers}
    if train:
        return Dataset(
            name, train=tuple(tracklet for camera in cameras for tracklet in by_camera[camera]), origin=source
        )
    asking = cameras[0] if query_camera is None else _named(query_camera, camera_numbers)
    others = [camera for camera in cameras if camera != asking]
    if not others:
        raise ValueError(f"{root} has one camera only ({asking}): a query needs another camera to be found in")
    gallery = tuple(tracklet for camera in others for tracklet in by_camera[camera])
    return Dataset(name, query=tuple(by_camera[asking]), gallery=gallery, origin=source)


def _tracklet_folders(root: Path) -> dict[str, dict[str, list[str]]]:
    """Find the tracklet folders, relative to the root: person -> camera -> folders."""
    layout = "expected person/camera/frames"
    people = folders(root)
    if not people:
        raise ValueError(f"{root} holds no person folder, {layout}: {describe(root)}")
    found: dict[str, dict[str, list[str]]] = {}
    for person in people:
        if has_frames(root / person):
            raise ValueError(
                f"{root / person} holds frames, {layout}: a level is missing; "
                f"is the root one level too deep ({root.absolute().parent})?"
            )
        cameras = folders(root / person)
        if not cameras:
            raise ValueError(
                f"the person folder {root / person} holds no camera folder, {layout}: {describe(root / person)}"
            )
        found[person] = {camera: _places(root, f"{person}/{camera}") for camera in cameras}
    return found


def _places(root: Path, camera: str) -> list[str]:
    """List a camera folder's tracklets: itself, or, where it holds folders and no frames, each of those."""
    inner = folders(root / camera)
    return [f"{camera}/{tracklet}" for tracklet in inner] if inner and not has_frames(root / camera) else [camera]


def _named(wanted: str | int, cameras: dict[str, int]) -> str:
    """Find a camera folder by its name or its number."""
    if wanted in cameras:
        return str(wanted)
    named = [name for name, number in cameras.items() if str(number) == str(wanted)]
    if not named:
        raise ValueError(f"no camera {wanted!r} to take queries from: there are {abridge(cameras, 12)}")
    return named[0]
