"""Weights of a published release under our names."""

from collections.abc import Mapping

from torch import Tensor


def renamed(weights: Mapping[str, Tensor], beginnings: Mapping[str, str | None]) -> dict[str, Tensor]:
    """Rename weights: the longest beginning of a name that is listed is replaced, or the weight is left out (None).

    A kernel over k frames becomes a 2-D one, with the frames side by side in its input channels.

    >>> import torch
    >>> given = {"base.conv.weight": torch.ones(4, 2, 3, 1, 1), "base.bias": torch.ones(4), "head.bias": torch.ones(9)}
    >>> {name: tuple(w.shape) for name, w in renamed(given, {"": "", "base.": "resnet.", "head.": None}).items()}
    {'resnet.conv.weight': (4, 6, 1, 1), 'resnet.bias': (4,)}
    """
    ours = {}
    for name, weight in weights.items():
        begin = max((known for known in beginnings if name.startswith(known)), key=len)
        replacement = beginnings[begin]
        if replacement is not None:
            ours[replacement + name[len(begin) :]] = (
                weight.transpose(1, 2).flatten(1, 2) if weight.ndim == 5 else weight
            )
    return ours
