"""What stays with a person whatever they wear: body, skin, face and hair."""

from dataclasses import dataclass

import numpy as np

Colour = tuple[float, float, float]
"""The square root of a surface's reflectance, RGB in [0, 1]: near what a screen shows."""

HAIR_STYLES = ("bald", "short", "bob", "long", "bun", "tail", "curls")
HAIR_COLOURS: tuple[Colour, ...] = (
    (0.11, 0.10, 0.10),
    (0.20, 0.15, 0.12),
    (0.33, 0.22, 0.15),
    (0.52, 0.38, 0.24),
    (0.68, 0.57, 0.40),
    (0.62, 0.62, 0.62),
    (0.45, 0.20, 0.12),
)
SKINS: tuple[Colour, ...] = ((0.87, 0.70, 0.61), (0.77, 0.58, 0.47), (0.57, 0.40, 0.30), (0.36, 0.26, 0.21))


@dataclass(frozen=True)
class Shape:
    """A body and a face; `height` in metres, the other sizes relative to an average person."""

    height: float
    girth: float
    shoulders: float
    hips: float
    legs: float
    is_female: bool
    skin: Colour
    hair: str
    hair_colour: Colour
    hair_length: float
    has_beard: bool
    has_glasses: bool

    @property
    def scale(self) -> float:
        """Convert the unit body (1.75 m) to this person."""
        return self.height / 1.75


def near(rng: np.random.Generator, colour: Colour, spread: float) -> Colour:
    """Draw a colour near another: `spread` of its brightness, a third of that of its hue."""
    drawn = np.array(colour) * np.exp(rng.normal(0, spread)) * np.exp(rng.normal(0, spread / 3, 3))
    r, g, b = np.clip(drawn, 0.02, 0.98)
    return float(r), float(g), float(b)


def draw_shape(rng: np.random.Generator) -> Shape:
    """Draw a body and a face."""
    is_female = bool(rng.random() < 0.5)
    odds = [0.0, 0.10, 0.17, 0.38, 0.12, 0.18, 0.05] if is_female else [0.08, 0.78, 0.03, 0.03, 0.02, 0.01, 0.05]
    tone = float(3 * rng.beta(1.2, 2.4))
    skin = tuple(float(np.interp(tone, range(4), channel)) for channel in zip(*SKINS))
    hair_colour = HAIR_COLOURS[int(rng.choice(len(HAIR_COLOURS), p=[0.42, 0.22, 0.14, 0.07, 0.04, 0.08, 0.03]))]
    return Shape(
        height=float(np.clip(rng.normal(1.65 if is_female else 1.77, 0.075), 1.45, 2.0)),
        girth=float(np.clip(rng.normal(0.98, 0.115), 0.75, 1.4)),
        shoulders=float(np.clip(rng.normal(0.94 if is_female else 1.04, 0.06), 0.82, 1.2)),
        hips=float(np.clip(rng.normal(1.05 if is_female else 0.97, 0.05), 0.85, 1.2)),
        legs=float(np.clip(rng.normal(1, 0.025), 0.93, 1.06)),
        is_female=is_female,
        skin=near(rng, (skin[0], skin[1], skin[2]), 0.04),
        hair=str(rng.choice(HAIR_STYLES, p=odds)),
        hair_colour=near(rng, hair_colour, 0.15),
        hair_length=float(rng.random()),
        has_beard=bool(not is_female and rng.random() < 0.3),
        has_glasses=bool(rng.random() < 0.15),
    )
