"""CAViT: three vision transformers with patches of three shapes, whose frames look at the next (Wu et al. 2022)."""

import re
from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from s2reid.layers.fixed import check_size
from s2reid.layers.patches import Patches, Shape, motion, resized
from s2reid.layers.shift_attention import ShiftBlock
from s2reid.layers.vit_names import as_timm

SIZES = {
    "small": {"width": 96, "heads": 3, "blocks": 4, "patch": 8, "image": (128, 64), "waves": 1.0},
    "paper": {"width": 768, "heads": 12, "blocks": 10, "patch": 16, "image": (256, 128)},
}
"""The network's numbers at each scale; the paper's is ViT-B/16 without its last two blocks."""

FULL_DEPTH = 12
"""Blocks of a whole ViT-B, over which the probability of dropping a residual grows."""


class Branch(nn.Module):
    """One shape of patch, and the blocks for its tokens."""

    def __init__(self, patches: Patches, blocks: list[ShiftBlock]) -> None:
        super().__init__()
        self.patches = patches
        self.blocks = nn.Sequential(*blocks)

    def forward(
        self, pixels: Float[Tensor, "b t 3 h w"], moved: Float[Tensor, "b t 3 h w"]
    ) -> Float[Tensor, "b t p d"]:
        tokens = self.patches(pixels.flatten(0, 1), moved.flatten(0, 1)).unflatten(0, pixels.shape[:2])
        return self.blocks(tokens)


class CAViT(nn.Module):
    """Frames "b t 3 h w" -> frame features "b t d": the mean of a frame's tokens in all three branches.

    Args:
        width, heads, blocks: of each branch's transformer; width is d.
        patch: edge of a square patch; the other two shapes are twice as high and twice as wide. Neighbouring patches
            overlap by a quarter of the edge.
        image: height and width of the images in pixels; positions are learned, so that no other size will do.
        drop: probability of dropping the last residual of a transformer of 12 blocks in training; that of the first
            is 0.
        waves: height of the sines as which positions begin, for a network that starts from scratch: its matrices are
            drawn by their width then. 0 begins as vision transformers do that a file fills.
    """

    def __init__(
        self, width: int, heads: int, blocks: int, patch: int, image: Shape, drop: float = 0.1, waves: float = 0.0
    ) -> None:
        super().__init__()
        self.image, self.num_features, self.num_blocks = image, width, blocks
        overlap, shapes = patch // 4, ((patch, patch), (2 * patch, patch), (patch, 2 * patch))
        drops = [drop * number / (FULL_DEPTH - 1) for number in range(blocks)]
        self.branches = nn.ModuleList(
            Branch(
                Patches(width, self.image, (high, wide), (high - overlap, wide - overlap), waves),
                [ShiftBlock(width, heads, probability) for probability in drops],
            )
            for high, wide in shapes
        )
        self.norm = nn.LayerNorm(width, eps=1e-6)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=module.in_features**-0.5 if waves else 0.02)
                nn.init.zeros_(module.bias)

    def forward(self, pixels: Float[Tensor, "b t 3 h w"]) -> Float[Tensor, "b t d"]:
        check_size("CAViT", pixels, self.image, "it has learned a vector for each patch's position")
        moved = motion(pixels)
        tokens = torch.cat([branch(pixels, moved) for branch in self.branches], 2)
        return self.norm(tokens).mean(2)

    def load_pretrained(self, weights: Mapping[str, Tensor]) -> None:
        """Fill every branch with a vision transformer's weights under timm's or torchvision's names; strict.

        Each branch takes the file's first blocks, its patch kernel and its positions, both resized to the branch's
        shape; the class token, the classifier and the blocks beyond are left out. Raises `ValueError` where a name is
        missing or unknown, or a shape differs.
        """
        given, own = as_timm(weights), self.state_dict()
        public = {name: _public(name) for name in own}
        fitted = {name: resized(given[theirs], own[name]) for name, theirs in public.items() if theirs in given}
        missing = sorted(set(public.values()) - given.keys())
        unknown = sorted(name for name in given if _in_the_first_block(name) not in public.values())
        reshaped = sorted({public[name] for name, tensor in fitted.items() if tensor.shape != own[name].shape})
        if missing or unknown or reshaped:
            raise ValueError(
                f"the weights do not fit this CAViT: {len(missing)} missing {missing[:3]}, {len(unknown)} unknown "
                f"{unknown[:3]}, {len(reshaped)} of another shape {reshaped[:3]}; expected timm's or "
                f"torchvision's names, a width of {self.num_features} and {self.num_blocks} blocks or more"
            )
        self.load_state_dict(fitted)


def build(
    width: int, heads: int, blocks: int, patch: int, image: Shape, drop: float = 0.1, waves: float = 0.0
) -> CAViT:
    """Build the network; timm's names stand behind `branches.N.` in its state dict, but for those of the patches."""
    return CAViT(width, heads, blocks, patch, image, drop, waves)


def _public(name: str) -> str:
    """Give timm's name of a weight of this network."""
    name = re.sub(r"^branches\.\d\.", "", name)
    return re.sub(r"^patches\.(proj|motion)\.", "patch_embed.proj.", name).replace("patches.position", "pos_embed")


def _in_the_first_block(name: str) -> str:
    return re.sub(r"^blocks\.\d+\.", "blocks.0.", name)
