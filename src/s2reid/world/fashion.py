"""What is in fashion in the sources, and what goes with what; a name that is repeated is worn more often."""

from dataclasses import dataclass

from s2reid.world.garments import DARK, PLAIN, Wardrobe

Range = tuple[float, float]

# Colours by how often they are worn: a repeated one is more frequent.
BLACK, CHARCOAL, NAVY, GREY, WHITE, BEIGE = (
    DARK[0],
    (0.21, 0.21, 0.23),
    (0.13, 0.15, 0.25),
    PLAIN[2],
    PLAIN[0],
    PLAIN[3],
)
DARKS = (BLACK,) * 9 + (CHARCOAL,) * 4 + (NAVY,) * 5 + ((0.24, 0.20, 0.18), (0.21, 0.22, 0.18), (0.28, 0.28, 0.30))
SKY = PLAIN[9]
LIGHTS = (WHITE,) * 4 + (PLAIN[1], PLAIN[1], GREY, GREY, BEIGE, BEIGE, *PLAIN[4:])
INDIGO, MID_BLUE, FADED, WASHED = (0.17, 0.20, 0.30), (0.30, 0.37, 0.50), (0.48, 0.55, 0.64), (0.15, 0.15, 0.17)
JEANS = (INDIGO,) * 5 + (MID_BLUE,) * 3 + (FADED, WASHED, WASHED, WASHED)
LEATHER = (BLACK, BLACK, (0.22, 0.16, 0.12), (0.36, 0.24, 0.16))
RUBBER = (WHITE, WHITE, (0.12, 0.12, 0.12))
SHOPPERS = (WHITE, (0.62, 0.50, 0.36), (0.62, 0.50, 0.36), (0.75, 0.25, 0.22), (0.30, 0.45, 0.70), BLACK)
MASKS = ((0.62, 0.76, 0.86), (0.62, 0.76, 0.86), WHITE, BLACK)
SIGNAL = ((0.85, 0.90, 0.20), (0.95, 0.50, 0.12))


@dataclass(frozen=True)
class Cut:
    """How a kind of outer garment is made: heights of its hem, how bulky, how often open, its collar and closure."""

    hem: Range
    bulk: Range
    is_open: float
    collar: str
    closure: str
    pattern: str = ""
    has_lapels: bool = False
    has_sleeves: bool = True


