"""Box geometry on arrays: xyxy in pixels, half open, so that width is ``x2 - x1``."""

from __future__ import annotations

import numpy as np


def _columns(boxes: np.ndarray) -> np.ndarray:
    """Return boxes as (N, 4) floats; a float dtype is kept, any other becomes float64."""
    boxes = np.asarray(boxes)
    if boxes.size == 0:
        boxes = boxes.reshape(0, 4)
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ValueError(f'boxes must have shape (N, 4), got {boxes.shape}')
    return boxes if boxes.dtype.kind == 'f' else boxes.astype(np.float64)


def _frame_size(width: float, height: float) -> tuple[float, float]:
    if not (width > 0 and height > 0):
        raise ValueError(f'frame size must be positive, got {width} x {height}')
    return float(width), float(height)


def box_centers(boxes: np.ndarray) -> np.ndarray:
    """Return the middle of each box.

    Args:
        boxes (np.ndarray): (N, 4) xyxy.

    Returns:
        np.ndarray: (N, 2) x and y, in the float dtype of the boxes.
    """
    boxes = _columns(boxes)
    return (boxes[:, :2] + boxes[:, 2:]) / 2


def box_areas(boxes: np.ndarray) -> np.ndarray:
    """Return the area of each box; a reversed box has none.

    Args:
        boxes (np.ndarray): (N, 4) xyxy.

    Returns:
        np.ndarray: (N,), in the float dtype of the boxes.
    """
    boxes = _columns(boxes)
    return np.maximum(boxes[:, 2:] - boxes[:, :2], 0).prod(axis=1)


def clip_boxes(boxes: np.ndarray, width: float, height: float) -> np.ndarray:
    """Cut boxes at the frame; one that lies outside is left without area on the border.

    Args:
        boxes (np.ndarray): (N, 4) xyxy in the unit of ``width`` and ``height``.
        width (float): Frame width.
        height (float): Frame height.

    Returns:
        np.ndarray: (N, 4), a new array in the float dtype of the boxes.

    Raises:
        ValueError: If the frame size is not positive.
    """
    boxes = _columns(boxes)
    width, height = _frame_size(width, height)
    return np.clip(boxes, 0, np.array([width, height, width, height], boxes.dtype))


def _area(boxes: np.ndarray) -> np.ndarray:
    size = np.maximum(boxes[..., 2:] - boxes[..., :2], 0)
    return size[..., 0] * size[..., 1]  # prod() over two columns takes many times as long


def _intersection(boxes_a: np.ndarray, boxes_b: np.ndarray) -> np.ndarray:
    top_left = np.maximum(boxes_a[..., :2], boxes_b[..., :2])
    bottom_right = np.minimum(boxes_a[..., 2:], boxes_b[..., 2:])
    size = np.maximum(bottom_right - top_left, 0)
    return size[..., 0] * size[..., 1]


def _iou(boxes_a: np.ndarray, boxes_b: np.ndarray) -> np.ndarray:
    """IoU of float64 boxes (..., 4) that broadcast against each other; 0 where the union has no area."""
    inter = _intersection(boxes_a, boxes_b)
    union = _area(boxes_a) + _area(boxes_b) - inter
    return np.divide(inter, union, out=np.zeros_like(union), where=union > 0)


def box_iou(boxes_a: np.ndarray, boxes_b: np.ndarray) -> np.ndarray:
    """Return the IoU of every box of one set with every box of another.

    Computed in float64, without the +1 of inclusive pixels and without an epsilon: equal boxes give exactly 1, boxes
    without area give 0.

    Args:
        boxes_a (np.ndarray): (N, 4) xyxy.
        boxes_b (np.ndarray): (M, 4) xyxy.

    Returns:
        np.ndarray: (N, M) float64 in [0, 1].
    """
    boxes_a, boxes_b = _columns(boxes_a).astype(np.float64), _columns(boxes_b).astype(np.float64)
    return _iou(boxes_a[:, None], boxes_b[None])


def box_overlap(boxes_a: np.ndarray, boxes_b: np.ndarray) -> np.ndarray:
    """Return, for every pair, the share of the smaller box that lies inside the larger one.

    Args:
        boxes_a (np.ndarray): (N, 4) xyxy.
        boxes_b (np.ndarray): (M, 4) xyxy.

    Returns:
        np.ndarray: (N, M) float64 in [0, 1]; 1 for a box inside another, 0 where the smaller box has no area.
    """
    boxes_a, boxes_b = _columns(boxes_a).astype(np.float64)[:, None], _columns(boxes_b).astype(np.float64)[None]
    inter = _intersection(boxes_a, boxes_b)
    smaller = np.minimum(_area(boxes_a), _area(boxes_b))
    return np.divide(inter, smaller, out=np.zeros_like(inter), where=smaller > 0)


