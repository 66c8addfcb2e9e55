"""Target BN: a trained model goes on for a few steps while target clips pass through it too, with no loss of their own.

The only way from the target into the tested network is its batch-norm statistics, which end as a mixture of both
domains. It is the control that any adaptation loss has to beat.
"""

from dataclasses import dataclass

import torch

from s2reid.batch import Clips
from s2reid.learner import Task, Terms
from s2reid.methods.source_only import SourceOnly, SourceOnlyLearner
from s2reid.scales import Schedule


@dataclass(frozen=True)
class TargetBN(SourceOnly):
    """Settings: those of source_only, whose model it continues.

    The moving average is shorter, so that after a few dozen steps nothing of it is from before the target was seen.
    """

    average: float = 0.9

    @property
    def needs_target(self) -> bool:
        return True

    def schedule(self, scale: str, continues: bool = True) -> Schedule:
        """Give the schedule of a model that is continued."""
        return super().schedule(scale, continues=True)

    def before(self) -> SourceOnly:
        """Give the source-only settings that fit."""
        kept = ("backbone", "smoothing", "margin", "metric", "test", "blocks", "stripes", "ibn")
        return SourceOnly(**{name: getattr(self, name) for name in kept})

    def build(self, task: Task) -> "TargetBNLearner":
        """Build the learner; training loads the source-only weights into it."""
        return TargetBNLearner(self, task)


METHOD = TargetBN


class TargetBNLearner(SourceOnlyLearner):
    """The source-only learner, whose batch norms also see the target."""

    def losses(self, source: Clips, target: Clips | None) -> Terms:
        """Compute the source's losses, then let the target pass through the network in training mode."""
        if target is None:
            raise ValueError("target_bn needs target clips: give a target")
        terms = super().losses(source, target)
        with torch.no_grad():
            self.encoder(target.pixels)
        return terms
