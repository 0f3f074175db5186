"""Overlap of tubes and video AP: whole tubes, each with one class, against whole tubes.

The overlap of two tubes is their overlap in time multiplied by the mean IoU of their boxes over the frames they share.
Scripts count the two differently, and the numbers differ with them: see :data:`CONVENTIONS`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mmtube.evaluation.tables import TubeTable
from mmtube.ops import box_areas

from .average_precision import average_precision
from .matching import match
from .ordering import pairs_of_groups, rank_by_score

TIMES = ('frames', 'span', 'inclusive_span')
MAX_ROWS = 1 << 19  # boxes compared at a time


def _steps(first: int, last: int, step: int) -> tuple[float, ...]:
    return tuple(hundredth / 100 for hundredth in range(first, last + 1, step))


@dataclass(frozen=True)
class TubeConvention:
    """How tubes are compared, matched and summed up.

    Args:
        inclusive_px (bool): Whether x2 and y2 are the last pixels within a box, so that its width is x2 - x1 + 1.
        time (str): ``'frames'`` compares sets of frames: shared frames over frames in either. ``'span'`` compares first
            and last frames without the + 1 of inclusive counting: (last - first) of the intersection over that of the
            union; two tubes that share one frame at their ends have no overlap, and two tubes of the same single frame,
            where the script divides 0 by 0, overlap fully. ``'inclusive_span'`` is the same with + 1 in both. The
            scripts need tubes without holes; with holes, spans ignore them.
        rule (str): As for ``match``.
        integration (str): As for ``average_precision``.
        thresholds (tuple[float, ...]): IoUs that are reported alone.
        means (tuple[tuple[float, ...], ...]): IoUs whose APs are averaged; the headline is the last of these means.
        skip (tuple[str, ...]): Classes that are not scored. Defaults to none.
    """

    inclusive_px: bool
    time: str
    rule: str
    integration: str
    thresholds: tuple[float, ...]
    means: tuple[tuple[float, ...], ...]
    skip: tuple[str, ...] = ()


HIGH = _steps(50, 95, 5)
MULTISPORTS_SKIPS = (
    *('aerobic kick jump', 'aerobic off axis jump', 'aerobic butterfly jump', 'aerobic balance turn'),
    *('basketball save', 'basketball jump ball'),
)
# Thresholds are decimals, 0.3 and not the 0.1 + 0.1 * 2 = 0.30000000000000004 of the scripts.
CONVENTIONS = {
    # UCF101-24 and JHMDB: the scripts of the ACT detector (Kalogeiton et al., ICCV 2017).
    'act': TubeConvention(True, 'inclusive_span', 'next_best', 'trapezoid', (0.2, 0.5, 0.75), (HIGH,)),
    # MultiSports (Li et al., ICCV 2021), its evaluation script.
    'multisports': TubeConvention(
        False,
        'span',
        'best',
        'envelope',
        (0.2, 0.5),
        (_steps(5, 45, 5), _steps(10, 90, 10), HIGH),
        MULTISPORTS_SKIPS,
    ),
    'plain': TubeConvention(False, 'frames', 'next_best', 'envelope', (0.5, 0.75), (HIGH,)),
}


def pixels_of(convention: TubeConvention, boxes_px: np.ndarray) -> np.ndarray:
    """Return half-open boxes (N, 4) as the convention writes them: inclusive ones end a pixel earlier."""
    if not convention.inclusive_px:
        return boxes_px
    boxes = np.array(boxes_px, np.float64)
    boxes[:, 2:] = np.maximum(boxes[:, 2:] - 1, boxes[:, :2])
    return boxes


@dataclass(frozen=True, eq=False)
class TubeMatches:
    """What each detection found.

    Args:
        order (np.ndarray): (D,) int64 rows of the detections, from the most to the least confident.
        matched (np.ndarray): (T, D) int32 row of the ground truth that the detection of that rank found, -1 for none.
    """

    order: np.ndarray
    matched: np.ndarray


def tube_overlaps(
    truth: TubeTable,
    found: TubeTable,
    gts: np.ndarray,
    dets: np.ndarray,
    convention: TubeConvention,
    *,
    min_iou: float = 0.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the overlap in time and in space of pairs of tubes; their IoU is the product.

    Args:
        truth (TubeTable): One set of tubes.
        found (TubeTable): The other.
        gts (np.ndarray): (P,) int64 tube of ``truth`` of each pair.
        dets (np.ndarray): (P,) int64 tube of ``found``.
        convention (TubeConvention): How pixels and frames are counted.
        min_iou (float): Pairs whose IoU cannot reach it, judged by time alone, get a spatial overlap of 0 unseen.
            Defaults to 0, all are compared.

    Returns:
        tuple[np.ndarray, np.ndarray]: (P,) float64 each, in [0, 1]; the spatial one is 0 where no frame is shared.

    Raises:
        ValueError: If the convention counts time in an unknown way.
    """
    if convention.time not in TIMES:
        raise ValueError(f'time must be one of {TIMES}, got {convention.time!r}')
    gts, dets = np.asarray(gts, np.int64), np.asarray(dets, np.int64)
    sides = [_Side(table, int(convention.inclusive_px)) for table in (truth, found)]
    first = np.maximum(sides[0].first[gts], sides[1].first[dets])
    last = np.minimum(sides[0].last[gts], sides[1].last[dets])
    temporal, spatial = np.zeros(len(gts)), np.zeros(len(gts))
    both = sides[0].lengths[gts] + sides[1].lengths[dets]
    # No more frames than these are shared; fewer where there are holes.
    most = np.minimum(np.maximum(last - first + 1, 0), np.minimum(sides[0].lengths[gts], sides[1].lengths[dets]))
    if convention.time == 'frames':
        bound = most / (both - most)
    else:
        more = int(convention.time == 'inclusive_span')
        union = np.maximum(sides[0].last[gts], sides[1].last[dets]) + more
        union -= np.minimum(sides[0].first[gts], sides[1].first[dets])
        inter = last - first + more
        temporal = np.where(union > 0, inter / np.maximum(union, 1), 1.0)
        temporal[most == 0] = 0
        bound = temporal
    for part in _parts(np.flatnonzero((most > 0) & (bound > 0) & (bound >= min_iou)), most):
        gt, det = sides[0].rows_between(gts[part], first[part], last[part]), dets[part]
        pair = np.repeat(np.arange(len(part)), gt[1] - gt[0])
        begin = np.cumsum(gt[1] - gt[0]) - (gt[1] - gt[0])
        gt_rows = gt[0][pair] + np.arange(len(pair)) - begin[pair]
        det_rows, present = sides[1].find(det[pair], truth.frames[gt_rows])
        gt_rows, det_rows, pair = gt_rows[present], det_rows[present], pair[present]
        iou = _paired_iou(sides[0], gt_rows, sides[1], det_rows)
        shared = np.bincount(pair, minlength=len(part))
        # The mean is taken from the first frame on, so that it is exact where all frames overlap alike.
        first_iou = np.zeros(len(part))
        first_iou[shared > 0] = iou[(np.cumsum(shared) - shared)[shared > 0]]
        beyond = np.bincount(pair, iou - first_iou[pair], minlength=len(part))
        spatial[part] = first_iou + beyond / np.maximum(shared, 1)
        if convention.time == 'frames':
            temporal[part] = shared / (both[part] - shared)
    return temporal, spatial


