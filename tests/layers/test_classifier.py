"""How a classifier starts."""

import pytest
import torch

from s2reid.layers.classifier import classifier


@pytest.mark.parametrize("bias", [True, False])
def test_it_starts_with_next_to_no_opinion(bias):
    torch.manual_seed(0)
    made = classifier(40, 50, bias)
    assert made.weight.shape == (50, 40)
    assert made.weight.std().item() == pytest.approx(1e-3, rel=0.1)
    assert made.bias is None if not bias else not made.bias.any()
