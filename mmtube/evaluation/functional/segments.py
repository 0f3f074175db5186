"""Temporal detection: which segments are found, and the average precision of each class.

Videos are what is scored apart, so a tubelet may take the place of a video (SEAL, Table 4).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mmtube.evaluation.tables import SegmentTable
from mmtube.ops import paired_segment_iou

from .average_precision import average_precision
from .matching import match
from .ordering import pairs_of_groups, rank_by_score

ACTIVITYNET_THRESHOLDS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
THUMOS_THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7)
SAME_S = 1e-3


@dataclass(frozen=True, eq=False)
class SegmentMatches:
    """Which ground truth each detection found.

    Args:
        order (np.ndarray): (D,) int64 rows of the detections, the most confident first.
        matched (np.ndarray): (T, D) int32 row of the ground truth that the detection at this place of ``order`` found
            at each threshold, -1 for a false positive.
    """

    order: np.ndarray
    matched: np.ndarray

    @property
    def hits(self) -> np.ndarray:
        """(T, D) bool, true positives in the order of rank."""
        return self.matched >= 0

    def found_truth(self, num_gts: int) -> np.ndarray:
        """Return (T, G) bool, whether each of ``num_gts`` ground truths was found."""
        found = np.zeros((len(self.matched), num_gts), bool)
        for row, matched in zip(found, self.matched):
            row[matched[matched >= 0]] = True
        return found


def rank_segments(found: SegmentTable) -> np.ndarray:
    """Return the rows of detections from the most to the least confident; equal scores by video, class and time."""
    return rank_by_score(_scores(found), [found.video, found.labels, *found.segments_s.T])


def segment_matches(
    truth: SegmentTable, found: SegmentTable, thresholds: np.ndarray, *, rule: str = 'next_best'
) -> SegmentMatches:
    """Match detections to the ground truth of their video and class.

    The result does not depend on the order of the rows: equal scores are ordered by the rows' own values, and of
    ground truths that a detection overlaps equally the earlier one is preferred.

    Args:
        truth (SegmentTable): Ground truth.
        found (SegmentTable): Detections, over the same list of videos (:func:`~mmtube.evaluation.tables.align`).
        thresholds (np.ndarray): (T,) temporal IoU, each above 0; an IoU equal to the threshold counts.
        rule (str): What a detection may find when its best ground truth is taken: ``'next_best'`` the next one
            (ActivityNet, THUMOS, SEAL), ``'best'`` nothing. Defaults to 'next_best'.

    Returns:
        SegmentMatches: Rows of ``found`` in the order of rank, and what they found.

    Raises:
        ValueError: If the tables are over different videos, the rule is unknown, or a threshold is not above 0.
    """
    thresholds = np.asarray(thresholds, np.float64)
    if truth.videos != found.videos:
        raise ValueError('the tables must be over the same list of videos, see mmtube.evaluation.tables.align')
    if not (thresholds > 0).all():
        raise ValueError(f'thresholds must be above 0, got {thresholds.tolist()}')
    order = rank_segments(found)
    canonical = np.lexsort((truth.segments_s[:, 1], truth.segments_s[:, 0], truth.labels, truth.video))
    num_labels = 1 + max(int(table.labels.max(initial=0)) for table in (truth, found))
    gt_segments, segments = truth.segments_s[canonical], found.segments_s[order]
    gt_group = (truth.video * num_labels + truth.labels)[canonical]
    group = (found.video * num_labels + found.labels)[order]
    parts = []
    for dets, gts in pairs_of_groups(group, gt_group):
        ious = paired_segment_iou(segments[dets], gt_segments[gts])
        keep = ious >= thresholds.min(initial=1.0)
        parts.append((dets[keep], gts[keep], ious[keep]))
    dets, gts, ious = (np.concatenate(column) for column in zip(*parts)) if parts else _no_pairs()
    matched = match(rule, dets, gts, ious, len(order), len(truth), thresholds)
    rows = np.append(canonical, -1).astype(np.int32)  # -1 stays -1
    return SegmentMatches(order, rows[matched])


def segment_average_precision(
    truth: SegmentTable,
    found: SegmentTable,
    thresholds: np.ndarray,
    num_classes: int,
    *,
    rule: str = 'next_best',
    integration: str = 'envelope',
    matches: SegmentMatches | None = None,
) -> np.ndarray:
    """Return the AP of each class at each threshold of temporal IoU.

    Args:
        truth (SegmentTable): Ground truth.
        found (SegmentTable): Detections, over the same list of videos.
        thresholds (np.ndarray): (T,) temporal IoU.
        num_classes (int): Number of classes C.
        rule (str): As for :func:`segment_matches`. Defaults to 'next_best'.
        integration (str): As for :func:`average_precision`. Defaults to 'envelope'.
        matches (SegmentMatches | None): Of these tables, where they are known already. Defaults to None.

    Returns:
        np.ndarray: (T, C) float64; 0 for a class without detections, NaN for one without ground truth.

    Examples:
        >>> truth = SegmentTable(['a'], np.zeros(1, int), np.zeros(1, int), segments_s=np.array([[0.0, 10.0]]))
        >>> zeros, times = np.zeros(2, int), np.array([[5.0, 15.0], [0.0, 9.0]])
        >>> found = SegmentTable(['a'], zeros, zeros, np.array([0.9, 0.8]), segments_s=times)
        >>> segment_average_precision(truth, found, [0.3, 0.5], 1).tolist()
        [[1.0], [0.5]]
    """
    if matches is None:
        matches = segment_matches(truth, found, thresholds, rule=rule)
    num_gts = np.bincount(truth.labels, minlength=num_classes)
    return average_precision(matches.hits, found.labels[matches.order], num_gts, integration=integration)


def duplicated_segments(truth: SegmentTable, tolerance_s: float = SAME_S) -> np.ndarray:
    """Return (N,) bool, whether a row repeats another of its video and class: both times within the tolerance.

    Of each such group the earliest in time is none, whatever the order of the rows.
    """
    order = np.lexsort((truth.segments_s[:, 1], truth.segments_s[:, 0], truth.labels, truth.video))
    key, times = np.stack([truth.video, truth.labels], 1)[order], truth.segments_s[order]
    opens = np.ones(len(order), bool)
    opens[1:] = (key[1:] != key[:-1]).any(axis=1) | (np.diff(times[:, 0]) > tolerance_s)
    edges = np.append(np.flatnonzero(opens), len(order))
    repeats = np.zeros(len(truth), bool)
    for cluster in np.flatnonzero(np.diff(edges) > 1):
        kept: list[int] = []
        for place in range(edges[cluster], edges[cluster + 1]):
            if kept and (np.abs(times[kept] - times[place]) <= tolerance_s).all(axis=1).any():
                repeats[order[place]] = True
            else:
                kept.append(place)
    return repeats


def touching(table: SegmentTable, others: SegmentTable) -> np.ndarray:
    """Return (N,) bool, whether a segment shares any time with one of ``others`` in the video of the same name."""
    touches = np.zeros(len(table), bool)
    for rows, other in pairs_of_groups(table.video, _video_in(table, others)):
        (start, end), (from_s, to_s) = table.segments_s[rows].T, others.segments_s[other].T
        touches[rows[np.minimum(end, to_s) > np.maximum(start, from_s)]] = True
    return touches


def centre_inside(table: SegmentTable, others: SegmentTable) -> np.ndarray:
    """Return (N,) bool, whether the centre of a segment lies in one of ``others`` in the video of the same name.

    The edges of a segment belong to it.
    """
    centre_s, inside = table.segments_s.mean(axis=1), np.zeros(len(table), bool)
    for rows, other in pairs_of_groups(table.video, _video_in(table, others)):
        from_s, to_s = others.segments_s[other].T
        inside[rows[(centre_s[rows] >= from_s) & (centre_s[rows] <= to_s)]] = True
    return inside


def _video_in(table: SegmentTable, others: SegmentTable) -> np.ndarray:
    """Return (N,) int64 videos of the rows of ``others`` as ``table`` numbers them, -1 where it does not have them."""
    number = {name: place for place, name in enumerate(table.videos)}
    return np.array([number.get(name, -1) for name in others.videos], np.int64)[others.video]


def _scores(found: SegmentTable) -> np.ndarray:
    if found.scores is None:
        raise ValueError(f'{found.name} has no scores, it is no table of detections')
    return found.scores


def _no_pairs() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
