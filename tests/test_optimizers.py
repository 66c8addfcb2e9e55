"""Which optimizer trains which parameter, and Muon against its definition."""

import pytest
import torch
from tests import tiny
from torch import nn

from s2reid.optimizers import Muon, build, clipping, orthogonalise

pytestmark = pytest.mark.usefixtures("tiny_scale")


@pytest.mark.parametrize("optimizer", ["adamw", "adam", "sgd"])
def test_optimizers_decay_matrices_only(optimizer):
    (found,) = tiny.learner().optimizers(tiny.schedule(optimizer=optimizer, weight_decay=0.1))
    decayed, free = found.param_groups
    assert (decayed["weight_decay"], free["weight_decay"]) == (0.1, 0.0)
    assert all(p.ndim > 1 for p in decayed["params"])
    assert all(p.ndim == 1 for p in free["params"])
    trained = sum(p.requires_grad for p in tiny.learner().parameters())
    assert len(decayed["params"]) + len(free["params"]) == trained


def test_muon_takes_the_kernels_between_features_and_adam_the_rest():
    learner = tiny.learner()
    muon, adam = learner.optimizers(tiny.schedule(optimizer="muon", weight_decay=0.1))
    names = {id(parameter): name for name, parameter in learner.named_parameters()}
    kernels = {names[id(p)] for group in muon.param_groups for p in group["params"]}
    rest = {names[id(p)] for group in adam.param_groups for p in group["params"]}
    trained = {name for name, p in learner.named_parameters() if p.requires_grad}
    assert kernels | rest == trained
    assert not kernels & rest
    assert len(kernels) == 11  # two in each of four blocks and three shortcuts
    assert "encoder.backbone.resnet.conv1.weight" in rest
    assert "classifier.weight" in rest


def test_unknown_optimizer():
    with pytest.raises(ValueError, match="no optimizer named 'lion': there are adamw, adam, sgd, muon"):
        tiny.learner().optimizers(tiny.schedule(optimizer="lion"))


@pytest.mark.parametrize("shape", [(8, 72), (72, 8), (16, 16)])
def test_orthogonalise_is_its_definition_and_keeps_the_singular_vectors(shape):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    expected = matrix / (matrix.norm() + 1e-7)
    for _ in range(4):
        square = expected @ expected.T
        expected = 3.4445 * expected - 4.7750 * square @ expected + 2.0315 * square @ square @ expected
    found = orthogonalise(matrix)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(orthogonalise(1000 * matrix), found)
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    along = left.T @ found @ right.T
    torch.testing.assert_close(along, torch.diag(along.diagonal()), atol=1e-9, rtol=0)
    if shape != (16, 16):  # a square matrix may have a singular value that four rounds do not lift
        assert (along.diagonal() - 0.95).abs().max() < 0.3


def test_a_gradient_of_zero_moves_nothing_and_an_update_is_as_large_as_adams():
    torch.manual_seed(0)
    kernel = nn.Parameter(torch.randn(32, 16, 3, 3).to(memory_format=torch.channels_last))
    start, untouched = kernel.detach().clone(), nn.Parameter(torch.ones(4, 4, 3, 3))
    optimizer = Muon([kernel, untouched], lr=0.01)
    kernel.grad = torch.zeros_like(kernel)
    optimizer.step()
    assert torch.equal(kernel, start)
    assert torch.equal(untouched, torch.ones(4, 4, 3, 3))  # it has no gradient at all
    kernel.grad = 1e-4 * torch.randn(32, 16, 3, 3)
    optimizer.step()
    assert 0.8 * 0.002 < (kernel - start).square().mean().sqrt() < 1.2 * 0.002


def test_weight_decay_shrinks_by_rate_times_decay():
    kernel = nn.Parameter(torch.ones(4, 4, 3, 3))
    kernel.grad = torch.zeros_like(kernel)
    Muon([kernel], lr=0.1, weight_decay=0.5).step()
    torch.testing.assert_close(kernel, torch.full((4, 4, 3, 3), 0.95))


def test_muon_goes_on_from_its_state():
    torch.manual_seed(0)
    gradients = [torch.randn(8, 4, 3, 3) for _ in range(4)]

    def advance(kernel, optimizer, some):
        for gradient in some:
            kernel.grad = gradient.clone()
            optimizer.step()

    whole = nn.Parameter(torch.ones(8, 4, 3, 3))
    advance(whole, Muon([whole], lr=0.1), gradients)
    half = nn.Parameter(torch.ones(8, 4, 3, 3))
    first = Muon([half], lr=0.1)
    advance(half, first, gradients[:2])
    resumed = Muon([half], lr=0.1)
    resumed.load_state_dict(first.state_dict())
    advance(half, resumed, gradients[2:])
    assert torch.equal(whole, half)


def test_build_leaves_frozen_parameters_out():
    frozen = nn.Parameter(torch.ones(2, 2), requires_grad=False)
    (optimizer,) = build([frozen, nn.Parameter(torch.ones(3))], tiny.schedule(optimizer="adam"))
    assert sum(len(group["params"]) for group in optimizer.param_groups) == 1


@pytest.mark.parametrize(("size", "kept"), [(30.0, 2.0), (0.5, 0.5)])
def test_a_clipped_gradient_has_the_norm_asked_for_at_most(size, kept):
    weight = nn.Parameter(torch.tensor([0.6, 0.8]))
    loss = size * (weight * weight.detach()).sum()
    clipping(torch.Tensor.backward, [weight], [], 2.0)(loss)
    torch.testing.assert_close(weight.grad, kept * weight.detach())


def test_a_gradient_that_was_scaled_up_is_scaled_down_before_it_is_clipped():
    weight = nn.Parameter(torch.tensor([0.6, 0.8]))

    class Scaled(torch.optim.SGD):
        optimizer, unscaled = "inner", ()

        @property
        def scaler(self):
            return self

        def unscale_(self, optimizer):
            self.unscaled += (optimizer,)
            weight.grad /= 1024

    scaled = Scaled([weight])
    clipping(torch.Tensor.backward, [weight], [scaled], 2.0)(1024 * (weight * weight.detach()).sum())
    assert scaled.unscaled == ("inner",)
    torch.testing.assert_close(weight.grad, weight.detach())
