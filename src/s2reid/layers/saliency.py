"""Saliency boosting and erasing between the frames of a clip (TCLNet, Hou et al. 2020)."""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from s2reid.layers.positions import to_positions

SHARPNESS = 5.0
"""Factor on the cosines of the boost before the softmax."""
ROWS = 3
"""Rows of a map that are erased together."""


class Boost(nn.Module):
    """Add to every position of a frame what the other frames show of the frame's person (TSB, Sec. 3.4).

    The norm starts at zero, and the module as the identity.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.out = _zero_start(channels)

    def forward(self, maps: Float[Tensor, "bt c h w"], t: int) -> Float[Tensor, "bt c h w"]:
        """Boost maps, of which the `t` frames of a clip lie side by side; `t` is 2 or more."""
        query = torch.unflatten(functional.normalize(maps.mean((2, 3)), dim=1), 0, (-1, t))
        # Around each position the mean of the 2x2 that end there, with zeros outside the map.
        around = functional.avg_pool2d(maps, 2, stride=1, padding=1)[:, :, :-1, :-1]
        memory = to_positions(functional.normalize(around, dim=1), t)
        read = read_others(query, memory, to_positions(maps, t))
        added: Tensor = self.out(read.flatten(0, 1)[:, :, None, None])
        return maps + added


def read_others(
    query: Float[Tensor, "b t c"], memory: Float[Tensor, "b t hw c"], values: Float[Tensor, "b t hw c"]
) -> Float[Tensor, "b t c"]:
    """Compute for each frame the mean of the values in the other frames, weighted by softmax(5 cos).

    Args:
        query: one vector of length 1 a frame.
        memory: a vector of length 1 at each position of each frame.
        values: what is read.
    """
    affinity = SHARPNESS * torch.einsum("bqc,btpc->bqtp", query, memory)
    own = torch.eye(query.shape[1], dtype=torch.bool, device=query.device)
    weights = affinity.masked_fill(own[..., None], -torch.inf).flatten(2).softmax(2)
    return weights @ values.flatten(1, 2)


class Erase(nn.Module):
    """Erase from one frame what the frame before it was recognised by (TSE, Sec. 3.3)."""

    def __init__(self, channels: int, feature_channels: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(feature_channels, channels, 1, bias=False)
        nn.init.normal_(self.reduce.weight, std=math.sqrt(2 / channels))
        self.out = _zero_start(channels)

    def correlate(self, feature: Float[Tensor, "b e h2 w2"], maps: Float[Tensor, "b c h w"]) -> Float[Tensor, "b h w"]:
        """Score how much each position shows of an earlier frame's feature map, which gets no gradient."""
        query = self.reduce(feature.detach().mean((2, 3), keepdim=True))
        return (query * maps).sum(1) / math.sqrt(maps.shape[1])

    def forward(
        self, maps: Float[Tensor, "b c h w"], kept: Bool[Tensor, "b h w"], scores: Float[Tensor, "b h w"]
    ) -> Float[Tensor, "b c h w"]:
        """Set what is not kept to zero, and add the rest's mean by softmax of its scores: the scores' only gradient."""
        weights = scores.masked_fill(~kept, -torch.inf).flatten(1).softmax(1).view_as(scores)
        mean = (weights[:, None] * maps).sum((2, 3), keepdim=True)
        added: Tensor = self.out(mean)
        return maps * kept[:, None] + added


def outside_stripe(scores: Float[Tensor, "b h w"]) -> Bool[Tensor, "b h w"]:
    """Mark what stays when the stripe of three full rows with the highest score goes.

    The stripe may stick out of the map, where scores count as zero.

    >>> outside_stripe(torch.tensor([[[0.0], [0.0], [1.0], [3.0], [1.0]]])).squeeze().tolist()
    [True, True, False, False, False]
    """
    rows = scores.mean(2)
    best = functional.avg_pool1d(rows[:, None], ROWS, 1, ROWS // 2).squeeze(1).argmax(1)
    apart = (torch.arange(rows.shape[1], device=rows.device) - best[:, None]).abs()
    return (apart > ROWS // 2)[..., None].expand_as(scores)


def _zero_start(channels: int) -> nn.Sequential:
    """Make a 1x1 convolution whose norm starts at zero."""
    convolution, norm = nn.Conv2d(channels, channels, 1), nn.BatchNorm2d(channels)
    nn.init.normal_(convolution.weight, std=math.sqrt(2 / channels))
    nn.init.zeros_(norm.weight)
    return nn.Sequential(convolution, norm)
