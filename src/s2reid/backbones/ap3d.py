"""AP3D: a ResNet whose convolution also sees the neighbouring frames, aligned by appearance (Gu et al. 2020)."""

from collections import Counter
from collections.abc import Iterable, Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from s2reid.layers.appearance import AlignedTime
from s2reid.layers.nonlocal_block import NonLocal
from s2reid.layers.renaming import renamed
from s2reid.layers.resnet import ResNet, load_pretrained, module_name

SIZES = {
    "small": {"depth": 10, "width": 32, "blocks": (1, 2, 2, 1), "aligned": ("layer2.0", "layer3.0")},
    "paper": {
        "depth": 50,
        "width": 64,
        "aligned": ("layer2.0", "layer2.2", "layer3.0", "layer3.2", "layer3.4"),
    },
}
"""The network's numbers at each scale."""
ALIGNED = {
    "APM.semantic_mapping.": "alignment.semantic.",
    "APM.x_mapping.": "alignment.of_frame.",
    "APM.n_mapping.": "alignment.of_neighbour.",
    "APM.contrastive_att_net.0.": "alignment.attention.",
    "temporal_conv3d.": "temporal.",
}
NON_LOCAL = {"": "", "g.0.": "g.", "phi.0.": "phi.", "W.0.": "out.", "W.1.": "norm."}
"""The authors' names within a block, and ours."""


class AP3D(nn.Module):
    """Clips "b t 3 h w" of any length and size -> frame features "b t d", the largest value of each channel.

    Args:
        depth, width, blocks, last_stride: of the ResNet.
        aligned: blocks whose 3x3 convolution (the second of a basic block) also sees the aligned neighbouring frames.
        non_local: blocks followed by a non-local block over all frames of the clip.
    """

    def __init__(
        self,
        depth: int,
        width: int,
        blocks: tuple[int, ...] | None = None,
        aligned: Iterable[str] = (),
        non_local: Iterable[str] = (),
        last_stride: int = 1,
    ) -> None:
        super().__init__()
        self.resnet = ResNet(depth, width, last_stride, blocks)
        followed, opened = self.resnet.pick(non_local), self.resnet.pick(aligned)
        self.aligned = nn.ModuleDict({at: AlignedTime(block.conv2.out_channels) for at, block in opened.items()})
        self.non_local = nn.ModuleDict({at: NonLocal(block.out_channels) for at, block in followed.items()})
        self.num_features = self.resnet.num_features
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, pixels: Float[Tensor, "b t 3 h w"]) -> Float[Tensor, "b t d"]:
        clips, t = pixels.shape[:2]
        maps = self.resnet.stem(pixels.flatten(0, 1).contiguous(memory_format=torch.channels_last))
        for name, block in self.resnet.named_blocks():
            at = module_name(name)
            inner = block.conv2(block.start(maps))
            if at in self.aligned:
                inner = inner + self.aligned[at](inner, t)
            maps = block.finish(maps, inner)
            if at in self.non_local:
                maps = self.non_local[at](maps, t)
        return torch.unflatten(maps.amax((2, 3)), 0, (clips, t))

    def load_pretrained(self, weights: Mapping[str, Tensor]) -> None:
        """Fill the network, strictly.

        Torchvision's names fill the ResNet, and what sees time keeps its start; those of the authors' release fill
        all, and their neck and classifier are left out.
        """
        if any(".APM." in name for name in weights):
            load_pretrained(self, renamed(weights, self._beginnings()), "the names of the authors' release")
        else:
            load_pretrained(self.resnet, weights)

    def _beginnings(self) -> dict[str, str | None]:
        """List how the authors' names begin, and ours; their stages count the non-local blocks too."""
        listed: dict[str, str | None] = {"": "resnet.", "bn.": None, "classifier.": None}
        places: Counter[str] = Counter()
        for name, _ in self.resnet.named_blocks():
            at, stage = module_name(name), name.split(".")[0]
            theirs = f"{stage}.{places[stage]}."
            listed[theirs] = f"resnet.{name}."
            if at in self.aligned:
                listed[f"{theirs}conv2.spatial_conv3d."] = f"resnet.{name}.conv2."
                listed |= {f"{theirs}conv2.{begin}": f"aligned.{at}.{own}" for begin, own in ALIGNED.items()}
            if at in self.non_local:
                places[stage] += 1
                theirs = f"{stage}.{places[stage]}."
                listed |= {theirs + begin: f"non_local.{at}.{own}" for begin, own in NON_LOCAL.items()}
            places[stage] += 1
        return listed


def build(
    depth: int,
    width: int,
    blocks: tuple[int, ...] | None = None,
    aligned: Iterable[str] = (),
    non_local: Iterable[str] = (),
    last_stride: int = 1,
) -> AP3D:
    """Build the network; torchvision's names stand behind `resnet.` in its state dict."""
    return AP3D(depth, width, blocks, aligned, non_local, last_stride)
