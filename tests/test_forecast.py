"""What a training will cost is said before it starts."""

import pytest
from tests import tiny

from s2reid import experiment, forecast
from s2reid.experiment import Plan
from s2reid.forecast import Forecast

pytestmark = pytest.mark.usefixtures("tiny_scale")


def test_the_cost_is_said_beforehand(source, tmp_path):
    plan = Plan("source_only", source, scale="tiny", schedule=tiny.schedule(3))
    said = forecast.cost(plan, tmp_path)
    assert said.startswith("3 steps of 6 images at 32x16 or less, ")
    assert "M parameters" in said
    assert said.endswith("minutes")
    folder = experiment.run(plan, tmp_path)
    assert forecast.cost(plan, tmp_path) == f"trained already, in {folder}: nothing to do"


def test_what_is_counted(source):
    plan = Plan("source_only", source, scale="tiny", schedule=tiny.schedule(3))
    found = forecast.forecast(plan)
    learner = plan.resolved()[0].build(plan.task())
    assert found.parameters == sum(p.numel() for p in learner.parameters() if p.requires_grad)
    assert found.bytes == sum(value.nbytes for value in learner.state_dict().values())
    assert found.seconds > 0
    assert found.vector_bytes == 4 * learner.encoder.num_features


@pytest.mark.parametrize(("coverage", "images"), [("all", 4 + 8), ("begin", 4 + 4)])
def test_a_test_looks_at_whole_clips(coverage, images):
    expected = Forecast(0.0, 0, 0, image_seconds=0.5, clip_length=4, coverage=coverage, vector_bytes=0)
    assert expected.testing([3, 5]) == pytest.approx(0.5 * images)
