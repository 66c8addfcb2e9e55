"""GLT: the target's tracklets fall into groups, which are learned as if they were persons and refined on the way.

(Zheng et al., "Group-aware label transfer for domain adaptive person re-identification", CVPR 2021.) Stage 1 learns the
source's persons while the target passes through the same norms. In stage 2 each domain has its own norms; groups of
several numbers come from k-means, and after every epoch from an optimal transport of the tracklets to the groups.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from s2reid.batch import Clips
from s2reid.layers.average import Average
from s2reid.layers.classifier import classifier
from s2reid.layers.domain_norm import copy_norms, doubled, in_domain, specialise
from s2reid.layers.encoder import Encoder
from s2reid.layers.kmeans import kmeans
from s2reid.layers.sinkhorn import sinkhorn
from s2reid.learner import Order, Task, Terms, View
from s2reid.losses.identity import identity
from s2reid.losses.triplet import Metric, triplet
from s2reid.methods.source_only import SourceOnly, SourceOnlyLearner
from s2reid.scales import Schedule, TestSetting

SCHEDULES = {
    "small": (
        Schedule(200, 16, 4, 1, 1e-3, 0.05, optimizer="muon", warmup=20),
        Schedule(200, 16, 4, 1, 6e-4, 0.05, optimizer="muon"),
    ),
    # 80 epochs of 200 batches, the rate falls tenfold at 40 and 70; then 40 epochs of 300.
    "paper": (
        Schedule(16_000, 16, 4, 4, 3.5e-4, 5e-4, optimizer="adam", warmup=2000, milestones=(0.5, 0.875)),
        Schedule(12_000, 16, 4, 4, 3.5e-4, 5e-4, optimizer="adam", milestones=(1.0,)),
    ),
}
"""The schedules of the two stages at each scale."""
EPOCHS = {"small": 5, "paper": 40}
"""Epochs of stage 2 at each scale."""
SHARES = (8, 6, 4)
"""Tracklets in a group, where no numbers of groups are given."""


@dataclass(frozen=True)
class GLT(SourceOnly):
    """Settings, and those of source_only.

    Departures: one round of stage 2 (the release begins it anew eleven times from its last labels); the source's losses
    go on in it, and every number of groups is learned, as in the paper (the release keeps one classifier of groups and
    the triplet loss); the moving average has batch statistics of its own; a group takes 8, 6 or 4 tracklets of the
    target on average (the release: 600, 700 or 800 groups).

    Args:
        stage: 2 goes on from stage 1.
        groups: numbers of groups, of which none may exceed a quarter of the target's tracklets; () chooses them.
        sampled: which of them makes the target's batches and triplets.
        power: lambda of the label transfer.
        margin: and `metric`: of the source's triplet loss; the groups' has the soft margin and Euclidean distances.
        source: weight of the source's losses in stage 2; the release has 0.
    """

    in_one_process: ClassVar[bool] = True

    backbone: str = "glt"
    margin: float | None = None
    metric: Metric = "euclidean"
    average: float = 0.999
    test: TestSetting = TestSetting("all", flip=False)
    stage: Literal[1, 2] = 2
    groups: tuple[int, ...] = ()
    sampled: int = 1
    power: float = 25.0
    source: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.average:
            raise ValueError(
                "the setting average is 0, and groups come from the average of the weights: give a momentum"
            )
        if self.power <= 0:
            raise ValueError(f"the setting power is {self.power}, expected more than 0")
        if self.source < 0:
            raise ValueError(f"the setting source is {self.source}, expected 0 or more")
        if not 0 <= self.sampled < len(self.groups or SHARES):
            raise ValueError(
                f"the setting sampled is {self.sampled}, and there are {len(self.groups or SHARES)} groups"
            )

    @property
    def needs_target(self) -> bool:
        return True

    def schedule(self, scale: str, continues: bool = False) -> Schedule:
        """Give the schedule of this stage."""
        return SCHEDULES[scale][self.stage - 1]

    def before(self) -> "GLT | None":
        """Give stage 1 of the same method."""
        return replace(self, stage=1) if self.stage == 2 else None

    def encoder(self, scale: str) -> Encoder:
        """Build the network with its neck, and norms for each domain."""
        made = super().encoder(scale)
        specialise(made)
        return made

    def numbers(self, num_target: int) -> tuple[int, ...]:
        """Choose the numbers of groups by that of target tracklets; raise `ValueError` where they are too many."""
        numbers = self.groups or tuple(max(2, num_target // share) for share in SHARES)
        if max(numbers) > num_target // 4 or min(numbers) < 2:
            raise ValueError(
                f"{num_target} target tracklets in {max(numbers)} groups: expected 2 to {num_target // 4} groups, a "
                "quarter of the tracklets, so that a group of equal size is no single tracklet"
            )
        return numbers

    def build(self, task: Task) -> "GLTLearner":
        """Build the learner, with fresh weights; training loads stage 1 into that of stage 2."""
        return GLTLearner(self, task)


METHOD = GLT


class GLTLearner(SourceOnlyLearner):
    """The source-only learner with norms for each domain and, in stage 2, a classifier for each number of groups.

    Norms of the target serve both domains in stage 1, and are what is tested.
    """

    fresh = ("average.", "heads.", "average_heads.")
    settings: GLT
    labels: Tensor

    def __init__(self, settings: GLT, task: Task) -> None:
        super().__init__(settings, task)
        self.numbers = settings.numbers(task.num_target)  # of stage 2: what it refuses is refused before stage 1
        if settings.stage == 1:
            return
        width = self.encoder.num_features
        self.heads = nn.ModuleList(classifier(width, number, bias=False) for number in self.numbers)
        self.average_heads = Average(self.heads, settings.average)
        self.register_buffer(
            "labels", torch.zeros(len(self.numbers), task.num_target, dtype=torch.long), persistent=False
        )
        self.epoch = max(1, task.schedule.steps // EPOCHS.get(task.scale.name, 2))

    def begin(self, frames: Mapping[str, Tensor]) -> None:
        """Take over the weights of a network on single frames, with its norms for both domains."""
        super().begin(doubled(self, frames))

    def losses(self, source: Clips, target: Clips | None) -> Terms:
        """Compute `identity` and `triplet` of the source and, in stage 2, `group` and `group_triplet` of the target."""
        if target is None:
            raise ValueError("glt adapts to a target: give target clips")
        if self.settings.stage == 1:
            terms = super().losses(source, None)
            with torch.no_grad():
                self.encoder(target.pixels)
            return terms
        with in_domain(self.encoder, "source"):
            terms = super().losses(source, None) if self.settings.source else {}
        features, labels = self.encoder(target.pixels), self.labels[:, target.index]
        groups = [identity(head(features.normalised), own) for head, own in zip(self.heads, labels)]
        return {
            **{name: self.settings.source * term for name, term in terms.items()},
            "group": torch.stack(groups).mean(),
            "group_triplet": triplet(features.video, labels[self.settings.sampled], None, "euclidean"),
        }

    def follow(self) -> None:
        """Let the averages follow."""
        super().follow()
        if self.settings.stage == 2:
            self.average_heads.update(self.heads)

    def plan(self, epoch: int, seed: int, source: View, target: View | None) -> Order:
        """Group the target's tracklets: first by k-means, later by the transfer of labels; both on the averages."""
        assert target is not None
        assert self.average is not None
        if epoch == 0:
            copy_norms(self.encoder, "target", "source")
            self.average.copy(self.encoder)
        features = target.embed(torch.arange(len(target.person)))
        if epoch == 0:
            unit = functional.normalize(features, dim=1)
            labels = [kmeans(unit, number, seed) for number in self.numbers]
        else:
            scores = (functional.linear(features, head) for head in self.average_heads.network.parameters())
            labels = [sinkhorn(score.log_softmax(1), self.settings.power).argmax(1) for score in scores]
        self.labels.copy_(torch.stack(labels))
        return Order(groups=self.labels[self.settings.sampled])
