"""What a benchmark finds: speeds with their spread, ratios of two sides that took turns, and what was left out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter


@dataclass(frozen=True)
class Effort:
    """How much is measured.

    Args:
        rounds: turns that each side of a comparison takes.
        steps: training steps of a turn, besides the first ones, which do not count.
        seconds: for which each kind of picture is rendered, each turn.
        persons: of the world that is rendered to train on.
        tracklets: of eight frames, embedded in a turn.
        clips: of four frames, decoded in a turn.
        crowd: queries, gallery entries and numbers of a vector; MARS's size, unless less is asked for.
    """

    rounds: int = 5
    steps: int = 8
    seconds: float = 1.0
    persons: int = 64
    tracklets: int = 64
    clips: int = 100
    crowd: tuple[int, int, int] = (1_980, 11_310, 2_048)


QUICK = Effort(rounds=2, steps=4, seconds=0.3, tracklets=32, clips=50, crowd=(500, 3_000, 512))


@dataclass(frozen=True)
class Measure:
    """One number: the median over the turns, with the smallest and the largest."""

    name: str
    value: float
    unit: str
    low: float
    high: float


@dataclass(frozen=True)
class Ratio:
    """How two sides compare: the median over the turns of one's number by the other's; `goal` says what we aim at."""

    name: str
    value: float
    goal: str


@dataclass(frozen=True)
class Part:
    """One part of the benchmark. `adds_up` names measures whose sum is the measure `whole`."""

    name: str
    heading: str
    measures: Sequence[Measure]
    ratios: Sequence[Ratio] = ()
    skipped: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    whole: str | None = None
    adds_up: Sequence[str] = ()


def take_turns(sides: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Let every side measure itself once a round, the order reversed each time, so that a noise of minutes hits all.

    >>> take_turns({"a": lambda: 1.0, "b": lambda: 2.0}, 2)
    {'a': [1.0, 1.0], 'b': [2.0, 2.0]}
    """
    found: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(rounds):
        for name in list(sides)[:: 1 if number % 2 == 0 else -1]:
            found[name].append(sides[name]())
    return found


def timed(function: Callable[[], object]) -> Callable[[], float]:
    """Turn a function into one that says how many seconds it took."""

    def run() -> float:
        began = perf_counter()
        function()
        return perf_counter() - began

    return run


def summarise(name: str, values: Sequence[float], unit: str) -> Measure:
    """Summarise the turns of one side."""
    return Measure(name, median(values), unit, min(values), max(values))


def rate(name: str, seconds: Sequence[float], number: int, unit: str) -> Measure:
    """Say how many a second, where each turn took its seconds for `number` of them.

    >>> rate("ours", [1.0, 2.0, 4.0], 8, "clips/s")
    Measure(name='ours', value=4.0, unit='clips/s', low=2.0, high=8.0)
    """
    return summarise(name, [number / turn for turn in seconds], unit)


def ratio(name: str, above: Sequence[float], below: Sequence[float], goal: str = "") -> Ratio:
    """Divide turn by turn: what slowed both sides of a round down cancels.

    >>> ratio("theirs by ours", [2.0, 30.0, 4.0], [1.0, 10.0, 2.0]).value
    2.0
    """
    return Ratio(name, median(one / other for one, other in zip(above, below, strict=True)), goal)
