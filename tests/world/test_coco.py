"""Ground truth in COCO's format, against its definitions."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from s2reid.world import coco, joints, request
from s2reid.world.cameras import Camera
from s2reid.world.domain import Planned


def decode(code: dict) -> np.ndarray:
    """Read run lengths as the format defines them, one character after another."""
    counts, k, text = [], 0, code["counts"]
    while k < len(text):
        number, shift, is_more = 0, 0, True
        while is_more:
            character = ord(text[k]) - 48
            number |= (character & 31) << shift
            is_more = bool(character & 32)
            k, shift = k + 1, shift + 5
            if not is_more and character & 16:
                number |= -1 << shift
        counts.append(number + (counts[-2] if len(counts) > 2 else 0))
    values = [value for k, count in enumerate(counts) for value in [k % 2] * count]
    height, width = code["size"]
    return np.array(values, bool).reshape(width, height).T


@pytest.mark.parametrize("shape", [(1, 1), (5, 3), (64, 32), (200, 150)])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
def test_run_lengths_are_read_back(shape: tuple[int, int], share: float) -> None:
    mask = np.random.default_rng(0).random(shape) < share
    np.testing.assert_array_equal(decode(coco.run_lengths(mask)), mask)
    blocks = np.kron(mask, np.ones((7, 5), bool))
    np.testing.assert_array_equal(decode(coco.run_lengths(blocks)), blocks)


def test_run_lengths_by_hand() -> None:
    assert coco.run_lengths(np.ones((1, 1), bool))["counts"] == "01"  # no zero, then one
    assert coco.run_lengths(np.zeros((40, 1), bool))["counts"] == "X1"  # 40 = 8 + 32 * 1
    falling = np.array([0, 1, 1, 1, 0, 0, 0, 0, 1], bool)[:, None]  # 1 3 4 1: the last is stored as 1 - 3
    assert coco.run_lengths(falling)["counts"] == "134N"


def test_bounds_of_a_mask() -> None:
    mask = np.zeros((10, 8), bool)
    assert coco.bounds(mask) == [0, 0, 0, 0]
    mask[3:7, 2:4] = True
    assert coco.bounds(mask) == [2, 3, 2, 4]


def test_keypoints_outside_are_not_labelled() -> None:
    points = np.array([[1.0, 2.0], [3.26, 4.0], [-0.1, 5.0], [8.0, 1.0]])
    listed, count = coco.keypoints(points, np.array([True, False, True, True]), height=10, width=8)
    assert listed == [1, 2, 2, 3.3, 4, 1, 0, 0, 0, 0, 0, 0]
    assert count == 2


def test_attributes_are_plain() -> None:
    @dataclass
    class Coat:
        colour: tuple[float, ...]
        lining: None
        is_open: np.bool_
        inner: dict

    found = coco.attributes(Coat((0.12345, 1.0), None, np.bool_(True), {"a": np.float32(0.5), "b": None}))
    assert found == {"colour": [0.123, 1.0], "is_open": True, "inner": {"a": 0.5}}
    json.dumps(found)


@pytest.fixture(scope="module")
def asked() -> request.Request:
    return request.request("svreid", persons=4, frames=3, height=96)


def test_a_crop_is_described(asked: request.Request) -> None:
    seen = 0
    for item in asked.plan()[:8]:
        figure, wears = asked.dress(item), asked.wears(item)
        for shot in asked.shots(item, figure, is_examined=True):
            record = coco.of_crop(item, shot, "a/b.jpg", wears)
            json.dumps(record)
            image, (found,) = record["image"], record["annotations"]
            assert (image["height"], image["width"], image["camera"]) == (96, 48, item.camera)
            mask = decode(found["segmentation"])
            np.testing.assert_array_equal(mask, shot.mask())
            assert found["area"] == mask.sum()
            assert found["bbox"] == coco.bounds(mask)
            points = np.reshape(found["keypoints"], (17, 3))
            assert found["num_keypoints"] == (points[:, 2] > 0).sum()
            assert 0 <= found["visibility"] <= 1
            for x, y, v in points[points[:, 2] == 2]:
                near = mask[max(0, int(y) - 3) : int(y) + 4, max(0, int(x) - 3) : int(x) + 4]
                assert near.any(), (x, y, v)
                seen += 1
    assert seen > 100
    assert len(joints.NAMES) == 17


def test_a_pose_projects_the_world(asked: request.Request) -> None:
    camera: Camera = asked.world().camera(0)[0]
    pose = coco.pose(camera, (-10.0, -20.0, 30.0, 60.0))
    rng = np.random.default_rng(0)
    for point in rng.uniform(-1, 1, (5, 3)):
        right, down, forward = np.array(pose["rotation"]) @ (point - pose["position"])
        u, v, w = camera.matrix @ [*point, 1]
        np.testing.assert_allclose(
            [pose["focal"] * right / forward, pose["focal"] * down / forward], [u / w, v / w], atol=0.05
        )
    assert pose["window"] == [-10, -20, 30, 60]


def test_nobody_has_no_annotation(asked: request.Request) -> None:
    item = asked.plan()[0]
    shot = next(asked.shots(item, asked.dress(item), is_examined=True))
    record = coco.of_crop(Planned(0, 5, 0, 1, 1, kind="nobody"), shot, "x.jpg", {})
    assert record["annotations"] == []
    assert record["image"]["kind"] == "nobody"


def test_parts_are_merged_in_order_without_who_is_hidden(tmp_path: Path) -> None:
    records = [
        {"image": {"file_name": f"{k}.jpg"}, "annotations": [{"area": area, "person": k} for area in areas]}
        for k, areas in enumerate([[5], [0], [7, 9]])
    ]
    for k in (1, 0):
        coco.write_part(coco.part(tmp_path, k), records[2 * k : 2 * k + 2])
    coco.merge(tmp_path / "truth.json", "three", [coco.part(tmp_path, k) for k in (0, 1)])
    found = json.loads((tmp_path / "truth.json").read_text())
    assert [image["file_name"] for image in found["images"]] == ["0.jpg", "1.jpg", "2.jpg"]
    assert [(seen["id"], seen["image_id"], seen["area"]) for seen in found["annotations"]] == [
        (1, 1, 5),
        (2, 3, 7),
        (3, 3, 9),
    ]
    assert found["info"] == {"description": "three"}
    assert found["categories"] == [coco.CATEGORY]
    assert not [*tmp_path.glob("*.partial")]
