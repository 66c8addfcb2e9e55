"""SINet (Bai et al., "Salient-to-Broad Transition for Video Person Re-identification", CVPR 2022)."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from s2reid.layers.integration import IDM
from s2reid.layers.resnet import ResNet, load_pretrained
from s2reid.layers.salient import SBM

SIZES = {
    "small": {
        "depth": 10,
        "width": 32,
        "blocks": (1, 2, 3, 1),
        "idm_after": (0, 1),
        "sbm_after": (0, 1, 2),
        "num_frames": 4,
        "image": (128, 64),
    },
    "paper": {
        "depth": 50,
        "width": 64,
        "blocks": (3, 4, 6, 3),
        "idm_after": (1, 3),
        "sbm_after": (1, 3, 5),
        "num_frames": 4,
        "image": (256, 128),
    },
}
"""The network's numbers at each scale; `image` is height x width."""

RELEASE = {
    "chl_reduction.0": "reduce",
    "chl_reduction.1": "reduce_norm",
    "thw_reduction.0": "integrate",
    "thw_reduction.1": "integrate_norm",
    "thw_expansion.0": "distribute",
    "chl_expansion.0": "expand",
    "kernel.0": "attend",
    "kernel.1": "attend_norm",
    "se.1": "squeeze",
    "se.3": "excite",
}
"""The authors' names inside an IDM and an SBM, and ours."""
HEAD = ("bn.", "classifier.", "projection.")
"""The authors' names that are no part of the backbone."""


