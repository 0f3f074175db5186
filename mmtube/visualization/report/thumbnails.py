"""Small pictures of people in films: the frame around a box, as JPEG that fits into a page."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

SIZE_PX = (320, 240)
CONTEXT = 2.2  # the crop is so many times as large as the box
LEAST_PX = 96  # height of the smallest crop
MAX_BYTES = 30 * 1024  # of the base64 text
LINE_RGB = (240, 228, 66)  # yellow on black is seen on every picture


@dataclass(frozen=True)
class Picture:
    """A JPEG.

    Args:
        jpeg (bytes): The file.
        width (int): Width in pixels.
        height (int): Height in pixels.
        note (str): What is odd about it, '' if nothing. Defaults to ''.
    """

    jpeg: bytes
    width: int
    height: int
    note: str = ''


def thumbnail(frame_bgr: np.ndarray, box_px: np.ndarray | None, size: tuple[int, int] = SIZE_PX) -> Picture:
    """Cut the surroundings of a box out of a frame and draw the box.

    The crop is as wide and high as ``size`` in proportion, 2.2 times as large as the box, at least 96 pixels high, and
    is moved into the frame; where the frame is smaller, the crop is what there is.

    Args:
        frame_bgr (np.ndarray): (H, W, 3) uint8.
        box_px (np.ndarray | None): (4,) xyxy in pixels of the frame; None shows the whole frame without a box.
        size (tuple[int, int]): Width and height of the picture at most. Defaults to (320, 240).

    Returns:
        Picture: At most 30 KiB as base64. Where the box is not in the frame, the whole frame with a note.
    """
    height, width = frame_bgr.shape[:2]
    note = ''
    if box_px is not None:
        box_px = np.asarray(box_px, np.float64)
        if (
            not np.isfinite(box_px).all()
            or (np.minimum(box_px[2:], (width, height)) <= np.maximum(box_px[:2], 0)).any()
        ):
            box_px, note = None, 'the box is not inside the frame'
    left, top, right, bottom = crop_window((width, height), box_px, size)
    crop = frame_bgr[top:bottom, left:right]
    zoom = min(size[0] / crop.shape[1], size[1] / crop.shape[0])
    shape = max(1, round(crop.shape[1] * zoom)), max(1, round(crop.shape[0] * zoom))
    image = cv2.resize(crop, shape, interpolation=cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC)
    if box_px is not None:
        ends = np.rint((box_px.reshape(2, 2) - (left, top)) * zoom).astype(int)
        # The outline of a half-open box; one that leaves the picture is drawn along its edge.
        start, end = np.clip(ends, 1, np.subtract(shape, 2)).tolist()
        cv2.rectangle(image, start, end, (0, 0, 0), 4)
        cv2.rectangle(image, start, end, LINE_RGB[::-1], 2)
    return encode(image, note)


def crop_window(
    frame_size: tuple[int, int], box_px: np.ndarray | None, size: tuple[int, int]
) -> tuple[int, int, int, int]:
    """Return what is cut out of a frame.

    Args:
        frame_size (tuple[int, int]): Width and height of the frame in pixels.
        box_px (np.ndarray | None): (4,) xyxy in pixels; None is the whole frame.
        size (tuple[int, int]): Width and height of the picture, for the proportion.

    Returns:
        tuple[int, int, int, int]: Left, top, right and bottom in pixels, half open, inside the frame.
    """
    width, height = frame_size
    if box_px is None:
        return 0, 0, width, height
    box_px = np.clip(np.asarray(box_px, np.float64), 0, [width, height, width, height])
    wide, high = (box_px[2:] - box_px[:2]) * CONTEXT
    high = max(high, wide * size[1] / size[0], LEAST_PX)
    wide = high * size[0] / size[1]
    ends = []
    for center, length, limit in zip((box_px[:2] + box_px[2:]) / 2, (wide, high), frame_size):
        length = min(round(length), limit)
        start = min(max(round(float(center) - length / 2), 0), limit - length)
        ends.append((start, start + length))
    return ends[0][0], ends[1][0], ends[0][1], ends[1][1]


def encode(image_bgr: np.ndarray, note: str = '') -> Picture:
    """Return an image as JPEG of at most 30 KiB of base64: coarser until it fits, then smaller.

    Args:
        image_bgr (np.ndarray): (H, W, 3) uint8.
        note (str): See :class:`Picture`. Defaults to ''.
    """
    while True:
        for quality in (88, 80, 70, 55, 40):
            jpeg = cv2.imencode('.jpg', image_bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
            if -(-len(jpeg) // 3) * 4 <= MAX_BYTES:
                return Picture(jpeg, image_bgr.shape[1], image_bgr.shape[0], note)
        image_bgr = cv2.resize(image_bgr, None, fx=0.75, fy=0.75, interpolation=cv2.INTER_AREA)
