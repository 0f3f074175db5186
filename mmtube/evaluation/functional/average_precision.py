"""Average precision of many classes at many thresholds, from hits in the order of rank."""

from __future__ import annotations

import numpy as np

INTEGRATIONS = ('envelope', 'trapezoid', 'step')


def average_precision(
    hits: np.ndarray,
    labels: np.ndarray,
    num_gts: np.ndarray,
    *,
    integration: str = 'envelope',
    tied: np.ndarray | None = None,
) -> np.ndarray:
    """Return the AP of each class at each threshold.

    ``'envelope'`` is the area under the precision that no later point exceeds (VOC 2010 and after, AVA, ActivityNet,
    MultiSports). ``'trapezoid'`` joins the points of the precision-recall curve, from precision 1 at recall 0, by
    straight lines (the ACT scripts). ``'step'`` takes the precision at each true positive, where detections of one
    class and one score are one step: each has the precision after the last of them (scikit-learn). None rounds on its
    way: perfect detections give exactly 1.

    Args:
        hits (np.ndarray): (T, D) bool, whether a detection is a true positive; detections from the most to the least
            confident, of all classes and videos together.
        labels (np.ndarray): (D,) int64 class.
        num_gts (np.ndarray): (C,) int64 ground truths of each class.
        integration (str): ``'envelope'``, ``'trapezoid'`` or ``'step'``. Defaults to 'envelope'.
        tied (np.ndarray | None): (D,) bool, whether a detection has the score of the one before it, of whatever class;
            only for ``'step'``. Defaults to None, no two scores are equal.

    Returns:
        np.ndarray: (T, C) float64; 0 for a class without detections, NaN for one without ground truth.

    Raises:
        ValueError: If the integration is unknown, or has no steps and ``tied`` is given.

    Examples:
        >>> hits, labels = np.array([[True, False, True]]), np.array([0, 0, 0])
        >>> average_precision(hits, labels, np.array([2])).round(4).tolist()
        [[0.8333]]
        >>> average_precision(hits, labels, np.array([2]), integration='trapezoid').round(4).tolist()
        [[0.7917]]
        >>> tied = np.array([False, True, False])
        >>> average_precision(hits, labels, np.array([2]), integration='step', tied=tied).round(4).tolist()
        [[0.5833]]
    """
    check_integration(integration, tied)
    hits, labels, num_gts = np.asarray(hits, bool), np.asarray(labels, np.int64), np.asarray(num_gts, np.int64)
    by_class = np.argsort(labels, kind='stable')
    begin = np.searchsorted(labels[by_class], np.arange(len(num_gts)))
    ends = step_ends(labels, by_class, tied)
    ap = np.zeros((len(hits), len(num_gts)))
    ap[:, num_gts == 0] = np.nan
    for number, row in enumerate(hits):
        places = np.flatnonzero(row[by_class])  # places of the true positives, class by class
        classes = labels[by_class[places]]
        edges = np.searchsorted(classes, np.arange(len(num_gts) + 1))
        if not len(places):
            continue
        rank = ends[places] - begin[classes]
        found = np.searchsorted(places, ends[places], side='right') - edges[classes]
        precision = found / (rank + 1)
        height = precision
        if integration == 'trapezoid':
            before = np.where(rank > 0, (found - 1) / np.maximum(rank, 1), 1.0)
            height = (precision + before) / 2
        for label in np.flatnonzero((np.diff(edges) > 0) & (num_gts > 0)):
            part = slice(edges[label], edges[label + 1])
            heights = np.maximum.accumulate(precision[part][::-1]) if integration == 'envelope' else height[part]
            ap[number, label] = heights.sum() / num_gts[label]
    return ap


def check_integration(integration: str, tied: np.ndarray | None = None) -> None:
    """Refuse an integration that there is not, or ties for one that has no steps.

    Raises:
        ValueError: One line that names the integration.
    """
    if integration not in INTEGRATIONS:
        raise ValueError(f'integration must be one of {INTEGRATIONS}, got {integration!r}')
    if tied is not None and integration != 'step':
        raise ValueError(f'tied is for the integration step, not for {integration!r}')


def step_ends(labels: np.ndarray, by_class: np.ndarray, tied: np.ndarray | None = None) -> np.ndarray:
    """Return where the step of each detection ends, in the order of classes and rank.

    Args:
        labels (np.ndarray): (D,) int64 class, in the order of rank.
        by_class (np.ndarray): (D,) int64 rows ordered by class, then by rank.
        tied (np.ndarray | None): As for :func:`average_precision`.

    Returns:
        np.ndarray: (D,) int64 place in ``by_class`` of the last detection of the same class and score.
    """
    if tied is None or not len(labels):
        return np.arange(len(labels))
    step, label = np.cumsum(~np.asarray(tied, bool))[by_class], labels[by_class]
    last = np.flatnonzero(np.r_[(np.diff(step) != 0) | (np.diff(label) != 0), True])
    return np.repeat(last, np.diff(last, prepend=-1))


def mean_over_classes(ap: np.ndarray, classes: np.ndarray | None = None) -> np.ndarray:
    """Return the mean AP over the classes that have ground truth.

    Args:
        ap (np.ndarray): (T, C) float64, NaN for classes without ground truth.
        classes (np.ndarray | None): Classes to take, for a subset. Defaults to None, all.

    Returns:
        np.ndarray: (T,) float64.

    Raises:
        ValueError: If none of the classes has ground truth: there is no such mean.
    """
    ap = ap if classes is None else ap[:, np.asarray(classes, np.int64)]
    present = ~np.isnan(ap).all(axis=0)
    if not present.any():
        raise ValueError('none of the classes has ground truth')
    return ap[:, present].mean(axis=1)
