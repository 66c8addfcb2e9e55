"""QAConv-GS: places of two maps look for each other (Liao & Shao, ECCV 2020), in batches of look-alikes (CVPR 2022).

It never looks at the target. An embedding is a map, and two of them are compared by a trained matcher.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Optimizer

from s2reid import lookup
from s2reid.batch import Clips
from s2reid.layers.graph_sampler import neighbourhoods
from s2reid.layers.matcher import Matcher
from s2reid.learner import Learner, Order, Task, Terms, View
from s2reid.losses.matching import matching
from s2reid.methods.source_only import SINGLE_FRAMES, SourceOnly, load_resnet
from s2reid.optimizers import build
from s2reid.scales import Schedule, TestSetting

SCHEDULES = {
    "small": Schedule(200, 32, 2, 1, 1e-3, 0.05, optimizer="muon", warmup=20),
    # 15 epochs of 333 batches, the rate falls tenfold after 10.
    "paper": Schedule(4995, 32, 2, 1, 5e-3, 5e-4, optimizer="sgd", milestones=(2 / 3,)),
}
PLANS = 4
"""Plans that a run has at least: an epoch is as many batches as there are persons, or fewer."""


@dataclass(frozen=True)
class QAConv:
    """Settings.

    Departures: the release starts from ImageNet weights, trains them at a tenth of the rate with their norms frozen
    (`base_rate=0.1 is_frozen=true` with `--init`), takes images of 384x128, and stops when its loss has fallen by 0.3.

    Args:
        backbone: a name in `s2reid.backbones` whose features are maps.
        margin: of the matching loss.
        base_rate: share of the learning rate that the ResNet gets.
        is_frozen: keep the statistics of the ResNet's norms.
        clip_norm: the largest norm of a gradient.
        test: which frames a test looks at; the maps of a tracklet's frames are averaged.
    """

    in_one_process: ClassVar[bool] = True

    backbone: str = "qaconv"
    margin: float = 16.0
    base_rate: float = 1.0
    is_frozen: bool = False
    clip_norm: float = 8.0
    test: TestSetting = TestSetting("begin", flip=False)

    def __post_init__(self) -> None:
        for name in ("base_rate", "clip_norm"):
            if getattr(self, name) <= 0:
                raise ValueError(f"the setting {name} is {getattr(self, name)}, expected more than 0")

    @property
    def needs_target(self) -> bool:
        """Say whether training looks at target clips."""
        return False

    def schedule(self, scale: str, continues: bool = False) -> Schedule:
        """Give a scale's schedule."""
        return SCHEDULES[scale]

    def before(self) -> None:
        """Start afresh."""

    def trunk(self, scale: str) -> SourceOnly | None:
        """Give the settings of a classifier of persons whose ResNet it starts from at small scale.

        From nothing the matching loss brings all maps together and stays at its margin.
        """
        if scale not in SINGLE_FRAMES:
            return None
        blocks = lookup.find("backbones", self.backbone).SIZES[scale]["blocks"]
        return SourceOnly(average=0.0, blocks=blocks, stripes=1, ibn=True)

    def build(self, task: Task) -> "QAConvLearner":
        """Build the learner, with fresh weights."""
        return QAConvLearner(self, task)


METHOD = QAConv


class QAConvLearner(Learner):
    """A network of maps and the matcher that scores pairs of them."""

    tested = "the trained network and its matcher"

    def __init__(self, settings: QAConv, task: Task) -> None:
        super().__init__()
        module, scale = lookup.find("backbones", settings.backbone), task.scale
        self.settings, self.test, self.num_persons = settings, settings.test, task.schedule.num_persons
        self.largest_gradient = settings.clip_norm
        self.network = module.build(**{**module.SIZES[scale.name], "image": (scale.height, scale.width)})
        self.map_size = self.network.map_size
        self.matcher = Matcher(*self.map_size[1:])
        self.epoch = min(task.num_persons, max(1, task.schedule.steps // PLANS))

    @property
    def backbone(self) -> nn.Module:
        return self.network

    def begin(self, frames: Mapping[str, Tensor]) -> None:
        """Take over the ResNet of a classifier of persons."""
        load_resnet(self.network, frames)

    def train(self, mode: bool = True) -> "QAConvLearner":
        """Switch between training and testing; frozen norms stay as in a test."""
        super().train(mode)
        if self.settings.is_frozen:
            self.network.resnet.eval()
        return self

    def maps(self, pixels: UInt8[Tensor, "b t 3 h w"]) -> Float[Tensor, "b c h2 w2"]:
        """Map clips: the mean of their frames' maps, each place at length 1 again. Pixels are in 0..1."""
        frames = self.network(pixels.float() / 255)
        return self.merge(frames.mean(1))

    def merge(self, means: Float[Tensor, "b d"]) -> Float[Tensor, "b c h2 w2"]:
        return functional.normalize(torch.unflatten(means, 1, self.map_size), dim=1)

    def losses(self, source: Clips, target: Clips | None) -> Terms:
        """Compute `matching` of all pairs of source clips; the target is not looked at."""
        maps = self.maps(source.pixels)
        return {"matching": matching(self.matcher(maps, maps), source.person, self.settings.margin)}

    @torch.no_grad()
    def encode(self, pixels: UInt8[Tensor, "b t 3 h w"]) -> Float[Tensor, "b d"]:
        return self.maps(pixels).flatten(1)

    def pool(self, clips: Float[Tensor, "m d"]) -> Float[Tensor, " d"]:
        """Average the maps of a tracklet's clips, each place at length 1 again."""
        return self.merge(clips.mean(0, keepdim=True)).flatten()

    def distance(self, query: Float[Tensor, "q d"], gallery: Float[Tensor, "g d"]) -> Float[Tensor, "q g"]:
        """Match two lists of maps: minus the matcher's score."""
        return -self.matcher(torch.unflatten(query, 1, self.map_size), torch.unflatten(gallery, 1, self.map_size))

    def plan(self, epoch: int, seed: int, source: View, target: View | None) -> Order:
        """Put each person with those most like it, by one tracklet of each drawn at random."""
        generator = torch.Generator().manual_seed(seed)
        shuffled = torch.randperm(len(source.person), generator=generator)
        persons = source.person[shuffled]
        drawn = torch.stack([shuffled[(persons == person).nonzero()[0, 0]] for person in torch.unique(persons)])
        maps = source.embed(drawn)
        return Order(persons=neighbourhoods(self.distance(maps, maps), self.num_persons, seed)[: self.epoch])

    def optimizers(self, schedule: Schedule) -> list[Optimizer]:
        """Build the schedule's optimizers, for the ResNet at its own share of the rate."""
        base = list(self.network.resnet.parameters())
        rest = [*self.network.neck.parameters(), *self.matcher.parameters()]
        slow = replace(schedule, learning_rate=self.settings.base_rate * schedule.learning_rate)
        return [*build(base, slow), *build(rest, schedule)]
