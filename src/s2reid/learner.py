"""The one base class: what training, testing and a model folder ask of a method."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Optimizer

from s2reid.batch import Clips
from s2reid.optimizers import build
from s2reid.scales import Scale, Schedule, TestSetting

Terms = dict[str, Tensor]


@dataclass(frozen=True)
class Task:
    """What a method is built for: the input, the schedule and how many persons the source has."""

    scale: Scale
    schedule: Schedule
    num_persons: int


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

    def losses(self, source: Clips, target: Clips | None) -> Terms:
        """Compute the named loss terms of one batch; what is minimised is their `total`."""
        raise NotImplementedError

    def encode(self, pixels: UInt8[Tensor, "b t 3 h w"]) -> Float[Tensor, "b d"]:
        """Map test clips to features, in evaluation mode and without gradient."""
        raise NotImplementedError

    def pool(self, clips: Float[Tensor, "m d"]) -> Float[Tensor, " d"]:
        """Merge the features of a tracklet's clips into the tracklet's: their mean, at length 1."""
        return functional.normalize(clips.mean(0), dim=0)

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
        backward(self.total(terms))
        for optimizer in optimizers:
            optimizer.step()
        return terms

    def forward(self, source: Clips, target: Clips | None) -> Terms:
        return self.losses(source, target)

    @torch.no_grad()
    def embed(self, pixels: UInt8[Tensor, "b t 3 h w"]) -> Float[Tensor, "b d"]:
        """Embed test clips as the method's test setting says (with their mirror images or without)."""
        features = self.encode(pixels)
        if not self.test.flip:
            return features
        return (functional.normalize(features, dim=1) + functional.normalize(self.encode(pixels.flip(-1)), dim=1)) / 2
