"""Domain-specific batch norm: source and target each have their own statistics, weights and biases.

(Chang et al., "Domain-specific batch normalization for unsupervised domain adaptation", CVPR 2019.)
"""

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Literal

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

Domain = Literal["source", "target"]


class DomainNorm(nn.Module):
    """A batch norm in two copies; all that comes in goes through the copy of the domain that is set.

    It is the target's unless `in_domain` says otherwise, so a test needs nothing.
    """

    def __init__(self, norm: _BatchNorm) -> None:
        super().__init__()
        self.source, self.target = norm, copy.deepcopy(norm)
        self.domain: Domain = "target"

    def forward(self, x: Tensor) -> Tensor:
        norm = self.source if self.domain == "source" else self.target
        out: Tensor = norm(x)
        return out


def specialise(network: nn.Module) -> None:
    """Put a `DomainNorm`, both copies as the norm was, in the place of every batch norm inside a network."""
    for name, child in network.named_children():
        if isinstance(child, _BatchNorm):
            setattr(network, name, DomainNorm(child))
        elif not isinstance(child, DomainNorm):
            specialise(child)


def doubled(network: nn.Module, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Name weights of the plain network as `network` does: those of a norm are for both copies."""
    plain = {own: own.replace(".source.", ".").replace(".target.", ".") for own in network.state_dict()}
    fitted = {own: weights[name] for own, name in plain.items() if name in weights}
    return fitted | {name: tensor for name, tensor in weights.items() if name not in plain.values()}


def copy_norms(network: nn.Module, start: Domain, goal: Domain) -> None:
    """Overwrite the goal's copy of every norm, statistics too, with the start's."""
    for norm in _norms(network):
        getattr(norm, goal).load_state_dict(getattr(norm, start).state_dict())


@contextmanager
def in_domain(network: nn.Module, domain: Domain) -> Iterator[None]:
    """Let everything inside the block pass through one domain's norms; afterwards the target's are set again."""
    norms = _norms(network)
    for norm in norms:
        norm.domain = domain
    try:
        yield
    finally:
        for norm in norms:
            norm.domain = "target"


def _norms(network: nn.Module) -> list[DomainNorm]:
    norms = [module for module in network.modules() if isinstance(module, DomainNorm)]
    if not norms:
        raise ValueError(f"{type(network).__name__} has no domain-specific norms: call `specialise` on it first")
    return norms
