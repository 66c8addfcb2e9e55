"""What every method promises, walked over the folder."""

import json
from dataclasses import asdict, fields, replace

import numpy as np
import pytest
import torch
from tests import tiny

from s2reid import lookup, model
from s2reid.embed import Model
from s2reid.model import Card

NAMES = lookup.names("methods")
ADVERSARIAL, TAUGHT = {"frame", "video", "mixture"}, {"same_cluster", "cluster_pull"}
MINIMISED = {
    "source_only": {"identity", "triplet"},
    "target_bn": {"identity", "triplet"},
    "s2r": {"identity", "triplet", "diversity", *ADVERSARIAL, *TAUGHT},
    "s2r_released": {"identity", "triplet", "diversity", "frame", "video", *TAUGHT},
}
ELSEWHERE = {"diversity", *ADVERSARIAL, *TAUGHT}
"""Terms that a few steps on one batch need not lower: test_s2r.py follows them."""
pytestmark = pytest.mark.usefixtures("tiny_scale")


def settings(name):
    return lookup.find("methods", name).METHOD()


def train(learner, steps, seed=0):
    """Update on one batch, and list the terms before each update."""
    source, target = tiny.clips(4, 3, seed=seed), tiny.unlabelled(tiny.clips(6, 2, seed=seed + 1))
    optimizers = learner.train().optimizers(tiny.schedule(learning_rate=3e-3))
    trace = []
    for _ in range(steps):
        terms = learner.step(learner, source, target, optimizers, torch.Tensor.backward)
        trace.append({term: value.item() for term, value in terms.items()})
    return trace


def test_the_walk_covers_every_method():
    assert set(NAMES) == set(MINIMISED)
    assert len(NAMES) == 4
    assert [name for name in NAMES if settings(name).needs_target] == ["s2r", "s2r_released", "target_bn"]
    before = {name: settings(name).before() for name in NAMES}
    assert {name for name in NAMES if before[name] is None} == {"source_only", "s2r_released"}
    assert before["target_bn"] == settings("source_only")


@pytest.mark.parametrize("name", NAMES)
def test_a_few_steps_lower_every_term(name):
    trace = train(tiny.learner(name), 12)
    assert trace[0].keys() == MINIMISED[name]
    for term in MINIMISED[name] - ELSEWHERE:
        assert trace[-1][term] < 0.95 * trace[0][term], (term, [terms[term] for terms in trace])


@pytest.mark.parametrize("name", NAMES)
def test_a_saved_model_embeds_bit_for_bit_like_the_one_in_memory(name, tmp_path):
    learner = tiny.learner(name)
    train(learner, 3)
    card = Card(name, settings(name), tiny.task(), {"training": "x"})
    model.save(learner, card, tmp_path / "model")
    loaded, again = model.load(tmp_path / "model")
    assert again == card
    tracklets = [np.stack([tiny.image(person, 0, frame) for frame in range(3)]) for person in range(4)]
    expected = Model(learner, card).embed(tracklets)
    np.testing.assert_array_equal(Model(loaded, again).embed(tracklets), expected)
    assert np.abs(expected - expected[0]).max() > 0.01


@pytest.mark.parametrize("name", NAMES)
def test_settings_go_through_json(name):
    for own in (settings(name), replace(settings(name), **{"smoothing": 0.0, "margin": 0.3, "metric": "cosine"})):
        assert model.settings(name, json.loads(json.dumps(asdict(own)))) == own
    assert {field.name for field in fields(settings(name))} >= {"backbone", "test"}


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_the_same_weights_and_another_does_not(name):
    one, again, other = (tiny.learner(name, seed).state_dict() for seed in (0, 0, 1))
    assert tiny.equal_weights(one, again)
    assert not tiny.equal_weights(one, other)


@pytest.mark.parametrize("name", NAMES)
def test_the_loss_does_not_depend_on_the_order_of_the_batch(name):
    learner = tiny.learner(name).train()
    source, target = tiny.clips(), tiny.unlabelled(tiny.clips(seed=1))
    order = torch.randperm(len(source), generator=torch.Generator().manual_seed(0))
    columns = (getattr(source, column)[order] for column in ("pixels", "person", "camera", "outfit", "index"))
    expected, found = learner(source, target), learner(type(source)(*columns), target)
    for term, value in expected.items():
        if term in ADVERSARIAL:
            continue  # dropout, and combinations drawn by place
        torch.testing.assert_close(found[term], value, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_every_trained_parameter_gets_a_gradient(name):
    learner = tiny.learner(name).train()
    learner.total(learner(tiny.clips(), tiny.unlabelled(tiny.clips(seed=1)))).backward()
    trained = {n: p for n, p in learner.named_parameters() if p.requires_grad}
    assert len(trained) > 30
    assert [n for n, p in trained.items() if p.grad is None or not p.grad.isfinite().all() or not p.grad.any()] == []
