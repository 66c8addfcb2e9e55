"""Table 3: what is learned from the labelled half of another target, against synthetic persons (Sec. 4.4.2)."""

from s2reid.tables import table2
from s2reid.tables.grid import Table

CENTRED = ("Baseline, centred", "Ours, centred")
ROWS = {name: table2.ROWS[name] for name in ("Baseline", "Ours", *CENTRED)}
PAIRS = tuple(
    (source, target)
    for target, synthetic in (("standin-ilids", "svreid"), ("standin-ccvid", "svreid-cc"))
    for source in ("standin-mars", "standin-prid", synthetic)
)
TABLE = Table(3, "Table 3: other targets as sources", ROWS, PAIRS, centred=frozenset(CENTRED))
