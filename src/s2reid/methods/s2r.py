"""S2R, the paper's method: synthetic persons supervise, domains are confused, a mean teacher keeps persons together.

Stage 1 trains the student with the supervised and the domain terms. Stage 2 goes on from it, with a teacher that begins
as a copy of it and the consistency terms (Sec. 3.4). Every term can be left out; the student is tested.
"""

import math
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim import Optimizer

from s2reid import optimizers as building
from s2reid.batch import Clips
from s2reid.layers.average import Average
from s2reid.layers.domain_head import DomainHead, MixtureHead
from s2reid.layers.encoder import Features
from s2reid.layers.gather import gather
from s2reid.layers.mixture import combine
from s2reid.layers.reversal import strength_at
from s2reid.layers.statistics import batch_statistics
from s2reid.layers.weighting import LossWeights
from s2reid.learner import Task, Terms
from s2reid.losses import domain
from s2reid.losses.clusters import cluster
from s2reid.losses.collapse import effective_rank, mean_cosine
from s2reid.losses.consistency import cluster_disagreement, cluster_pull, same_cluster
from s2reid.losses.infonce import infonce
from s2reid.methods.source_only import SourceOnly, SourceOnlyLearner
from s2reid.scales import Schedule

SUPERVISED = ("identity", "triplet", "diversity")
DOMAIN = ("frame", "video", "mixture")
CONSISTENCY = ("same_cluster", "cluster_pull")
TERMS = (*SUPERVISED, *DOMAIN, *CONSISTENCY)

SCHEDULES = {
    # After 800 steps on single frames (docs/decisions/0012): five minutes in all, on two cores.
    "small": (
        Schedule(200, 8, 2, 4, 5e-4, 0.05, optimizer="muon", warmup=20, final_rate=0.1),
        Schedule(200, 8, 2, 4, 5e-4, 0.05, optimizer="muon"),
    ),
    # 150 epochs of 36 batches, the rate falls tenfold at 40, 80 and 120; stage 2 begins at the first fall.
    "paper": (
        Schedule(1440, 8, 4, 4, 3e-4, 5e-4, optimizer="adam", milestones=(1.0,)),
        Schedule(3960, 8, 4, 4, 3e-5, 5e-4, optimizer="adam", milestones=(40 / 110, 80 / 110)),
    ),
}
"""The schedules of the two stages at each scale."""
SLOTS = 8
"""Segments in which a combined sequence is judged: the fixed length of Eq. (9)."""
HIDDEN = {"small": 128, "paper": 512}
"""Width of the domain heads at each scale."""


