"""Smooth text and panels on BGR images, cut at the edge of the image."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np


@lru_cache(maxsize=64)
def _font(size_px: int, bold: bool):
    import matplotlib
    from PIL import ImageFont

    # Matplotlib brings this font along: the text looks the same on every machine and knows accents and Greek.
    name = 'DejaVuSans-Bold.ttf' if bold else 'DejaVuSans.ttf'
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / 'fonts' / 'ttf' / name), size_px)


@lru_cache(maxsize=4096)
def text_mask(text: str, size_px: int, bold: bool = False, max_width_px: int = 10_000) -> np.ndarray:
    """Return the coverage of one line of text.

    Args:
        text (str): What to write; cut with an ellipsis where it is too wide.
        size_px (int): Font size in pixels.
        bold (bool): Whether to write bold. Defaults to False.
        max_width_px (int): Defaults to 10000.

    Returns:
        np.ndarray: (H, W) uint8, H the same for all texts of one size; W is 0 where not even the ellipsis fits.
    """
    from PIL import Image, ImageDraw

    font = _font(size_px, bold)
    ascent, descent = font.getmetrics()
    text = ' '.join(text.split())
    shown = text
    while shown and round(font.getlength(shown)) > max_width_px:
        text = text[:-1]
        shown = f'{text.rstrip()}…' if text else ''
    image = Image.new('L', (max(1, round(font.getlength(shown))), ascent + descent))
    ImageDraw.Draw(image).text((0, ascent), shown, fill=255, font=font, anchor='ls')
    mask = np.asarray(image)[:, : len(shown) and None]
    mask.setflags(write=False)
    return mask


@lru_cache(maxsize=1024)
def rounded_mask(width: int, height: int, radius: int) -> np.ndarray:
    """Return the coverage of a rectangle with round corners, (height, width) uint8."""
    x = np.maximum(np.abs(np.arange(width) + 0.5 - width / 2) - (width / 2 - radius), 0)
    y = np.maximum(np.abs(np.arange(height) + 0.5 - height / 2) - (height / 2 - radius), 0)
    inside = np.clip(radius - np.hypot(y[:, None], x) + 0.5, 0, 1)
    mask = np.round(255 * inside).astype(np.uint8)
    mask.setflags(write=False)
    return mask


def blend(image: np.ndarray, mask: np.ndarray, x: int, y: int, rgb: tuple[int, int, int], opacity: float = 1.0) -> None:
    """Paint a colour through a mask, in place; what lies outside the image is left out.

    Args:
        image (np.ndarray): (H, W, 3) uint8 BGR.
        mask (np.ndarray): (h, w) uint8 coverage.
        x (int): Column of the mask's left edge in the image.
        y (int): Row of the mask's upper edge in the image.
        rgb (tuple[int, int, int]): Colour.
        opacity (float): Of the whole mask, in [0, 1]. Defaults to 1.
    """
    mask = mask[max(0, -y) : max(0, image.shape[0] - y), max(0, -x) : max(0, image.shape[1] - x)]
    if not mask.size:
        return
    x, y = max(0, x), max(0, y)
    part = image[y : y + mask.shape[0], x : x + mask.shape[1]]
    share = (mask.astype(np.uint16) * round(256 * opacity) >> 8)[..., None]  # 16 bits hold 255 * 255 + 127
    part[...] = (part * (255 - share) + np.array(rgb[::-1], np.uint16) * share + 127) // 255


def fill(image: np.ndarray, box: tuple[int, int, int, int], rgb: tuple[int, int, int], opacity: float = 1.0) -> None:
    """Paint a half-open rectangle ``(x1, y1, x2, y2)``, in place and cut at the edge of the image."""
    x1, y1, x2, y2 = (max(0, value) for value in box)
    part = image[y1:y2, x1:x2]
    if opacity == 1:
        part[...] = rgb[::-1]
    elif part.size:
        part[...] = cv2.addWeighted(part, 1 - opacity, np.full_like(part, rgb[::-1]), opacity, 0)
