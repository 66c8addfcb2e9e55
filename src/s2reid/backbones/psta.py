"""PSTA: pairs of frames are merged by reference attention until one is left (Wang et al. 2021)."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from s2reid.layers.fixed import check_size
from s2reid.layers.reference import SpatialReference, TemporalReference, unit
from s2reid.layers.resnet import ResNet, load_pretrained

SIZES = {
    "small": {"depth": 10, "width": 32, "channels": 128, "image": (128, 64)},
    "paper": {"depth": 50, "width": 64, "channels": 1024, "image": (256, 128)},
}
"""The network's numbers at each scale; it takes clips of 8 frames (or 16, 24, ...)."""

STRIDE = 16
"""Pixels of an image to one position of the last map, each way."""


class Aggregation(nn.Module):
    """Halve the frames: each pair "2 c h w" becomes one map, by temporal and by spatial reference attention (STAM)."""

    def __init__(self, channels: int, positions: int) -> None:
        super().__init__()
        narrow = channels // 4
        self.looks = nn.Sequential(unit(channels, narrow), unit(narrow, narrow // 2))
        self.temporal = TemporalReference(channels, positions)
        self.spatial = SpatialReference(channels, positions)
        self.refine = nn.Sequential(unit(channels, narrow), unit(narrow, narrow, 3), unit(narrow, channels))

    def forward(self, frames: Float[Tensor, "m c h w"]) -> Float[Tensor, "_ c h w"]:
        looks = self.looks(frames)
        return self.refine(self.temporal(frames, looks) + self.spatial(frames, looks))


class PSTA(nn.Module):
    """Clips "b t 3 h w" -> features "b 1 d": a ResNet on each frame, then aggregations, each of which halves t.

    Args:
        channels: d, to which the ResNet's map is reduced first.
        image: height and width of the images in pixels. The attention has one channel for each position of the map, so
            that no other size will do.
        levels: aggregations; a clip's frames must be a multiple of 2**levels.
    """

    def __init__(self, depth: int, width: int, channels: int, image: tuple[int, int], levels: int = 3) -> None:
        super().__init__()
        self.image, self.num_features = image, channels
        positions = -(-image[0] // STRIDE) * -(-image[1] // STRIDE)
        self.resnet = ResNet(depth, width)
        self.reduce = unit(self.resnet.num_features, channels)
        self.levels = nn.ModuleList(Aggregation(channels, positions) for _ in range(levels))
        for own in (self.reduce, self.levels):
            own.apply(_initialise)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, pixels: Float[Tensor, "b t 3 h w"]) -> Float[Tensor, "b 1 d"]:
        return self.branches(pixels)[:, -1:]

    def branches(self, pixels: Float[Tensor, "b t 3 h w"]) -> Float[Tensor, "b levels d"]:
        """Give the feature of each level, for the heads that training needs; the last is the one that is tested.

        A level's own feature is its maps' mean over time and space; feature n is the mean of the levels 1 to n.
        """
        self._check(pixels)
        images = pixels.flatten(0, 1).contiguous(memory_format=torch.channels_last)
        maps = self.reduce(self.resnet(images))
        pooled: list[Tensor] = []
        for level in self.levels:
            maps = level(maps)
            pooled.append(maps.unflatten(0, (len(pixels), -1)).mean((1, 3, 4)))
        return torch.stack([torch.stack(pooled[: n + 1]).mean(0) for n in range(len(pooled))], 1)

    def load_pretrained(self, weights: Mapping[str, Tensor]) -> None:
        """Fill the ResNet with weights under torchvision's names, such as an ImageNet checkpoint's; strict."""
        load_pretrained(self.resnet, weights)

    def _check(self, pixels: Tensor) -> None:
        check_size("PSTA", pixels, self.image, "its attention has one channel for each position of the map")
        frames, least = pixels.shape[1], 2 ** len(self.levels)
        if frames == 0 or frames % least:
            raise ValueError(
                f"PSTA halves a clip's frames {len(self.levels)} times and found {frames}: take clips of {least} frames"
            )


def build(depth: int, width: int, channels: int, image: tuple[int, int], levels: int = 3) -> PSTA:
    """Build the network; torchvision's names stand behind `resnet.` in its state dict."""
    return PSTA(depth, width, channels, image, levels)


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_in")
