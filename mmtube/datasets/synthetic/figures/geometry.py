"""Vectors in space and the camera, for whole films at once.

Every function works elementwise on arrays with one row for each frame (see :mod:`..numerics` for why there is no matrix
product here).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np

from ..numerics import cos_turns, sin_turns
from ..script import FilmScript, Shot

NEAREST_M = 0.3  # nothing is projected from nearer than this


def dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the scalar product of (..., 3) vectors as (...)."""
    return a[..., 0] * b[..., 0] + a[..., 1] * b[..., 1] + a[..., 2] * b[..., 2]


def length(a: np.ndarray) -> np.ndarray:
    """Return the length of (..., 3) vectors as (...)."""
    return np.sqrt(dot(a, a))


def unit(a: np.ndarray) -> np.ndarray:
    """Return (..., 3) vectors of length 1; a vector without length stays near zero."""
    return a / np.maximum(length(a), 1e-9)[..., None]


def mix(a: np.ndarray, b: np.ndarray, weight: np.ndarray | float) -> np.ndarray:
    """Return ``a`` where the weight is 0, ``b`` where it is 1; the weight is (...) for (..., 3) vectors."""
    weight = np.asarray(weight, np.float64)[..., None]
    return a + (b - a) * weight


def rotate(a: np.ndarray, b: np.ndarray, turns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Turn two perpendicular axes in their plane, ``a`` towards ``b``.

    Args:
        a (np.ndarray): (T, 3) unit vectors.
        b (np.ndarray): (T, 3) unit vectors.
        turns (np.ndarray): (T,) angle.

    Returns:
        tuple[np.ndarray, np.ndarray]: The turned axes.
    """
    cosine, sine = cos_turns(turns)[..., None], sin_turns(turns)[..., None]
    return a * cosine + b * sine, b * cosine - a * sine


def bend(
    root: np.ndarray, target: np.ndarray, upper_m: float, lower_m: float, pole: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Place the middle and the end of a chain of two bones so that its end comes as near to a target as it can.

    Args:
        root (np.ndarray): (T, 3) shoulder or hip.
        target (np.ndarray): (T, 3) where the end should be.
        upper_m (float): Length of the first bone.
        lower_m (float): Length of the second bone.
        pole (np.ndarray): (T, 3) direction in which the elbow or knee points.

    Returns:
        tuple[np.ndarray, np.ndarray]: Middle and end, (T, 3) each.
    """
    way = target - root
    along = unit(way)
    shortest = abs(upper_m - lower_m) + 1e-3
    reach = np.clip(length(way), shortest, (upper_m + lower_m) * 0.9995)
    foot = (upper_m * upper_m - lower_m * lower_m + reach * reach) / (2.0 * reach)
    height = np.sqrt(np.maximum(upper_m * upper_m - foot * foot, 0.0))
    aside = unit(pole - along * dot(pole, along)[..., None])
    middle = root + along * foot[..., None] + aside * height[..., None]
    return middle, root + along * reach[..., None]


class Camera:
    """The camera of one shot without its shift; see :mod:`..script` for the projection.

    Args:
        focal_px (float): Focal length.
        height_m (float): Height above the ground.
        horizon_px (float): Row of the horizon.
        width_px (int): Width of the picture.
    """

    def __init__(self, focal_px: float, height_m: float, horizon_px: float, width_px: int) -> None:
        self.focal_px = focal_px
        self.height_m = height_m
        self.horizon_px = horizon_px
        self.width_px = width_px

    @classmethod
    def of(cls, shot: Shot, width_px: int) -> Camera:
        """Return the camera of a shot."""
        return cls(shot.focal_px, shot.height_m, shot.horizon_px, width_px)

    def project(self, points_m: Sequence | np.ndarray) -> np.ndarray:
        """Return the (..., 2) pixels of (..., 3) points at shift 0."""
        points_m = np.asarray(points_m, np.float64)
        scale = self.focal_px / np.maximum(points_m[..., 2], NEAREST_M)
        x_px = self.width_px / 2 + scale * points_m[..., 0]
        return np.stack([x_px, self.horizon_px + scale * (self.height_m - points_m[..., 1])], -1)


class Lens:
    """The camera of every frame of a film, shift included.

    Args:
        script (FilmScript): The film.
    """

    def __init__(self, script: FilmScript) -> None:
        frames = script.num_frames
        self.width_px = script.size[0]
        self.focal_px = np.zeros(frames)
        self.height_m = np.zeros(frames)
        self.horizon_px = np.zeros(frames)
        self.shift_px = np.zeros((frames, 2))
        for shot in script.shots:
            part = slice(shot.start, shot.end)
            self.focal_px[part] = shot.focal_px
            self.height_m[part] = shot.height_m
            self.horizon_px[part] = shot.horizon_px
            self.shift_px[part] = shot.shift_px

    def part(self, frames: slice) -> Lens:
        """Return the same for some of the frames."""
        lens = copy.copy(self)
        for name in ('focal_px', 'height_m', 'horizon_px', 'shift_px'):
            setattr(lens, name, getattr(self, name)[frames])
        return lens

    def project(self, points_m: np.ndarray) -> np.ndarray:
        """Return the pixels of points.

        Args:
            points_m (np.ndarray): (T, N, 3).

        Returns:
            np.ndarray: (T, N, 2) float64.
        """
        scale = self.scale(points_m)
        x_px = (self.width_px / 2 + self.shift_px[:, 0])[:, None] + scale * points_m[..., 0]
        y_px = (self.horizon_px + self.shift_px[:, 1])[:, None] + scale * (self.height_m[:, None] - points_m[..., 1])
        return np.stack([x_px, y_px], -1)

    def scale(self, points_m: np.ndarray) -> np.ndarray:
        """Return how many pixels a metre is at each of (T, N, 3) points, as (T, N)."""
        return self.focal_px[:, None] / np.maximum(points_m[..., 2], NEAREST_M)
