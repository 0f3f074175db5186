"""``nms``, ``softnms`` and ``nms_match`` of ``mmcv._ext`` in PyTorch; see :mod:`mmtube.compat.mmcv_ext`."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

# Boxes settled at once, and the most pairs of boxes whose overlap is held in memory at once.
BLOCK = 256
MAX_PAIRS = 1 << 22


def _areas(boxes: Tensor, offset: int) -> Tensor:
    return (boxes[:, 2] - boxes[:, 0] + offset) * (boxes[:, 3] - boxes[:, 1] + offset)


def _pair_iou(first: Tensor, second: Tensor, offset: int) -> Tensor:
    """IoU of every pair, (A, B); NaN where both boxes have no area, and NaN never suppresses."""
    inter = torch.minimum(first[:, None, 2], second[:, 2]).sub_(torch.maximum(first[:, None, 0], second[:, 0]))
    inter.add_(offset).clamp_(min=0)
    height = torch.minimum(first[:, None, 3], second[:, 3]).sub_(torch.maximum(first[:, None, 1], second[:, 1]))
    inter.mul_(height.add_(offset).clamp_(min=0))
    union = (_areas(first, offset)[:, None] + _areas(second, offset)).sub_(inter)
    return inter.div_(union)


def _overlaps(first: Tensor, second: Tensor, threshold: float, offset: int, inclusive: bool) -> Tensor:
    iou = _pair_iou(first, second, offset)
    return iou >= threshold if inclusive else iou > threshold


def _greedy_keep(boxes: Tensor, threshold: float, offset: int, inclusive: bool) -> Tensor:
    """Mask of the boxes, best first, that no better kept box overlaps.

    Boxes are settled in blocks. Inside a block the rule "kept unless a kept box before me overlaps me" is applied to
    all boxes at once until nothing changes: row j is final after at most j rounds, in practice after a few.
    """
    keep = torch.zeros(len(boxes), dtype=torch.bool, device=boxes.device)
    open_inds = torch.arange(len(boxes), device=boxes.device)
    while len(open_inds):
        block, open_inds = open_inds[:BLOCK], open_inds[BLOCK:]
        hits = _overlaps(boxes[block], boxes[block], threshold, offset, inclusive).triu_(diagonal=1).float()
        kept = torch.ones(len(block), device=boxes.device)
        while True:
            settled = (kept @ hits == 0).float()
            if torch.equal(settled, kept):
                break
            kept = settled
        winners = block[kept.bool()]
        keep[winners] = True
        columns = max(MAX_PAIRS // BLOCK, 1)
        beaten = [
            _overlaps(boxes[winners], boxes[some], threshold, offset, inclusive).any(dim=0)
            for some in open_inds.split(columns)
        ]
        if beaten:
            open_inds = open_inds[~torch.cat(beaten)]
    return keep


def _at_least_float(values: Tensor) -> Tensor:
    return values.detach().float() if values.dtype in (torch.float16, torch.bfloat16) else values.detach()


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float, offset: int) -> Tensor:
    """Greedy non-maximum suppression; of equal scores the earlier box goes first.

    The compiled operator leaves the order of equal scores to PyTorch's unstable sort, so there the two may differ.

    Args:
        boxes (Tensor): (N, 4) xyxy, any float type, any device.
        scores (Tensor): (N,).
        iou_threshold (float): A box goes when its IoU with a better one is above this.
        offset (int): 0, or 1 for boxes whose last pixel is included.

    Returns:
        Tensor: (K,) int64 indices of the kept boxes, best first.
    """
    order = _at_least_float(scores).sort(descending=True, stable=True).indices
    return order[_greedy_keep(_at_least_float(boxes)[order], iou_threshold, offset, inclusive=False)]


def nms_match(dets: Tensor, iou_threshold: float) -> list[list[int]]:
    """Group every box with the best box that suppresses it.

    Args:
        dets (Tensor): (N, 5) xyxy and score.
        iou_threshold (float): A box joins a better one when their IoU is at least this.

    Returns:
        list[list[int]]: Groups, best first; in each the index of the kept box, then of the others in score order.
    """
    dets = _at_least_float(dets)
    order = dets[:, 4].sort(descending=True, stable=True).indices
    boxes = dets[order, :4]
    keep = _greedy_keep(boxes, iou_threshold, 0, inclusive=True)
    kept_inds = keep.nonzero()[:, 0]
    groups = [[index] for index in order[kept_inds].tolist()]
    lost_inds = (~keep).nonzero()[:, 0]
    for some in lost_inds.split(max(MAX_PAIRS // max(len(kept_inds), 1), 1)):
        hits = _overlaps(boxes[kept_inds], boxes[some], iou_threshold, 0, inclusive=True)
        # The kept boxes stand in score order, so the first hit of a column is its owner.
        for owner, index in zip(hits.byte().argmax(dim=0).tolist(), order[some].tolist()):
            groups[owner].append(index)
    return groups


def softnms(
    boxes: Tensor,
    scores: Tensor,
    dets: Tensor,
    iou_threshold: float,
    sigma: float,
    min_score: float,
    method: int,
    offset: int,
) -> Tensor:
    """Soft-NMS (Bodla et al., 2017): overlapped boxes lose score, and go when it falls below ``min_score``.

    The working arrays are permuted exactly as mmcv permutes them (the best box is swapped to the front, a hole is
    filled from the end), because that decides between equal scores.

    Args:
        boxes (Tensor): (N, 4) xyxy on the CPU.
        scores (Tensor): (N,).
        dets (Tensor): (N, 5), written in place: boxes and final scores of the first K rows.
        iou_threshold (float): From which IoU on methods 0 and 1 act.
        sigma (float): Width of method 2.
        min_score (float): Boxes below go.
        method (int): 0 remove, 1 linear, 2 Gaussian.
        offset (int): 0, or 1 for boxes whose last pixel is included.

    Returns:
        Tensor: (K,) int64 indices of the boxes in ``dets``.
    """
    # Columns x1, y1, x2, y2, score, area. N steps on rows of N: NumPy's smaller cost per call matters here.
    rows = torch.cat([_at_least_float(boxes), _at_least_float(scores)[:, None], _at_least_float(boxes[:, :1])], dim=1)
    rows[:, 5] = _areas(rows, offset)
    rows = rows.numpy()
    inds = np.arange(len(rows))
    done = 0
    while done < len(rows):
        waiting = rows[done:, 4]
        best = done if np.isnan(waiting[0]) else done + int(np.nanargmax(waiting))
        rows[[done, best]], inds[[done, best]] = rows[[best, done]], inds[[best, done]]
        rest = rows[done + 1 :]
        rest[:, 4] *= _soft_weights(rows[done], rest, iou_threshold, sigma, method, offset)
        moved = done + 1 + _fill_holes(~(rest[:, 4] < min_score))
        order = np.concatenate([np.arange(done + 1), moved])
        rows, inds = rows[order], inds[order]
        done += 1
    dets[: len(rows)] = torch.from_numpy(rows[:, :5]).to(dets.dtype)
    return torch.from_numpy(inds)


def _soft_weights(
    best: np.ndarray, rest: np.ndarray, iou_threshold: float, sigma: float, method: int, offset: int
) -> np.ndarray:
    size = np.minimum(best[2:4], rest[:, 2:4]) - np.maximum(best[:2], rest[:, :2]) + rest.dtype.type(offset)
    inter = np.maximum(size, 0).prod(axis=1)
    with np.errstate(divide='ignore', invalid='ignore'):
        iou = inter / (best[5] + rest[:, 5] - inter)
    if method == 2:
        return np.exp(-(iou * iou) / rest.dtype.type(sigma))
    return np.where(iou >= rest.dtype.type(iou_threshold), 0 if method == 0 else 1 - iou, 1).astype(rest.dtype)


def _fill_holes(alive: np.ndarray) -> np.ndarray:
    """Order of the survivors when each hole is filled by the last survivor that is not in front of it."""
    count = int(alive.sum())
    order = np.arange(count)
    order[~alive[:count]] = count + np.flatnonzero(alive[count:])[::-1]
    return order
