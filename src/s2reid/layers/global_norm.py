"""Batch norms whose batch is that of all processes together."""

import torch
from torch import Tensor, nn
from torch.distributed.nn.functional import all_reduce
from torch.nn.modules.batchnorm import _BatchNorm

from s2reid.layers.gather import num_processes


class GlobalNorm(_BatchNorm):
    """What torch's `SyncBatchNorm` is on GPUs, for CPUs: slow, and for shares of equal size."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        dims, shape = [0, *range(2, x.ndim)], [1, -1, *[1] * (x.ndim - 2)]
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        mean = all_reduce(wide.mean(dims)) / num_processes()  # type: ignore[no-untyped-call]
        centred = wide - mean.view(shape)
        variance = all_reduce(centred.square().mean(dims)) / num_processes()  # type: ignore[no-untyped-call]
        if self.track_running_stats and self.running_mean is not None and self.running_var is not None:
            assert self.momentum is not None
            assert self.num_batches_tracked is not None
            count = x.numel() // x.shape[1] * num_processes()
            self.running_mean.lerp_(mean.detach(), self.momentum)
            self.running_var.lerp_(variance.detach() * (count / (count - 1)), self.momentum)
            self.num_batches_tracked += 1
        scaled = centred * (variance + self.eps).rsqrt().view(shape)
        return (scaled * self.weight.view(shape) + self.bias.view(shape)).to(x.dtype)

    def _check_input_dim(self, x: Tensor) -> None:
        """Take whatever shape the norm in whose place this is took."""


def globalise(network: nn.Module, device: torch.device) -> None:
    """Put norms over all processes in the place of every batch norm inside a network, with the same numbers."""
    if device.type == "cuda":
        nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
        return
    for name, child in network.named_children():
        if isinstance(child, _BatchNorm):
            setattr(network, name, _like(child))
        else:
            globalise(child, device)


def _like(norm: _BatchNorm) -> GlobalNorm:
    """Make a global norm that shares the parameters and buffers of another norm."""
    made = GlobalNorm(norm.num_features, norm.eps, norm.momentum, norm.affine, norm.track_running_stats)
    for name in norm._parameters:
        setattr(made, name, getattr(norm, name))
    for name in norm._buffers:
        setattr(made, name, getattr(norm, name))
    return made.train(norm.training)
