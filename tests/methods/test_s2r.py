"""The paper's method: what each term does, what the teacher is, and what stage 2 takes over."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tests import tiny

from s2reid import experiment, model
from s2reid.experiment import Plan
from s2reid.methods.s2r import CONSISTENCY, DOMAIN, S2R, SUPERVISED, TERMS
from s2reid.methods.s2r_released import S2RReleased
from s2reid.train import Options, read_log
from s2reid.types import Dataset

pytestmark = pytest.mark.usefixtures("tiny_scale")
ADAPTING = (*DOMAIN, *CONSISTENCY)


def learner(method="s2r", steps=8, seed=0, **settings):
    torch.manual_seed(seed)
    return model.settings(method, settings).build(tiny.task(steps)).train()


def batches(seed=0, tracklets=6):
    """Draw source clips, and target clips with stripes and little colour, two of each tracklet."""
    source, target = tiny.clips(3, 2, seed=seed), tiny.unlabelled(tiny.clips(tracklets, 2, seed=seed + 1))
    faint = 100 + (target.pixels.float() - 128) / 3
    faint[..., ::4, :] += 100
    return source, replace(target, pixels=faint.clamp(0, 255).byte())


def run(student, steps, learning_rate=3e-3, tracklets=6):
    """Update on new batches, and list what was watched and minimised."""
    optimizers = student.optimizers(tiny.schedule(learning_rate=learning_rate))
    trace = []
    for step in range(steps):
        terms = student.step(student, *batches(10 * (step % 3), tracklets), optimizers, torch.Tensor.backward)
        trace.append({name: float(value.detach()) for name, value in (terms | student.watched).items()})
    return trace


def middle(student):
    """Bring a learner into the middle of its schedule, with weights off their start."""
    tiny.perturb(student)
    student.updates.fill_(student.steps // 2)
    if student.teacher:
        student.teacher.copy(student.encoder)
        tiny.perturb(student.encoder, seed=1)
    return student


def test_all_terms_of_the_paper_are_there():
    source, target = batches()
    student = learner()
    assert tuple(sorted(student(source, target))) == tuple(sorted(TERMS))
    assert len(TERMS) == 8
    assert {"cluster disagreement", "mean cosine", "effective rank"} <= student.watched.keys()


@pytest.mark.parametrize("term", ADAPTING)
@pytest.mark.parametrize("method", ["s2r", "s2r_released"])
def test_each_adaptation_term_alone_sends_a_gradient_into_the_backbone_and_the_release_s_sends_none(method, term):
    if method == "s2r_released" and term == "mixture":
        pytest.skip("the release has no such term")
    student = middle(learner(method))
    student(*batches())[term].backward() if method == "s2r" else None
    if method == "s2r":
        norms = [p.grad.norm() for p in student.encoder.backbone.parameters() if p.grad is not None]
        assert torch.stack(norms).norm() > 1e-6
        return
    value = student(*batches())[term]
    if value.requires_grad:
        value.backward()
    assert all(p.grad is None or not p.grad.any() for p in student.encoder.parameters())


def test_the_reversed_gradient_is_the_negative_of_the_one_without_reversal():
    def gradient(strength):
        student = middle(learner(terms=(*SUPERVISED, "video"), reversal=strength, stage=2))
        student.heads.eval()  # no dropout
        student(*batches())["video"].backward()
        return torch.cat([p.grad.flatten() for p in student.encoder.backbone.parameters()])

    whole, half = gradient(1.0), gradient(0.5)
    scale = experiment_strength(0.5) / experiment_strength(1.0)
    torch.testing.assert_close(half, whole * scale, rtol=1e-3, atol=1e-7)
    assert not gradient(0.0).any()


def experiment_strength(cap):
    from s2reid.layers.reversal import strength_at

    return strength_at(1.0, cap)


@pytest.mark.parametrize("judged", ["pooled", "normalised"])
def test_domains_can_be_told_apart_without_reversal_and_less_with_it(judged):
    found = {}
    for strength in (0.0, 1.0):
        student = learner(terms=("identity", "frame", "video"), reversal=strength, weighting="fixed", judged=judged)
        trace = run(student, 60, tracklets=3)
        found[strength] = [np.mean([row[f"{kind} accuracy"] for row in trace[-15:]]) for kind in ("frame", "video")]
    assert min(found[0.0]) > 0.6, found
    assert max(found[1.0]) < 0.55, found
    assert all(hidden < free - 0.1 for hidden, free in zip(found[1.0], found[0.0])), found


def test_the_teacher_and_the_student_come_to_agree():
    trace = run(learner(ramp=0.0, momentum=0.5), 60)
    early, late = (np.mean([row["same_cluster"] for row in part]) for part in (trace[:8], trace[-8:]))
    assert late < early, (early, late)
    early, late = (np.mean([row["cluster disagreement"] for row in part]) for part in (trace[:8], trace[-8:]))
    assert late < early, (early, late)


def test_the_teacher_begins_as_the_student_follows_it_and_is_never_trained():
    student = learner(momentum=0.9)
    optimizers = student.optimizers(tiny.schedule())
    held = {id(p) for optimizer in optimizers for group in optimizer.param_groups for p in group["params"]}
    assert not any(id(p) in held or p.requires_grad for p in student.teacher.network.parameters())
    tiny.perturb(student.encoder)
    before = {name: value.clone() for name, value in student.encoder.state_dict().items()}
    student(*batches())
    moved = ("running_mean", "running_var", "num_batches_tracked")  # by the forward pass, before the copy
    own = student.teacher.network.state_dict()
    assert all(torch.equal(own[name], value) for name, value in before.items() if not name.endswith(moved))

    for step in range(4):
        past = [p.clone() for p in student.teacher.network.parameters()]
        student.step(student, *batches(step), optimizers, torch.Tensor.backward)
        keep = min(0.9, step / (step + 1))  # alpha_t = min(1 - 1 / (t + 1), 0.9)
        for mine, old, theirs in zip(student.teacher.network.parameters(), past, student.encoder.parameters()):
            torch.testing.assert_close(mine, keep * old + (1 - keep) * theirs, rtol=1e-4, atol=1e-6)


def test_the_teacher_s_statistics_follow_by_average_and_its_forward_pass_leaves_them():
    student = learner(momentum=0.5)
    run(student, 3)
    held = {name: b.clone() for name, b in student.teacher.network.named_buffers()}
    student(*batches())
    assert len(held) > 10
    assert all(torch.equal(b, held[name]) for name, b in student.teacher.network.named_buffers())


def test_the_teacher_is_shown_the_other_clip_of_the_same_tracklet():
    student = middle(learner(terms=("identity", "same_cluster"), clusters=6))
    source, target = batches()
    swapped = replace(target, pixels=target.pixels.unflatten(0, (-1, 2)).flip(1).flatten(0, 1))
    seen = []
    student.teacher.network.register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    student(source, target)
    assert torch.equal(seen[0], target.pixels)
    assert not torch.equal(seen[0], swapped.pixels)
    assert student.target_views == 2
    assert learner(stage=1, terms=SUPERVISED).target_views == 1


def test_what_is_minimised_is_the_weighted_sum_of_the_groups():
    source, target = batches()
    student = learner(weighting="fixed", weights=(1.0, 0.5, 0.2, 0.6), ramp=0.0)
    terms = student(source, target)
    domain, consistency = (sum(terms[name] for name in names) for names in (DOMAIN, CONSISTENCY))
    groups = ((1.0, terms["identity"]), (0.5, terms["triplet"]), (0.2, domain), (0.6, consistency))
    expected = sum(w * t - np.log(w) for w, t in groups) + 0.008 * terms["diversity"]
    torch.testing.assert_close(student.total(terms), expected)


def test_consistency_grows_over_the_ramp():
    student = learner(steps=100, ramp=0.5)
    found = []
    for update in (0, 25, 50, 99):
        student.updates.fill_(update)
        found.append(student._ramp())
    assert found == pytest.approx([np.exp(-5), np.exp(-5 * 0.25), 1.0, 1.0])


def test_the_reversal_grows_over_stage_1_and_is_whole_in_stage_2():
    first, second = learner(stage=1, terms=(*SUPERVISED, *DOMAIN), steps=100), learner(steps=100)
    grown = []
    for update in (0, 10, 99):
        first.updates.fill_(update)
        grown.append(first._strength())
    assert grown == pytest.approx([0.0, 0.4621, 0.9999], abs=1e-3)
    assert second._strength() == pytest.approx(1.0, abs=1e-3)


def test_learned_weights_move_by_a_rate_of_their_own_and_fixed_ones_stay():
    learned, fixed = learner(), learner(weighting="fixed")
    before = dict(learned.loss_weights.weights())
    for student in (learned, fixed):
        run(student, 5)
    assert {name: float(w) for name, w in fixed.loss_weights.weights().items()} == pytest.approx(
        {"identity": 1.0, "triplet": 1.0, "domain": 0.2, "consistency": 0.6}
    )
    moved = {name: abs(float(w) - float(before[name])) for name, w in learned.loss_weights.weights().items()}
    assert min(moved.values()) > 1e-4
    assert learned.optimizers(tiny.schedule())[-1].param_groups[0]["lr"] == S2R().weight_rate


def running_mean(settings, pixels):
    """Pass a batch whose source and target are drawn by their own numbers; return the tested mean of the first norm."""
    student = learner(**settings)
    source, target = (batches(number)[place] for place, number in enumerate(pixels))
    student(source, target if student.settings.needs_target else None)
    return dict(student.encoder.named_buffers())["backbone.resnet.bn1.running_mean"].clone()


@pytest.mark.parametrize("terms", [("identity",), ("identity", "video"), ("identity", "same_cluster")])
@pytest.mark.parametrize("remembered", ["source", "both", "target"])
def test_the_tested_statistics_are_of_whom_they_should_be(remembered, terms):
    settings = {"terms": terms, "statistics": remembered}
    first = running_mean(settings, (1, 1))
    assert torch.equal(first, running_mean(settings, (2, 1))) is (remembered == "target")
    assert torch.equal(first, running_mean(settings, (1, 2))) is (remembered == "source")


def test_the_student_is_tested():
    student = learner()
    run(student, 2)
    assert student.embedder is student.encoder
    assert student.tested == "the student"
    pixels = batches()[0].pixels
    with torch.no_grad():
        expected = student.eval().encoder(pixels).normalised
    assert torch.equal(student.encode(pixels), expected)


# Stages


def plan(source, target, **settings):
    return Plan("s2r", source, target, scale="tiny", settings=settings, steps=6)


def test_stage_2_goes_on_from_the_student_heads_and_weights_of_stage_1(tmp_path, source, target):
    asked = plan(source, target)
    untouched = replace(asked, steps=0)
    folder = experiment.run(replace(untouched, start=experiment.run(asked.before(), tmp_path) / "model"), tmp_path)
    first = load_file(tmp_path / asked.before().training().key / "model" / model.WEIGHTS)
    second = load_file(folder / "model" / model.WEIGHTS)
    shared = first.keys() - {"updates"}
    assert len(shared) > 40
    assert all(torch.equal(first[name], second[name]) for name in shared)
    assert first["updates"] == asked.before().resolved()[1].steps
    assert second["updates"] == 0
    assert {name.split(".")[0] for name in second.keys() - first.keys()} == {"teacher"}


def test_rows_share_a_stage_1_by_their_terms(source, target):
    keys = {
        without: plan(source, target, terms=[t for t in TERMS if t != without]).before().training().key
        for without in (None, *CONSISTENCY, *DOMAIN)
    }
    assert len({keys[name] for name in (None, *CONSISTENCY)}) == 1
    assert len(set(keys.values())) == 4
    other = plan(source, target, momentum=0.5).before()
    assert other.training().key == keys[None]


def test_a_run_logs_what_was_watched(tmp_path, source, target):
    folder = experiment.run(plan(source, target), tmp_path)
    lines = read_log(folder / "log.jsonl")
    assert lines[-1]["terms"].keys() == set(TERMS)
    assert {"cluster disagreement", "weight of domain", "frame accuracy", "effective rank"} <= lines[-1][
        "watched"
    ].keys()
    assert json.loads((folder / "run.json").read_text())["training"]["continues"]


def test_a_kill_in_the_middle_of_stage_2_changes_nothing(tmp_path, source, target):
    class Killed(BaseException):
        pass

    def kill(progress):
        if progress.step == 5 and "same_cluster" in progress.terms:
            raise Killed

    whole = experiment.run(plan(source, target), tmp_path / "whole", Options(checkpoint_every=2))
    with pytest.raises(Killed):
        experiment.run(plan(source, target), tmp_path / "killed", Options(checkpoint_every=2), kill)
    again = experiment.run(plan(source, target), tmp_path / "killed", Options(checkpoint_every=2))
    assert again.name == whole.name
    assert tiny.equal_weights(*(load_file(f / "model" / model.WEIGHTS) for f in (whole, again)))


def test_the_release_is_one_stage_of_as_many_steps():
    own, both = S2RReleased(), (S2R().before(), S2R())
    for scale in ("small", "paper"):
        assert own.schedule(scale).steps == sum(settings.schedule(scale).steps for settings in both)
    assert own.before() is None
    assert "mixture" not in own.terms
    milestones = own.schedule("paper").milestones
    assert [round(share * 5400 / 36) for share in milestones] == [40, 80, 120]
    assert S2RReleased.schedule(own, "paper").learning_rate == 3e-4


# Targets that are hardly there


@pytest.mark.parametrize("kept", [1, 2, 3])
def test_a_target_of_few_tracklets_is_enough(tmp_path, source, target, kept):
    few = replace(target, train=target.train[:kept])
    folder = experiment.run(plan(source, few), tmp_path)
    weights = load_file(folder / "model" / model.WEIGHTS)
    assert all(value.isfinite().all() for value in weights.values() if value.is_floating_point())


def test_one_camera_is_enough(tmp_path, source, target):
    one = replace(target, train=tuple(t for t in target.train if t.camera == target.train[0].camera))
    assert (experiment.run(plan(source, one), tmp_path) / "model").is_dir()


def test_clips_that_are_all_alike_give_finite_terms():
    student = learner(clusters=16)
    source, target = batches()
    alike = replace(target, pixels=target.pixels[:1].expand_as(target.pixels).clone())
    terms = student(source, alike)
    student.total(terms).backward()
    assert all(term.isfinite() for term in terms.values())
    assert all(p.grad is None or p.grad.isfinite().all() for p in student.parameters())


# What is refused


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"terms": ["identity", "style"]}, "no term named 'style': there are identity, triplet, diversity, frame"),
        ({"terms": ["triplet"]}, "terms lack 'identity'"),
        ({"stage": 1}, "stage 1 has no teacher: leave same_cluster, cluster_pull to stage 2"),
        ({"momentum": 1.0}, "the setting momentum is 1.0, expected 0 or more and less than 1"),
        ({"ramp": -0.1}, "the setting ramp is -0.1"),
        ({"clips_combined": [3]}, r"clips_combined is \(3,\), expected divisors of 8"),
        ({"reversal": -1}, "the setting reversal is -1.0, expected 0 or more"),
        ({"combinations": 0}, "the setting combinations is 0, expected 1 or more"),
        ({"clusters": -3}, "the setting clusters is -3, expected 0 or more"),
        ({"temperature": 0}, "the setting temperature is 0.0, expected more than 0"),
        ({"average": 0.99}, "the setting average is 0.99, and s2r tests the student itself: leave it out"),
        ({"weights": [1, 1]}, r"the setting weights of s2r is \[1, 1\], expected tuple\[float, float, float, float\]"),
        ({"weights": []}, r"the setting weights of s2r is \[\], expected tuple"),
        ({"weights": ["a", 1, 1, 1]}, r"the setting weights of s2r is \['a', 1, 1, 1\], expected tuple"),
        ({"clips_combined": ["a"]}, r"the setting clips_combined of s2r is \['a'\], expected tuple\[int, ...\]"),
        ({"stage": 3}, "the setting stage of s2r is 3, expected 1 or 2"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        model.settings("s2r", settings)


def test_a_target_must_be_given(source):
    with pytest.raises(ValueError, match="s2r adapts to a target, and none was given"):
        Plan("s2r", source, scale="tiny").training()
    with pytest.raises(ValueError, match="tiny-target has no training tracklets"):
        Plan("s2r", source, Dataset("tiny-target"), scale="tiny").training()
    with pytest.raises(ValueError, match="s2r adapts to a target: give target clips"):
        learner()(batches()[0], None)


def test_a_model_of_another_method_cannot_be_continued(tmp_path, source, target):
    other = experiment.run(Plan("source_only", source, scale="tiny", steps=1), tmp_path) / "model"
    with pytest.raises(ValueError, match=r"s2r continues a model of s2r, and .* is one of source_only"):
        replace(plan(source, target), start=other).training()


def test_the_order_of_terms_changes_no_key():
    one, other = S2R(terms=TERMS[::-1]), S2R()
    assert one == other
    assert asdict(one)["terms"] == TERMS