CUTS = {
    "jacket": Cut((0.84, 0.93), (0.03, 0.08), 0.45, "stand", "zip"),
    "denim jacket": Cut((0.90, 0.96), (0.02, 0.05), 0.6, "stand", "buttons", "worn"),
    "leather jacket": Cut((0.88, 0.96), (0.02, 0.06), 0.5, "stand", "zip", "plain"),
    "blazer": Cut((0.78, 0.86), (0.02, 0.05), 0.5, "none", "buttons", has_lapels=True),
    "coat": Cut((0.45, 0.68), (0.04, 0.09), 0.4, "stand", "buttons", has_lapels=True),
    "trench coat": Cut((0.48, 0.62), (0.03, 0.06), 0.3, "stand", "buttons", "plain", has_lapels=True),
    "puffer": Cut((0.82, 0.92), (0.11, 0.19), 0.35, "hood", "zip", "quilt"),
    "down coat": Cut((0.48, 0.66), (0.10, 0.16), 0.25, "hood", "zip", "quilt"),
    "parka": Cut((0.62, 0.76), (0.07, 0.12), 0.35, "hood", "zip", "plain"),
    "hoodie": Cut((0.84, 0.92), (0.03, 0.06), 0.5, "hood", "zip"),
    "cardigan": Cut((0.70, 0.88), (0.02, 0.04), 0.85, "none", "none", "ribs"),
    "gilet": Cut((0.86, 0.94), (0.05, 0.10), 0.5, "stand", "zip", "quilt", has_sleeves=False),
    "track jacket": Cut((0.86, 0.92), (0.02, 0.05), 0.3, "stand", "zip", "plain"),
    "rain jacket": Cut((0.74, 0.88), (0.03, 0.07), 0.2, "hood", "zip", "plain"),
    "safety vest": Cut((0.84, 0.90), (0.02, 0.05), 0.4, "none", "zip", "plain", has_sleeves=False),
}
OVERS = {
    "casual": ("jacket",) * 4
    + ("denim jacket", "leather jacket", "coat", "puffer", "puffer", "down coat", "parka", "parka")
    + ("hoodie", "hoodie", "cardigan", "gilet", "rain jacket"),
    "office": ("blazer",) * 4 + ("coat",) * 3 + ("trench coat", "puffer", "down coat", "jacket", "cardigan"),
    "sport": ("track jacket",) * 3 + ("hoodie", "hoodie", "puffer", "rain jacket", "gilet"),
    "work": ("safety vest", "safety vest", "jacket", "parka"),
}
WARM_TOPS = {
    "casual": (
        "sweater",
        "sweater",
        "shirt",
        "tee",
        "tee",
        "sweatshirt",
        "sweatshirt",
        "hooded",
        "hooded",
        "turtleneck",
    ),
    "office": ("shirt",) * 5 + ("sweater", "turtleneck", "blouse"),
    "sport": ("hooded", "sweatshirt", "tee", "jersey"),
    "work": ("sweater", "shirt", "polo", "sweatshirt"),
}
BARE_TOPS = {
    "casual": ("tee",) * 7 + ("polo", "shirt", "tank"),
    "office": ("shirt", "shirt", "polo", "blouse"),
    "sport": ("tee", "jersey", "jersey", "tank"),
    "work": ("tee", "polo"),
}
LEGS = {
    "casual": ("jeans",) * 7 + ("chinos", "chinos", "trousers", "cargo", "joggers", "leggings", "wide"),
    "office": ("trousers",) * 5 + ("chinos", "jeans", "wide"),
    "sport": ("joggers",) * 4 + ("leggings", "leggings", "jeans"),
    "work": ("cargo", "cargo", "trousers", "jeans"),
}
SHOES = {
    "casual": ("trainers",) * 6 + ("leather", "boots", "boots", "sandals"),
    "office": ("leather",) * 5 + ("trainers", "heels", "boots"),
    "sport": ("trainers",),
    "work": ("boots", "boots", "leather"),
}
OCCASIONS = ("casual",) * 11 + ("office",) * 5 + ("sport",) * 3 + ("work",)
NECKS = {"shirt": "shirt", "polo": "polo", "turtleneck": "turtle", "tank": "scoop", "hooded": "crew", "jersey": "vee"}
SLEEVES = {"tank": (0.05, 0.09), "tee": (0.24, 0.38), "jersey": (0.26, 0.42), "blouse": (0.2, 0.5)}
EASES = {"leggings": 0.0, "jeans": 0.12, "chinos": 0.18, "trousers": 0.22, "joggers": 0.3, "cargo": 0.35, "wide": 0.5}
HELD: tuple[str, ...] = ("phone",) * 5 + (
    "call",
    "call",
    "cup",
    "cup",
    "shopper",
    "shopper",
    "shopper",
    "two shoppers",
    "paper",
)
HELD += ("umbrella", "umbrella", "cane", "pram", "bicycle", "briefcase", "coat")
HATS: tuple[str, ...] = (
    "cap",
    "cap",
    "cap",
    "backward cap",
    "beanie",
    "beanie",
    "bobble",
    "bucket",
    "brim",
    "hood",
    "hood",
    "beret",
)
HATS += ("headscarf", "helmet")
BAGS: tuple[str, ...] = ("pack",) * 5 + (
    "slim pack",
    "tote",
    "tote",
    "tote",
    "satchel",
    "satchel",
    "purse",
    "purse",
    "handbag",
    "handbag",
)
BAGS += ("belt bag", "duffel", "trolley")
EMBLEMS: tuple[str, ...] = ("letters", "letters", "disc", "ring", "picture", "picture", "number")
STREET_PATTERNS: tuple[str, ...] = (
    "stripes",
    "stripes",
    "pinstripes",
    "checks",
    "panes",
    "panes",
    "dots",
    "heather",
    "heather",
    "ribs",
)
STREET_PATTERNS += ("yoke", "band", "halves", "flowers", "zigzag", "diamonds", "camouflage", "blots", "fade")

STREET = Wardrobe(
    dark=0.50,
    vivid=0.11,
    layered=0.55,
    patterned=0.30,
    skirts=0.22,
    shorts=0.16,
    bare_arms=0.28,
    bags=0.60,
    hats=0.16,
    scarves=0.12,
    uniforms=0.07,
    plain=LIGHTS,
    patterns=STREET_PATTERNS,
    bag_kinds=BAGS,
    is_detailed=True,
    held=0.28,
    masks=0.05,
    headphones=0.05,
)
"""What people of the sources wear."""
