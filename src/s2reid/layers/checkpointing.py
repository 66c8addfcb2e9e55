"""Gradient checkpointing: less memory for a second forward pass (Chen et al. 2016, "sublinear memory cost")."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint

from s2reid.layers.domain_norm import Domain, DomainNorm
from s2reid.layers.resnet import BasicBlock, Bottleneck
from s2reid.layers.shift_attention import ShiftBlock

BLOCKS = (BasicBlock, Bottleneck, ShiftBlock)


class Checkpointing:
    """Keep only what goes into each residual or transformer block of a network; the backward pass computes it again.

    What comes out, the gradients and the running statistics stay the same to the bit. `calls` counts the blocks that
    ran so.
    """

    def __init__(self, network: nn.Module) -> None:
        self.calls = 0
        for block in [module for module in network.modules() if isinstance(module, BLOCKS)]:
            block.forward = partial(self._run, block, block.forward)  # type: ignore[method-assign]

    def _run(self, block: nn.Module, forward: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        if not torch.is_grad_enabled():
            return forward(x)
        self.calls += 1
        out: Tensor = checkpoint(forward, x, use_reentrant=False, context_fn=partial(_contexts, block))
        return out


def _contexts(block: nn.Module) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    """Give the surroundings of the first and of the second pass; called before the first."""
    norms = [module for module in block.modules() if isinstance(module, _BatchNorm)]
    modes = [(norm.training, norm.track_running_stats) for norm in norms]
    domains = [(module, module.domain) for module in block.modules() if isinstance(module, DomainNorm)]
    return nullcontext(), _again(norms, modes, domains)


@contextmanager
def _again(
    norms: list[_BatchNorm], modes: list[tuple[bool, bool]], domains: list[tuple[DomainNorm, Domain]]
) -> Iterator[None]:
    """Set norms as they were in the first pass, but let their running statistics stay where they are."""
    held = [(norm.training, norm.track_running_stats, norm.momentum) for norm in norms]
    counts = [None if norm.num_batches_tracked is None else norm.num_batches_tracked.clone() for norm in norms]
    now = [module.domain for module, _ in domains]
    for norm, mode in zip(norms, modes):
        norm.training, norm.track_running_stats, norm.momentum = *mode, 0.0
    for module, domain in domains:
        module.domain = domain
    try:
        yield
    finally:
        for norm, before, count in zip(norms, held, counts):
            norm.training, norm.track_running_stats, norm.momentum = before
            if count is not None and norm.num_batches_tracked is not None:
                norm.num_batches_tracked.copy_(count)
        for (module, _), domain in zip(domains, now):
            module.domain = domain
