"""L_cse: which of the source's persons is this?  Eq. (5)."""

from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional


def identity(logits: Float[Tensor, "b k"], person: Int[Tensor, " b"], smoothing: float = 0.0) -> Float[Tensor, ""]:
    """Compute the mean cross-entropy of person logits, Eq. (5).

    Args:
        logits: one score for each of the k training persons.
        person: the right person of each clip, in 0..k-1.
        smoothing: share of the label that is spread over all k persons; the paper uses none.

    >>> import torch
    >>> round(identity(torch.zeros(2, 4), torch.tensor([0, 3])).item(), 4)  # log 4
    1.3863
    """
    return functional.cross_entropy(logits, person, label_smoothing=smoothing)
