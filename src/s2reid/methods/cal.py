"""CAL: features that do not tell what a person wears (Gu et al., "Clothes-changing person re-id", CVPR 2022).

A classifier learns the outfits from the features; the features are then moved so that it takes each outfit of a person
for any other of the same person. Where the source has one outfit a person, an outfit is a person, and all of this is a
second identity loss, on cosines.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.optim import Adam, Optimizer

from s2reid.batch import Clips
from s2reid.layers.classifier import classifier
from s2reid.layers.cosine_classifier import CosineClassifier
from s2reid.learner import Task, Terms
from s2reid.losses.identity import identity
from s2reid.losses.outfit import outfit
from s2reid.losses.triplet import triplet
from s2reid.methods.source_only import EPOCH, SourceOnly, SourceOnlyLearner
from s2reid.optimizers import build
from s2reid.scales import Schedule, TestSetting

PAPER = Schedule(150 * EPOCH, 8, 4, 8, 3.5e-4, 5e-4, optimizer="adam", milestones=(4 / 15, 8 / 15, 12 / 15))
"""150 epochs of 8 persons x 4 clips of 8 frames a batch; the rate falls after epochs 40, 80 and 120."""
DECAY = 5e-4
"""Weight decay of the outfit classifier, in the paper that of all else too."""


@dataclass(frozen=True)
class CAL(SourceOnly):
    """Settings, and those of source_only.

    Args:
        starts: share of the steps after which outfits are looked at; a third in the paper.
        scale: of the cosines that the outfit classifier compares.
        spread: share of an outfit's label that goes to all outfits of its person.
        triplet: weight of the triplet loss, which the recipe for video leaves out.
    """

    smoothing: float = 0.0
    average: float = 0.0
    test: TestSetting = TestSetting("all", flip=False)
    starts: float = 1 / 3
    scale: float = 16.0
    spread: float = 0.1
    triplet: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.stripes is not None:
            raise ValueError(f"the setting stripes is {self.stripes}, and CAL pools whole frames: leave it out")
        for name in ("starts", "spread"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"the setting {name} is {getattr(self, name)}, expected a share from 0 to 1")

    def schedule(self, scale: str, continues: bool = False) -> Schedule:
        """Give the paper's schedule at its scale, and that of source_only at others."""
        return PAPER if scale == "paper" and not continues else super().schedule(scale, continues)

    def sizes(self, scale: str) -> dict[str, Any]:
        """Give the backbone's numbers; c2d takes the largest value of each channel, as the paper's does."""
        pooled = {"stripes": 1, "pooling": "max"} if self.backbone == "c2d" else {}
        return {**super().sizes(scale), **pooled}

    def build(self, task: Task) -> "CALLearner":
        """Build the learner, with fresh weights."""
        return CALLearner(self, task)


METHOD = CAL


class CALLearner(SourceOnlyLearner):
    """The source-only learner with a classifier of outfits, which has its own optimizer.

    Departure: the features see the outfit classifier as the last step left it, not as this step's batch has just
    changed it: one forward pass and one backward pass serve both.
    """

    def __init__(self, settings: CAL, task: Task) -> None:
        super().__init__(settings, task)
        self.settings: CAL = settings
        self.encoder.neck.bias.requires_grad_()
        self.classifier = classifier(self.encoder.num_features, task.num_persons)
        counts = torch.tensor(task.outfits or [1] * task.num_persons)
        self.outfits = CosineClassifier(self.encoder.num_features, int(counts.sum()), settings.scale)
        self.wearer: Tensor
        self.register_buffer("wearer", torch.arange(len(counts)).repeat_interleave(counts), persistent=False)
        self.updates: Tensor
        self.register_buffer("updates", torch.zeros((), dtype=torch.long))
        self.first = round(settings.starts * task.schedule.steps)
        if not task.outfits:
            self.tested += ", with CAL as a second identity loss (the source has one outfit a person)"

    @property
    def has_started(self) -> bool:
        """Say whether outfits are looked at yet."""
        return int(self.updates) >= self.first

    def losses(self, source: Clips, target: Clips | None) -> Terms:
        """Compute `identity`; `outfit_classifier`, which moves that alone; and `outfit`, which moves features alone.

        The last two are zero until they start; the target is not looked at.
        """
        settings, seen = self.settings, self.encoder(source.pixels).gathered()
        features = seen.normalised
        source = self.gathered(source)
        known, told = self.outfits(features.detach()), self.outfits(features, is_fixed=True)
        terms = {
            "identity": identity(self.classifier(features), source.person, settings.smoothing),
            "outfit_classifier": self.has_started * functional.cross_entropy(known, source.outfit),
            "outfit": self.has_started * outfit(told, source.outfit, self.wearer, settings.spread),
        }
        if settings.triplet:
            compared = features if settings.metric == "cosine" else seen.video
            terms["triplet"] = settings.triplet * triplet(compared, source.person, settings.margin, settings.metric)
        return terms

    def optimizers(self, schedule: Schedule) -> list[Optimizer]:
        """Build the schedule's optimizers for all but the outfit classifier, and as the last one Adam for that."""
        own = list(self.outfits.parameters())
        others = [parameter for parameter in self.parameters() if parameter is not self.outfits.weight]
        return [*build(others, schedule), Adam(own, lr=schedule.learning_rate, weight_decay=DECAY)]

    def step(
        self,
        forward: Callable[[Clips, Clips | None], Terms],
        source: Clips,
        target: Clips | None,
        optimizers: Sequence[Optimizer],
        backward: Callable[[Tensor], None],
    ) -> Terms:
        """Update once; the outfit classifier's optimizer waits until its loss starts, and keeps its rate."""
        for group in optimizers[-1].param_groups:
            group["lr"] = optimizers[-1].defaults["lr"]
        used = optimizers if self.has_started else optimizers[:-1]
        return super().step(forward, source, target, used, backward)

    def follow(self) -> None:
        """Let the moving average follow, and count."""
        super().follow()
        self.updates += 1
