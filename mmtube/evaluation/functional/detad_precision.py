"""Average precision that can be compared between classes and subsets of different size (DETAD, after Hoiem et al.)."""

from __future__ import annotations

import numpy as np


def normalised_average_precision(
    hits: np.ndarray, labels: np.ndarray, num_gts: np.ndarray, normal: float
) -> np.ndarray:
    """Return the AP that does not depend on how common a class is.

    The precision after each detection is R N / (R N + F), where R is the recall and F the number of false positives so
    far and N the same for all classes; with N the number of a class's own ground truths it is the ordinary precision.
    The area is that of the envelope.

    Args:
        hits (np.ndarray): (T, D) bool true positives, from the most to the least confident detection.
        labels (np.ndarray): (D,) int64 class.
        num_gts (np.ndarray): (C,) int64 ground truths of each class.
        normal (float): N.

    Returns:
        np.ndarray: (T, C) float64; 0 for a class without detections, NaN for one without ground truth.

    Examples:
        >>> hits, labels = np.array([[False, True]]), np.array([0, 0])
        >>> normalised_average_precision(hits, labels, np.array([1]), 3.0).tolist()
        [[0.75]]
    """
    ap = np.zeros((len(hits), len(num_gts)))
    ap[:, num_gts == 0] = np.nan
    by_class = np.argsort(labels, kind='stable')
    for number, row in enumerate(hits):
        places, precision = precision_at_hits(row, labels, num_gts, normal, by_class)
        edges = np.searchsorted(labels[by_class[places]], np.arange(len(num_gts) + 1))
        for label in np.flatnonzero((np.diff(edges) > 0) & (num_gts > 0)):
            heights = precision[edges[label] : edges[label + 1]]
            ap[number, label] = np.maximum.accumulate(heights[::-1]).sum() / num_gts[label]
    return ap


def precision_at_hits(
    hits: np.ndarray, labels: np.ndarray, num_gts: np.ndarray, normal: float, by_class: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the normalised precision of its class after each true positive.

    Args:
        hits (np.ndarray): (D,) bool true positives, from the most to the least confident detection.
        labels (np.ndarray): (D,) int64 class.
        num_gts (np.ndarray): (C,) int64 ground truths of each class.
        normal (float): N, see :func:`normalised_average_precision`.
        by_class (np.ndarray): (D,) int64 order of the detections by class, then by rank.

    Returns:
        tuple[np.ndarray, np.ndarray]: (H,) int64 places in ``by_class`` of the true positives, and (H,) float64.
    """
    places = np.flatnonzero(hits[by_class])
    ranked = labels[by_class]
    classes = ranked[places]
    found = np.arange(len(places)) - np.searchsorted(classes, classes) + 1
    false = places - np.searchsorted(ranked, classes) + 1 - found
    weight = found / num_gts[classes] * normal
    return places, weight / (weight + false)
