"""The graph sampler: who is in a batch, and in which order."""

import pytest
import torch

from s2reid.layers.graph_sampler import neighbourhoods


def distances(k=9, seed=0):
    points = torch.randn(k, 2, generator=torch.Generator().manual_seed(seed))
    return torch.cdist(points, points)


def test_a_batch_is_a_person_and_its_nearest():
    distance = distances()
    batches = neighbourhoods(distance, 4, seed=0).tolist()
    assert sorted(batch[0] for batch in batches) == list(range(9))
    for anchor, *others in batches:
        assert others == sorted((p for p in range(9) if p != anchor), key=lambda p: distance[anchor, p].item())[:3]


def test_the_diagonal_is_not_looked_at_and_ties_go_to_the_lower_number():
    distance = torch.ones(4, 4) + 5 * torch.eye(4)
    assert sorted(neighbourhoods(distance, 3, seed=0).tolist()) == [[0, 1, 2], [1, 0, 2], [2, 0, 1], [3, 0, 1]]


def test_the_seed_decides_the_order_of_the_batches_alone():
    one, again, other = (neighbourhoods(distances(), 3, seed) for seed in (0, 0, 1))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    assert sorted(one.tolist()) == sorted(other.tolist())


def test_too_few_persons_are_refused():
    with pytest.raises(ValueError, match="a person and 3 neighbours in a batch, and the source has 3 persons"):
        neighbourhoods(distances(3), 4, seed=0)
