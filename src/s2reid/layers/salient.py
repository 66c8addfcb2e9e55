"""SBM, SINet's salient-to-broad module (Bai et al., CVPR 2022): later frames look where earlier ones did not."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

GROUP = 4
"""Frames that are looked at together; a clip of 8 is two such groups."""
TAPS = 9
"""Numbers of a 3x3 kernel."""


class SBM(nn.Module):
    """Weaken in a clip's last frames what is salient in its first ones, and let both know of each other.

    The maps of a clip keep their shape: "b t h w c", with t = 4, or t = 8 taken as two groups of 4 consecutive frames.
    The first `split` + 1 frames of a group are the first part, the others the last.

    Args:
        channels: c.
        split: 0, 1 or 2.
        beta: how steeply salience weakens a position.
        alpha: how much of the other part's mean a part is given.

    Departure: the mean of what was weakened is divided by its weight + 1e-6; the release divides by the weight, which
    is zero where no position stands out.
    """

    def __init__(self, channels: int, split: int, beta: float = 5.0, alpha: float = 0.1) -> None:
        super().__init__()
        if not 0 <= split < GROUP - 1:
            raise ValueError(f"an SBM splits {GROUP} frames after frame 0, 1 or 2, found {split}")
        self.split, self.beta, self.alpha = split, beta, alpha
        self.squeeze, self.excite = nn.Linear(channels, channels // 4), nn.Linear(channels // 4, channels)
        self.attend, self.attend_norm = nn.Linear(channels, TAPS), nn.BatchNorm1d(TAPS)
        for layer in (self.squeeze, self.excite, self.attend):
            nn.init.normal_(layer.weight, std=(2 / layer.out_features) ** 0.5)

    def forward(self, x: Float[Tensor, "b t h w c"]) -> Float[Tensor, "b t h w c"]:
        frames, height, width = x.shape[1:4]
        if frames not in (GROUP, 2 * GROUP) or min(height, width) < 3:
            raise ValueError(
                f"found clips of {frames} frames with maps of {height}x{width}, expected 4 or 8 frames (groups of 4 "
                "are split into seen and unseen frames) and maps of 3x3 or more (they need an inside and a border)"
            )
        groups = x.reshape(-1, GROUP, *x.shape[2:])
        first, last = groups[:, : self.split + 1], groups[:, self.split + 1 :]
        gate = self.gate(groups)[:, None, None, None]
        kernel = self.kernel(functional.relu(first * gate))
        kept = suppression(correlation(functional.relu(last * gate), kernel), self.beta)[..., None]
        weakened = (1 - kept) / ((1 - kept).mean((1, 2, 3), keepdim=True) + 1e-6)
        first_told = first + self.alpha * (weakened * last).mean((1, 2, 3), keepdim=True)
        last_told = last * kept + self.alpha * first.mean((1, 2, 3), keepdim=True)
        return torch.cat([first_told, last_told], 1).view_as(x)

    def gate(self, x: Float[Tensor, "b t h w c"]) -> Float[Tensor, "b c"]:
        """Weigh each channel in 0..1; one that is weaker inside the maps than on the whole counts as background: 0."""
        mean, inside = x.mean((1, 2, 3)), x[:, :, 1:-1, 1:-1].mean((1, 2, 3))
        is_central = inside / (mean + 1e-8) > 1
        return self.excite(functional.relu(self.squeeze(mean))).sigmoid() * is_central

    def kernel(self, first: Float[Tensor, "b t h w c"]) -> Float[Tensor, "b c taps"]:
        """Sum the first part up in nine vectors a clip, by nine attentions over its positions."""
        positions = first.flatten(1, 3)
        scores = self.attend(positions)
        attention = functional.relu(self.attend_norm(scores.flatten(0, 1))).view_as(scores)
        attention = functional.normalize(functional.normalize(attention, p=1, dim=2), p=1, dim=1)
        return positions.mT @ attention


def correlation(last: Float[Tensor, "b t h w c"], kernel: Float[Tensor, "b c taps"]) -> Float[Tensor, "b t h w"]:
    """Correlate each clip with its own 3x3 kernel, the borders repeated, and divide by 9.

    The product over the channels is taken first, at each position for all nine taps; then tap (i, j) is read at the
    position shifted by (i - 1, j - 1), which a convolution with a one in each tap does.
    """
    answers = (last.flatten(1, 3) @ kernel).view(-1, *last.shape[2:4], TAPS).permute(0, 3, 1, 2)
    shifts = torch.eye(TAPS, dtype=answers.dtype, device=answers.device).view(1, TAPS, 3, 3)
    padded = functional.pad(answers, (1, 1, 1, 1), mode="replicate")
    return functional.conv2d(padded, shifts).view(last.shape[:4]) / TAPS


def suppression(likeness: Float[Tensor, "b t h w"], beta: float) -> Float[Tensor, "b t h w"]:
    """Compute what is kept of each position: exp(beta (a - 1)) where a < 1, else all.

    1 / a is the position's share of its frame (softmax, at least 1e-4) in multiples of an equal share.

    >>> kept = suppression(torch.tensor([[[[0.0, 0.0], [0.0, 3.0]]]]), 5.0)
    >>> [round(one, 3) for one in kept.flatten().tolist()]  # the last has exp(3) / (3 + exp(3)) = 0.87 of the frame
    [1.0, 1.0, 1.0, 0.028]
    """
    height, width = likeness.shape[2:]
    share = likeness.flatten(2).softmax(2).clamp_min(1e-4).view_as(likeness)
    return torch.exp(-beta * functional.relu(1 - 1 / (share * height * width)))
