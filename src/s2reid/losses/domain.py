"""L1S, L2S, L3S: is this frame, clip, or stretch of a combined sequence from the target?  Eq. (7) to (10).

All three are minimised by the heads and, through gradient reversal, maximised by the network below.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional


def frame(logits: Float[Tensor, "b t 2"], is_target: Bool[Tensor, " b"]) -> Float[Tensor, ""]:
    """Compute L1S, the mean cross-entropy of every frame's domain, Eq. (7) and (10).

    Departure: a mean over frames and clips where Eq. (10) has sums, so that the weight does not depend on the batch.

    >>> round(frame(torch.zeros(2, 3, 2), torch.tensor([False, True])).item(), 4)  # log 2
    0.6931
    """
    return functional.cross_entropy(logits.flatten(0, 1), is_target.long().repeat_interleave(logits.shape[1]))


def video(logits: Float[Tensor, "b 2"], is_target: Bool[Tensor, " b"]) -> Float[Tensor, ""]:
    """Compute L2S, the mean cross-entropy of every clip's domain, Eq. (8) and (10).

    Departure: a mean over clips where Eq. (10) has a sum.

    >>> round(video(torch.tensor([[0.0, 0.0], [0.0, 9.0]]), torch.tensor([False, True])).item(), 4)  # about log(2) / 2
    0.3466
    """
    return functional.cross_entropy(logits, is_target.long())


def mixture(predicted: Float[Tensor, "j s"], occupancy: Float[Tensor, "j s"]) -> Float[Tensor, ""]:
    """Compute L3S, the mean squared error of j combined sequences' domain distributions, Eq. (9) and (10).

    Args:
        predicted: the share of target in each of s segments; 1/2 everywhere, which is chance, costs 1/4.
        occupancy: the right share, 0 for source and 1 for target.

    Departure: a mean over sequences and segments where Eq. (10) has a sum.

    >>> mixture(torch.tensor([[1.0, 0.5]]), torch.tensor([[1.0, 0.0]])).item()
    0.125
    """
    return functional.mse_loss(predicted, occupancy)


@torch.no_grad()
def domain_accuracy(logits: Float[Tensor, "b *t 2"], is_target: Bool[Tensor, " b"]) -> Float[Tensor, ""]:
    """Compute the share of frames or clips whose domain is guessed right: 1/2 where the domains cannot be told apart.

    Equal logits count as source.

    >>> domain_accuracy(torch.tensor([[0.0, 1.0], [2.0, 1.0]]), torch.tensor([True, True])).item()
    0.5
    """
    guessed = logits[..., 1] > logits[..., 0]
    return (guessed.movedim(0, -1) == is_target).float().mean()
