"""Polygons round circles, and the fixed-point numbers that OpenCV draws."""

from __future__ import annotations

import numpy as np

from ..numerics import cos_turns, sin_turns

FRACTION_BITS = 4  # of a pixel; coordinates are rounded to sixteenths before OpenCV sees them
UNIT = 1 << FRACTION_BITS
SPREAD_PX = 0.5  # how much further than its polygon OpenCV's anti-aliased fill reaches
FAR_PX = 4000.0  # what is further outside is clipped, so that fixed-point numbers stay small


def fixed(points_px: np.ndarray) -> np.ndarray:
    """Round pixels to int32 sixteenths; a pixel's centre is a whole number for OpenCV and a half for us."""
    return np.round((np.clip(points_px, -FAR_PX, FAR_PX) - 0.5) * UNIT).astype(np.int32, order='C')


def directions(count: int) -> np.ndarray:
    """Return (count, 2) unit vectors round the circle."""
    turns = np.arange(count) / count
    return np.stack([cos_turns(turns), sin_turns(turns)], -1)


_DIRECTIONS = {count: directions(count) for count in (12, 16, 24)}


def hull(centres_px: np.ndarray, radii_px: np.ndarray, count: int = 16) -> np.ndarray:
    """Return the convex outline of some circles, one outline for each row.

    In each of ``count`` directions the outline goes through the point of the circles that is farthest out; so the
    points come in order and the outline is convex without any sorting.

    Args:
        centres_px (np.ndarray): (..., N, 2).
        radii_px (np.ndarray): (..., N).
        count (int): Corners of the outline: 12, 16 or 24. Defaults to 16.

    Returns:
        np.ndarray: (..., count, 2) int32 sixteenths of a pixel.
    """
    ways = _DIRECTIONS[count]
    best = np.full((*centres_px.shape[:-2], count), -np.inf)
    x, y = np.zeros_like(best), np.zeros_like(best)
    for circle in range(centres_px.shape[-2]):
        cx, cy = centres_px[..., circle, :1], centres_px[..., circle, 1:]
        r = np.maximum(radii_px[..., circle, None] - SPREAD_PX, 0.1)
        out = cx * ways[:, 0] + cy * ways[:, 1] + r
        better = out > best
        best = np.where(better, out, best)
        x = np.where(better, cx + r * ways[:, 0], x)
        y = np.where(better, cy + r * ways[:, 1], y)
    return fixed(np.stack([x, y], -1))


def shade(color: tuple[int, int, int], percent: int) -> tuple[int, int, int]:
    """Return a colour made darker (below 100) or lighter (above 100)."""
    if percent <= 100:
        return tuple(part * percent // 100 for part in color)  # type: ignore[return-value]
    return tuple(part + (255 - part) * min(percent - 100, 100) // 100 for part in color)  # type: ignore[return-value]
