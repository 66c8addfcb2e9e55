"""Temporal shift attention: a frame's tokens look at their own frame and at the next (Wu et al. 2022, CAViT)."""

from collections import OrderedDict

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


class ShiftAttention(nn.Module):
    """Multi-head attention of the p tokens of frame t over the 2p tokens of frames t and t + 1.

    The frame after the last is the first. A single frame's tokens look at themselves once: twice would be the same. One
    projection makes queries, keys and values of each token, under the names of a plain vision transformer, so that its
    weights fit.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, tokens: Float[Tensor, "b t p d"]) -> Float[Tensor, "b t p d"]:
        queries, keys, values = self.qkv(tokens).unflatten(3, (3, self.heads, -1)).unbind(3)
        if tokens.shape[1] > 1:
            keys, values = (torch.cat([own, own.roll(-1, 1)], 2) for own in (keys, values))
        queries, keys, values = (x.flatten(0, 1).transpose(1, 2) for x in (queries, keys, values))
        attended = functional.scaled_dot_product_attention(queries, keys, values)
        return self.proj(attended.transpose(1, 2).reshape(tokens.shape))


class ShiftBlock(nn.Module):
    """A transformer block with shift attention: norms first, and residuals that training sometimes drops.

    Args:
        drop: the probability that a clip goes without a residual in training (Huang et al. 2016); the residuals that
            stay are scaled up by as much.
    """

    def __init__(self, width: int, heads: int, drop: float = 0.0) -> None:
        super().__init__()
        self.drop = drop
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
        self.attn = ShiftAttention(width, heads)
        layers = {"fc1": nn.Linear(width, 4 * width), "act": nn.GELU(), "fc2": nn.Linear(4 * width, width)}
        self.mlp = nn.Sequential(OrderedDict(layers))

    def forward(self, tokens: Float[Tensor, "b t p d"]) -> Float[Tensor, "b t p d"]:
        tokens = tokens + self._dropped(self.attn(self.norm1(tokens)))
        return tokens + self._dropped(self.mlp(self.norm2(tokens)))

    def _dropped(self, residual: Float[Tensor, "b t p d"]) -> Float[Tensor, "b t p d"]:
        if not self.training or not self.drop:
            return residual
        is_kept = torch.rand(len(residual), 1, 1, 1, device=residual.device) >= self.drop
        return residual * (is_kept.to(residual.dtype) / (1 - self.drop))
