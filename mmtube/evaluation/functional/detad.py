"""Error analysis of a temporal detector: what kinds of mistakes it makes, and what each of them costs.

After Alwassel, Heilbron, Escorcia and Ghanem, "Diagnosing Error in Temporal Action Detectors" (ECCV 2018), and the code
that they released with it (DETAD). A detection that is no true positive is compared with the ground truth of its video
that it overlaps most, of whatever class. With the threshold of temporal IoU t and the floor 0.1 it is

====================  ================  ===============
kind                  temporal IoU      class
====================  ================  ===============
double detection      t and above       the same
wrong label           t and above       another
localization          from 0.1 below t  the same
confusion             from 0.1 below t  another
background            below 0.1         any
====================  ================  ===============

Of several ground truths with the same temporal IoU one of the detection's own class is preferred; DETAD takes the one
that its file names first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mmtube.evaluation.tables import SegmentTable
from mmtube.ops import paired_segment_iou

from .average_precision import average_precision
from .detad_precision import normalised_average_precision
from .ordering import pairs_of_groups
from .segments import SegmentMatches, segment_matches

KINDS = ('true positive', 'double detection', 'wrong label', 'localization', 'confusion', 'background')
ERRORS = KINDS[1:]
FLOOR = 0.1
LIMIT = 10
_HIT, _DOUBLE, _LABEL, _LOCALIZATION, _CONFUSION, _BACKGROUND = range(len(KINDS))


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """Errors of a detector. All arrays over detections are in the order of rank (``matches.order``).

    Args:
        thresholds (np.ndarray): (T,) float64 temporal IoU.
        matches (SegmentMatches): Which ground truth each detection found.
        kinds (np.ndarray): (T, D) int8, place in :data:`KINDS`.
        slices (np.ndarray): (D,) int64: 0 for the G most confident detections of a class with G ground truths, 1 for
            the next G and so on; -1 for those of a class without ground truth.
        limit (int): Only slices below this one are in what follows, save ``ap``.
        normal (float): N, the mean number of ground truths of a class that has any.
        ap (np.ndarray): (T, C) float64 AP of all detections; NaN for a class without ground truth.
        ap_normalised (np.ndarray): (T, C) float64 AP with normalised precision.
        profile (np.ndarray): (limit, 6) float64 share of each kind in each slice, mean over the thresholds; NaN for a
            slice without detections.
        profile_counts (np.ndarray): (limit,) int64 detections in each slice.
        shares (np.ndarray): (6,) float64 share of each kind in all slices; NaN without detections.
        gains (np.ndarray): (5,) float64: what the mean of ``ap_normalised`` over classes and thresholds gains when all
            detections with the error are deleted, in the order of :data:`ERRORS`.
        gains_ap (np.ndarray): (5,) float64, the same of the ordinary AP of the detections in the slices.
    """

    thresholds: np.ndarray
    matches: SegmentMatches
    kinds: np.ndarray
    slices: np.ndarray
    limit: int
    normal: float
    ap: np.ndarray
    ap_normalised: np.ndarray
    profile: np.ndarray
    profile_counts: np.ndarray
    shares: np.ndarray
    gains: np.ndarray
    gains_ap: np.ndarray


def diagnose(
    truth: SegmentTable,
    found: SegmentTable,
    num_classes: int,
    thresholds: np.ndarray,
    *,
    floor: float = FLOOR,
    limit: int = LIMIT,
) -> Diagnosis:
    """Tell the errors of a detector apart and what each kind costs.

    Detections are matched once. To delete false positives and match again would give the same matches, because
    detections are served in the order of rank and one that finds nothing takes nothing from those behind it; for the
    same reason the limit of slices can be set after matching.

    Args:
        truth (SegmentTable): Ground truth, at least one row.
        found (SegmentTable): Detections, over the same list of videos.
        num_classes (int): Number of classes C.
        thresholds (np.ndarray): (T,) temporal IoU, none below ``floor``.
        floor (float): Temporal IoU below which a detection is background. Defaults to 0.1.
        limit (int): Of a class with G ground truths the ``limit`` x G most confident detections are analysed. Defaults
            to 10.

    Returns:
        Diagnosis: The errors.

    Raises:
        ValueError: If a threshold is below the floor, the limit is below 1 or there is no ground truth.
    """
    thresholds = np.asarray(thresholds, np.float64)
    if not len(thresholds) or thresholds.min() < floor or floor <= 0:
        raise ValueError(
            f'thresholds must not be below the floor {floor:g}, and that above 0; got {thresholds.tolist()}'
        )
    if limit < 1:
        raise ValueError(f'limit must be at least 1, got {limit}')
    if not len(truth):
        raise ValueError('there is no ground truth')
    matches = segment_matches(truth, found, thresholds)
    labels = found.labels[matches.order]
    num_gts = np.bincount(truth.labels, minlength=num_classes)
    normal = len(truth) / int((num_gts > 0).sum())
    overlap, same_class = best_truth(truth, found)
    kinds = error_kinds(matches.matched, overlap[matches.order], same_class[matches.order], thresholds, floor)
    slices = slice_of_class(labels, num_gts)
    within = (slices >= 0) & (slices < limit)
    profile, counts = profile_of_slices(kinds[:, within], slices[within], limit)
    shares = (counts[:, None] * np.nan_to_num(profile)).sum(axis=0) / counts.sum() if counts.any() else profile[0]
    bases, gains = _gains(kinds, labels, within, num_gts, normal)
    return Diagnosis(
        thresholds=thresholds,
        matches=matches,
        kinds=kinds,
        slices=slices,
        limit=limit,
        normal=normal,
        ap=average_precision(matches.hits, labels, num_gts),
        ap_normalised=bases,
        profile=profile,
        profile_counts=counts,
        shares=shares,
        gains=gains[0],
        gains_ap=gains[1],
    )


def best_truth(truth: SegmentTable, found: SegmentTable) -> tuple[np.ndarray, np.ndarray]:
    """Return how much each detection overlaps the ground truth that it overlaps most, of whatever class.

    Args:
        truth (SegmentTable): Ground truth.
        found (SegmentTable): Detections, over the same list of videos.

    Returns:
        tuple[np.ndarray, np.ndarray]: (N,) float64 largest temporal IoU, 0 in a video without ground truth, and (N,)
        bool, whether a ground truth of the detection's own class has it.
    """
    overlap, same_class = np.zeros(len(found)), np.zeros(len(found), bool)
    for dets, gts in pairs_of_groups(found.video, truth.video):
        ious = paired_segment_iou(found.segments_s[dets], truth.segments_s[gts])
        begin = np.flatnonzero(np.r_[True, dets[1:] != dets[:-1]])
        rows, best = dets[begin], np.maximum.reduceat(ious, begin)
        overlap[rows] = best
        own = (ious == np.repeat(best, np.diff(np.r_[begin, len(dets)]))) & (found.labels[dets] == truth.labels[gts])
        same_class[rows] = np.logical_or.reduceat(own, begin)
    return overlap, same_class


def error_kinds(
    matched: np.ndarray, overlap: np.ndarray, same_class: np.ndarray, thresholds: np.ndarray, floor: float = FLOOR
) -> np.ndarray:
    """Return the kind of each detection at each threshold.

    Args:
        matched (np.ndarray): (T, D) int32 ground truth that was found, -1 for a false positive.
        overlap (np.ndarray): (D,) float64, see :func:`best_truth`.
        same_class (np.ndarray): (D,) bool.
        thresholds (np.ndarray): (T,) float64 temporal IoU.
        floor (float): Temporal IoU below which a detection is background. Defaults to 0.1.

    Returns:
        np.ndarray: (T, D) int8, place in :data:`KINDS`.

    Examples:
        >>> kinds = error_kinds(np.full((1, 2), -1), np.array([0.6, 0.3]), np.array([False, True]), np.array([0.5]))
        >>> [KINDS[kind] for kind in kinds[0]]
        ['wrong label', 'localization']
    """
    reaches = overlap >= np.asarray(thresholds, np.float64)[:, None]
    near = np.where(same_class, _LOCALIZATION, _CONFUSION)
    kinds = np.where(reaches, np.where(same_class, _DOUBLE, _LABEL), np.where(overlap >= floor, near, _BACKGROUND))
    return np.where(matched >= 0, _HIT, kinds).astype(np.int8)


def slice_of_class(labels: np.ndarray, num_gts: np.ndarray) -> np.ndarray:
    """Return into which slice of its class a detection falls: 0 for the first G, where G is the ground truths' number.

    Args:
        labels (np.ndarray): (D,) int64 class, from the most to the least confident detection.
        num_gts (np.ndarray): (C,) int64 ground truths of each class.

    Returns:
        np.ndarray: (D,) int64; -1 for a class without ground truth.
    """
    by_class = np.argsort(labels, kind='stable')
    ranked = labels[by_class]
    rank = np.empty(len(labels), np.int64)
    rank[by_class] = np.arange(len(labels)) - np.searchsorted(ranked, ranked)
    size = num_gts[labels]
    return np.where(size > 0, rank // np.maximum(size, 1), -1)


def profile_of_slices(kinds: np.ndarray, slices: np.ndarray, limit: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the share of each kind in each slice of all classes together, as the mean over the thresholds.

    Args:
        kinds (np.ndarray): (T, D) int8 kinds.
        slices (np.ndarray): (D,) int64 in [0, limit).
        limit (int): Number of slices.

    Returns:
        tuple[np.ndarray, np.ndarray]: (limit, 6) float64 shares, NaN for a slice without detections, and (limit,) int64
        detections of each slice.
    """
    cells = np.bincount((slices * len(KINDS) + kinds).ravel(), minlength=limit * len(KINDS)).reshape(limit, len(KINDS))
    counts = np.bincount(slices, minlength=limit)
    total = (len(kinds) * counts)[:, None]
    return np.divide(cells, total, out=np.full(cells.shape, np.nan), where=total > 0), counts


def _gains(
    kinds: np.ndarray, labels: np.ndarray, within: np.ndarray, num_gts: np.ndarray, normal: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return AP_N (T, C) of the detections within the limit, and (2, 5) gains of mAP_N and mAP."""
    present = num_gts > 0
    scores = np.zeros((len(KINDS), 2, len(kinds)))
    base = np.zeros((len(kinds), len(num_gts)))
    for number, row in enumerate(kinds):
        for kind in range(len(KINDS)):  # 0 deletes nothing: the base
            keep = within if kind == _HIT else within & (row != kind)
            some = row[keep][None] == _HIT
            normalised = normalised_average_precision(some, labels[keep], num_gts, normal)
            ordinary = average_precision(some, labels[keep], num_gts)
            scores[kind, :, number] = normalised[0, present].mean(), ordinary[0, present].mean()
            if kind == _HIT:
                base[number] = normalised[0]
    means = scores.mean(axis=2)
    return base, (means[1:] - means[0]).T
