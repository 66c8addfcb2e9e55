"""Clips of both domains stitched into sequences whose domain distribution is known.  Sec. 3.2, Eq. (9).

Letters: j combined sequences, s segments of one.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


def combine(
    frames: Float[Tensor, "b t d"],
    is_target: Bool[Tensor, " b"],
    num_combinations: int,
    generator: torch.Generator,
    sizes: Sequence[int] = (2, 4, 8),
    slots: int = 8,
) -> tuple[Float[Tensor, "j s d"], Float[Tensor, "j s"]]:
    """Stitch clips in random order and pool each sequence into segments; return them with each segment's target share.

    A sequence has S clips, S drawn from `sizes`, and of them 0..S are target, equally likely; no clip comes twice while
    its domain has others. The S * T frames are pooled (adaptive mean) into `slots` segments. `slots` must be a multiple
    of S: then a segment holds frames of one clip only, and its share, 0 or 1, is exact whatever T is.

    Args:
        is_target: the domain of each clip; on the CPU it saves a wait for a GPU.
        generator: of the CPU; it makes every random choice.

    Departure: the paper names neither what its vector of fixed length holds nor its pooling ("the temporal feature
    aggregation method [5]"); this reading uses all that it says: any number of clips, random permutation, regression.

    >>> frames, is_target = torch.tensor([[[1.0]], [[7.0]]]), torch.tensor([False, True])
    >>> combined, share = combine(frames, is_target, 3, torch.Generator().manual_seed(0), sizes=(2,), slots=4)
    >>> combined.shape, torch.equal(combined[..., 0] == 7, share == 1)
    (torch.Size([3, 4, 1]), True)
    """
    is_target = is_target.cpu()
    _check(is_target, num_combinations, sizes, frames.shape[1], slots)
    kind = torch.randint(len(sizes), (num_combinations,), generator=generator)
    size = torch.tensor(sizes)[kind]
    clips = _shuffle(_pick(is_target, size, max(sizes), generator), size, generator)
    # A sequence of S clips gives slots / S segments to each: find the clip of every segment, and which of its parts.
    parts = [slots // number for number in sizes]
    each, start = torch.tensor(parts)[kind, None], torch.tensor([0, *parts]).cumsum(0)[kind, None]
    slot = torch.arange(slots)
    clip, part = clips.gather(1, slot // each), start + slot % each
    pooled = torch.cat([_segments(frames, number) for number in parts], 1)
    combined = pooled[clip.to(frames.device), part.to(frames.device)]
    return combined, is_target[clip].to(frames)


def _check(is_target: Tensor, num_combinations: int, sizes: Sequence[int], num_frames: int, slots: int) -> None:
    if num_combinations < 1 or not sizes:
        raise ValueError(
            f"expected 1 combination or more, and sizes to draw from, found {num_combinations} and {sizes}"
        )
    for size in sizes:
        if size < 1 or slots % size:
            raise ValueError(
                f"S = {size} clips of T = {num_frames} frames cannot be cut into slots = {slots} segments of one clip "
                f"each: slots must be a multiple of S"
            )
    targets = int(is_target.sum())
    if targets in (0, len(is_target)):
        raise ValueError(
            f"a batch of {len(is_target)} clips, {targets} of them target, mixes no domains: give clips of both"
        )


def _pick(
    is_target: Bool[Tensor, " b"], size: Int[Tensor, " j"], places: int, generator: torch.Generator
) -> Int[Tensor, "j places"]:
    """Choose clips: first a random number of targets, then sources, each domain in an order drawn for each row.

    A domain with fewer clips than are wanted begins again.
    """
    num_target = torch.rand(len(size), generator=generator, dtype=torch.float64).mul(size + 1).long()[:, None]
    targets, sources = (
        clips[torch.rand(len(size), len(clips), generator=generator).argsort(1)]
        for clips in (is_target.nonzero()[:, 0], (~is_target).nonzero()[:, 0])
    )
    place = torch.arange(places).expand(len(size), -1)
    chosen_targets = targets.gather(1, place % targets.shape[1])
    chosen_sources = sources.gather(1, place % sources.shape[1])
    return torch.where(place < num_target, chosen_targets, chosen_sources)


def _shuffle(
    clips: Int[Tensor, "j places"], size: Int[Tensor, " j"], generator: torch.Generator
) -> Int[Tensor, "j places"]:
    """Permute the first `size` clips of each row at random."""
    keys = torch.rand(clips.shape, generator=generator)
    keys.masked_fill_(torch.arange(clips.shape[1]) >= size[:, None], torch.inf)
    return clips.gather(1, keys.argsort(1))


def _segments(frames: Float[Tensor, "b t d"], number: int) -> Float[Tensor, "b r d"]:
    """Pool a clip's frames into segments: adaptive average pooling, with a deterministic gradient on every device."""
    count = frames.shape[1]
    bounds = [(i * count // number, -(-(i + 1) * count // number)) for i in range(number)]
    return torch.stack([frames[:, first:last].mean(1) for first, last in bounds], 1)
