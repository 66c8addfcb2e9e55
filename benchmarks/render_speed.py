"""Measure how many crops one core renders a second, JPEG writing included; print JSON.

    python benchmarks/render_speed.py [--seconds 4] [--repeats 3]

Every crop is rendered at its full size (a person as high as the crop), filmed by the cameras of `svreid-large`,
stored as a JPEG file, and timed in processor seconds, with nobody else or with two others in view.
"""

import argparse
import itertools
import json
import math
import os
import platform
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import cv2
import simplejpeg

from s2reid.world import film, presets

CASES = {  # height, others in view, crops a second to reach
    "128x64, alone": (128, 0, 600),
    "256x128, alone": (256, 0, 250),
    "128x64, two others": (128, 2, 400),
    "256x128, two others": (256, 2, 170),
}


def prepare(height: int, others: int) -> film.World:
    """Make a world whose people fill crops of `height` pixels, always with `others` beside them."""
    style = replace(
        presets.LARGE.cameras, stature=(0.9 * height, 0.9 * height), crowd=(float(others),) * 2, crowd_varies=False
    )
    world = film.World(replace(presets.LARGE, cameras=style, height=height, frames=8), seed=0)
    return world


def measure(height: int, others: int, seconds: float) -> float:
    """Return crops a processor second over many tracklets, with files written."""
    world, planned = prepare(height, others), presets.plan(presets.LARGE, 0)[:32]
    figures = [world.person(item.person) for item in planned]
    with tempfile.TemporaryDirectory() as folder:
        for item, figure in zip(planned, figures):  # compile, and draw cameras and passers-by
            next(world.film(item, figure))
        count, start = 0, time.process_time()
        for item, figure in itertools.cycle(zip(planned, figures)):
            for index, crop in enumerate(world.film(item, figure)):
                Path(folder, f"{index}.jpg").write_bytes(simplejpeg.encode_jpeg(crop, 92, "RGB", "420"))
                count += 1
            if time.process_time() - start > seconds:
                return count / (time.process_time() - start)
    raise AssertionError("the tracklets never end")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    film.LARGEST = math.inf
    rates = {}
    for name, (height, others, goal) in CASES.items():
        runs = sorted(round(measure(height, others, asked.seconds), 1) for _ in range(asked.repeats))
        rates[name] = {"crops_per_second": runs[len(runs) // 2], "runs": runs, "goal": goal}
    start = time.process_time()
    world = prepare(128, 0)
    for person in range(50):
        world.person(person)
    machine = {
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
    }
    print(
        json.dumps({"machine": machine, "rates": rates, "ms_per_person": 20 * (time.process_time() - start)}, indent=2)
    )


if __name__ == "__main__":
    main()
