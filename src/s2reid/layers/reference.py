"""Reference attention: the affinities between positions say where to look in a frame (Wang et al. 2021, PSTA).

Both attentions take frames "m c h w" in which frames 2i and 2i + 1 are a pair, and a narrow embedding of the same
frames, and merge each pair into one map. An affinity map has one channel for each position, so the layers are built
for one size of map.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


def unit(in_channels: int, channels: int, kernel: int = 1) -> nn.Sequential:
    """Build a convolution without bias, its norm and a ReLU."""
    convolution = nn.Conv2d(in_channels, channels, kernel, padding=kernel // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(channels), nn.ReLU(inplace=True))


def affinity(queries: Float[Tensor, "m c h w"], keys: Float[Tensor, "m c h w"]) -> Float[Tensor, "m p h w"]:
    """Compare each position with every position: channel p holds the product of a position's query with key p."""
    products = keys.flatten(2).mT @ queries.flatten(2)
    return products.reshape(*products.shape[:2], *queries.shape[2:])


def partners(frames: Float[Tensor, "m *rest"]) -> Float[Tensor, "m *rest"]:
    """Put the other frame of its pair in each frame's place."""
    return frames.reshape(-1, 2, *frames.shape[1:]).flip(1).flatten(0, 1)


class TemporalReference(nn.Module):
    """Merge a pair of frames by what each sees in the other.

    Each frame x of a pair has a map alpha of where to look and a vector c of which channels count, both in 0..1; the
    pair becomes ReLU(alpha_a c_a x_a + alpha_b c_b x_b)^2, element by element. Both frames of a pair go through the
    same weights, with the roles of a and b exchanged.
    """

    def __init__(self, channels: int, positions: int) -> None:
        super().__init__()
        narrow = channels // 8
        self.gamma, self.beta = unit(channels, narrow), unit(channels, narrow)
        self.affinities, self.looks = unit(2 * positions, narrow), unit(2 * narrow, narrow)
        self.where = nn.Sequential(nn.Conv2d(2 * narrow, 1, 1, bias=False), nn.BatchNorm2d(1))
        self.theta = nn.Sequential(nn.Conv2d(channels, narrow, 1, bias=False), nn.ReLU(inplace=True))
        self.which = _perceptron(2 * narrow, narrow, channels)

    def forward(self, frames: Float[Tensor, "m c h w"], looks: Float[Tensor, "m e h w"]) -> Float[Tensor, "_ c h w"]:
        gamma, beta = self.gamma(frames), self.beta(frames)
        seen = torch.cat([affinity(gamma, partners(beta)), affinity(beta, partners(gamma))], 1)
        both = self.looks(torch.cat([looks, partners(looks)], 1))
        where = self.where(torch.cat([both, self.affinities(seen)], 1)).sigmoid()
        theta = self.theta(frames.mean((2, 3), keepdim=True))
        which = self.which(torch.cat([theta, partners(theta)], 1)).sigmoid()
        return functional.relu(_pair_sum(where * which * frames)).square()


class SpatialReference(nn.Module):
    """Merge a pair of frames by what each sees in itself: ReLU(w_a x_a + w_b x_b).

    The weight w of a frame is a map of where to look times a vector of which channels count, both in 0..1 and both
    from that frame alone.
    """

    def __init__(self, channels: int, positions: int) -> None:
        super().__init__()
        narrow = channels // 8
        self.alpha, self.delta = unit(channels, narrow), unit(channels, narrow)
        self.affinities, self.looks = unit(2 * positions, narrow), unit(2 * narrow, narrow)
        self.where = nn.Sequential(nn.Conv2d(narrow, 1, 1, bias=False), nn.BatchNorm2d(1))
        self.which = _perceptron(channels, narrow, channels)

    def forward(self, frames: Float[Tensor, "m c h w"], looks: Float[Tensor, "m e h w"]) -> Float[Tensor, "_ c h w"]:
        alpha, delta = self.alpha(frames), self.delta(frames)
        seen = torch.cat([affinity(alpha, delta), affinity(delta, alpha)], 1)
        where = self.where(self.looks(torch.cat([looks, self.affinities(seen)], 1))).sigmoid()
        which = self.which(frames.mean((2, 3), keepdim=True)).sigmoid()
        return functional.relu(_pair_sum(where * which * frames))


def _perceptron(in_channels: int, hidden: int, channels: int) -> nn.Sequential:
    first, second = (nn.Conv2d(*pair, 1, bias=False) for pair in ((in_channels, hidden), (hidden, channels)))
    return nn.Sequential(first, nn.ReLU(inplace=True), second)


def _pair_sum(frames: Float[Tensor, "m c h w"]) -> Float[Tensor, "_ c h w"]:
    return frames[0::2] + frames[1::2]
