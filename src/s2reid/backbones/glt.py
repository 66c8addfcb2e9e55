"""GLT's network: a ResNet with non-local blocks, GeM pooling and no ReLU in its stem (Zheng et al. 2021)."""

from collections.abc import Iterable, Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from s2reid.layers.domain_norm import doubled
from s2reid.layers.gem import GeM
from s2reid.layers.nonlocal_block import NonLocal
from s2reid.layers.resnet import ResNet, load_pretrained, module_name

SIZES = {
    "small": {"depth": 10, "width": 32, "non_local": ("layer2.0", "layer3.0")},
    "paper": {
        "depth": 50,
        "width": 64,
        "non_local": ("layer2.2", "layer2.3", "layer3.3", "layer3.4", "layer3.5"),
    },
}
"""The network's numbers at each scale."""
INNER = 1
"""Channels that a non-local block compares: what the release's integer division leaves of any width."""


class GLT(nn.Module):
    """Frames "b t 3 h w" of any size -> frame features "b t d", by the same image network for each frame.

    Args:
        depth, width, last_stride: of the ResNet.
        non_local: blocks followed by a non-local block over the positions of a frame.
    """

    def __init__(self, depth: int, width: int, non_local: Iterable[str] = (), last_stride: int = 1) -> None:
        super().__init__()
        self.resnet = ResNet(depth, width, last_stride)
        followed = self.resnet.pick(non_local)
        self.non_local = nn.ModuleDict(
            {at: NonLocal(block.out_channels, INNER, "mean", halved=False) for at, block in followed.items()}
        )
        self.pool = GeM()
        self.num_features = self.resnet.num_features
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, pixels: Float[Tensor, "b t 3 h w"]) -> Float[Tensor, "b t d"]:
        maps = pixels.flatten(0, 1).contiguous(memory_format=torch.channels_last)
        maps = self.resnet.maxpool(self.resnet.bn1(self.resnet.conv1(maps)))
        for name, block in self.resnet.named_blocks():
            maps = block(maps)
            if module_name(name) in self.non_local:
                maps = self.non_local[module_name(name)](maps)
        return torch.unflatten(self.pool(maps), 0, pixels.shape[:2])

    def load_pretrained(self, weights: Mapping[str, Tensor]) -> None:
        """Fill the ResNet with weights under torchvision's names, strictly; what is beside it keeps its start.

        Domain-specific norms, if they are there by now, take them for both domains.
        """
        load_pretrained(self.resnet, doubled(self.resnet, weights))


def build(depth: int, width: int, non_local: Iterable[str] = (), last_stride: int = 1) -> GLT:
    """Build the network; torchvision's names stand behind `resnet.` in its state dict."""
    return GLT(depth, width, non_local, last_stride)
