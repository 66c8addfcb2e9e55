"""QAConv's network: an IBN-b ResNet (Pan et al. 2018) of three stages, whose map is the feature (Liao & Shao 2020)."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from s2reid.layers.fixed import check_size
from s2reid.layers.resnet import ResNet, load_pretrained

SIZES = {
    "small": {"depth": 10, "width": 32, "blocks": (1, 1, 1), "channels": 64, "image": (128, 64)},
    "paper": {"depth": 50, "width": 64, "blocks": (3, 4, 6), "channels": 128, "image": (384, 128)},
}
"""The network's numbers at each scale."""
STRIDE = 16
"""Pixels between two places of the map."""


class QAConv(nn.Module):
    """Frames "b t 3 h w" of one size -> their maps "b t d", each place at length 1 over its channels.

    A feature d is a map (channels, height, width) laid out in a row: `unflatten` it to `map_size`.

    Args:
        depth, width, blocks: of the ResNet, which has three stages.
        channels: of the map.
        image: height and width of the images, which decide the length of a feature; multiples of 16.
    """

    def __init__(
        self, depth: int, width: int, blocks: tuple[int, int, int], channels: int, image: tuple[int, int]
    ) -> None:
        super().__init__()
        if image[0] % STRIDE or image[1] % STRIDE:
            raise ValueError(f"images of {image[0]}x{image[1]} have no whole map: expected multiples of {STRIDE}")
        self.resnet = ResNet(depth, width, blocks=blocks)
        self.resnet.normalise_instances()
        self.neck = nn.Conv2d(self.resnet.num_features, channels, 3, padding=1)
        self.image, self.map_size = image, (channels, image[0] // STRIDE, image[1] // STRIDE)
        self.num_features = self.map_size[0] * self.map_size[1] * self.map_size[2]
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, pixels: Float[Tensor, "b t 3 h w"]) -> Float[Tensor, "b t d"]:
        check_size("QAConv", pixels, self.image, "a place of one map is compared with all places of the other")
        images = pixels.flatten(0, 1).contiguous(memory_format=torch.channels_last)
        maps = functional.normalize(self.neck(self.resnet(images)), dim=1)
        return maps.reshape(*pixels.shape[:2], self.num_features)

    def load_pretrained(self, weights: Mapping[str, Tensor]) -> None:
        """Fill the ResNet with an IBN-b checkpoint under its authors' names (torchvision's and `IN`), strictly.

        The fourth stage, which is not used, is left out; the neck keeps its start.
        """
        used = {name: tensor for name, tensor in weights.items() if not name.startswith("layer4.")}
        load_pretrained(self.resnet, used)


def build(depth: int, width: int, blocks: tuple[int, int, int], channels: int, image: tuple[int, int]) -> QAConv:
    """Build the network; IBN-Net's names stand behind `resnet.` in its state dict."""
    return QAConv(depth, width, blocks, channels, image)
