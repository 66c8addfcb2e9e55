"""The graph sampler: a batch is a person with those who look most like it (Liao & Shao, CVPR 2022)."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def neighbourhoods(distance: Float[Tensor, "k k"], num_persons: int, seed: int) -> Int[Tensor, "k p"]:
    """Order the persons of an epoch: one batch for each person, with itself first and its nearest after it.

    Args:
        distance: between persons, smaller is more alike; the diagonal is not looked at, ties go to the lower number.
        num_persons: persons in a batch.
        seed: decides the order of the batches.

    Raises:
        ValueError: where there are fewer persons than a batch needs.

    >>> line = torch.tensor([0.0, 1.0, 3.0])
    >>> neighbourhoods((line[:, None] - line).abs(), 2, seed=0).sort(0).values.tolist()
    [[0, 0], [1, 1], [2, 1]]
    """
    if len(distance) < num_persons:
        raise ValueError(
            f"the graph sampler puts a person and {num_persons - 1} neighbours in a batch, and the source has "
            f"{len(distance)} persons: give a larger source or fewer persons a batch"
        )
    # Itself first, whatever the diagonal says.
    apart = distance.cpu().masked_fill(torch.eye(len(distance), dtype=torch.bool), -torch.inf)
    nearest = apart.sort(dim=1, stable=True).indices[:, :num_persons]
    return nearest[torch.randperm(len(nearest), generator=torch.Generator().manual_seed(seed))]
