"""The names of a public vision transformer's weights: timm's, to which torchvision's are brought."""

import re
from collections.abc import Mapping

from torch import Tensor

TORCHVISION = (
    (r"^class_token$", "cls_token"),
    (r"^conv_proj\.", "patch_embed.proj."),
    (r"^encoder\.pos_embedding$", "pos_embed"),
    (r"^encoder\.ln\.", "norm."),
    (r"^heads\.head\.", "head."),
    (r"^encoder\.layers\.encoder_layer_(\d+)\.", r"blocks.\1."),
    (r"^(blocks\.\d+)\.ln_(\d)\.", r"\1.norm\2."),
    (r"^(blocks\.\d+)\.self_attention\.in_proj_", r"\1.attn.qkv."),
    (r"^(blocks\.\d+)\.self_attention\.out_proj\.", r"\1.attn.proj."),
    (r"^(blocks\.\d+)\.mlp\.(?:0|linear_1)\.", r"\1.mlp.fc1."),
    (r"^(blocks\.\d+)\.mlp\.(?:3|linear_2)\.", r"\1.mlp.fc2."),
)
"""torchvision's names (those of a block: also of its older versions), and timm's."""

LEFT_OUT = ("head.", "pre_logits.", "cls_token")
"""The classifier and its token."""


def as_timm(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give weights under timm's names, without the classifier and the class token.

    >>> list(as_timm({"encoder.layers.encoder_layer_3.ln_1.bias": Tensor(), "heads.head.bias": Tensor()}))
    ['blocks.3.norm1.bias']
    """
    named = {_renamed(name): tensor for name, tensor in weights.items()}
    return {name: tensor for name, tensor in named.items() if not name.startswith(LEFT_OUT)}


def _renamed(name: str) -> str:
    for theirs, timms in TORCHVISION:
        name = re.sub(theirs, timms, name)
    return name
