"""GeM: the generalised mean over a map, with a learned exponent (Radenovic et al. 2019)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class GeM(nn.Module):
    """Maps "b c h w" -> features "b c": the mean of x^p over the positions, to the power 1/p, x at least `eps`.

    p = 1 is average pooling, and a growing p approaches max pooling.
    """

    def __init__(self, p: float = 3.0, eps: float = 1e-6) -> None:
        super().__init__()
        self.p, self.eps = nn.Parameter(torch.tensor([p])), eps

    def forward(self, maps: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c"]:
        # Whatever the precision of the network: cubes of a map leave the range where fp16 is exact, or leave it at all.
        with torch.autocast(maps.device.type, enabled=False):
            maps = maps.to(torch.promote_types(maps.dtype, torch.float32))
            return maps.clamp_min(self.eps).pow(self.p).mean((2, 3)).pow(1 / self.p)
