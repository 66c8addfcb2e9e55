"""Table 2: what each part of the method adds (Sec. 4.3), and the controls that say why."""

from dataclasses import replace

from s2reid.methods.s2r import DOMAIN, S2R, SUPERVISED
from s2reid.methods.s2r_released import S2RReleased
from s2reid.tables.grid import Table

OURS = S2R()
BASE = replace(OURS, terms=SUPERVISED, statistics="source")
"""SINet, which never looks at the target."""
CONFUSED = replace(OURS, terms=SUPERVISED)
"""What the domain terms are added to: the student is tested with the target's statistics."""
RELEASED = S2RReleased()
"""The public release, whose terms reach no weight of the backbone; it has one stage, and so a baseline of its own."""

ROWS = {
    "Baseline": BASE,
    "+ L1S": replace(CONFUSED, terms=(*SUPERVISED, *DOMAIN[:1])),
    "+ L1S + L2S": replace(CONFUSED, terms=(*SUPERVISED, *DOMAIN[:2])),
    "+ L1S + L2S + L3S": replace(CONFUSED, terms=(*SUPERVISED, *DOMAIN)),
    "w/o L1C": replace(OURS, terms=(*SUPERVISED, *DOMAIN, "cluster_pull")),
    "w/o L2C": replace(OURS, terms=(*SUPERVISED, *DOMAIN, "same_cluster")),
    "Ours": OURS,
    # Controls, which the paper does not have.
    "Target BN": CONFUSED,
    "One-stage baseline": replace(RELEASED, terms=SUPERVISED, statistics="source"),
    "released": RELEASED,
    # Beyond the paper: the same models, calibrated to the target's cameras.
    "Baseline, centred": BASE,
    "Target BN, centred": CONFUSED,
    "Ours, centred": OURS,
}
CENTRED = frozenset(row for row in ROWS if row.endswith(", centred"))
PAIRS = (("svreid", "standin-ilids"), ("svreid-cc", "standin-ccvid"))
TABLE = Table(2, "Table 2: what each part of the method adds", ROWS, PAIRS, centred=CENTRED)
