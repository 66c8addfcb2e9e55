"""Colour histograms by hand, and the question that is asked with them."""

import json

import numpy as np
import pytest
from tests import tiny

from s2reid import datasets, model
from s2reid.model import Card
from s2reid.types import Embeddings


@pytest.fixture
def colours(script):
    return script("colour_histogram")


def paint(upper, lower, height=8, width=4):
    image = np.empty((height, width, 3), np.uint8)
    image[: height // 2], image[height // 2 :] = upper, lower
    return image


def test_every_pixel_has_the_number_of_its_colour(colours):
    image = np.array([[[0, 0, 0], [255, 255, 255], [31, 32, 64]]], np.uint8)
    assert colours.rgb(image).tolist() == [0, 511, 0 * 64 + 1 * 8 + 2]
    pure = np.array([[[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0]]], np.uint8)
    assert colours.hsv(pure).tolist() == [0, 5, 35, 4 * 36 + 35]
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    for number, size in colours.SPACES.values():
        assert number(noise).min() >= 0
        assert number(noise).max() < size
    assert len(colours.SPACES) == 2


@pytest.mark.parametrize("space", ["RGB", "HSV"])
def test_halves_and_columns(colours, space):
    black, white = (0, 0, 0), (255, 255, 255)
    number, size = colours.SPACES[space]
    of_black, of_white = number(paint(black, white))[[0, -1]]
    found = colours.histogram([paint(black, white), paint(black, black)], space)
    assert found.shape == (2 * size,)
    assert found[of_black] == 1
    assert (found[size + of_black], found[size + of_white]) == (0.5, 0.5)
    framed = paint(white, white)
    framed[:, 1:3] = black
    assert colours.histogram([framed], space)[of_black] == 0.5
    assert colours.histogram([framed], space, "middle columns")[of_black] == 1


def test_distances_are_their_definitions(colours):
    rng = np.random.default_rng(0)
    query, gallery = rng.random((3, 5), np.float32), rng.random((4, 5), np.float32)
    for i, a in enumerate(query):
        for j, b in enumerate(gallery):
            assert colours.l1(query, gallery)[i, j] == pytest.approx(sum(abs(x - y) for x, y in zip(a, b)))
            expected = sum((x - y) ** 2 / (x + y) for x, y in zip(a, b))
            assert colours.chi2(query, gallery)[i, j] == pytest.approx(expected)
    assert colours.chi2(np.zeros((1, 5), np.float32), np.zeros((1, 5), np.float32)) == 0


def test_only_other_cameras_are_searched(colours):
    # Persons 1 and 2 in cameras 0 and 1. Row 2 looks just like row 0, in whose camera it stands and is not searched.
    vectors = np.array([[1, 0], [1, 0.1], [1, 0], [0, 1]], np.float32)
    person, camera = np.array([1, 1, 2, 2]), np.array([0, 1, 0, 1])
    found = colours.everybody_asks(Embeddings(vectors, person, camera, 0 * person))
    assert (found.num_queries, found.num_valid) == (4, 4)
    nearest = [1, 0, 1, 0]  # where rows 0 and 2 are equally near, the first one counts
    assert found.rank1 == np.mean(person[nearest] == person) == 0.5


def test_the_strongest_counts_and_a_model_stands_beside_it(colours, source_root, source, tmp_path, capsys, tiny_scale):
    card = Card("source_only", model.settings("source_only"), tiny.task(), {"source": {"name": "tiny-source"}})
    folder = model.save(tiny.learner(), card, tmp_path / "model")
    colours.main(["--world", str(source_root), "--model", str(folder)])
    said = json.loads(capsys.readouterr().out)
    assert len(said["histograms"]) == 8
    best = max(found["rank1"] for found in said["histograms"].values())
    assert said["strongest"]["rank1"] == best == said["histograms"][said["strongest"]["name"]]["rank1"]
    assert said["strongest"]["num_valid"] == len(source.train)
    assert said["model"]["num_valid"] == len(source.train)
    assert said["model"]["trained_on"] == {"name": "tiny-source"}
    assert said["world"]["name"] == "tiny-source"
    bare = colours.measure(datasets.load(f"svreid:{source_root}").train)
    assert "model" not in bare
    assert bare["histograms"] == said["histograms"]


def test_a_world_may_lack_ingredients(colours, capsys):
    colours.main(["--persons", "3", "--frames", "1", "--seed", "3", "--without", "light", "colour"])
    assert json.loads(capsys.readouterr().out)["world"]["without"] == ["light", "colour"]
