"""The one base class: what training, testing and a model folder ask of a method."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Optimizer

from s2reid.batch import Clips
from s2reid.layers.gather import gather, num_processes
from s2reid.optimizers import build, clipping
from s2reid.scales import Scale, Schedule, TestSetting

Terms = dict[str, Tensor]


@dataclass(frozen=True)
class Task:
    """What a method is built for: the input, the schedule and how many persons the source has.

    `outfits` counts the outfits of each person, in the order of the persons; it is empty where each has one.
    `num_target` counts the training tracklets of the target; 0 where the method does not look at it.
    """

    scale: Scale
    schedule: Schedule
    num_persons: int
    outfits: tuple[int, ...] = ()
    num_target: int = 0

    def __post_init__(self) -> None:
        if self.outfits and len(self.outfits) != self.num_persons:
            raise ValueError(f"outfits are counted for {len(self.outfits)} of {self.num_persons} persons: count all")


@dataclass(frozen=True)
class View:
    """What a plan may look at: one side's tracklets, as a network sees them now.

    `person` is `UNKNOWN` for a target. `embed` takes the numbers of tracklets and gives what `Learner.encode` makes of
    one clip of each, cut as for training and not varied.
    """

    person: Int[Tensor, " n"]
    embed: Callable[[Int[Tensor, " b"]], Float[Tensor, "b d"]]


@dataclass(frozen=True)
class Order:
    """What a plan asks of an epoch's batches; what is None is left to chance.

    `persons` are the source's persons in each batch, a row a step. `groups` are labels of the target's tracklets: its
    batches take clips of groups as those of the source take clips of persons.
    """

    persons: Int[Tensor, "steps p"] | None = None
    groups: Int[Tensor, " n"] | None = None


@runtime_checkable
class Pretrainable(Protocol):
    """A backbone that knows how to take public weights."""

    def load_pretrained(self, weights: Mapping[str, Tensor]) -> None:
        """Fill the backbone, strictly; raise `ValueError` where a name or a shape does not fit."""
        ...


class Learner(nn.Module):
    """A network with its losses.

    A method gives `losses`, `encode` and, where the default will not do, its own `step`, `pool` or `optimizers`.
    """

    test = TestSetting()
    """What the method looks at when it is tested; printed beside every score."""
    tested = "the trained network"
    """Which network is tested; printed beside every score."""
    clip_length: int | None = None
    """Frames of a test's clip, where the scale's number will not do."""
    target_views = 1
    """How many clips of a target tracklet come side by side in a batch, each cut and augmented by itself."""
    epoch: int | None = None
    """Steps from one plan to the next; None where nothing is planned."""
    largest_gradient: float | None = None
    """Norm to which the gradient of an update is shortened; None leaves it as it is."""
    fresh: tuple[str, ...] = ()
    """Names, or beginnings of names, of what starts anew where a model is continued, and that it may lack."""

    def __init__(self) -> None:
        super().__init__()
        self.watched: Terms = {}
        """What the last batch showed and nothing minimises, by name: goes to the log."""

    @property
    def backbone(self) -> nn.Module:
        """The part that public weights can fill."""
        raise NotImplementedError

    @property
    def embedder(self) -> nn.Module:
        """The part that `encode` runs, which is all that a published model holds: everything, unless it says less."""
        return self

    def begin(self, frames: Mapping[str, Tensor]) -> None:
        """Start from the weights of the network on single frames of the source that the settings name as `trunk`."""
        raise NotImplementedError

    def losses(self, source: Clips, target: Clips | None) -> Terms:
        """Compute the named loss terms of one batch; what is minimised is their `total`.

        Where several processes train, each is given its share of the clips. Only the network looks at a share: its
        features and the labels are put together (`layers.gather`, `gathered`) before a term is computed.
        """
        raise NotImplementedError

    def gathered(self, clips: Clips) -> Clips:
        """Put the labels of all processes' clips together; their pixels stay behind, where there are several."""
        if num_processes() == 1:
            return clips
        labels = [gather(column) for column in (clips.person, clips.camera, clips.outfit, clips.index)]
        return Clips(clips.pixels.new_empty(len(labels[0]), 0, *clips.pixels.shape[2:]), *labels)

    def encode(self, pixels: UInt8[Tensor, "b t 3 h w"]) -> Float[Tensor, "b d"]:
        """Map test clips to features, in evaluation mode and without gradient."""
        raise NotImplementedError

    def pool(self, clips: Float[Tensor, "m d"]) -> Float[Tensor, " d"]:
        """Merge the features of a tracklet's clips into the tracklet's: their mean, at length 1."""
        return functional.normalize(clips.mean(0), dim=0)

    def distance(self, query: Float[Tensor, "q d"], gallery: Float[Tensor, "g d"]) -> Float[Tensor, "q g"]:
        """Tell how far tracklets' features are apart: one minus their cosine."""
        return 1 - functional.normalize(query, dim=1) @ functional.normalize(gallery, dim=1).T

    @property
    def has_distance(self) -> bool:
        """Say whether tracklets are compared by a distance of the method's own."""
        return type(self).distance is not Learner.distance

    def plan(self, epoch: int, seed: int, source: View, target: View | None) -> Order:
        """Look at the data before an epoch (0, 1, ...), in evaluation mode, and order its batches.

        A run that resumes plans its epoch again: what comes out, and what the learner keeps of it outside its state
        dict, must follow from the weights and the seed (which is the epoch's own) alone.
        """
        return Order()

    def total(self, terms: Terms) -> Float[Tensor, ""]:
        """Weigh the terms into the number that is minimised: their sum."""
        return torch.stack(list(terms.values())).sum()

    def optimizers(self, schedule: Schedule) -> list[Optimizer]:
        """Build the optimizers: by default the schedule's, over every parameter."""
        return build(self.parameters(), schedule)

    def step(
        self,
        forward: Callable[[Clips, Clips | None], Terms],
        source: Clips,
        target: Clips | None,
        optimizers: Sequence[Optimizer],
        backward: Callable[[Tensor], None],
    ) -> Terms:
        """Update once. `forward` computes `losses` (through the wrapper that keeps several processes together)."""
        terms = forward(source, target)
        for optimizer in optimizers:
            optimizer.zero_grad(set_to_none=True)
        if self.largest_gradient is not None:
            backward = clipping(backward, self.parameters(), optimizers, self.largest_gradient)
        backward(self.total(terms))
        for optimizer in optimizers:
            optimizer.step()
        self.follow()
        return terms

    def follow(self) -> None:
        """Do what comes after every update, such as moving an average; nothing by default."""

    def forward(self, source: Clips, target: Clips | None) -> Terms:
        return self.losses(source, target)

    @torch.no_grad()
    def embed(self, pixels: UInt8[Tensor, "b t 3 h w"]) -> Float[Tensor, "b d"]:
        """Embed test clips as the method's test setting says (with their mirror images or without)."""
        features = self.encode(pixels)
        if not self.test.flip:
            return features
        return (functional.normalize(features, dim=1) + functional.normalize(self.encode(pixels.flip(-1)), dim=1)) / 2
