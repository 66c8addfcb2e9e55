"""S2R as its public release trains it, by our reading of that code: a control, not the paper's method.

The release hands detached features to its domain and consistency terms, so that these train their own heads and weights
and nothing else. What the target does to the tested student is done by the batch norms' running statistics, which
see both domains. All terms are there from the first step; the combined sequences (`mixture`) are not in the release.

Departures: the release's small temporal network before its domain heads and its literal indicator in place of
`same_cluster` are left out: neither reaches the backbone. The release multiplies all of its supervised loss by one
learned number, which Adam all but cancels; here identity and triplet are weighed against each other, as in `s2r`, at a
rate at which the weights stay near where they begin.
"""

from dataclasses import dataclass, replace
from typing import Literal

from s2reid.methods.s2r import S2R, SCHEDULES, TERMS
from s2reid.scales import Schedule


@dataclass(frozen=True)
class S2RReleased(S2R):
    """Settings: those of S2R, detached, in one stage."""

    terms: tuple[str, ...] = tuple(term for term in TERMS if term != "mixture")
    stage: Literal[1, 2] = 2
    detached: bool = True
    statistics: Literal["source", "both", "target"] = "both"

    def schedule(self, scale: str, continues: bool = False) -> Schedule:
        """Give one schedule of as many steps as both stages have."""
        first, second = SCHEDULES[scale]
        if first.milestones:  # the rate falls at the same steps
            edges = (first.steps, *(first.steps + share * second.steps for share in second.milestones))
            total = first.steps + second.steps
            return replace(first, steps=total, milestones=tuple(edge / total for edge in edges))
        return replace(first, steps=first.steps + second.steps, final_rate=second.final_rate)

    def before(self) -> None:
        """Say that it starts afresh."""
        return


METHOD = S2RReleased
