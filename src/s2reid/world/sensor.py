"""From light to the bytes that a surveillance system stores: optics, colour, tone, noise, sharpening and codec."""

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import simplejpeg
from jaxtyping import Bool, Float32, UInt8

from s2reid.compiled import kernel
from s2reid.world.raster import ONE, ZERO

CURVE = 1024
GREY = np.array([0.30, 0.59, 0.11], np.float32)
KNEE = np.float32(0.35)
"""A light level c has its place c / (c + KNEE) in the tone curve, so that any brightness has one."""
HASH_A, HASH_B, HASH_C = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
S27, S30, S31, S8, LOW = np.uint64(27), np.uint64(30), np.uint64(31), np.uint64(8), np.uint64(255)


@dataclass(frozen=True)
class Sensor:
    """How a camera turns linear RGB into stored bytes.

    `matrix` holds exposure, white balance, saturation and channel crosstalk; `curve` the tone of each channel;
    `blur` (sigma) and `smear` (length) are in pixels of the crop; `quality` is that of the stored JPEG, 0 for none;
    `interlaced` sensors take odd rows half a frame later. `bleed` smears colour, not brightness, along the rows (a
    sigma in pixels); `fringe` moves red and blue apart (pixels); `flicker` is the share by which lamps dim some rows.
    `banded` is the noise of whole rows; `fields` says what became of an interlaced signal's two fields: one is
    "doubled", or both are "blended"; pictures are stored at the share `shrunk` of their size, coded `codings` times.
    """

    matrix: Float32[np.ndarray, "3 3"]
    curve: Float32[np.ndarray, "3 s"]
    noise: float
    blur: float
    smear: int
    sharpening: float
    quality: int
    interlaced: bool = False
    bleed: float = 0.0
    fringe: float = 0.0
    flicker: float = 0.0
    banded: float = 0.0
    fields: str = ""
    shrunk: float = 1.0
    codings: int = 1


def tone_curve(gamma: float, contrast: float, lift: Float32[np.ndarray, " 3"]) -> Float32[np.ndarray, "3 s"]:
    """Tabulate display brightness over light: a shoulder, a gamma, an S of given contrast, and veiling haze."""
    place = np.linspace(0, 1, CURVE, endpoint=False)
    light = float(KNEE) * place / (1 - place)
    shown = np.clip(light * 1.2 / (1 + 0.25 * light), 0, 1) ** (1 / gamma)
    shown = np.clip(shown + contrast * (shown - 0.45) * (1 - np.abs(2 * shown - 1)), 0, 1)
    haze = np.asarray(lift, np.float64)[:, None]
    return (haze + (1 - haze) * shown).astype(np.float32)


def colour_matrix(
    exposure: float, balance: Float32[np.ndarray, " 3"], saturation: float, crosstalk: Float32[np.ndarray, "3 3"]
) -> Float32[np.ndarray, "3 3"]:
    """Combine exposure, white balance, saturation and the leak between channels into one matrix."""
    grey = np.tile(np.array([0.30, 0.59, 0.11]), (3, 1))
    mix = np.eye(3) * saturation + grey * (1 - saturation) + crosstalk
    return (exposure * mix @ np.diag(balance)).astype(np.float32)


@kernel
def convolve(
    image: Float32[np.ndarray, "h w 3"], taps: Float32[np.ndarray, " k"], is_vertical: bool
) -> Float32[np.ndarray, "h w 3"]:
    """Filter along one axis; the border is repeated."""
    height, width = image.shape[0], image.shape[1]
    reach, flat = len(taps) // 2, 3 * width
    rows, out = image.reshape(height, flat), np.zeros((height, flat), np.float32)
    line = np.empty(flat + 6 * reach, np.float32)
    for y in range(height):
        if is_vertical:
            for i in range(len(taps)):
                tap, row = taps[i], rows[min(max(y + i - reach, 0), height - 1)]
                for x in range(flat):
                    out[y, x] += tap * row[x]
        else:
            # A line with its ends repeated: then the inner loop has no branch and the compiler vectorises it.
            line[3 * reach : 3 * reach + flat] = rows[y]
            for x in range(3 * reach):
                line[x] = rows[y, x % 3]
                line[3 * reach + flat + x] = rows[y, flat - 3 + x % 3]
            for i in range(len(taps)):
                tap = taps[i]
                for x in range(flat):
                    out[y, x] += tap * line[x + 3 * i]
    return out.reshape(height, width, 3)


