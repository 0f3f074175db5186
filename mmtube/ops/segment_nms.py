"""Soft and hard non-maximum suppression of segments, all classes at once."""

from __future__ import annotations

import numpy as np


def segment_nms(
    segments: np.ndarray,
    scores: np.ndarray,
    labels: np.ndarray | None = None,
    *,
    sigma: float = 0.5,
    iou_thr: float | None = None,
    min_score: float = 0.0,
    max_num: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Suppress segments that overlap a better one of their class.

    The best segment left of a class is taken, and the scores of the others of the class sink by
    ``exp(-tIoU ** 2 / sigma)`` (Soft-NMS, Bodla et al. 2017, the Gaussian penalty), or to nothing above ``iou_thr``.
    All classes take a step together, so the time grows with the number of segments of the largest class.

    Args:
        segments (np.ndarray): (N, 2) start and end.
        scores (np.ndarray): (N,) of 0 or more.
        labels (np.ndarray | None): (N,) int64 classes. Defaults to None: one class.
        sigma (float): Width of the penalty. Defaults to 0.5.
        iou_thr (float | None): Hard suppression above this tIoU in place of the penalty. Defaults to None.
        min_score (float): A segment whose score is below is dropped, also after the penalty. Defaults to 0.
        max_num (int | None): Segments that are kept at most, of all classes. Defaults to None, no limit.

    Returns:
        tuple[np.ndarray, np.ndarray]: (M,) int64 indices and (M,) float64 scores, best first; of equal ones the first.

    Raises:
        ValueError: If the lengths differ or ``sigma`` is not positive.

    Examples:
        >>> keep, kept = segment_nms(np.array([[0.0, 10], [0, 10], [20, 30]]), np.array([0.9, 0.8, 0.7]), iou_thr=0.5)
        >>> keep.tolist()
        [0, 2]
    """
    segments = np.asarray(segments, np.float64).reshape(-1, 2)
    scores = np.asarray(scores, np.float64)
    labels = np.zeros(len(scores), np.int64) if labels is None else np.asarray(labels, np.int64)
    if not len(segments) == len(scores) == len(labels):
        raise ValueError(f'{len(segments)} segments, {len(scores)} scores, {len(labels)} labels')
    if sigma <= 0:
        raise ValueError(f'sigma must be positive, got {sigma}')
    candidates = np.flatnonzero(scores >= min_score)
    # Of each class the best first, so that the first of equal scores is the one that argmax finds.
    candidates = candidates[np.lexsort((-scores[candidates], labels[candidates]))]
    if not len(candidates):
        return candidates, scores[candidates]
    _, first, counts = np.unique(labels[candidates], return_index=True, return_counts=True)
    places = np.arange(counts.max())
    there = places < counts[:, None]
    index = candidates[np.minimum(first[:, None] + places, len(candidates) - 1)]  # (classes, most of a class)
    left = np.where(there, scores[index], -1.0)
    start, end = segments[index, 0], segments[index, 1]
    length = np.maximum(end - start, 0)
    kept, kept_scores = [], []
    for _ in range(len(places) if max_num is None else min(max_num, len(places))):
        best = left.argmax(1)[:, None]
        top = np.take_along_axis(left, best, 1)
        alive = (top[:, 0] >= min_score) & (top[:, 0] >= 0)
        if not alive.all():
            if not alive.any():
                break
            left, start, end, length, index = (table[alive] for table in (left, start, end, length, index))
            best, top = best[alive], top[alive]
        kept.append(np.take_along_axis(index, best, 1)[:, 0])
        kept_scores.append(top[:, 0])
        best_start, best_end = np.take_along_axis(start, best, 1), np.take_along_axis(end, best, 1)
        inter = np.maximum(np.minimum(end, best_end) - np.maximum(start, best_start), 0)
        union = length + np.take_along_axis(length, best, 1) - inter
        iou = np.divide(inter, union, out=np.zeros_like(union), where=union > 0)
        left *= np.exp(-(iou**2) / sigma) if iou_thr is None else iou <= iou_thr
        np.put_along_axis(left, best, -1.0, 1)
        if iou_thr is not None:
            left[iou > iou_thr] = -1.0
    keep, values = np.concatenate(kept), np.concatenate(kept_scores)
    order = np.lexsort((keep, -values))[:max_num]
    return keep[order], values[order]
