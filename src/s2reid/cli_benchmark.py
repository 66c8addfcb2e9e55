"""The verb `s2reid benchmark`: how fast this machine is."""

import json
import sys
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg


def benchmark(
    parts: Positional[tuple[str, ...]] = (),
    /,
    peer: Path | None = None,
    out: Path | None = None,
    quick: bool = False,
    threads: int | None = None,
    json_: Annotated[bool, arg(name="json")] = False,
) -> None:
    """Measure this machine: training steps, embedding, decoding, rendering, evaluation, start-up, beside alternatives.

    It takes a few minutes, or about one with --quick. Both sides of a ratio take turns.

    Args:
        parts: train embed decode render evaluate start; all where none is named.
        peer: the graph of OSNet x0.25 (.onnx) to compare embedding with; needs onnx and onnxruntime.
        out: a folder for benchmark.json and benchmark.html.
        quick: fewer turns and smaller data.
        threads: CPU threads of the networks.
        json_: print one JSON object.
    """
    from s2reid import runs
    from s2reid.benchmark import everything, page, text
    from s2reid.benchmark.part import QUICK, Effort, Part
    from s2reid.train import set_threads

    if out:
        runs.check_writable(out)  # found out now, and not after minutes
    set_threads(threads)
    said = sys.stderr if json_ else sys.stdout

    def report(part: Part) -> None:
        print(text.as_text(part), file=said, flush=True)

    found = everything.measure(parts or everything.NAMES, QUICK if quick else Effort(), peer, report)
    if out:
        runs.write_json(out / "benchmark.json", found)
        print(f"wrote {out / 'benchmark.json'}, {page.write_page(out / 'benchmark.html', found)}", file=said)
    if json_:
        print(json.dumps(found))
