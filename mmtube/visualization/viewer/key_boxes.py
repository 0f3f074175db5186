"""Boxes of a tube as few whole numbers: the rows between which all others lie on straight lines."""

from __future__ import annotations

import numpy as np

TICKS_PER_PX = 4  # boxes are told in quarters of a pixel
TOLERANCE_PX = 0.5
WINDOW = 8, 256  # least and most rows that are looked at for the next kept one


def whole_ms(times_s: np.ndarray) -> np.ndarray:
    """Return times in whole milliseconds, int64."""
    return np.rint(1000 * np.asarray(times_s, np.float64)).astype(np.int64)


def whole_ticks(boxes_px: np.ndarray) -> np.ndarray:
    """Return boxes in whole quarters of a pixel, int64."""
    return np.rint(TICKS_PER_PX * np.asarray(boxes_px, np.float64)).astype(np.int64)


def key_rows(times_ms: np.ndarray, boxes_px: np.ndarray, tolerance_px: float = TOLERANCE_PX) -> np.ndarray:
    """Return the rows to keep so that straight lines between them tell the boxes of all rows.

    From each kept row the next one is the furthest to which a line stays within ``tolerance_px`` of every box on the
    way: each box leaves a cone of slopes, and the line must lie in all of them (the cone or swing filter of Sklansky
    and Gonzalez, Fast polygonal approximation of digitized curves, Pattern Recognition 12, 1980). Lines run between
    the rounded numbers of :func:`whole_ticks`, so the bound holds for what the page draws.

    Args:
        times_ms (np.ndarray): (T,) int64, strictly increasing, T >= 1.
        boxes_px (np.ndarray): (T, 4) xyxy in pixels.
        tolerance_px (float): Largest error of a coordinate, at least that of rounding. Defaults to 0.5.

    Returns:
        np.ndarray: (K,) increasing int64 indices, with the first and the last row.

    Examples:
        >>> key_rows(np.array([0, 40, 80, 120]), np.array([[0, 0, 4, 8], [3, 0, 7, 8], [6, 0, 10, 8], [6, 0, 10, 8]]))
        array([0, 2, 3])
    """
    exact = TICKS_PER_PX * np.asarray(boxes_px, np.float64)
    told = whole_ticks(boxes_px)
    error = TICKS_PER_PX * tolerance_px
    rows, window = [0], WINDOW[0]
    while rows[-1] < len(told) - 1:
        last = rows[-1]
        ahead = slice(last + 1, last + 1 + window)
        elapsed = (times_ms[ahead] - times_ms[last])[:, None]
        slopes = (told[ahead] - told[last]) / elapsed
        least = np.maximum.accumulate((exact[ahead] - told[last] - error) / elapsed, axis=0)
        most = np.minimum.accumulate((exact[ahead] - told[last] + error) / elapsed, axis=0)
        fits = ((least <= slopes) & (slopes <= most)).all(axis=1)
        rows.append(last + 1 + int(np.flatnonzero(fits)[-1]))  # the next row always fits
        window = min(max(2 * (rows[-1] - last), WINDOW[0]), WINDOW[1])
    return np.array(rows)
