"""What is true of every image, as COCO's JSON: boxes, masks, keypoints, visibility, camera poses and attributes."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from s2reid import whole
from s2reid.world.cameras import Camera
from s2reid.world.domain import Planned
from s2reid.world.film import Frame, View
from s2reid.world.joints import NAMES
from s2reid.world.render import Window

TRUTH = "truth.json"
PARTS = ".truth"
SKELETON = [
    *[(15, 13), (13, 11), (16, 14), (14, 12), (11, 12), (5, 11), (6, 12), (5, 6), (5, 7), (6, 8), (7, 9), (8, 10)],
    *[(1, 2), (0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 6)],
]
CATEGORY = {
    "id": 1,
    "name": "person",
    "supercategory": "person",
    "keypoints": list(NAMES),
    "skeleton": [[a + 1, b + 1] for a, b in SKELETON],
}
Record = dict[str, Any]


def run_lengths(mask: Bool[np.ndarray, "h w"]) -> Record:
    """Encode a mask as COCO does: lengths of runs down the columns, first of zeros, five bits a character.

    >>> run_lengths(np.array([[False, True], [True, True]]))
    {'size': [2, 2], 'counts': '13'}
    """
    flat = mask.T.ravel()
    edges = np.flatnonzero(np.diff(flat, prepend=False))
    counts = np.diff(np.concatenate([[0], edges, [flat.size]])).tolist()
    code = [_characters(count - counts[k - 2] if k > 2 else count) for k, count in enumerate(counts)]
    return {"size": list(mask.shape), "counts": "".join(code)}


def _characters(number: int) -> str:
    """Write a number with five bits a character, the low ones first; the sixth bit says that more follow."""
    code, is_more = "", True
    while is_more:
        bits, number = number & 31, number >> 5
        is_more = number != (-1 if bits & 16 else 0)
        code += chr(48 + bits + 32 * is_more)
    return code


def bounds(mask: Bool[np.ndarray, "h w"]) -> list[int]:
    """Return left, top, width and height of what a mask shows; zeros for nothing.

    >>> bounds(np.array([[False, False, True], [False, True, True]]))
    [1, 0, 2, 2]
    """
    columns, rows = np.flatnonzero(mask.any(0)), np.flatnonzero(mask.any(1))
    if not len(columns):
        return [0, 0, 0, 0]
    return [int(number) for number in (columns[0], rows[0], np.ptp(columns) + 1, np.ptp(rows) + 1)]


def keypoints(
    joints: Float[np.ndarray, "j 2"], is_clear: Bool[np.ndarray, " j"], height: int, width: int
) -> tuple[list[float], int]:
    """List x, y and v of every keypoint, and count those in the image: v is 2 for a clear one, 1 for a hidden one.

    What is outside the image is 0, 0, 0.
    """
    x, y = joints.T
    is_inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    v = np.where(is_clear, 2, 1) * is_inside
    rows = np.column_stack([np.round(joints, 1) * is_inside[:, None], v])
    return rows.ravel().tolist(), int(is_inside.sum())


def pose(camera: Camera, window: Window) -> Record:
    """Say where a camera stands (metres), how it is turned (rows: right, down, forward), and what part an image shows.

    A point p of the world is at `focal * (r, d) / f` from the optical axis, in pixels, where (r, d, f) is
    `rotation @ (p - position)`; `window` is the image's left, top, right and bottom in these pixels.
    """
    return {
        "position": np.round(camera.eye.astype(float), 4).tolist(),
        "rotation": np.round(camera.turn, 6).tolist(),
        "focal": round(camera.focal, 3),
        "window": [round(float(edge), 2) for edge in window],
    }


def attributes(*described: Any) -> Record:
    """Merge what dataclasses say of a person into plain values; what is not there (`None`) is left out."""
    merged: Record = {}
    for what in described:
        assert is_dataclass(what)
        assert not isinstance(what, type)
        merged |= asdict(what)
    return _plain(merged)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items() if inner is not None}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, float | np.floating):
        return round(float(value), 3)
    return value.item() if isinstance(value, np.generic) else value


def of_crop(item: Planned, frame: Frame, file_name: str, wears: Record) -> Record:
    """Describe one image of a tracklet; a box that shows nobody has no annotation."""
    seen, (height, width) = frame.seen, frame.crop.shape[:2]
    assert seen is not None
    image = {
        "file_name": file_name,
        "height": height,
        "width": width,
        "tracklet": item.index,
        "camera": item.camera,
        "setting": item.setting,
        "seconds": round(frame.seconds, 3),
        "person": item.person,
        "outfit": item.outfit,
        "kind": item.kind,
        "camera_pose": pose(frame.camera, frame.window),
    }
    if item.kind == "nobody":
        return {"image": image, "annotations": []}
    left, top, right, bottom = frame.window
    sx, sy = width / (right - left), height / (bottom - top)
    x0, y0, x1, y1 = seen.box
    mask = frame.mask()
    box = ((x0 - left) * sx, (y0 - top) * sy, (x1 - x0) * sx, (y1 - y0) * sy)
    points, num_points = keypoints(frame.joints(), seen.is_clear, height, width)
    annotation = {
        **_shown(mask, box, seen.share),
        "keypoints": points,
        "num_keypoints": num_points,
        "person": item.person,
        "outfit": item.outfit,
        "attributes": wears,
    }
    return {"image": image, "annotations": [annotation]}


def _shown(mask: Bool[np.ndarray, "h w"], whole: Window, share: float) -> Record:
    """Say what a mask shows; `whole` is left, top, width and height of the whole body, hidden or not."""
    return {
        "category_id": 1,
        "iscrowd": 0,
        "bbox": bounds(mask),
        "area": int(mask.sum()),
        "segmentation": run_lengths(mask),
        "whole_box": [round(float(number), 1) for number in whole],
        "visibility": round(float(share), 3),
    }


def of_view(view: View, file_name: str, persons: Sequence[int]) -> Record:
    """Describe a camera's whole image and everybody in it, hidden or not.

    `persons` are the numbers of the walkers, in their order.
    """
    left, top, _, _ = view.window
    height, width = view.image.shape[:2]
    image = {
        "file_name": file_name,
        "height": height,
        "width": width,
        "seconds": round(view.seconds, 3),
        "camera_pose": pose(view.camera, view.window),
    }
    found = []
    for person, seen in zip(persons, view.seen):
        x0, y0, x1, y1 = seen.box
        box = (x0 - left, y0 - top, x1 - x0, y1 - y0)
        if box[0] > width or box[1] > height or box[0] + box[2] < 0 or box[1] + box[3] < 0:
            continue
        points, num_points = keypoints(seen.joints - (left, top), seen.is_clear, height, width)
        found.append({**_shown(seen.mask, box, seen.share), "keypoints": points, "num_keypoints": num_points})
        found[-1]["person"] = person
    return {"image": image, "annotations": found}


# Files


def part(root: Path, index: int) -> Path:
    """Name the file that holds what is true of one tracklet until all are there."""
    return root / PARTS / f"{index}.json"


def write_part(path: Path, content: Sequence[Record]) -> None:
    """Write records atomically."""
    path.parent.mkdir(exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(content, separators=(",", ":")))
    partial.replace(path)


def merge(target: Path, description: str, parts: Sequence[Path]) -> None:
    """Put parts together into one file of COCO's format, in their order; images and annotations count from 1.

    Who is hidden altogether has no annotation.
    """
    with whole.writing(target) as partial, partial.open("w") as file:
        head = {"info": {"description": description}, "categories": [CATEGORY]}
        file.write(json.dumps(head)[:-1] + ', "images": [\n')
        file.writelines(_lines({"id": k, **record["image"]} for k, record in enumerate(records(parts), 1)))
        file.write('\n], "annotations": [\n')
        file.writelines(_lines(_annotations(parts)))
        file.write("\n]}\n")


def records(parts: Iterable[Path]) -> Iterator[Record]:
    """Read parts, one after another; remove a damaged one, so that it is made again, and raise `ValueError`."""
    for path in parts:
        try:
            yield from json.loads(path.read_text())
        except (OSError, ValueError) as error:
            path.unlink(missing_ok=True)
            raise ValueError(f"{path} is damaged ({error}) and now removed: run the same again") from None


def _annotations(parts: Iterable[Path]) -> Iterator[Record]:
    number = 0
    for image, record in enumerate(records(parts), 1):
        for annotation in record["annotations"]:
            if annotation["area"]:
                number += 1
                yield {"id": number, "image_id": image, **annotation}


def _lines(records: Iterable[Record]) -> Iterator[str]:
    for k, record in enumerate(records):
        yield (",\n" if k else "") + json.dumps(record, separators=(",", ":"))
