"""Pixels -> frame features -> one normalised feature a clip."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from s2reid.layers.gather import gather

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
"""ImageNet's channel statistics, which pretrained files expect."""


@dataclass(frozen=True)
class Features:
    """What an encoder says of a batch of clips: pooled, before and after the neck."""

    frames: Float[Tensor, "b t d"]
    video: Float[Tensor, "b d"]
    normalised: Float[Tensor, "b d"]

    def gathered(self) -> "Features":
        """Put the features of all processes together, with their gradient."""
        return Features(gather(self.frames), gather(self.video), gather(self.normalised))


class Encoder(nn.Module):
    """A video backbone with its batch-norm neck (Luo et al. 2019): the part of a learner that is tested.

    The backbone maps normalised pixels "b t 3 h w" to frame features "b t d" and says its `num_features`.
    """

    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.num_features = int(backbone.num_features)  # type: ignore[arg-type]
        self.neck = nn.BatchNorm1d(self.num_features)
        nn.init.normal_(self.neck.weight, 1.0, 0.02)
        self.neck.bias.requires_grad_(False)
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", 255 * torch.tensor(MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("std", 255 * torch.tensor(STD).view(3, 1, 1), persistent=False)

    def normalise(self, pixels: UInt8[Tensor, "b t 3 h w"]) -> Float[Tensor, "b t 3 h w"]:
        """Turn bytes into the numbers a backbone expects; the first place where pixels are floats."""
        return (pixels.float() - self.mean) / self.std

    def forward(self, pixels: UInt8[Tensor, "b t 3 h w"]) -> Features:
        frames = self.backbone(self.normalise(pixels))
        video = frames.mean(1)
        return Features(frames, video, self.neck(video))
