"""A wrong shape fails at once where the tests check annotations (`--jaxtyping-packages=s2reid,beartype.beartype`)."""

import numpy as np
import pytest
import torch
from jaxtyping import TypeCheckError

from s2reid.batch import Clips
from s2reid.losses.identity import identity
from s2reid.losses.triplet import triplet
from s2reid.types import Embeddings


def ones(*shape):
    return torch.ones(*shape, dtype=torch.long)


WRONG = {
    "rank of the logits": lambda: identity(torch.zeros(2, 3, 4), ones(2)),
    "number of labels": lambda: identity(torch.zeros(2, 3), ones(3)),
    "type of the labels": lambda: identity(torch.zeros(2, 3), torch.zeros(2)),
    "rank of the features": lambda: triplet(torch.zeros(4), ones(4)),
    "floating pixels": lambda: Clips(torch.zeros(2, 1, 3, 4, 4), *[ones(2)] * 4),
    "pixels without frames": lambda: Clips(torch.zeros(2, 3, 4, 4, dtype=torch.uint8), *[ones(2)] * 4),
    "rank of the persons": lambda: Embeddings(np.zeros((2, 3)), *[np.zeros((2, 1), int)] * 3),
}


@pytest.fixture(scope="module")
def instrumented(pytestconfig):
    if not pytestconfig.getoption("--jaxtyping-packages", default=None):
        pytest.skip("annotations are not checked in this run: add --jaxtyping-packages=s2reid,beartype.beartype")


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_wrong_shape_fails(instrumented, wrong):
    with pytest.raises(TypeCheckError):
        wrong()


def test_the_right_shapes_pass(instrumented):
    assert identity(torch.zeros(2, 3), ones(2)).shape == ()
    assert len(Clips(torch.zeros(2, 1, 3, 4, 4, dtype=torch.uint8), *[ones(2)] * 4)) == 2
