"""AP3D, trained on the source alone by its authors' recipe (Gu et al. 2020); its non-local variant is a setting."""

from dataclasses import dataclass, replace

from s2reid.layers.classifier import classifier
from s2reid.learner import Task
from s2reid.methods.source_only import EPOCH, SourceOnly, SourceOnlyLearner
from s2reid.scales import Schedule, TestSetting


@dataclass(frozen=True)
class AP3D(SourceOnly):
    """Settings: the release's; `backbone=ap3d_nl` is the variant with non-local blocks.

    Departure: clips are drawn, varied and cut for a test as every method's are: a training clip spans its tracklet
    (the release: four frames, eight apart) and part of it may be erased; a test's clips have 4 frames each, spread over
    the tracklet (the release: 32 in a row).
    """

    backbone: str = "ap3d"
    smoothing: float = 0.0
    average: float = 0.0
    test: TestSetting = TestSetting("all", flip=False)

    def schedule(self, scale: str, continues: bool = False) -> Schedule:
        """Give 240 epochs at paper scale, with a tenth of the rate after every quarter."""
        whole = super().schedule(scale, continues)
        return replace(whole, steps=240 * EPOCH) if scale == "paper" and not continues else whole

    def build(self, task: Task) -> "AP3DLearner":
        """Build the learner, with fresh weights."""
        return AP3DLearner(self, task)


METHOD = AP3D


class AP3DLearner(SourceOnlyLearner):
    """The source-only learner, whose neck and classifier have a trained shift."""

    def __init__(self, settings: AP3D, task: Task) -> None:
        super().__init__(settings, task)
        self.encoder.neck.bias.requires_grad_()
        self.classifier = classifier(self.encoder.num_features, task.num_persons)
