"""Which detected box in a frame finds which annotated one: of all videos, frames and classes at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmtube.evaluation.tables import BoxTable
from mmtube.ops import paired_box_iou

from .matching import RULES, match
from .ordering import pairs_of_groups, rank_by_score

MAX_PAIRS = 1 << 18  # candidate pairs held at a time


@dataclass(frozen=True, eq=False)
class FrameMatches:
    """Detections from the most to the least confident, and what each found.

    Args:
        order (np.ndarray): (D,) int64 row of the table of detections at each rank.
        gt_order (np.ndarray): (G,) int64 row of the table of ground truth at each place of its canonical order.
        matched (np.ndarray): (T, D) int32 place of the ground truth that a detection found at each threshold, -1 for a
            false positive.
    """

    order: np.ndarray
    gt_order: np.ndarray
    matched: np.ndarray

    @property
    def hits(self) -> np.ndarray:
        """(T, D) bool, whether the detection at each rank is a true positive."""
        return self.matched >= 0

    def missed(self, number: int = 0) -> np.ndarray:
        """Return the rows of the ground truth that nothing found at a threshold, in canonical order."""
        found = np.zeros(len(self.gt_order), bool)
        found[self.matched[number][self.matched[number] >= 0]] = True
        return self.gt_order[~found]


def match_frames(
    truth: BoxTable,
    found: BoxTable,
    thresholds: Sequence[float] | np.ndarray,
    *,
    rule: str = 'best',
    inclusive: bool = False,
    single: bool = False,
    max_pairs: int = MAX_PAIRS,
) -> FrameMatches:
    """Match the boxes of two tables within each video, frame and class.

    Neither the order of the rows nor that of the videos matters: of equal scores the one first by video, class, frame
    and box comes first, and so of equal IoUs.

    Args:
        truth (BoxTable): Ground truth.
        found (BoxTable): Detections; ``videos`` numbered as those of ``truth``
            (:func:`~mmtube.evaluation.tables.align`).
        thresholds (Sequence[float] | np.ndarray): (T,) IoU from which a detection finds a box, above 0.
        rule (str): As for :func:`~mmtube.evaluation.functional.matching.match`. Defaults to 'best'.
        inclusive (bool): Whether x2 and y2 are the last pixels within the boxes (the ACT scripts: sides count one pixel
            more). Defaults to False.
        single (bool): Whether the IoU is computed from float32 boxes in the steps of MMAction2's ``ava_eval``, which
            decides differently where it is within 1e-7 of the threshold. Defaults to False, float64.
        max_pairs (int): Candidate pairs held at a time, which bounds the memory. Defaults to 262144.

    Returns:
        FrameMatches: The matches.

    Raises:
        ValueError: If a threshold is not above 0, the rule is unknown, or the tables are not over the same videos.
    """
    thresholds = np.asarray(thresholds, np.float64)
    if rule not in RULES:
        raise ValueError(f'rule must be one of {RULES}, got {rule!r}')
    if not len(thresholds) or not (thresholds > 0).all():
        raise ValueError(f'thresholds must be above 0, got {thresholds.tolist()}')
    if truth.videos != found.videos:
        raise ValueError('the tables must be aligned over the same videos')
    gt_order = np.lexsort([*truth.boxes.T[::-1], truth.frames, truth.labels, truth.video])
    order = _rank(found)
    spans = _spans(truth)
    gt_groups, groups = _codes(truth, *spans)[gt_order], _codes(found, *spans)[order]
    gt_boxes, boxes = _sides(truth.boxes[gt_order], inclusive), _sides(found.boxes[order], inclusive)
    kept: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for dets, gts in pairs_of_groups(groups, gt_groups, max_pairs=max_pairs):
        ious = (_single_iou if single else paired_box_iou)(boxes[dets], gt_boxes[gts])
        keep = ious >= thresholds.min()
        if rule == 'best':
            keep &= _first_best(dets, ious)
        kept.append((dets[keep], gts[keep], ious[keep]))
    none = (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    dets, gts, ious = (np.concatenate(column) for column in zip(none, *kept))
    return FrameMatches(order, gt_order, match(rule, dets, gts, ious, len(found), len(truth), thresholds))


def most_confident(found: BoxTable, count: int) -> np.ndarray:
    """Return the rows of the ``count`` most confident detections of each frame, of all classes together.

    Args:
        found (BoxTable): Detections.
        count (int): How many, at least 1.

    Returns:
        np.ndarray: (M,) int64 rows, increasing.
    """
    order = _rank(found)
    frames = np.unique(found.frames)
    keys = found.video[order] * max(len(frames), 1) + np.searchsorted(frames, found.frames[order])
    by_frame = np.argsort(keys, kind='stable')
    keys = keys[by_frame]
    nth = np.arange(len(keys)) - np.searchsorted(keys, keys)
    return np.sort(order[by_frame[nth < count]])


def _rank(found: BoxTable) -> np.ndarray:
    scores = found.scores if found.scores is not None else np.zeros(len(found))
    codes = _codes(found, *_spans(found))
    order = rank_by_score(scores, [codes])
    if len(order) < 2:
        return order
    # Few rows are equal so far; only those are ordered by their boxes.
    codes, ranked = codes[order], scores[order]
    step = np.cumsum(np.r_[0, (ranked[1:] != ranked[:-1]) | (codes[1:] != codes[:-1])])
    return order[rank_by_score(-step, found.boxes[order].T)]


def _spans(table: BoxTable) -> tuple[int, np.ndarray]:
    """Return the number of labels and the frame numbers that occur, for :func:`_codes`."""
    return int(table.labels.max(initial=-1)) + 1, np.unique(table.frames)


def _codes(table: BoxTable, labels: int, frames: np.ndarray) -> np.ndarray:
    """(N,) int64, the same for rows of one video, class and frame and ordered so; -1 where a part is not known."""
    place = np.searchsorted(frames, table.frames)
    known = (place < len(frames)) & (table.labels < labels)
    place[~known] = 0
    if len(frames):
        known &= frames[place] == table.frames
    return np.where(known, (table.video * labels + table.labels) * len(frames) + place, -1)


def _sides(boxes: np.ndarray, inclusive: bool) -> np.ndarray:
    return boxes + np.array([0.0, 0.0, 1.0, 1.0]) if inclusive else boxes


def _first_best(dets: np.ndarray, ious: np.ndarray) -> np.ndarray:
    """(P,) bool: the pair of the largest IoU of each detection, the first of equal ones; pairs lie by detection."""
    begin = np.flatnonzero(np.r_[True, dets[1:] != dets[:-1]])
    length = np.diff(np.r_[begin, len(dets)])
    best = np.flatnonzero(ious == np.repeat(np.maximum.reduceat(ious, begin), length))
    first = np.r_[True, dets[best[1:]] != dets[best[:-1]]]
    chosen = np.zeros(len(dets), bool)
    chosen[best[first]] = True
    return chosen


def _single_iou(boxes_a: np.ndarray, boxes_b: np.ndarray) -> np.ndarray:
    """IoU with sides and areas in float32 and the rest in float64, as ``np_box_ops.iou`` gives for float32 boxes."""
    boxes_a, boxes_b = boxes_a.astype(np.float32), boxes_b.astype(np.float32)
    sides = np.minimum(boxes_a[:, 2:], boxes_b[:, 2:]) - np.maximum(boxes_a[:, :2], boxes_b[:, :2])
    inter = np.maximum(sides.astype(np.float64), 0).prod(axis=1)
    area_a, area_b = ((boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (boxes_a, boxes_b))
    union = (area_a + area_b).astype(np.float64) - inter
    return np.divide(inter, union, out=np.zeros_like(union), where=union > 0)