@dataclass(frozen=True)
class S2R(SourceOnly):
    """Settings.

    Departure: the neck has no shift and the classifier no bias, as in `source_only` (Luo et al. 2019); SINet's release
    trains both.

    Args:
        terms: what is minimised; leave one out to see what it does.
        stage: 2 has a teacher and goes on from stage 1, which has no consistency terms.
        statistics: whose clips the batch norms remember for the test. In training each domain is normalised by its own
            batch: the target's alone are what the student saw target clips with. "both" mixes them, as the release
            does; "source" keeps the target out.
        detached: pass features to the adaptation terms without gradient, as the public release does: then these
            train their own heads and weights only.
        judged: which features the domain heads see: "normalised", behind the neck, or "pooled", before it.
        reversal: the largest strength of the gradient reversal.
        combinations: sequences that `mixture` stitches from a batch.
        clips_combined: S, how many clips such a sequence has: one of these.
        momentum: of the teacher, Eq. (11).
        clusters: M of Eq. (13); 0 takes as many as the batch has target tracklets (16 at the paper's scale, the
            paper's M).
        temperature: of `same_cluster`.
        ramp: share of stage 2 in which the consistency terms grow to their full weight.
        weighting: of Eq. (17): "learned" with a rate of its own, or "fixed".
        weights: of identity, triplet, the domain terms and the consistency terms: where learning begins, or stays.
        weight_rate: learning rate of the learned weights: the release's. In a run of a few hundred steps they stay near
            where they begin; at thirty times the rate they took most of its weight from `identity` (results/README.md).
        diversity: weight of SINet's own `diversity` term, which is part of the backbone's recipe: the release's 0.001
            times the 8 persons that it adds up over, where ours is a mean.
    """

    backbone: str = "sinet"
    smoothing: float = 0.0
    average: float = 0.0
    terms: tuple[str, ...] = TERMS
    stage: Literal[1, 2] = 2
    statistics: Literal["source", "both", "target"] = "target"
    detached: bool = False
    judged: Literal["normalised", "pooled"] = "normalised"
    reversal: float = 1.0
    combinations: int = 32
    clips_combined: tuple[int, ...] = (2, 4, 8)
    momentum: float = 0.99
    clusters: int = 0
    temperature: float = 0.1
    ramp: float = 0.1
    weighting: Literal["learned", "fixed"] = "learned"
    weights: tuple[float, float, float, float] = (1.0, 1.0, 0.2, 0.6)
    weight_rate: float = 3e-4
    diversity: float = 0.008

    def __post_init__(self) -> None:
        super().__post_init__()
        unknown = [term for term in self.terms if term not in TERMS]
        if unknown:
            raise ValueError(f"no term named {unknown[0]!r}: there are {', '.join(TERMS)}")
        if "identity" not in self.terms:
            raise ValueError("terms lack 'identity': without it nothing says who is who; leave out another")
        if self.stage == 1 and self.is_consistent:
            raise ValueError(f"stage 1 has no teacher: leave {', '.join(CONSISTENCY)} to stage 2")
        for name in ("momentum", "ramp"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"the setting {name} is {getattr(self, name)}, expected 0 or more and less than 1")
        least = {"reversal": 0, "combinations": 1, "clusters": 0, "diversity": 0, "weight_rate": 0}
        for name, lowest in least.items():
            if getattr(self, name) < lowest:
                raise ValueError(f"the setting {name} is {getattr(self, name)}, expected {lowest} or more")
        if self.temperature <= 0:
            raise ValueError(f"the setting temperature is {self.temperature}, expected more than 0")
        if self.average:
            raise ValueError(f"the setting average is {self.average}, and s2r tests the student itself: leave it out")
        if not self.clips_combined or any(size < 1 or SLOTS % size for size in self.clips_combined):
            raise ValueError(
                f"clips_combined is {self.clips_combined}, expected divisors of {SLOTS}, such as (2, 4, 8): a combined "
                f"sequence is judged in {SLOTS} segments, each of one clip"
            )
        # The order in which terms were named changes nothing, so it must not change the key of a run either.
        object.__setattr__(self, "terms", tuple(term for term in TERMS if term in self.terms))

    @property
    def is_adversarial(self) -> bool:
        return any(term in DOMAIN for term in self.terms)

    @property
    def is_consistent(self) -> bool:
        return any(term in CONSISTENCY for term in self.terms)

    @property
    def needs_target(self) -> bool:
        return self.statistics != "source" or self.is_adversarial or self.is_consistent

    def schedule(self, scale: str, continues: bool = False) -> Schedule:
        """Give the schedule of this stage."""
        return SCHEDULES[scale][self.stage - 1]

    def before(self) -> "S2R | None":
        """Give stage 1 of the same method: all but the consistency terms, and what they look at."""
        if self.stage == 1:
            return None
        plain = {name: getattr(S2R, name) for name in ("momentum", "clusters", "temperature", "ramp")}
        return replace(self, stage=1, terms=tuple(term for term in self.terms if term not in CONSISTENCY), **plain)

    def build(self, task: Task) -> "S2RLearner":
        """Build the learner, with fresh weights; training loads stage 1 into that of stage 2."""
        return S2RLearner(self, task)


METHOD = S2R


