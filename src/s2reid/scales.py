"""How large a clip is, and how long a network is trained: laptop size and the paper's size."""

import math
from dataclasses import dataclass, replace

from s2reid.types import Coverage


@dataclass(frozen=True)
class Scale:
    """The input a network is built for: height x width pixels, `num_frames` frames a clip."""

    name: str
    height: int
    width: int
    num_frames: int


@dataclass(frozen=True)
class TestSetting:
    """What a method looks at when it is tested: which frames, and whether their mirror images count too."""

    __test__ = False  # not a test case, whatever pytest thinks of the name

    coverage: Coverage = "all"
    flip: bool = True

    def __str__(self) -> str:
        frames = "all frames" if self.coverage == "all" else "restricted-begin frames"
        return f"{frames}, {'flip-averaged' if self.flip else 'no flip'}"


@dataclass(frozen=True)
class Schedule:
    """How a network is trained.

    A step sees `num_persons` x `clips_per_person` source clips of `num_frames` frames, and as many target clips where
    the method looks at the target. `milestones` are shares of the run after which the learning rate is multiplied by
    `fall`; without them it follows a half cosine to `final_rate`, a share of the full rate. `sizes` are (share of the
    steps, share of the height): most steps see smaller images, the last ones full size (docs/decisions/0002).
    """

    steps: int
    num_persons: int
    clips_per_person: int
    num_frames: int
    learning_rate: float
    weight_decay: float
    optimizer: str = "adamw"
    warmup: int = 0
    final_rate: float = 0.0
    milestones: tuple[float, ...] = ()
    fall: float = 0.1
    sizes: tuple[tuple[float, float], ...] = ((1.0, 1.0),)

    def __post_init__(self) -> None:
        for name in ("num_persons", "clips_per_person", "num_frames"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, expected at least 1")
        if self.steps < 0:
            raise ValueError(f"steps is {self.steps}, expected 0 (an untrained network) or more")
        if not math.isclose(sum(share for share, _ in self.sizes), 1.0):
            raise ValueError(f"the shares of sizes {self.sizes} must add up to 1")

    @property
    def images_per_step(self) -> int:
        return self.num_persons * self.clips_per_person * self.num_frames

    def rate(self, step: int) -> float:
        """Give the factor on the learning rate before update `step` (0, 1, ...).

        >>> Schedule(100, 2, 2, 1, 1e-3, 0.0, milestones=(0.5,)).rate(50)
        0.1
        """
        warm = min(1.0, (step + 1) / (self.warmup + 1))
        if self.milestones:
            return float(warm * self.fall ** sum(step >= share * self.steps for share in self.milestones))
        cosine = 0.5 * (1 + math.cos(math.pi * step / max(1, self.steps)))
        return warm * (self.final_rate + (1 - self.final_rate) * cosine)

    def heights(self, height: int) -> list[int]:
        """Give the image height of every step; each is a multiple of 16, so that maps stay whole.

        >>> Schedule(4, 2, 2, 1, 1e-3, 0.0, sizes=((0.5, 0.5), (0.5, 1.0))).heights(128)
        [64, 64, 128, 128]
        """
        edges, past = [], 0.0
        for share, fraction in self.sizes:
            past += share
            edges.append((round(past * self.steps), max(16, round(height * fraction / 16) * 16)))
        return [next(tall for edge, tall in edges if step < edge) for step in range(self.steps)]


SMALL = Scale("small", 128, 64, 4)
PAPER = Scale("paper", 256, 128, 4)
SCALES = {scale.name: scale for scale in (SMALL, PAPER)}


def find(name: str) -> Scale:
    """Return a scale by name; raise `ValueError` with the list of what exists."""
    if name not in SCALES:
        raise ValueError(f"no scale named {name!r}: there are {', '.join(SCALES)}")
    return SCALES[name]


def shorter(schedule: Schedule, steps: int) -> Schedule:
    """Keep a schedule's shape over another number of steps; the warm-up gets shorter, but not longer."""
    warmup = min(schedule.warmup, round(schedule.warmup * steps / max(1, schedule.steps)))
    return replace(schedule, steps=steps, warmup=warmup)
