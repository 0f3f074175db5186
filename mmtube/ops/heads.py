"""Whether a head can be in sight, from boxes alone."""

from __future__ import annotations

import numpy as np

HEAD_WIDTH, HEAD_HEIGHT = 0.5, 0.15  # of the box of a person who stands, about its upper middle
BODY_WIDTH = 0.6  # of a box that the body in it hides what is behind
NEARER = 0.03  # of the height of a box: how much lower the box of somebody in front ends


def heads_in_sight(
    boxes_px: np.ndarray, pictures: np.ndarray, *, edge_px: float = 0.0, max_covered: float = 0.5
) -> np.ndarray:
    """Guess for each box whether the head is to be seen. This is a proxy that needs no network.

    The head is taken to be in the upper middle of the box. It is out of sight where the box begins at the upper edge of
    the frame, because the person then goes on above it, or where the body of another box in front covers it; in front
    is whose box ends lower, as is so on level ground with a camera at the height of a person. It misses heads that turn
    away, bend down or are behind furniture, and people who are not detected; and it is wrong on stairs.

    Args:
        boxes_px (np.ndarray): (N, 4) xyxy in pixels of all people, not of the subjects only.
        pictures (np.ndarray): (N,) int64 number of each box's picture, different for different films.
        edge_px (float): A box that begins above this line is cut off. Defaults to 0.
        max_covered (float): Share of the head's area from which on it counts as covered. Defaults to 0.5.

    Returns:
        np.ndarray: (N,) bool.

    Examples:
        >>> behind, in_front, cut_off = [10, 10, 30, 60], [8, 5, 32, 80], [50, 0, 70, 40]
        >>> heads_in_sight(np.array([behind, in_front, cut_off]), np.zeros(3, np.int64)).tolist()
        [False, True, False]
    """
    boxes = np.asarray(boxes_px, np.float64).reshape(-1, 4)
    order = np.argsort(pictures, kind='stable')
    picture, (x1, y1, x2, y2) = np.asarray(pictures)[order], boxes[order].T
    middle, width, height = (x1 + x2) / 2, x2 - x1, y2 - y1
    left, right = middle - width * HEAD_WIDTH / 2, middle + width * HEAD_WIDTH / 2
    chin = y1 + height * HEAD_HEIGHT
    body_left, body_right = middle - width * BODY_WIDTH / 2, middle + width * BODY_WIDTH / 2
    area = (right - left) * (chin - y1)
    covered = np.zeros(len(order))
    for distance in range(1, len(order)):
        together = np.flatnonzero(picture[distance:] == picture[:-distance])
        if not len(together):
            break
        for here, there in ((together, together + distance), (together + distance, together)):
            in_front = y2[there] > y2[here] + NEARER * height[here]
            across = np.minimum(right[here], body_right[there]) - np.maximum(left[here], body_left[there])
            down = np.minimum(chin[here], y2[there]) - np.maximum(y1[here], y1[there])
            share = across.clip(0) * down.clip(0) * in_front / np.maximum(area[here], 1e-9)
            covered[here] = np.maximum(covered[here], share)
    seen = np.empty(len(order), bool)
    seen[order] = (y1 > edge_px) & (covered < max_covered)
    return seen
