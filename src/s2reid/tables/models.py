"""The models behind a table's numbers: what trained them need not be the command that wrote the table."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from s2reid import model
from s2reid.tables.entries import Entry

Origins = Mapping[str, Mapping[str, int]]
"""Of each kind of origin (commits, machines, precisions): how many models have which."""


def origins(entries: Sequence[Entry], root: Path) -> Origins:
    """Count the models that were tested by commit, machine and precision; those that are gone are left out."""
    keys = dict.fromkeys(run for entry in entries for several in entry.all_runs for run in several)
    folders = [root / key / "model" for key in keys]
    made = [model.read_card(folder).provenance for folder in folders if folder.is_dir()]
    return {
        "commits": Counter(said["commit"] for said in made),
        "machines": Counter(_machine(said["machine"]) for said in made),
        "precisions": Counter(said.get("precision", "unknown") for said in made),  # older models do not say
    }


def in_words(found: Origins) -> str:
    """Say where models come from; a number stands where there are several origins.

    >>> in_words({"commits": {"a1b": 3}, "machines": {"Xeon, 2 cores": 3}, "precisions": {"bf16": 2, "float32": 1}})
    '3, of commit a1b; on Xeon, 2 cores; in bf16 (2), float32 (1)'
    """
    number = sum(found["commits"].values())
    if not number:
        return "none yet"
    commits, machines, precisions = (_listed(found[kind]) for kind in ("commits", "machines", "precisions"))
    return f"{number}, of commit {commits}; on {machines}; in {precisions}"


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} ({count})" if len(counts) > 1 else name for name, count in counts.items())


def _machine(said: Mapping[str, Any]) -> str:
    return f"{said['processor']}, {said['cores']} cores"
