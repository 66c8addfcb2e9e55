"""The non-local block (Wang et al. 2018): each position takes a weighted mean over all positions of its clip."""

import math
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from s2reid.layers.positions import to_maps, to_positions

Weights = Literal["softmax", "mean"]


class NonLocal(nn.Module):
    """Maps plus what each position found elsewhere; its norm starts at zero, and the block as the identity.

    Args:
        channels: of the maps.
        inner: channels that are compared and read; half of `channels` by default.
        weights: `softmax` of the products (embedded Gaussian), or the products over their number (`mean`).
        halved: read from maps of half the height and width (the largest of 2x2), which costs a quarter.
    """

    def __init__(
        self, channels: int, inner: int | None = None, weights: Weights = "softmax", halved: bool = True
    ) -> None:
        super().__init__()
        inner = inner or channels // 2
        self.theta, self.phi, self.g = (nn.Conv2d(channels, inner, 1) for _ in range(3))
        self.out = nn.Conv2d(inner, channels, 1)
        self.norm = nn.BatchNorm2d(channels)
        self.weights, self.halved = weights, halved
        for convolution in (self.theta, self.phi, self.g, self.out):
            nn.init.normal_(convolution.weight, std=math.sqrt(2 / convolution.out_channels))
        nn.init.zeros_(self.norm.weight)

    def forward(self, maps: Float[Tensor, "bt c h w"], t: int = 1) -> Float[Tensor, "bt c h w"]:
        """Add what is found; the `t` frames of a clip lie side by side and read from each other."""
        query, key, value = self.theta(maps), self.phi(maps), self.g(maps)
        if self.halved:  # the ceiling keeps a key for a map of one row; on even maps it changes nothing
            key, value = (functional.max_pool2d(small, 2, ceil_mode=True) for small in (key, value))
        query, key, value = (to_positions(small, t).flatten(1, 2) for small in (query, key, value))
        found = torch.unflatten(attend(query, key, value, self.weights), 1, (t, -1))
        added: Tensor = self.norm(self.out(to_maps(found, maps.shape[2])))
        return maps + added


def attend(
    query: Float[Tensor, "b p i"], key: Float[Tensor, "b k i"], value: Float[Tensor, "b k i"], weights: Weights
) -> Float[Tensor, "b p i"]:
    """Compute for each query the mean of the values, weighted by its products with the keys.

    >>> one, two = torch.ones(1, 1, 1), torch.tensor([[[0.0], [4.0]]])
    >>> attend(one, two, two, "mean").item()  # (0 x 0 + 4 x 4) / 2
    8.0
    """
    if weights == "mean":
        return query @ (key.transpose(1, 2) @ value) / key.shape[1]
    return (query @ key.transpose(1, 2)).softmax(2) @ value
