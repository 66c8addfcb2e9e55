"""CAViT, trained on the source alone by its authors' recipe (Wu et al. 2022): circle softmax and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from torch import Tensor, nn
from torch.optim import Optimizer

from s2reid.batch import Clips
from s2reid.layers.gather import gather
from s2reid.learner import Task, Terms
from s2reid.losses.circle import circle
from s2reid.methods.source_only import CONTINUED, SINGLE_FRAMES, SourceOnly, SourceOnlyLearner
from s2reid.optimizers import build
from s2reid.scales import Schedule, TestSetting

NUM_FRAMES = {"paper": 8}
"""Frames of a clip, in training and in a test, where they are not the scale's."""
EPOCH = 73
"""Batches of 16 tracklets in the paper's source of 1,164."""
SMALL_SCHEDULES = {
    "frames": Schedule(400, 32, 2, 1, 1e-3, 0.05, warmup=20),
    "clips": Schedule(100, 8, 2, 4, 5e-4, 0.05, warmup=10),
}
"""The small scale's schedules, on single frames first; a step costs eight times as much as other methods' steps."""
FACTORS = {"small": 16.0, "paper": 64.0}
"""s of circle softmax at each scale: at 64 a transformer without ImageNet's weights learned nothing in 300 steps."""
LARGEST_GRADIENT = 5.0
"""The norm to which a longer gradient is cut."""


@dataclass(frozen=True)
class CAViT(SourceOnly):
    """Settings: the release's.

    Args:
        margin: of circle softmax, and of the triplet loss on single frames.
        factor: of circle softmax, s; None takes the release's 64, and 16 at small scale.
        single_frames: train on single frames, by source_only's losses: what the small scale does in the place of
            starting from ImageNet's weights (docs/decisions/0012).
        metric: of the triplet loss on single frames; clips have none.

    Departure: clips are drawn and varied as every method's are (the release: always the first frame of each of 8
    chunks, and each frame varied by itself).
    """

    backbone: str = "cavit"
    margin: float = 0.3
    average: float = 0.0
    factor: float | None = None
    single_frames: bool = False
    test: TestSetting = TestSetting("begin", flip=False)

    def schedule(self, scale: str, continues: bool = False) -> Schedule:
        """Give SGD for 60 epochs at paper scale, as the release has it for small sets; AdamW at small scale."""
        if scale in SINGLE_FRAMES:
            whole = SMALL_SCHEDULES["frames" if self.single_frames else "clips"]
            few, slow = max(1, round(CONTINUED * whole.steps)), whole.learning_rate / 10
            return replace(whole, steps=few, learning_rate=slow, warmup=0) if continues else whole
        whole = super().schedule(scale, continues)
        whole = replace(whole, num_frames=NUM_FRAMES.get(scale, whole.num_frames))
        if scale != "paper":
            return whole
        rate = 0.001 if continues else 0.01
        sgd = replace(whole, num_persons=4, optimizer="sgd", learning_rate=rate, weight_decay=1e-4)
        cosine = replace(sgd, milestones=(), final_rate=1.6e-3)
        return cosine if continues else replace(cosine, steps=60 * EPOCH, warmup=1000)

    def trunk(self, scale: str) -> "CAViT | None":
        """Give the settings of the same network on single frames."""
        return replace(self, single_frames=True) if scale in SINGLE_FRAMES and not self.single_frames else None

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
        self.factor = FACTORS.get(task.scale.name, 64.0) if settings.factor is None else settings.factor
        nn.init.ones_(self.encoder.neck.weight)
        nn.init.normal_(self.classifier.weight, std=0.01)
        for network in (self.encoder, self.embedder):  # which an average copied before
            for name in ("mean", "std"):  # of the public vision transformers
                network.get_buffer(name).fill_(127.5)

    def begin(self, frames: Mapping[str, Tensor]) -> None:
        """Take over everything."""
        self.load_state_dict(dict(frames))

    def losses(self, source: Clips, target: Clips | None) -> Terms:
        """Compute `identity` of the frames' mean behind the neck, by circle softmax; the target is not looked at.

        A test's clip passes the neck after the mean, which is the same once the neck's statistics stand.
        """
        if self.settings.single_frames:
            return super().losses(source, target)
        frames = self.encoder.backbone(self.encoder.normalise(source.pixels))
        video = gather(self.encoder.neck(frames.flatten(0, 1)).view_as(frames).mean(1))
        how, source = self.settings, self.gathered(source)
        loss = circle(video, self.classifier.weight, source.person, self.factor, how.margin, how.smoothing)
        return {"identity": loss}

    def optimizers(self, schedule: Schedule) -> list[Optimizer]:
        """Build the schedule's, twice as fast for biases."""
        biases = [parameter for name, parameter in self.named_parameters() if name.endswith("bias")]
        others = [parameter for name, parameter in self.named_parameters() if not name.endswith("bias")]
        fast = replace(schedule, learning_rate=2 * schedule.learning_rate)
        return [*build(others, schedule), *build(biases, fast)]
