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
        waves: positions begin as `waves` of this height; 0 lets them begin as noise, as a transformer's do that is to
            be filled from a file.
    """

    def __init__(self, width: int, size: Shape, patch: Shape, stride: Shape, waves: float = 0.0) -> None:
        super().__init__()
        rows, columns = ((size[side] - patch[side]) // stride[side] + 1 for side in (0, 1))
        self.proj = nn.Conv2d(3, width, patch, stride)
        self.motion = copy.deepcopy(self.proj)
        self.position = nn.Parameter(torch.empty(rows, columns, width))
        nn.init.trunc_normal_(self.position, std=0.02)
        if waves:
            self.position = nn.Parameter(waves * sines(rows, columns, width))

    def forward(self, images: Float[Tensor, "m 3 h w"], moved: Float[Tensor, "m 3 h w"]) -> Float[Tensor, "m p d"]:
        what, how = (layer(maps).flatten(2).mT for layer, maps in ((self.proj, images), (self.motion, moved)))
        return what + self.position.flatten(0, 1) + how.softmax(2)


def sines(rows: int, columns: int, width: int) -> Float[Tensor, "rows columns d"]:
    """Give each place sines and cosines of its row and its column: half a wave from edge to edge, to nearly eight.

    Raises `ValueError` for a width that is no multiple of 4.

    >>> (sines(3, 1, 4)[:, 0].round(decimals=2) + 0).tolist()  # rows top to bottom; the one column is at the edge
    [[-1.0, 0.0, -1.0, 0.0], [0.0, 1.0, -1.0, 0.0], [1.0, 0.0, -1.0, 0.0]]
    """
    if width % 4:
        raise ValueError(f"a place is told by sines and cosines of rows and columns, and {width} is no multiple of 4")
    pace = math.pi / 2 * 2 ** (torch.arange(width // 4) * 16 / width)
    vertical, horizontal = (torch.linspace(-1, 1, number)[:, None] * pace for number in (rows, columns))
    phases = [vertical[:, None].expand(-1, columns, -1), horizontal[None].expand(rows, -1, -1)]
    return torch.cat([wave(phase) for phase in phases for wave in (torch.sin, torch.cos)], 2)


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
