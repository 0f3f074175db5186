"""One order of detections, whatever the order of the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np


def rank_by_score(scores: np.ndarray, ties: Sequence[np.ndarray] = ()) -> np.ndarray:
    """Return the rows from the highest score to the lowest.

    Rows of one score are ordered by their own values and not by their place in the file, so that a metric does not
    change when rows or files are read in another order. Rows that are equal in all columns keep their order; they are
    interchangeable.

    Args:
        scores (np.ndarray): (N,) floats, none of them NaN.
        ties (Sequence[np.ndarray]): Columns of N values by which rows of one score are ordered, ascending, the most
            important first. Names are given as numbers in the order of the names. Defaults to none.

    Returns:
        np.ndarray: (N,) int64 row numbers.

    Examples:
        >>> rank_by_score(np.array([0.5, 0.9, 0.5]), [np.array([7, 0, 3])]).tolist()
        [1, 2, 0]
    """
    scores = np.asarray(scores)
    order = np.argsort(-scores, kind='stable')
    if not len(ties) or len(order) < 2:
        return order
    ranked = scores[order]
    same = ranked[1:] == ranked[:-1]
    tied = np.zeros(len(order), bool)
    tied[1:] |= same
    tied[:-1] |= same
    places = np.flatnonzero(tied)
    rows = order[places]
    keys = [np.asarray(column)[rows] for column in reversed(ties)]
    order[places] = rows[np.lexsort([*keys, -scores[rows]])]
    return order


def pairs_of_groups(
    left: np.ndarray, right: np.ndarray, *, max_pairs: int = 1 << 21
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield every pair of a row of one table and a row of another that belong to the same group.

    Args:
        left (np.ndarray): (N,) int64 group of each row.
        right (np.ndarray): (M,) int64.
        max_pairs (int): Pairs yielded at a time, more only where one row of ``left`` has more. It bounds the memory.

    Yields:
        tuple[np.ndarray, np.ndarray]: Rows of ``left`` and of ``right``, (P,) int64 each; ordered by the row of
        ``left``, then by that of ``right``; all pairs of a row of ``left`` come at once.
    """
    by_group = np.argsort(right, kind='stable')
    grouped = right[by_group]
    begin = np.searchsorted(grouped, left)
    count = np.searchsorted(grouped, left, side='right') - begin
    rows = np.flatnonzero(count)
    begin, count = begin[rows], count[rows]
    total = np.cumsum(count)
    first = 0
    while first < len(rows):
        before = total[first - 1] if first else 0
        last = max(int(np.searchsorted(total, before + max_pairs, side='right')), first + 1)
        some = count[first:last]
        nth = np.arange(int(some.sum())) - np.repeat(np.cumsum(some) - some, some)
        yield np.repeat(rows[first:last], some), by_group[np.repeat(begin[first:last], some) + nth]
        first = last
