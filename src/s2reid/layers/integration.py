"""IDM, SINet's integration-distribution module (Bai et al., CVPR 2022): every position of a clip sees the others."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


class IDM(nn.Module):
    """Mix the n = t h w positions of a clip through a bottleneck of n / factor, in channels / factor channels.

    The maps of a clip keep their shape: "b t h w c". The mixing weights belong to positions, so n is fixed. A fresh
    module is the identity on maps without negative values: its last projection starts at zero.
    """

    def __init__(self, channels: int, num_positions: int, factor: int = 16) -> None:
        super().__init__()
        inner, summaries = channels // factor, num_positions // factor
        if not inner or not summaries:
            raise ValueError(
                f"an IDM over {num_positions} positions of {channels} channels has nothing left after a division by "
                f"{factor}: build the network wider, for larger images, or with a smaller factor"
            )
        self.reduce, self.reduce_norm = nn.Linear(channels, inner), nn.BatchNorm1d(inner)
        # The positions are the channels of these two.
        self.integrate, self.integrate_norm = nn.Conv1d(num_positions, summaries, 1), nn.BatchNorm1d(summaries)
        self.distribute = nn.Conv1d(summaries, num_positions, 1)
        self.expand = nn.Linear(inner, channels)
        for layer in (self.reduce, self.integrate, self.distribute):
            nn.init.normal_(layer.weight, std=(2 / len(layer.weight)) ** 0.5)
        nn.init.zeros_(self.expand.weight)
        nn.init.zeros_(self.expand.bias)

    def forward(self, x: Float[Tensor, "b t h w c"]) -> Float[Tensor, "b t h w c"]:
        positions = self.reduce(x).flatten(1, 3)
        positions = self.reduce_norm(positions.flatten(0, 1)).view_as(positions)
        mixed = self.distribute(self.integrate_norm(self.integrate(positions)))
        return functional.relu(x + self.expand(positions + mixed).view_as(x))
