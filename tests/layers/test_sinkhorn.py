"""Sinkhorn's transfer against loops over its definition."""

import pytest
import torch

from s2reid.layers.sinkhorn import sinkhorn


def soft(n=12, m=3, seed=0):
    logits = torch.randn(n, m, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return logits.log_softmax(1)


def by_loops(probabilities, power, tolerance):
    """Scale columns, then rows, in probabilities rather than their logarithms, until the row scales stand still."""
    n, m = probabilities.shape
    p = [[probabilities[i, j].item() ** power for j in range(m)] for i in range(n)]
    rows = [1 / n] * n
    while True:
        columns = [(1 / m) / sum(rows[i] * p[i][j] for i in range(n)) for j in range(m)]
        new = [(1 / n) / sum(columns[j] * p[i][j] for j in range(m)) for i in range(n)]
        error = sum(abs(rows[i] / new[i] - 1) for i in range(n))
        rows = new
        if error < tolerance:
            return torch.tensor([[rows[i] * p[i][j] * columns[j] for j in range(m)] for i in range(n)]).double()


@pytest.mark.parametrize("power", [1.0, 5.0, 25.0])
@pytest.mark.parametrize("tolerance", [1e-2, 1e-6])
def test_value_is_that_of_loops(power, tolerance):
    log_probabilities = soft()
    expected = by_loops(log_probabilities.exp(), power, tolerance)
    torch.testing.assert_close(sinkhorn(log_probabilities, power, tolerance), expected, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("power", [1.0, 25.0])
def test_rows_and_columns_have_equal_mass(power):
    plan = sinkhorn(soft(40, 5), power, tolerance=1e-9, most_rounds=100_000)
    torch.testing.assert_close(plan.sum(1), torch.full((40,), 1 / 40, dtype=torch.float64))
    torch.testing.assert_close(plan.sum(0), torch.full((5,), 1 / 5, dtype=torch.float64), rtol=1e-6, atol=0)


def test_hard_labels_fill_equal_groups_and_move_no_more_than_they_must():
    # Nine prefer group 0, three prefer group 1: those nine that prefer it least must leave.
    share = torch.tensor([0.99, 0.98, 0.97, 0.96, 0.95, 0.94, 0.6, 0.59, 0.58, 0.1, 0.1, 0.1])
    labels = sinkhorn(torch.stack([share, 1 - share], 1).log()).argmax(1)
    assert labels.tolist() == [0] * 6 + [1] * 6


def test_probabilities_that_underflow_still_get_a_label():
    log_probabilities = torch.tensor([[-400.0, -900.0], [-900.0, -400.0], [0.0, -2000.0], [-2000.0, 0.0]])
    plan = sinkhorn(log_probabilities)
    assert plan.isfinite().all()
    assert plan.argmax(1).tolist() == [0, 1, 0, 1]


def test_rounds_are_bounded():
    assert sinkhorn(soft(), tolerance=0.0, most_rounds=3).isfinite().all()
