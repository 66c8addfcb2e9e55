"""All parts of the benchmark, or those asked for, as plain values for JSON."""

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from s2reid import datasets, runs
from s2reid.benchmark import decoding, embedding, rendering, scoring, starting, training
from s2reid.benchmark.part import Effort, Part
from s2reid.embed import load_model
from s2reid.world import write

NAMES = ("train", "embed", "decode", "render", "evaluate", "start")


def measure(
    names: Sequence[str] = NAMES,
    effort: Effort = Effort(),
    peer: Path | None = None,
    report: Callable[[Part], None] = lambda part: None,
) -> dict[str, Any]:
    """Measure parts by name; `report` is told of each when it is done."""
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        raise ValueError(f"no part named {unknown[0]!r}: there are {', '.join(NAMES)}")
    embedding.why_not(peer)  # a wrong path is found out now
    load, parts = os.getloadavg()[0], []
    for part in _each(names or NAMES, effort, peer):
        parts.append(part)
        report(part)
    return {
        **runs.provenance(),
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "threads": torch.get_num_threads(),
        "device": "cuda" if torch.cuda.is_available() else "cpu",
        "load": load,
        "effort": asdict(effort),
        "parts": [asdict(part) for part in parts],
    }


def _each(names: Sequence[str], effort: Effort, peer: Path | None) -> Iterator[Part]:
    with tempfile.TemporaryDirectory() as folder:
        data = None
        if {"train", "decode"} & set(names):
            data = datasets.load(f"svreid:{write.write('svreid-large', Path(folder, 'world'), persons=effort.persons)}")
        for name in names:
            if name == "train" and data:
                yield from training.measure(data, effort)
            elif name == "decode" and data:
                yield decoding.measure(data.train, effort)
            elif name == "embed":
                yield embedding.measure(load_model("s2reid-small"), effort, peer)
            else:
                yield {"render": rendering, "evaluate": scoring, "start": starting}[name].measure(effort)
