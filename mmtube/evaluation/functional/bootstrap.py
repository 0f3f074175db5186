"""How sure a difference is: metrics over samples of the videos, drawn with replacement.

A video that is drawn ``w`` times counts as ``w`` videos with other names and the same content: its ground truth counts
``w`` times, and so does each of its detections; copies of a detection are neighbours in the ranking. A weight for each
video says the same without a copy, and the matching is done once. The percentile interval is that of Efron and
Tibshirani, *An Introduction to the Bootstrap* (1993), chapter 13.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import sparse

from .average_precision import check_integration, step_ends

MAX_ELEMENTS = 1 << 22


def unit_weights(
    num_units: int, replicates: int, seed: int = 0, *, max_elements: int = MAX_ELEMENTS
) -> Iterator[np.ndarray]:
    """Draw units with replacement, as many as there are, again and again.

    Args:
        num_units (int): Number of units U.
        replicates (int): How often.
        seed (int): The same seed gives the same draws, whatever ``max_elements``. Defaults to 0.
        max_elements (int): Size of a block; it bounds the memory. Defaults to 4 million.

    Yields:
        np.ndarray: (B, U) int32, how often each unit was drawn; the blocks together have ``replicates`` rows.

    Raises:
        ValueError: If there is no unit or no replicate.

    Examples:
        >>> [block.sum(axis=1).tolist() for block in unit_weights(5, 3, max_elements=10)]
        [[5, 5], [5]]
    """
    if num_units < 1 or replicates < 1:
        raise ValueError(f'there must be units and replicates, got {num_units} and {replicates}')
    random = np.random.default_rng(seed)
    rows = max(1, max_elements // num_units)
    for first in range(0, replicates, rows):
        block = np.empty((min(rows, replicates - first), num_units), np.int32)
        for row in block:
            row[:] = np.bincount(random.integers(num_units, size=num_units), minlength=num_units)
        yield block


def weighted_average_precision(
    weights: np.ndarray,
    unit: np.ndarray,
    labels: np.ndarray,
    hits: np.ndarray,
    gt_unit: np.ndarray,
    gt_labels: np.ndarray,
    num_classes: int,
    *,
    integration: str = 'envelope',
    tied: np.ndarray | None = None,
    max_elements: int = MAX_ELEMENTS,
) -> np.ndarray:
    """Return the AP of each class at each threshold over samples of the units.

    With weights of one it is :func:`~mmtube.evaluation.functional.average_precision.average_precision`, bit for bit.

    Args:
        weights (np.ndarray): (B, U) int32, how often each unit counts in each replicate.
        unit (np.ndarray): (D,) int unit of each detection, from the most to the least confident.
        labels (np.ndarray): (D,) int class.
        hits (np.ndarray): (T, D) bool true positives at each threshold.
        gt_unit (np.ndarray): (G,) int unit of each ground truth.
        gt_labels (np.ndarray): (G,) int class.
        num_classes (int): Number of classes C.
        integration (str): ``'envelope'``, ``'trapezoid'`` or ``'step'``. Defaults to 'envelope'.
        tied (np.ndarray | None): (D,) bool, whether a detection has the score of the one before it; only for
            ``'step'``. Defaults to None.
        max_elements (int): Numbers held in one array at a time. Defaults to 4 million.

    Returns:
        np.ndarray: (B, T, C) float64; NaN where a sample has no ground truth of the class.

    Raises:
        ValueError: If the integration is unknown, or has no steps and ``tied`` is given.
    """
    check_integration(integration, tied)
    hits, labels = np.asarray(hits, bool), np.asarray(labels, np.int64)
    unit = np.asarray(unit, np.int64)
    truths = _sums_by_class(weights, gt_unit, gt_labels, np.ones(len(gt_unit), np.int64), num_classes)
    by_class = np.argsort(labels, kind='stable')
    edges = np.searchsorted(labels[by_class], np.arange(num_classes + 1))
    step_end = step_ends(labels, by_class, tied)
    result = np.zeros((len(weights), len(hits), num_classes))
    for label in np.flatnonzero(truths.any(axis=0)):
        rows = by_class[edges[label] : edges[label + 1]]
        of_class = hits[:, rows]
        places = np.flatnonzero(of_class.any(axis=0))
        if not len(places):
            continue
        ends, steps = np.unique(step_end[edges[label] + places] - edges[label], return_inverse=True)
        units, chosen = unit[rows[: ends[-1] + 1]], of_class[:, places]  # what follows the last hit changes nothing
        step = max(1, max_elements // len(units))
        for first in range(0, len(weights), step):
            some = slice(first, first + step)
            drawn = np.take(weights[some], units, axis=1)
            between = np.add.reduceat(drawn, np.r_[0, ends[:-1] + 1], axis=1)  # down to each hit, from the one before
            ranked, drawn = np.cumsum(between, axis=1, dtype=np.int64), drawn[:, places]
            for number, mask in enumerate(chosen):
                area = _area(drawn[:, mask], ranked[:, steps[mask]], steps[mask], integration)
                result[some, number, label] = area / np.maximum(truths[some, label], 1)
    result[np.broadcast_to((truths == 0)[:, None], result.shape)] = np.nan
    return result


def _area(drawn: np.ndarray, ranked: np.ndarray, steps: np.ndarray, integration: str) -> np.ndarray:
    """Integrate precision over the number of true positives.

    Args:
        drawn (np.ndarray): (B, H) copies of each hit.
        ranked (np.ndarray): (B, H) detections down to and with the last copy of each hit, or the last of its step.
        steps (np.ndarray): (H,) int64 step that each hit is in, increasing.
        integration (str): As above.

    Returns:
        np.ndarray: (B,) float64.
    """
    found = np.cumsum(drawn, axis=1, dtype=np.int64)
    if integration == 'step':
        found = found[:, np.searchsorted(steps, steps, side='right') - 1]
    precision = found / np.maximum(ranked, 1)
    if integration == 'step':
        return np.multiply(precision, drawn, order='C').sum(axis=1)
    if integration == 'envelope':
        # The last copy of a hit has the highest precision of its copies, so it stands for all of them. A hit that was
        # not drawn lies below the last one drawn, and cannot lift what is before it.
        heights = np.maximum.accumulate(precision[:, ::-1], axis=1)
        return np.multiply(heights, drawn[:, ::-1], order='C').sum(axis=1)
    earlier, missed = ranked - drawn, ranked - found
    before = np.where(earlier > 0, (found - drawn) / np.maximum(earlier, 1), 1.0)
    area = (precision + before) / 2
    # Between its first and its last copy: the sum of 1 - missed / n over the ranks n of all copies but the last.
    several = drawn > 1
    if several.any():
        harmonic = np.r_[0.0, np.cumsum(1 / np.arange(1.0, ranked.max() + 1))]
        end, begin, wrong = ranked[several], earlier[several], missed[several]
        area[several] += end - begin - 1 - wrong * (harmonic[end - 1] - harmonic[begin])
    return np.multiply(area, drawn > 0, order='C').sum(axis=1)


def weighted_ratios(
    weights: np.ndarray,
    unit: np.ndarray,
    labels: np.ndarray,
    numerators: np.ndarray,
    denominators: np.ndarray,
    num_classes: int,
) -> np.ndarray:
    """Return the sum of numerators over the sum of denominators of each class, over samples of the units.

    Args:
        weights (np.ndarray): (B, U) int32, how often each unit counts in each replicate.
        unit (np.ndarray): (R,) int unit of each row.
        labels (np.ndarray): (R,) int class of each row.
        numerators (np.ndarray): (R,) float64.
        denominators (np.ndarray): (R,) float64.
        num_classes (int): Number of classes C.

    Returns:
        np.ndarray: (B, C) float64; NaN where a sample has no denominator of the class.
    """
    above = _sums_by_class(weights, unit, labels, np.asarray(numerators, np.float64), num_classes)
    below = _sums_by_class(weights, unit, labels, np.asarray(denominators, np.float64), num_classes)
    return np.divide(above, below, out=np.full(above.shape, np.nan), where=below != 0)


def _sums_by_class(
    weights: np.ndarray, unit: np.ndarray, labels: np.ndarray, values: np.ndarray, num_classes: int
) -> np.ndarray:
    cells = sparse.coo_matrix(
        (values, (np.asarray(labels, np.int64), np.asarray(unit, np.int64))), (num_classes, weights.shape[1])
    )
    return np.ascontiguousarray((cells.tocsr() @ weights.T).T)


def percentile_interval(samples: np.ndarray, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Return the range that holds the middle ``level`` of the samples.

    Args:
        samples (np.ndarray): (B, ...) float64; samples that are NaN are left out.
        level (float): Between 0 and 1. Defaults to 0.95.

    Returns:
        tuple[np.ndarray, np.ndarray]: Lower and upper end, (...) float64; NaN where all samples are.

    Raises:
        ValueError: If the level is not between 0 and 1.

    Examples:
        >>> [float(end) for end in percentile_interval(np.arange(101.0), 0.5)]
        [25.0, 75.0]
    """
    if not 0 < level < 1:
        raise ValueError(f'level must lie between 0 and 1, got {level}')
    samples = np.asarray(samples, np.float64)
    low, high = np.full(samples.shape[1:], np.nan), np.full(samples.shape[1:], np.nan)
    known = ~np.isnan(samples).all(axis=0)
    if known.any():
        ends = [50 * (1 - level), 50 * (1 + level)]
        low[known], high[known] = np.nanpercentile(samples[:, known], ends, axis=0)
    return low, high
