"""C2D: a ResNet on every frame by itself, pooled over space; time is only averaged."""

from collections.abc import Mapping
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from s2reid.layers.resnet import ResNet, load_pretrained

SIZES = {"small": {"depth": 10, "width": 32, "stripes": 2}, "paper": {"depth": 50, "width": 64}}
"""The network's numbers at each scale."""
Pooling = Literal["mean", "max"]


class C2D(nn.Module):
    """Frames "b t 3 h w" -> frame features "b t d", by the same ResNet for each frame.

    The last map is pooled in `stripes` equal horizontal parts (Sun et al. 2018), a channel's parts side by side in d;
    one stripe is global pooling. `pooling` is `mean`, or `max` as in CAL. `ibn` makes the ResNet an IBN-b network.
    """

    def __init__(
        self,
        depth: int,
        width: int,
        last_stride: int = 1,
        stripes: int = 1,
        blocks: tuple[int, ...] | None = None,
        pooling: Pooling = "mean",
        ibn: bool = False,
    ) -> None:
        super().__init__()
        self.resnet = ResNet(depth, width, last_stride, blocks).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if ibn:
            self.resnet.normalise_instances()
        self.stripes = stripes
        self.pool = functional.adaptive_max_pool2d if pooling == "max" else functional.adaptive_avg_pool2d
        self.num_features = self.resnet.num_features * stripes

    def forward(self, pixels: Float[Tensor, "b t 3 h w"]) -> Float[Tensor, "b t d"]:
        images = pixels.flatten(0, 1).contiguous(memory_format=torch.channels_last)
        maps = self.resnet(images)
        pooled: Tensor = self.pool(maps, (self.stripes, 1))
        return pooled.reshape(*pixels.shape[:2], self.num_features)

    def load_pretrained(self, weights: Mapping[str, Tensor]) -> None:
        """Fill the ResNet with weights under torchvision's names, such as an ImageNet checkpoint's; strict."""
        load_pretrained(self.resnet, weights)


def build(
    depth: int,
    width: int,
    last_stride: int = 1,
    stripes: int = 1,
    blocks: tuple[int, ...] | None = None,
    pooling: Pooling = "mean",
    ibn: bool = False,
) -> C2D:
    """Build the network; torchvision's names stand behind `resnet.` in its state dict."""
    return C2D(depth, width, last_stride, stripes, blocks, pooling, ibn)
