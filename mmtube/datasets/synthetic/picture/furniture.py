"""Things that stand still during a shot, each in parts with a distance of their own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..figures.geometry import Camera
from ..numerics import generator
from ..script import Color, Furniture
from .outlines import fixed, hull, shade

TABLE_DEPTH_M, SEAT_DEPTH_M, CHAIR_BACK_M = 0.55, 0.42, 0.42


@dataclass(frozen=True, eq=False)
class Part:
    """Polygons at one distance.

    Args:
        depth_m (float): Z by which it is sorted among people.
        polygons (list[tuple[np.ndarray, Color]]): (V, 2) int32 sixteenths of a pixel at shift 0, and colours.
    """

    depth_m: float
    polygons: list[tuple[np.ndarray, Color]]


def _rectangle(camera: Camera, x: tuple[float, float], y: tuple[float, float], z_m: float) -> np.ndarray:
    corners = [(x[0], y[1], z_m), (x[1], y[1], z_m), (x[1], y[0], z_m), (x[0], y[0], z_m)]
    return fixed(camera.project(corners))


def _level(camera: Camera, x: tuple[float, float], y_m: float, z: tuple[float, float]) -> np.ndarray:
    return fixed(camera.project([(x[0], y_m, z[0]), (x[1], y_m, z[0]), (x[1], y_m, z[1]), (x[0], y_m, z[1])]))


def _framed(polygon: np.ndarray, color: Color) -> list[tuple[np.ndarray, Color]]:
    """Return a polygon with a dark one a little larger under it."""
    middle = (polygon.min(axis=0) + polygon.max(axis=0)) // 2
    return [(polygon + 12 * np.sign(polygon - middle), shade(color, 45)), (polygon, color)]


def furniture_parts(item: Furniture, camera: Camera, seed: int) -> list[Part]:
    """Return how a thing is drawn.

    Args:
        item (Furniture): The thing.
        camera (Camera): The camera of the shot.
        seed (int): Of its details.

    Returns:
        list[Part]: From far to near.
    """
    half, z, high, color = item.width_m / 2, item.z_m, item.height_m, item.color
    x = (item.x_m - half, item.x_m + half)
    if item.kind == 'chair':
        back = z + SEAT_DEPTH_M
        legs = [_rectangle(camera, (a, a + 0.04), (0.0, high), d) for d in (back, z) for a in (x[0], x[1] - 0.04)]
        dark = shade(color, 60)
        behind = [(legs[0], dark), (legs[1], dark)]
        behind += _framed(_rectangle(camera, x, (high + 0.06, high + CHAIR_BACK_M), back), shade(color, 85))
        behind += [(_rectangle(camera, (x[0] + 0.04, x[1] - 0.04), (high + 0.2, high + 0.26), back), dark)]
        front = [*_framed(_level(camera, x, high, (z, back)), shade(color, 115)), (legs[2], dark), (legs[3], dark)]
        # All of it is behind whoever sits on it.
        front += [(_rectangle(camera, x, (high - 0.06, high), z), dark)]
        return [Part(back + 0.02, behind), Part(back, front)]
    if item.kind == 'table':
        back = z + TABLE_DEPTH_M
        top = _framed(_level(camera, x, high, (z, back)), shade(color, 125))
        front = _framed(_rectangle(camera, x, (0.0, high), z), color)
        front += [(_rectangle(camera, x, (high - 0.05, high), z), shade(color, 112))]
        doors = max(int(item.width_m / 0.45), 1)
        for door in range(doors):
            step = item.width_m / doors
            inner = (x[0] + door * step + 0.03, x[0] + (door + 1) * step - 0.03)
            front += [(_rectangle(camera, inner, (0.10, high - 0.10), z), shade(color, 88))]
            front += [(_rectangle(camera, (inner[1] - 0.06, inner[1] - 0.03), (0.45, 0.57), z), shade(color, 50))]
        return [Part(back, top), Part(z, front)]
    if item.kind == 'pillar':
        polygons = _framed(_rectangle(camera, x, (0.0, high), z), color)
        for begin, end, percent in ((0.06, 0.28, 118), (0.70, 1.0, 78)):
            band = (x[0] + begin * item.width_m, x[0] + end * item.width_m)
            polygons += [(_rectangle(camera, band, (0.0, high), z), shade(color, percent))]
        polygons += [(_rectangle(camera, (x[0] - 0.05, x[1] + 0.05), (0.0, 0.16), z), shade(color, 70))]
        return [Part(z, polygons)]
    if item.kind == 'sign':
        legs = [(_rectangle(camera, (a, a + 0.05), (0.0, high), z), (60, 60, 60)) for a in (x[0] + 0.05, x[1] - 0.10)]
        board = _framed(_rectangle(camera, x, (0.12 * high, high), z), color)
        board += [(_rectangle(camera, (x[0] + 0.05, x[1] - 0.05), (0.62 * high, 0.92 * high), z), shade(color, 160))]
        for row in (0.25, 0.35, 0.45):
            board += [
                (_rectangle(camera, (x[0] + 0.1, x[1] - 0.1), (row * high, row * high + 0.04), z), shade(color, 60))
            ]
        return [Part(z, [*legs, *board])]
    return [Part(z, _bush(item, camera, seed))]


def _bush(item: Furniture, camera: Camera, seed: int) -> list[tuple[np.ndarray, Color]]:
    """Return leaves of three greens that fill the rectangle of a bush."""
    rng = generator(seed, 31)
    low, high = camera.project(
        [(item.x_m - item.width_m / 2, item.height_m, item.z_m), (item.x_m + item.width_m / 2, 0.0, item.z_m)]
    )
    width, height = high - low
    radius = min(width, height) * 0.2
    block = np.stack(
        [
            low + radius * 0.5,
            [high[0] - radius * 0.5, low[1] + radius * 0.5],
            high - radius * 0.3,
            [low[0] + radius * 0.5, high[1] - radius * 0.3],
        ]
    )
    polygons = [(fixed(block), shade(item.color, 62))]
    columns, rows = max(int(width / radius) + 1, 2), max(int(height / radius) + 1, 2)
    for percent, share, size in ((50, 1.0, 1.0), (80, 0.9, 0.85), (100, 0.8, 0.7), (122, 0.5, 0.45)):
        for row in range(rows):
            for column in range(columns):
                jitter = rng.random(), rng.random(), rng.random()
                if jitter[2] > share:
                    continue
                r = radius * size
                x = low[0] + r + (width - 2 * r) * ((column + 0.8 * (jitter[0] - 0.5)) / (columns - 1))
                y = low[1] + r + (height - r) * ((row + 0.8 * (jitter[1] - 0.5)) / (rows - 1))
                centre = np.array([[min(max(x, low[0] + r), high[0] - r), min(max(y, low[1] + r), high[1] - r)]])
                polygons.append((hull(centre, np.array([r]), 12), shade(item.color, percent)))
    return polygons


def occluder_box(item: Furniture, camera: Camera) -> tuple[np.ndarray, float]:
    """Return what a thing hides: its (4,) float64 xyxy box in pixels at shift 0, and its distance in metres.

    A chair hides people with its back only, a table with its front.
    """
    half, bottom, top, z = item.width_m / 2, 0.0, item.height_m, item.z_m
    if item.kind == 'chair':
        z += SEAT_DEPTH_M
        bottom, top = top + 0.06, top + CHAIR_BACK_M
    elif item.kind == 'sign':
        bottom = 0.12 * top
    corners = camera.project([(item.x_m - half, top, z), (item.x_m + half, bottom, z)])
    return np.concatenate([corners[0], corners[1]]), z
