"""Boxes of persons that a detector found: the file that AVA's tools exchange, and which boxes are confident."""

from __future__ import annotations

from typing import Any

import numpy as np

from mmtube.errors import InputError

from .clip_index import ClipIndex


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


def confident_rows(index: ClipIndex, min_score: float) -> np.ndarray:
    """Return the rows of a clip index to propose: those with a confident box at the key time.

    Args:
        index (ClipIndex): Clips of tubelets that a tracker made.
        min_score (float): Rows with a lower score are left out; where all rows of a clip have a lower one the best
            stays, the first of several. Scores are compared as float16, which is what files hold.

    Returns:
        np.ndarray: (R,) bool.
    """
    keep = index.key_valid & (index.key_scores >= np.float16(min_score))
    rows = np.flatnonzero(index.key_valid)
    clips = index.row_clips[rows]
    order = np.lexsort((-index.key_scores[rows], clips))
    _, first = np.unique(clips[order], return_index=True)
    keep[rows[order[first]]] = True
    return keep
