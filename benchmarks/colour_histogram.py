"""Whether a world gives people away by their colours: histograms beside a trained model; prints one JSON object.

    python benchmarks/colour_histogram.py [--model FOLDER] [--preset svreid] [--seed 1] [--persons N] [--frames 4]
        [--without light changes colour]
    python benchmarks/colour_histogram.py --world FOLDER [--model FOLDER]

Every tracklet of the world asks, and all tracklets of the other cameras are searched. The histogram of a tracklet is
the mean of its frames': joint in three channels, of the upper and the lower half by themselves, of all columns or of
the middle ones, where the person is. What counts is the strongest of them; a world is hard where it finds few. Give a
seed that the model was not trained on.
"""

import argparse
import json
import tempfile
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, Int, UInt8

from s2reid import datasets, evaluate, runs
from s2reid.evaluate import Setting
from s2reid.types import Embeddings, Scores, Tracklet
from s2reid.video.decode import read_frame
from s2reid.world import write

Block = Float[np.ndarray, "q g"]


def rgb(image: UInt8[np.ndarray, "h w 3"]) -> Int[np.ndarray, " p"]:
    """Number the colour of every pixel: 8 levels of each channel, 512 in all."""
    levels = image.reshape(-1, 3).astype(np.int64) >> 5
    return levels @ np.array([64, 8, 1])


def hsv(image: UInt8[np.ndarray, "h w 3"]) -> Int[np.ndarray, " p"]:
    """Number the colour of every pixel: 12 hues, 6 saturations and 6 brightnesses, 432 in all."""
    hue, *rest = cv2.cvtColor(image, cv2.COLOR_RGB2HSV).reshape(-1, 3).astype(np.int64).T
    saturation, brightness = (channel * 6 // 256 for channel in rest)
    return (hue // 15) * 36 + saturation * 6 + brightness


SPACES: dict[str, tuple[Callable[[np.ndarray], np.ndarray], int]] = {"RGB": (rgb, 512), "HSV": (hsv, 432)}
COLUMNS = {"all columns": 0.0, "middle columns": 0.25}
"""What is cut off on either side, as a share of the width."""


def histogram(
    images: Sequence[UInt8[np.ndarray, "_ _ 3"]], space: str, columns: str = "all columns"
) -> Float32[np.ndarray, " d"]:
    """Count the colours of the upper and the lower half of some images; each half's shares add up to 1."""
    number, size = SPACES[space]
    halves = [np.zeros(size), np.zeros(size)]
    for image in images:
        middle, cut = len(image) // 2, int(COLUMNS[columns] * image.shape[1])
        image = image[:, cut : image.shape[1] - cut]
        for total, half in zip(halves, (image[:middle], image[middle:])):
            total += np.bincount(number(half), minlength=size) / (half.size // 3)
    return (np.concatenate(halves) / len(images)).astype(np.float32)


def l1(query: Float[np.ndarray, "q d"], gallery: Float[np.ndarray, "g d"]) -> Block:
    """Sum up how much two histograms differ."""
    return np.stack([np.abs(gallery - row).sum(1) for row in query])


def chi2(query: Float[np.ndarray, "q d"], gallery: Float[np.ndarray, "g d"]) -> Block:
    """Sum up (a - b)² / (a + b), so that rare colours count for more."""
    return np.stack([((gallery - row) ** 2 / (gallery + row + np.float32(1e-9))).sum(1) for row in query])


DISTANCES = {"L1": l1, "chi2": chi2}


def only_other_cameras(query: Embeddings, gallery: Embeddings) -> Bool[np.ndarray, "q g"]:
    return query.camera[:, None] != gallery.camera


def other_cameras(query: Embeddings, gallery: Embeddings) -> Setting:
    """Ask for every query among the tracklets of the other cameras, and no others."""
    return Setting(query, gallery, only_other_cameras)


def everybody_asks(embeddings: Embeddings, distance: evaluate.Distance = "cosine") -> Scores:
    """Score tracklets by themselves: each one asks, and all tracklets of the other cameras are searched."""
    return evaluate.score(embeddings, embeddings, protocol=other_cameras, distance=distance)


def histograms(tracklets: Sequence[Tracklet], space: str, columns: str) -> Embeddings:
    """Compute the histogram of every tracklet, with its labels."""
    vectors = np.stack(
        [histogram([read_frame(t.store, frame) for frame in t.frames], space, columns) for t in tracklets]
    )
    labels = (np.array([getattr(t, name) for t in tracklets]) for name in ("person", "camera", "outfit"))
    return Embeddings(vectors[:, vectors.any(0)], *labels)  # most colours are nobody's


def measure(tracklets: Sequence[Tracklet], model: Path | None = None) -> dict[str, object]:
    """Score every histogram, and a model's vectors where one is given."""
    found = {
        f"{space}, {columns}, {name}": _numbers(everybody_asks(embedded, distance))
        for space, columns in product(SPACES, COLUMNS)
        for embedded in [histograms(tracklets, space, columns)]
        for name, distance in DISTANCES.items()
    }
    strongest = max(found, key=lambda name: found[name]["rank1"])
    said = {"histograms": found, "strongest": {"name": strongest, **found[strongest]}}
    if model is None:
        return said
    from s2reid.embed import load_model  # torch only where it is needed

    encoder = load_model(model)
    scores = _numbers(everybody_asks(encoder.embed_tracklets(tracklets)))
    source = encoder.card.provenance.get("source")
    return said | {"model": {"name": str(model), "test": encoder.test, "trained_on": source, **scores}}


def _numbers(scores: Scores) -> dict[str, object]:
    kept = ("rank1", "rank5", "mean_ap", "interval", "num_valid")
    return {name: value for name, value in evaluate.to_dict(scores).items() if name in kept}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="a model folder, or the name of one that comes with s2reid")
    parser.add_argument("--world", type=Path, help="a rendered source; without it one is rendered")
    parser.add_argument("--preset", default="svreid")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--persons", type=int)
    parser.add_argument("--frames", type=int, default=4)
    parser.add_argument("--without", nargs="*", default=[], help="ingredients to leave out of the world")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        size = {"seed": asked.seed, "persons": asked.persons, "frames": asked.frames, "without": asked.without}
        world = asked.world or write.write(asked.preset, Path(folder, "world"), **size)
        data = datasets.load(f"svreid:{world}")
        origin = {name: data.origin[name] for name in runs.RENDERED if name in data.origin}
        said = {"machine": runs.machine(), "commit": runs.commit(), "world": {"name": data.name, **origin}}
        print(json.dumps({**said, **measure(data.train, asked.model)}, indent=1))


if __name__ == "__main__":
    main()
