"""Detections of one class in frames: the operating point, and what covers a box."""

from __future__ import annotations

import numpy as np

from .ordering import pairs_of_groups


def cut_at_score(scores: np.ndarray, threshold: float) -> int:
    """Return how many of the detections have a score that is not below a threshold.

    Args:
        scores (np.ndarray): (D,) float64, falling.
        threshold (float): Least score.

    Examples:
        >>> cut_at_score(np.array([0.9, 0.5, 0.5, 0.2]), 0.5)
        3
    """
    return int(np.searchsorted(-scores, -threshold, side='right'))


def cut_at_false(scores: np.ndarray, hits: np.ndarray, most_false: float) -> int:
    """Return how many detections one score threshold lets through with at most so many false ones.

    Detections of one score pass together or not at all.

    Args:
        scores (np.ndarray): (D,) float64, falling.
        hits (np.ndarray): (D,) bool, whether a detection found somebody.
        most_false (float): Most false detections.

    Examples:
        >>> scores, hits = np.array([0.9, 0.8, 0.7, 0.7, 0.6]), np.array([True, False, True, False, True])
        >>> cut_at_false(scores, hits, 1), cut_at_false(scores, hits, 2), cut_at_false(scores, hits, 0)
        (2, 5, 1)
    """
    allowed = np.cumsum(~hits) <= most_false
    last_of_score = np.r_[scores[1:] != scores[:-1], True][: len(scores)]
    passing = np.flatnonzero(allowed & last_of_score)
    return int(passing[-1]) + 1 if len(passing) else 0


def share_covered(pictures: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Return the largest share of each box that lies in one other box of its picture that ends further down.

    Who stands nearer to the camera ends further down in the picture, and may hide the other. It is a bound from boxes:
    bodies do not fill them, and furniture is not in it.

    Args:
        pictures (np.ndarray): (N,) int64, the same for boxes of one picture.
        boxes (np.ndarray): (N, 4) float64 xyxy.

    Returns:
        np.ndarray: (N,) float64 in [0, 1].

    Examples:
        >>> boxes = np.array([[0.0, 0, 10, 10], [5, 0, 15, 12], [0, 0, 10, 10]])
        >>> share_covered(np.array([3, 3, 4]), boxes).tolist()
        [0.5, 0.0, 0.0]
    """
    covered = np.zeros(len(boxes))
    for rows, others in pairs_of_groups(pictures, pictures, max_pairs=1 << 18):
        nearer = boxes[others, 3] > boxes[rows, 3]
        rows, others = rows[nearer], others[nearer]
        sides = np.minimum(boxes[rows, 2:], boxes[others, 2:]) - np.maximum(boxes[rows, :2], boxes[others, :2])
        areas = (boxes[rows, 2:] - boxes[rows, :2]).prod(axis=1)
        inside = np.maximum(sides, 0).prod(axis=1)
        np.maximum.at(covered, rows, np.divide(inside, areas, out=np.zeros(len(rows)), where=areas > 0))
    return covered
