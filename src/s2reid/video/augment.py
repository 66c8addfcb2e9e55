"""Augment a clip: one draw of every parameter a clip, so that its frames stay consistent; uint8 in, uint8 out."""

import math
from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from s2reid.video.decode import resize

TABLE = 1 << 20  # numbers in the table of noise
LUMA = (0.299, 0.587, 0.114)


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
    warp = _warp(how, rng)
    colour = _colour(how, rng)
    curve = _curve(round(math.exp(rng.normal(0, how.light)), 2)) if how.light else None
    sigma = rng.uniform(0.4, 1.2) if rng.random() < how.blur else 0.0
    noise = rng.uniform(0, how.noise) if how.noise else 0.0
    box = _erased_box(height, width, rng) if rng.random() < how.erase else None
    frames = np.empty((len(clip), height, width, 3), np.uint8)
    for frame, image in zip(frames, clip):
        image = resize(image, height, width) if warp is None else _cut(image, height, width, warp)
        if sigma:
            image = cv2.GaussianBlur(image, (5, 5), sigma)
        if colour is not None:
            image = cv2.transform(image, colour)
        if curve is not None:
            image = cv2.LUT(image, curve)
        if noise:
            image = _add_noise(image, noise, rng)
        frame[:] = image
        if box is not None:
            rows, columns, fill = box
            frame[rows, columns] = fill
    return frames


@dataclass(frozen=True)
class _Warp:
    """What part of a frame is seen: about its centre, in shares of its size; a negative x is a mirror image."""

    x: float
    y: float
    right: float
    down: float


def _warp(how: Augmentation, rng: np.random.Generator) -> _Warp | None:
    """Draw a flip, a zoom and a shift; None where nothing can move."""
    mirror = -1 if rng.random() < how.flip else 1
    zoom = math.exp(rng.uniform(-how.zoom, how.zoom))
    right, down = rng.uniform(-how.shift, how.shift, 2).tolist()
    return _Warp(mirror * zoom, zoom, right, down) if how.flip or how.zoom or how.shift else None


def _cut(
    image: UInt8[np.ndarray, "_ _ 3"], height: int, width: int, warp: _Warp
) -> UInt8[np.ndarray, "height width 3"]:
    """Resample the part of the frame that is seen, in one bilinear pass (after an area pass where it shrinks a lot)."""
    if image.shape[0] > 2 * height:
        image = resize(image, 2 * height, 2 * width)
    rows, columns = image.shape[:2]
    step_x, step_y = warp.x * columns / width, warp.y * rows / height
    left = columns * (0.5 + warp.right) - 0.5 - step_x * (width - 1) / 2
    top = rows * (0.5 + warp.down) - 0.5 - step_y * (height - 1) / 2
    into = np.array([[step_x, 0, left], [0, step_y, top]])
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(image, into, (width, height), flags=how, borderMode=cv2.BORDER_REPLICATE)


def _colour(how: Augmentation, rng: np.random.Generator) -> Float[np.ndarray, "3 4"] | None:
    """Compose exposure, white balance, saturation and contrast about mid-grey into one affine map of RGB."""
    exposure, contrast = math.exp(rng.normal(0, how.light)), math.exp(rng.normal(0, 0.7 * how.light))
    balance = rng.normal(0, how.colour, 3).tolist()
    saturation = math.exp(rng.normal(0, 2.5 * how.colour))
    if not (how.light or how.colour):
        return None
    offset = 110 * (1 - contrast)
    rows = []
    for channel, shade in enumerate(balance):
        gain = contrast * exposure * math.exp(shade)
        mix = [gain * (1 - saturation) * luma for luma in LUMA]
        mix[channel] += gain * saturation
        rows.append([*mix, offset])
    return np.array(rows, np.float32)


@lru_cache(maxsize=512)
def _curve(gamma: float) -> UInt8[np.ndarray, "1 256"]:
    return (255 * (np.arange(256) / 255) ** gamma + 0.5).astype(np.uint8)[None]


def _add_noise(image: UInt8[np.ndarray, "h w 3"], sigma: float, rng: np.random.Generator) -> UInt8[np.ndarray, "h w 3"]:
    """Add Gaussian sensor noise: a random stretch of a fixed table, since drawing it costs more than all the rest."""
    table = _noise_table(max(TABLE, image.size))
    start = int(rng.random() * (len(table) - image.size))
    noise = table[start : start + image.size].reshape(image.shape) * np.float32(sigma)
    return cv2.add(image, noise, dtype=cv2.CV_8U)


@lru_cache(maxsize=1)
def _noise_table(size: int) -> Float[np.ndarray, " n"]:
    return np.random.default_rng(0).standard_normal(size, dtype=np.float32)


def _erased_box(height: int, width: int, rng: np.random.Generator) -> tuple[slice, slice, UInt8[np.ndarray, " 3"]]:
    """Draw random erasing's rectangle (Zhong et al. 2020): 2 to 30 % of the area, one flat random colour."""
    area, aspect = rng.uniform(0.02, 0.3) * height * width, math.exp(rng.uniform(-1.1, 1.1))
    rows = min(max(1, int(math.sqrt(area * aspect))), height - 1)
    columns = min(max(1, int(math.sqrt(area / aspect))), width - 1)
    top, left = int(rng.random() * (height - rows)), int(rng.random() * (width - columns))
    return slice(top, top + rows), slice(left, left + columns), (256 * rng.random(3)).astype(np.uint8)


def without(how: Augmentation, *parts: str) -> Augmentation:
    """Switch parts off by name.

    >>> without(Augmentation(), "erase", "noise").erase
    0.0
    """
    unknown = set(parts) - set(how.__dataclass_fields__)
    if unknown:
        raise ValueError(f"no augmentation named {sorted(unknown)}: there are {', '.join(how.__dataclass_fields__)}")
    return replace(how, **dict.fromkeys(parts, 0.0))