class SINet(nn.Module):
    """Frames "b t 3 h w" -> frame features "b t d": a ResNet on every frame, whose frames meet in IDMs and SBMs.

    The last map is max-pooled over space. With an IDM the clip length and the image size are those it was built for;
    with an SBM a clip has 4 or 8 frames.

    Args:
        depth, width, blocks: of the ResNet (`width` is its stem's channels); the last stride is 1.
        idm_after: blocks of layer2 that an IDM stands after, from 0.
        sbm_after: blocks of layer3 that an SBM stands after, from 0; the first splits clips after frame 0, and so on.
        num_frames, image: the input, for the IDMs; height and width are multiples of 8.
        bias: give the ResNet's convolutions the biases of the release, which the norms behind them undo.
        pool_padding: of the stem's max pooling; 1 is torchvision's, 0 the release's.

    Departure: without the release's biases and with torchvision's pooling unless asked for; biases start at zero, the
    release's at random.
    """

    def __init__(
        self,
        depth: int,
        width: int,
        blocks: Sequence[int],
        idm_after: Sequence[int],
        sbm_after: Sequence[int],
        num_frames: int,
        image: tuple[int, int],
        bias: bool = False,
        pool_padding: int = 1,
    ) -> None:
        super().__init__()
        _check_numbers(blocks, idm_after, sbm_after, image, pool_padding)
        self.resnet = ResNet(depth, width, blocks=tuple(blocks))
        self.resnet.maxpool.padding = pool_padding
        if bias:
            _add_biases(self.resnet)
        self.resnet.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.num_features = channels = self.resnet.num_features
        self.num_frames, self.image = num_frames, image
        positions = num_frames * (image[0] // 8) * (image[1] // 8)
        self.idm = nn.ModuleDict({str(number): IDM(channels // 4, positions) for number in idm_after})
        self.sbm = nn.ModuleDict({str(number): SBM(channels // 2, split) for split, number in enumerate(sbm_after)})

    def forward(self, pixels: Float[Tensor, "b t 3 h w"]) -> Float[Tensor, "b t d"]:
        frames, size = pixels.shape[1], tuple(pixels.shape[3:])
        if self.idm and (frames, size) != (self.num_frames, self.image):
            raise ValueError(
                f"found clips of {frames} frames of {size[0]}x{size[1]} pixels, but this network's IDMs have weights "
                f"for each position of {self.num_frames} frames of {self.image[0]}x{self.image[1]}: train and test it "
                "with such clips at every step, or build it for others"
            )
        maps = self.resnet.stem(pixels.flatten(0, 1).contiguous(memory_format=torch.channels_last))
        nothing = nn.ModuleDict()
        for stage, inserted in zip(self.resnet.stages(), (nothing, self.idm, self.sbm, nothing)):
            for number, block in stage.named_children():
                maps = block(maps)
                if number in inserted:
                    maps = _on_clips(inserted[number], maps, frames)
        return maps.amax((2, 3)).view(-1, frames, self.num_features)

    def load_pretrained(self, weights: Mapping[str, Tensor]) -> None:
        """Fill the network from a public checkpoint, strictly.

        Torchvision's names fill the ResNet; IDMs and SBMs stay at their own start. The names of the authors' release
        (5-D kernels) fill everything: there an IDM or SBM stands as an element of its own in `layer2` or `layer3` and
        moves the blocks behind it up by one, and its parts are named as in `RELEASE`; the head (`HEAD`) is left
        out. Without the option `bias` the release's convolution biases go into the running means, which changes
        nothing. For the release's own features build with `pool_padding=0`.

        Raises `ValueError` where a name is missing or unknown, or a shape differs.
        """
        own = self.state_dict()
        if any(tensor.ndim == 5 for tensor in weights.values()):
            given = {self._rename(name): tensor for name, tensor in weights.items() if not name.startswith(HEAD)}
            given = {name: _drop_time(tensor, own.get(name)) for name, tensor in given.items()}
            load_pretrained(self, _absorb_biases(given, own), "the names of SINet's release")
        else:
            start = {name: tensor for name, tensor in self.resnet.state_dict().items() if _is_bias(name)}
            load_pretrained(self.resnet, start | dict(weights))

    def _rename(self, name: str) -> str:
        """Turn the release's name into ours: "layer2.2.se.1.bias" -> "sbm.1.squeeze.bias"."""
        stage, _, rest = name.partition(".")
        inserted = {"layer2": ("idm", self.idm), "layer3": ("sbm", self.sbm)}.get(stage)
        if inserted is None:
            return f"resnet.{name}"
        places = []
        for number, _ in getattr(self.resnet, stage).named_children():
            places += [f"resnet.{stage}.{number}"] + [f"{inserted[0]}.{number}"] * (number in inserted[1])
        place, _, part = rest.partition(".")
        module, _, kind = part.rpartition(".")
        if not place.isdecimal() or int(place) >= len(places):
            return name
        return f"{places[int(place)]}.{RELEASE.get(module, module)}.{kind}"


def build(**numbers: Any) -> SINet:
    """Build the network from its numbers (see `SINet`); torchvision's names stand behind `resnet.` in its state."""
    return SINet(**numbers)


def _on_clips(module: nn.Module, maps: Float[Tensor, "bt c h w"], frames: int) -> Float[Tensor, "bt c h w"]:
    """Show a module the maps of whole clips, "b t h w c"; nothing is copied, since maps are channels last."""
    clips = maps.permute(0, 2, 3, 1)
    out: Tensor = module(clips.view(-1, frames, *clips.shape[1:]))
    return out.view(clips.shape).permute(0, 3, 1, 2)


def _check_numbers(
    blocks: Sequence[int], idm_after: Sequence[int], sbm_after: Sequence[int], image: tuple[int, int], pool_padding: int
) -> None:
    for module, layer, places, count in (("IDM", 2, idm_after, blocks[1]), ("SBM", 3, sbm_after, blocks[2])):
        if list(places) != sorted(set(places) & set(range(count))):
            raise ValueError(
                f"{module}s after blocks {tuple(places)}, expected blocks of layer{layer}, in order: 0 to {count - 1}"
            )
    if image[0] % 8 or image[1] % 8:
        raise ValueError(f"the image size is {image[0]}x{image[1]}, expected multiples of 8: layer2 is an eighth of it")
    if pool_padding not in (0, 1):
        raise ValueError(f"pool_padding is {pool_padding}, expected 1 (torchvision) or 0 (SINet's release)")


def _add_biases(network: nn.Module) -> None:
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.bias = nn.Parameter(torch.zeros(module.out_channels))


def _is_bias(name: str) -> bool:
    """Tell the bias of a convolution of the ResNet."""
    return name.endswith(("conv1.bias", "conv2.bias", "conv3.bias", "downsample.0.bias"))


def _drop_time(tensor: Tensor, own: Tensor | None) -> Tensor:
    """Give a kernel the shape of ours where that adds or drops only dimensions of size 1."""

    def core(shape: torch.Size) -> list[int]:
        return [*shape[:2], *(size for size in shape[2:] if size != 1)]

    return tensor if own is None or core(tensor.shape) != core(own.shape) else tensor.reshape(own.shape)


def _absorb_biases(weights: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Subtract each convolution bias that the network does not have from the mean of the norm behind it."""
    absorbed = dict(weights)
    for name in weights:
        norm = name.replace("conv", "bn").replace("downsample.0", "downsample.1").removesuffix("bias") + "running_mean"
        if name not in own and _is_bias(name) and norm in weights:
            absorbed[norm] = absorbed[norm] - absorbed.pop(name)
    return absorbed
