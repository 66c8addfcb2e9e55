"""Gradient reversal: what follows learns to tell domains apart, what comes before learns to hide them.  Sec. 3.2."""

import math
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor


class _Reversal(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, strength: float) -> Tensor:
        ctx.strength = strength
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        return -ctx.strength * grads[0], None


def reverse(x: Float[Tensor, "..."], strength: float) -> Float[Tensor, "..."]:
    """Pass x on unchanged, and its gradient multiplied by -strength (Ganin et al. 2016).

    >>> x = torch.tensor([2.0], requires_grad=True)
    >>> reverse(3 * x, 0.5).backward()
    >>> x.grad.item()
    -1.5
    """
    return _Reversal.apply(x, strength)  # type: ignore[no-untyped-call]


def strength_at(progress: float, cap: float = 1.0) -> float:
    """Raise the strength of the reversal from 0 towards 1 over a run: 2 / (1 + exp(-10 p)) - 1, at most `cap`.

    Args:
        progress: p, the share of the run that is over, in [0, 1].
        cap: the largest strength that is returned, 0 or more.

    Departure: the paper gives no schedule; this is that of Ganin et al. (2016).

    >>> [round(strength_at(p), 3) for p in (0.0, 0.1, 0.5, 1.0)]
    [0.0, 0.462, 0.987, 1.0]
    """
    if not 0 <= progress <= 1:
        raise ValueError(f"progress is {progress}, expected a share of the run in [0, 1]: divide the step by the steps")
    if not cap >= 0:
        raise ValueError(f"the cap on the reversal's strength is {cap}, expected 0 (no gradient passes) or more")
    return min(cap, 2 / (1 + math.exp(-10 * progress)) - 1)
