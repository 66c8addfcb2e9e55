"""Optimizers by name, built from a schedule: Adam's family and SGD, and Muon, which needs fewer steps."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim import Optimizer

from s2reid.scales import Schedule

# Fused: one kernel for all parameters, which saves a twentieth of a small step on a CPU.
PLAIN: dict[str, Callable[..., Optimizer]] = {
    "adamw": partial(torch.optim.AdamW, fused=True),
    "adam": partial(torch.optim.Adam, fused=True),
    "sgd": partial(torch.optim.SGD, momentum=0.9, nesterov=True, fused=True),
}
NAMES = (*PLAIN, "muon")
STEM_CHANNELS = 3
"""A kernel over so few input channels looks at pixels: it is no map between features, and Muon leaves it alone."""


class Muon(Optimizer):
    """Step along the orthogonalised momentum of each convolution kernel (Jordan et al. 2024).

    A kernel counts as a matrix (output channels) x (all the rest). Its update has root mean square `rate` x 0.2, which
    is what Adam's updates have (Liu et al. 2025), so that both take the same learning rate and weight decay.
    """

    def __init__(self, kernels: Iterable[Tensor], lr: float, momentum: float = 0.95, weight_decay: float = 0.0) -> None:
        super().__init__(kernels, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Update every kernel that has a gradient."""
        for group in self.param_groups:
            rate, momentum = group["lr"], group["momentum"]
            for kernel in group["params"]:
                if kernel.grad is None:
                    continue
                state = self.state[kernel]
                if not state:
                    state["momentum"] = torch.zeros_like(kernel)
                past = state["momentum"].lerp_(kernel.grad, 1 - momentum)
                turn = orthogonalise(kernel.grad.lerp(past, momentum).flatten(1))
                kernel.mul_(1 - rate * group["weight_decay"])
                kernel.add_(turn.view_as(kernel), alpha=-rate * 0.2 * max(turn.shape) ** 0.5)


def orthogonalise(matrix: Float[Tensor, "r c"], rounds: int = 4) -> Float[Tensor, "r c"]:
    """Bring singular values near 1 (to 0.7 .. 1.2, those below 1/100 of the norm less) and keep the vectors; 0 stays 0.

    Newton-Schulz rounds, X <- (a + b XX' + c (XX')^2) X. All their factors are polynomials of the first XX', so the
    rounds are done on that small square matrix, and X is multiplied once.

    >>> orthogonalise(torch.diag(torch.tensor([3.0, 1.0]).double())).diagonal().round(decimals=1).tolist()
    [1.1, 0.7]
    """
    if len(matrix) > matrix.shape[1]:
        return orthogonalise(matrix.T, rounds).T
    matrix = matrix / (matrix.norm() + 1e-7)
    square = matrix @ matrix.T
    product = factor = _quintic(square)
    for _ in range(rounds - 1):
        square = factor @ square @ factor
        factor = _quintic(square)
        product = factor @ product
    return product @ matrix


def _quintic(square: Float[Tensor, "r r"]) -> Float[Tensor, "r r"]:
    """Compute a + b S + c S^2 with the numbers that lift small singular values fastest (Jordan et al. 2024)."""
    linear = -4.7750 * square
    linear.diagonal().add_(3.4445)
    return torch.addmm(linear, square, square, alpha=2.0315)


def build(parameters: Iterable[nn.Parameter], schedule: Schedule) -> list[Optimizer]:
    """Build what trains these parameters: weight decay for matrices and kernels, none for norms and biases.

    With `muon`, kernels of convolutions are Muon's, but for those on pixels, and all else is AdamW's. Raises
    `ValueError` for an unknown name.
    """
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    rate, decay = schedule.learning_rate, schedule.weight_decay
    if schedule.optimizer not in NAMES:
        raise ValueError(f"no optimizer named {schedule.optimizer!r}: there are {', '.join(NAMES)}")
    if schedule.optimizer != "muon":
        return [PLAIN[schedule.optimizer](_groups(trained, decay), lr=rate)]
    kernels = [parameter for parameter in trained if _is_between_features(parameter)]
    rest = [parameter for parameter in trained if not _is_between_features(parameter)]
    return [Muon(kernels, lr=rate, weight_decay=decay), PLAIN["adamw"](_groups(rest, decay), lr=rate)]


def clipping(
    backward: Callable[[Tensor], None], parameters: Iterable[nn.Parameter], optimizers: Sequence[Optimizer], norm: float
) -> Callable[[Tensor], None]:
    """Make a backward pass that shortens the gradient of these parameters to a norm where it is longer."""
    held = list(parameters)

    def clipped(loss: Tensor) -> None:
        backward(loss)
        for optimizer in optimizers:
            scaler = getattr(optimizer, "scaler", None)  # half precision scales gradients up
            if scaler is not None:
                scaler.unscale_(optimizer.optimizer)  # type: ignore[attr-defined]
        nn.utils.clip_grad_norm_(held, norm)

    return clipped


def _is_between_features(parameter: Tensor) -> bool:
    return parameter.ndim >= 4 and parameter.shape[1] > STEM_CHANNELS


def _groups(parameters: list[nn.Parameter], decay: float) -> list[dict[str, Any]]:
    return [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
