"""Maps of frames as lists of positions, and back: what attention over a clip works on."""

import torch
from jaxtyping import Float
from torch import Tensor


def to_positions(maps: Float[Tensor, "bt c h w"], t: int) -> Float[Tensor, "b t hw c"]:
    """List the features of each frame's positions; the `t` frames of a clip lie side by side in `maps`.

    >>> to_positions(torch.arange(8.0).view(2, 2, 1, 2), t=2)[0, 1]  # two channels at each of two positions
    tensor([[4., 6.],
            [5., 7.]])
    """
    return torch.unflatten(maps, 0, (-1, t)).flatten(3).transpose(2, 3)


def to_maps(positions: Float[Tensor, "b t hw c"], height: int) -> Float[Tensor, "bt c h w"]:
    """Undo `to_positions`.

    >>> maps = torch.arange(48.0).view(4, 2, 3, 2)
    >>> torch.equal(to_maps(to_positions(maps, t=2), height=3), maps)
    True
    """
    return torch.unflatten(positions.flatten(0, 1).transpose(1, 2), 2, (height, -1))
