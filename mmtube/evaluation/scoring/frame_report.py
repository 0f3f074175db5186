"""What stands beside a frame mAP: its evidence, its curve, its worst mistakes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mmtube.evaluation.evidence import APEvidence
from mmtube.evaluation.functional.frame_boxes import FrameMatches
from mmtube.evaluation.result import decimal
from mmtube.evaluation.tables import BoxTable
from mmtube.ops import box_iou

from .columns import optional

WORST = 25  # rows of each kind of mistake
RECALLS = np.linspace(0, 1, 101)


def class_table(
    classes: Sequence[str],
    truth: BoxTable,
    found: BoxTable,
    matches: FrameMatches,
    thresholds: Sequence[float],
    ap: np.ndarray,
) -> dict[str, list]:
    """Return AP and recall of each class at each threshold; None where it has no ground truth or is not scored.

    Args:
        classes (Sequence[str]): Class names.
        truth (BoxTable): Ground truth.
        found (BoxTable): Detections that count.
        matches (FrameMatches): What they found.
        thresholds (Sequence[float]): IoU thresholds.
        ap (np.ndarray): (T, C) float64, NaN where it is not scored.
    """
    num_gts = np.bincount(truth.labels, minlength=len(classes))
    num_found = np.bincount(found.labels, minlength=len(classes))
    labels = found.labels[matches.order]
    table: dict[str, list] = {'class': list(classes), 'num_gt': num_gts.tolist(), 'num_pred': num_found.tolist()}
    for number, threshold in enumerate(thresholds):
        hits = np.bincount(labels[matches.hits[number]], minlength=len(classes))
        recall = np.divide(hits, num_gts, out=np.full(len(classes), np.nan), where=num_gts > 0)
        table[f'ap@{decimal(threshold)}'] = optional(ap[number])
        table[f'recall@{decimal(threshold)}'] = optional(recall)
    return table


def mean_curve(hits: np.ndarray, labels: np.ndarray, num_gts: np.ndarray, threshold: float) -> dict[str, Any]:
    """Return the precision envelope over recall, the mean over classes with ground truth.

    Args:
        hits (np.ndarray): (D,) bool, by rank.
        labels (np.ndarray): (D,) int64.
        num_gts (np.ndarray): (C,) int64.
        threshold (float): IoU threshold, for the label of the axis.
    """
    order = np.argsort(labels, kind='stable')
    edges = np.searchsorted(labels[order], np.arange(len(num_gts) + 1))
    total, count = np.zeros(len(RECALLS)), 0
    for label in np.flatnonzero(num_gts):
        true = hits[order[edges[label] : edges[label + 1]]]
        found = np.cumsum(true)
        precision = np.maximum.accumulate((found / np.arange(1, len(found) + 1))[::-1])[::-1]
        place = np.searchsorted(found, np.maximum(np.ceil(RECALLS * num_gts[label] - 1e-9), 1))
        reached = place < len(found)
        total[reached] += precision[place[reached]]
        count += 1
    return {
        'x': RECALLS.tolist(),
        'y': (total / max(count, 1)).tolist(),
        'x_label': 'recall',
        'y_label': f'precision, mean of classes, IoU {decimal(threshold)}',
    }


def frame_evidence(
    metric: str,
    truth: BoxTable,
    found: BoxTable,
    classes: Sequence[str],
    matches: FrameMatches,
    scored: np.ndarray,
    integration: str,
) -> APEvidence:
    """Return what a bootstrap over videos needs; ``scored`` (C,) bool says which classes the mean is over."""
    kept, gt_kept = scored[found.labels[matches.order]], scored[truth.labels]
    rows = matches.order[kept]
    return APEvidence(
        metric=metric,
        units=list(truth.videos),
        classes=list(classes),
        unit=found.video[rows].astype(np.int32),
        labels=found.labels[rows].astype(np.int32),
        hits=matches.hits[:, kept],
        gt_unit=truth.video[gt_kept].astype(np.int32),
        gt_labels=truth.labels[gt_kept].astype(np.int32),
        integration=integration,
    )


def worst_mistakes(
    truth: BoxTable,
    found: BoxTable,
    classes: Sequence[str],
    matches: FrameMatches,
    ap: np.ndarray,
    seconds_per_frame: float | None,
    boxes_in_px: bool,
) -> dict[str, list]:
    """Return the most confident false positives, and missed ground truth of the classes that are found best.

    Args:
        truth (BoxTable): Ground truth.
        found (BoxTable): Detections that count.
        classes (Sequence[str]): Class names.
        matches (FrameMatches): What the detections found; the first threshold is told.
        ap (np.ndarray): (C,) float64, NaN for classes that are not scored; those are left out.
        seconds_per_frame (float | None): Time of a frame number; None where it is not known.
        boxes_in_px (bool): Whether boxes are in pixels.
    """
    assert found.scores is not None
    labels = found.labels[matches.order]
    false = matches.order[~matches.hits[0] & ~np.isnan(ap[labels])][:WORST]
    missed = matches.missed()
    missed = missed[~np.isnan(ap[truth.labels[missed]])]
    missed = missed[np.argsort(-ap[truth.labels[missed]], kind='stable')][:WORST]
    texts = [
        f'false positive: {classes[found.labels[row]]}, score {found.scores[row]:.3f}, {_beside(truth, found, row)}'
        for row in false
    ]
    texts += [f'missed: {classes[truth.labels[row]]}' for row in missed]
    parts = [(found, false), (truth, missed)]
    frames = np.concatenate([table.frames[rows] for table, rows in parts])
    boxes = np.concatenate([table.boxes[rows] for table, rows in parts])
    times = [None] * len(frames) if seconds_per_frame is None else (frames * seconds_per_frame).tolist()
    columns = boxes.T.tolist() if boxes_in_px else [[None] * len(frames)] * 4
    return {
        'video': [table.videos[video] for table, rows in parts for video in table.video[rows]],
        'time_s': times,
        **dict(zip(('x1', 'y1', 'x2', 'y2'), columns)),
        **({'frame': frames.tolist()} if seconds_per_frame is None else {}),
        'text': texts,
    }


def _beside(truth: BoxTable, found: BoxTable, row: int) -> str:
    here = (truth.video == found.video[row]) & (truth.frames == found.frames[row])
    same = here & (truth.labels == found.labels[row])
    if not here.any():
        return 'no ground truth in this frame'
    if not same.any():
        return 'no ground truth of this class in this frame'
    return f'IoU {box_iou(found.boxes[row : row + 1], truth.boxes[same]).max():.2f} with the nearest of its class'
