"""What stays with a person whatever they wear: body, skin, face and hair."""

from dataclasses import dataclass, replace

import numpy as np

Colour = tuple[float, float, float]
"""The square root of a surface's reflectance, RGB in [0, 1]: near what a screen shows."""

HAIR_STYLES = ("bald", "short", "bob", "long", "bun", "tail", "curls")
FINER_STYLES = ("crew", "pixie", "mid", "waves", "afro", "topknot", "low bun", "pigtails", "braid", "receding")
"""Styles that only a closer look tells apart."""
WOMENS: tuple[str, ...] = (
    "short",
    "pixie",
    "pixie",
    "bob",
    "bob",
    "mid",
    "mid",
    "long",
    "long",
    "long",
    "waves",
    "waves",
    "bun",
    "bun",
)
WOMENS += ("low bun", "low bun", "tail", "tail", "tail", "curls", "afro", "topknot", "pigtails", "braid")
MENS: tuple[str, ...] = (
    ("short",) * 9 + ("crew",) * 6 + ("bald", "receding", "pixie", "pixie", "curls", "mid", "afro", "topknot", "tail")
)
BEARDS: tuple[str, ...] = ("none",) * 7 + ("stubble",) * 4 + ("full", "full", "goatee", "moustache")
GLASSES: tuple[str, ...] = ("none",) * 12 + ("rims", "rims", "thin", "dark")
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
    """A body and a face; `height` in metres, the other sizes relative to an average person.

    `finer` is the same person with all that a closer look shows; a person that has no `finer` is drawn plainly: without
    `slope` (of the shoulders), `seat`, `nose`, `fringe`, and with a head and a neck of average size. `beard` and
    `glasses` name kinds; `age` is in years.
    """

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
    age: float = 35.0
    slope: float = 0.0
    seat: float = 0.0
    nose: float = 0.0
    fringe: float = 0.0
    head: float = 1.0
    neck: float = 1.0
    beard: str = "none"
    glasses: str = "none"
    finer: "Shape | None" = None

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
    shape = Shape(
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
    return replace(shape, finer=_refine(rng.spawn(1)[0], shape))


def _refine(rng: np.random.Generator, shape: Shape) -> Shape:
    """Look closer at a person, with a stream of its own: age, proportions, hair, beard and glasses."""
    age = float(np.clip(16 + 60 * rng.beta(1.3, 2.2), 16, 85))
    is_grey, is_old = rng.random() < (age - 38) / 30, age > 50
    hair = WOMENS[int(rng.integers(len(WOMENS)))] if shape.is_female else MENS[int(rng.integers(len(MENS)))]
    if not shape.is_female and is_old and rng.random() < 0.35:
        hair = ("bald", "receding")[int(rng.integers(2))]
    grey = near(rng, (0.60, 0.60, 0.59), 0.15)
    return replace(
        shape,
        height=shape.height - 0.0006 * max(0.0, age - 45),
        girth=float(np.clip(shape.girth * np.exp(rng.normal(0, 0.06)) + 0.0015 * (age - 35), 0.78, 1.5)),
        shoulders=shape.shoulders * float(np.exp(rng.normal(0, 0.02))),
        hair=hair,
        hair_colour=grey if is_grey else shape.hair_colour,
        has_beard=False,
        has_glasses=False,
        age=age,
        slope=float(rng.uniform(0.6, 1.3)),
        seat=float(rng.uniform(0.3, 1.3)),
        nose=float(rng.uniform(0.6, 1.3)),
        fringe=float(rng.random() < 0.4) * float(rng.uniform(0.4, 1.0)),
        head=float(np.clip(rng.normal(0.99, 0.025), 0.93, 1.06)),
        neck=float(rng.uniform(0.94, 1.06) * (0.97 if shape.is_female else 1.08)),
        beard="none" if shape.is_female else BEARDS[int(rng.integers(len(BEARDS)))],
        glasses=GLASSES[int(rng.integers(len(GLASSES)))],
    )
