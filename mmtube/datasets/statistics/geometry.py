"""How large people are and how far they move: SEAL's Fig. 5."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from mmtube.structures.seal import SEALAnnotations

from ..quality import Columns

BLOCK = 1 << 15  # cells that stay in the cache while all lags of a window pass over them
FULL_HEIGHT = 0.95


def box_sizes(columns: Columns, bins: int = 50) -> tuple[np.ndarray, dict[str, float]]:
    """Return how large the boxes are beside their frame (Fig. 5a).

    Args:
        columns (Columns): Annotations; boxes that are not finite or of no film are left out.
        bins (int): Bins from 0 to 1 along both axes; larger boxes count in the last. Defaults to 50.

    Returns:
        tuple: (bins, bins) int64, [height, width]; and ``mean_width``, ``mean_height`` as shares of the frame and
        ``full_height``, the share of boxes with at least 95 % of the frame's height.
    """
    boxes = columns.annotations.boxes.boxes_px
    counts = np.zeros(bins * bins, np.int64)
    totals, full, number = np.zeros(2), 0, 0
    for begin in range(0, len(boxes), 1 << 20):
        rows = slice(begin, begin + (1 << 20))
        part, video = boxes[rows], columns.box_video[rows]
        use = (video >= 0) & np.isfinite(part).all(axis=1)
        frame = np.stack([columns.width, columns.height], axis=1)[video[use]]
        share = (part[use, 2:] - part[use, :2]) / np.maximum(frame, 1)
        cell = np.clip((share * bins).astype(np.int64), 0, bins - 1)
        counts += np.bincount(cell[:, 1] * bins + cell[:, 0], minlength=bins * bins)
        totals += share.sum(axis=0, dtype=np.float64)
        full += int((share[:, 1] >= FULL_HEIGHT).sum())
        number += len(share)
    mean_width, mean_height = (float(total) for total in totals / max(number, 1))
    told = {'mean_width': mean_width, 'mean_height': mean_height, 'full_height': full / max(number, 1)}
    return counts.reshape(bins, bins), told


def center_offsets(columns: Columns, window_s: float = 1.0) -> np.ndarray:
    """Return how far each person moves around each box (Fig. 5b).

    The largest distance between any two box centres of the tubelet in the window that is centred on the box. The unit
    of the figure is not printed in the paper; this is in pixels of the film.

    With ``W[n, i]`` the largest distance within the frames ``i`` to ``i + n``, ``W[n, i]`` is the largest of
    ``W[n - 1, i]``, ``W[n - 1, i + 1]`` and the distance from ``i`` to ``i + n``; so a window of 25 frames costs 24
    steps for each box, not 300.

    Args:
        columns (Columns): Annotations with frames in order.
        window_s (float): Length of the window in seconds. Defaults to 1.

    Returns:
        np.ndarray: (N,) float32 pixels; NaN for boxes that are not finite or of no film.
    """
    boxes = columns.annotations.boxes
    result = np.full(len(boxes), np.nan, np.float32)
    half_of_video = np.append(_half_frames(columns, window_s), -1)
    for rows in _chunks(columns.annotations):
        half = half_of_video[columns.box_video[rows]]
        for size in np.unique(half[half >= 0]):
            mine = np.arange(rows.start, rows.stop)[half == size]
            mine = mine[np.isfinite(boxes.boxes_px[mine]).all(axis=1)]
            if len(mine):
                result[mine] = _moved(columns, mine, int(size))
    return result


def _half_frames(columns: Columns, window_s: float) -> np.ndarray:
    usable = np.isfinite(columns.fps) & (columns.fps > 0)
    return np.where(usable, np.floor(np.where(usable, columns.fps, 0) * window_s / 2 + 1e-6), -1).astype(np.int64)


def _chunks(annotations: SEALAnnotations, size: int = 1 << 19) -> list[slice]:
    """Divide the boxes between keys, into parts of about ``size``."""
    offsets = annotations.boxes.offsets
    edges = offsets[np.searchsorted(offsets, np.arange(0, offsets[-1], size))]
    edges = np.unique(np.append(edges, offsets[-1]))
    return [slice(begin, end) for begin, end in pairwise(edges.tolist())]


def _moved(columns: Columns, rows: np.ndarray, half: int) -> np.ndarray:
    """Return (n,) float32 offsets of boxes whose windows reach ``half`` frames to both sides."""
    boxes = columns.annotations.boxes
    frames, keys, part = boxes.frame_inds[rows].astype(np.int64), columns.box_key[rows], boxes.boxes_px[rows]
    # Cells, one for each frame; a hole that no window reaches over is cut down to `half` empty cells.
    step = np.diff(frames)
    step = np.where((np.diff(keys) != 0) | (step > half), half + 1, np.maximum(step, 0))
    cell = half + np.concatenate([[0], np.cumsum(step)])
    centers = np.full((2, cell[-1] + half + 1), np.nan, np.float32)
    centers[:, cell] = ((part[:, :2] + part[:, 2:]) / 2).T
    widest = np.zeros(centers.shape[1] - 2 * half, np.float32)  # of the window that begins at each cell
    for begin in range(0, len(widest), BLOCK):
        x, y = centers[:, begin : begin + BLOCK + 2 * half]
        far = np.zeros(len(x), np.float32)
        for lag in range(1, 2 * half + 1):
            far = np.maximum(far[:-1], far[1:])
            dx, dy = x[lag:] - x[:-lag], y[lag:] - y[:-lag]
            np.fmax(far, dx * dx + dy * dy, out=far)  # fmax: a frame without a box is no distance
        widest[begin : begin + BLOCK] = far
    return np.sqrt(widest[cell - half])
