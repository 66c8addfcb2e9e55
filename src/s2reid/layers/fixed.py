"""The refusal of images that a network has no weights for."""

from torch import Tensor


def check_size(network: str, pixels: Tensor, image: tuple[int, int], reason: str) -> None:
    """Raise `ValueError` where pixels "... h w" have not the height and width that a network was built for.

    >>> check_size("PSTA", Tensor(1, 3, 64, 32), (64, 32), "its attention has a channel for each position")
    """
    found = tuple(pixels.shape[-2:])
    if found != tuple(image):
        raise ValueError(
            f"{network} was built for images of {image[0]}x{image[1]} pixels and found {found[0]}x{found[1]}: "
            f"{reason}; keep one size, or build it for the other"
        )
