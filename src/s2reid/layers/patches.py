"""Overlapping patches of any shape, with what moved in them (Wu et al. 2022, CAViT)."""

import copy
import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

Shape = tuple[int, int]


def motion(pixels: Float[Tensor, "b t c h w"]) -> Float[Tensor, "b t c h w"]:
    """Compute where a frame differs from the one before: x(t - 1) - x(t), a softmax over each channel's positions.

    The first frame differs nowhere, which spreads evenly.

    >>> motion(torch.tensor([5.0, 5.0, 7.0, 0.0]).view(1, 2, 1, 1, 2)).flatten()  # 1 / (1 + e^7) where it brightened
    tensor([5.0000e-01, 5.0000e-01, 9.1105e-04, 9.9909e-01])
    """
    before = torch.cat([pixels[:, :1], pixels[:, :-1]], 1)
    return (before - pixels).flatten(3).softmax(3).view_as(pixels)


class Patches(nn.Module):
    """Cut images into overlapping patches, one token each: what is there, where it is, and how it moved.

    What moved is the motion map's patches, cut by a convolution of their own that starts as a copy of the first, and a
    softmax over d.

    Args:
        size: of the images, height x width; positions are learned, so that no other size will do.
        patch, stride: of the patches, height x width.
    """

    def __init__(self, width: int, size: Shape, patch: Shape, stride: Shape) -> None:
        super().__init__()
        rows, columns = ((size[side] - patch[side]) // stride[side] + 1 for side in (0, 1))
        self.proj = nn.Conv2d(3, width, patch, stride)
        self.motion = copy.deepcopy(self.proj)
        self.position = nn.Parameter(torch.empty(rows, columns, width))
        nn.init.trunc_normal_(self.position, std=0.02)

    def forward(self, images: Float[Tensor, "m 3 h w"], moved: Float[Tensor, "m 3 h w"]) -> Float[Tensor, "m p d"]:
        what, how = (layer(maps).flatten(2).mT for layer, maps in ((self.proj, images), (self.motion, moved)))
        return what + self.position.flatten(0, 1) + how.softmax(2)


def resized(public: Tensor, own: Tensor) -> Tensor:
    """Resize a plain transformer's patch kernel "d 3 y x" or positions "1 1+n*n d" bilinearly to those of `Patches`.

    The position of the class token, the first, is dropped. What is neither comes back as it is.
    """
    if public.ndim == own.ndim == 4:
        return functional.interpolate(public, own.shape[2:], mode="bilinear")
    edge = math.isqrt(max(0, public.shape[1] - 1)) if public.ndim == 3 else 0
    if own.ndim == 3 and edge and public.shape[:2] == (1, 1 + edge**2):
        grid = public[:, 1:].mT.reshape(1, -1, edge, edge)
        return functional.interpolate(grid, own.shape[:2], mode="bilinear")[0].permute(1, 2, 0)
    return public