def paired_box_iou(boxes_a: np.ndarray, boxes_b: np.ndarray) -> np.ndarray:
    """Return the IoU of the boxes of two sets row by row, by the rules of :func:`box_iou`.

    Args:
        boxes_a (np.ndarray): (N, 4) xyxy.
        boxes_b (np.ndarray): (N, 4) xyxy.

    Returns:
        np.ndarray: (N,) float64 in [0, 1].

    Raises:
        ValueError: If the sets differ in length.
    """
    boxes_a, boxes_b = _columns(boxes_a).astype(np.float64), _columns(boxes_b).astype(np.float64)
    if len(boxes_a) != len(boxes_b):
        raise ValueError(f'{len(boxes_a)} boxes cannot be paired with {len(boxes_b)}')
    return _iou(boxes_a, boxes_b)


def xyxy_to_xywh(boxes: np.ndarray) -> np.ndarray:
    """Turn corners into left, top, width, height.

    Args:
        boxes (np.ndarray): (N, 4) xyxy.

    Returns:
        np.ndarray: (N, 4), in the float dtype of the boxes.
    """
    boxes = _columns(boxes)
    return np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)


def xywh_to_xyxy(boxes: np.ndarray) -> np.ndarray:
    """Turn left, top, width, height into corners.

    Args:
        boxes (np.ndarray): (N, 4) xywh.

    Returns:
        np.ndarray: (N, 4), in the float dtype of the boxes.
    """
    boxes = _columns(boxes)
    return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)


def xyxy_to_cxcyah(boxes: np.ndarray) -> np.ndarray:
    """Turn corners into centre x, centre y, aspect ratio (width / height), height: what DeepSORT's filter measures.

    Args:
        boxes (np.ndarray): (N, 4) xyxy with a positive height.

    Returns:
        np.ndarray: (N, 4), in the float dtype of the boxes.

    Raises:
        ValueError: If a box has no height, so that its aspect ratio is undefined.
    """
    boxes = _columns(boxes)
    size = boxes[:, 2:] - boxes[:, :2]
    if not (size[:, 1] > 0).all():
        raise ValueError('a box without height has no aspect ratio')
    turned = np.empty_like(boxes)  # filled in place: trackers do this for every frame
    np.add(boxes[:, :2], boxes[:, 2:], out=turned[:, :2])
    turned[:, :2] /= 2
    np.divide(size[:, 0], size[:, 1], out=turned[:, 2])
    turned[:, 3] = size[:, 1]
    return turned


def cxcyah_to_xyxy(boxes: np.ndarray) -> np.ndarray:
    """Turn centre x, centre y, aspect ratio (width / height), height into corners.

    Args:
        boxes (np.ndarray): (N, 4) cxcyah.

    Returns:
        np.ndarray: (N, 4), in the float dtype of the boxes.
    """
    boxes = _columns(boxes)
    half = np.stack([boxes[:, 2] * boxes[:, 3], boxes[:, 3]], axis=1) / 2
    return np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], axis=1)


def normalize_boxes(boxes_px: np.ndarray, width: float, height: float) -> np.ndarray:
    """Turn pixels into fractions of the frame.

    Args:
        boxes_px (np.ndarray): (N, 4) xyxy in pixels.
        width (float): Frame width in pixels.
        height (float): Frame height in pixels.

    Returns:
        np.ndarray: (N, 4), in the float dtype of the boxes; not clipped.

    Raises:
        ValueError: If the frame size is not positive.
    """
    boxes_px = _columns(boxes_px)
    width, height = _frame_size(width, height)
    return boxes_px / np.array([width, height, width, height], boxes_px.dtype)


def denormalize_boxes(boxes: np.ndarray, width: float, height: float) -> np.ndarray:
    """Turn fractions of the frame into pixels.

    Args:
        boxes (np.ndarray): (N, 4) xyxy as fractions.
        width (float): Frame width in pixels.
        height (float): Frame height in pixels.

    Returns:
        np.ndarray: (N, 4) in pixels, in the float dtype of the boxes; not clipped.

    Raises:
        ValueError: If the frame size is not positive.
    """
    boxes = _columns(boxes)
    width, height = _frame_size(width, height)
    return boxes * np.array([width, height, width, height], boxes.dtype)
