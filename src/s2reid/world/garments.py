"""What there is to wear and to carry, as values: fabrics, garments, details, and what a domain tends to wear."""

from dataclasses import dataclass

from s2reid.world.people import Colour

DARK: tuple[Colour, ...] = (
    (0.13, 0.13, 0.14),
    (0.20, 0.20, 0.22),
    (0.28, 0.28, 0.30),
    (0.16, 0.18, 0.28),
    (0.24, 0.20, 0.18),
    (0.20, 0.24, 0.20),
)
PLAIN: tuple[Colour, ...] = (
    (0.92, 0.92, 0.91),
    (0.74, 0.74, 0.74),
    (0.52, 0.52, 0.53),
    (0.80, 0.73, 0.62),
    (0.58, 0.52, 0.40),
    (0.42, 0.32, 0.24),
    (0.38, 0.40, 0.30),
    (0.48, 0.18, 0.22),
    (0.30, 0.36, 0.52),
    (0.62, 0.70, 0.80),
)
DENIM: tuple[Colour, ...] = ((0.20, 0.25, 0.38), (0.32, 0.40, 0.55), (0.50, 0.58, 0.68), (0.18, 0.19, 0.24))
PATTERNS = ("plain", "stripes", "pinstripes", "checks", "dots", "blots", "yoke", "band", "print", "heather", "quilt")


@dataclass(frozen=True)
class Fabric:
    """A cloth: two colours, a pattern whose unit is `scale` metres, and how much it folds."""

    colour: Colour
    second: Colour
    pattern: str
    scale: float
    folds: float


@dataclass(frozen=True)
class Emblem:
    """A print or a logo, `width` x `height` metres, its middle `x` from the front (or the back) and at height `y`.

    `kind` is letters, a disc, a ring, a picture or a number; `seed` decides its small structure.
    """

    kind: str
    colour: Colour
    x: float
    y: float
    width: float
    height: float
    is_behind: bool
    seed: int


@dataclass(frozen=True)
class Details:
    """What makes garments particular, and what a person has in hand.

    `over` and `under` name the outer garment and the top; `neck`, `closure` and `pockets` are how these are made;
    `cuffs` colours ribs, `stripe` a line along sleeves and legs, `bands` what reflects light. `held` is in the hand on
    `held_side` (1 the left, -1 the right) or pushed; `socks` reach up to the share `sock_top` of a leg; `creases` is
    how much sleeves and trousers are wrinkled.
    """

    over: str
    under: str
    legs: str
    shoes: str
    neck: str
    closure: str
    has_lapels: bool
    has_belt: bool
    pockets: str
    emblem: Emblem | None
    over_emblem: Emblem | None
    cuffs: Colour | None
    stripe: Colour | None
    bands: Colour | None
    tie: Colour | None
    socks: Colour
    sock_top: float
    gloves: Colour | None
    mask: Colour | None
    headphones: Colour | None
    creases: float
    held: str
    held_side: int
    held_fabric: Fabric


@dataclass(frozen=True)
class Outfit:
    """All that a person wears; lengths along a limb are shares, `hem`s are heights on a body of 1.75 m.

    `layer` is a garment worn over the top, open at the front by `opening` of a turn on either side;
    `leg_hem` below 0.9 shows bare legs; `skirt_hem` 0 means no skirt; a `tail_hem` 0 means a tucked-in top.
    """

    top: Fabric
    sleeve: float
    sleeve_fabric: Fabric
    tail_hem: float
    layer: Fabric | None
    layer_hem: float
    opening: float
    bottom: Fabric
    leg_hem: float
    leg_ease: float
    leg_flare: float
    has_side_stripe: bool
    skirt: Fabric | None
    skirt_hem: float
    skirt_flare: float
    stockings: Colour | None
    shoe: Fabric
    sole: Colour
    boots: float
    hat: str
    hat_colour: Colour
    bag: str
    bag_fabric: Fabric
    bag_side: int
    scarf: Colour | None
    collar: str
    bulk: float
    sleeve_ease: float
    details: Details | None = None


@dataclass(frozen=True)
class Wardrobe:
    """What people of a domain tend to wear: shares in [0, 1], and the colours of what is neither dark nor vivid.

    Where it `is_detailed`, garments go together (see `street`) and have details, and people are drawn finer; `held`,
    `masks` and `headphones` are shares of these people.
    """

    dark: float = 0.36
    vivid: float = 0.30
    layered: float = 0.42
    patterned: float = 0.45
    skirts: float = 0.35
    shorts: float = 0.18
    bare_arms: float = 0.30
    bags: float = 0.55
    hats: float = 0.18
    scarves: float = 0.06
    uniforms: float = 0.06
    plain: tuple[Colour, ...] = PLAIN
    patterns: tuple[str, ...] = PATTERNS[1:]
    bag_kinds: tuple[str, ...] = ("pack", "pack", "tote", "satchel", "handbag")
    is_detailed: bool = False
    held: float = 0.0
    masks: float = 0.0
    headphones: float = 0.0
