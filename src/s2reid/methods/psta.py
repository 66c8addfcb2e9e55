"""PSTA, trained on the source alone by its authors' recipe (Wang et al. 2021): a head for each level of the pyramid."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from s2reid.backbones import psta
from s2reid.batch import Clips
from s2reid.layers.classifier import classifier
from s2reid.layers.gather import gather
from s2reid.learner import Task, Terms
from s2reid.losses.identity import identity
from s2reid.losses.triplet import triplet
from s2reid.methods.source_only import EPOCH, SourceOnly, SourceOnlyLearner
from s2reid.scales import Schedule, TestSetting

NUM_FRAMES = 8
"""Frames of a clip, in training and in a test: three times halved, one is left."""


@dataclass(frozen=True)
class PSTA(SourceOnly):
    """Settings: the release's.

    Departure: clips are drawn and varied as every method's are (the release: frames eight apart, no zoom or shift). A
    test looks at every frame, as the release does for DukeMTMC-VideoReID (for MARS: at the first 64 only).
    """

    backbone: str = "psta"
    average: float = 0.0
    test: TestSetting = TestSetting("all", flip=False)

    def schedule(self, scale: str, continues: bool = False) -> Schedule:
        """Give 500 epochs at paper scale, with the release's five milestones.

        A step at small scale has 128 images, in 16 clips: 64 would be 8 clips, too few to compare.
        """
        whole = replace(super().schedule(scale, continues), num_frames=NUM_FRAMES)
        if scale == "small" and not continues:  # what stands on the ResNet is fresh
            return replace(whole, learning_rate=1e-3)
        if scale != "paper" or continues:
            return whole
        milestones = tuple(epoch / 500 for epoch in (70, 140, 210, 310, 410))
        longer = replace(whole, steps=500 * EPOCH, warmup=10 * EPOCH, learning_rate=3.5e-4)
        return replace(longer, milestones=milestones, fall=0.3)

    def build(self, task: Task) -> "PSTALearner":
        """Build the learner, with fresh weights; raise `ValueError` for another backbone."""
        return PSTALearner(self, task)


METHOD = PSTA


class PSTALearner(SourceOnlyLearner):
    """A neck and a classifier for each level; those of the last are the ones of a source-only learner."""

    def __init__(self, settings: PSTA, task: Task) -> None:
        super().__init__(settings, task)
        if not isinstance(self.backbone, psta.PSTA):
            raise ValueError(
                f"the method psta trains the levels of its own backbone, and was given {settings.backbone}"
            )
        self.clip_length = NUM_FRAMES
        width, lower = self.encoder.num_features, range(len(self.backbone.levels) - 1)
        self.necks = nn.ModuleList(_without_shift(nn.BatchNorm1d(width)) for _ in lower)
        _without_shift(self.encoder.neck)
        self.classifier = classifier(width, task.num_persons)
        self.classifiers = nn.ModuleList(classifier(width, task.num_persons) for _ in lower)

    def losses(self, source: Clips, target: Clips | None) -> Terms:
        """Compute `identity` and `triplet`, each the mean over the levels; the target is not looked at."""
        levels: Sequence[Tensor] = self.backbone.branches(self.encoder.normalise(source.pixels)).unbind(1)  # type: ignore
        necks, classifiers = (*self.necks, self.encoder.neck), (*self.classifiers, self.classifier)
        normalised = [gather(neck(level)) for neck, level in zip(necks, levels)]
        levels, source = [gather(level) for level in levels], self.gathered(source)
        logits = [one(level) for one, level in zip(classifiers, normalised)]
        settings, person = self.settings, source.person
        compared = normalised if settings.metric == "cosine" else levels
        triplets = [triplet(level, person, settings.margin, settings.metric) for level in compared]
        return {
            "identity": torch.stack([identity(one, person, settings.smoothing) for one in logits]).mean(),
            "triplet": torch.stack(triplets).mean(),
        }


def _without_shift(neck: nn.BatchNorm1d) -> nn.BatchNorm1d:
    nn.init.ones_(neck.weight)
    neck.bias.requires_grad_(False)
    return neck