class S2RLearner(SourceOnlyLearner):
    """Student, heads, loss weights and, in stage 2, the teacher."""

    fresh = ("teacher.", "updates")
    settings: S2R

    def __init__(self, settings: S2R, task: Task) -> None:
        super().__init__(settings, task)
        width, hidden = self.encoder.num_features, HIDDEN.get(task.scale.name, 64)
        self.steps, self.tested = task.schedule.steps, "the student"
        if "diversity" in settings.terms:
            self.projection = nn.Linear(width, width)
            nn.init.kaiming_normal_(self.projection.weight, mode="fan_out")
            nn.init.zeros_(self.projection.bias)
        self.heads = nn.ModuleDict()
        for name in ("frame", "video"):
            if name in settings.terms:
                self.heads[name] = DomainHead(width, hidden)
        if "mixture" in settings.terms:
            self.heads["mixture"] = MixtureHead(width, hidden // 2, hidden, SLOTS)
        self.teacher = Average(self.encoder, settings.momentum) if settings.is_consistent else None
        self.target_views = 2 if self.teacher else 1
        groups = ("identity", "triplet", "domain", "consistency")
        self.loss_weights = LossWeights(groups, dict(zip(groups, settings.weights)))
        self.loss_weights.requires_grad_(settings.weighting == "learned")
        self.updates: Tensor
        self.register_buffer("updates", torch.zeros((), dtype=torch.long))

    @property
    def embedder(self) -> nn.Module:
        return self.encoder

    def losses(self, source: Clips, target: Clips | None) -> Terms:
        """Compute every term of `settings.terms`; the target's labels are not looked at.

        Source and target pass through the network one after the other, each normalised by its own batch.
        """
        with self._remembering("source"):
            features = self.encoder(source.pixels).gathered()
        terms = self.supervised(features, self.gathered(source))
        self.watched = {}
        if not self.settings.needs_target:
            return terms
        if target is None:
            raise ValueError("s2r adapts to a target: give target clips")
        is_learning = self.settings.is_adversarial or self.settings.is_consistent
        with (
            self._remembering("target"),
            nullcontext() if is_learning and not self.settings.detached else torch.no_grad(),
        ):
            seen = self.encoder(target.pixels).gathered()
        if self.settings.is_adversarial:
            terms |= self.confuse(features, seen)
        if self.teacher:
            terms |= self.agree(seen, target)
        return terms

    def supervised(self, features: Features, source: Clips) -> Terms:
        """Compute the source's terms: Eq. (5), Eq. (6) and SINet's temporal diversity."""
        terms = super().supervised(features, source)
        if "diversity" in self.settings.terms:
            terms["diversity"] = infonce(self.projection(self._normalised_frames(features)), source.person)
        return {name: term for name, term in terms.items() if name in self.settings.terms}

    def confuse(self, source: Features, target: Features) -> Terms:
        """Compute the domain terms, Eq. (7) to (10), behind gradient reversal."""
        strength = self._strength()
        is_target = torch.arange(len(source.video) + len(target.video)) >= len(source.video)
        domains = is_target.to(source.video.device)
        frames = torch.cat([self._judged(source), self._judged(target)])
        frames = frames.detach() if self.settings.detached else frames
        terms: Terms = {}
        self.watched["reversal"] = torch.tensor(strength)
        if "frame" in self.heads:
            logits = self.heads["frame"](frames, strength)
            terms["frame"] = domain.frame(logits, domains)
            self.watched["frame accuracy"] = domain.domain_accuracy(logits, domains)
        if "video" in self.heads:
            logits = self.heads["video"](frames.mean(1), strength)
            terms["video"] = domain.video(logits, domains)
            self.watched["video accuracy"] = domain.domain_accuracy(logits, domains)
        if "mixture" in self.heads:
            settings = self.settings
            combined, share = combine(
                frames, is_target, settings.combinations, self._generator(), settings.clips_combined, SLOTS
            )
            predicted = self.heads["mixture"](combined, strength)
            terms["mixture"] = domain.mixture(predicted, share)
            self.watched["mixture accuracy"] = ((predicted > 0.5) == (share > 0.5)).float().mean()
        return terms

    def agree(self, student: Features, target: Clips) -> Terms:
        """Compute the consistency terms, Eq. (12) to (16).

        The teacher sees the other clip of the same tracklet: both clips of it lie side by side in the batch.
        """
        assert self.teacher is not None
        if int(self.updates) == 0:
            self.teacher.copy(self.encoder)
        with torch.no_grad(), batch_statistics(self.teacher):
            own = gather(self.teacher.network(target.pixels).normalised)
        taught = own.view(-1, 2, own.shape[1]).flip(1).flatten(0, 1)
        number = self.settings.clusters or len(own) // 2
        clusters = cluster(student.normalised, taught, number, self._generator())
        self.watched |= {
            "cluster disagreement": cluster_disagreement(clusters),
            "mean cosine": mean_cosine(student.normalised),
            "effective rank": effective_rank(student.normalised),
        }
        terms = {
            "same_cluster": same_cluster(student.normalised, clusters, self.settings.temperature),
            "cluster_pull": cluster_pull(student.normalised, clusters),
        }
        return {name: term for name, term in terms.items() if name in self.settings.terms}

    def total(self, terms: Terms) -> Float[Tensor, ""]:
        """Weigh the terms, Eq. (17): `identity`, `triplet`, the sum of the domain terms, that of the consistency terms.

        The consistency terms grow over the first steps of stage 2 (Tarvainen and Valpola 2017).
        """
        groups: Terms = {name: terms[name] for name in ("identity", "triplet") if name in terms}
        for name, members, factor in (("domain", DOMAIN, 1.0), ("consistency", CONSISTENCY, self._ramp())):
            present = [terms[member] for member in members if member in terms]
            if present:
                groups[name] = factor * torch.stack(present).sum()
        self.watched |= {f"weight of {name}": weight for name, weight in self.loss_weights.weights().items()}
        diversity = self.settings.diversity * terms["diversity"] if "diversity" in terms else 0.0
        return self.loss_weights(groups) + diversity

    def optimizers(self, schedule: Schedule) -> list[Optimizer]:
        """Build the schedule's optimizers, and Adam with its own rate for the loss weights."""
        own = {id(parameter) for parameter in self.loss_weights.parameters()}
        built = building.build((p for p in self.parameters() if id(p) not in own), schedule)
        if self.settings.weighting == "fixed":
            return built
        return [*built, torch.optim.Adam(self.loss_weights.parameters(), lr=self.settings.weight_rate)]

    def follow(self) -> None:
        """Let the teacher follow the student, Eq. (11)."""
        super().follow()
        if self.teacher:
            self.teacher.update(self.encoder)
        self.updates += 1

    def _remembering(self, domain: str) -> AbstractContextManager[None]:
        """Let the batch norms remember what passes through them, if they should."""
        return nullcontext() if self.settings.statistics in (domain, "both") else batch_statistics(self.encoder)

    def _judged(self, features: Features) -> Float[Tensor, "b t d"]:
        return self._normalised_frames(features) if self.settings.judged == "normalised" else features.frames

    def _normalised_frames(self, features: Features) -> Float[Tensor, "b t d"]:
        """Pass every frame through the neck, by the statistics of the frames at hand, which it does not remember."""
        with batch_statistics(self.encoder.neck):
            flat: Tensor = self.encoder.neck(features.frames.flatten(0, 1))
        return flat.view_as(features.frames)

    def _progress(self) -> float:
        return min(1.0, int(self.updates) / max(1, self.steps))

    def _strength(self) -> float:
        return (
            self.settings.reversal
            if self.settings.stage == 2
            else strength_at(self._progress(), self.settings.reversal)
        )

    def _ramp(self) -> float:
        grown = min(1.0, self._progress() / self.settings.ramp) if self.settings.ramp else 1.0
        return math.exp(-5 * (1 - grown) ** 2)

    def _generator(self) -> torch.Generator:
        """Seed what is random in this step by its number, so that a resumed run draws the same."""
        return torch.Generator().manual_seed(int(self.updates))
