"""Boxes of persons that a detector found, in the file that AVA's tools exchange."""

from __future__ import annotations

from typing import Any

import numpy as np

from mmtube.errors import InputError


def ava_proposals(content: Any, path: str, min_score: float) -> dict[str, np.ndarray]:
    """Check proposals and keep the confident ones.

    Args:
        content (Any): ``{'vid,0902': (m, 4 or 5)}``, xyxy as fractions of the frame and the score.
        path (str): Where it comes from, for messages.
        min_score (float): Boxes with a lower score are left out; where all have a lower one the best stays.

    Returns:
        dict[str, np.ndarray]: (m, 5) float32 by image key, the score 1 where the file has none.

    Raises:
        InputError: If the content is of another form, or boxes are in pixels.
    """
    if not isinstance(content, dict):
        raise InputError(f'{path}: must hold a dict of boxes by image key, not a {type(content).__name__}')
    found = {}
    for key, boxes in content.items():
        boxes = np.asarray(boxes)
        if not isinstance(key, str) or boxes.dtype.kind not in 'fiu' or boxes.ndim != 2 or boxes.shape[1] not in (4, 5):
            raise InputError(f'{path}: {key!r}: must be an array of 4 or 5 columns, not {boxes.dtype} {boxes.shape}')
        boxes = boxes.astype(np.float32)
        if len(boxes) and not (boxes[:, :4].min() >= -0.01 and boxes[:, :4].max() <= 1.01):  # NaN fails both
            worst = boxes[np.argmax(np.abs(boxes[:, :4] - 0.5).max(axis=1)), :4]
            raise InputError(f'{path}: {key!r}: box {worst.tolist()} is in pixels, fractions of the frame are needed')
        scores = boxes[:, 4] if boxes.shape[1] == 5 else np.ones(len(boxes), np.float32)
        keep = scores >= min(min_score, scores.max(initial=0))
        found[key] = np.concatenate([boxes[:, :4], scores[:, None]], axis=1)[keep]
    return found
