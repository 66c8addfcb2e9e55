"""The temporal-diversity term of SINet: frames of one person are like those in the same slot, unlike other slots'."""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional


def infonce(frames: Float[Tensor, "b t d"], person: Int[Tensor, " b"], temperature: float = 0.07) -> Float[Tensor, ""]:
    """Compute the mean InfoNCE loss over all pairs of frames of one person in the same slot (Bai et al., CVPR 2022).

    A frame's slot is its place 0..t-1 in the clip. For a pair of cosine s, the loss is
    -log(e^(s / temperature) / (e^(s / temperature) + sum over the person's frames in other slots)).

    Args:
        frames: one feature a frame, projected; t = 8 counts as two clips of 4 frames.
        person: whose clip it is; a person with one clip (of another t than 8) has no pair.
        temperature: of the softmax.

    Departure: the release finds a person's clips by their order in the batch, splits a person's clips of 8 frames into
    groups of 4 half clips, and divides its sum by the pairs of one group: it gives this number times the groups.

    >>> corners = torch.eye(2).repeat(2, 1, 1)  # two clips of one person, slots at right angles
    >>> round(infonce(corners, torch.tensor([0, 0]), temperature=1.0).item(), 4)  # -log(e / (e + 2))
    0.5514
    """
    if frames.shape[1] == 8:
        frames, person = frames.reshape(-1, 4, frames.shape[2]), person.repeat_interleave(2)
    owner = person.repeat_interleave(frames.shape[1])
    slot = torch.arange(frames.shape[1], device=frames.device).repeat(len(frames))
    is_same_person, is_same_slot = owner[:, None] == owner, slot[:, None] == slot
    is_pair = is_same_person & is_same_slot
    is_pair.fill_diagonal_(False)
    if not is_pair.any():
        return frames.sum() * 0.0
    # Whatever the precision of the network: differences of cosines are multiplied by 14 here.
    with torch.autocast(frames.device.type, enabled=False):
        unit = functional.normalize(frames.flatten(0, 1).to(torch.promote_types(frames.dtype, torch.float32)), dim=1)
        scores = unit @ unit.T / temperature
        others = scores.masked_fill(~is_same_person | is_same_slot, -torch.inf).logsumexp(1, keepdim=True)
        return (torch.logaddexp(scores, others) - scores)[is_pair].mean()
