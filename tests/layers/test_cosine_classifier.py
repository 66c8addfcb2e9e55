"""Scaled cosines and nothing else."""

import torch

from s2reid.layers.cosine_classifier import CosineClassifier


def test_logits_are_scaled_cosines_whatever_the_lengths():
    torch.manual_seed(0)
    classifier, features = CosineClassifier(5, 3, scale=4.0).double(), torch.randn(6, 5, dtype=torch.float64)
    expected = [[4 * torch.cosine_similarity(f, w, dim=0).item() for w in classifier.weight] for f in features]
    found = classifier(features)
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64))
    with torch.no_grad():
        classifier.weight.mul_(torch.tensor([[2.0], [3.0], [0.1]]))
    torch.testing.assert_close(classifier(7 * features), found)


def test_fixed_class_vectors_get_no_gradient_and_features_do():
    classifier, features = CosineClassifier(5, 3), torch.randn(6, 5, requires_grad=True)
    torch.testing.assert_close(classifier(features, is_fixed=True), classifier(features))
    classifier(features, is_fixed=True).square().sum().backward()
    assert classifier.weight.grad is None
    assert features.grad.any()


def test_class_vectors_start_as_directions_without_a_bias():
    torch.manual_seed(0)
    classifier = CosineClassifier(64, 40)
    torch.testing.assert_close(classifier.weight.norm(dim=1), torch.ones(40))
    assert abs(classifier.weight.mean().item()) < 0.01
    assert sum(parameter.numel() for parameter in classifier.parameters()) == 64 * 40
