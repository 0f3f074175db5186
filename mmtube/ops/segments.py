"""Segment geometry on arrays: start and end in seconds."""

from __future__ import annotations

import numpy as np


def _columns(segments: np.ndarray) -> np.ndarray:
    segments = np.asarray(segments, np.float64)
    if segments.size == 0:
        segments = segments.reshape(0, 2)
    if segments.ndim != 2 or segments.shape[1] != 2:
        raise ValueError(f'segments must have shape (N, 2), got {segments.shape}')
    return segments


def _iou(segments_a: np.ndarray, segments_b: np.ndarray) -> np.ndarray:
    """IoU of starts and ends (2, ...) that broadcast against each other; 0 where the union has no length."""
    (start_a, end_a), (start_b, end_b) = segments_a, segments_b
    inter = np.maximum(np.minimum(end_a, end_b) - np.maximum(start_a, start_b), 0)
    union = np.maximum(end_a - start_a, 0) + np.maximum(end_b - start_b, 0) - inter
    return np.divide(inter, union, out=np.zeros_like(union), where=union > 0)


def segment_iou(segments_a: np.ndarray, segments_b: np.ndarray) -> np.ndarray:
    """Return the temporal IoU of every segment of one set with every segment of another.

    Intersection over union of real seconds, without +1 and without an epsilon on the length, as ActivityNet's metric
    wants it. Segments without length give 0.

    Args:
        segments_a (np.ndarray): (N, 2) start and end.
        segments_b (np.ndarray): (M, 2) start and end.

    Returns:
        np.ndarray: (N, M) float64 in [0, 1].
    """
    return _iou(_columns(segments_a).T[:, :, None], _columns(segments_b).T[:, None, :])


def paired_segment_iou(segments_a: np.ndarray, segments_b: np.ndarray) -> np.ndarray:
    """Return the temporal IoU of the segments of two sets row by row, by the rules of :func:`segment_iou`.

    Args:
        segments_a (np.ndarray): (N, 2) start and end.
        segments_b (np.ndarray): (N, 2) start and end.

    Returns:
        np.ndarray: (N,) float64 in [0, 1].

    Raises:
        ValueError: If the sets differ in length.
    """
    segments_a, segments_b = _columns(segments_a), _columns(segments_b)
    if len(segments_a) != len(segments_b):
        raise ValueError(f'{len(segments_a)} segments cannot be paired with {len(segments_b)}')
    return _iou(segments_a.T, segments_b.T)


def merge_segments(segments: np.ndarray) -> np.ndarray:
    """Return the union of segments as the fewest segments that do not touch.

    Args:
        segments (np.ndarray): (N, 2) start and end, in any order, no end before its start.

    Returns:
        np.ndarray: (M, 2) float64, M <= N, in the order of time.

    Raises:
        ValueError: If a segment ends before it starts or is not finite.
    """
    segments = _columns(segments)
    if not np.isfinite(segments).all() or (segments[:, 1] < segments[:, 0]).any():
        raise ValueError('a segment is not finite or ends before it starts')
    segments = segments[np.argsort(segments[:, 0], kind='stable')]
    latest_end = np.maximum.accumulate(segments[:, 1])
    opens = np.ones(len(segments), bool)
    opens[1:] = segments[1:, 0] > latest_end[:-1]
    closes = np.roll(opens, -1)  # a group closes where the next one opens, and the last at the end
    return np.stack([segments[opens, 0], latest_end[closes]], axis=1)
