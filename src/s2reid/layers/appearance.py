"""Convolution over time after the neighbouring frames were aligned by appearance (AP3D, Gu et al. 2020)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from s2reid.layers.positions import to_maps, to_positions

REDUCTION = 16
"""Channels of a map for one channel of the maps that are compared."""
TEMPERATURE = 4.0
"""Factor on the cosines before the softmax."""


class Alignment(nn.Module):
    """Rebuild each frame's neighbours where the frame itself shows the same appearance (APM, Sec. 3.2 and 3.3).

    A position of the frame takes the mean of a neighbour's positions, weighted by how alike they are; then an attention
    per position fades what the neighbour does not show at all. Beyond either end of a clip there is a frame of zeros.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = channels // REDUCTION
        self.semantic = nn.Conv2d(channels, inner, 1, bias=False)
        self.of_frame = nn.Conv2d(channels, inner, 1, bias=False)
        self.of_neighbour = nn.Conv2d(channels, inner, 1, bias=False)
        self.attention = nn.Conv2d(inner, 1, 1, bias=False)

    def forward(
        self, maps: Float[Tensor, "bt c h w"], t: int
    ) -> tuple[Float[Tensor, "bt c h w"], Float[Tensor, "bt c h w"]]:
        """Give the previous and the next frame of each frame, aligned to it; `t` frames of a clip lie side by side."""
        alike = functional.normalize(self.semantic(maps), dim=1)
        previous, following = register(to_positions(alike, t), to_positions(maps, t))
        centre = self.of_frame(maps.detach())
        return self._fade(centre, previous), self._fade(centre, following)

    def _fade(self, centre: Tensor, aligned: Tensor) -> Tensor:
        """Multiply an aligned neighbour by the contrastive attention, which trains only its own three kernels."""
        neighbour = to_maps(aligned, centre.shape[2])
        shown = torch.sigmoid(self.attention(centre * self.of_neighbour(neighbour.detach())))
        return neighbour * shown


def register(
    alike: Float[Tensor, "b t hw s"], maps: Float[Tensor, "b t hw c"], temperature: float = TEMPERATURE
) -> tuple[Float[Tensor, "b t hw c"], Float[Tensor, "b t hw c"]]:
    """Move the previous and the next frame's features to where each frame looks alike.

    Args:
        alike: what is compared, of length 1 at each position.
        maps: what is moved.
        temperature: s in softmax(s cos) over a neighbour's positions.
    """
    cosines = temperature * alike[:, :-1] @ alike[:, 1:].transpose(2, 3)  # each pair of neighbours once
    following = cosines.softmax(3) @ maps[:, 1:]
    previous = cosines.transpose(2, 3).softmax(3) @ maps[:, :-1]
    nothing = torch.zeros_like(maps[:, :1])
    return torch.cat([nothing, previous], 1), torch.cat([following, nothing], 1)


class AlignedTime(nn.Module):
    """The part that AP-P3D-C adds to a spatial convolution: a convolution over three aligned frames (Fig. 4c).

    Its kernel starts at zero, so that the network starts as the same network without time.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.alignment = Alignment(channels)
        # On three frames side by side in the channels: a 3 x 1 x 1 kernel with stride 3 over three times the frames.
        self.temporal = nn.Conv2d(3 * channels, channels, 1, bias=False)
        nn.init.zeros_(self.temporal.weight)

    def forward(self, maps: Float[Tensor, "bt c h w"], t: int) -> Float[Tensor, "bt c h w"]:
        previous, following = self.alignment(maps, t)
        added: Tensor = self.temporal(torch.cat([previous, maps, following], 1))
        return added
