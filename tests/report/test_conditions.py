"""What makes a query hard, on frames painted for it."""

import json

import numpy as np
import pytest
import simplejpeg

from s2reid.report import conditions
from s2reid.report.conditions import (
    OCCLUSION,
    UNREST,
    Pair,
    background,
    clothes_change,
    illumination,
    occlusion,
    unrest,
)
from s2reid.types import Tracklet


@pytest.fixture
def paint(tmp_path):
    """Write a tracklet of given frames."""

    def make(name, *frames, outfit=0):
        (tmp_path / name).mkdir()
        for t, frame in enumerate(frames):
            image = np.repeat(np.asarray(frame, np.uint8)[..., None], 3, axis=2)
            (tmp_path / name / f"{t}.jpg").write_bytes(simplejpeg.encode_jpeg(np.ascontiguousarray(image), quality=98))
        return Tracklet(str(tmp_path), tuple(f"{name}/{t}.jpg" for t in range(len(frames))), 1, 1, outfit)

    return make


def grey(value):
    return np.full((64, 32), value)


def busy(where):
    frame = grey(128)
    noise = np.random.default_rng(0).choice([60, 200], frame.shape)
    frame[where] = noise[where]
    return frame


def test_clothes(paint):
    summer, winter = paint("a", grey(9)), paint("b", grey(9), outfit=1)
    assert clothes_change(Pair(summer, winter)) == 1
    assert clothes_change(Pair(summer, summer)) == 0


def test_light(paint):
    dark, mixed = paint("a", grey(50)), paint("b", grey(100), grey(200))
    assert illumination(Pair(dark, mixed)) == pytest.approx(100, abs=1)
    assert illumination(Pair(mixed, dark)) == illumination(Pair(dark, mixed))
    assert illumination(Pair(dark, dark)) == 0


def test_background_is_what_is_beside_the_person(paint):
    beside = paint("a", busy(np.s_[:, :8]), busy(np.s_[:, :8]))
    inside = paint("b", busy(np.s_[:, 10:22]))
    assert background(Pair(beside, beside)) > 20
    assert background(Pair(inside, inside)) < 2
    assert background(Pair(inside, beside)) == pytest.approx(background(Pair(beside, beside)) / 2, abs=1)


def test_something_passes_in_front(paint):
    quiet, passing = paint("a", *[grey(128)] * 4), paint("b", grey(128), busy(np.s_[10:32, 8:24]), *[grey(128)] * 2)
    legs = paint("c", grey(128), busy(np.s_[40:, :]), grey(128))
    assert unrest(Pair(quiet, passing)) > 10
    assert unrest(Pair(quiet, quiet)) < 1
    assert unrest(Pair(legs, legs)) < 3


def test_what_is_hidden_is_known_where_there_is_truth(paint, tmp_path):
    seen, hidden = paint("a", *[grey(1)] * 2), paint("b", *[grey(1)] * 3)
    assert conditions.conditions(Pair(seen, hidden))[2] is UNREST
    conditions.truth_of.cache_clear()
    images = [{"id": k, "file_name": name} for k, name in enumerate((*seen.frames, *hidden.frames))]
    notes = [{"image_id": k, "visibility": share} for k, share in enumerate((1.0, 0.9, 0.8, 0.25))]  # the last: nothing
    (tmp_path / "truth.json").write_text(json.dumps({"images": images, "annotations": notes}))
    assert conditions.conditions(Pair(seen, hidden))[2] is OCCLUSION
    assert occlusion(Pair(seen, seen)) == pytest.approx(0.1)
    assert occlusion(Pair(seen, hidden)) == 1
    conditions.truth_of.cache_clear()
    (tmp_path / "truth.json").write_text('{"images": [')
    with pytest.raises(ValueError, match=r"truth.json is damaged .*: remove it, or render the world again"):
        conditions.conditions(Pair(seen, hidden))
    conditions.truth_of.cache_clear()


def test_frames_that_cannot_be_read_have_nothing_to_measure(paint, tmp_path):
    fine = paint("a", grey(100), grey(100))
    lost = Tracklet(str(tmp_path), ("gone.jpg",), 1, 1)
    for measure in (illumination, background, unrest):
        assert np.isfinite(measure(Pair(fine, lost)))
