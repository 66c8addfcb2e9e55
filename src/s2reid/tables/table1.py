"""Table 1: eight published methods and ours, from synthetic persons to four targets (Sec. 4.2)."""

from typing import Any

from s2reid import lookup
from s2reid.tables import table2
from s2reid.tables.grid import Table

METHODS = {
    "CAViT": "cavit",
    "PTSA": "psta",  # the paper's spelling
    "AP3D": "ap3d",
    "TCLNet": "tclnet",
    "CAL": "cal",
    "SINet": None,
    "GLT": "glt",
    "QAConv": "qaconv",
    "Ours": None,
}
"""The paper's rows and the files of their methods."""
CENTRED = {"SINet, centred": "SINet", "Ours, centred": "Ours"}
"""Beyond the paper: the same models, calibrated to the target's cameras."""


def settings(row: str) -> Any:
    """Give a row's settings; None while its method does not exist."""
    if row in ("SINet", "Ours"):
        return table2.ROWS["Baseline" if row == "SINet" else row]
    name = METHODS[row]
    return lookup.find("methods", name).METHOD() if name in lookup.names("methods") else None


ROWS = {row: settings(CENTRED.get(row, row)) for row in (*METHODS, *CENTRED)}
PAIRS = (
    ("svreid", "standin-mars"),
    ("svreid", "standin-ilids"),
    ("svreid", "standin-prid"),
    ("svreid-cc", "standin-ccvid"),
)
TITLE = "Table 1: comparison with published methods"
# Without mirror images, as the published methods are tested.
TABLE = Table(1, TITLE, ROWS, PAIRS, versus=("SINet", "Ours"), centred=frozenset(CENTRED), flip=False)
