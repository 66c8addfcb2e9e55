"""SINet: what stands where, what it refuses, and whose weights it takes."""

import pytest
import torch
from torch.nn import functional

from s2reid.backbones import c2d, idnet, sbnet, sinet

# Bottlenecks like the paper's, small enough to run: 8 stem channels, 32 frames of 3x3 in layer3.
BOTTLENECKS = {
    "depth": 50,
    "width": 8,
    "blocks": (1, 3, 3, 1),
    "idm_after": (0, 2),
    "sbm_after": (0, 1),
    "num_frames": 4,
    "image": (48, 48),
}


def clips(frames=4, height=128, width=64, number=2):
    return torch.randn(number, frames, 3, height, width, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("module", "idm", "sbm"), [(sinet, [1, 3], [1, 3, 5]), (sbnet, [], [1, 3, 5]), (idnet, [1, 3], [])]
)
def test_the_places_of_the_paper_scale(module, idm, sbm):
    with torch.device("meta"):
        network = module.build(**module.SIZES["paper"])
    assert [len(stage) for stage in network.resnet.stages()] == [3, 4, 6, 3]
    assert list(network.idm) == list(map(str, idm))
    assert list(network.sbm) == list(map(str, sbm))
    assert [one.split for one in network.sbm.values()] == [0, 1, 2][: len(sbm)]
    assert all(
        one.integrate.in_channels == 4 * 32 * 16 and one.reduce.in_features == 512 for one in network.idm.values()
    )
    assert all(one.attend.in_features == 1024 for one in network.sbm.values())


def test_the_biases_of_the_release():
    """26.26 million without classifier and projection, whose neck has 4,096 more."""
    with torch.device("meta"):
        plain, biased = (sinet.build(**sinet.SIZES["paper"], bias=bias) for bias in (False, True))
    counts = [sum(parameter.numel() for parameter in network.parameters()) for network in (plain, biased)]
    assert counts == [26_232_657, 26_259_217]
    assert not any(name.startswith("resnet.") and "conv" in name and "bias" in name for name in plain.state_dict())


def test_every_frame_sees_the_others_and_space_is_max_pooled():
    network = sinet.build(**sinet.SIZES["small"]).eval()
    maps = []
    network.resnet.layer4[-1].register_forward_hook(lambda module, given, out: maps.append(out))
    x = clips().requires_grad_()
    features = network(x)
    expected = torch.stack([torch.stack([channel.max() for channel in frame]) for frame in maps[0]])
    torch.testing.assert_close(features.flatten(0, 1), expected)
    gradient = torch.autograd.grad(features[0, 3].sum(), x)[0].abs().sum((2, 3, 4))
    assert (gradient[0] > 0).all()
    assert not gradient[1].any()


def test_with_neither_module_frames_are_alone():
    network = sinet.build(**{**sinet.SIZES["small"], "idm_after": (), "sbm_after": ()}).eval()
    x = clips(3, 64, 32)
    torch.testing.assert_close(network(x)[:, 1:2], network(x[:, 1:2]), rtol=1e-4, atol=1e-5)


def test_a_network_for_eight_frames():
    network = sinet.build(**{**sinet.SIZES["small"], "num_frames": 8})
    assert network(clips(8)).shape == (2, 8, 256)
    with pytest.raises(ValueError, match="found clips of 4 frames of 128x64 pixels"):
        network(clips(4))


@pytest.mark.parametrize("padding", [0, 1])
def test_the_padding_of_the_stem_changes_the_first_map_only(padding):
    network = sinet.build(**sinet.SIZES["small"], pool_padding=padding)
    sizes = []
    for stage in network.resnet.stages():
        stage[-1].register_forward_hook(lambda module, given, out: sizes.append(tuple(out.shape[2:])))
    network(clips())
    assert sizes == [(31, 15) if padding == 0 else (32, 16), (16, 8), (8, 4), (8, 4)]


