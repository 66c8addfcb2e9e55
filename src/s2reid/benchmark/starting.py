"""Start-up: what a user waits for before anything happens, beside an import of PyTorch."""

import subprocess
import sys
from functools import partial

from s2reid.benchmark.part import Effort, Part, ratio, summarise, take_turns, timed

PROGRAMS = {
    "s2reid --help": ("-m", "s2reid", "--help"),
    "import s2reid": ("-c", "import s2reid"),
    "import torch": ("-c", "import torch"),
    "Python alone": ("-c", "pass"),
}


def measure(effort: Effort) -> Part:
    """Start each program in a process of its own."""
    sides = {name: timed(partial(start, *given)) for name, given in PROGRAMS.items()}
    turns = take_turns(sides, effort.rounds)
    return Part(
        "start",
        "Starting",
        [summarise(name, [1000 * second for second in seconds], "ms") for name, seconds in turns.items()],
        [
            ratio(
                "time of s2reid --help by that of import torch",
                turns["s2reid --help"],
                turns["import torch"],
                "below 1",
            )
        ],
        note="A command line that imports PyTorch before it answers takes at least as long as that import.",
    )


def start(*given: str) -> None:
    subprocess.run([sys.executable, *given], check=True, capture_output=True)
