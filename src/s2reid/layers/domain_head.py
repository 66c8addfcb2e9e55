"""The heads that guess a feature's domain, behind gradient reversal.  Cls and Reg of Eq. (7) to (9)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from s2reid.layers.reversal import reverse

LARGEST_LOGIT = 8.0
"""Beyond it the sigmoid's slope, and with it the gradient of a squared error, is too small to learn from."""


class DomainHead(nn.Module):
    """Reversal, Linear, ReLU, Dropout, Linear: features -> logits, source first and target second.

    Cls_f and Cls_v are two of it: unshared weights, Sec. 3.4.

    Departure: the paper's "FC, ReLU, dropout" is followed by a last Linear; logits that are never negative and dropped
    at random cannot be trained on.

    >>> DomainHead(num_features=5, hidden=4)(torch.zeros(2, 3, 5), strength=1.0).shape
    torch.Size([2, 3, 2])
    """

    def __init__(self, num_features: int, hidden: int, num_outputs: int = 2, dropout: float = 0.5) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(num_features, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, num_outputs)
        )

    def forward(self, features: Float[Tensor, "*b d"], strength: float) -> Float[Tensor, "*b o"]:
        """Compute logits; the features receive -strength times the gradient, this head the whole."""
        return self.layers(reverse(features, strength))


class MixtureHead(nn.Module):
    """Reversal, then a guess for each segment of a combined sequence of how much of it is target, in [0, 1].

    Every segment passes the same Linear and ReLU (`projected` numbers a segment); together they pass Linear, ReLU,
    Dropout, Linear and a sigmoid. `slots` is the fixed length of the prediction of Eq. (9).

    >>> MixtureHead(num_features=5, slots=4)(torch.zeros(2, 4, 5), strength=1.0).shape
    torch.Size([2, 4])
    """

    def __init__(
        self, num_features: int, projected: int = 256, hidden: int = 512, slots: int = 8, dropout: float = 0.5
    ) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(num_features, projected),
            nn.ReLU(),
            nn.Flatten(1),
            nn.Linear(slots * projected, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, slots),
        )

    def forward(self, combined: Float[Tensor, "j s d"], strength: float) -> Float[Tensor, "j s"]:
        """Predict each segment's share of target; the features receive -strength times the gradient."""
        logits = self.layers(reverse(combined, strength))
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
        # Only the value is clamped: a gradient of zero would keep a wrong and certain head wrong for ever.
        clamped = logits.clamp(-LARGEST_LOGIT, LARGEST_LOGIT)
        return torch.sigmoid(logits + (clamped - logits).detach())
