"""Each domain has its own statistics, and nothing of one reaches the other."""

import pytest
import torch
from torch import nn

from s2reid.layers.domain_norm import DomainNorm, copy_norms, in_domain, specialise


def network():
    torch.manual_seed(0)
    inner = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    return nn.Sequential(inner, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.BatchNorm1d(4))


def images(seed, shift=0.0):
    return shift + torch.randn(6, 3, 8, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def by_loops(x, eps):
    """Normalise each channel by the mean and the biased variance of its own values; return both too."""
    out, mean, variance = torch.empty_like(x), [], []
    for channel in range(x.shape[1]):
        values = x[:, channel].flatten()
        mean.append(sum(values) / len(values))
        variance.append(sum((value - mean[-1]) ** 2 for value in values) / len(values))
        out[:, channel] = (x[:, channel] - mean[-1]) / torch.sqrt(variance[-1] + eps)
    return out, torch.stack(mean), torch.stack(variance)


def test_each_domain_is_normalised_by_itself_and_remembered_by_itself():
    norm = DomainNorm(nn.BatchNorm2d(3)).double().train()
    for domain, x in (("source", images(0, 5.0)), ("target", images(1, -2.0))):
        other = {"source": norm.target, "target": norm.source}[domain]
        before = {name: value.clone() for name, value in other.state_dict().items()}
        x.requires_grad_()
        with in_domain(norm, domain):
            found = norm(x)
        expected, mean, variance = by_loops(x, norm.source.eps)
        torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-12)
        weight = images(2)
        grads = [torch.autograd.grad((weight * out).sum(), x)[0] for out in (found, expected)]
        torch.testing.assert_close(*grads, rtol=1e-8, atol=1e-12)
        count = x[:, 0].numel()
        own = getattr(norm, domain)
        torch.testing.assert_close(own.running_mean, 0.1 * mean)
        torch.testing.assert_close(own.running_var, 0.9 + 0.1 * variance * count / (count - 1))
        assert all(torch.equal(before[name], value) for name, value in other.state_dict().items())


def test_specialised_networks_start_as_they_were_and_test_as_the_target():
    plain, special = network().double(), network().double()
    specialise(special)
    specialise(special)  # a second time changes nothing
    assert sum(isinstance(module, DomainNorm) for module in special.modules()) == 2
    assert sum(isinstance(module, nn.BatchNorm2d | nn.BatchNorm1d) for module in special.modules()) == 4
    torch.testing.assert_close(special.eval()(images(0)), plain.eval()(images(0)))
    with in_domain(special.train(), "source"):
        special(images(1, 3.0))
    torch.testing.assert_close(special.eval()(images(0)), plain(images(0)))
    with in_domain(special, "source"):
        assert not torch.allclose(special(images(0)), plain(images(0)))


def test_copies_hold_weights_and_statistics():
    special = network()
    specialise(special)
    with in_domain(special.train(), "source"):
        special(images(1, 3.0).float())
    copy_norms(special, "source", "target")
    for module in special.modules():
        if isinstance(module, DomainNorm):
            assert module.target.running_mean.abs().sum() > 0
            assert all(torch.equal(a, b) for a, b in zip(module.source.buffers(), module.target.buffers()))


def test_the_target_is_set_again_after_an_error():
    norm = DomainNorm(nn.BatchNorm1d(2))
    with pytest.raises(ValueError, match="expected 2D or 3D input"), in_domain(norm, "source"):
        norm(torch.zeros(1, 2, 3, 4))
    assert norm.domain == "target"


def test_a_frozen_bias_stays_frozen_in_both():
    plain = nn.Sequential(nn.BatchNorm1d(2))
    plain[0].bias.requires_grad_(False)
    specialise(plain)
    assert [p.requires_grad for p in plain.parameters()] == [True, False, True, False]


def test_a_network_without_domains_is_refused():
    with (
        pytest.raises(ValueError, match="Sequential has no domain-specific norms: call `specialise` on it first"),
        in_domain(network(), "source"),
    ):
        pass
