"""Reference attention against loops over pairs, frames and positions."""

import pytest
import torch

from s2reid.layers.reference import SpatialReference, TemporalReference, affinity, partners

CHANNELS, HEIGHT, WIDTH = 16, 3, 2
POSITIONS = [(row, column) for row in range(HEIGHT) for column in range(WIDTH)]


def inputs(pairs=2):
    generator = torch.Generator().manual_seed(0)
    frames = torch.rand(2 * pairs, CHANNELS, HEIGHT, WIDTH, dtype=torch.float64, generator=generator)
    looks = torch.rand(2 * pairs, CHANNELS // 8, HEIGHT, WIDTH, dtype=torch.float64, generator=generator)
    return frames.requires_grad_(), looks.requires_grad_()


def build(layer):
    """Build a layer whose every number, statistics of norms too, is off its start."""
    network = layer(CHANNELS, len(POSITIONS)).double().eval()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                noise = torch.randn(value.shape, dtype=torch.float64, generator=generator)
                value.copy_(1 + 0.3 * noise.abs() if "running_var" in name else 0.5 * noise + 0.2)
    return network


def convolve(layer, vector):
    return layer.weight[:, :, 0, 0] @ vector


def normalise(norm, vector):
    return (vector - norm.running_mean) / (norm.running_var + norm.eps).sqrt() * norm.weight + norm.bias


def relu(vector):
    return vector * (vector > 0)


def sigmoid(vector):
    return 1 / (1 + torch.exp(-vector))


def unit_at(layers, vector):
    """Apply convolution, norm and ReLU to the vector of one position."""
    return relu(normalise(layers[1], convolve(layers[0], vector)))


def perceive(layers, vector):
    return sigmoid(convolve(layers[2], relu(convolve(layers[0], vector))))


def mean_vector(frame):
    return sum(frame[:, row, column] for row, column in POSITIONS) / len(POSITIONS)


def where_in(layer, one, other, first, second, looks_one, looks_other, place):
    """Weigh a position of frame `one`: its products with each position of `other`, both ways round."""
    here = one[:, *place]
    products = [unit_at(first, here) @ unit_at(second, other[:, *there]) for there in POSITIONS]
    products += [unit_at(second, here) @ unit_at(first, other[:, *there]) for there in POSITIONS]
    seen = unit_at(layer.affinities, torch.stack(products))
    if looks_other is None:
        return sigmoid(normalised_score(layer, unit_at(layer.looks, torch.cat([looks_one[:, *place], seen]))))
    both = unit_at(layer.looks, torch.cat([looks_one[:, *place], looks_other[:, *place]]))
    return sigmoid(normalised_score(layer, torch.cat([both, seen])))


def normalised_score(layer, vector):
    return normalise(layer.where[1], convolve(layer.where[0], vector))


def temporal_by_loops(layer, frames, looks):
    fused = []
    for first in range(0, len(frames), 2):
        parts = []
        for own, other in ((first, first + 1), (first + 1, first)):
            thetas = [relu(convolve(layer.theta[0], mean_vector(frames[frame]))) for frame in (own, other)]
            which = perceive(layer.which, torch.cat(thetas))
            pair = (frames[own], frames[other], layer.gamma, layer.beta, looks[own], looks[other])
            parts.append(torch.stack([where_in(layer, *pair, at) * which * frames[own][:, *at] for at in POSITIONS], 1))
        fused.append(relu(parts[0] + parts[1]) ** 2)
    return torch.stack(fused).view(-1, CHANNELS, HEIGHT, WIDTH)


def spatial_by_loops(layer, frames, looks):
    fused = []
    for first in range(0, len(frames), 2):
        parts = []
        for own in (first, first + 1):
            which = perceive(layer.which, mean_vector(frames[own]))
            pair = (frames[own], frames[own], layer.alpha, layer.delta, looks[own], None)
            parts.append(torch.stack([where_in(layer, *pair, at) * which * frames[own][:, *at] for at in POSITIONS], 1))
        fused.append(relu(parts[0] + parts[1]))
    return torch.stack(fused).view(-1, CHANNELS, HEIGHT, WIDTH)


@pytest.mark.parametrize(
    ("layer", "by_loops"), [(TemporalReference, temporal_by_loops), (SpatialReference, spatial_by_loops)]
)
def test_value_and_gradient_are_those_of_loops(layer, by_loops):
    network, (frames, looks) = build(layer), inputs()
    found, expected = network(frames, looks), by_loops(network, frames, looks)
    assert found.shape == (2, CHANNELS, HEIGHT, WIDTH)
    assert found.std() > 1e-3
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-12)
    leaves = [frames, looks, *network.parameters()]
    weights = torch.randn(found.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    gradients = [torch.autograd.grad((value * weights).sum(), leaves) for value in (found, expected)]
    assert len(gradients[0]) == {TemporalReference: 20, SpatialReference: 19}[layer]
    assert all(gradient.abs().sum() > 0 for gradient in gradients[0])
    torch.testing.assert_close(*gradients, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("layer", [TemporalReference, SpatialReference])
def test_the_order_within_a_pair_does_not_matter_and_pairs_do_not_mix(layer):
    network, (frames, looks) = build(layer), inputs(3)
    expected = network(frames, looks)
    torch.testing.assert_close(network(partners(frames), partners(looks)), expected)
    torch.testing.assert_close(network(frames[2:4], looks[2:4])[0], expected[1])


def test_the_temporal_weight_of_a_frame_depends_on_its_partner_and_the_spatial_one_does_not():
    for layer, depends in ((TemporalReference, True), (SpatialReference, False)):
        network, (frames, looks) = build(layer), inputs(1)
        partner = torch.zeros_like(frames)
        partner[0] = frames[0]
        dark = network(partner, looks)  # a black partner adds nothing itself
        changed = network(partner, looks + torch.tensor([0.0, 1.0]).view(2, 1, 1, 1))
        assert torch.equal(dark, changed) is not depends


def test_affinity_by_hand():
    queries = torch.tensor([[1.0, 2.0]]).view(1, 1, 1, 2)
    keys = torch.tensor([[3.0, 5.0]]).view(1, 1, 1, 2)
    # Channel: the key's position; position: the query's.
    assert affinity(queries, keys).tolist() == [[[[3.0, 6.0]], [[5.0, 10.0]]]]


def test_partners():
    assert partners(torch.arange(6.0)[:, None]).flatten().tolist() == [1, 0, 3, 2, 5, 4]
