"""A part of the benchmark, in words for a terminal."""

from s2reid.benchmark.page import number
from s2reid.benchmark.part import Part


def as_text(part: Part) -> str:
    """Write a part: a line a number, then the ratios, then what was left out.

    >>> from s2reid.benchmark.part import Measure, Ratio
    >>> ours = Measure("ours", 4.0, "clips/s", 2.0, 8.0)
    >>> print(as_text(Part("x", "X", [ours], [Ratio("a by b", 2.5, "at least 2")])))
    X
      ours                                     4.00 clips/s  (2.00 to 8.00)
      a by b: 2.50  (goal: at least 2)
    """
    lines = [part.heading]
    for one in part.measures:
        spread = f"({number(one.low)} to {number(one.high)})"
        lines.append(f"  {one.name:<32} {number(one.value):>12} {one.unit}  {spread}")
    for ratio in part.ratios:
        goal = f"  (goal: {ratio.goal})" if ratio.goal else ""
        lines.append(f"  {ratio.name}: {number(ratio.value)}{goal}")
    lines += [f"  left out: {name}: {reason}" for name, reason in part.skipped.items()]
    return "\n".join(lines)
