"""Source only: learn the synthetic persons and never look at the target; the floor that adaptation starts from."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from s2reid import lookup
from s2reid.batch import Clips
from s2reid.layers.average import Average
from s2reid.layers.classifier import classifier
from s2reid.layers.encoder import Encoder, Features
from s2reid.learner import Learner, Pretrainable, Task, Terms
from s2reid.losses.identity import identity
from s2reid.losses.triplet import Metric, triplet
from s2reid.scales import Schedule, TestSetting

EPOCH = 36
"""Batches of 8 persons x 4 clips in an epoch of the paper's source."""
SCHEDULES = {
    # 64 images a step, the last quarter of the steps at full size.
    "small": Schedule(800, 32, 2, 1, 6e-3, 0.05, optimizer="muon", warmup=50, sizes=((0.75, 0.75), (0.25, 1.0))),
    # SINet's recipe, 160 epochs.
    "paper": Schedule(160 * EPOCH, 8, 4, 4, 3e-4, 5e-4, optimizer="adam", milestones=(0.25, 0.5, 0.75)),
}
SINGLE_FRAMES = {"small"}
"""The scales at which video backbones start from a network that was trained on single frames of the source."""
FROM_FRAMES = Schedule(400, 8, 2, 4, 5e-4, 0.05, optimizer="muon", warmup=20)
"""The small scale's schedule after it: 64 images a step, in 16 clips."""
OWN_BLOCKS = ("cavit", "glt", "psta")
"""Backbones whose numbers of blocks cannot be chosen."""
RESNET = "encoder.backbone.resnet."
"""Where the ResNet of `c2d` stands in the weights of a learner."""
CONTINUED = 0.05
"""Share of a schedule's steps, at a tenth of its rate, for a model that is continued."""


@dataclass(frozen=True)
class SourceOnly:
    """Settings.

    Args:
        backbone: a name in `s2reid.backbones`.
        smoothing: label smoothing of the identity loss.
        margin: of the triplet loss; None for the soft margin.
        metric: of the triplet loss; cosine is taken on the normalised feature, Euclidean on the one before the neck.
        average: momentum of the moving average of the weights, which is what is tested; 0 tests the network itself.
        test: which frames a test looks at.
        blocks: residual blocks in each stage of the backbone's ResNet, where they are not to be the backbone's own.
        stripes: horizontal parts that `c2d` pools, where they are not to be its own.
        ibn: give `c2d` the instance norms of IBN-b (Pan et al. 2018).
    """

    in_one_process: ClassVar[bool] = False
    """Whether several processes cannot share the training."""

    backbone: str = "c2d"
    smoothing: float = 0.1
    margin: float | None = 0.3
    metric: Metric = "cosine"
    average: float = 0.99
    test: TestSetting = TestSetting()
    blocks: tuple[int, ...] | None = None
    stripes: int | None = None
    ibn: bool = False

    def __post_init__(self) -> None:
        if self.stripes is not None and (self.stripes < 1 or self.backbone != "c2d"):
            raise ValueError(f"stripes is {self.stripes} for {self.backbone}: expected 1 or more, for c2d alone")
        if self.ibn and self.backbone != "c2d":
            raise ValueError(f"ibn is for c2d alone, and the backbone is {self.backbone}")
        if self.blocks is not None and (self.backbone in OWN_BLOCKS or min(self.blocks, default=0) < 1):
            raise ValueError(
                f"blocks is {self.blocks} for {self.backbone}: expected 1 or more in each stage, and none for "
                f"{', '.join(OWN_BLOCKS)}, which have their own"
            )
        for name in ("smoothing", "average"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"the setting {name} is {getattr(self, name)}, expected 0 or more and less than 1")

    @property
    def needs_target(self) -> bool:
        """Say whether training looks at target clips."""
        return False

    def schedule(self, scale: str, continues: bool = False) -> Schedule:
        """Give a scale's schedule; a model that is continued needs few steps, at full size and a low rate."""
        whole = FROM_FRAMES if self.backbone != "c2d" and scale == "small" else SCHEDULES[scale]
        if not continues:
            return whole
        few, slow = max(1, round(CONTINUED * whole.steps)), whole.learning_rate / 10
        return replace(whole, steps=few, learning_rate=slow, sizes=((1.0, 1.0),), warmup=0)

    def before(self) -> "SourceOnly | None":
        """Give the settings whose trained model this method goes on from, or None where it starts afresh."""
        return None

    def trunk(self, scale: str) -> "SourceOnly | None":
        """Give the settings of a network on single frames that a video backbone starts from; None without.

        It is to the small scale what ImageNet's weights are to the published recipes (docs/decisions/0012). It pools
        whole frames, as the video backbones do.
        """
        numbers = lookup.find("backbones", self.backbone).SIZES[scale]
        if scale not in SINGLE_FRAMES or self.backbone == "c2d" or "depth" not in numbers:
            return None
        return SourceOnly(average=0.0, blocks=numbers.get("blocks"), stripes=1)

    def sizes(self, scale: str) -> dict[str, Any]:
        """Give the numbers that the backbone is built from."""
        numbers: dict[str, Any] = lookup.find("backbones", self.backbone).SIZES[scale]
        own = {"blocks": self.blocks, "stripes": self.stripes, "ibn": self.ibn or None}
        return numbers | {name: value for name, value in own.items() if value is not None}

    def encoder(self, scale: str) -> Encoder:
        """Build the network that is trained, with its neck."""
        return Encoder(lookup.find("backbones", self.backbone).build(**self.sizes(scale)))

    def build(self, task: Task) -> "SourceOnlyLearner":
        """Build the learner, with fresh weights."""
        return SourceOnlyLearner(self, task)


