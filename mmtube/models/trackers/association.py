"""Which box belongs to which track, when every pair has a cost."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment


def assign(cost: np.ndarray, max_cost: float) -> tuple[np.ndarray, np.ndarray]:
    """Solve the assignment and keep the pairs that cost at most ``max_cost``.

    Costs above the limit count as barely above it while solving, as in DeepSORT, so that one hopeless pair does not
    spoil the rest. A pair that competes with no other is in every solution; only the others are solved.

    Args:
        cost (np.ndarray): (N, M) float.
        max_cost (float): Largest cost of a kept pair.

    Returns:
        tuple[np.ndarray, np.ndarray]: Row and column indices (K,) int64 of the kept pairs.

    Examples:
        >>> rows, columns = assign(np.array([[0.1, 0.9], [0.2, 0.3]]), max_cost=0.5)
        >>> rows.tolist(), columns.tolist()
        ([0, 1], [0, 1])
    """
    possible = cost <= max_cost
    rows, columns, contested_rows, contested_columns = alone(possible)
    if not len(contested_rows):
        return rows, columns
    limited = np.minimum(cost[contested_rows[:, None], contested_columns], max_cost + 1e-5)
    left, right = linear_sum_assignment(limited)
    kept = limited[left, right] <= max_cost
    return (
        np.concatenate([rows, contested_rows[left[kept]]]),
        np.concatenate([columns, contested_columns[right[kept]]]),
    )


def alone(possible: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Find the pairs that compete with no other.

    Args:
        possible (np.ndarray): (N, M) bool.

    Returns:
        tuple: Rows and columns (K,) int64 of pairs that are alone in both their row and their column; the rows and the
        columns (int64) that are in other pairs.
    """
    rows, columns = possible.nonzero()
    per_row = np.bincount(rows, minlength=possible.shape[0])
    per_column = np.bincount(columns, minlength=possible.shape[1])
    single = (per_row[rows] == 1) & (per_column[columns] == 1)
    rows, columns = rows[single], columns[single]
    per_row[rows] = 0
    per_column[columns] = 0
    return rows, columns, per_row.nonzero()[0], per_column.nonzero()[0]
