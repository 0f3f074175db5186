"""Pieces of a frame, cut and resized in one way wherever a network is trained on them or applied to them."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

CHANNEL_ORDERS = ('rgb', 'bgr')


def cut_boxes(image: np.ndarray, boxes_px: np.ndarray) -> list[np.ndarray | None]:
    """Cut boxes out of a frame.

    Corners are rounded to whole pixels and clipped to the frame, as DeepSORT cuts the patches that it describes
    (Wojke et al., arXiv 1703.07402), but the box keeps its own width.

    Args:
        image (np.ndarray): (H, W, C) of any dtype.
        boxes_px (np.ndarray): (N, 4) xyxy in pixels, half open.

    Returns:
        list[np.ndarray | None]: Per box a view (h, w, C) of the frame; None for a box without a pixel inside it and
        for one with a corner that is not finite.

    Examples:
        >>> frame = np.zeros((10, 20, 3), np.uint8)
        >>> [crop.shape for crop in cut_boxes(frame, np.array([[-5, 2, 4.4, 8.6]])) if crop is not None]
        [(7, 4, 3)]
    """
    height, width = image.shape[:2]
    boxes = np.asarray(boxes_px, np.float64).reshape(-1, 4)
    usable = np.isfinite(boxes).all(axis=1)
    corners = np.where(usable[:, None], boxes, 0).round().clip(0, [width, height, width, height]).astype(np.int64)
    usable &= (corners[:, 2:] > corners[:, :2]).all(axis=1)
    return [image[y1:y2, x1:x2] if use else None for (x1, y1, x2, y2), use in zip(corners.tolist(), usable.tolist())]


def resize_crop(crop: np.ndarray, size: Sequence[int], order: str = 'rgb') -> np.ndarray:
    """Bring a crop to the size and the order of channels that a network takes.

    Args:
        crop (np.ndarray): (h, w, 3) uint8 BGR with at least one pixel.
        size (Sequence[int]): Height and width in pixels.
        order (str): ``'rgb'`` or ``'bgr'``. Defaults to 'rgb'.

    Returns:
        np.ndarray: (height, width, 3) uint8, bilinear.

    Raises:
        ValueError: If ``order`` is unknown.
    """
    if order not in CHANNEL_ORDERS:
        raise ValueError(f'order must be one of {CHANNEL_ORDERS}, got {order!r}')
    height, width = size
    resized = cv2.resize(crop, (width, height), interpolation=cv2.INTER_LINEAR)
    return cv2.cvtColor(resized, cv2.COLOR_BGR2RGB) if order == 'rgb' else resized
