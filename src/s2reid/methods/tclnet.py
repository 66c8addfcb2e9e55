"""TCLNet, trained on the source alone by its authors' recipe (Hou et al. 2020)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from s2reid.batch import Clips
from s2reid.layers.classifier import classifier
from s2reid.learner import Task, Terms
from s2reid.losses.identity import identity
from s2reid.losses.triplet import triplet
from s2reid.methods.ap3d import AP3D, AP3DLearner
from s2reid.methods.source_only import EPOCH
from s2reid.scales import Schedule


@dataclass(frozen=True)
class TCLNet(AP3D):
    """Settings: the release's.

    Departure: clips are drawn and varied as for AP3D; a test's clips of 4 frames are spread over the tracklet (the
    release: four in a row).
    """

    backbone: str = "tclnet"
    margin: float | None = 0.4

    def schedule(self, scale: str, continues: bool = False) -> Schedule:
        """Give 150 epochs at paper scale, with a tenth of the rate after 40, 80 and 120."""
        whole = super().schedule(scale, continues)
        if scale != "paper" or continues:
            return whole
        return replace(whole, steps=150 * EPOCH, milestones=(40 / 150, 80 / 150, 120 / 150))

    def build(self, task: Task) -> "TCLNetLearner":
        """Build the learner, with fresh weights."""
        return TCLNetLearner(self, task)


METHOD = TCLNet


class TCLNetLearner(AP3DLearner):
    """Two ordered learners side by side in the features, each with its own classifier and its own losses.

    The neck scales each channel by itself, so that one neck over both halves is the release's two.
    """

    def __init__(self, settings: TCLNet, task: Task) -> None:
        super().__init__(settings, task)
        half = self.encoder.num_features // 2
        self.classifier = classifier(half, task.num_persons)
        self.second_classifier = classifier(half, task.num_persons)

    def begin(self, frames: Mapping[str, Tensor]) -> None:
        """Take over a network on single frames: its neck and its classifier are those of both learners."""
        norms = {
            name: given.repeat(2) for name, given in frames.items() if name.startswith("encoder.neck.") and given.ndim
        }
        super().begin({**frames, **norms})
        self.second_classifier.load_state_dict(self.classifier.state_dict())

    def losses(self, source: Clips, target: Clips | None) -> Terms:
        """Compute `identity` and `triplet`, each the sum over both learners; the target is not looked at."""
        features, settings = self.encoder(source.pixels).gathered(), self.settings
        source = self.gathered(source)
        compared = features.normalised if settings.metric == "cosine" else features.video
        first, second = features.normalised.chunk(2, 1)
        logits = (self.classifier(first), self.second_classifier(second))
        return {
            "identity": torch.stack([identity(one, source.person, settings.smoothing) for one in logits]).sum(),
            "triplet": torch.stack(
                [triplet(half, source.person, settings.margin, settings.metric) for half in compared.chunk(2, 1)]
            ).sum(),
        }

    def pool(self, clips: Float[Tensor, "m d"]) -> Float[Tensor, " d"]:
        """Average a tracklet's clips and bring each learner's half to the same length, all to length 1."""
        halves = clips.mean(0).view(2, -1)
        return functional.normalize(halves, dim=1).flatten() / 2**0.5
