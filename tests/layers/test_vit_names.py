"""torchvision's names of a vision transformer become timm's."""

import torch

from s2reid.layers.vit_names import as_timm

BLOCK = {
    "ln_1.weight": "norm1.weight",
    "ln_1.bias": "norm1.bias",
    "self_attention.in_proj_weight": "attn.qkv.weight",
    "self_attention.in_proj_bias": "attn.qkv.bias",
    "self_attention.out_proj.weight": "attn.proj.weight",
    "self_attention.out_proj.bias": "attn.proj.bias",
    "ln_2.weight": "norm2.weight",
    "ln_2.bias": "norm2.bias",
    "mlp.0.weight": "mlp.fc1.weight",
    "mlp.0.bias": "mlp.fc1.bias",
    "mlp.3.weight": "mlp.fc2.weight",
    "mlp.3.bias": "mlp.fc2.bias",
}
AROUND = {
    "conv_proj.weight": "patch_embed.proj.weight",
    "conv_proj.bias": "patch_embed.proj.bias",
    "encoder.pos_embedding": "pos_embed",
    "encoder.ln.weight": "norm.weight",
    "encoder.ln.bias": "norm.bias",
}
LEFT_OUT = ("class_token", "cls_token", "heads.head.weight", "head.bias", "pre_logits.fc.weight")
TORCHVISION = AROUND | {
    f"encoder.layers.encoder_layer_{number}.{theirs}": f"blocks.{number}.{timms}"
    for number in range(12)
    for theirs, timms in BLOCK.items()
}


def test_every_name_is_brought_over_with_its_tensor():
    weights = {name: torch.full((), float(place)) for place, name in enumerate(TORCHVISION)}
    found = as_timm({**weights, **{name: torch.zeros(()) for name in LEFT_OUT}})
    assert len(found) == 12 * 12 + 5
    assert {timms: found[timms] for timms in found} == {TORCHVISION[name]: weights[name] for name in TORCHVISION}


def test_older_names_of_the_perceptron():
    name = "encoder.layers.encoder_layer_11.mlp.linear_{}.bias"
    found = as_timm({name.format(number): torch.zeros(()) for number in (1, 2)})
    assert list(found) == ["blocks.11.mlp.fc1.bias", "blocks.11.mlp.fc2.bias"]


def test_timms_names_stay_and_so_does_what_nobody_knows():
    names = [*TORCHVISION.values(), "layer1.0.conv1.weight"]
    assert list(as_timm({name: torch.zeros(()) for name in names})) == names
