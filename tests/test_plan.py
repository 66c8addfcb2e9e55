"""From the order that a learner asks for to batches, and back to chance."""

import pytest
import torch
from tests import tiny

from s2reid.learner import Order
from s2reid.plan import plan
from s2reid.types import UNKNOWN
from s2reid.video.augment import Augmentation
from s2reid.video.loader import TARGET, ClipSet, ClipShape, PersonBatches, RandomBatches, outfit_labels, source_labels
from s2reid.video.loader import target_labels as forgotten

pytestmark = pytest.mark.usefixtures("tiny_scale")


@pytest.fixture
def planned(source, target):
    """Plan with a learner that asks for a given order; give the batches and what the learner saw."""

    def run(order, epoch=0):
        learner, seen = tiny.learner().train(), {}

        def asked(epoch, seed, source, target):
            seen.update(epoch=epoch, seed=seed, source=source, target=target, training=learner.training)
            seen["embedded"] = target.embed(torch.arange(3))
            return order

        learner.plan = asked
        clips = [
            ClipSet(source.train, source_labels(source.train), outfit_labels(source.train), Augmentation()),
            ClipSet(target.train, forgotten(target.train), forgotten(target.train), Augmentation()),
        ]
        usual = [PersonBatches(clips[0].persons, 3, 2, 0), RandomBatches(8, 6, 0)]
        batches = plan(learner, epoch, clips, usual, tiny.schedule(), ClipShape(1, 32, 16), 0)
        assert learner.training
        return batches, usual, seen

    return run


def test_without_an_order_chance_decides(planned):
    batches, usual, seen = planned(Order())
    assert batches == usual
    assert not seen["training"]


def test_what_a_plan_looks_at_has_no_label_of_the_target_and_a_seed_of_its_epoch(planned):
    seen = [planned(Order(), epoch)[2] for epoch in (0, 0, 1)]
    assert seen[0]["target"].person.tolist() == [UNKNOWN] * 8
    assert sorted(seen[0]["source"].person.tolist()) == sorted([0, 1, 2, 3] * 3)
    assert seen[0]["seed"] == seen[1]["seed"] != seen[2]["seed"]
    assert torch.equal(seen[0]["embedded"], seen[1]["embedded"])
    assert len(seen[0]["embedded"]) == 3
    assert not seen[0]["embedded"].requires_grad


def test_persons_come_in_the_order_asked_for(planned, source):
    batches, usual, _ = planned(Order(persons=torch.tensor([[3, 1], [0, 2]])))
    labels = source_labels(source.train)
    assert [labels[own].tolist() for own in batches[0][1]] == [[0, 0], [2, 2]]
    assert batches[1] is usual[1]


@pytest.mark.parametrize(
    ("groups", "shape"), [([0, 0, 1, 1, 2, 2, 3, 3], (3, 2)), ([5, 5, 5, 5, 1, 1, 1, 1], (2, 3))], ids=["many", "few"]
)
def test_target_batches_are_groups_of_equal_size_and_no_larger(planned, groups, shape):
    batches, _, _ = planned(Order(groups=torch.tensor(groups)))
    assert batches[1].stream == TARGET
    for step in range(4):
        assert batches[1][step].shape == shape
        drawn = [{groups[place] for place in own} for own in batches[1][step]]
        assert all(len(group) == 1 for group in drawn)
        assert len(set.union(*drawn)) == len(drawn)
