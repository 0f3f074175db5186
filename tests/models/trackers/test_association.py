import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from mmtube.models.trackers.association import alone, assign


def literal(cost, limit):
    """The whole matrix solved at once, as the original code does it."""
    limited = np.minimum(cost, limit + 1e-5)
    rows, columns = linear_sum_assignment(limited)
    kept = limited[rows, columns] <= limit
    return limited[rows[kept], columns[kept]].sum(), int(kept.sum())


@settings(max_examples=200)
@given(st.integers(0, 10_000), st.integers(0, 9), st.integers(0, 9), st.floats(0.05, 0.9))
def test_pairs_cost_what_the_whole_matrix_solved_at_once_costs(seed, rows, columns, limit):
    cost = np.random.default_rng(seed).uniform(0, 1, (rows, columns))
    left, right = assign(cost, limit)
    assert len(set(left)) == len(left) and len(set(right)) == len(right)
    assert (cost[left, right] <= limit).all()
    total, count = literal(cost, limit)
    assert len(left) == count
    np.testing.assert_allclose(cost[left, right].sum(), total, atol=1e-9)


def test_infinite_costs_are_never_pairs():
    assert [part.tolist() for part in assign(np.full((2, 3), np.inf), 0.5)] == [[], []]


def test_alone_is_a_pair_without_a_rival_in_its_row_and_its_column():
    possible = np.array([[1, 0, 0], [0, 1, 1], [0, 0, 0]], bool)
    rows, columns, contested_rows, contested_columns = alone(possible)
    assert (rows.tolist(), columns.tolist()) == ([0], [0])
    assert (contested_rows.tolist(), contested_columns.tolist()) == ([1], [1, 2])


def test_two_rows_that_want_one_column_are_both_contested():
    rows, _, contested_rows, contested_columns = alone(np.array([[1], [1]], bool))
    assert len(rows) == 0
    assert (contested_rows.tolist(), contested_columns.tolist()) == ([0, 1], [0])
