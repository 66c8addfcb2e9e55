import base64
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import simplejpeg

from s2reid.report.strips import SHEET_WIDTH, STRIP_HEIGHT, describe, sheet, strip
from s2reid.types import DISTRACTOR, UNKNOWN, Tracklet


def pixels(picture):
    head, body = picture.uri.split(",")
    assert head == "data:image/jpeg;base64"
    return simplejpeg.decode_jpeg(base64.b64decode(body))


@pytest.fixture
def grey(tmp_path):
    """A tracklet of ten grey frames, each ten steps brighter than the one before, of any size."""

    def make(sizes=((64, 32),) * 10):
        for t, (h, w) in enumerate(sizes):
            image = np.full((h, w, 3), 20 * t + 10, np.uint8)
            (tmp_path / f"{t}.jpg").write_bytes(simplejpeg.encode_jpeg(image, quality=95))
        return Tracklet(str(tmp_path), tuple(f"{t}.jpg" for t in range(len(sizes))), person=7, camera=2)

    return make


def test_a_strip_shows_evenly_spaced_frames_in_temporal_order(grey):
    picture = strip(grey(), 5)
    shown = pixels(picture)
    assert shown.shape == (STRIP_HEIGHT, 5 * STRIP_HEIGHT // 2, 3) == (picture.height, picture.width, 3)
    means = shown.reshape(STRIP_HEIGHT, 5, -1).mean((0, 2))
    np.testing.assert_allclose(means, [20 * t + 10 for t in (1, 3, 5, 7, 9)], atol=2)
    assert picture.alt == "person 7, camera 2: 5 of 10 frames"
    assert not picture.problem


def test_a_short_tracklet_shows_each_frame_once(grey):
    assert pixels(strip(grey(((64, 32),) * 2), 4)).shape[1] == STRIP_HEIGHT


def test_mixed_sizes_share_one_height_and_a_wide_frame_is_squeezed(grey):
    picture = strip(grey(((64, 32), (20, 20), (10, 400))), 3)
    assert pixels(picture).shape == (STRIP_HEIGHT, STRIP_HEIGHT // 2 + STRIP_HEIGHT + 2 * STRIP_HEIGHT, 3)


def test_unreadable_frames_become_their_reason(grey):
    tracklet = grey()
    Path(tracklet.paths()[2]).write_bytes(b"")
    partly = strip(tracklet, 2)
    assert partly.uri
    assert "2.jpg is empty" in partly.problem
    assert partly.alt.endswith("1 of 10 frames")
    gone = strip(replace(tracklet, frames=("no1.jpg", "no2.jpg", "no3.jpg")), 3)
    assert not gone.uri
    assert "no1.jpg" in gone.problem
    assert gone.problem.endswith("(and 2 more)")
    assert strip(replace(tracklet, frames=()), 3).problem == "the tracklet has no frames"


def test_labels_in_words():
    tracklet = Tracklet("data", (), person=3, camera=1, outfit=2)
    assert describe(tracklet) == "person 3, outfit 2, camera 1"
    assert describe(replace(tracklet, person=UNKNOWN, outfit=0)) == "unlabelled, camera 1"
    assert describe(replace(tracklet, person=DISTRACTOR, outfit=0)) == "distractor, camera 1"


def test_a_sheet_is_shrunk_not_grown(tmp_path):
    cv2.imwrite(str(tmp_path / "large.png"), np.zeros((100, 2 * SHEET_WIDTH, 3), np.uint8))
    cv2.imwrite(str(tmp_path / "small.png"), np.full((30, 40, 3), (0, 0, 255), np.uint8))
    assert pixels(sheet(tmp_path / "large.png")).shape == (50, SHEET_WIDTH, 3)
    small = pixels(sheet(tmp_path / "small.png"))
    assert small.shape == (30, 40, 3)
    np.testing.assert_allclose(small.mean((0, 1)), (255, 0, 0), atol=3)
    assert "none.png" in sheet(tmp_path / "none.png").problem
