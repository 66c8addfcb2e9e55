"""CAL: who learns what from which term, and when."""

from dataclasses import replace

import pytest
import torch
from tests import tiny
from tests.test_resume import Killed, kill_at

from s2reid import experiment, forecast, model
from s2reid.embed import load_model
from s2reid.experiment import Plan
from s2reid.learner import Task
from s2reid.losses.identity import identity
from s2reid.losses.triplet import triplet
from s2reid.methods.cal import CAL
from s2reid.methods.source_only import SCHEDULES
from s2reid.train import Options, fit
from s2reid.video.augment import Augmentation

pytestmark = pytest.mark.usefixtures("tiny_scale")


def dressed_task(steps=4):
    """Four persons with 2, 1, 3 and 1 outfits."""
    return Task(tiny.SCALE, tiny.schedule(steps), 4, (2, 1, 3, 1))


def dressed(steps=4, **settings):
    torch.manual_seed(0)
    return CAL(**settings).build(dressed_task(steps)).train()


def dressed_clips(seed=0):
    """Two clips of each of the persons 0, 1 and 2, in outfits 0 and 1, 2 and 2, 3 and 5."""
    return replace(tiny.clips(seed=seed), outfit=torch.tensor([0, 1, 2, 2, 3, 5]))


def update(learner, steps, rate=1.0):
    optimizers = learner.optimizers(tiny.schedule())
    states = []
    for step in range(steps):
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate * 3e-3
        terms = learner.step(learner, dressed_clips(step), None, optimizers, torch.Tensor.backward)
        states.append((terms, {name: value.clone() for name, value in learner.state_dict().items()}))
    return states


def test_a_wearer_for_each_outfit():
    learner = dressed()
    assert learner.wearer.tolist() == [0, 0, 1, 2, 2, 2, 3]
    assert len(learner.outfits.weight) == 7
    assert "wearer" not in learner.state_dict()


@pytest.mark.parametrize("term", ["outfit", "outfit_classifier"])
def test_the_classifier_learns_from_its_own_term_alone_and_the_features_from_the_other(term):
    learner = dressed(starts=0.0)
    learner.losses(dressed_clips(), None)[term].backward()
    moved = {name.split(".")[0] for name, p in learner.named_parameters() if p.grad is not None and p.grad.any()}
    assert moved == {"outfit": {"encoder"}, "outfit_classifier": {"outfits"}}[term]


def test_until_it_starts_nothing_but_identity_counts():
    late, never = update(dressed(starts=0.5), 4), update(dressed(starts=1.0), 4)
    for (terms, state), (others, other) in zip(late[:2], never[:2]):
        assert terms["outfit"] == terms["outfit_classifier"] == others["outfit"] == 0
        assert tiny.equal_weights(state, other)
    first = dressed().state_dict()["outfits.weight"]
    assert torch.equal(never[3][1]["outfits.weight"], first)
    assert torch.equal(late[1][1]["outfits.weight"], first)
    assert late[2][0]["outfit"] > 0
    assert not torch.equal(late[2][1]["outfits.weight"], first)
    assert not torch.equal(late[2][1]["encoder.neck.weight"], never[2][1]["encoder.neck.weight"])


def test_only_the_outfit_classifier_keeps_its_rate():
    one, other = (update(dressed(starts=0.0), 1, rate)[0][1] for rate in (1.0, 0.0))
    assert torch.equal(one["outfits.weight"], other["outfits.weight"])
    assert not torch.equal(one["classifier.weight"], other["classifier.weight"])
    assert torch.equal(other["classifier.weight"], dressed().state_dict()["classifier.weight"])


def test_with_one_outfit_a_person_it_is_a_second_identity_loss_and_says_so():
    learner, clips = tiny.learner("cal").train(), tiny.clips()
    terms = learner.losses(clips, None)
    features = learner.train().encoder(clips.pixels).normalised
    torch.testing.assert_close(terms["outfit"], identity(learner.outfits(features), clips.person))
    said = "the trained network, with CAL as a second identity loss (the source has one outfit a person)"
    assert learner.tested == said
    assert dressed().tested == "the trained network"


def test_the_triplet_loss_counts_where_it_has_a_weight():
    half, whole = (dressed(triplet=weight).losses(dressed_clips(), None)["triplet"] for weight in (0.5, 1.0))
    assert whole > 0
    torch.testing.assert_close(2 * half, whole)
    assert "triplet" not in dressed().losses(dressed_clips(), None)


def test_the_papers_network_and_schedule():
    encoder = CAL().encoder("small")
    assert (encoder.backbone.stripes, encoder.num_features) == (1, 256)
    assert tiny.learner("cal").encoder.neck.bias.requires_grad
    assert CAL().schedule("paper").num_frames == 8
    assert CAL().schedule("small") == SCHEDULES["small"]
    assert [CAL().schedule("paper").rate(36 * epoch) for epoch in (39, 40, 80, 120)] == pytest.approx(
        [1, 0.1, 0.01, 0.001]
    )


@pytest.fixture
def wardrobe(source):
    """A source of four persons, the first two with several outfits."""
    worn = [replace(t, outfit=4 * (t.camera % 2)) if t.person < 2 else t for t in source.train]
    return replace(source, train=tuple(worn))


def test_a_source_with_outfits_from_training_to_a_model_on_disk(tmp_path, wardrobe, target):
    assert wardrobe.outfits == (2, 2, 1, 1)
    plan = Plan("cal", wardrobe, scale="tiny", steps=3, settings={"starts": 0.0})
    assert "3 steps" in forecast.cost(plan, tmp_path)
    folder = experiment.run(plan, tmp_path)
    card = model.read_card(folder / "model")
    assert card.task.outfits == (2, 2, 1, 1)
    assert load_model(folder / "model").learner.outfits.weight.shape[0] == 6
    assert experiment.evaluate(folder / "model", target)[0]["test"].endswith("in clips of 2, the trained network")


def test_a_killed_run_ends_with_the_same_bits(tmp_path, wardrobe):
    def run(folder, report=lambda progress: None):
        learner = dressed(6, starts=0.5)
        task = Task(tiny.SCALE, tiny.schedule(6), 4, (2, 1, 3, 1))
        fit(learner, task, wardrobe.train, None, folder, Augmentation(), Options(0, 0, 2), report)
        return learner.state_dict()

    whole = run(tmp_path / "whole")
    for step in (3, 6):
        with pytest.raises(Killed):
            run(tmp_path / str(step), kill_at(step))
        assert tiny.equal_weights(run(tmp_path / str(step)), whole)


def test_a_euclidean_triplet_loss_compares_what_is_before_the_neck():
    learner = dressed(triplet=1.0, metric="euclidean")
    found = learner.losses(dressed_clips(), None)["triplet"]
    torch.manual_seed(0)
    seen = learner.encoder(dressed_clips().pixels)
    torch.testing.assert_close(found, triplet(seen.video, dressed_clips().person, 0.3, "euclidean"))


def test_stripes_are_refused():
    with pytest.raises(ValueError, match="the setting stripes is 2, and CAL pools whole frames: leave it out"):
        CAL(stripes=2)


@pytest.mark.parametrize("name", ["starts", "spread"])
def test_shares_are_checked(name):
    with pytest.raises(ValueError, match=f"the setting {name} is 1.5, expected a share from 0 to 1"):
        CAL(**{name: 1.5})


def test_outfits_are_counted_for_all_persons():
    with pytest.raises(ValueError, match="outfits are counted for 3 of 4 persons: count all"):
        Task(tiny.SCALE, tiny.schedule(), 4, (1, 2, 1))
