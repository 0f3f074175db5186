"""Scores of detections of people, for the protocol ``detection``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from mmtube.errors import InputError
from mmtube.evaluation.functional.average_precision import average_precision
from mmtube.evaluation.functional.detection import cut_at_false, cut_at_score, share_covered
from mmtube.evaluation.functional.frame_boxes import FrameMatches, match_frames
from mmtube.evaluation.readers.tracks import TrackTable
from mmtube.evaluation.result import EvaluationResult, decimal
from mmtube.evaluation.tables import align, video_counts

from .frame_report import frame_evidence, mean_curve
from .suspicions import odd_boxes
from .tracks import add_worst, with_times, without_distractors

CLASSES = ('person',)
THRESHOLDS = tuple(number / 100 for number in range(50, 100, 5))
HEIGHTS_PX = (0, 16, 32, 48, 64, 96, 128, 192, 256, 384, 512, np.inf)
COVERED = (0, 0.1, 0.25, 0.5, 0.75, np.inf)
WORST = 25  # rows of each kind


def score_detections(
    truth: TrackTable,
    found: TrackTable,
    num_frames: Mapping[str, int],
    *,
    iou: float = 0.5,
    score: float | None = None,
    false_per_frame: float = 0.2,
    every: int = 1,
    first: int = 0,
    fps: float | None = None,
    scope: Sequence[str] = (),
) -> EvaluationResult:
    """Score detections in the frames of films, those without anybody too.

    Args:
        truth (TrackTable): Ground truth.
        found (TrackTable): Detections with scores.
        num_frames (Mapping[str, int]): Frames of each video of the ground truth.
        iou (float): IoU from which a detection finds a box, for everything but the mean AP. Defaults to 0.5.
        score (float | None): Score threshold. Defaults to None: the lowest with at most ``false_per_frame``.
        false_per_frame (float): False detections for each frame. Defaults to 0.2.
        every (int): Only every n-th frame is scored. Defaults to 1.
        first (int): The first of them, a frame index. Defaults to 0.
        fps (float | None): For times of the worst cases, see ``with_times``. Defaults to None.
        scope (Sequence[str]): What part is scored, in words. Defaults to none.

    Returns:
        EvaluationResult: ``recall``, ``precision``, ``false_per_frame``, ``AP@<iou>``, ``AP`` (the mean of .5:.05:.95),
        ``FP`` and ``FN``; tables by video, height and cover.

    Raises:
        InputError: If a table or an argument cannot be used.
    """
    if not 0 < iou <= 1:
        raise InputError(f'the IoU of a match must lie in (0, 1], not {iou:g}')
    if not 0 <= false_per_frame < np.inf:
        raise InputError(f'false boxes for each frame must be 0 or more, not {false_per_frame:g}')
    if every < 1 or first < 0:
        raise InputError(f'--every must be 1 or more and --first 0 or more, not {every} and {first}')
    if score is not None:
        score = float(np.float32(score))  # files of detections are read with 32 bits: 0.7 is as much as 0.7
    if found.scores is None:
        found = replace(found, scores=np.ones(len(found)))
    truth.check()
    found.check()
    truth, found = align(truth, found)
    odd = odd_boxes(truth, found)
    truth, found = with_times(truth, found, fps)
    truth, found = (table.rows(_sampled(table.frames, every, first)) for table in (truth, found))
    if not len(truth):
        raise InputError(f'{truth.name}: no box lies in every {every}th frame from {first} on')
    frames = np.array([max(0, -(-(num_frames.get(name, 0) - first) // every)) for name in truth.videos], np.int64)
    unknown = sorted({truth.videos[number] for number in np.unique(found.video) if not frames[number]})
    notes = (
        [f'{len(unknown)} videos are not in the ground truth, their boxes are false: {unknown[0]}'] if unknown else []
    )
    truth, found, removed = without_distractors(truth, found)
    notes += [*removed, *odd]
    truth, found = (replace(table, labels=np.zeros(len(table), np.int64)) for table in (truth, found))
    matches = match_frames(truth, found, [iou, *THRESHOLDS], rule='next_best')
    scores, hits = found.scores[matches.order], matches.hits[0]
    total = max(int(frames.sum()), 1)
    cut = cut_at_score(scores, score) if score is not None else cut_at_false(scores, hits, false_per_frame * total)
    if not len(found):
        notes.append('nothing was predicted: all ground truth is missed')
    missed = _missed(matches, cut)
    ap = average_precision(matches.hits, np.zeros(len(found), np.int64), np.array([len(truth)]))[:, 0]
    tp, fp = int(hits[:cut].sum()), int((~hits[:cut]).sum())
    metrics: dict[str, float | int] = {
        'recall': tp / len(truth),
        'precision': tp / max(cut, 1),
        'false_per_frame': fp / total,
        f'AP@{decimal(iou)}': float(ap[0]),
        'AP': float(ap[1:].mean()),
        'FP': fp,
        'FN': len(truth) - tp,
    }
    heights, covers = truth.boxes[:, 3] - truth.boxes[:, 1], _covered(truth)
    tables = {
        'videos': _videos(truth, found, matches, cut, missed, frames),
        'heights': _by_bin('height_px', HEIGHTS_PX, heights, missed),
        'cover': _by_bin('covered', COVERED, covers, missed),
        'worst': _worst(truth, found, matches, cut, missed, heights, covers),
    }
    threshold = float(scores[cut - 1]) if cut else None
    least = score if score is not None else threshold
    chosen = 'given' if score is not None else f'the lowest with at most {false_per_frame:g} false boxes a frame'
    notes += [_line('recall by height in pixels', tables['heights']), _line('recall by cover', tables['cover'])]
    sample = f'every {every}th frame from {first} on' if every > 1 or first else 'all frames'
    told = 'none passes' if least is None else f'score {least:.4g} or more'
    convention = (
        f'recall, precision and false boxes at IoU {iou:g}, {told} ({chosen}); a detection finds the box it overlaps '
        'most of those not found yet, the most confident first; AP is the area under the precision envelope, its mean '
        f'over IoU .5:.05:.95; {sample}, also those without people'
    )
    counts = {**video_counts(truth, found), 'frames': int(frames.sum()), 'predictions_that_pass': cut}
    evidence_matches = FrameMatches(matches.order, matches.gt_order, matches.matched[1:])
    return EvaluationResult(
        'detection',
        '; '.join([convention, *scope]),
        metrics,
        counts,
        notes,
        tables,
        _curves(hits, scores, len(truth), total, iou),
        {'score_threshold': least, 'thresholds': list(THRESHOLDS)},
        evidence=frame_evidence('AP', truth, found, CLASSES, evidence_matches, np.ones(1, bool), 'envelope'),
    )


def _sampled(frames: np.ndarray, every: int, first: int) -> np.ndarray:
    return (frames >= first) & ((frames - first) % every == 0)


def _missed(matches: FrameMatches, cut: int) -> np.ndarray:
    """(G,) bool by row of the ground truth, whether no detection that passes found it."""
    missed = np.ones(len(matches.gt_order), bool)
    places = matches.matched[0, :cut]
    missed[matches.gt_order[places[places >= 0]]] = False
    return missed


def _covered(truth: TrackTable) -> np.ndarray:
    span = int(truth.frames.max()) + 1
    return share_covered(truth.video * span + truth.frames, truth.boxes)


def _videos(
    truth: TrackTable, found: TrackTable, matches: FrameMatches, cut: int, missed: np.ndarray, frames: np.ndarray
) -> dict[str, list]:
    num = len(truth.videos)
    num_gt = np.bincount(truth.video, minlength=num)
    misses = np.bincount(truth.video[missed], minlength=num)
    false = np.bincount(found.video[matches.order[:cut]][~matches.hits[0, :cut]], minlength=num)
    return {
        'video': list(truth.videos),
        'frames': frames.tolist(),
        'num_gt': num_gt.tolist(),
        'missed': misses.tolist(),
        'false': false.tolist(),
        'recall': [1 - m / n if n else None for m, n in zip(misses.tolist(), num_gt.tolist())],
        'false_per_frame': [f / n if n else None for f, n in zip(false.tolist(), frames.tolist())],
    }


def _by_bin(name: str, edges: Sequence[float], values: np.ndarray, missed: np.ndarray) -> dict[str, list]:
    """Return ground truth, misses and recall by value, from each edge up to the next; bins without any are left out."""
    place = np.searchsorted(edges, values, side='right') - 1
    num_gt = np.bincount(place, minlength=len(edges))
    misses = np.bincount(place[missed], minlength=len(edges))
    table: dict[str, list] = {name: [], 'num_gt': [], 'missed': [], 'recall': []}
    for (low, high), count, miss in zip(pairwise(edges), num_gt.tolist(), misses.tolist()):
        if count:
            row = (f'{low:g} to {high:g}' if np.isfinite(high) else f'{low:g} or more', count, miss, 1 - miss / count)
            for column, value in zip(table.values(), row):
                column.append(value)
    return table


def _line(title: str, table: dict[str, list]) -> str:
    rows = zip(*table.values())
    return f'{title}: ' + ', '.join(f'{label}: {100 * recall:.1f} of {count:,d}' for label, count, _, recall in rows)


def _worst(
    truth: TrackTable,
    found: TrackTable,
    matches: FrameMatches,
    cut: int,
    missed: np.ndarray,
    heights: np.ndarray,
    covers: np.ndarray,
) -> dict[str, list]:
    """Return the most confident false detections, and the misses of the least covered, of those the tallest."""
    table: dict[str, list] = {name: [] for name in ('video', 'time_s', 'x1', 'y1', 'x2', 'y2', 'text')}
    ranked = matches.order[:cut]
    assert found.scores is not None
    for row in ranked[~matches.hits[0, :cut]][:WORST]:
        add_worst(table, found, int(row), f'false, score {found.scores[row]:.3f}')
    rows = np.flatnonzero(missed)
    grade = np.searchsorted(COVERED, covers[rows], side='right')
    order = np.lexsort([truth.frames[rows], truth.video[rows], -heights[rows], grade])
    for row in rows[order][:WORST]:
        told = f'person {truth.ids[row]} is missed, {heights[row]:.0f} pixels tall, {100 * covers[row]:.0f} % covered'
        add_worst(table, truth, int(row), told)
    return table


def _curves(hits: np.ndarray, scores: np.ndarray, num_gt: int, num_frames: int, iou: float) -> dict[str, Any]:
    ends = np.flatnonzero(np.r_[scores[1:] != scores[:-1], True][: len(scores)])
    kept = ends[np.unique(np.linspace(0, max(len(ends) - 1, 0), 200).astype(int))] if len(ends) else ends
    found, false = np.cumsum(hits)[kept] / num_gt, np.cumsum(~hits)[kept] / num_frames
    return {
        'precision over recall': mean_curve(hits, np.zeros(len(hits), np.int64), np.array([num_gt]), iou),
        'recall over false boxes a frame': {
            'x': false.tolist(),
            'y': found.tolist(),
            'x_label': 'false boxes a frame',
            'y_label': f'recall, IoU {decimal(iou)}',
        },
    }
