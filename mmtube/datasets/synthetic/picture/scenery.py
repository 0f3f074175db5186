"""The backdrops of the five scenes, in colours that are calmer than the people."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..figures.geometry import Camera
from ..numerics import generator
from ..script import Color
from .brush import Brush
from .outlines import shade

MARGIN_PX = (80, 24)
WALL_M = 10.0  # people are nearer than this
GLASS: tuple[Color, ...] = ((150, 135, 115), (165, 150, 130), (130, 118, 104))


def _room(brush: Brush, wall: Color, floor: Color, skirting: Color) -> float:
    """Paint an empty room; return half the width of its wall."""
    half = brush.half_width_m(WALL_M)
    edge = brush.ground_row(WALL_M)
    brush.gradient(shade(wall, 106), shade(wall, 94), (0, edge + 1))
    brush.gradient(shade(floor, 82), floor, (edge, brush.height))
    brush.wall((-half, half), (0.0, 0.14), WALL_M, skirting)
    return half


def _window(brush: Brush, x: tuple[float, float], y: tuple[float, float], z: float, frame: Color) -> None:
    """Paint a window with a cross."""
    brush.wall((x[0] - 0.08, x[1] + 0.08), (y[0] - 0.08, y[1] + 0.08), z, frame)
    glass = brush.pick(GLASS)
    brush.wall(x, y, z, glass)
    brush.fill([(x[0], y[1], z), (x[0], y[0], z), (x[0] + 0.55 * (x[1] - x[0]), y[1], z)], shade(glass, 118))
    middle, across = (x[0] + x[1]) / 2, y[0] + 0.6 * (y[1] - y[0])
    brush.wall((middle - 0.03, middle + 0.03), y, z, frame)
    brush.wall(x, (across - 0.03, across + 0.03), z, frame)


def _street(brush: Brush) -> None:
    """Paint houses behind a road."""
    houses_m = 13.0
    edge = brush.ground_row(houses_m)
    brush.gradient((215, 190, 160), (225, 218, 210), (0, edge))
    brush.gradient((140, 145, 148), (165, 168, 170), (edge, brush.height))
    half = brush.half_width_m(houses_m)
    x = -half - brush.chance(0.0, 3.0)
    while x < half:
        wide, high = brush.chance(4.0, 6.5), brush.chance(5.5, 9.0)
        color = brush.pick(((150, 170, 190), (165, 180, 185), (140, 155, 180), (175, 175, 170), (150, 165, 160)))
        brush.wall((x, x + wide), (0.0, high), houses_m, color)
        brush.wall((x, x + 0.12), (0.0, high), houses_m, shade(color, 80))
        brush.wall((x - 0.1, x + wide + 0.1), (high, high + 0.5), houses_m, shade(color, 62))
        brush.wall((x, x + wide), (0.0, 0.5), houses_m, shade(color, 75))
        columns = int(wide / 1.6)
        for column in range(columns):
            left = x + 0.5 + column * (wide - 0.6) / columns
            if column == columns // 2:
                door = brush.pick(((70, 80, 110), (80, 95, 75), (90, 75, 70)))
                brush.wall((left, left + 1.0), (0.0, 2.1), houses_m, shade(door, 70))
                brush.wall((left + 0.08, left + 0.92), (0.0, 2.02), houses_m, door)
            for floor in range(int(high / 2.7)):
                low = 1.0 + 2.7 * floor
                if floor or column != columns // 2:
                    _window(brush, (left, left + 0.95), (low, low + 1.35), houses_m, (205, 208, 210))
        x += wide + brush.chance(0.0, 0.6)
    road = (112, 112, 110)
    brush.floor((-40.0, 40.0), (8.2, 10.6), (128, 130, 130))
    brush.floor((-40.0, 40.0), (6.6, 10.2), road)
    brush.grain((brush.ground_row(10.2), brush.ground_row(6.6)), 5)
    for dash in range(-12, 13):
        brush.floor((dash * 2.4, dash * 2.4 + 1.1), (8.25, 8.42), (190, 192, 192))
    brush.floor((-40.0, 40.0), (6.4, 6.6), (185, 188, 190))
    for row in range(9):
        z = 6.4 - row * 0.7
        brush.floor((-40.0, 40.0), (z - 0.03, z), (146, 149, 152))
    for column in range(-10, 11):
        brush.floor((column * 1.4, column * 1.4 + 0.03), (0.5, 6.4), (148, 151, 154))
    brush.grain((brush.ground_row(6.4), brush.height), 4)
    lamp = brush.chance(-4.0, 4.0)
    brush.wall((lamp - 0.06, lamp + 0.06), (0.0, 5.0), 11.0, (75, 75, 72))
    brush.ball((lamp, 5.1, 11.0), 0.22, (205, 225, 230))


def _park(brush: Brush) -> None:
    """Paint trees and a path through grass."""
    edge = brush.ground_row(40.0)
    brush.gradient((220, 190, 150), (230, 222, 208), (0, edge + 1))
    for _ in range(5):
        x, y = brush.chance(-22.0, 22.0), brush.chance(9.0, 17.0)
        for _ in range(6):
            spot = (x + brush.chance(-2.5, 2.5), y + brush.chance(-0.4, 0.4), 40.0)
            brush.ball(spot, brush.chance(0.5, 1.1), (236, 232, 226))
    brush.gradient((105, 150, 120), (95, 165, 130), (edge, brush.height))
    half = brush.half_width_m(30.0)
    x = -half
    while x < half:
        wide = brush.chance(3.0, 6.0)
        brush.crown((x, x + wide), (0.0, brush.chance(3.5, 6.0)), 30.0, (95, 135, 105), 16)
        x += wide * 0.7
    brush.grain((edge, brush.height), 6)
    path = (150, 178, 190)
    brush.floor((-40.0, 40.0), (6.8, 9.6), shade(path, 88))
    brush.floor((-40.0, 40.0), (6.9, 9.5), path)
    brush.grain((brush.ground_row(9.6), brush.ground_row(6.8)), 4)
    for _ in range(6):
        z = brush.chance(11.0, 19.0)
        x, high = brush.chance(-1.0) * brush.half_width_m(z), brush.chance(4.5, 7.0)
        bark = (70, 88, 108)
        brush.fill([(x - 0.22, 0.0, z), (x + 0.22, 0.0, z), (x + 0.13, high * 0.6, z), (x - 0.13, high * 0.6, z)], bark)
        leaves = brush.pick(((85, 140, 100), (80, 150, 125), (95, 130, 90)))
        brush.crown((x - 0.33 * high, x + 0.33 * high), (0.36 * high, high), z, leaves)
    for _ in range(60):
        z = brush.chance(3.2, 9.0)
        blade = brush.chance(-1.0) * brush.half_width_m(z), 0.05, z
        brush.ball(blade, 0.035, brush.pick(((120, 200, 215), (215, 215, 225), (80, 145, 110), (80, 145, 110))))
    x = brush.chance(-4.0, 4.0)
    for z, y in ((10.6, 0.42), (10.8, 0.62), (10.8, 0.80)):
        brush.wall((x - 0.9, x + 0.9), (y, y + 0.12), z, (85, 115, 145))
    for leg in (-0.75, 0.7):
        brush.wall((x + leg, x + leg + 0.08), (0.0, 0.45), 10.6, (70, 72, 75))


def _gym(brush: Brush) -> None:
    """Paint a hall with wall bars and a court."""
    half = _room(brush, (185, 200, 208), (125, 160, 190), (105, 120, 135))
    brush.wall((-half, half), (2.9, 3.1), WALL_M, (150, 135, 110))
    for plank in range(-30, 31):
        brush.floor((plank * 0.5, plank * 0.5 + 0.02), (0.5, WALL_M), (108, 142, 172))
    x = -half + brush.chance(0.0, 1.5)
    while x < half:
        for side in (0.0, 1.9):
            brush.wall((x + side, x + side + 0.1), (0.1, 2.7), WALL_M, (95, 130, 165))
        for rung in range(12):
            brush.wall((x, x + 2.0), (0.25 + 0.2 * rung, 0.31 + 0.2 * rung), WALL_M, (110, 148, 182))
        x += brush.chance(2.6, 4.2)
    for number in range(-3, 4):
        _window(brush, (number * 3.2 - 1.1, number * 3.2 + 1.1), (4.2, 5.6), WALL_M, (165, 175, 180))
    hoop = brush.chance(-3.0, 3.0)
    brush.wall((hoop - 0.95, hoop + 0.95), (2.75, 3.9), WALL_M - 0.3, (225, 228, 230))
    brush.wall((hoop - 0.3, hoop + 0.3), (2.95, 3.4), WALL_M - 0.3, (120, 120, 200))
    brush.wall((hoop - 0.24, hoop + 0.24), (2.95, 3.4), WALL_M - 0.3, (225, 228, 230))
    brush.wall((hoop - 0.25, hoop + 0.25), (2.92, 2.98), WALL_M - 0.5, (70, 110, 200))
    line = brush.pick(((205, 210, 212), (150, 120, 90), (95, 150, 105)))
    z = brush.chance(4.8, 6.8)
    brush.floor((-40.0, 40.0), (z, z + 0.07), line)
    middle = brush.chance(-1.5, 1.5)
    brush.floor((middle - 0.035, middle + 0.035), (0.5, WALL_M), line)
    brush.grain((brush.ground_row(WALL_M), brush.height), 3)


def _kitchen(brush: Brush) -> None:
    """Paint cupboards over and under a worktop, tiles between."""
    half = _room(brush, (190, 205, 205), (165, 172, 175), (140, 145, 148))
    tile = 0.30
    for row in range(7):
        brush.wall((-half, half), (0.9 + tile * row, 0.92 + tile * row), WALL_M, (172, 186, 186))
    columns = int(half / tile) + 1
    for column in range(-columns, columns + 1):
        brush.wall((column * tile, column * tile + 0.02), (0.9, 2.7), WALL_M, (172, 186, 186))
    for row in range(16):
        for column in range(-14, 14):
            if (row + column) % 2:
                size = 0.75
                spot = (column * size, (column + 1) * size), (WALL_M - (row + 1) * size, WALL_M - row * size)
                brush.floor(*spot, (148, 156, 160))
    doors = brush.pick(((170, 185, 175), (150, 170, 190), (185, 175, 160)))
    z = WALL_M - 0.6
    x = -brush.half_width_m(z)
    window = brush.chance(-3.0, 3.0)
    _window(brush, (window - 1.0, window + 1.0), (1.35, 2.7), WALL_M, (215, 218, 220))
    while x < half:
        wide = brush.chance(0.75, 1.05)
        brush.wall((x, x + wide), (0.1, 0.86), z, shade(doors, 72))
        brush.wall((x + 0.03, x + wide - 0.03), (0.13, 0.83), z, doors)
        brush.wall((x + wide - 0.16, x + wide - 0.1), (0.6, 0.72), z, (95, 100, 105))
        if abs(x + wide / 2 - window) > 1.6:
            brush.wall((x, x + wide), (1.75, 2.65), WALL_M - 0.35, shade(doors, 72))
            brush.wall((x + 0.03, x + wide - 0.03), (1.78, 2.62), WALL_M - 0.35, shade(doors, 106))
            brush.wall((x + wide - 0.16, x + wide - 0.1), (1.85, 1.97), WALL_M - 0.35, (95, 100, 105))
        x += wide
    brush.wall((-half, half), (0.86, 0.93), z - 0.03, (120, 130, 140))
    fridge = brush.chance(3.0, 4.5) * (1.0 if window < 0 else -1.0)
    brush.wall((fridge - 0.42, fridge + 0.42), (0.0, 1.85), z - 0.1, (150, 152, 152))
    brush.wall((fridge - 0.39, fridge + 0.39), (0.05, 1.15), z - 0.1, (208, 210, 210))
    brush.wall((fridge - 0.39, fridge + 0.39), (1.19, 1.82), z - 0.1, (212, 214, 214))
    for number in range(4):
        pot = brush.chance(-4.0, 4.0)
        wide = brush.chance(0.1, 0.2)
        color = brush.pick(((120, 125, 130), (110, 120, 170), (160, 140, 110)))
        brush.wall((pot - wide, pot + wide), (0.93, 1.05 + 0.05 * number), z, color)
    brush.grain((brush.ground_row(WALL_M), brush.height), 3)


def _office(brush: Brush) -> None:
    """Paint windows, pictures, a shelf and plants."""
    half = _room(brush, (205, 200, 190), (140, 132, 125), (165, 160, 152))
    x = -half + brush.chance(-1.0, 1.0)
    while x < half:
        what = brush.rng.random()
        if what < 0.45:
            _window(brush, (x + 0.3, x + 2.4), (0.9, 2.9), WALL_M, (222, 222, 220))
            for slat in range(5):
                brush.wall((x + 0.3, x + 2.4), (2.42 + 0.1 * slat, 2.47 + 0.1 * slat), WALL_M, (210, 208, 200))
            x += 2.9
        elif what < 0.70:
            shelf = (105, 130, 150)
            brush.wall((x + 0.2, x + 2.0), (0.0, 2.2), WALL_M - 0.3, shade(shelf, 75))
            for board in range(4):
                low = 0.12 + 0.52 * board
                brush.wall((x + 0.26, x + 1.94), (low, low + 0.46), WALL_M - 0.3, shade(shelf, 50))
                book = x + 0.28
                while book < x + 1.80:
                    wide, high = brush.chance(0.06, 0.14), brush.chance(0.28, 0.42)
                    color = brush.pick(
                        ((110, 110, 160), (150, 130, 100), (115, 150, 120), (165, 170, 172), (90, 95, 110))
                    )
                    brush.wall((book, book + wide), (low, low + high), WALL_M - 0.3, color)
                    book += wide + 0.015
            x += 2.4
        else:
            color = brush.pick(((160, 150, 130), (150, 165, 170), (135, 160, 145)))
            high = brush.chance(0.7, 1.0)
            brush.wall((x + 0.3, x + 1.5), (1.35, 1.42 + high), WALL_M, (80, 90, 100))
            brush.wall((x + 0.36, x + 1.44), (1.41, 1.36 + high), WALL_M, color)
            brush.fill([(x + 0.36, 1.41, WALL_M), (x + 1.44, 1.41, WALL_M), (x + 0.95, 1.75, WALL_M)], shade(color, 70))
            x += 1.9
    for _ in range(3):
        z = WALL_M - 0.6
        x = brush.chance(-1.0) * (half - 1.0)
        brush.crown((x - 0.45, x + 0.45), (0.45, 1.5), z, (90, 135, 100), 22)
        pot = [(x - 0.16, 0.0, z), (x + 0.16, 0.0, z), (x + 0.23, 0.5, z), (x - 0.23, 0.5, z)]
        brush.fill(pot, (120, 135, 165))
    for row in range(12):
        z = WALL_M - row * 0.8
        brush.floor((-40.0, 40.0), (z - 0.03, z), (130, 122, 116))
    brush.grain((brush.ground_row(WALL_M), brush.height), 5)


PAINTERS: dict[str, Callable[[Brush], None]] = {
    'street': _street,
    'park': _park,
    'gym': _gym,
    'kitchen': _kitchen,
    'office': _office,
}


def backdrop(
    scene: str, seed: int, camera: Camera, size: tuple[int, int], margin_px: tuple[int, int] = MARGIN_PX
) -> np.ndarray:
    """Paint the backdrop of a shot; it is larger than the picture, so that the camera can move.

    Args:
        scene (str): One of :data:`~..script.SCENES`.
        seed (int): Of the details.
        camera (Camera): The camera, without its shift.
        size (tuple[int, int]): Width and height of the picture in pixels.
        margin_px (tuple[int, int]): How much further it goes to the left and right, and up and down. Defaults to
            (80, 24).

    Returns:
        np.ndarray: (H, W, 3) uint8 BGR with the margins.

    Raises:
        ValueError: If there is no such scene.
    """
    if scene not in PAINTERS:
        raise ValueError(f'scene must be one of {tuple(PAINTERS)}, got {scene!r}')
    brush = Brush(camera, size, margin_px, generator(seed, 555))
    PAINTERS[scene](brush)
    return brush.finished()
