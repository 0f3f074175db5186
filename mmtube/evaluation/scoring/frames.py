"""Frame mAP of two tables: what the protocols ``ava`` and ``frame-map`` and the metric of a Runner share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mmtube.errors import InputError
from mmtube.evaluation.functional.average_precision import average_precision, mean_over_classes
from mmtube.evaluation.functional.frame_boxes import match_frames
from mmtube.evaluation.result import EvaluationResult, decimal
from mmtube.evaluation.tables import BoxTable, align, video_counts

from .frame_conventions import FrameConvention
from .frame_report import class_table, frame_evidence, mean_curve, worst_mistakes
from .suspicions import odd_boxes


def score_frames(
    truth: BoxTable,
    found: BoxTable,
    classes: Sequence[str],
    *,
    protocol: str,
    convention: FrameConvention,
    thresholds: Sequence[float] = (0.5,),
    groups: Mapping[str, Sequence[int]] | None = None,
    subsets: Mapping[str, Sequence[int]] | None = None,
    excluded: tuple[np.ndarray, np.ndarray] | None = None,
    seconds_per_frame: float | None = None,
    boxes_in_px: bool = False,
    notes: Sequence[str] = (),
) -> EvaluationResult:
    """Score the detections of a data set.

    Args:
        truth (BoxTable): Ground truth.
        found (BoxTable): Detections, boxes in the unit of ``truth``.
        classes (Sequence[str]): Class names.
        protocol (str): Name of the protocol.
        convention (FrameConvention): How it is computed.
        thresholds (Sequence[float]): IoU thresholds; of several the headline is the mean. Defaults to (0.5,).
        groups (Mapping[str, Sequence[int]] | None): Classes by the name of a further number; a group without ground
            truth has none. Defaults to None.
        subsets (Mapping[str, Sequence[int]] | None): The same, but each must have ground truth. Defaults to None.
        excluded (tuple[np.ndarray, np.ndarray] | None): Masks of the rows of ``truth`` and of ``found`` that are at key
            times that do not count. Defaults to None.
        seconds_per_frame (float | None): Time of a frame number, for the table of mistakes. Defaults to None, not
            known.
        boxes_in_px (bool): Whether boxes are in pixels, for the same table. Defaults to False.
        notes (Sequence[str]): What is told already.

    Returns:
        EvaluationResult: The headline ``mAP@<threshold>`` (``mAP`` for several); ``mAP_<name>`` of groups and subsets.

    Raises:
        InputError: If there is no ground truth, no video is in both, or none of the classes of a subset has ground
            truth.
        ValueError: If a threshold is out of range or stands twice.
    """
    thresholds = [float(threshold) for threshold in thresholds]
    if not thresholds or len(set(thresholds)) < len(thresholds) or not all(0 < value <= 1 for value in thresholds):
        raise ValueError(f'thresholds must lie in (0, 1], each once, got {thresholds}')
    truth, found = align(truth, found)
    notes = list(notes)
    truth, found = _without_excluded(truth, found, excluded, convention, notes)
    truth, found = _without_skipped(truth, found, classes, convention, notes)
    flat = int(((truth.boxes[:, 2:] - truth.boxes[:, :2] + convention.inclusive) <= 0).any(axis=1).sum())
    if flat:
        notes.append(f'{flat} ground truths have a box without area: nothing can find them, they count as missed')
    counts = video_counts(truth, found)
    notes += odd_boxes(truth, found)
    labelled = _in_frames_of(found, truth)
    counts['frames'] = len(np.unique(np.stack([truth.video, truth.frames]), axis=1).T)
    counts['predictions_in_unlabelled_frames'] = int((~labelled).sum())
    found = _that_count(found, labelled, convention, notes)
    num_gts = np.bincount(truth.labels, minlength=len(classes))
    scored = num_gts > 0
    if not len(found):
        notes.append('there is no prediction that counts: everything is missed')
    elif convention.lenient:
        without = scored & (np.bincount(found.labels, minlength=len(classes)) == 0)
        scored &= ~without
        if without.any():
            notes.append(f'{int(without.sum())} classes without a detection are left out of the mean')
        if not scored.any():
            raise InputError(f'{found.name}: no class with ground truth has a prediction, there is no mean')
    matches = match_frames(
        truth, found, thresholds, rule=convention.rule, inclusive=convention.inclusive, single=convention.lenient
    )
    num_scored = np.where(scored, num_gts, 0)
    labels = found.labels[matches.order]
    ap = average_precision(matches.hits, labels, num_scored, integration=convention.integration)
    means = mean_over_classes(ap)
    headline = f'mAP@{decimal(thresholds[0])}' if len(thresholds) == 1 else 'mAP'
    metrics: dict[str, float | int] = {headline: float(means.mean())}
    if len(thresholds) > 1:
        metrics |= {f'mAP@{decimal(threshold)}': float(value) for threshold, value in zip(thresholds, means)}
    metrics |= _part_metrics(ap, scored, groups or {}, notes, needed=False)
    metrics |= _part_metrics(ap, scored, subsets or {}, notes, needed=True)
    shown = ', '.join(map(decimal, thresholds))
    return EvaluationResult(
        protocol=protocol,
        convention=f'mean over classes of frame AP at IoU {shown}; {convention.text}',
        metrics=metrics,
        counts=counts,
        notes=notes,
        tables={
            'classes': class_table(classes, truth, found, matches, thresholds, ap),
            'worst': worst_mistakes(truth, found, classes, matches, ap[0], seconds_per_frame, boxes_in_px),
        },
        curves={'precision over recall': mean_curve(matches.hits[0], labels, num_scored, thresholds[0])},
        details={'thresholds': thresholds},
        evidence=frame_evidence(headline, truth, found, classes, matches, scored, convention.integration),
    )


def _without_skipped(
    truth: BoxTable, found: BoxTable, classes: Sequence[str], convention: FrameConvention, notes: list[str]
) -> tuple[BoxTable, BoxTable]:
    skip = [place for place, name in enumerate(classes) if name in convention.skip]
    if not skip:
        return truth, found
    kept = truth.rows(~np.isin(truth.labels, skip))
    names = ', '.join(classes[place] for place in skip)
    notes.append(f'{len(skip)} classes are not scored ({names}), with {len(truth) - len(kept)} ground truths')
    if not len(kept):
        raise InputError(f'{truth.name}: has ground truth only of classes that are not scored')
    return kept, found.rows(~np.isin(found.labels, skip))


def _without_excluded(
    truth: BoxTable,
    found: BoxTable,
    excluded: tuple[np.ndarray, np.ndarray] | None,
    convention: FrameConvention,
    notes: list[str],
) -> tuple[BoxTable, BoxTable]:
    if excluded is None:
        return truth, found
    out, found_out = excluded
    notes.append(
        f'key times that do not count have {int(out.sum())} ground truths and {int(found_out.sum())} predictions'
    )
    found = found.rows(~found_out)
    if convention.lenient:
        if out.any():
            notes.append('as in MMAction2 these ground truths stay in the denominator of the recall')
        return truth, found
    kept = truth.rows(~out)
    if not len(kept):
        raise InputError(f'{truth.name}: has ground truth only at key times that are excluded')
    return kept, found


def _in_frames_of(found: BoxTable, truth: BoxTable) -> np.ndarray:
    """(N,) bool, whether a detection is in a frame that has ground truth of any class."""
    frames = np.unique(truth.frames)
    place = np.minimum(np.searchsorted(frames, found.frames), len(frames) - 1)
    keys = np.unique(truth.video * len(frames) + np.searchsorted(frames, truth.frames))
    wanted = found.video * len(frames) + place
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return (frames[place] == found.frames) & (keys[at] == wanted)


def _that_count(found: BoxTable, labelled: np.ndarray, convention: FrameConvention, notes: list[str]) -> BoxTable:
    """Return the detections that count."""
    keep = np.ones(len(found), bool)
    if convention.lenient:
        keep &= labelled
        if not labelled.all():
            notes.append(f'{int((~labelled).sum())} predictions in frames without ground truth do not count')
    if convention.min_score is not None and found.scores is not None:
        low = found.scores.astype(np.float32) <= np.float32(convention.min_score)
        keep &= ~low
        if low.any():
            notes.append(f'{int(low.sum())} predictions of a score of {convention.min_score:g} or less do not count')
    if convention.drop_flat:
        flat = (found.boxes[:, 2:] <= found.boxes[:, :2]).any(axis=1)
        if flat.any():
            notes.append(f'{int(flat.sum())} predictions have a box without area and do not count')
        keep &= ~flat
    return found if keep.all() else found.rows(keep)


def _part_metrics(
    ap: np.ndarray, scored: np.ndarray, parts: Mapping[str, Sequence[int]], notes: list[str], *, needed: bool
) -> dict[str, float]:
    metrics = {}
    for name, members in parts.items():
        members = np.asarray(members, np.int64)
        absent = int((~scored[members]).sum())
        if absent == len(members):
            told = f'{name}: none of its {len(members)} classes is scored'
            if needed:
                raise InputError(told)
            notes.append(told)
            continue
        if absent:
            notes.append(f'{name}: the mean leaves out {absent} of {len(members)} classes that have no ground truth')
        metrics[f'mAP_{name}'] = float(mean_over_classes(ap, members).mean())
    return metrics