class _Side:
    """The tubes of one table: spans, and areas and corners by columns, so that those of a row are computed once."""

    def __init__(self, table: TubeTable, more_px: int = 0) -> None:
        self.frames = table.frames
        grown = table.boxes_px + np.array([0, 0, more_px, more_px])
        self.areas, self.corners = box_areas(grown), np.ascontiguousarray(grown.T)
        self.begin, self.end = table.offsets[:-1], table.offsets[1:]
        self.lengths = self.end - self.begin
        self.first, self.last = self.frames[self.begin], self.frames[self.end - 1]
        self.holes = self.last - self.first + 1 != self.lengths

    def rows_between(self, tubes: np.ndarray, first: np.ndarray, last: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the half-open range of the rows of tubes from one frame to another."""
        return self._lower_bound(tubes, first), self._lower_bound(tubes, last + 1)

    def find(self, tubes: np.ndarray, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the row of each tube at a frame within its span, and whether it has one."""
        rows = self._lower_bound(tubes, frames)
        return rows, self.frames[rows] == frames

    def _lower_bound(self, tubes: np.ndarray, frames: np.ndarray) -> np.ndarray:
        """Return the first row of each tube that is not before a frame, by bisection only in tubes with holes."""
        rows = self.begin[tubes] + frames - self.first[tubes]
        some = np.flatnonzero(self.holes[tubes])
        low, high, frames = self.begin[tubes[some]], self.end[tubes[some]], frames[some]
        while (open_ := low < high).any():
            middle = np.where(open_, (low + high) // 2, low - 1)
            before = open_ & (self.frames[middle] < frames)
            low = np.where(before, middle + 1, low)
            high = np.where(open_ & ~before, middle, high)
        rows[some] = low
        return rows


def _paired_iou(a: _Side, rows_a: np.ndarray, b: _Side, rows_b: np.ndarray) -> np.ndarray:
    """Return what :func:`mmtube.ops.paired_box_iou` does."""
    (ax1, ay1, ax2, ay2), (bx1, by1, bx2, by2) = a.corners, b.corners
    width = np.minimum(ax2[rows_a], bx2[rows_b]) - np.maximum(ax1[rows_a], bx1[rows_b])
    height = np.minimum(ay2[rows_a], by2[rows_b]) - np.maximum(ay1[rows_a], by1[rows_b])
    inter = np.maximum(width, 0) * np.maximum(height, 0)
    union = a.areas[rows_a] + b.areas[rows_b] - inter
    return np.divide(inter, union, out=np.zeros_like(union), where=union > 0)


def _parts(pairs: np.ndarray, sizes: np.ndarray) -> Iterator[np.ndarray]:
    """Cut pairs into parts of a bounded number of rows."""
    total = np.cumsum(sizes[pairs])
    first = 0
    while first < len(pairs):
        before = total[first - 1] if first else 0
        last = max(int(np.searchsorted(total, before + MAX_ROWS, side='right')), first + 1)
        yield pairs[first:last]
        first = last


def tie_columns(table: TubeTable) -> list[np.ndarray]:
    """Return columns that put tubes in an order which depends on nothing but what they are.

    Returns:
        list[np.ndarray]: Video, class, first and last frame, and a number by which tubes that are alike in these (and
        in score) are ordered by their rows; two tubes that agree in all are the same.
    """
    begin, end = table.offsets[:-1], table.offsets[1:]
    columns = [table.video, table.labels, table.frames[begin], table.frames[end - 1]]
    known = columns if table.scores is None else [*columns, table.scores]
    order = np.lexsort(known[::-1])
    same = np.all([column[order[1:]] == column[order[:-1]] for column in known], axis=0)
    tied = order[np.r_[False, same] | np.r_[same, False]] if len(order) else order
    rows = {
        int(row): (np.column_stack([table.frames[part], table.boxes_px[part]]) + 0.0).tobytes()  # no negative zero
        for row, part in ((row, slice(begin[row], end[row])) for row in tied)
    }
    place = {content: number for number, content in enumerate(sorted(set(rows.values())))}
    content = np.zeros(len(table), np.int64)
    content[list(rows)] = [place[text] for text in rows.values()]
    return [*columns, content]


def canonical_truth(truth: TubeTable, convention: TubeConvention) -> TubeTable:
    """Return the ground truth in an order that does not depend on the file.

    Args:
        truth (TubeTable): Ground truth.
        convention (TubeConvention): Says what the area of a box is.

    Raises:
        InputError: If a tube stands twice, or a box has no area, so that nothing could overlap it.
    """
    sizes = truth.boxes_px[:, 2:] - truth.boxes_px[:, :2] + int(convention.inclusive_px)
    owner = np.repeat(np.arange(len(truth)), np.diff(truth.offsets))
    truth.refuse(np.bincount(owner, (sizes <= 0).any(axis=1), len(truth)) > 0, 'a box of the tube has no area')
    columns = tie_columns(truth)
    order = np.lexsort(columns[::-1])
    twice = np.zeros(len(truth), bool)
    twice[order[1:]] = np.all([column[order[1:]] == column[order[:-1]] for column in columns], axis=0)
    truth.refuse(twice, 'the same tube stands twice in the ground truth')
    return truth.rows(order)


def match_tubes(truth: TubeTable, found: TubeTable, convention: TubeConvention, thresholds: np.ndarray) -> TubeMatches:
    """Match detected tubes to the ground truth of their video and class.

    Args:
        truth (TubeTable): Ground truth in canonical order, see :func:`canonical_truth`.
        found (TubeTable): Detections over the same list of videos (see ``align``).
        convention (TubeConvention): What counts as found.
        thresholds (np.ndarray): (T,) float64 IoUs; one equal to the threshold counts.

    Returns:
        TubeMatches: For all thresholds.
    """
    thresholds = np.asarray(thresholds, np.float64)
    order = rank_by_score(found.scores, tie_columns(found))
    num_labels = 1 + int(max(truth.labels.max(initial=0), found.labels.max(initial=0)))
    groups = [table.video * num_labels + table.labels for table in (truth, found)]
    pairs: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    low = float(thresholds.min())
    for dets, gts in pairs_of_groups(groups[1][order], groups[0]):
        temporal, spatial = tube_overlaps(truth, found, gts, order[dets], convention, min_iou=low)
        iou = temporal * spatial
        keep = iou >= low
        pairs.append((dets[keep], gts[keep], iou[keep]))
    dets, gts, ious = (np.concatenate(column) for column in zip(*pairs)) if pairs else np.zeros((3, 0))
    return TubeMatches(order, match(convention.rule, dets, gts, ious, len(found), len(truth), thresholds))


def video_average_precision(
    truth: TubeTable, found: TubeTable, matches: TubeMatches, num_classes: int, integration: str
) -> np.ndarray:
    """Return the AP of each class at each threshold.

    Args:
        truth (TubeTable): Ground truth.
        found (TubeTable): Detections.
        matches (TubeMatches): What :func:`match_tubes` returned for them.
        num_classes (int): Number of classes C.
        integration (str): As for ``average_precision``.

    Returns:
        np.ndarray: (T, C) float64; 0 for a class without detections, NaN for one without ground truth.
    """
    num_gts = np.bincount(truth.labels, minlength=num_classes)
    return average_precision(matches.matched >= 0, found.labels[matches.order], num_gts, integration=integration)
