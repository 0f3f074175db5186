"""Scores of tracks, for the protocol ``mot`` and its metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from mmtube.errors import InputError
from mmtube.evaluation.evidence import RatioEvidence
from mmtube.evaluation.functional.hota import ALPHAS, HOTACounts, hota
from mmtube.evaluation.functional.track_matching import ClearMOT, clear_mot, identity_matches
from mmtube.evaluation.functional.track_pairs import Tracks, assign, number_tracks, overlaps
from mmtube.evaluation.readers.tracks import COUNTED, DISTRACTOR, TrackTable
from mmtube.evaluation.result import EvaluationResult
from mmtube.evaluation.tables import align, video_counts

from .suspicions import odd_boxes

DISTRACTOR_IOU = 0.5
WORST = (('switch', 20), ('missed', 15), ('false', 15))


def numbered(truth: TrackTable, found: TrackTable) -> tuple[Tracks, Tracks]:
    """Return two aligned tables as tracks that can be compared."""
    frames = [int(table.frames.max()) + 1 for table in (truth, found) if len(table)]
    return tuple(
        number_tracks(table.video, table.frames, table.ids, table.boxes, max(frames, default=1))
        for table in (truth, found)
    )


def without_distractors(truth: TrackTable, found: TrackTable) -> tuple[TrackTable, TrackTable, list[str]]:
    """Remove ground truth that is not to be considered, and detections of distractors, as TrackEval does.

    All ground truth of a frame is paired with the detections so that the sum of IoU is largest, pairs below IoU 0.5
    left out; a detection that is paired with a distractor is neither right nor wrong and is removed. The tables must be
    aligned.

    Returns:
        tuple: Both tables and what was removed, for people to read.

    Raises:
        InputError: If no ground truth is left.
    """
    notes = []
    if (truth.labels == DISTRACTOR).any():
        gt, det = numbered(truth, found)
        pairs = overlaps(gt, det).reaching(DISTRACTOR_IOU)
        taken = assign(pairs.gts, pairs.dets, pairs.ious)
        gone = det.row[pairs.dets[taken]][truth.labels[gt.row[pairs.gts[taken]]] == DISTRACTOR]
        found = found.rows(~np.isin(np.arange(len(found)), gone))
        notes.append(f'{len(gone):,d} predicted boxes that found a distractor were removed')
    counted = truth.labels == COUNTED
    if not counted.all():
        notes.insert(0, f'{(~counted).sum():,d} boxes of the ground truth are not to be considered and were left out')
    if not counted.any():
        raise InputError(f'{truth.name}: no row of the ground truth is to be considered, there is nothing to score')
    return truth.rows(counted), found, notes


def with_times(truth: TrackTable, found: TrackTable, fps: float | None = None) -> tuple[TrackTable, TrackTable]:
    """Give times to boxes that have none, from the rate of the boxes of the same video that have one.

    Args:
        truth (TrackTable): Ground truth; its rate goes before that of the predictions.
        found (TrackTable): Predictions, aligned.
        fps (float | None): Frames per second of the videos of which no box has a time. Defaults to None, not known.
    """
    rates = np.full(len(truth.videos), fps or np.nan)
    for table in (found, truth):
        known = np.flatnonzero(np.isfinite(table.times_s) & (table.times_s > 0) & (table.frames > 0))
        known = known[np.argsort(table.frames[known], kind='stable')]  # of a video the last frame stays
        rates[table.video[known]] = table.frames[known] / table.times_s[known]
    return tuple(
        replace(table, times_s=np.where(np.isfinite(table.times_s), table.times_s, table.frames / rates[table.video]))
        for table in (truth, found)
    )


def score_tables(
    truth: TrackTable,
    found: TrackTable,
    *,
    iou: float = 0.5,
    fps: float | None = None,
    scope: Sequence[str] = (),
) -> EvaluationResult:
    """Score tracks.

    Args:
        truth (TrackTable): Ground truth.
        found (TrackTable): Predictions; videos need not be numbered alike.
        iou (float): Smallest IoU of a match, for all but HOTA. Defaults to 0.5.
        fps (float | None): See :func:`with_times`; it changes no number. Defaults to None.
        scope (Sequence[str]): What part of the ground truth it is, in words. Defaults to none, all of it.

    Raises:
        InputError: If a table cannot be scored.
    """
    if not 0 < iou <= 1:
        raise InputError(f'the IoU of a match must lie in (0, 1], not {iou:g}')
    if fps is not None and not 0 < fps < np.inf:
        raise InputError(f'the frame rate must be positive, not {fps:g}')
    truth.check()
    found.check()
    truth, found = align(truth, found)
    odd = odd_boxes(truth, found)
    truth, found = with_times(truth, found, fps)
    truth, found, notes = without_distractors(truth, found)
    gt, det = numbered(truth, found)
    num = len(truth.videos)
    pairs = overlaps(gt, det)
    clear = clear_mot(gt, det, pairs, num, iou)
    idtp = identity_matches(gt, det, pairs, num, iou)
    parts = hota(gt, det, pairs, num)
    if not len(found):
        notes.append('nothing was predicted: all ground truth is missed')
    notes += odd
    counts = video_counts(truth, found)
    counts |= {'people': len(gt.track_sequence), 'predicted_ids': len(det.track_sequence)}
    whole = parts.scores()
    curves = {
        f'{name} by localisation threshold': {
            'x': ALPHAS.tolist(),
            'y': values.tolist(),
            'x_label': 'IoU threshold',
            'y_label': name,
        }
        for name, values in (('HOTA', whole.hota), ('DetA', whole.det_a), ('AssA', whole.ass_a))
    }
    evidence = identity_evidence(truth.videos, idtp, clear.num_gt + clear.num_pred)
    rows = [{'sequence': name, **_scores(clear, idtp, parts, np.array([n]))} for n, name in enumerate(truth.videos)]
    tables = {'sequences': {key: [row[key] for row in rows] for key in rows[0]}}
    tables['worst'] = _worst(truth, found, gt, det, clear)
    metrics = {
        name: value
        for name, value in _scores(clear, idtp, parts, slice(None)).items()
        if name not in ('num_gt', 'num_pred')
    }
    convention = (
        f'CLEAR MOT and identity measures at IoU {iou:g}: a known ID is kept, the rest is paired for most matches, '
        'then largest IoU; MOTP_iou is the mean IoU of matches (motmetrics prints 1 minus it); HOTA and its parts are '
        "means over IoU .05:.05:.95 with TrackEval's matching; sequences are summed"
        + ''.join(f'; {part}' for part in scope)
    )
    return EvaluationResult(
        'mot', convention, metrics, counts, notes, tables, curves, {'alphas': ALPHAS.tolist()}, evidence=evidence
    )


def _scores(
    clear: ClearMOT, idtp: np.ndarray, parts: HOTACounts, sequences: np.ndarray | slice
) -> dict[str, float | int | None]:
    """Return the numbers of some sequences together; those that lack a denominator are 0, or None without truth."""
    gt, pred = int(clear.num_gt[sequences].sum()), int(clear.num_pred[sequences].sum())
    matches, switches = int(clear.matches[sequences].sum()), int(clear.switches[sequences].sum())
    identity = int(idtp[sequences].sum())
    scores = parts.scores(sequences)
    names = {
        'HOTA': 'hota',
        'DetA': 'det_a',
        'AssA': 'ass_a',
        'DetRe': 'det_re',
        'DetPr': 'det_pr',
        'AssRe': 'ass_re',
        'AssPr': 'ass_pr',
        'LocA': 'loc_a',
    }
    numbers: dict[str, Any] = {name: float(getattr(scores, field).mean()) for name, field in names.items()}
    numbers |= {
        'MOTA': (gt - (gt - matches) - (pred - matches) - switches) / max(gt, 1),
        'MOTP_iou': float(clear.iou_sum[sequences].sum()) / max(matches, 1),
        'recall': matches / max(gt, 1),
        'precision': matches / max(pred, 1),
        'IDF1': 2 * identity / max(gt + pred, 1),
        'IDP': identity / max(pred, 1),
        'IDR': identity / max(gt, 1),
    }
    if not gt:
        numbers = dict.fromkeys(numbers)
    counts = {
        'FP': pred - matches,
        'FN': gt - matches,
        'IDSW': switches,
        'fragmentations': clear.fragmentations,
        'MT': clear.mostly_tracked,
        'PT': clear.partially_tracked,
        'ML': clear.mostly_lost,
    }
    counts = {name: value if isinstance(value, int) else int(value[sequences].sum()) for name, value in counts.items()}
    return {'num_gt': gt, 'num_pred': pred, **numbers, **counts}


def _worst(truth: TrackTable, found: TrackTable, gt: Tracks, det: Tracks, clear: ClearMOT) -> dict[str, list]:
    """Return the switches of the longest seen people, the longest misses, and the IDs with most false boxes."""
    entries: dict[str, list[tuple[int, TrackTable, int, str]]] = {name: [] for name, _ in WORST}
    hit = clear.matched >= 0
    by_track = np.lexsort((gt.picture, gt.track))
    hits = by_track[hit[by_track]]
    for place in np.flatnonzero(clear.switched[hits]):
        row, before = hits[place], hits[place - 1]
        new, old = (found.ids[det.row[clear.matched[which]]] for which in (row, before))
        told = f'person {truth.ids[gt.row[row]]} was ID {old}, becomes ID {new}'
        entries['switch'].append((int(gt.lengths[gt.track[row]]), truth, int(gt.row[row]), told))
    changes = np.ones(len(by_track), bool)
    changes[1:] = (np.diff(gt.track[by_track]) != 0) | (np.diff(hit[by_track]) != 0)
    begins = np.flatnonzero(changes)
    for begin, length in zip(begins, np.diff(np.r_[begins, len(by_track)])):
        row = gt.row[by_track[begin]]
        if not hit[by_track[begin]]:
            told = f'person {truth.ids[row]} is missed in {length} boxes from here'
            entries['missed'].append((int(length), truth, int(row), told))
    false = np.ones(len(det.picture), bool)
    false[clear.matched[hit]] = False
    wrong = np.flatnonzero(false)
    for track, first, count in zip(*np.unique(det.track[wrong], return_index=True, return_counts=True)):
        row = det.row[wrong[first]]
        told = f'ID {found.ids[row]} has {count} false boxes of {det.lengths[track]}, the first here'
        entries['false'].append((int(count), found, int(row), told))
    table: dict[str, list] = {name: [] for name in ('video', 'time_s', 'x1', 'y1', 'x2', 'y2', 'text')}
    for name, most in WORST:
        ordered = sorted(entries[name], key=lambda entry: -entry[0])  # ties stay in the order of sequence and frame
        for _, source, row, told in ordered[:most]:
            add_worst(table, source, row, told)
    return table


def identity_evidence(videos: list[str], idtp: np.ndarray, boxes: np.ndarray) -> RatioEvidence:
    """Return what IDF1 is made of.

    Args:
        videos (list[str]): Names of the sequences.
        idtp (np.ndarray): (V,) boxes that the assignment of people to IDs pairs.
        boxes (np.ndarray): (V,) boxes of people and predicted ones together.
    """
    number = np.arange(len(videos))
    return RatioEvidence('IDF1', list(videos), ['all'], number, 0 * number, 2.0 * idtp, boxes.astype(np.float64))


def add_worst(table: dict[str, list], source: TrackTable, row: int, text: str) -> None:
    """Add a row of a table of boxes to a table ``'worst'``."""
    time_s = float(source.times_s[row])
    values = (source.videos[source.video[row]], time_s if np.isfinite(time_s) else None, *source.boxes[row].tolist())
    for column, value in zip(table, (*values, f'{text} (frame index {source.frames[row]})')):
        table[column].append(value)
