"""CAViT, trained on the source alone by its authors' recipe (Wu et al. 2022): circle softmax and nothing else."""

from dataclasses import dataclass, replace

from torch import nn
from torch.optim import Optimizer

from s2reid.batch import Clips
from s2reid.layers.gather import gather
from s2reid.learner import Task, Terms
from s2reid.losses.circle import circle
from s2reid.methods.source_only import SourceOnly, SourceOnlyLearner
from s2reid.optimizers import build
from s2reid.scales import Schedule, TestSetting

NUM_FRAMES = {"paper": 8}
"""Frames of a clip, in training and in a test, where they are not the scale's."""
EPOCH = 73
"""Batches of 16 tracklets in the paper's source of 1,164."""
LARGEST_GRADIENT = 5.0
"""The norm to which a longer gradient is cut."""


@dataclass(frozen=True)
class CAViT(SourceOnly):
    """Settings: the release's.

    Args:
        margin: of circle softmax.
        factor: of circle softmax, s.
        metric: not used; there is no triplet loss.

    Departure: clips are drawn and varied as every method's are (the release: always the first frame of each of 8
    chunks, and each frame varied by itself).
    """

    backbone: str = "cavit"
    margin: float = 0.3
    average: float = 0.0
    factor: float = 64.0
    test: TestSetting = TestSetting("begin", flip=False)

    def schedule(self, scale: str, continues: bool = False) -> Schedule:
        """Give SGD for 60 epochs at paper scale, as the release has it for small sets.

        At small scale it is AdamW, for fewer steps than other methods: each costs eight times as much.
        """
        whole = super().schedule(scale, continues)
        whole = replace(whole, num_frames=NUM_FRAMES.get(scale, whole.num_frames))
        slower = 0.1 if continues else 1.0
        if scale == "small":
            adamw = replace(whole, optimizer="adamw", learning_rate=1e-3 * slower)
            return adamw if continues else replace(adamw, steps=300)
        if scale == "paper":
            sgd = replace(whole, num_persons=4, optimizer="sgd", learning_rate=0.01 * slower, weight_decay=1e-4)
            cosine = replace(sgd, milestones=(), final_rate=1.6e-3)
            return cosine if continues else replace(cosine, steps=60 * EPOCH, warmup=1000)
        return whole

    def build(self, task: Task) -> "CAViTLearner":
        """Build the learner, with fresh weights."""
        return CAViTLearner(self, task)


METHOD = CAViT


class CAViTLearner(SourceOnlyLearner):
    """The source-only learner with a neck over frames, and a classifier that compares angles."""

    settings: CAViT
    largest_gradient = LARGEST_GRADIENT

    def __init__(self, settings: CAViT, task: Task) -> None:
        super().__init__(settings, task)
        self.clip_length = NUM_FRAMES.get(task.scale.name)
        nn.init.ones_(self.encoder.neck.weight)
        nn.init.normal_(self.classifier.weight, std=0.01)
        for statistic in (self.encoder.mean, self.encoder.std):  # of the public vision transformers
            statistic.fill_(127.5)

    def losses(self, source: Clips, target: Clips | None) -> Terms:
        """Compute `identity` of the frames' mean behind the neck, by circle softmax; the target is not looked at.

        A test's clip passes the neck after the mean, which is the same once the neck's statistics stand.
        """
        frames = self.encoder.backbone(self.encoder.normalise(source.pixels))
        video = gather(self.encoder.neck(frames.flatten(0, 1)).view_as(frames).mean(1))
        how, source = self.settings, self.gathered(source)
        loss = circle(video, self.classifier.weight, source.person, how.factor, how.margin, how.smoothing)
        return {"identity": loss}

    def optimizers(self, schedule: Schedule) -> list[Optimizer]:
        """Build the schedule's, twice as fast for biases."""
        biases = [parameter for name, parameter in self.named_parameters() if name.endswith("bias")]
        others = [parameter for name, parameter in self.named_parameters() if not name.endswith("bias")]
        fast = replace(schedule, learning_rate=2 * schedule.learning_rate)
        return [*build(others, schedule), *build(biases, fast)]
