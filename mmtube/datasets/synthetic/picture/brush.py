"""A brush that paints a backdrop in metres."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from ..figures.geometry import Camera
from ..script import Color
from .outlines import FRACTION_BITS, fixed, hull, shade

Span = tuple[float, float]


class Brush:
    """Paint on a canvas that is larger than the picture, in the world of a camera.

    Args:
        camera (Camera): The camera.
        size (tuple[int, int]): Width and height of the picture in pixels.
        margin_px (tuple[int, int]): How much the canvas is wider to the left and right, and higher above and below.
        rng (np.random.Generator): Source of details.
    """

    def __init__(
        self, camera: Camera, size: tuple[int, int], margin_px: tuple[int, int], rng: np.random.Generator
    ) -> None:
        self.camera, self.margin_px, self.rng = camera, margin_px, rng
        self.width, self.height = size[0] + 2 * margin_px[0], size[1] + 2 * margin_px[1]
        self.canvas = np.zeros((self.height, self.width, 3), np.uint8)
        below = size[1] + margin_px[1] - camera.horizon_px
        self.nearest_m = max(0.5, 0.8 * camera.focal_px * camera.height_m / max(below, 1.0))

    def half_width_m(self, z_m: float) -> float:
        """Return how far the canvas reaches to either side at a distance."""
        return (self.width / 2 + 4) * z_m / self.camera.focal_px

    def chance(self, low: float = 0.0, high: float = 1.0) -> float:
        """Return a number between two others."""
        return low + (high - low) * self.rng.random()

    def pick(self, colors: Sequence[Color]) -> Color:
        """Return one of some colours."""
        return colors[int(self.rng.integers(len(colors)))]

    def _pixels(self, points_m: Sequence | np.ndarray) -> np.ndarray:
        return self.camera.project(points_m) + np.array(self.margin_px, np.float64)

    def fill(self, points_m: Sequence | np.ndarray, color: Color) -> None:
        """Fill a convex polygon of (N, 3) points."""
        cv2.fillConvexPoly(self.canvas, fixed(self._pixels(points_m)), color, cv2.LINE_AA, FRACTION_BITS)

    def wall(self, x: Span, y: Span, z_m: float, color: Color) -> None:
        """Fill an upright rectangle."""
        self.fill([(x[0], y[0], z_m), (x[1], y[0], z_m), (x[1], y[1], z_m), (x[0], y[1], z_m)], color)

    def floor(self, x: Span, z: Span, color: Color) -> None:
        """Fill a rectangle on the ground."""
        near, far = (max(value, self.nearest_m) for value in z)
        if near < far:
            self.fill([(x[0], 0.0, near), (x[1], 0.0, near), (x[1], 0.0, far), (x[0], 0.0, far)], color)

    def ball(self, point_m: Sequence[float], radius_m: float, color: Color) -> None:
        """Fill a disc that faces the camera."""
        radius = radius_m * self.camera.focal_px / point_m[2]
        polygon = hull(self._pixels([point_m]), np.array([radius]), 24)
        cv2.fillConvexPoly(self.canvas, polygon, color, cv2.LINE_AA, FRACTION_BITS)

    def crown(self, x: Span, y: Span, z_m: float, color: Color, balls: int = 26) -> None:
        """Fill an ellipse with balls of leaves, dark ones below and light ones above."""
        size = min(x[1] - x[0], y[1] - y[0])
        for percent, share in ((58, 1.0), (82, 0.9), (104, 0.75), (122, 0.5)):
            u, v, r = self.rng.random((3, int(balls * share)))
            u, v = 2.0 * u - 1.0, 2.0 * v - 1.0
            inside = u * u + v * v <= 1.0
            lift = 0.10 * (percent - 80) / 40
            across = (x[0] + x[1]) / 2 + u[inside] * ((x[1] - x[0]) * 0.38)
            high = (y[0] + y[1]) / 2 + (v[inside] * 0.36 + lift) * (y[1] - y[0])
            centres = self._pixels(np.stack([across, high, np.full(len(high), z_m)], -1))
            radii = (0.12 + 0.08 * r[inside]) * (size * self.camera.focal_px / z_m)
            for polygon in hull(centres[:, None], radii[:, None], 16):
                cv2.fillConvexPoly(self.canvas, polygon, shade(color, percent), cv2.LINE_AA, FRACTION_BITS)

    def gradient(self, top: Color, bottom: Color, rows: tuple[int, int]) -> None:
        """Fill rows of the canvas with a colour that changes from the first to the last."""
        first, last = max(rows[0], 0), min(max(rows[1], rows[0] + 1), self.height)
        share = (np.arange(first, last) - rows[0])[:, None] * 256 // max(rows[1] - rows[0], 1)
        mixed = (np.array(top) * (256 - share) + np.array(bottom) * share) // 256
        self.canvas[first:last] = mixed[:, None].astype(np.uint8)

    def ground_row(self, z_m: float) -> int:
        """Return the row of the canvas where the ground is at a distance."""
        return int(np.floor(self._pixels([(0.0, 0.0, z_m)])[0, 1]))

    def grain(self, rows: tuple[int, int], strength: int) -> None:
        """Make rows of the canvas rough: each spot a little lighter or darker."""
        first, last = max(rows[0], 0), min(rows[1], self.height)
        if first >= last:
            return
        spots = self.rng.integers(-strength, strength + 1, (last - first, (self.width + 1) // 2, 1))
        spots = np.repeat(spots, 2, axis=1)[:, : self.width]
        self.canvas[first:last] = np.clip(self.canvas[first:last].astype(np.int64) + spots, 0, 255).astype(np.uint8)

    def finished(self) -> np.ndarray:
        """Return the canvas, a little out of focus."""
        return cv2.GaussianBlur(self.canvas, (3, 3), 0)