@pytest.mark.parametrize("shape", [(4, 96, 48), (3, 128, 64), (4, 64, 128)])
@pytest.mark.parametrize("module", [sinet, idnet])
def test_another_clip_than_it_was_built_for_is_refused_with_the_reason(module, shape):
    network = module.build(**module.SIZES["small"])
    found = f"found clips of {shape[0]} frames of {shape[1]}x{shape[2]} pixels.*each position of 4 frames of 128x64"
    with pytest.raises(ValueError, match=found):
        network(clips(*shape))


def test_sbnet_takes_any_size_but_only_groups_of_four():
    network = sbnet.build(**sbnet.SIZES["small"])
    assert network(clips(8, 96, 64)).shape == (2, 8, 256)
    with pytest.raises(ValueError, match="found clips of 5 frames with maps of 8x4, expected 4 or 8"):
        network(clips(5))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"idm_after": (0, 2)}, r"IDMs after blocks \(0, 2\), expected blocks of layer2, in order: 0 to 1"),
        ({"sbm_after": (1, 0)}, r"SBMs after blocks \(1, 0\), expected blocks of layer3, in order: 0 to 2"),
        ({"image": (100, 64)}, "the image size is 100x64, expected multiples of 8"),
        ({"pool_padding": 2}, r"pool_padding is 2, expected 1 \(torchvision\) or 0"),
    ],
)
def test_numbers_that_do_not_fit(change, message):
    with pytest.raises(ValueError, match=message):
        sinet.build(**{**sinet.SIZES["small"], **change})


