"""The moving average of a network against its formula, Eq. (11)."""

import pytest
import torch
from torch import nn

from s2reid.layers.average import Average


def network(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))


def move(network, step):
    """Change every parameter and, by a pass in training mode, every statistic."""
    generator = torch.Generator().manual_seed(step)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator))
        network.train()(torch.randn(8, 3, generator=generator))


def test_every_number_follows_the_formula_statistics_too():
    followed = network()
    average = Average(followed, 0.6)
    expected = {name: value.double().clone() for name, value in followed.state_dict().items()}
    for step in range(6):
        move(followed, step)
        average.update(followed)
        keep = min(0.6, step / (step + 1))
        for name, value in followed.state_dict().items():
            counts = not value.is_floating_point()
            expected[name] = value.double() if counts else keep * expected[name] + (1 - keep) * value.double()
    found = average.network.state_dict()
    assert {"1.running_mean", "1.running_var", "1.num_batches_tracked"} < found.keys() == expected.keys()
    for name, value in found.items():
        torch.testing.assert_close(value.double(), expected[name], rtol=1e-5, atol=1e-6)
    assert average.updates.item() == 6


def test_the_first_update_copies():
    followed = network()
    average = Average(followed, 0.999)
    move(followed, 0)
    average.update(followed)
    for name, value in followed.state_dict().items():
        assert torch.equal(average.network.state_dict()[name], value), name


def test_equal_networks_are_a_fixed_point_bit_for_bit():
    followed = network()
    move(followed, 0)
    average = Average(followed, 0.9)
    before = {name: value.clone() for name, value in average.network.state_dict().items()}
    for _ in range(20):
        average.update(followed)
    assert len(before) == 9
    assert all(torch.equal(value, before[name]) for name, value in average.network.state_dict().items())


def test_it_is_a_copy_without_gradient_and_never_in_training_mode():
    followed = network()
    average = Average(followed, 0.9)
    nn.ModuleList([average]).train()
    assert not any(module.training for module in average.modules())
    assert not any(parameter.requires_grad for parameter in average.parameters())
    assert all(parameter.requires_grad for parameter in followed.parameters())
    move(followed, 0)
    average.update(followed)
    assert all(parameter.grad_fn is None for parameter in average.parameters())
    storages = {parameter.data_ptr() for parameter in followed.parameters()}
    assert storages.isdisjoint(parameter.data_ptr() for parameter in average.parameters())


def test_the_state_goes_on_where_it_was_saved():
    followed = network()
    average, again = Average(followed, 0.5), Average(network(1), 0.5)
    for step in range(3):
        move(followed, step)
        average.update(followed)
    again.load_state_dict(average.state_dict())
    move(followed, 3)
    for one in (average, again):
        one.update(followed)
    assert again.updates.item() == 4
    for name, value in average.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name


def test_another_network_is_refused():
    with pytest.raises((RuntimeError, ValueError, KeyError)):
        Average(network(), 0.5).update(nn.Sequential(nn.Linear(3, 4)))
