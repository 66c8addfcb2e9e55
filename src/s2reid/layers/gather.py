"""A batch that several processes share: what each has of it put together, with the gradient."""

import torch
import torch.distributed as dist
from jaxtyping import Shaped
from torch import Tensor


def num_processes() -> int:
    """Count the processes that train together."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def gather(share: Shaped[Tensor, "b *any"]) -> Shaped[Tensor, "n *any"]:
    """Put the shares of all processes together in their order; one process has all of it already.

    Shares have one shape. A share receives the sum of what all processes send back. Each process computes the same loss
    from the whole, and their gradients of the parameters are averaged afterwards: what comes out is the gradient of
    that loss.

    >>> gather(torch.tensor([1, 2]))
    tensor([1, 2])
    """
    return share if num_processes() == 1 else _Gather.apply(share)  # type: ignore[no-untyped-call]


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, share: Tensor) -> Tensor:
        parts = [torch.empty_like(share, memory_format=torch.contiguous_format) for _ in range(num_processes())]
        dist.all_gather(parts, share.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, gradient: Tensor) -> Tensor:
        total = gradient.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total.chunk(num_processes())[dist.get_rank()]
