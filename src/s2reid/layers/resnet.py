"""ResNets of any width (He et al. 2016), with torchvision's state-dict names so that ImageNet files load.

A block's `IN`, before its last ReLU, is there for IBN-b networks (Pan et al. 2018), and does nothing in others.
"""

from collections.abc import Iterable, Iterator, Mapping

from torch import Tensor, nn
from torch.nn import functional

BLOCKS = {10: (1, 1, 1, 1), 18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3)}
"""Residual blocks in each stage by depth; below 50 layers the block is basic, from 50 on a bottleneck."""


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut."""

    expansion = 1

    def __init__(self, in_channels: int, channels: int, stride: int) -> None:
        super().__init__()
        self.out_channels = channels
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample = _shortcut(in_channels, channels, stride)
        self.IN: nn.Module = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.finish(x, self.conv2(self.start(x)))

    def start(self, x: Tensor) -> Tensor:
        """Compute what `conv2` takes."""
        return functional.relu(self.bn1(self.conv1(x)), inplace=True)

    def finish(self, x: Tensor, out: Tensor) -> Tensor:
        """Turn the block's input and the output of `conv2` into the block's output."""
        return functional.relu(self.IN(self.bn2(out) + self.downsample(x)), inplace=True)


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions beside a shortcut; the stride is on the 3x3, as in torchvision."""

    expansion = 4

    def __init__(self, in_channels: int, channels: int, stride: int) -> None:
        super().__init__()
        self.out_channels = out_channels = channels * self.expansion
        self.conv1 = nn.Conv2d(in_channels, channels, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv3 = nn.Conv2d(channels, out_channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out_channels)
        self.downsample = _shortcut(in_channels, out_channels, stride)
        self.IN: nn.Module = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.finish(x, self.conv2(self.start(x)))

    def start(self, x: Tensor) -> Tensor:
        """Compute what `conv2` takes."""
        return functional.relu(self.bn1(self.conv1(x)), inplace=True)

    def finish(self, x: Tensor, out: Tensor) -> Tensor:
        """Turn the block's input and the output of `conv2` into the block's output."""
        out = self.bn3(self.conv3(functional.relu(self.bn2(out), inplace=True)))
        return functional.relu(self.IN(out + self.downsample(x)), inplace=True)


Block = BasicBlock | Bottleneck


class ResNet(nn.Module):
    """A ResNet without its classifier: images "b 3 h w" -> feature map "b c h/s w/s".

    Args:
        depth: 10, 18, 34 or 50.
        width: channels of the stem; torchvision's networks have 64.
        last_stride: stride of the last stage; 1 keeps a finer map (stride s = 16), the habit of re-identification.
        blocks: residual blocks in each stage, where they differ from the depth's own; three numbers leave layer4 out.
    """

    layer1: nn.Sequential
    layer2: nn.Sequential
    layer3: nn.Sequential
    layer4: nn.Sequential

    def __init__(
        self, depth: int = 50, width: int = 64, last_stride: int = 1, blocks: tuple[int, ...] | None = None
    ) -> None:
        super().__init__()
        if depth not in BLOCKS:
            raise ValueError(f"no ResNet of depth {depth}: there are {', '.join(map(str, BLOCKS))}")
        block = Bottleneck if depth >= 50 else BasicBlock
        self.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        self.bn1: nn.Module = nn.BatchNorm2d(width)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        channels = width
        for stage, (count, stride) in enumerate(zip(blocks or BLOCKS[depth], (1, 2, 2, last_stride))):
            stage_width = width * 2**stage
            layers = [block(channels, stage_width, stride)]
            channels = stage_width * block.expansion
            layers += [block(channels, stage_width, 1) for _ in range(count - 1)]
            setattr(self, f"layer{stage + 1}", nn.Sequential(*layers))
        self.num_features = channels
        self.apply(_initialise)

    def normalise_instances(self) -> None:
        """Make it an IBN-b network (Pan et al. 2018): instance norms in the stem and behind the first two stages."""
        self.bn1 = nn.InstanceNorm2d(self.conv1.out_channels, affine=True)
        for stage in (self.layer1, self.layer2):
            last = stage[-1]
            assert isinstance(last, Block)
            last.IN = nn.InstanceNorm2d(last.out_channels, affine=True)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for stage in self.stages():
            x = stage(x)
        return x

    def stem(self, x: Tensor) -> Tensor:
        """Compute what stands before the first stage."""
        out: Tensor = self.maxpool(functional.relu(self.bn1(self.conv1(x)), inplace=True))
        return out

    def stages(self) -> list[nn.Sequential]:
        """List the stages in order: four, or as many as `blocks` says."""
        return [stage for stage in self.children() if isinstance(stage, nn.Sequential)]

    def named_blocks(self) -> Iterator[tuple[str, Block]]:
        """List the residual blocks in order, with names such as "layer2.0"."""
        for number, stage in enumerate(self.stages(), 1):
            for place, block in enumerate(stage):
                assert isinstance(block, Block)
                yield f"layer{number}.{place}", block

    def pick(self, names: Iterable[str]) -> dict[str, Block]:
        """Find residual blocks by name, under names that modules may have: "layer2_0" for "layer2.0".

        Raises `ValueError` for a name that is not among `named_blocks`.
        """
        known, wanted = dict(self.named_blocks()), tuple(names)
        unknown = sorted(set(wanted) - known.keys())
        if unknown:
            raise ValueError(f"this ResNet has no block {unknown[0]!r}: there are {', '.join(known)}")
        return {module_name(name): known[name] for name in wanted}


def module_name(block: str) -> str:
    """Spell a block's name so that a module may have it.

    >>> module_name("layer2.0")
    'layer2_0'
    """
    return block.replace(".", "_")


def load_pretrained(network: nn.Module, weights: Mapping[str, Tensor], expected: str = "torchvision's names") -> None:
    """Fill a network with weights under its own names, strictly; torchvision's classifier `fc` is left out.

    Raises `ValueError` where a name is missing or unknown, or a shape differs.
    """
    own = network.state_dict()
    given = {name: tensor for name, tensor in weights.items() if not name.startswith("fc.")}
    # Counters of batches, which old files do not have, do not matter.
    missing = sorted(name for name in own.keys() - given.keys() if not name.endswith("num_batches_tracked"))
    unknown = sorted(given.keys() - own.keys())
    reshaped = sorted(name for name in own.keys() & given.keys() if own[name].shape != given[name].shape)
    if missing or unknown or reshaped:
        raise ValueError(
            f"the weights do not fit this {type(network).__name__}: {len(missing)} missing {missing[:3]}, "
            f"{len(unknown)} unknown {unknown[:3]}, {len(reshaped)} of another shape {reshaped[:3]}; "
            f"expected {expected}"
        )
    network.load_state_dict({**own, **given})


def _shortcut(in_channels: int, out_channels: int, stride: int) -> nn.Module:
    if stride == 1 and in_channels == out_channels:
        return nn.Identity()
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, 1, stride, bias=False), nn.BatchNorm2d(out_channels))


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
