"""Boxes: what a detector and a tracker get wrong, and how often."""

from dataclasses import replace

import numpy as np
import pytest

from s2reid.world import detector, film, presets
from s2reid.world.detector import Slip
from s2reid.world.presets import Planned

BOX = (10.0, 20.0, 30.0, 60.0)


@pytest.mark.parametrize(
    ("error", "window"),
    [
        (Slip(), BOX),
        (Slip(missed=3), BOX),
        (Slip(cut="feet", amount=0.25), (10, 20, 30, 50)),
        (Slip(cut="head", amount=0.25), (10, 30, 30, 60)),
        (Slip(cut="left", amount=0.5), (20, 20, 30, 60)),
        (Slip(cut="right", amount=0.5), (10, 20, 20, 60)),
        (Slip(grown=1.5), (5, 10, 35, 70)),
        (Slip(slid=0.5, onto=1), (20, 22, 40, 62)),
        (Slip(slid=1.0, onto=2), BOX),
    ],
)
def test_an_error_moves_the_box(error: Slip, window: tuple[float, ...]) -> None:
    """The second walker stands 20 to the right and 4 lower; the third one too far for a tracker to jump."""
    boxes = [BOX, (30.0, 24.0, 50.0, 64.0), (110.0, 20.0, 130.0, 60.0)]
    assert detector.slip(BOX, error, boxes) == pytest.approx(window)


def test_errors_are_as_frequent_as_asked() -> None:
    rng = np.random.default_rng(0)
    tracklets = [detector.draw_slips(rng, 1.0, 8, 3) for _ in range(1500)]
    frames = [error for errors in tracklets for error in errors]
    assert len(frames) == 12_000
    assert np.mean([error.missed > 0 for error in frames]) == pytest.approx(0.12, abs=0.02)
    assert {error.missed for error in frames} == set(range(8))
    assert np.mean([any(error.cut for error in errors) for errors in tracklets]) == pytest.approx(0.14, abs=0.03)
    assert np.mean([any(error.slid for error in errors) for errors in tracklets]) == pytest.approx(0.06, abs=0.02)
    assert {error.cut for error in frames} == {"", *detector.CUTS}
    assert all(0.08 <= error.amount <= 0.38 for error in frames if error.cut)
    assert {error.onto for error in frames if error.slid} == {1, 2}
    alone = [error for _ in range(300) for error in detector.draw_slips(rng, 1.0, 8, 1)]
    assert not any(error.slid for error in alone)


def test_a_box_is_cut_for_some_frames_in_a_row() -> None:
    rng = np.random.default_rng(1)
    cut = [[bool(error.cut) for error in detector.draw_slips(rng, 3.0, 9, 1)] for _ in range(100)]
    runs = [sum(a != b for a, b in zip([False, *row], [*row, False])) for row in cut]
    assert set(runs) == {0, 2}


def test_frames_follow_in_time_with_gaps() -> None:
    small = presets.sized(presets.find("svreid-large"), 4, 6, 32)
    world = film.World(replace(small, cameras=replace(small.cameras, slips=1.0)), 0)
    gaps = []
    for k in range(12):
        moments = [frame.seconds for frame in world.shots(Planned(k, 0, 0, k), is_examined=False)]
        assert len(moments) == 6
        steps = np.diff(moments)
        assert (steps > 0.1).all()
        assert moments[-1] <= 5 * steps.min() + film.LONGEST_GAP + small.interval[1] + 1e-6
        gaps.append(steps.max() > 1.5 * steps.min())
    assert 0 < sum(gaps) < 12


def test_without_errors_frames_are_equally_far_apart() -> None:
    small = presets.sized(presets.find("standin-ilids"), 4, 4, 32)
    moments = [frame.seconds for frame in film.World(small, 0).shots(Planned(0, 0, 0, 0), is_examined=False)]
    np.testing.assert_allclose(np.diff(moments), moments[1])
