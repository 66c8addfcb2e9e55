"""Measure how many crops one core renders a second, beside the goals, and how long a person takes; print JSON.

    python benchmarks/render_speed.py [--seconds 4] [--repeats 3]

A closer look at what `s2reid benchmark render` measures.
"""

import argparse
import json
import os
import time
from statistics import median

from s2reid import runs
from s2reid.benchmark.rendering import CASES, prepare, time_crops


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    rates = {}
    for name, (height, others, goal) in CASES.items():
        found = [round(rate, 1) for rate in time_crops(height, others, asked.seconds, asked.repeats)]
        rates[name] = {"crops_per_second": median(found), "runs": found, "goal": goal}
    start = time.process_time()
    world = prepare(128, 0)
    for person in range(50):
        world.person(person)
    per_person = 20 * (time.process_time() - start)
    machine = {**runs.machine(), "load": os.getloadavg()[0]}
    print(json.dumps({"machine": machine, "rates": rates, "ms_per_person": per_person}, indent=2))


if __name__ == "__main__":
    main()
