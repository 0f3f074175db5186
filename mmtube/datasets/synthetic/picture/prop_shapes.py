"""The bodies of the objects: blocks and tapered capsules round a path."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..figures.geometry import dot, unit
from ..figures.props import BALL_M, BOX_M, BROOM_M, CART_AHEAD_M, HANDLE_AHEAD_M, HANDLE_UP_M, PropPath
from ..script import Color
from .outlines import shade


@dataclass(frozen=True, eq=False)
class Capsule:
    """The hull of two balls.

    Args:
        ends_m (np.ndarray): (T, 2, 3).
        radii_m (tuple[float, float]): At both ends.
        color (Color): BGR.
    """

    ends_m: np.ndarray
    radii_m: tuple[float, float]
    color: Color


@dataclass(frozen=True, eq=False)
class Block:
    """A block; the faces towards the camera are seen.

    Args:
        corners_m (np.ndarray): (T, 8, 3), see :func:`block`.
        color (Color): BGR of the front; the other faces are a little darker or lighter.
    """

    corners_m: np.ndarray
    color: Color


# Corners have bit 0 for forward, bit 1 for left, bit 2 for up. The corners of each face go round it seen from outside
# in the picture's orientation, and the percentage is its shade.
FACES = (
    ((1, 3, 7, 5), 100),
    ((0, 4, 6, 2), 92),
    ((2, 6, 7, 3), 80),
    ((0, 1, 5, 4), 80),
    ((4, 5, 7, 6), 118),
    ((0, 2, 3, 1), 55),
)
Solid = Capsule | Block


def block(
    centre_m: np.ndarray, fwd: np.ndarray, up: np.ndarray, size_m: tuple[float, float, float], color: Color
) -> Block:
    """Make a block from its centre, two axes and its depth, width and height."""
    left = np.stack([-fwd[:, 2], np.zeros(len(fwd)), fwd[:, 0]], -1)
    corners = np.empty((len(centre_m), 8, 3))
    for corner in range(8):
        point = centre_m
        for axis, bit, extent in ((fwd, 1, size_m[0]), (left, 2, size_m[1]), (up, 4, size_m[2])):
            point = point + axis * (extent / 2 if corner & bit else -extent / 2)
        corners[:, corner] = point
    return Block(corners, color)


def _capsule(first: np.ndarray, last: np.ndarray, radii: tuple[float, float], color: Color) -> Capsule:
    return Capsule(np.stack([first, last], 1), radii, color)


def solids(path: PropPath, color: Color, frames: slice) -> list[Solid]:
    """Return the parts of an object in the order in which they are drawn.

    Args:
        path (PropPath): Where it is.
        color (Color): BGR.
        frames (slice): For which frames.

    Returns:
        list[Solid]: With one row for each of those frames.
    """
    base, fwd, up = path.base_m[frames], path.fwd[frames], path.up[frames]
    level = np.zeros_like(fwd)
    level[:, 1] = 1.0
    left = np.stack([-fwd[:, 2], np.zeros(len(fwd)), fwd[:, 0]], -1)
    if path.kind == 'box':
        tape = block(base, fwd, level, (BOX_M[0] + 0.01, 0.07, BOX_M[2] + 0.01), shade(color, 150))
        return [block(base, fwd, level, BOX_M, color), tape]
    if path.kind == 'cart':
        wire = shade(color, 60)
        grip = base + fwd * (HANDLE_AHEAD_M - CART_AHEAD_M) + level * HANDLE_UP_M
        wheels = [
            _capsule(spot, spot, (0.07, 0.07), (30, 30, 30))
            for spot in (base + fwd * f + left * s + level * 0.07 for f in (0.26, -0.24) for s in (0.2, -0.2))
        ]
        posts = [
            _capsule(base - fwd * 0.24 + left * s + level * 0.35, grip + left * s, (0.018, 0.018), wire)
            for s in (0.2, -0.2)
        ]
        basket = block(base + level * 0.50, fwd, level, (0.62, 0.44, 0.42), color)
        rim = block(base + level * 0.71, fwd, level, (0.66, 0.48, 0.04), shade(color, 135))
        rack = block(base + level * 0.17, fwd, level, (0.60, 0.40, 0.04), wire)
        return [
            *wheels,
            rack,
            posts[0],
            basket,
            rim,
            posts[1],
            _capsule(grip - left * 0.23, grip + left * 0.23, (0.028, 0.028), wire),
        ]
    if path.kind == 'ball':
        glint = base + level * 0.045
        return [
            _capsule(base, base, (BALL_M, BALL_M), color),
            _capsule(glint, glint, (0.045, 0.045), shade(color, 150)),
        ]
    if path.kind == 'cup':
        return [_capsule(base - up * 0.045, base + up * 0.055, (0.040, 0.058), color)]
    if path.kind == 'phone':
        return [_capsule(base - up * 0.07, base + up * 0.085, (0.034, 0.034), color)]
    if path.kind == 'book':
        # Lies in the hands when `up` is level; stands when `up` is upright.
        across = unit(np.stack([fwd[:, 0], np.zeros(len(fwd)), fwd[:, 2]], -1))
        thick = unit(across - up * dot(across, up)[:, None])
        cover = block(base, thick, up, (0.05, 0.34, 0.27), color)
        pages = block(base - thick * 0.008, thick, up, (0.05, 0.30, 0.23), (225, 235, 240))
        return [cover, pages]
    if path.kind == 'broom':
        top, neck = base + up * BROOM_M, base + up * 0.20
        straw = shade(color, 75)
        ends = [base + left * s + level * 0.03 for s in (0.15, -0.15)]
        head = [_capsule(end, neck, (0.05, 0.03), straw) for end in ends]
        return [_capsule(neck, top, (0.016, 0.016), color), *head, _capsule(*ends, (0.055, 0.055), straw)]
    if path.kind == 'cloth':
        low = base - level * 0.03
        return [_capsule(low - left * 0.09, low + left * 0.09, (0.045, 0.055), color)]
    # knife: a blade that goes ahead of the hand, and its handle
    tip = base + fwd * 0.27 - level * 0.05
    return [
        _capsule(base + fwd * 0.04 - level * 0.02, tip, (0.034, 0.010), color),
        _capsule(base - fwd * 0.05, base + fwd * 0.05, (0.022, 0.022), (35, 45, 60)),
    ]
