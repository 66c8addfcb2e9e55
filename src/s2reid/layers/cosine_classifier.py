"""A classifier that compares directions only: logits are scaled cosines between a feature and a class's own vector."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


class CosineClassifier(nn.Module):
    """Features "b d" of any length -> logits "b k" in -scale..scale, without a bias.

    Class vectors start as random directions; CAL's outfit classifier has scale 16.
    """

    def __init__(self, num_features: int, num_classes: int, scale: float = 16.0) -> None:
        super().__init__()
        self.scale = scale
        self.weight = nn.Parameter(functional.normalize(torch.empty(num_classes, num_features).uniform_(-1, 1), dim=1))

    def forward(self, features: Float[Tensor, "b d"], is_fixed: bool = False) -> Float[Tensor, "b k"]:
        """Compare; with `is_fixed` the class vectors get no gradient."""
        weight = self.weight.detach() if is_fixed else self.weight
        return self.scale * functional.linear(
            functional.normalize(features, dim=1), functional.normalize(weight, dim=1)
        )
