"""Temporal proposals: AR@AN, the average recall at an average number of proposals, and the area under its curve.

Reads the files of the protocol activitynet (see its --help). Labels of predictions are not looked at and may be absent:

--pred  {"results": {"v_1": [{"segment": [2.4, 7.1], "score": 0.93}]}}

A ground truth is recalled if one of the first proposals of its video reaches the temporal IoU. AR is the recall
averaged over IoU 0.50, 0.55, ..., 0.95. AN is an average: a video with many proposals uses more of them than one with
few, in proportion, and AN is their number over all videos (with exactly 100 everywhere: the best 100 of each).

AUC is the area under AR for AN = 1 to 100, divided by 100 as ActivityNet does; perfect recall gives 99.0, because the
curve begins at 1 and not at 0. --auc normalised divides by the width of the curve instead: perfect recall gives 100.

--iou new takes the duration-aware IoU of FineAction (Eq. 2), which needs the durations of the videos. AR@100 is also
given by the length of the ground truth, with all proposals of the video, and by class.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from mmtube.errors import InputError
from mmtube.evaluation.evidence import RatioEvidence
from mmtube.evaluation.functional.proposals import IOUS, POINTS, ProposalRecalls, area_under_curve, proposal_recalls
from mmtube.evaluation.functional.segments import ACTIVITYNET_THRESHOLDS
from mmtube.evaluation.readers.segments import clean_truth
from mmtube.evaluation.result import EvaluationResult
from mmtube.evaluation.scoring.columns import longest_first, worst_segments
from mmtube.evaluation.tables import LARGEST, SegmentTable, align, video_counts

from .activitynet import add_file_arguments, read_tables

AUCS = ('official', 'normalised')
BINS_S = (0.0, 2.0, 5.0, 10.0)
NUMBERS = (1, 5, 10, 100)
WORST = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_file_arguments(parser)
    parser.add_argument('--iou', choices=IOUS, default='iou', help='new is the duration-aware one (default: iou)')
    parser.add_argument('--auc', choices=AUCS, default='official', help='what AUC is divided by (default: official)')
    parser.add_argument('--max-proposals', type=float, default=100, metavar='AN', help='largest AN (default: 100)')
    parser.add_argument(
        '--duration-bins',
        type=float,
        nargs='+',
        default=list(BINS_S),
        metavar='S',
        help='lower edges of the bins of length in seconds, the last one is open (default: 0 2 5 10)',
    )


def evaluate(args: argparse.Namespace) -> EvaluationResult:
    """Read and score."""
    truth, found, classes, notes = read_tables(args, proposals=True)
    return score_tables(
        truth,
        found,
        classes,
        iou=args.iou,
        auc=args.auc,
        max_number=args.max_proposals,
        bins_s=args.duration_bins,
        dedup=args.dedup,
        notes=notes,
    )


def score_tables(
    truth: SegmentTable,
    found: SegmentTable,
    classes: Sequence[str],
    *,
    iou: str = 'iou',
    auc: str = 'official',
    max_number: float = 100,
    bins_s: Sequence[float] = BINS_S,
    dedup: bool = False,
    notes: Sequence[str] = (),
) -> EvaluationResult:
    """Score proposals.

    Args:
        truth (SegmentTable): Ground truth, not yet checked.
        found (SegmentTable): Checked proposals.
        classes (Sequence[str]): Class names.
        iou (str): ``'iou'`` or ``'new'``. Defaults to 'iou'.
        auc (str): ``'official'`` or ``'normalised'``. Defaults to 'official'.
        max_number (float): Largest average number of proposals. Defaults to 100.
        bins_s (Sequence[float]): Lower edges of the bins of length in seconds. Defaults to (0, 2, 5, 10).
        dedup (bool): As for :func:`~mmtube.evaluation.readers.segments.clean_truth`. Defaults to False.
        notes (Sequence[str]): Put before the others. Defaults to none.

    Raises:
        InputError: If the tables cannot be scored, an option cannot be used or a duration is missing.
    """
    edges = np.asarray(bins_s, np.float64)
    increasing = len(edges) and (edges >= 0).all() and (np.diff(edges) > 0).all() and np.isfinite(edges).all()
    if not 1 <= max_number <= LARGEST or not increasing:
        raise InputError(
            f'the largest AN must be 1 or more and bins increase from 0 or more: {max_number}, {list(bins_s)}'
        )
    truth, told = clean_truth(truth, len(classes), dedup=dedup)
    truth, found = align(truth, found)
    if iou == 'new':
        _check_durations(truth)
    recalls = proposal_recalls(truth, found, np.asarray(ACTIVITYNET_THRESHOLDS), max_number=max_number, iou=iou)
    average, counts = recalls.average_recall(), video_counts(truth, found)
    area, most = (
        area_under_curve(recalls.numbers, curve, normalised=auc == 'normalised')
        for curve in (average, np.ones_like(average))
    )
    numbers = sorted({number for number in NUMBERS if number <= max_number} | {max_number})
    named = {f'AR@{number:g}': recalls.point(number) for number in numbers}
    named = {name: point for name, point in named.items() if point >= 0}
    headline, last = list(named.items())[-1]
    metrics: dict[str, float | int] = {name: float(average[point]) for name, point in named.items()} | {'AUC': area}
    length_s = truth.segments_s[:, 1] - truth.segments_s[:, 0]
    durations = _groups(recalls, np.searchsorted(edges, length_s, side='right') - 1, _bin_names(edges), named)
    for name, value in zip(durations['group'], durations[headline]):
        if value is not None:
            metrics[f'{headline} of {name}'] = value
    per_video = len(found) / counts['videos']
    every = [*notes, *told, f'{per_video:.2f} proposals per video; AUC of perfect recall is {100 * most:.4f}']
    if counts['predictions_in_other_videos']:
        every.append('proposals in videos without ground truth use up their share of AN, as in the official script')
    classes_table = _groups(recalls, truth.labels, classes, named)
    found_rows = (recalls.first <= last).mean(axis=0)
    return EvaluationResult(
        'proposals',
        f'recall of all classes together averaged over {"duration-aware " if iou == "new" else ""}temporal IoU '
        f'0.50:0.05:0.95, AN an average with proposals in proportion, AUC {auc} over AN = '
        f'{recalls.numbers[0]:g} to {recalls.numbers[-1]:g}',
        metrics,
        counts,
        every,
        {
            'classes': {'class': classes_table.pop('group'), **classes_table},
            'durations': {'duration': durations.pop('group'), **durations},
            'worst': _missed(truth, recalls, classes),
        },
        _curves(recalls, average),
        {'auc_max': most, 'recall': recalls.recall(), 'thresholds': list(ACTIVITYNET_THRESHOLDS)},
        evidence=RatioEvidence(
            headline,
            truth.videos,
            ['all'],
            truth.video.astype(np.int32),
            np.zeros(len(truth), np.int32),
            found_rows,
            np.ones(len(truth)),
        ),
    )


def _check_durations(truth: SegmentTable) -> None:
    if truth.durations_s is None:
        raise InputError(f'{truth.name}: says no duration of a video, which the duration-aware IoU needs')
    lengths = truth.durations_s[truth.video]
    truth.refuse(~(np.isfinite(lengths) & (lengths > 0)), 'its video has no duration, which the new IoU needs')


def _bin_names(edges: np.ndarray) -> list[str]:
    ends = [f'-{edge:g} s' for edge in edges[1:]]
    return [f'{edge:g}{end}' for edge, end in zip(edges, ends)] + [f'{edges[-1]:g} s and longer']


def _groups(
    recalls: ProposalRecalls, group: np.ndarray, names: Sequence[str], points: dict[str, int]
) -> dict[str, list[Any]]:
    """Return AR of the ground truths of each group (those of none are in group -1), None where there are none."""
    table: dict[str, list[Any]] = {'group': list(names), 'num_gt': []} | {name: [] for name in points}
    order = np.argsort(group, kind='stable')
    edges = np.searchsorted(group[order], np.arange(len(names) + 1))
    for begin, end in itertools.pairwise(edges):
        table['num_gt'].append(int(end - begin))
        average = recalls.average_recall(order[begin:end]) if end > begin else None
        for name, point in points.items():
            table[name].append(None if average is None else float(average[point]))
    return table


def _missed(truth: SegmentTable, recalls: ProposalRecalls, classes: Sequence[str]) -> dict[str, list[Any]]:
    """Return the longest ground truths that no proposal finds at the lowest threshold."""
    rows = longest_first(truth, np.flatnonzero(recalls.first[0] >= POINTS))[:WORST]
    return worst_segments([(truth, rows, lambda _: 'missed')], classes)


def _curves(recalls: ProposalRecalls, average: np.ndarray) -> dict[str, dict[str, Any]]:
    thresholds, recall = list(ACTIVITYNET_THRESHOLDS), recalls.recall()
    number = f'{recalls.numbers[-1]:g}'
    return {
        'AR by AN': {
            'x': recalls.numbers.tolist(),
            'y': average.tolist(),
            'x_label': 'average number of proposals',
            'y_label': 'average recall',
        },
        f'recall by temporal IoU at AN = {number}': {
            'x': thresholds,
            'y': recall[:, -1].tolist(),
            'x_label': 'temporal IoU',
            'y_label': 'recall',
        },
    }
