"""No label of the target reaches a weight, a key or a fingerprint."""

from dataclasses import replace

import numpy as np
import pytest
from safetensors.torch import load_file
from tests import tiny

from s2reid import experiment, lookup, model, runs
from s2reid.experiment import Plan
from s2reid.types import UNKNOWN, Dataset, Tracklet

ADAPTING = [name for name in lookup.names("methods") if lookup.find("methods", name).METHOD().needs_target]
pytestmark = pytest.mark.usefixtures("tiny_scale")


def relabelled(data: Dataset, person) -> Dataset:
    """Give every training tracklet other labels."""
    train = tuple(replace(t, person=p, outfit=i % 3) for i, (t, p) in enumerate(zip(data.train, person)))
    return replace(data, train=train)


def plan(method, source, target):
    """Plan the whole method: what it goes on from is trained anew too."""
    return Plan(method, source, target, scale="tiny", steps=3)


def test_the_methods_that_see_a_target_are_counted():
    assert ADAPTING == ["s2r", "s2r_released", "target_bn"]


@pytest.mark.parametrize("method", ADAPTING)
def test_other_target_labels_give_the_same_key_and_bit_for_bit_the_same_weights(method, tmp_path, source, target):
    own = [tracklet.person for tracklet in target.train]
    shuffled = np.random.default_rng(0).permutation(own).tolist()
    assert own != shuffled
    weights, keys = [], set()
    for number, labels in enumerate((own, shuffled, [UNKNOWN] * len(own))):
        asked = plan(method, source, relabelled(target, labels))
        keys.add(asked.training().key)
        folder = experiment.run(asked, tmp_path / str(number))  # folders of their own: nothing can be reused
        weights.append(load_file(folder / "model" / model.WEIGHTS))
    assert len(keys) == 1
    assert all(tiny.equal_weights(other, weights[0]) for other in weights[1:])


@pytest.mark.parametrize("method", ADAPTING)
def test_another_target_does_change_the_key_and_the_weights(method, tmp_path, source, target):
    other = replace(target, train=target.train[:3])
    plans = [plan(method, source, data) for data in (target, other)]
    folders = [experiment.run(asked, tmp_path / "runs") for asked in plans]
    assert folders[0] != folders[1]
    assert not tiny.equal_weights(*(load_file(folder / "model" / model.WEIGHTS) for folder in folders))


def test_the_test_half_of_a_target_changes_nothing(source, target):
    other = replace(target, query=target.query[:1], gallery=())
    keys = {plan("target_bn", source, data).training().key for data in (target, other)}
    assert len(keys) == 1


def test_the_source_is_another_matter(source):
    keys = {
        Plan("source_only", data, scale="tiny").training().key for data in (source, relabelled(source, [1, 2, 3] * 4))
    }
    assert len(keys) == 2


def test_a_fingerprint_forgets_persons_and_outfits_but_not_frames():
    def data(person, frames=("a.jpg",), outfit=0):
        return Dataset("standin", train=(Tracklet("here", frames, person, 1, outfit),), origin={"preset": "p"})

    def unlabelled(data):
        return runs.fingerprint(runs.unlabelled(data), ["train"])

    assert unlabelled(data(3)) == unlabelled(data(UNKNOWN)) == unlabelled(data(5, outfit=2))
    assert unlabelled(data(3)) != unlabelled(data(3, ("b.jpg",)))
    assert runs.fingerprint(data(3), ["train"]) != runs.fingerprint(data(4), ["train"])


def test_source_only_does_not_read_the_target(tmp_path, source, target):
    gone = replace(target, train=tuple(replace(t, store="/nowhere") for t in target.train))
    bare, given = (Plan("source_only", source, data, scale="tiny", schedule=tiny.schedule(2)) for data in (None, gone))
    assert bare.training() == given.training()
    folders = [experiment.run(asked, tmp_path / name) for asked, name in ((bare, "a"), (given, "b"))]
    assert tiny.equal_weights(*(load_file(folder / "model" / model.WEIGHTS) for folder in folders))
