"""L_CAL: features must not tell a person's outfits apart (Gu et al., "Clothes-changing person re-id", CVPR 2022)."""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional


def outfit(
    logits: Float[Tensor, "b o"], worn: Int[Tensor, " b"], wearer: Int[Tensor, " o"], smoothing: float = 0.1
) -> Float[Tensor, ""]:
    """Compute the clothes-based adversarial loss: every outfit of the right person is a right answer.

    An outfit's log-probability counts it against the outfits of all other persons, never against its wearer's own.
    Minimised by the features alone, with the outfit classifier left as it is, it pulls a person's outfits together.

    Args:
        logits: scaled cosines, one for each outfit class (a pair of person and outfit).
        worn: the outfit class of each clip, in 0..o-1.
        wearer: the person of each outfit class; at least two persons.
        smoothing: share of the label that is spread over all outfits of the right person.

    >>> scores = torch.log(torch.tensor([[3.0, 1.0, 1.0]]))
    >>> loss = outfit(scores, torch.tensor([0]), torch.tensor([7, 7, 8]), smoothing=0.5)
    >>> round(loss.item(), 4)  # -(3/4 log(3 / (3 + 1)) + 1/4 log(1 / (1 + 1)))
    0.389
    """
    is_own = wearer[worn][:, None] == wearer[None]
    others = logits.masked_fill(is_own, -torch.inf).logsumexp(1, keepdim=True)
    spread = smoothing * is_own.to(logits.dtype) / is_own.sum(1, keepdim=True)
    label = spread.scatter_add(1, worn[:, None], torch.full_like(spread[:, :1], 1 - smoothing))
    return (label * functional.softplus(others - logits)).sum(1).mean()
