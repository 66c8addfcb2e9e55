"""Circle softmax: the identity loss on cosines, where what is far from its aim weighs more (Sun et al. 2020)."""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional


def circle(
    features: Float[Tensor, "b d"],
    weights: Float[Tensor, "k d"],
    person: Int[Tensor, " b"],
    scale: float = 64.0,
    margin: float = 0.3,
    smoothing: float = 0.0,
) -> Float[Tensor, ""]:
    """Compute the mean cross-entropy of circle logits of the cosines z between features and persons' weights.

    The right person's logit is s [1 + m - z]+ (z - 1 + m), another's s [z + m]+ (z - m); the factors in brackets are
    weights, without a gradient.

    Args:
        features: one feature a clip, of any length.
        weights: one direction for each of the k training persons.
        person: the right person of each clip, in 0..k-1.
        scale: s.
        margin: m.
        smoothing: share of the label that is spread over the k - 1 wrong persons.

    >>> axes = torch.eye(2)
    >>> round(circle(axes, axes, torch.tensor([0, 1]), scale=1.0, margin=0.3).item(), 4)  # logits 0.09 and -0.09
    0.6072
    """
    if len(weights) < 2:
        raise ValueError(f"circle softmax compares persons and found {len(weights)}: give at least 2")
    # Whatever the precision of the network: s multiplies what a product in bf16 is off by.
    with torch.autocast(features.device.type, enabled=False):
        dtype = torch.promote_types(features.dtype, torch.float32)
        unit = (functional.normalize(matrix.to(dtype), dim=1) for matrix in (features, weights))
        cosine = functional.linear(*unit)
        is_right = functional.one_hot(person, len(weights)).bool()
        pace = torch.where(is_right, 1 + margin - cosine, cosine + margin).detach().relu()
        logits = scale * pace * torch.where(is_right, cosine - (1 - margin), cosine - margin)
        # torch spreads over all k persons, the right one included.
        return functional.cross_entropy(logits, person, label_smoothing=smoothing * len(weights) / (len(weights) - 1))
