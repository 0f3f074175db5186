"""The result of DETAD's error analysis from two tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mmtube.errors import InputError
from mmtube.evaluation.evidence import APEvidence
from mmtube.evaluation.functional.average_precision import mean_over_classes
from mmtube.evaluation.functional.detad import ERRORS, FLOOR, KINDS, LIMIT, Diagnosis, diagnose
from mmtube.evaluation.functional.detad_characteristics import (
    BINS,
    MIN_PRECISION,
    BinnedTruth,
    bin_truth,
    coverage,
    missed_by_bin,
    missed_truth,
    sensitivity_by_bin,
)
from mmtube.evaluation.functional.detad_precision import normalised_average_precision
from mmtube.evaluation.functional.segments import ACTIVITYNET_THRESHOLDS
from mmtube.evaluation.result import EvaluationResult
from mmtube.evaluation.tables import SegmentTable, align, video_counts

from .columns import Locate, longest_first, optional, worst_segments

WORST = 25
MAX_LIMIT = 100_000  # the profile has a row for each slice
CONVENTION = (
    'a detection takes the best free ground truth of its class (next best), area under the precision envelope, mean '
    'over {classes} classes with ground truth, then over temporal IoU {thresholds}; errors, gains and mAP_N of the '
    '{limit} G most confident predictions of a class with G ground truths, N = {normal:.4g}, background below '
    '{floor:g}; missed: not found while normalised precision is above {precision:g}'
)


def score_detad(
    truth: SegmentTable,
    found: SegmentTable,
    classes: Sequence[str],
    thresholds: Sequence[float] = ACTIVITYNET_THRESHOLDS,
    *,
    edges: Mapping[str, Sequence[float]] = BINS['activitynet'],
    limit: int = LIMIT,
    floor: float = FLOOR,
    min_precision: float = MIN_PRECISION,
    drop_overlong: bool = True,
    notes: Sequence[str] = (),
    locate: Locate | None = None,
    unit: str = 'videos',
) -> EvaluationResult:
    """Analyse the errors of a temporal detector.

    Args:
        truth (SegmentTable): Checked ground truth, with durations for the analysis by coverage.
        found (SegmentTable): Checked detections.
        classes (Sequence[str]): Class names.
        thresholds (Sequence[float]): Temporal IoU, increasing. Defaults to 0.5:0.05:0.95.
        edges (Mapping[str, Sequence[float]]): Inner edges of the bins of each characteristic. Defaults to those of
            ActivityNet.
        limit (int): As for :func:`~mmtube.evaluation.functional.detad.diagnose`. Defaults to 10.
        floor (float): Temporal IoU below which a detection is background. Defaults to 0.1.
        min_precision (float): As for :func:`~mmtube.evaluation.functional.detad_characteristics.missed_truth`. Defaults
            to 0.05.
        drop_overlong (bool): Whether ground truth that is longer than its video is left out, as DETAD does. Defaults to
            True.
        notes (Sequence[str]): What to tell the reader beforehand. Defaults to none.
        locate (Locate | None): Returns film, x1, y1, x2 and y2 of a video and a time, for pictures. Defaults to None:
            the video is the film, no box.
        unit (str): What takes the place of videos, in the counts. Defaults to 'videos'.

    Returns:
        EvaluationResult: ``average_mAP`` of all detections, ``average_mAP_N``, ``gain_<error>`` and ``missed_share``;
        everything else in ``details['detad']`` and in the tables.

    Raises:
        InputError: If there is no ground truth, the videos do not fit, or an option cannot be used.
    """
    faults = {
        f'limit {limit}: must be from 1 to {MAX_LIMIT}': not 1 <= limit <= MAX_LIMIT,
        f'floor {floor:g}: must be above 0 and not above a threshold': not 0 < floor <= min(thresholds),
        f'least precision {min_precision:g}: must be in [0, 1)': not 0 <= min_precision < 1,
    }
    for cause, wrong in faults.items():
        if wrong:
            raise InputError(cause)
    truth, found = align(truth, found)
    truth = truth.rows(np.lexsort((*truth.segments_s.T[::-1], truth.labels, truth.video)))
    counts, notes = video_counts(truth, found, unit), list(notes)
    if drop_overlong:
        overlong = coverage(truth) > 1
        if overlong.all():
            raise InputError(f'{truth.name}: every ground truth is longer than its video')
        if overlong.any():
            first = truth.place(int(np.flatnonzero(overlong)[0]))
            notes.append(f'{int(overlong.sum())} ground truths longer than their video left out (first: {first})')
            truth = truth.rows(~overlong)
    result = diagnose(truth, found, len(classes), np.asarray(thresholds), floor=floor, limit=limit)
    ranked = found.rows(result.matches.order)
    num_gts = np.bincount(truth.labels, minlength=len(classes))
    present = num_gts > 0
    unscored = int((~present[found.labels]).sum())
    if unscored:
        notes.append(f'{unscored} predictions of classes without ground truth are not analysed')
    if not len(found):
        notes.append('there are no predictions, everything is missed')
    beyond = int((result.slices >= limit).sum())
    if beyond:
        notes.append(
            f'{beyond} predictions beyond the {limit} G most confident ones are only in average_mAP and missed'
        )
    missed = missed_truth(result.matches, truth, ranked.labels, len(classes), min_precision)
    try:
        binned = bin_truth(truth, edges)
    except ValueError as error:
        raise InputError(str(error)) from None
    if not any(one.name == 'coverage' for one in binned):
        notes.append('not all durations of videos are known, so there is no analysis by coverage')
    ap_all = normalised_average_precision(result.matches.hits, ranked.labels, num_gts, result.normal)
    base = float(mean_over_classes(ap_all).mean())
    characteristics = _characteristics(result, truth, ranked.labels, len(classes), missed, binned, base)
    metrics: dict[str, float | int] = {
        'average_mAP': float(mean_over_classes(result.ap).mean()),
        'average_mAP_N': float(mean_over_classes(result.ap_normalised).mean()),
        **{f'gain_{name.replace(" ", "_")}': float(gain) for name, gain in zip(ERRORS, result.gains)},
        'missed_share': float(missed.mean()),
    }
    steps = list(map(float, thresholds))
    means = {'mAP': result.ap, 'mAP_N': result.ap_normalised}
    return EvaluationResult(
        'detad',
        CONVENTION.format(
            classes=int(present.sum()),
            thresholds=' '.join(f'{value:g}' for value in steps),
            limit=limit,
            normal=result.normal,
            floor=floor,
            precision=min_precision,
        ),
        metrics,
        counts,
        notes,
        {
            'classes': _class_table(result, classes, num_gts, found, ranked.labels, truth, missed),
            'errors': {
                'error': list(ERRORS),
                'share': result.shares[1:].tolist(),
                'gain_mAP_N': result.gains.tolist(),
                'gain_mAP': result.gains_ap.tolist(),
            },
            'characteristics': characteristics,
            'worst': _worst(result, truth, ranked, missed, classes, locate),
        },
        {
            f'{name} by temporal IoU': {
                'x': steps,
                'y': mean_over_classes(values).tolist(),
                'x_label': 'temporal IoU',
                'y_label': name,
            }
            for name, values in means.items()
        },
        {
            'detad': {
                'thresholds': steps,
                'limit': limit,
                'floor': floor,
                'min_precision': min_precision,
                'instances_per_class': result.normal,
                'kinds': list(KINDS),
                'shares': result.shares,
                'profile': result.profile,
                'profile_counts': result.profile_counts,
                'gains_mAP_N': dict(zip(ERRORS, result.gains.tolist())),
                'gains_mAP': dict(zip(ERRORS, result.gains_ap.tolist())),
                'average_mAP_N': metrics['average_mAP_N'],
                'average_mAP_N_of_all_predictions': base,
                'missed_share': metrics['missed_share'],
                'missed_share_by_threshold': missed.mean(axis=1),
                'characteristics': characteristics,
            }
        },
        evidence=_evidence(result, truth, ranked, classes, present),
    )


def _characteristics(
    result: Diagnosis,
    truth: SegmentTable,
    labels: np.ndarray,
    num_classes: int,
    missed: np.ndarray,
    binned: Sequence[BinnedTruth],
    base: float,
) -> dict[str, list]:
    names = ('characteristic', 'bin', 'range', 'num_gt', 'missed', 'average_mAP_N', 'relative')
    rows: list[tuple] = []
    for one in binned:
        counts = np.bincount(one.number, minlength=len(one.bins)).tolist()
        missing = optional(missed_by_bin(missed, one))
        scores = sensitivity_by_bin(result.matches, truth, labels, num_classes, one)
        relative = optional(scores / base) if base > 0 else [None] * len(scores)
        columns = (one.bins, one.ranges, counts, missing, optional(scores), relative)
        rows += [(one.name, *row) for row in zip(*columns)]
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}


def _class_table(
    result: Diagnosis,
    classes: Sequence[str],
    num_gts: np.ndarray,
    found: SegmentTable,
    labels: np.ndarray,
    truth: SegmentTable,
    missed: np.ndarray,
) -> dict[str, list]:
    within = (result.slices >= 0) & (result.slices < result.limit)
    cells = np.bincount(
        (labels[within] * len(KINDS) + result.kinds[:, within]).ravel(), minlength=len(classes) * len(KINDS)
    ).reshape(len(classes), len(KINDS))[:, 1:]
    with np.errstate(invalid='ignore'):
        lost = np.bincount(truth.labels, missed.mean(axis=0), minlength=len(classes)) / num_gts
    return {
        'class': list(classes),
        'num_gt': num_gts.tolist(),
        'num_pred': np.bincount(found.labels, minlength=len(classes)).tolist(),
        'ap': optional(result.ap.mean(axis=0)),
        'ap_n': optional(result.ap_normalised.mean(axis=0)),
        'missed': optional(lost),
        'main_error': [ERRORS[int(row.argmax())] if row.any() else None for row in cells],
    }


def _worst(
    result: Diagnosis,
    truth: SegmentTable,
    ranked: SegmentTable,
    missed: np.ndarray,
    classes: Sequence[str],
    locate: Locate | None,
) -> dict[str, list]:
    """Return the most confident errors and the longest missed ground truths at the lowest threshold."""
    wrong = np.flatnonzero((result.kinds[0] > 0) & (result.slices >= 0))[:WORST]
    lost = longest_first(truth, np.flatnonzero(missed[0]))[:WORST]
    parts = [(ranked, wrong, lambda row: KINDS[result.kinds[0, row]]), (truth, lost, lambda _: 'missed')]
    return worst_segments(parts, classes, locate)


def _evidence(
    result: Diagnosis, truth: SegmentTable, ranked: SegmentTable, classes: Sequence[str], present: np.ndarray
) -> APEvidence:
    number, keep = np.cumsum(present) - 1, present[ranked.labels]
    return APEvidence(
        'average_mAP',
        ranked.videos,
        [name for name, there in zip(classes, present) if there],
        ranked.video[keep].astype(np.int32),
        number[ranked.labels[keep]].astype(np.int32),
        result.matches.hits[:, keep],
        truth.video.astype(np.int32),
        number[truth.labels].astype(np.int32),
    )
