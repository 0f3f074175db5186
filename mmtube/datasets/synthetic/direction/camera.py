"""The camera: what it sees, how it pans and shakes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..numerics import smoothstep
from ..script import Furniture, Shot

MAX_SHIFT_PX = (60, 16)  # the backdrop is that much larger than the picture
NEAREST_M = 3.5  # where people may stand
BOTTOM_PX = 12  # between their feet and the lower edge of the picture
PAN_CHANCE = 0.35


@dataclass(frozen=True)
class View:
    """Lens and place of a camera.

    Args:
        focal_px (float): Focal length.
        height_m (float): Height above the ground.
        horizon_px (float): Row of the horizon.
        pan_px (float): How far it pans to either side.
    """

    focal_px: float
    height_m: float
    horizon_px: float
    pan_px: float


def choose_view(rng: np.random.Generator, size: tuple[int, int], before: View | None = None) -> View:
    """Choose a camera.

    Args:
        rng (np.random.Generator): Source of chance.
        size (tuple[int, int]): Width and height of the picture in pixels.
        before (View | None): The camera of the shot before, when the same scene goes on: the new one is nearer or
            farther, so that the cut can be seen. Defaults to None.

    Returns:
        View: People who stand ``NEAREST_M`` away have their feet just above the lower edge.
    """
    width, height = size
    scale = width / 320
    focal = (235.0 + 55.0 * rng.random()) * scale
    if before is not None:
        focal = before.focal_px * (1.16 if before.focal_px < 262 * scale else 0.84)
    camera_m = 1.45 + 0.5 * rng.random()
    horizon = height - BOTTOM_PX * scale - focal * camera_m / NEAREST_M
    pan = (12.0 + 26.0 * rng.random()) * scale if rng.random() < PAN_CHANCE else 0.0
    return View(focal, camera_m, horizon, pan)


def _noise(rng: np.random.Generator, frames: int, every: int) -> np.ndarray:
    """Return a curve through random values in [-1, 1], one for every ``every`` frames."""
    knots = np.array([2.0 * rng.random() - 1.0 for _ in range(frames // every + 2)])
    at = np.arange(frames) / every
    left = np.floor(at).astype(np.int64)
    return knots[left] + (knots[left + 1] - knots[left]) * smoothstep(at - left)


def shift_px(rng: np.random.Generator, view: View, frames: int, shake: float, scale: float = 1.0) -> np.ndarray:
    """Return how the picture shifts in a shot.

    Args:
        rng (np.random.Generator): Source of chance.
        view (View): The camera; it pans to and fro within ``pan_px``.
        frames (int): Length of the shot.
        shake (float): Strength of the trembling of a hand, 0 is a tripod, 1 is 2 pixels.
        scale (float): Width of the picture over 320. Defaults to 1.

    Returns:
        np.ndarray: (frames, 2) int32 shift in x and y within ``MAX_SHIFT_PX``.
    """
    x = view.pan_px * _noise(rng, frames, 75) + 2.0 * scale * shake * (_noise(rng, frames, 7) + _noise(rng, frames, 19))
    y = 1.4 * scale * shake * (_noise(rng, frames, 6) + _noise(rng, frames, 17))
    limit = np.array(MAX_SHIFT_PX)
    return np.clip(np.floor(np.stack([x, y], axis=1) + 0.5), -limit, limit).astype(np.int32)


def shoot(
    rng: np.random.Generator,
    view: View,
    span: tuple[int, int],
    scene: str,
    seed: int,
    furniture: list[Furniture],
    shake: float,
    scale: float,
) -> Shot:
    """Return the shot of one camera.

    Args:
        rng (np.random.Generator): Source of chance for pan and shake.
        view (View): The camera.
        span (tuple[int, int]): First frame and the frame after the last.
        scene (str): Kind of place.
        seed (int): Of the backdrop.
        furniture (list[Furniture]): Things that stand there.
        shake (float): Strength of the shake.
        scale (float): Width of the picture over 320.
    """
    shifts = shift_px(rng, view, span[1] - span[0], shake, scale)
    return Shot(*span, scene, seed, view.focal_px, view.height_m, view.horizon_px, shifts, list(furniture))
