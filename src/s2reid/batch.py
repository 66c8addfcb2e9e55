"""Clips: a batch of pixels with its labels."""

from dataclasses import dataclass

import torch
from jaxtyping import Int, UInt8
from torch import Tensor


@dataclass(frozen=True)
class Clips:
    """A batch of clips; pixels stay uint8 RGB until they are on the device.

    `index` says which tracklet of the training list a clip was cut from, so that pseudo-labels live beside the data.
    A source clip's `outfit` counts the pairs of person and outfit. A target clip's `person` and `outfit` are `UNKNOWN`,
    always.
    """

    pixels: UInt8[Tensor, "b t 3 h w"]
    person: Int[Tensor, " b"]
    camera: Int[Tensor, " b"]
    outfit: Int[Tensor, " b"]
    index: Int[Tensor, " b"]

    def __len__(self) -> int:
        return len(self.person)

    @property
    def num_images(self) -> int:
        return self.pixels.shape[0] * self.pixels.shape[1]

    def pin_memory(self) -> "Clips":
        """Copy every tensor into page-locked memory, from where it reaches a GPU without waiting."""
        pinned = (tensor.pin_memory() for tensor in (self.pixels, self.person, self.camera, self.outfit, self.index))
        return Clips(*pinned)

    def to(self, device: torch.device | str) -> "Clips":
        """Move every tensor to a device."""
        moved = (
            tensor.to(device, non_blocking=True)
            for tensor in (self.pixels, self.person, self.camera, self.outfit, self.index)
        )
        return Clips(*moved)
