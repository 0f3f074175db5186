"""The result of temporal detection from two tables: what the protocols and the metrics of a Runner share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mmtube.errors import InputError
from mmtube.evaluation.evidence import APEvidence
from mmtube.evaluation.functional.average_precision import average_precision, mean_over_classes
from mmtube.evaluation.functional.segments import SegmentMatches, segment_matches, touching
from mmtube.evaluation.result import EvaluationResult, decimal
from mmtube.evaluation.tables import SegmentTable, align, video_counts

from .columns import Locate, longest_first, optional, worst_segments
from .suspicions import odd_times

MATCHING = (
    'a detection takes the ground truth of its video and class that it overlaps most among those still free (next '
    'best), area under the precision envelope'
)
WORST = 25


def score_segments(
    truth: SegmentTable,
    found: SegmentTable,
    classes: Sequence[str],
    thresholds: Sequence[float],
    *,
    protocol: str,
    convention: str,
    subsets: Mapping[str, Sequence[int]] | None = None,
    aside: SegmentTable | None = None,
    notes: Sequence[str] = (),
    locate: Locate | None = None,
    unit: str = 'videos',
) -> EvaluationResult:
    """Score temporal detections: mAP over thresholds of temporal IoU.

    Args:
        truth (SegmentTable): Checked ground truth.
        found (SegmentTable): Checked detections.
        classes (Sequence[str]): Class names.
        thresholds (Sequence[float]): Temporal IoU.
        protocol (str): Name of the protocol.
        convention (str): What sets it apart, put before what is common to all.
        subsets (Mapping[str, Sequence[int]] | None): Classes of each subset by name; the first one is the headline.
            Defaults to None: all classes.
        aside (SegmentTable | None): Segments of no class; a detection that overlaps one, however little, and finds
            nothing is not counted at all. Defaults to None.
        notes (Sequence[str]): What to tell the reader beforehand. Defaults to none.
        locate (Locate | None): Returns film, x1, y1, x2 and y2 of a video and a time, for pictures. Defaults to None:
            the video is the film, no box.
        unit (str): What takes the place of videos, in the counts. Defaults to 'videos'.

    Returns:
        EvaluationResult: ``mAP``, or ``mAP_<subset>`` for each subset, and the headline for each threshold.

    Raises:
        InputError: If there is no ground truth, the videos do not fit, or no class of a subset has ground truth.
    """
    truth, found = align(truth, found)
    notes = list(notes)
    num_gts = np.bincount(truth.labels, minlength=len(classes))
    groups = {name: np.asarray(members, np.int64) for name, members in (subsets or {}).items()}
    for name, members in groups.items():
        if not num_gts[members].any():
            raise InputError(f'{truth.name}: no class of {name} has ground truth')
    counts = video_counts(truth, found, unit)
    unscored = num_gts[found.labels] == 0
    if unscored.any():
        notes.append(f'{int(unscored.sum())} predictions of classes without ground truth are not scored')
    if not len(found):
        notes.append('there are no predictions, everything is missed')
    notes += odd_times(truth, found)
    outside = counts[f'predictions_in_other_{unit}']
    if outside:
        notes.append(f'{outside} predictions in {unit} without ground truth count as false positives')
    matches = segment_matches(truth, found, np.asarray(thresholds))
    ranked = found.rows(matches.order)
    exempt = np.zeros(len(ranked), bool) if aside is None else touching(ranked, aside)
    if aside is not None and len(aside):
        lost = exempt & ~matches.hits[0]
        notes.append(
            f'{len(aside)} segments of no class ({aside.name}); {int(lost.sum())} detections on them are not counted'
        )
    ap = _average_precision(matches.hits, ranked.labels, num_gts, exempt)
    present = num_gts > 0
    means = {f'mAP_{name}': mean_over_classes(ap, members) for name, members in groups.items()}
    means['mAP'] = mean_over_classes(ap)
    headline = next(iter(means))
    metrics: dict[str, float | int] = {name: float(mean.mean()) for name, mean in means.items()}
    metrics |= {f'{headline}@{iou_name(threshold)}': float(v) for threshold, v in zip(thresholds, means[headline])}
    members = next(iter(groups.values())) if groups else np.arange(len(classes))
    scored = np.zeros(len(classes), bool)
    scored[members] = present[members]
    told = f'{convention}; {_told(thresholds)}; {MATCHING}; mean over {int(scored.sum())} classes with ground truth, '
    return EvaluationResult(
        protocol,
        f'{told}then over thresholds',
        metrics,
        counts,
        notes,
        {
            'classes': _class_table(ap, classes, thresholds, num_gts, found),
            'worst': _worst(truth, ranked, matches, scored, exempt, classes, locate),
        },
        _curves(matches.hits[0], ranked.labels, num_gts, scored, exempt, thresholds, means[headline]),
        {'thresholds': list(map(float, thresholds)), 'ap': ap},
        evidence=_evidence(headline, truth, ranked, classes, matches.hits, scored, exempt, thresholds),
    )


def iou_name(threshold: float) -> str:
    """Return a threshold as it stands in the names of numbers: 0.50."""
    short = f'{threshold:.2f}'
    return short if float(short) == threshold else decimal(threshold)


def _told(thresholds: Sequence[float]) -> str:
    steps = np.diff(thresholds)
    if len(thresholds) > 2 and np.allclose(steps, steps[0]):
        return f'temporal IoU {thresholds[0]:.2f}:{steps[0]:.2f}:{thresholds[-1]:.2f}'
    return f'temporal IoU {", ".join(map(iou_name, thresholds))}'


def _average_precision(hits: np.ndarray, labels: np.ndarray, num_gts: np.ndarray, exempt: np.ndarray) -> np.ndarray:
    if not exempt.any():
        return average_precision(hits, labels, num_gts)
    kept = [(row[None], row | ~exempt) for row in hits]
    return np.concatenate([average_precision(row[:, keep], labels[keep], num_gts) for row, keep in kept])


def _class_table(
    ap: np.ndarray, classes: Sequence[str], thresholds: Sequence[float], num_gts: np.ndarray, found: SegmentTable
) -> dict[str, list]:
    columns = {'ap': ap.mean(axis=0)} | {f'ap@{iou_name(threshold)}': row for threshold, row in zip(thresholds, ap)}
    return {
        'class': list(classes),
        'num_gt': num_gts.tolist(),
        'num_pred': np.bincount(found.labels, minlength=len(classes)).tolist(),
        **{name: optional(row) for name, row in columns.items()},
    }


def _worst(
    truth: SegmentTable,
    ranked: SegmentTable,
    matches: SegmentMatches,
    scored: np.ndarray,
    exempt: np.ndarray,
    classes: Sequence[str],
    locate: Locate | None,
) -> dict[str, list]:
    """Return the most confident false positives and the longest missed ground truths at the lowest threshold."""
    wrong = np.flatnonzero(~matches.hits[0] & ~exempt & scored[ranked.labels])[:WORST]
    missed = np.flatnonzero(~matches.found_truth(len(truth))[0] & scored[truth.labels])
    lost = longest_first(truth, missed)[:WORST]
    parts = [(ranked, wrong, lambda _: 'false positive'), (truth, lost, lambda _: 'missed')]
    return worst_segments(parts, classes, locate)


def _curves(
    hits: np.ndarray,
    labels: np.ndarray,
    num_gts: np.ndarray,
    scored: np.ndarray,
    exempt: np.ndarray,
    thresholds: Sequence[float],
    means: np.ndarray,
) -> dict[str, dict[str, Any]]:
    curves = {
        'mAP by temporal IoU': {
            'x': list(map(float, thresholds)),
            'y': means.tolist(),
            'x_label': 'temporal IoU',
            'y_label': 'mAP',
        }
    }
    counted = hits[scored[labels] & (hits | ~exempt)]
    places = np.unique(np.linspace(0, len(counted) - 1, min(len(counted), 200)).astype(np.int64))
    right = np.cumsum(counted)[places] if len(counted) else places
    curves[f'precision and recall at temporal IoU {iou_name(thresholds[0])}, classes together'] = {
        'x': (right / num_gts[scored].sum()).tolist(),
        'y': (right / (places + 1)).tolist(),
        'x_label': 'recall',
        'y_label': 'precision',
    }
    return curves


def _evidence(
    metric: str,
    truth: SegmentTable,
    ranked: SegmentTable,
    classes: Sequence[str],
    hits: np.ndarray,
    scored: np.ndarray,
    exempt: np.ndarray,
    thresholds: Sequence[float],
) -> APEvidence:
    """Return what the headline is the mean of. Labels are numbers in the list of the classes that are scored."""
    number = np.cumsum(scored) - 1
    names = [name for name, keep in zip(classes, scored) if keep]
    of_class, gt_of_class = scored[ranked.labels], scored[truth.labels]
    unit, labels, hits = ranked.video[of_class], number[ranked.labels[of_class]], hits[:, of_class]
    gt_unit, gt_labels = truth.video[gt_of_class], number[truth.labels[gt_of_class]]
    exempt = exempt[of_class]
    if exempt.any():
        # A detection may count at one threshold and not at another: each class at each threshold becomes a class.
        place, row = np.nonzero((hits | ~exempt).T)
        unit, labels, hits = unit[place], labels[place] + len(names) * row, hits[row, place][None]
        copies = np.arange(len(thresholds)).repeat(len(gt_unit))
        gt_unit, gt_labels = (
            np.tile(gt_unit, len(thresholds)),
            np.tile(gt_labels, len(thresholds)) + len(names) * copies,
        )
        names = [f'{name} at {iou_name(threshold)}' for threshold in thresholds for name in names]
    columns = (column.astype(np.int32) for column in (unit, labels))
    return APEvidence(
        metric, ranked.videos, names, *columns, hits, gt_unit.astype(np.int32), gt_labels.astype(np.int32)
    )
