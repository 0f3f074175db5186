"""Geometry of tubes: rows of a frame index and a box, frame indices strictly increasing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .boxes import paired_box_iou


def _frames(frame_inds: np.ndarray) -> np.ndarray:
    frame_inds = np.asarray(frame_inds, np.int64)
    if frame_inds.ndim != 1 or (np.diff(frame_inds) <= 0).any():
        raise ValueError('frame_inds must be one strictly increasing row')
    return frame_inds


def temporal_iou(frame_inds_a: np.ndarray, frame_inds_b: np.ndarray) -> float:
    """Return the IoU of two sets of frames: frames shared over frames in either.

    Args:
        frame_inds_a (np.ndarray): (T,) int64, strictly increasing.
        frame_inds_b (np.ndarray): (U,) int64, strictly increasing.

    Returns:
        float: In [0, 1]; 0 when both are empty.

    Raises:
        ValueError: If frame indices do not increase.
    """
    frame_inds_a, frame_inds_b = _frames(frame_inds_a), _frames(frame_inds_b)
    shared = len(np.intersect1d(frame_inds_a, frame_inds_b, assume_unique=True))
    union = len(frame_inds_a) + len(frame_inds_b) - shared
    return shared / union if union else 0.0


def tube_iou(frame_inds_a: np.ndarray, boxes_a: np.ndarray, frame_inds_b: np.ndarray, boxes_b: np.ndarray) -> float:
    """Return the spatio-temporal IoU of two tubes: temporal IoU times the mean box IoU over the frames they share.

    The plain convention of video-mAP, without the +1 on pixels and on frames of the older scripts. Time is counted on
    the sets of frames, so holes in a tube count as absent.

    Args:
        frame_inds_a (np.ndarray): (T,) int64, strictly increasing.
        boxes_a (np.ndarray): (T, 4) xyxy.
        frame_inds_b (np.ndarray): (U,) int64, strictly increasing.
        boxes_b (np.ndarray): (U, 4) xyxy.

    Returns:
        float: In [0, 1]; 0 when no frame is shared.

    Raises:
        ValueError: If frame indices do not increase, or rows and boxes differ in number.
    """
    frame_inds_a, frame_inds_b = _frames(frame_inds_a), _frames(frame_inds_b)
    boxes_a, boxes_b = np.asarray(boxes_a).reshape(-1, 4), np.asarray(boxes_b).reshape(-1, 4)
    for frame_inds, boxes in ((frame_inds_a, boxes_a), (frame_inds_b, boxes_b)):
        if len(frame_inds) != len(boxes):
            raise ValueError(f'a tube has {len(frame_inds)} frames but {len(boxes)} boxes')
    _, rows_a, rows_b = np.intersect1d(frame_inds_a, frame_inds_b, assume_unique=True, return_indices=True)
    if not len(rows_a):
        return 0.0
    spatial = float(paired_box_iou(boxes_a[rows_a], boxes_b[rows_b]).mean())
    return temporal_iou(frame_inds_a, frame_inds_b) * spatial


def _interpolate(frame_inds: np.ndarray, values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Interpolate (T,) or (T, K) floats linearly, in float64; the result has the dtype of the values."""
    flat = values.reshape(len(values), -1)
    columns = [np.interp(at, frame_inds, column) for column in flat.T.astype(np.float64)]
    return np.stack(columns, axis=1).reshape(len(at), *values.shape[1:]).astype(values.dtype)


def interpolate_boxes(frame_inds: np.ndarray, boxes: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return boxes between known ones, each coordinate linear in the frame index.

    Args:
        frame_inds (np.ndarray): (T,) int64, strictly increasing, T >= 1.
        boxes (np.ndarray): (T, 4) float xyxy.
        at (np.ndarray): (U,) frame indices, whole or not, inside the range of ``frame_inds``. A known frame gives its
            box exactly.

    Returns:
        np.ndarray: (U, 4), dtype of the boxes.

    Raises:
        ValueError: If frame indices do not increase, rows and boxes differ in number, or ``at`` leaves the range:
            nothing is extrapolated.
    """
    frame_inds, boxes, at = _frames(frame_inds), np.asarray(boxes), np.asarray(at)
    if boxes.shape != (len(frame_inds), 4):
        raise ValueError(f'{len(frame_inds)} frames need boxes of shape ({len(frame_inds)}, 4), got {boxes.shape}')
    if not len(at):
        return boxes[:0]
    if not len(frame_inds) or at.min() < frame_inds[0] or at.max() > frame_inds[-1]:
        raise ValueError('boxes are not extrapolated beyond the known frames')
    return _interpolate(frame_inds, boxes, at)


def fill_gaps(
    frame_inds: np.ndarray, columns: Sequence[np.ndarray], max_gap: int
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Fill the short holes of a track, linearly in the frame index.

    Args:
        frame_inds (np.ndarray): (T,) int64, strictly increasing.
        columns (Sequence[np.ndarray]): Float arrays of T rows that belong to the frames: boxes (T, 4), times (T,),
            scores (T,).
        max_gap (int): Holes of at most so many missing frames are filled, longer ones stay. 0 fills none.

    Returns:
        tuple: ``frame_inds`` (U,) int64 with U >= T; ``observed`` (U,) bool, False on the rows that were filled in;
        and the columns with U rows, known rows unchanged.

    Raises:
        ValueError: If frame indices do not increase or a column has another number of rows.

    Examples:
        >>> frames, observed, (times_s,) = fill_gaps(np.array([0, 2, 9]), [np.array([0.0, 0.2, 0.9])], max_gap=1)
        >>> frames.tolist(), observed.tolist(), times_s.tolist()
        ([0, 1, 2, 9], [True, False, True, True], [0.0, 0.1, 0.2, 0.9])
    """
    frame_inds, columns = _frames(frame_inds), [np.asarray(column) for column in columns]
    for column in columns:
        if len(column) != len(frame_inds):
            raise ValueError(f'a column has {len(column)} rows for {len(frame_inds)} frames')
    missing = np.diff(frame_inds) - 1
    missing[missing > max_gap] = 0
    # Row i of the input moves down by the rows filled in before it; what lies between counts up from it.
    position = np.arange(len(frame_inds)) + np.concatenate([[0], np.cumsum(missing)])[: len(frame_inds)]
    observed = np.zeros(len(frame_inds) + int(missing.sum()), bool)
    observed[position] = True
    source = np.cumsum(observed) - 1
    filled = frame_inds[source] + np.arange(len(observed)) - position[source]
    if not len(filled):
        return filled, observed, list(columns)
    return filled, observed, [_interpolate(frame_inds, column, filled) for column in columns]
