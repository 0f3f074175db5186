"""Temporal proposals: average recall at an average number of proposals (AR@AN) and the area under that curve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mmtube.evaluation.tables import SegmentTable
from mmtube.ops import paired_segment_iou

from .ordering import pairs_of_groups
from .segments import rank_segments

IOUS = ('iou', 'new')
POINTS = 100


@dataclass(frozen=True, eq=False)
class ProposalRecalls:
    """Recall of each ground truth at 100 numbers of proposals.

    Args:
        numbers (np.ndarray): (100,) float64 average number of proposals per video, evenly spaced up to the largest.
        first (np.ndarray): (T, G) int64, for each ground truth the point of ``numbers`` from which on it is found, 100
            where it never is.
        gt_video (np.ndarray): (G,) int64 video of each ground truth.
    """

    numbers: np.ndarray
    first: np.ndarray
    gt_video: np.ndarray

    def recall(self, rows: np.ndarray | None = None) -> np.ndarray:
        """Return (T, 100) float64 recall at each threshold and number.

        Args:
            rows (np.ndarray | None): Ground truths to take, mask or indices. Defaults to None, all.

        Raises:
            ValueError: If there are none.
        """
        first = self.first if rows is None else self.first[:, rows]
        if not first.shape[1]:
            raise ValueError('recall of no ground truth')
        begun = np.stack([np.bincount(row, minlength=POINTS + 1)[:POINTS] for row in first])
        return np.cumsum(begun, axis=1) / first.shape[1]

    def average_recall(self, rows: np.ndarray | None = None) -> np.ndarray:
        """Return (100,) float64 recall averaged over the thresholds (AR) at each number."""
        return self.recall(rows).mean(axis=0)

    def point(self, number: float) -> int:
        """Return the last point with at most this average number of proposals, -1 if there is none."""
        return int(np.searchsorted(self.numbers, number * (1 + 1e-9), side='right')) - 1


def proposal_recalls(
    truth: SegmentTable,
    found: SegmentTable,
    thresholds: np.ndarray,
    *,
    max_number: float = 100,
    iou: str = 'iou',
) -> ProposalRecalls:
    """Find from how many proposals on each ground truth is recalled, whatever its class.

    The number of proposals is an average: a video that has many may use more, in proportion, so that all videos
    together use as many as said (ActivityNet 2016). Counts are rounded down as in the official script, with its
    floating point: of 100 proposals in every video it takes 28 for the number 29.

    Args:
        truth (SegmentTable): Ground truth; for ``'new'`` with the durations of the videos.
        found (SegmentTable): Proposals, over the same list of videos; those in videos without ground truth use up
            their share of the number.
        thresholds (np.ndarray): (T,) IoU, each above 0; an IoU equal to the threshold counts.
        max_number (float): Largest average number of proposals per video. Defaults to 100.
        iou (str): ``'iou'``, or ``'new'`` for the duration-aware one of FineAction (Eq. 2): times the distance of
            either edge, as a share of the video, from 1. Defaults to 'iou'.

    Returns:
        ProposalRecalls: Recall at ``max_number / 100``, ``2 * max_number / 100``, ..., ``max_number`` proposals.

    Raises:
        ValueError: If the tables are over different videos, an option is not known, or a duration is missing.
    """
    thresholds = np.asarray(thresholds, np.float64)
    if truth.videos != found.videos:
        raise ValueError('the tables must be over the same list of videos, see mmtube.evaluation.tables.align')
    if iou not in IOUS or not (thresholds > 0).all() or not max_number > 0:
        raise ValueError(f'iou must be one of {IOUS}, thresholds and max_number above 0: {iou!r}, {max_number}')
    order = rank_segments(found)
    order = order[np.argsort(found.video[order], kind='stable')]
    segments, video = found.segments_s[order], found.video[order]
    begin = np.searchsorted(video, np.arange(len(truth.videos)))
    submitted = np.bincount(video, minlength=len(truth.videos))
    usable, taken = _numbers(submitted, np.bincount(truth.video, minlength=len(truth.videos)) > 0, max_number)
    kept = np.arange(len(video)) - begin[video] < usable[video]
    rows = np.flatnonzero(kept)
    rank = np.full((len(thresholds), len(truth)), len(found), np.int64)
    for gts, nth in pairs_of_groups(truth.video, video[rows]):
        proposals = rows[nth]
        overlap = _overlap(truth, gts, segments[proposals], iou)
        near = overlap >= thresholds.min(initial=1.0)
        gts, proposals, overlap = gts[near], proposals[near], overlap[near]
        for row, threshold in zip(rank, thresholds):  # pairs stand by ground truth, then by rank: the first is wanted
            reached = np.flatnonzero(overlap >= threshold)
            hit, place = np.unique(gts[reached], return_index=True)
            row[hit] = proposals[reached[place]] - begin[truth.video[hit]]
    numbers = np.arange(1, POINTS + 1) / POINTS * max_number
    # The points of one video do not decrease, so with a large step from video to video all of them are sorted.
    step = int(taken.max(initial=0)) + len(found) + 2
    keys = (taken + np.arange(len(taken))[:, None] * step).ravel()
    first = np.searchsorted(keys, rank + truth.video * step, side='right') - truth.video * POINTS
    return ProposalRecalls(numbers, first, truth.video)


def _numbers(submitted: np.ndarray, with_truth: np.ndarray, max_number: float) -> tuple[np.ndarray, np.ndarray]:
    """Return how many proposals of each video are used at most, and (V, 100) how many at each point."""
    videos, total = float(with_truth.sum()), max(int(submitted.sum()), 1)
    ratio = max_number * videos / total
    usable = np.minimum((submitted * ratio).astype(np.int64), submitted)
    retrieved = max(int(usable[with_truth].sum()), 1)
    shares = np.arange(1, POINTS + 1) / 100.0 * (max_number * videos / retrieved)
    taken = np.minimum((usable[:, None] * shares).astype(np.int64), usable[:, None])
    return usable, taken


def _overlap(truth: SegmentTable, rows: np.ndarray, segments: np.ndarray, iou: str) -> np.ndarray:
    mine = truth.segments_s[rows]
    if iou == 'iou':
        return paired_segment_iou(mine, segments)
    if truth.durations_s is None:
        raise ValueError('the duration-aware IoU needs the durations of the videos')
    return duration_aware_iou(mine, segments, truth.durations_s[truth.video[rows]])


def duration_aware_iou(segments_a: np.ndarray, segments_b: np.ndarray, durations_s: np.ndarray) -> np.ndarray:
    """Return IoU_new of FineAction (Eq. 2) of segments in the same row.

    Args:
        segments_a (np.ndarray): (N, 2) float64 seconds.
        segments_b (np.ndarray): (N, 2) float64 seconds.
        durations_s (np.ndarray): (N,) float64 length of the video of each row in seconds, positive.

    Returns:
        np.ndarray: (N,) float64: IoU times 1 minus the distance of the starts, times 1 minus that of the ends, both as
        shares of the video; never above the IoU.

    Examples:
        >>> truth, near = np.array([[40.0, 50.0]]), np.array([[42.5, 47.5]])
        >>> duration_aware_iou(truth, near, np.array([100.0])).round(4).tolist()
        [0.4753]

    Raises:
        ValueError: If a duration is not positive.
    """
    durations_s = np.asarray(durations_s, np.float64)
    if not (durations_s > 0).all():
        raise ValueError('the duration-aware IoU needs a positive duration of each video')
    nearness = np.clip(1 - np.abs(segments_a - segments_b) / durations_s[:, None], 0, 1)
    return paired_segment_iou(segments_a, segments_b) * nearness[:, 0] * nearness[:, 1]


def area_under_curve(numbers: np.ndarray, average_recall: np.ndarray, *, normalised: bool = False) -> float:
    """Return the area under AR over AN as a fraction.

    Args:
        numbers (np.ndarray): (N,) float64 average numbers of proposals, increasing.
        average_recall (np.ndarray): (N,) float64.
        normalised (bool): Whether to divide by the width of the curve, so that perfect recall gives exactly 1.
            Defaults to False: by the largest number, as ActivityNet does; the curve begins at the first number and not
            at 0, so perfect recall gives 0.99 with 100 points.

    Returns:
        float: The area.
    """
    widths = np.diff(numbers)
    area = (widths * (average_recall[1:] + average_recall[:-1]) / 2).sum()
    return float(area / (widths.sum() if normalised else numbers[-1]))
