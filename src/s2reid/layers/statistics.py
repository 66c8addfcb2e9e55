"""Batch norms that use a batch's statistics without remembering them."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def batch_statistics(network: nn.Module) -> Iterator[None]:
    """Normalise by the batch at hand inside the block, and leave every running mean and variance as it was.

    All batch norms are in training mode inside, whatever the network's mode, and in their own mode again behind.

    >>> import torch
    >>> norm = nn.BatchNorm1d(1).eval()
    >>> with batch_statistics(norm):
    ...     print(norm(torch.tensor([[2.0], [4.0]])).round().tolist())
    [[-1.0], [1.0]]
    >>> norm.running_mean.item(), norm.training
    (0.0, False)
    """
    norms = [module for module in network.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    held = [(norm.training, norm.track_running_stats) for norm in norms]
    for norm in norms:
        norm.training, norm.track_running_stats = True, False
    try:
        yield
    finally:
        for norm, (training, tracks) in zip(norms, held):
            norm.training, norm.track_running_stats = training, tracks
