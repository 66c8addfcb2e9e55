"""Agreement with what public evaluators give on real distances and features.

The published numbers are rounded to six decimals, hence half a unit more than 1e-6. They were made with an unstable
sort: where distances are equal (the float16 matrix, and a few entries of the float32 one) the order that such a sort
leaves depends on the machine, so those average precisions are only determined up to the order of ties. There we ask
that the published number lies between the worst and the best order, both ranked by our own code, and that the one
number made with a stable sort (the trapezoid precision) agrees exactly.
"""

import json

import numpy as np
import pytest
from tests.shared import shared

from s2reid.metrics.ranking import (
    labels,
    other_camera,
    other_camera_other_outfit,
    other_camera_same_outfit,
    rank,
    rank_matrix,
    trapezoid_precision,
)
from s2reid.types import Embeddings

TOLERANCE = 1e-6 + 0.5e-6
SETTINGS = {
    "torchreid eval_market1501": other_camera,
    "MEVID evaluate (trapezoid? AP)": other_camera,
    "MEVID evaluate11": other_camera,
    "Simple-CCReID evaluate": other_camera,
    "MEVID evaluate_clothes SC": other_camera_same_outfit,
    "Simple-CCReID evaluate_with_clothes SC": other_camera_same_outfit,
    "MEVID evaluate_clothes CC": other_camera_other_outfit,
    "Simple-CCReID evaluate_with_clothes CC": other_camera_other_outfit,
}
MARS = "MARS official trapezoid AP (port, stable sort)"


@pytest.fixture(scope="module")
def expected():
    return json.loads(shared("evaluator", "expected.json").read_text())


@pytest.fixture(scope="module")
def mevid():
    with np.load(shared("evaluator", "mevid_attncl_eval.npz")) as file:
        data = dict(file)
    query, gallery = (labels(data[f"{s}_pids"], data[f"{s}_camids"], data[f"{s}_oids"]) for s in "qg")
    return data, query, gallery


def numbers(ranking):
    cmc = ranking.cmc(20)
    return {"mAP": ranking.mean_ap, "r1": cmc[0], "r5": cmc[4], "r10": cmc[9], "r20": cmc[19]}


def test_every_published_setting_is_covered(expected):
    assert set(expected["mevid"]) == {"distmat", "distmat_rerank"}
    for table in expected["mevid"].values():
        assert set(table) == {*SETTINGS, MARS}
    assert len(SETTINGS) == 8


@pytest.mark.parametrize("setting", SETTINGS)
def test_mevid_float32(expected, mevid, setting):
    data, query, gallery = mevid
    assert data["distmat"].shape == (316, 1438)
    found = numbers(rank_matrix(data["distmat"], query, gallery, keep=SETTINGS[setting]))
    assert found == pytest.approx(expected["mevid"]["distmat"][setting], abs=TOLERANCE)


@pytest.mark.parametrize("setting", SETTINGS)
def test_mevid_float16_with_ties(expected, mevid, setting):
    data, query, gallery = mevid
    distances, keep = data["distmat_rerank"], SETTINGS[setting]
    assert distances.dtype == np.float16
    # Whole numbers in the order of the distances, so that half a step breaks a tie and changes nothing else.
    steps = np.unique(distances, return_inverse=True)[1].reshape(distances.shape).astype(float)
    matches = (query.person[:, None] == gallery.person) / 2
    best, stable, worst = (
        numbers(rank_matrix(values, query, gallery, keep=keep))
        for values in (steps - matches, distances, steps + matches)
    )
    published = expected["mevid"]["distmat_rerank"][setting]
    assert set(published) == {"mAP", "r1", "r5", "r10", "r20"}
    for name, value in published.items():
        for number in (value, stable[name]):
            assert worst[name] - TOLERANCE <= number <= best[name] + TOLERANCE
        assert best[name] - worst[name] < 1.5 / 284  # ties move one query, or as much precision, at most
        if best[name] == worst[name]:
            assert stable[name] == pytest.approx(value, abs=TOLERANCE)


@pytest.mark.parametrize("matrix", ["distmat", "distmat_rerank"])
def test_mars_official_precision_with_a_stable_sort(expected, mevid, matrix):
    data, query, gallery = mevid
    ranking = rank_matrix(data[matrix], query, gallery, precision=trapezoid_precision)
    found = {**numbers(ranking), "valid": ranking.valid.sum()}
    published = expected["mevid"][matrix][MARS]
    assert set(published) == {"valid", "mAP", "r1", "r5"}
    assert {name: found[name] for name in published} == pytest.approx(published, abs=TOLERANCE)


def test_pku_euclidean(expected):
    with np.load(shared("evaluator", "pku_reid74_osnet_feats.npz")) as data:
        query, gallery = (
            Embeddings(data[f"{s}f"], data[f"{s}_pids"], data[f"{s}_camids"], np.zeros(74, int)) for s in "qg"
        )
    (published,) = expected["pku_reid74"]["euclidean"].values()
    assert numbers(rank(query, gallery, "euclidean")) == pytest.approx(published, abs=TOLERANCE)
    assert rank(query, gallery, "euclidean").valid.sum() == 74


@pytest.mark.parametrize(("name", "setting"), [("20_6", "k1=20,k2=6"), ("6_3", "k1=6,k2=3")])
def test_pku_reference_rerank_matrix(expected, name, setting):
    distances = np.load(shared("evaluator", f"pku_reid74_rerank_{name}.npy"))
    with np.load(shared("evaluator", "pku_reid74_osnet_feats.npz")) as data:
        query, gallery = (labels(data[f"{s}_pids"], data[f"{s}_camids"]) for s in "qg")
    (published,) = expected["pku_reid74"][f"rerank {setting},l=0.3"].values()
    assert numbers(rank_matrix(distances, query, gallery)) == pytest.approx(published, abs=TOLERANCE)
