"""From which cost on merges are wrong too often."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import beta

from mmtube.errors import InputError


def upper_bound(wrong: np.ndarray, total: np.ndarray, confidence: float) -> np.ndarray:
    """Return the largest rate that is still believable after ``wrong`` of ``total`` (Clopper and Pearson, 1934).

    The bound is one-sided and exact: with a true rate above it, so few wrong ones come up with a chance of at most
    ``1 - confidence``.

    Args:
        wrong (np.ndarray): (N,) int64.
        total (np.ndarray): (N,) int64.
        confidence (float): In (0, 1).

    Returns:
        np.ndarray: (N,) float64, 1 where nothing was counted.

    Examples:
        >>> round(float(upper_bound(np.array(0), np.array(299), 0.95)), 4)
        0.01
    """
    if not 0 < confidence < 1:
        raise ValueError(f'confidence must lie in (0, 1), got {confidence}')
    wrong, total = np.asarray(wrong), np.asarray(total)
    bound = beta.ppf(confidence, wrong + 1, np.maximum(total - wrong, 1))
    return np.where(wrong >= total, 1.0, bound)


@dataclass(frozen=True, eq=False)
class ThresholdCurve:
    """What a linker would do at each threshold.

    Args:
        thresholds (np.ndarray): (N,) float64 costs, increasing; with one of them as ``max_cost`` the merges up to it
            are made.
        right (np.ndarray): (N,) int64 right merges.
        wrong (np.ndarray): (N,) int64 wrong merges.
        bound (np.ndarray): (N,) float64 upper bound of the rate of wrong merges.
        recall (np.ndarray): (N,) float64 right merges over merges needed.
        confidence (float): Of the bound.
    """

    thresholds: np.ndarray
    right: np.ndarray
    wrong: np.ndarray
    bound: np.ndarray
    recall: np.ndarray
    confidence: float

    @property
    def rate(self) -> np.ndarray:
        """(N,) float64 measured rate of wrong merges."""
        return self.wrong / np.maximum(self.right + self.wrong, 1)

    def choose(self, wrong_rate: float) -> int:
        """Return the row of the threshold that makes most right merges with an upper bound of at most the wanted rate.

        Of those that make as many it is the lowest: what a higher one adds shows nobody, or somebody else.

        Raises:
            InputError: If there is none: merges are wrong too often, or there are too few of them to tell.
        """
        fits = np.flatnonzero(self.bound <= wrong_rate)
        if len(fits):
            most = self.right[fits].max()
            return int(fits[self.right[fits] == most][0])
        least = float(self.bound.min(initial=1.0))
        need = int(np.ceil(np.log(1 - self.confidence) / np.log1p(-wrong_rate)))
        raise InputError(
            f'no threshold keeps wrong merges at {wrong_rate:g} with confidence {self.confidence:g}: the lowest upper '
            f'bound is {least:.4f}; even without a wrong merge it takes {need} merges'
        )


def threshold_curve(
    orders: list[tuple[np.ndarray, np.ndarray, np.ndarray]], needed: int, confidence: float
) -> ThresholdCurve:
    """Count right and wrong merges at each threshold.

    A linker merges in the order of increasing cost and stops at the first merge above its threshold; a merge after that
    may be cheaper again, because it builds on it. So a merge is made from the largest cost up to it on.

    Args:
        orders (list[tuple]): For each shot that was linked with a high threshold the merges in the order in which they
            were made: (K,) float64 costs, (K,) bool right, (K,) bool wrong.
        needed (int): Merges that would bring all people together.
        confidence (float): Of the upper bound, in (0, 1).

    Examples:
        >>> shot = np.array([0.1, 0.3, 0.2]), np.array([True, False, True]), np.array([False, True, False])
        >>> curve = threshold_curve([shot], needed=2, confidence=0.95)
        >>> curve.thresholds.tolist(), curve.right.tolist(), curve.wrong.tolist()
        ([0.1, 0.3], [1, 2], [0, 1])
    """
    from_cost = np.concatenate([np.zeros(0), *(np.maximum.accumulate(costs) for costs, _, _ in orders)])
    right = np.concatenate([np.zeros(0, bool), *(right for _, right, _ in orders)])
    wrong = np.concatenate([np.zeros(0, bool), *(wrong for _, _, wrong in orders)])
    thresholds = np.unique(from_cost)
    bins = np.searchsorted(thresholds, from_cost)
    counts = [np.cumsum(np.bincount(bins, kind, len(thresholds))).astype(np.int64) for kind in (right, wrong)]
    bound = upper_bound(counts[1], counts[0] + counts[1], confidence)
    return ThresholdCurve(thresholds, *counts, bound, counts[0] / max(needed, 1), confidence)