@kernel
def expose(
    image: Float32[np.ndarray, "h w 3"], matrix: Float32[np.ndarray, "3 3"], curve: Float32[np.ndarray, "3 s"]
) -> None:
    """Turn linear RGB into display brightness in [0, 1], in place."""
    last = np.float32(curve.shape[1] - 2)
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            r, g, b = image[y, x, 0], image[y, x, 1], image[y, x, 2]
            for k in range(3):
                c = max(matrix[k, 0] * r + matrix[k, 1] * g + matrix[k, 2] * b, ZERO)
                place = min(c / (c + KNEE) * np.float32(curve.shape[1]), last)
                i = int(place)
                f = place - np.float32(i)
                image[y, x, k] = curve[k, i] * (ONE - f) + curve[k, i + 1] * f


@kernel
def quantise(image: Float32[np.ndarray, "h w 3"], noise: np.float32, seed: np.uint64) -> UInt8[np.ndarray, "h w 3"]:
    """Add noise hashed from (seed, pixel), stronger where it is dark, and round to bytes."""
    height, width = image.shape[0], image.shape[1]
    out = np.empty((height, width, 3), np.uint8)
    for y in range(height):
        for x in range(width):
            h = np.uint64(y * width + x) * HASH_A + seed
            h = (h ^ (h >> S30)) * HASH_B
            h = (h ^ (h >> S27)) * HASH_C
            h = h ^ (h >> S31)
            # Four triangular numbers in [-1, 1): brightness first, then one a channel.
            common = np.float32(np.int64(h & LOW) + np.int64((h >> S8) & LOW) - 255) * np.float32(1 / 256)
            for k in range(3):
                h = h >> S8 >> S8
                own = np.float32(np.int64(h & LOW) + np.int64((h >> S8) & LOW) - 255) * np.float32(1 / 256)
                c = image[y, x, k]
                c += noise * (common + np.float32(0.7) * own) * (np.float32(1.2) - np.float32(0.6) * c)
                out[y, x, k] = np.uint8(min(max(c, ZERO), ONE) * np.float32(255) + np.float32(0.5))
    return out


@lru_cache(maxsize=4096)
def gaussian(sigma: float) -> Float32[np.ndarray, " k"]:
    """Sample a Gaussian of the given sigma (pixels) to three sigmas; the taps sum to 1."""
    reach = max(1, math.ceil(2.5 * sigma))
    taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    return (taps / taps.sum()).astype(np.float32)


def soften(image: Float32[np.ndarray, "h w 3"], sigma: float) -> Float32[np.ndarray, "h w 3"]:
    """Blur with a Gaussian of `sigma` pixels."""
    taps = gaussian(sigma)
    return convolve(convolve(image, taps, True), taps, False)


def bleed(image: Float32[np.ndarray, "h w 3"], sigma: float) -> Float32[np.ndarray, "h w 3"]:
    """Smear the colour along the rows and keep the brightness, as a composite video signal does."""
    grey = image @ GREY
    colour = convolve(image - grey[..., None], gaussian(sigma), False)
    return np.asarray(grey[..., None] + colour, np.float32)


def fringe(image: Float32[np.ndarray, "h w 3"], pixels: float) -> Float32[np.ndarray, "h w 3"]:
    """Move red to the right and blue to the left by a part of a pixel or more, as a simple lens does at its edge."""
    taps = np.zeros(2 * int(pixels) + 3, np.float32)
    taps[:2] = pixels % 1, 1 - pixels % 1
    out = image.copy()
    out[..., 0] = convolve(image, taps, False)[..., 0]
    out[..., 2] = convolve(image, taps[::-1].copy(), False)[..., 2]
    return out


def flicker(image: Float32[np.ndarray, "h w 3"], share: float, seed: int) -> Float32[np.ndarray, "h w 3"]:
    """Dim some rows, as lamps on alternating current do before a rolling shutter; `seed` decides which."""
    place = np.arange(len(image)) / len(image)
    wave = np.sin(2 * np.pi * (2.5 * place + (seed % 997) / 997))
    return image * (1 + share * wave[:, None, None]).astype(np.float32)


def band(image: Float32[np.ndarray, "h w 3"], amount: float, seed: int) -> Float32[np.ndarray, "h w 3"]:
    """Add noise that whole rows share, and a bar that rolls through the picture; `seed` decides where both are."""
    rows = np.arange(len(image), dtype=np.uint64)
    mixed = (rows + np.uint64(seed)) * HASH_A
    mixed = (mixed ^ (mixed >> S30)) * HASH_B
    noise = ((mixed >> S31) & LOW).astype(np.float32) / 127.5 - 1
    bar = np.sin(2 * np.pi * (1.3 * np.arange(len(image)) / len(image) + (seed % 991) / 991))
    return image + (amount * (0.7 * noise + bar))[:, None, None].astype(np.float32)


