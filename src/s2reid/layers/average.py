"""The exponential moving average of a network: parameters and batch-norm statistics.  Eq. (11)."""

import copy

import torch
from torch import nn


class Average(nn.Module):
    """A copy of a network that follows it slowly and takes no gradient.

    After update t (0, 1, ...) each number a of the copy becomes k a + (1 - k) b, with b the network's and
    k = min(momentum, t / (t + 1)): the first update copies. Floating-point buffers (batch-norm statistics) are averaged
    by the same rule; counters are copied.
    """

    def __init__(self, network: nn.Module, momentum: float) -> None:
        super().__init__()
        self.network = copy.deepcopy(network).requires_grad_(False).eval()
        self.momentum = momentum
        self.updates: torch.Tensor
        self.register_buffer("updates", torch.zeros((), dtype=torch.long))

    @torch.no_grad()
    def copy(self, network: nn.Module) -> None:
        """Begin again as a copy of `network`."""
        for mine, theirs in zip(self._numbers(self.network), self._numbers(network), strict=True):
            mine.copy_(theirs)
        self.updates.zero_()

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Move the copy towards `network` once."""
        past = int(self.updates)
        keep = min(self.momentum, past / (past + 1))
        pairs = list(zip(self._numbers(self.network), self._numbers(network), strict=True))
        moving = [(mine, theirs) for mine, theirs in pairs if mine.is_floating_point()]
        torch._foreach_lerp_([mine for mine, _ in moving], [theirs for _, theirs in moving], 1 - keep)
        for mine, theirs in pairs:
            if not mine.is_floating_point():
                mine.copy_(theirs)
        self.updates += 1

    @staticmethod
    def _numbers(network: nn.Module) -> list[torch.Tensor]:
        return [*network.parameters(), *network.buffers()]

    def train(self, mode: bool = True) -> "Average":
        """Stay in evaluation mode, whatever the network around does."""
        return super().train(False)