METHOD = SourceOnly


class SourceOnlyLearner(Learner):
    """Backbone, neck and a classifier over the source's persons."""

    def __init__(self, settings: SourceOnly, task: Task) -> None:
        super().__init__()
        self.settings, self.test = settings, settings.test
        self.encoder = settings.encoder(task.scale.name)
        self.classifier = classifier(self.encoder.num_features, task.num_persons, bias=False)
        self.average = Average(self.encoder, settings.average) if settings.average else None
        if self.average:
            self.tested = f"moving average of the weights (momentum {settings.average})"

    @property
    def backbone(self) -> nn.Module:
        return self.encoder.backbone

    @property
    def embedder(self) -> nn.Module:
        return self.average.network if self.average else self.encoder

    def begin(self, frames: Mapping[str, Tensor]) -> None:
        """Take over the ResNet of a network on single frames and, where they fit, its neck and its classifier.

        Without these a video backbone forgets in its first steps most of what its ResNet knows.
        """
        load_resnet(self.backbone, frames)
        own = self.state_dict()
        heads = {name: given for name, given in frames.items() if name.startswith(("encoder.neck.", "classifier."))}
        fitting = {name: given for name, given in heads.items() if name in own and own[name].shape == given.shape}
        self.load_state_dict(own | fitting)

    def losses(self, source: Clips, target: Clips | None) -> Terms:
        """Compute `identity` (Eq. 5) and `triplet` (Eq. 6) of the source clips; the target is not looked at."""
        return self.supervised(self.encoder(source.pixels).gathered(), self.gathered(source))

    def supervised(self, features: Features, source: Clips) -> Terms:
        """Compute the labelled clips' terms from their features."""
        compared = features.normalised if self.settings.metric == "cosine" else features.video
        return {
            "identity": identity(self.classifier(features.normalised), source.person, self.settings.smoothing),
            "triplet": triplet(compared, source.person, self.settings.margin, self.settings.metric),
        }

    def follow(self) -> None:
        """Let the moving average follow."""
        if self.average:
            self.average.update(self.encoder)

    @torch.no_grad()
    def encode(self, pixels: UInt8[Tensor, "b t 3 h w"]) -> Float[Tensor, "b d"]:
        return self.embedder(pixels).normalised


def load_resnet(backbone: nn.Module, frames: Mapping[str, Tensor]) -> None:
    """Fill the ResNet of a backbone from the weights of a `c2d` learner."""
    assert isinstance(backbone, Pretrainable)
    backbone.load_pretrained(
        {name.removeprefix(RESNET): given for name, given in frames.items() if name.startswith(RESNET)}
    )
