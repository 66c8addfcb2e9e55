"""CAViT: three branches, their tokens, and the weights of a public vision transformer in each of them."""

import math

import pytest
import torch
from tests.layers.test_vit_names import TORCHVISION

from s2reid.backbones import cavit
from s2reid.layers.patches import motion

SIZE = {"width": 12, "heads": 3, "blocks": 2, "patch": 8, "image": (32, 16)}


def build(**changes):
    torch.manual_seed(0)
    return cavit.build(**SIZE | changes).eval()


def clip(clips=2, frames=3):
    return torch.randn(clips, frames, 3, 32, 16, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("scale", ["small", "paper"])
def test_tokens_are_those_of_the_paper(scale):
    with torch.device("meta"):
        network = cavit.build(**cavit.SIZES[scale])
    patches = [branch.patches for branch in network.branches]
    assert [tuple(own.position.shape[:2]) for own in patches] == [(21, 10), (9, 10), (21, 4)]
    factor = {"small": 2, "paper": 1}[scale]
    for own, kernel, stride in zip(patches, ((16, 16), (32, 16), (16, 32)), ((12, 12), (28, 12), (12, 28))):
        assert own.proj.kernel_size == own.motion.kernel_size == tuple(edge // factor for edge in kernel)
        assert own.proj.stride == own.motion.stride == tuple(step // factor for step in stride)


def test_the_probability_of_dropping_grows_over_twelve_blocks():
    with torch.device("meta"):
        network = cavit.build(**cavit.SIZES["paper"])
    for branch in network.branches:
        drops = [block.drop for block in branch.blocks]
        assert drops == pytest.approx([0.1 * number / 11 for number in range(10)])


def test_a_frames_feature_is_the_mean_of_all_its_normed_tokens():
    network, pixels = build(), clip()
    with torch.no_grad():
        moved = motion(pixels)
        tokens = [token for branch in network.branches for token in branch(pixels, moved)[1, 2]]
        assert len(tokens) == 5 * 2 + 2 * 2 + 5 * 1
        expected = sum(network.norm(token) for token in tokens) / len(tokens)
        torch.testing.assert_close(network(pixels)[1, 2], expected)


def test_a_frame_depends_on_frames_that_follow_and_with_one_block_on_the_frame_before_by_its_motion():
    network, pixels = build(blocks=1), clip(frames=6)
    with torch.no_grad():
        before = network(pixels)
        pixels[:, 3, :, :5] += 3
        changed = (network(pixels) - before).abs().amax((0, 2)) > 1e-6
    # Frame 3 itself; 4 by its motion; 2, which looks at 3. Frame 3 sees 4's motion.
    assert changed.tolist() == [False, False, True, True, True, False]


def test_from_scratch_places_are_waves_and_matrices_are_drawn_by_their_width():
    filled, scratch = build(width=96), build(width=96, waves=0.5)
    for branch in scratch.branches:
        assert branch.patches.position.abs().max().item() == pytest.approx(0.5, abs=0.02)
        assert branch.blocks[0].attn.qkv.weight.std().item() == pytest.approx(96**-0.5, rel=0.05)
        assert branch.blocks[0].mlp.fc2.weight.std().item() == pytest.approx(384**-0.5, rel=0.05)
    assert all(branch.blocks[0].attn.qkv.weight.std() < 0.021 for branch in filled.branches)
    assert [cavit.SIZES[scale].get("waves", 0) for scale in ("small", "paper")] == [1, 0]


def public(width=12, blocks=3, edge=14, patch=16):
    """Draw a whole vision transformer's weights under timm's names."""
    generator = torch.Generator().manual_seed(5)
    shapes = {
        "cls_token": (1, 1, width),
        "pos_embed": (1, 1 + edge**2, width),
        "patch_embed.proj.weight": (width, 3, patch, patch),
        "patch_embed.proj.bias": (width,),
        "norm.weight": (width,),
        "norm.bias": (width,),
        "head.weight": (10, width),
        "head.bias": (10,),
    }
    for number in range(blocks):
        block = cavit.build(**SIZE | {"width": width}).branches[0].blocks[0]
        shapes |= {f"blocks.{number}.{name}": tuple(value.shape) for name, value in block.state_dict().items()}
    return {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}


def as_torchvision(weights):
    theirs = {timms: name for name, timms in TORCHVISION.items()}
    theirs |= {"cls_token": "class_token", "head.weight": "heads.head.weight", "head.bias": "heads.head.bias"}
    return {theirs[name]: value for name, value in weights.items()}


@pytest.mark.parametrize("naming", [dict, as_torchvision], ids=["timm", "torchvision"])
def test_public_weights_fill_every_branch(naming):
    network, weights = build(), public()
    network.load_pretrained(naming(weights))
    filled = 0
    for branch in network.branches:
        for name, value in branch.blocks.state_dict().items():
            assert torch.equal(value, weights[f"blocks.{name}"])
            filled += 1
        for layer in (branch.patches.proj, branch.patches.motion):
            assert torch.equal(layer.bias, weights["patch_embed.proj.bias"])
            resized = torch.nn.functional.interpolate(
                weights["patch_embed.proj.weight"], layer.kernel_size, mode="bilinear"
            )
            assert torch.equal(layer.weight, resized)
            filled += 2
        rows, columns = branch.patches.position.shape[:2]
        grid = weights["pos_embed"][0, 1:].view(14, 14, 12)
        expected = by_bilinear_loops(grid, rows, columns)
        torch.testing.assert_close(branch.patches.position.detach(), expected, rtol=1e-4, atol=1e-5)
        filled += 1
    assert torch.equal(network.norm.weight, weights["norm.weight"])
    assert torch.equal(network.norm.bias, weights["norm.bias"])
    assert filled + 2 == len(network.state_dict()) == 3 * (2 * 12 + 5) + 2


def by_bilinear_loops(grid, rows, columns):
    """Read a grid at the middles of rows x columns equal cells."""
    out = torch.zeros(rows, columns, grid.shape[2])
    for row in range(rows):
        for column in range(columns):
            y, x = ((place + 0.5) * 14 / count - 0.5 for place, count in ((row, rows), (column, columns)))
            y, x = (min(max(at, 0.0), 13.0) for at in (y, x))
            top, left = min(math.floor(y), 12), min(math.floor(x), 12)
            down, right = y - top, x - left
            above = (1 - right) * grid[top, left] + right * grid[top, left + 1]
            below = (1 - right) * grid[top + 1, left] + right * grid[top + 1, left + 1]
            out[row, column] = (1 - down) * above + down * below
    return out


def without(name):
    return {known: value for known, value in public().items() if known != name}


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        (without("blocks.1.attn.qkv.bias"), r"1 missing \['blocks.1.attn.qkv.bias'\], 0 unknown"),
        (without("pos_embed"), r"1 missing \['pos_embed'\]"),
        (without("patch_embed.proj.weight"), r"1 missing \['patch_embed.proj.weight'\]"),
        (public(blocks=1), r"12 missing \['blocks.1.attn.proj.bias'"),
        ({**public(), "blocks.2.ls1.gamma": torch.zeros(12)}, r"0 missing \[\], 1 unknown \['blocks.2.ls1.gamma'\]"),
        ({**public(), "dist_token": torch.zeros(1)}, r"1 unknown \['dist_token'\]"),
        (public(width=24), r"0 missing \[\], 0 unknown \[\], 29 of another shape"),
        ({**public(), "pos_embed": torch.zeros(1, 196, 12)}, r"1 of another shape \['pos_embed'\]"),
        ({"conv1.weight": torch.zeros(1)}, r"29 missing .*, 1 unknown \['conv1.weight'\]"),
    ],
)
def test_weights_that_do_not_fit_are_refused_and_nothing_is_loaded(weights, said):
    network = build()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with pytest.raises(ValueError, match=said) as error:
        network.load_pretrained(weights)
    assert "expected timm's or torchvision's names, a width of 12 and 2 blocks or more" in str(error.value)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
