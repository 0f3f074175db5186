"""Video mAP of tables of tubes as a result: numbers, classes, kinds of errors, worst cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mmtube.errors import InputError
from mmtube.evaluation.evidence import APEvidence
from mmtube.evaluation.functional.average_precision import mean_over_classes
from mmtube.evaluation.functional.tube_errors import ERROR_KINDS, FOUND, tube_errors
from mmtube.evaluation.functional.video_tubes import (
    TubeConvention,
    TubeMatches,
    canonical_truth,
    match_tubes,
    video_average_precision,
)
from mmtube.evaluation.result import EvaluationResult, decimal
from mmtube.evaluation.tables import TubeTable, align, video_counts

from .columns import optional

WORST = 25  # false positives, and as many missed tubes
TIME_NAMES = {
    'frames': 'sets of frames',
    'span': 'first to last frame, not inclusive',
    'inclusive_span': 'first to last frame, inclusive',
}
RULE_NAMES = {'best': 'best only', 'next_best': 'next best if taken'}


def score_tables(
    truth: TubeTable,
    found: TubeTable,
    classes: Sequence[str],
    convention: TubeConvention,
    *,
    error_iou: float = 0.5,
    fps: float | Mapping[str, float] = 25.0,
    subsets: Mapping[str, Sequence[int]] | None = None,
    protocol: str = 'video-map',
) -> EvaluationResult:
    """Score predicted tubes.

    Args:
        truth (TubeTable): Ground truth; frames count from 1.
        found (TubeTable): Predictions.
        classes (Sequence[str]): Class names.
        convention (TubeConvention): What is computed.
        error_iou (float): Threshold of the kinds of errors and of the worst cases. Defaults to 0.5.
        fps (float | Mapping[str, float]): Frames per second, of each video where they differ; for times in tables.
            Defaults to 25.
        subsets (Mapping[str, Sequence[int]] | None): Classes of named subsets, which get means of their own. Defaults
            to None.
        protocol (str): Name in the result. Defaults to 'video-map'.

    Returns:
        EvaluationResult: ``mAP@...`` for each threshold and range. The last one is the headline.

    Raises:
        InputError: If a table cannot be scored: see ``TubeTable.check``, ``align`` and ``canonical_truth``; or no
            class that is scored has ground truth.
    """
    if not 0 < error_iou <= 1:
        raise InputError(f'the IoU of errors must be above 0 and at most 1, got {error_iou}')
    for table in (truth, found):
        table.check(len(classes))
    truth, found = align(truth, found)
    everything = canonical_truth(truth, convention)
    scored = np.array([name not in convention.skip for name in classes], bool)
    truth, dropped = everything.rows(scored[everything.labels]), found
    found = found.rows(scored[found.labels])
    num_gts = np.bincount(truth.labels, minlength=len(classes))
    if not len(truth):
        raise InputError(f'{truth.name}: has no ground truth of a class that is scored')
    notes = _notes(everything, truth, dropped, found, num_gts)

    thresholds = np.unique([*convention.thresholds, *sum(convention.means, ()), error_iou])
    matches = match_tubes(truth, found, convention, thresholds)
    ap = video_average_precision(truth, found, matches, len(classes), convention.integration)
    row = {threshold: number for number, threshold in enumerate(thresholds.tolist())}
    spans = {f'mAP@{decimal(threshold)}': [row[threshold]] for threshold in convention.thresholds}
    spans |= {
        f'mAP@{decimal(mean[0])}:{decimal(mean[-1])}': [row[threshold] for threshold in mean]
        for mean in convention.means
    }
    headline = list(spans)[-1]
    metrics = {name: float(mean_over_classes(ap[rows]).mean()) for name, rows in spans.items()}
    for subset, members in (subsets or {}).items():
        absent = sum(num_gts[list(members)] == 0)
        if absent == len(members):
            raise InputError(f'{truth.name}: has no ground truth of the subset {subset}')
        if absent:
            notes.append(f'{subset}: {absent} of {len(members)} classes have no ground truth and are left out')
        metrics |= {
            f'{subset}/{name}': float(mean_over_classes(ap[rows], np.asarray(members)).mean())
            for name, rows in spans.items()
        }

    hits = np.zeros(len(found), bool)
    hits[matches.order] = matches.matched[row[error_iou]] >= 0
    kinds = tube_errors(everything, found, hits, error_iou, convention)
    missed = np.ones(len(truth), bool)
    missed[matches.matched[row[error_iou]][matches.matched[row[error_iou]] >= 0]] = False
    recall = [len(np.unique(found_by[found_by >= 0])) / len(truth) for found_by in matches.matched]
    x = thresholds.tolist()
    return EvaluationResult(
        protocol,
        _convention_text(convention, spans),
        metrics,
        counts=video_counts(truth, found),
        notes=notes,
        tables={
            'classes': _class_table(classes, scored, num_gts, found, ap, spans),
            'errors': _error_table(kinds, missed),
            'worst': _worst(truth, found, matches, kinds, missed, classes, fps),
        },
        curves={
            'mAP by IoU': dict(x=x, y=mean_over_classes(ap).tolist(), x_label='tube IoU', y_label='mAP'),
            'recall by IoU': dict(x=x, y=recall, x_label='tube IoU', y_label='share of tubes found'),
        },
        details={'errors': {'iou': error_iou, 'classes': _errors_by_class(classes, found, kinds, truth, missed)}},
        evidence=APEvidence(
            headline,
            truth.videos,
            list(classes),
            found.video[matches.order],
            found.labels[matches.order],
            matches.matched[spans[headline]] >= 0,
            truth.video,
            truth.labels,
            convention.integration,
        ),
    )


def _notes(
    everything: TubeTable, truth: TubeTable, predicted: TubeTable, found: TubeTable, num_gts: np.ndarray
) -> list[str]:
    notes = []
    gone = (len(everything) - len(truth), len(predicted) - len(found))
    if any(gone):
        notes.append(f'{gone[0]} ground truths and {gone[1]} predictions of skipped classes are not scored')
    if not len(found):
        notes.append('there are no predictions, all is missed')
    elsewhere = int((num_gts[found.labels] == 0).sum())
    if elsewhere:
        notes.append(f'{elsewhere} predictions are of classes without ground truth, which have no AP')
    return notes


def _convention_text(convention: TubeConvention, spans: Mapping[str, Any]) -> str:
    pixels = 'inclusive pixels (+1)' if convention.inclusive_px else 'half-open boxes'
    return (
        f'tube IoU = overlap in time ({TIME_NAMES[convention.time]}) x mean box IoU over shared frames, {pixels}; '
        f'match: {RULE_NAMES[convention.rule]}; AP: {convention.integration}; mean over classes with ground truth; '
        f'headline {list(spans)[-1]}'
    )


def _class_table(
    classes: Sequence[str],
    scored: np.ndarray,
    num_gts: np.ndarray,
    found: TubeTable,
    ap: np.ndarray,
    spans: Mapping[str, list[int]],
) -> dict[str, list]:
    rows = np.flatnonzero(scored)
    num_pred = np.bincount(found.labels, minlength=len(classes))
    table = {
        'class': [classes[label] for label in rows],
        'num_gt': num_gts[rows].tolist(),
        'num_pred': num_pred[rows].tolist(),
    }
    for name, thresholds in spans.items():
        table[name[1:]] = optional(ap[thresholds].mean(axis=0)[rows])
    return table


def _error_table(kinds: np.ndarray, missed: np.ndarray) -> dict[str, list]:
    counts = np.bincount(kinds, minlength=len(ERROR_KINDS)).tolist()
    shares = [count / len(kinds) if len(kinds) else 0.0 for count in counts]
    return {
        'kind': [*ERROR_KINDS, 'missed'],
        'count': [*counts, int(missed.sum())],
        'share': [*shares, float(missed.mean())],
        'of': [*(['predictions'] * len(ERROR_KINDS)), 'ground truths'],
    }


def _errors_by_class(
    classes: Sequence[str], found: TubeTable, kinds: np.ndarray, truth: TubeTable, missed: np.ndarray
) -> dict[str, dict[str, int]]:
    counts = np.zeros((len(classes), len(ERROR_KINDS) + 1), np.int64)
    np.add.at(counts, (found.labels, kinds), 1)
    np.add.at(counts[:, -1], truth.labels[missed], 1)
    names = (*ERROR_KINDS, 'missed')
    return {
        name: {kind: count for kind, count in zip(names, row) if count}
        for name, row in zip(classes, counts.tolist())
        if any(row)
    }


def _worst(
    truth: TubeTable,
    found: TubeTable,
    matches: TubeMatches,
    kinds: np.ndarray,
    missed: np.ndarray,
    classes: Sequence[str],
    fps: float | Mapping[str, float],
) -> dict[str, list]:
    """Return the most confident false positives and the longest of the missed tubes, at their middle boxes."""
    table: dict[str, list] = {name: [] for name in ('video', 'time_s', 'x1', 'y1', 'x2', 'y2', 'text')}
    false = matches.order[kinds[matches.order] != FOUND][:WORST]
    lengths = np.diff(truth.offsets)
    lost = np.flatnonzero(missed)[np.argsort(-lengths[missed], kind='stable')][:WORST]
    cases = [
        (found, tube, f'{ERROR_KINDS[kinds[tube]]}: {classes[found.labels[tube]]}, score {found.scores[tube]:.3f}')
        for tube in false
    ] + [(truth, tube, f'missed: {classes[truth.labels[tube]]}, {lengths[tube]} frames') for tube in lost]
    for source, tube, text in cases:
        middle = (source.offsets[tube] + source.offsets[tube + 1]) // 2
        video = source.videos[source.video[tube]]
        rate = fps.get(video) if isinstance(fps, Mapping) else fps
        table['video'].append(video)
        table['time_s'].append((int(source.frames[middle]) - 1) / rate if rate else None)
        for name, value in zip(('x1', 'y1', 'x2', 'y2'), source.boxes_px[middle].tolist()):
            table[name].append(value)
        table['text'].append(text)
    return table
