"""How fast a small training step is on this machine, and how long it waits for data; prints one JSON object.

python benchmarks/train_speed.py [SVREID_FOLDER]      (without a folder a small world is rendered)
"""

import json
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np

from s2reid import datasets, experiment, runs
from s2reid.experiment import Plan
from s2reid.scales import SMALL, Schedule
from s2reid.summary import data_wait, seconds_per_step
from s2reid.train import Options
from s2reid.types import Dataset, Tracklet
from s2reid.video.augment import Augmentation, augment
from s2reid.video.decode import read_frame
from s2reid.world import write

STEPS = 20


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = (
            Path(sys.argv[1]) if len(sys.argv) > 1 else write.write("svreid-large", Path(folder, "world"), persons=64)
        )
        source = datasets.load(f"svreid:{root}")
        steps = {
            f"{round(share * SMALL.height)} pixels, {workers} workers": time_steps(source, share, workers, Path(folder))
            for share in (0.5, 0.75, 1.0)
            for workers in (0, 1)
        }
        print(
            json.dumps(
                {"machine": runs.machine(), "commit": runs.commit(), "step": steps, **time_data(source.train)}, indent=1
            )
        )


def time_steps(source: Dataset, share: float, workers: int, folder: Path) -> dict[str, float]:
    """Train a few steps of 64 images at one size: seconds a step, and the share of it that waits for data."""
    schedule = Schedule(STEPS, 32, 2, 1, 1e-3, 0.05, sizes=((1.0, share),))
    run = experiment.run(
        Plan("source_only", source, schedule=schedule), folder / f"{share}-{workers}", Options(workers=workers)
    )
    return {"seconds": seconds_per_step(run) or 0.0, "data_wait": data_wait(run)}


def time_data(tracklets: tuple[Tracklet, ...], num_images: int = 1000) -> dict[str, float]:
    """Decode and augment on one core: images a second, each by itself."""
    rng = np.random.default_rng(0)
    chosen = [tracklets[i] for i in rng.integers(len(tracklets), size=num_images)]
    began = perf_counter()
    images = [read_frame(tracklet.store, tracklet.frames[0]) for tracklet in chosen]
    decoded = perf_counter()
    for image in images:
        augment([image], SMALL.height, SMALL.width, Augmentation(), rng)
    augmented = perf_counter()
    return {
        "decode_images_per_second": num_images / (decoded - began),
        "augment_images_per_second": num_images / (augmented - decoded),
    }


if __name__ == "__main__":
    main()