@kernel
def drag(
    image: Float32[np.ndarray, "h w 3"], moving: Bool[np.ndarray, "h w"], length: int
) -> Float32[np.ndarray, "h w 3"]:
    """Smear what moves over `length` pixels along the rows, and leave the rest sharp."""
    height, width = image.shape[0], image.shape[1]
    out, share = image.copy(), np.float32(1 / length)
    ahead, behind = (length - 1) // 2, length - 1 - (length - 1) // 2
    for y in range(height):
        count, red, green, blue = 0, ZERO, ZERO, ZERO
        for x in range(-ahead, width):
            enters, leaves = x + ahead, x - behind - 1
            if enters < width and moving[y, enters]:
                count += 1
                red += image[y, enters, 0]
                green += image[y, enters, 1]
                blue += image[y, enters, 2]
            if leaves >= 0 and moving[y, leaves]:
                count -= 1
                red -= image[y, leaves, 0]
                green -= image[y, leaves, 1]
                blue -= image[y, leaves, 2]
            if count > 0 and x >= 0:
                rest = ONE - np.float32(count) * share
                out[y, x, 0] = max(red, ZERO) * share + image[y, x, 0] * rest
                out[y, x, 1] = max(green, ZERO) * share + image[y, x, 1] * rest
                out[y, x, 2] = max(blue, ZERO) * share + image[y, x, 2] * rest
            elif count == 0:
                red, green, blue = ZERO, ZERO, ZERO  # what rounding left
    return out


def merge_fields(image: Float32[np.ndarray, "h w 3"]) -> None:
    """Replace odd rows by the mean of their neighbours, in place: what is left of one of two fields."""
    above, below = image[:-1:2], image[2::2]
    image[1 : 2 * len(below) : 2] = 0.5 * (above[: len(below)] + below)


def develop(
    light: Float32[np.ndarray, "h w 3"], sensor: Sensor, seed: int, gain: float = 1.0
) -> UInt8[np.ndarray, "h w 3"]:
    """Turn linear RGB into stored bytes; the same `seed` gives the same noise, `gain` multiplies the exposure."""
    image = soften(light, sensor.blur) if sensor.blur > 0.2 else light
    if sensor.smear > 1:
        image = convolve(image, np.full(sensor.smear | 1, 1 / (sensor.smear | 1), np.float32), False)
    if sensor.fringe > 0:
        image = fringe(image, sensor.fringe)
    if sensor.flicker > 0:
        image = flicker(image, sensor.flicker, seed)
    expose(image, sensor.matrix if gain == 1 else sensor.matrix * np.float32(gain), sensor.curve)
    if sensor.banded > 0:
        image = band(image, sensor.banded, seed)
    if sensor.bleed > 0.2:
        image = bleed(image, sensor.bleed)
    if sensor.sharpening > 0:
        image = image + np.float32(sensor.sharpening) * (image - soften(image, 0.8))
    stored = quantise(image, np.float32(sensor.noise), np.uint64(seed))
    if sensor.codings > 1:
        return recode(stored, sensor, seed)
    if sensor.quality:
        code = simplejpeg.encode_jpeg(stored, sensor.quality, "RGB", "420")
        stored = simplejpeg.decode_jpeg(code, "RGB")
    return stored


def recode(image: UInt8[np.ndarray, "h w 3"], sensor: Sensor, seed: int) -> UInt8[np.ndarray, "h w 3"]:
    """Code a picture several times; `seed` decides where its blocks of 8 pixels begin."""
    for k in range(sensor.codings):
        top, left = seed >> (6 * k) & 7, seed >> (6 * k + 3) & 7
        framed = cv2.copyMakeBorder(image, top, 0, left, 0, cv2.BORDER_REPLICATE)
        code = simplejpeg.encode_jpeg(np.ascontiguousarray(framed), sensor.quality or 60, "RGB", "420")
        image = np.ascontiguousarray(simplejpeg.decode_jpeg(code, "RGB")[top:, left:])
    return image


def resize(image: UInt8[np.ndarray, "h w *c"], height: int, width: int) -> UInt8[np.ndarray, "h2 w2 *c"]:
    """Resize as a dataset's maker would: bilinear, or by area where it shrinks a lot."""
    if image.shape[:2] == (height, width):
        return image
    method = cv2.INTER_AREA if image.shape[0] > 1.6 * height else cv2.INTER_LINEAR
    return cv2.resize(image, (width, height), interpolation=method).astype(np.uint8, copy=False)
