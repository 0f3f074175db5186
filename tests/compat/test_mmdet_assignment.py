from itertools import permutations
from types import SimpleNamespace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mmtube.compat import mmdet_assignment
from mmtube.compat.mmdet_assignment import assign_known, lapjv


def cheapest(cost, limit):
    """Try every way to pair rows with columns or with nobody; a row or column alone costs half the limit."""
    rows, columns = cost.shape
    best = np.inf
    for places in permutations([*range(columns), *[-1] * rows], rows):
        pairs = [(row, column) for row, column in enumerate(places) if column >= 0]
        alone = rows + columns - 2 * len(pairs)
        best = min(best, sum(cost[pair] for pair in pairs) + alone * limit / 2)
    return best


@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(1, 4), st.floats(0.05, 1.2))
def test_the_assignment_is_the_cheapest_that_leaves_pairs_above_the_limit_alone(seed, rows, columns, limit):
    cost = np.random.default_rng(seed).uniform(0, 1, (rows, columns))
    total, column_of, row_of = lapjv(cost, extend_cost=True, cost_limit=limit)
    pairs = [(row, column) for row, column in enumerate(column_of) if column >= 0]
    assert all(row_of[column] == row and cost[row, column] < limit for row, column in pairs)
    assert (row_of >= 0).sum() == len(pairs)
    np.testing.assert_allclose(total, sum(cost[pair] for pair in pairs))
    alone = rows + columns - 2 * len(pairs)
    np.testing.assert_allclose(total + alone * limit / 2, cheapest(cost, limit), atol=1e-9)


def test_without_a_limit_all_are_paired():
    assert lapjv(np.array([[5.0, 1], [9, 8]]))[1].tolist() == [1, 0]


def test_an_unknown_cost_is_worse_than_all_known_ones():
    rows, columns = assign_known(np.array([[np.nan, 3.0], [1.0, np.nan]]))
    assert dict(zip(rows, columns)) == {0: 1, 1: 0}


def test_packages_that_are_there_are_left_alone():
    module = SimpleNamespace(lap='real', motmetrics='real', linear_sum_assignment='real')
    for patch in mmdet_assignment.PATCHES.values():
        patch(module)
    assert vars(module) == dict(lap='real', motmetrics='real', linear_sum_assignment='real')


def test_packages_that_are_missing_are_stood_in_for():
    module = SimpleNamespace(lap=None, motmetrics=None)
    for patch in mmdet_assignment.PATCHES.values():
        patch(module)
    assert module.lap.lapjv is lapjv and module.linear_sum_assignment is assign_known
    assert module.motmetrics is not None
