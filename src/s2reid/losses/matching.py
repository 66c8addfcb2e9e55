"""L_match: the least alike clip of the same person must still score above the most alike of another."""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional


def matching(scores: Float[Tensor, "b b"], person: Int[Tensor, " b"], margin: float = 16.0) -> Float[Tensor, ""]:
    """Compute the batch-hard triplet loss on the scores of pairs (Liao & Shao, CVPR 2022).

    Args:
        scores: of every clip (row) with every clip, larger is more alike; the diagonal is not looked at.
        person: whose clip it is; a clip without another of its person, or without another person, is left out.
        margin: by how much the worst match must exceed the best mismatch.

    >>> scores = torch.tensor([[0.0, 2.0, 5.0], [2.0, 0.0, 1.0], [5.0, 1.0, 0.0]])
    >>> matching(scores, torch.tensor([0, 0, 1]), margin=4.0).item()  # (5 - 2 + 4 + 1 - 2 + 4) / 2
    5.0
    """
    scores = scores.to(torch.promote_types(scores.dtype, torch.float32))
    is_same = person[:, None] == person[None]
    is_positive = is_same & ~torch.eye(len(person), dtype=torch.bool, device=person.device)
    worst_match = scores.masked_fill(~is_positive, torch.inf).amin(1)
    best_mismatch = scores.masked_fill(is_same, -torch.inf).amax(1)
    is_anchor = is_positive.any(1) & (~is_same).any(1)
    if not is_anchor.any():
        return scores.sum() * 0.0
    return functional.relu(best_mismatch - worst_match + margin)[is_anchor].mean()