def release_weights(width=8, frames=4, image=(48, 48), seed=0):
    """Draw a checkpoint under the names and shapes of the authors' release, for `BOTTLENECKS`."""
    shapes = {"conv1": (width, 3, 1, 7, 7), "bn1": width}
    stages = {1: ["block"], 2: ["block", "idm", "block", "block", "idm"], 3: ["block", "sbm"] * 2 + ["block"]}
    stages[4], inputs = ["block"], width
    for stage, members in stages.items():
        inner, outputs = width * 2 ** (stage - 1), 4 * width * 2 ** (stage - 1)
        for place, kind in enumerate(members):
            at = f"layer{stage}.{place}"
            if kind == "block":
                shapes |= {f"{at}.conv1": (inner, inputs, 1, 1, 1), f"{at}.bn1": inner}
                shapes |= {f"{at}.conv2": (inner, inner, 1, 3, 3), f"{at}.bn2": inner}
                shapes |= {f"{at}.conv3": (outputs, inner, 1, 1, 1), f"{at}.bn3": outputs}
                if place == 0:
                    shapes |= {f"{at}.downsample.0": (outputs, inputs, 1, 1, 1), f"{at}.downsample.1": outputs}
                inputs = outputs
            elif kind == "idm":
                few, n = outputs // 16, frames * image[0] * image[1] // 64
                shapes |= {f"{at}.chl_expansion.0": (outputs, few, 1, 1, 1)}
                shapes |= {f"{at}.thw_reduction.0": (n // 16, n, 1, 1), f"{at}.thw_reduction.1": n // 16}
                shapes |= {
                    f"{at}.thw_expansion.0": (n, n // 16, 1, 1),
                    f"{at}.chl_expansion.0": (outputs, few, 1, 1, 1),
                }
                shapes |= {f"{at}.chl_reduction.0": (few, outputs, 1, 1, 1), f"{at}.chl_reduction.1": few}
            else:
                shapes |= {f"{at}.kernel.0": (9, outputs, 1, 1, 1), f"{at}.kernel.1": 9}
                shapes |= {
                    f"{at}.se.1": (outputs // 4, outputs, 1, 1, 1),
                    f"{at}.se.3": (outputs, outputs // 4, 1, 1, 1),
                }
    generator, weights = torch.Generator().manual_seed(seed), {}

    def draw(*shape):
        return torch.randn(*shape, dtype=torch.float64, generator=generator)

    for name, shape in {**shapes, "bn": inputs, "classifier": (10, inputs), "projection": (inputs, inputs, 1)}.items():
        if isinstance(shape, tuple):
            fan_in = torch.Size(shape[1:]).numel()
            weights |= {f"{name}.weight": draw(*shape) * (2 / fan_in) ** 0.5, f"{name}.bias": 0.3 * draw(shape[0])}
        else:
            weights |= {f"{name}.weight": 1 + 0.1 * draw(shape), f"{name}.bias": 0.1 * draw(shape)}
            weights |= {f"{name}.running_mean": 0.1 * draw(shape), f"{name}.running_var": 1 + draw(shape).square()}
            weights |= {f"{name}.num_batches_tracked": torch.tensor(3)}
    return weights


def release_features(weights, x):
    """Compute what the release computes in evaluation, with 5-D maps "b c t h w" and its names (and our 1e-6)."""

    def conv(name, x, stride=1, padding=0):
        kernel = weights[f"{name}.weight"]
        return functional.conv3d(
            x,
            kernel if kernel.ndim == 5 else kernel[..., None],
            weights[f"{name}.bias"],
            stride=(1, stride, stride),
            padding=(0, padding, padding),
        )

    def norm(name, x):
        mean, var, weight, bias = (
            weights[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")
        )
        return functional.batch_norm(x, mean, var, weight, bias)

    def block(at, x, stride):
        out = norm(f"{at}.bn1", conv(f"{at}.conv1", x)).relu()
        out = norm(f"{at}.bn2", conv(f"{at}.conv2", out, stride, 1)).relu()
        out = norm(f"{at}.bn3", conv(f"{at}.conv3", out))
        if f"{at}.downsample.0.weight" in weights:
            x = norm(f"{at}.downsample.1", conv(f"{at}.downsample.0", x, stride))
        return (out + x).relu()

    def idm(at, x):
        u = norm(f"{at}.chl_reduction.1", conv(f"{at}.chl_reduction.0", x))
        places = u.flatten(2).mT[..., None, None]
        mixed = conv(f"{at}.thw_expansion.0", norm(f"{at}.thw_reduction.1", conv(f"{at}.thw_reduction.0", places)))
        return (x + conv(f"{at}.chl_expansion.0", u + mixed[..., 0, 0].mT.view_as(u))).relu()

    def sbm(at, x, split):
        mean, inside = x.mean((2, 3, 4), keepdim=True), x[:, :, :, 1:-1, 1:-1].mean((2, 3, 4), keepdim=True)
        gate = conv(f"{at}.se.3", conv(f"{at}.se.1", mean).relu()).sigmoid() * (inside / (mean + 1e-8) > 1)
        first, last = x[:, :, : split + 1], x[:, :, split + 1 :]
        salient, shown = (first * gate).relu(), (last * gate).relu()
        attention = norm(f"{at}.kernel.1", conv(f"{at}.kernel.0", salient)).relu().flatten(2)
        attention = attention / attention.sum(1, keepdim=True).clamp_min(1e-12)
        attention = attention / attention.sum(2, keepdim=True).clamp_min(1e-12)
        f = []
        for one, frames in enumerate(shown):
            kernel = (salient[one].flatten(1) @ attention[one].T).view(1, -1, 1, 3, 3)
            padded = functional.pad(frames[None], (1, 1, 1, 1, 0, 0), mode="replicate")
            share = (functional.conv3d(padded, kernel)[0, 0] / 9).flatten(1).softmax(1).clamp_min(1e-4)
            a = 1 / (share * share.shape[1])
            f.append(torch.where(a < 1, torch.exp(5 * (a.clamp_max(1) - 1)), 1.0).view(1, *frames.shape[1:]))
        f = torch.stack(f)
        average = ((1 - f) * last).mean((2, 3, 4), keepdim=True) / ((1 - f).mean((2, 3, 4), keepdim=True) + 1e-6)
        return torch.cat([first + 0.1 * average, last * f + 0.1 * first.mean((2, 3, 4), keepdim=True)], 2)

    x = norm("bn1", conv("conv1", x.transpose(1, 2), 2, 3)).relu()
    x = functional.max_pool3d(x, (1, 3, 3), (1, 2, 2))
    x = block("layer1.0", x, 1)
    x = idm("layer2.1", block("layer2.0", x, 2))
    x = idm("layer2.4", block("layer2.3", block("layer2.2", x, 1), 1))
    x = sbm("layer3.1", block("layer3.0", x, 2), 0)
    x = block("layer3.4", sbm("layer3.3", block("layer3.2", x, 1), 1), 1)
    return block("layer4.0", x, 1).amax((3, 4)).mT


@pytest.mark.parametrize("bias", [False, True])
def test_the_releases_weights_give_the_releases_features(bias):
    weights, x = release_weights(), clips(4, 48, 48, 3).double()
    assert len(weights) == 29 * (2 + 5) + 2 * (4 * 2 + 2 * 5) + 2 * (3 * 2 + 5) + 5 + 2 * 2
    network = sinet.build(**BOTTLENECKS, bias=bias, pool_padding=0).double().eval()
    network.load_pretrained({name: tensor.clone() for name, tensor in weights.items()})
    expected = release_features(weights, x)
    assert expected.shape == (3, 4, 256)
    assert expected.std() > 0.1
    torch.testing.assert_close(network(x), expected, rtol=1e-8, atol=1e-10)
    assert network.resnet.bn1.num_batches_tracked == 3


def test_torchvisions_weights_fill_the_resnet_only():
    given = c2d.build(depth=50, width=64).resnet.state_dict()
    given = {name: tensor + 1 for name, tensor in given.items()} | {"fc.weight": torch.zeros(1000, 2048)}
    network = sinet.build(**sinet.SIZES["paper"], bias=True)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    network.load_pretrained(given)
    after = network.state_dict()
    filled = {name for name in after if not torch.equal(after[name], before[name])}
    assert filled == {f"resnet.{name}" for name in given if name != "fc.weight"}
    assert all(torch.equal(after[f"resnet.{name}"], given[name]) for name in given if name != "fc.weight")


def without(weights, name):
    return {key: tensor for key, tensor in weights.items() if key != name}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w: without(w, "layer2.1.thw_expansion.0.bias"), r"1 missing \['idm.0.distribute.bias'\], 0 unknown"),
        (lambda w: without(w, "layer3.4.bn2.weight"), r"1 missing \['resnet.layer3.2.bn2.weight'\], 0 unknown"),
        (lambda w: w | {"layer2.5.conv1.weight": torch.zeros(1)}, r"1 unknown \['layer2.5.conv1.weight'\]"),
        (lambda w: w | {"layer5.0.bias": torch.zeros(1)}, r"1 unknown \['resnet.layer5.0.bias'\]"),
        (lambda w: w | {"conv1.weight": torch.zeros(8, 3, 3, 7, 7)}, r"1 of another shape \['resnet.conv1.weight'\]"),
        (
            lambda w: release_weights(frames=8),
            r"6 of another shape .*'idm.0.distribute.bias'.*SINet's release",
        ),
    ],
)
def test_weights_of_another_network(change, message):
    network = sinet.build(**BOTTLENECKS)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with pytest.raises(ValueError, match=f"the weights do not fit this SINet: .*{message}"):
        network.load_pretrained(change(release_weights()))
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


@pytest.mark.slow
@pytest.mark.parametrize("module", [sinet, sbnet, idnet])
def test_the_paper_scale_runs_both_ways(module):
    network = module.build(**module.SIZES["paper"]).train()
    features = network(clips(4, 256, 128))
    features.square().mean().backward()
    assert features.shape == (2, 4, 2048)
    assert all(parameter.grad.isfinite().all() for parameter in network.parameters())
