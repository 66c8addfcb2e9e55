"""k-means: a fixed point of its own rule, repeatable, without empty groups."""

import pytest
import torch

from s2reid.layers.kmeans import kmeans


def blobs(groups=6, each=10, seed=0):
    generator = torch.Generator().manual_seed(seed)
    centres = 10 * torch.randn(groups, 4, generator=generator)
    return centres.repeat_interleave(each, 0) + torch.randn(groups * each, 4, generator=generator)


def test_apart_groups_are_found_whatever_the_seed():
    found = [kmeans(blobs(), 6, seed).view(6, 10) for seed in range(5)]
    pure = [all(len(row.unique()) == 1 for row in labels) and len(labels.unique()) == 6 for labels in found]
    assert sum(pure) >= 3


@pytest.mark.parametrize("seed", range(4))
def test_every_feature_is_nearest_to_the_mean_of_its_own_group(seed):
    features = torch.randn(50, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    labels = kmeans(features, 7, seed)
    means = [sum(f for f, label in zip(features, labels) if label == group) for group in range(7)]
    means = [total / (labels == group).sum() for group, total in enumerate(means)]
    for feature, label in zip(features, labels.tolist()):
        distances = [(feature - mean).square().sum().item() for mean in means]
        assert distances.index(min(distances)) == label


def test_the_same_seed_repeats_and_another_may_not():
    features = torch.randn(60, 5, generator=torch.Generator().manual_seed(0))
    state = torch.get_rng_state()
    runs = [kmeans(features, 12, seed) for seed in (3, 3, 4)]
    assert torch.equal(runs[0], runs[1])
    assert not torch.equal(runs[0], runs[2])
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("num_groups", [1, 4, 9])
def test_no_group_is_empty_even_among_equal_features(num_groups):
    features = torch.tensor([[0.0], [0.0], [0.0], [0.0], [0.0], [1.0], [1.0], [2.0], [2.0]])
    assert kmeans(features, num_groups, 0).bincount(minlength=num_groups).min() > 0


@pytest.mark.parametrize("num_groups", [0, 4])
def test_more_groups_than_features_are_refused(num_groups):
    with pytest.raises(ValueError, match=f"3 features in {num_groups} groups: expected 1 to 3 groups"):
        kmeans(torch.zeros(3, 2), num_groups, 0)
