"""What the temporal metrics keep of a sample, and the tables that all samples make together."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from mmtube.errors import InputError
from mmtube.evaluation.tables import SegmentTable

Labels = np.ndarray | list[str]


@dataclass(frozen=True, eq=False)
class SegmentRecord:
    """Predictions on one video or tubelet, or a window of it, and all its ground truth.

    Args:
        name (str): The video or tubelet.
        film (str): The film it is in.
        duration_s (float): Length in seconds, NaN where it is not known.
        segments_s (np.ndarray): (M, 2) float64 seconds of the film.
        labels (np.ndarray): (M,) int64.
        scores (np.ndarray): (M,) float64.
        gt_segments_s (np.ndarray): (N, 2) float64 seconds of the film.
        gt_labels (np.ndarray | list[str]): (N,) int64 classes, or their names.
    """

    name: str
    film: str
    duration_s: float
    segments_s: np.ndarray
    labels: np.ndarray
    scores: np.ndarray
    gt_segments_s: np.ndarray
    gt_labels: Labels

    def of_labels(self, first: int, stop: int) -> SegmentRecord:
        """Return what has labels from ``first`` to before ``stop``, counted from ``first``; classes must be numbers."""
        found, truth = (
            (first <= labels) & (labels < stop) for labels in map(np.asarray, (self.labels, self.gt_labels))
        )
        return replace(
            self,
            segments_s=self.segments_s[found],
            labels=self.labels[found] - first,
            scores=self.scores[found],
            gt_segments_s=self.gt_segments_s[truth],
            gt_labels=np.asarray(self.gt_labels)[truth] - first,
        )


def numbers(values: Any) -> np.ndarray:
    """Return numbers of any kind, also on a device or in half precision, as float64 on the CPU."""
    return torch.as_tensor(values).detach().to('cpu', torch.float64).numpy()


def segment_record(sample: Mapping[str, Any], name_keys: Sequence[str], *, labelled: bool = True) -> SegmentRecord:
    """Read a data sample as MMEngine hands it to a metric.

    Args:
        sample (Mapping[str, Any]): Has ``pred_segments`` with ``segments_s``, ``labels`` and ``scores``, or a
            ``proposal_list`` of ``segment`` and ``score`` as BMN of MMAction2 does; the ground truth, where it has
            any, is ``gt_segments_s`` and ``gt_labels``, or ``annotations`` of ``segment`` and ``label``.
        name_keys (Sequence[str]): Where the name is: the first of these that the sample has.
        labelled (bool): Whether predictions must have labels. Defaults to True.

    Raises:
        KeyError: If something that is needed is missing.
        ValueError: If columns differ in length.
    """
    key = next((key for key in name_keys if key in sample), None)
    if key is None:
        raise KeyError(f'a sample has none of {", ".join(name_keys)}')
    if 'pred_segments' in sample:
        found = sample['pred_segments']
        segments, scores = numbers(found['segments_s']).reshape(-1, 2), numbers(found['scores'])
        labels = numbers(found['labels']).astype(np.int64) if labelled else np.zeros(len(scores), np.int64)
    elif 'proposal_list' in sample and not labelled:
        rows = sample['proposal_list']
        segments = np.array([row['segment'] for row in rows], np.float64).reshape(-1, 2)
        scores, labels = np.array([row['score'] for row in rows], np.float64), np.zeros(len(rows), np.int64)
    else:
        raise KeyError(f'sample {sample[key]} has no pred_segments')
    if not len(segments) == len(scores) == len(labels):
        raise ValueError(f'sample {sample[key]}: {len(segments)} segments, {len(scores)} scores, {len(labels)} labels')
    gt_labels: Labels
    if 'gt_segments_s' in sample:
        gt_segments, gt_labels = numbers(sample['gt_segments_s']), numbers(sample['gt_labels']).astype(np.int64)
    else:
        notes = sample.get('annotations', ())
        gt_segments, gt_labels = numbers([note['segment'] for note in notes]), [str(note['label']) for note in notes]
    return SegmentRecord(
        str(sample[key]),
        str(sample.get('video_id', sample[key])),
        float(next((sample[key] for key in ('duration_s', 'duration_second', 'duration') if key in sample), np.nan)),
        segments,
        labels,
        scores,
        gt_segments.reshape(-1, 2),
        gt_labels,
    )


def predictions(records: Sequence[SegmentRecord], num_classes: int, name: str) -> SegmentTable:
    """Return the predictions of all records; those on windows of one video are put together.

    Raises:
        InputError: If a prediction cannot be scored.
    """
    names = list(dict.fromkeys(record.name for record in records))
    number = {video: place for place, video in enumerate(names)}
    counts = [len(record.scores) for record in records]
    offsets = np.cumsum([0, *counts])

    def place(row: int) -> str:
        at = int(np.searchsorted(offsets, row, side='right')) - 1
        return f'prediction {row - offsets[at]} of {json.dumps(records[at].name)}'

    found = SegmentTable(
        names,
        np.array([number[record.name] for record in records], np.int64).repeat(counts),
        np.concatenate([np.zeros(0, np.int64), *(record.labels for record in records)]),
        np.concatenate([np.zeros(0), *(record.scores for record in records)]),
        name,
        place,
        np.concatenate([np.zeros((0, 2)), *(record.segments_s for record in records)]),
    )
    found.check(num_classes)
    return found


def ground_truth(
    records: Sequence[SegmentRecord], classes: Sequence[str], name: str, *, aside: str | None = None
) -> SegmentTable:
    """Return the ground truth of all records, once for each video; not checked. A label ``aside`` has class -1.

    Raises:
        InputError: If records of one video differ in their ground truth, or a class name is unknown.
    """
    number_of = {label: number for number, label in enumerate(classes)}
    if aside is not None:
        number_of.setdefault(aside, -1)
    kept: dict[str, tuple[np.ndarray, np.ndarray, float]] = {}
    for record in records:
        try:
            labels = np.array([number_of[x] if isinstance(x, str) else x for x in record.gt_labels], np.int64)
        except KeyError as error:
            raise InputError(f'{name}: {record.name}: label {error} is none of {len(classes)} classes') from None
        mine = (record.gt_segments_s, labels, record.duration_s)
        before = kept.setdefault(record.name, mine)
        if not all(np.array_equal(old, new) for old, new in zip(before[:2], mine[:2])):
            raise InputError(f'{name}: {record.name}: its samples differ in their ground truth')
    videos, values = list(kept), list(kept.values())
    counts = [len(labels) for _, labels, _ in values]
    durations = np.array([duration for _, _, duration in values], np.float64)
    return SegmentTable(
        videos,
        np.arange(len(videos)).repeat(counts),
        np.concatenate([np.zeros(0, np.int64), *(labels for _, labels, _ in values)]),
        name=name,
        segments_s=np.concatenate([np.zeros((0, 2)), *(segments for segments, _, _ in values)]),
        durations_s=durations if np.isfinite(durations).any() else None,
    )


def class_list(records: Sequence[SegmentRecord], classes: Sequence[str] | None) -> list[str]:
    """Return class names: those given, else those or the numbers that occur in the ground truth and predictions."""
    if classes is not None:
        return list(classes)
    texts = {label for record in records for label in record.gt_labels if isinstance(label, str)}
    if texts:
        return sorted(texts)
    highest = [int(np.max(labels, initial=-1)) for record in records for labels in (record.labels, record.gt_labels)]
    return [f'class {label}' for label in range(max(highest, default=-1) + 1)]
