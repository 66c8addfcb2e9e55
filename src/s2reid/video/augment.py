"""Augment a clip: one draw of every parameter a clip, so that its frames stay consistent; uint8 in, uint8 out."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from s2reid.video.decode import resize

LUMA = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True)
class Augmentation:
    """How strongly clips are varied in training; a value of 0 switches its part off.

    Probabilities: `flip`, `erase`, `blur`. Ranges: `zoom` and `shift` as shares of the frame, `colour` and `light` as
    standard deviations of gains, `noise` as the largest standard deviation in grey levels of 255.
    """

    flip: float = 0.5
    zoom: float = 0.1
    shift: float = 0.06
    erase: float = 0.5
    light: float = 0.2
    colour: float = 0.08
    blur: float = 0.3
    noise: float = 8.0


NONE = Augmentation(*[0.0] * 8)


def augment(
    clip: list[UInt8[np.ndarray, "_ _ 3"]], height: int, width: int, how: Augmentation, rng: np.random.Generator
) -> UInt8[np.ndarray, "t height width 3"]:
    """Bring a clip's frames to one size and vary them all in the same way (noise is drawn for each frame).

    >>> frames = [np.full((8, 4, 3), 7, np.uint8)]
    >>> augment(frames, 4, 2, NONE, np.random.default_rng(0)).shape
    (1, 4, 2, 3)
    """
    window = _window(height, width, how, rng)
    colour = _colour(how, rng)
    curve = np.exp(rng.normal(0, how.light)) if how.light else 1.0
    table = _gamma_table(curve)
    sigma = rng.uniform(0.4, 1.2) if rng.random() < how.blur else 0.0
    noise = rng.uniform(0, how.noise) if how.noise else 0.0
    box = _erased_box(height, width, rng) if rng.random() < how.erase else None
    frames = np.empty((len(clip), height, width, 3), np.uint8)
    for frame, image in zip(frames, clip):
        image = resize(image, height, width)
        if window is not None:
            image = cv2.warpAffine(
                image, window, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
            )
        if sigma:
            image = cv2.GaussianBlur(image, (5, 5), sigma)
        if colour is not None:
            image = cv2.transform(image, colour)
        if how.light:
            image = cv2.LUT(image, table)
        if noise:
            image = _add_noise(image, noise, rng)
        frame[:] = image
        if box is not None:
            rows, columns, fill = box
            frame[rows, columns] = fill
    return frames


def _window(height: int, width: int, how: Augmentation, rng: np.random.Generator) -> Float[np.ndarray, "2 3"] | None:
    """Map input to output coordinates for a flip, a zoom about the centre and a shift; None where nothing moves."""
    is_flipped = rng.random() < how.flip
    zoom = np.exp(rng.uniform(-how.zoom, how.zoom))
    right, down = rng.uniform(-how.shift, how.shift, 2) * (width, height)
    if not (is_flipped or how.zoom or how.shift):
        return None
    scale_x = -zoom if is_flipped else zoom
    centre_x, centre_y = (width - 1) / 2, (height - 1) / 2
    return np.array(
        [[scale_x, 0, centre_x * (1 - scale_x) + right], [0, zoom, centre_y * (1 - zoom) + down]], np.float32
    )


def _colour(how: Augmentation, rng: np.random.Generator) -> Float[np.ndarray, "3 4"] | None:
    """Compose exposure, white balance, saturation and contrast about mid-grey into one affine map of RGB."""
    exposure = np.exp(rng.normal(0, how.light))
    balance = np.exp(rng.normal(0, how.colour, 3))
    saturation, contrast = np.exp(rng.normal(0, 2.5 * how.colour)), np.exp(rng.normal(0, 0.7 * how.light))
    if not (how.light or how.colour):
        return None
    mix = saturation * np.eye(3) + (1 - saturation) * LUMA
    gain = contrast * exposure * balance[:, None] * mix
    offset = np.full((3, 1), 110 * (1 - contrast))
    return np.hstack([gain, offset]).astype(np.float32)


def _gamma_table(curve: float) -> UInt8[np.ndarray, "1 256"]:
    return (255 * (np.arange(256) / 255) ** curve + 0.5).astype(np.uint8)[None]


def _add_noise(image: UInt8[np.ndarray, "h w 3"], sigma: float, rng: np.random.Generator) -> UInt8[np.ndarray, "h w 3"]:
    """Add Gaussian sensor noise; the sum is rounded and clipped by OpenCV."""
    noise = rng.standard_normal(image.shape, dtype=np.float32) * np.float32(sigma)
    return cv2.add(image, noise, dtype=cv2.CV_8U)


def _erased_box(height: int, width: int, rng: np.random.Generator) -> tuple[slice, slice, UInt8[np.ndarray, " 3"]]:
    """Draw random erasing's rectangle (Zhong et al. 2020): 2 to 30 % of the area, one flat random colour."""
    area, aspect = rng.uniform(0.02, 0.3) * height * width, np.exp(rng.uniform(-1.1, 1.1))
    rows = int(np.clip(np.sqrt(area * aspect), 1, height - 1))
    columns = int(np.clip(np.sqrt(area / aspect), 1, width - 1))
    top, left = rng.integers(0, height - rows), rng.integers(0, width - columns)
    return slice(top, top + rows), slice(left, left + columns), rng.integers(0, 256, 3).astype(np.uint8)


def without(how: Augmentation, *parts: str) -> Augmentation:
    """Switch parts off by name.

    >>> without(Augmentation(), "erase", "noise").erase
    0.0
    """
    unknown = set(parts) - set(how.__dataclass_fields__)
    if unknown:
        raise ValueError(f"no augmentation named {sorted(unknown)}: there are {', '.join(how.__dataclass_fields__)}")
    return replace(how, **dict.fromkeys(parts, 0.0))
