"""An unlabelled folder: `camera/tracklet/frames`."""

from pathlib import Path

from s2reid.datasets._folders import check_root, describe, folders, frames, has_frames, numbers
from s2reid.datasets._rendered import origin, read_marker
from s2reid.types import UNKNOWN, Dataset, Tracklet


def load(root: Path) -> Dataset:
    """Load every tracklet to train on, without a person.

    A camera's number is the last number in its folder's name, or its place in natural order where one name has none or
    two share one. Raises `ValueError` for a missing or empty root, a layout that is one level off, and empty or mixed
    tracklet folders or zero-byte frames.
    """
    check_root(root)
    layout = "expected camera/tracklet/frames"
    names = folders(root)
    if not names:
        raise ValueError(f"{root} holds no camera folder, {layout}: {describe(root)}")
    tracklets, numbered = [], numbers(names)
    for camera, number in numbered.items():
        if has_frames(root / camera):
            raise ValueError(
                f"{root / camera} holds frames, {layout}: a level is missing; "
                f"is the root one level too deep ({root.absolute().parent})?"
            )
        places = folders(root / camera)
        if not places:
            raise ValueError(
                f"the camera folder {root / camera} holds no tracklet, {layout}: {describe(root / camera)}"
            )
        tracklets += [Tracklet(str(root), frames(root, f"{camera}/{place}"), UNKNOWN, number) for place in places]
    marker = read_marker(root)
    source = {**origin(root, "cameras", marker), "camera_names": numbered}
    return Dataset(marker.get("name", root.resolve().name), train=tuple(tracklets), origin=source)
