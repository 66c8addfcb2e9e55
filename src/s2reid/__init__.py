"""Video person re-identification that learns from synthetic people and adapts, without labels, to real cameras."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from s2reid.version import __version__

if TYPE_CHECKING:
    from s2reid.embed import Model


def load_model(
    path: "str | Path", device: str | None = None, *, quick: bool = False, precision: Literal["no", "bf16"] = "no"
) -> "Model":
    """Load a model folder, or a model that comes with the package by its name, such as "s2reid-small".

    Its `embed` maps tracklets (uint8 RGB arrays "t h w 3") to unit vectors "n d". A folder wins over a name.
    With `quick` it looks at one clip of a tracklet and no mirror images; `bf16` is faster where the processor has it.
    """
    from s2reid import embed  # torch comes with it; `import s2reid` alone stays instant

    return embed.load_model(path, device, quick=quick, precision=precision)


__all__ = ["__version__", "load_model"]
