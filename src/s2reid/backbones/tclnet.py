"""TCLNet: of two frames in a row, the second is recognised without what the first showed best (Hou et al. 2020)."""

import copy
from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from s2reid.layers.renaming import renamed
from s2reid.layers.resnet import ResNet, load_pretrained
from s2reid.layers.saliency import ROWS, Boost, Erase, outside_stripe

SIZES = {"small": {"depth": 10, "width": 32, "blocks": (1, 1, 1, 2)}, "paper": {"depth": 50, "width": 64}}
"""The network's numbers at each scale."""
NUM_FRAMES = 4
"""Two pairs: the number of frames is built into the pooling."""


class TCLNet(nn.Module):
    """Clips "b 4 3 h w" -> one feature a clip, "b 1 d": the mean of both first frames, then that of both second ones.

    The first half of d is the first learner's (frames 1 and 3), the second half the second one's (frames 2 and 4), who
    sees its frame with a stripe erased; each half has its own losses and its own length 1 (`methods/tclnet.py`).
    Both learners start as copies of the last residual block.
    """

    def __init__(self, depth: int, width: int, blocks: tuple[int, ...] | None = None, last_stride: int = 1) -> None:
        super().__init__()
        whole = ResNet(depth, width, last_stride, blocks)
        channels = {name.split(".")[0]: block.out_channels for name, block in whole.named_blocks()}
        self.resnet, last = _without_last_block(whole)
        self.learners = nn.ModuleList([last, copy.deepcopy(last)])
        self.boost = Boost(channels["layer2"])
        self.erase = Erase(channels["layer3"], channels["layer4"])
        self.num_features = 2 * whole.num_features
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, pixels: Float[Tensor, "b t 3 h w"]) -> Float[Tensor, "b 1 d"]:
        if pixels.shape[1] != NUM_FRAMES:
            raise ValueError(f"TCLNet takes clips of {NUM_FRAMES} frames (two pairs), found {pixels.shape[1]}")
        maps = self._maps(pixels.flatten(0, 1).contiguous(memory_format=torch.channels_last))
        if maps.shape[2] <= ROWS:
            raise ValueError(
                f"TCLNet erases {ROWS} rows of a map that has {maps.shape[2]} at an image height of {pixels.shape[3]}: "
                "give images 64 pixels high or more"
            )
        pairs = torch.unflatten(maps, 0, (-1, 2, 2))
        features = [self._pair(pairs[:, 0]), self._pair(pairs[:, 1])]
        return torch.stack(features).mean(0)[:, None]

    def _maps(self, images: Tensor) -> Tensor:
        """Compute the third stage's maps, boosted after the second."""
        first, second, third, _ = self.resnet.stages()
        boosted = self.boost(second(first(self.resnet.stem(images))), NUM_FRAMES)
        maps: Tensor = third(boosted)
        return maps

    def _pair(self, maps: Float[Tensor, "b 2 c h w"]) -> Float[Tensor, "b d"]:
        """Compute both learners' features of two frames; what the first one saw best is erased for the second."""
        trunk = self.resnet.layer4
        whole = torch.zeros_like(maps[:, 0, 0])
        first = self.learners[0](trunk(self.erase(maps[:, 0], whole == 0, whole)))
        scores = self.erase.correlate(first, maps[:, 1])
        second = self.learners[1](trunk(self.erase(maps[:, 1], outside_stripe(scores.detach()), scores)))
        return torch.cat([first.amax((2, 3)), second.amax((2, 3))], 1)

    def load_pretrained(self, weights: Mapping[str, Tensor]) -> None:
        """Fill the network, strictly.

        Torchvision's names fill the ResNet, and both learners take its last block; those of the authors' release fill
        all, and their necks and classifiers are left out.
        """
        if any(name.startswith("TSE_Module.") for name in weights):
            load_pretrained(self, renamed(weights, self._beginnings()), "the names of the authors' release")
        else:
            self._load_resnet(weights)

    def _beginnings(self) -> dict[str, str | None]:
        """List how the authors' names begin, and ours; their boost is one more block of the second stage."""
        return {
            "": "resnet.",
            f"layer2.{len(self.resnet.layer2)}.W.": "boost.out.",
            "TSE_Module.layer4.": "resnet.layer4.",
            "TSE_Module.branch.": "learners.",
            "TSE_Module.conv_reduce.": "erase.reduce.",
            "TSE_Module.conv_erase.": "erase.out.",
            "bn.": None,
            "classifier.": None,
        }

    def _load_resnet(self, weights: Mapping[str, Tensor]) -> None:
        whole = copy.deepcopy(self.resnet)
        whole.layer4.append(copy.deepcopy(self.learners[0]))
        load_pretrained(whole, weights)
        trunk, last = _without_last_block(whole)
        self.resnet.load_state_dict(trunk.state_dict())
        for learner in self.learners:
            learner.load_state_dict(last.state_dict())


def _without_last_block(resnet: ResNet) -> tuple[ResNet, nn.Module]:
    """Take the last residual block out of a ResNet; raise `ValueError` where its stage has no other."""
    if len(resnet.layer4) < 2:
        raise ValueError("TCLNet needs 2 blocks or more in layer4, found 1: the last one becomes its two learners")
    *trunk, last = resnet.layer4
    resnet.layer4 = nn.Sequential(*trunk)
    return resnet, last


def build(depth: int, width: int, blocks: tuple[int, ...] | None = None, last_stride: int = 1) -> TCLNet:
    """Build the network; torchvision's names stand behind `resnet.`, the last block's behind `learners.`."""
    return TCLNet(depth, width, blocks, last_stride)
