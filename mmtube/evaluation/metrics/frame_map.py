"""Frame mAP of who does what at key times, for a Runner."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from mmtube.errors import InputError
from mmtube.evaluation.readers.ava_csv import (
    LARGEST,
    TIME_STEPS,
    ActionLabels,
    excluded_rows,
    read_action_labels,
    read_ava_truth,
)
from mmtube.evaluation.readers.subsets import classes_of_subsets
from mmtube.evaluation.result import EvaluationResult
from mmtube.evaluation.scoring.frame_conventions import CONVENTIONS, MIN_SCORE
from mmtube.evaluation.scoring.frames import score_frames
from mmtube.evaluation.tables import BoxTable
from mmtube.ops import normalize_boxes
from mmtube.registry import METRICS
from mmtube.structures.seal import parse_subset, read_class_rank

from .base import EvaluationMetric

COMPATS = ('mmaction2',)
CSV_DIGITS = 4  # to which MMAction2 writes boxes and scores before it scores them


class FrameRecord(NamedTuple):
    """What is kept of a key time; boxes are fractions of the frame."""

    video: str
    timestamp: float
    boxes: np.ndarray  # (n, 4) float32
    scores: np.ndarray  # (n, C) float32
    gt_boxes: np.ndarray  # (m, 4) float32
    gt_labels: np.ndarray  # (m, C) bool


@METRICS.register_module()
class FrameMAP(EvaluationMetric):
    """Frame mAP by AVA's rules (the protocol ``ava``) of samples as MMAction2's detectors return them.

    A sample has ``video_id``, ``timestamp``, ``img_shape`` and ``pred_instances`` with ``bboxes``, fractions of the
    frame, and ``scores`` (n, C) of all classes. The ground truth is its ``gt_instances`` with ``bboxes`` in pixels of
    the network's input and ``labels`` (m, C), unless a file has it. Every box and class is a detection.

    Args:
        thresholds (Sequence[float]): IoU thresholds. Defaults to (0.5,).
        background_class (bool): Whether column 0 of scores and labels is no class, as in MMAction2's AVA heads (81
            columns for 80 actions). Defaults to False.
        label_file (str | None): Classes with their action IDs, as the protocol's ``--labels``; its groups are scored
            too. Column c of the scores is its class c, or action c + 1 where there are more columns than classes (AVA:
            80 columns, 60 classes are scored). Defaults to None: names are those of the data set.
        first_id (int): Action ID of the first class of files that give names only. Defaults to 1.
        ann_file (str | None): Ground truth in AVA's csv, for the official number: key times that no sample has are
            missed. It needs ``label_file``. Defaults to None: the ground truth of the samples.
        exclude_file (str | None): ``video,timestamp`` rows that do not count. Defaults to None.
        class_rank (str | None): Frozen list of the classes by frequency, for ``subset``. Defaults to None.
        subset (str | Sequence[str]): Further numbers over frequent classes: ``top50``, ``top50-100``; one that goes
            beyond the list is noted and left out: a config serves smaller sets too. Defaults to none.
        min_score (float): Detections of a lower score are dropped, which bounds the memory (1 GB is enough for 4
            million). AVA's rules count all. Defaults to 0.0.
        compat (str | None): ``'mmaction2'`` for the number that MMAction2's AVAMetric prints; boxes and scores are
            rounded to 4 digits as it does. Defaults to None.
        kwargs (Any): Those of EvaluationMetric: ``out_file``, ``collect_device``, ``prefix``, ``collect_dir``.

    Raises:
        InputError: If a file cannot be used, or a subset cannot be parsed.
        ValueError: If arguments do not go together.
    """

    default_prefix = 'frame_map'

    def __init__(
        self,
        thresholds: Sequence[float] = (0.5,),
        background_class: bool = False,
        label_file: str | None = None,
        first_id: int = 1,
        ann_file: str | None = None,
        exclude_file: str | None = None,
        class_rank: str | None = None,
        subset: str | Sequence[str] = (),
        min_score: float = 0.0,
        compat: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if compat is not None and compat not in COMPATS:
            raise ValueError(f'compat must be None or one of {COMPATS}, got {compat!r}')
        if subset and class_rank is None:
            raise ValueError('subset needs class_rank')
        if ann_file is not None and label_file is None:
            raise ValueError('ann_file needs label_file, which says what its action IDs are')
        for path in (ann_file, exclude_file):
            if path is not None and not os.path.isfile(path):
                raise InputError(f'{path}: is not there')
        self.thresholds = tuple(thresholds)
        self.background_class = background_class
        self.labels = None if label_file is None else read_action_labels(label_file, first_id)
        self.ann_file = ann_file
        self.exclude_file = exclude_file
        self.rank_size = 0
        self.subsets: dict[str, tuple[int, ...]] = {}
        self.notes: list[str] = []
        if class_rank is not None:
            rank = read_class_rank(class_rank)
            self.rank_size = len(rank.order)
            wanted = {name: _last_rank(name) for name in ([subset] if isinstance(subset, str) else subset)}
            there = [name for name, last in wanted.items() if last <= self.rank_size]
            self.subsets = classes_of_subsets(rank, there, class_rank)
            self.notes = [
                f'no {name}: the class rank has {self.rank_size} classes' for name in wanted if name not in there
            ]
        self.min_score = min_score
        self.compat = compat

    def record(self, sample: dict) -> FrameRecord:
        """Return the boxes of a sample, all as fractions of the frame."""
        video, timestamp = str(sample['video_id']), float(sample['timestamp'])
        predicted = sample['pred_instances']
        boxes, scores = _array(predicted['bboxes']), _array(predicted['scores'])[:, int(self.background_class) :]
        if np.abs(boxes).max(initial=0) > LARGEST:
            raise InputError(f'{video} at {timestamp:g} s: a predicted box is not in fractions of the frame')
        none = np.zeros((0, 4), np.float32), np.zeros((0, scores.shape[1]), bool)
        if self.ann_file is not None:
            return FrameRecord(video, timestamp, boxes, scores, *none)
        if 'gt_instances' not in sample:
            raise InputError(f'{video} at {timestamp:g} s: the sample has no gt_instances; ann_file may give them')
        truth = sample['gt_instances']
        gt_labels = (_array(truth['labels']) > 0)[:, int(self.background_class) :]
        if gt_labels.shape[1] != scores.shape[1] and len(gt_labels) and len(scores):
            raise InputError(
                f'{video} at {timestamp:g} s: labels have {gt_labels.shape[1]} classes, scores {scores.shape[1]}'
            )
        return FrameRecord(video, timestamp, boxes, scores, _fractions(_array(truth['bboxes']), sample), gt_labels)

    def evaluate_records(self, records: list) -> EvaluationResult:
        """Score all key times."""
        records = [FrameRecord(*record) for record in records]  # MMEngine makes them plain tuples
        keys = [(record.video, round(record.timestamp * TIME_STEPS)) for record in records]
        if len(set(keys)) < len(keys):
            (video, frame), _ = Counter(keys).most_common(1)[0]
            raise InputError(f'{video} at {frame / TIME_STEPS:g} s: came more than once')
        widths = {rows.shape[1] for record in records for rows in (record.scores, record.gt_labels) if len(rows)}
        if len(widths) > 1:
            raise InputError(f'samples have different numbers of classes: {sorted(widths)}')
        labels, columns = self._classes(max(widths, default=0))
        found = self._detections(records, keys, columns)
        notes = list(self.notes)
        if self.ann_file is not None:
            truth, ignored = read_ava_truth(self.ann_file, labels)
            if ignored:
                notes.append(f'{self.ann_file}: {ignored} rows of actions that the labels do not have are left out')
        else:
            truth = _truth(records, keys, columns)
        excluded = None
        if self.exclude_file is not None:
            excluded = excluded_rows(truth, self.exclude_file), excluded_rows(found, self.exclude_file)
        convention = CONVENTIONS[self.compat or 'ava']
        return score_frames(
            truth,
            found,
            labels.names,
            protocol='ava',
            convention=replace(convention, min_score=None),
            thresholds=self.thresholds,
            groups=labels.groups,
            subsets=self.subsets,
            excluded=excluded,
            seconds_per_frame=1 / TIME_STEPS,
            notes=notes,
        )

    def _classes(self, width: int) -> tuple[ActionLabels, np.ndarray]:
        """Return the classes and the column of each; -1 where there is no sample to have columns."""
        labels = self.labels
        if labels is None:
            named = (self.dataset_meta or {}).get('classes') or ()
            names = tuple(named) if len(named) == width else tuple(f'class {number}' for number in range(width))
            labels = ActionLabels(tuple(range(1, width + 1)), names)
        if width in (0, len(labels)):
            columns = np.arange(len(labels))
        elif min(labels.ids) >= 1 and width >= max(labels.ids):
            columns = np.array(labels.ids) - 1
        else:
            raise InputError(f'{labels.path}: has {len(labels)} classes up to {max(labels.ids)}, scores have {width}')
        if self.rank_size not in (0, len(labels)):
            raise InputError(f'class_rank has {self.rank_size} classes, there are {len(labels)}')
        return labels, columns

    def _detections(self, records: list[FrameRecord], keys: list[tuple[str, int]], columns: np.ndarray) -> BoxTable:
        parts = []
        for number, record in enumerate(records):
            if not len(record.boxes):
                continue
            scores = record.scores[:, columns]
            if not np.isfinite(scores).all():
                video, frame = keys[number]
                raise InputError(f'{video} at {frame / TIME_STEPS:g} s: a score is not a finite number')
            rows, classes = np.nonzero(scores >= self.min_score)
            parts.append((np.full(len(rows), number), classes, scores[rows, classes], record.boxes[rows]))
        table = _table(keys, parts, 'predictions')
        if self.compat is None:
            return table
        # The threshold is on what the network says, what is scored is what would stand in a csv.
        assert table.scores is not None
        table = table.rows(table.scores.astype(np.float32) > np.float32(MIN_SCORE))
        assert table.scores is not None
        return replace(table, scores=table.scores.round(CSV_DIGITS), boxes=table.boxes.round(CSV_DIGITS))


def _last_rank(name: str) -> int:
    try:
        return parse_subset(name)[1]
    except ValueError as error:
        raise InputError(str(error)) from None


def _array(values: Any) -> np.ndarray:
    """Return a tensor or array as (N, K) float32."""
    values = values.detach().cpu().numpy() if hasattr(values, 'detach') else np.asarray(values)
    return values.astype(np.float32) if values.ndim == 2 else np.zeros((0, 0), np.float32)


def _fractions(boxes_px: np.ndarray, sample: dict) -> np.ndarray:
    """Return boxes in pixels of the network's input as fractions of the frame, in float32 as MMAction2's heads do."""
    boxes = boxes_px.reshape(-1, 4).copy()
    height, width = sample['img_shape'][:2]
    if sample.get('flip', False):
        boxes[:, [0, 2]] = width - boxes[:, [2, 0]]
    boxes = normalize_boxes(boxes, width, height)
    left, top, wide, high = sample.get('crop_quadruple', (0, 0, 1, 1))
    return boxes * np.array([wide, high] * 2, np.float32) + np.array([left, top] * 2, np.float32)


def _truth(records: list[FrameRecord], keys: list[tuple[str, int]], columns: np.ndarray) -> BoxTable:
    parts = []
    for number, record in enumerate(records):
        if len(record.gt_boxes):
            rows, classes = np.nonzero(record.gt_labels[:, columns])
            parts.append((np.full(len(rows), number), classes, np.zeros(len(rows), np.float32), record.gt_boxes[rows]))
    return replace(_table(keys, parts, 'the samples'), scores=None)


def _table(keys: list[tuple[str, int]], parts: list[tuple[np.ndarray, ...]], name: str) -> BoxTable:
    """Return rows of (number of the record, class, score, box) as a table over all videos that have a sample."""
    none = np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32), np.zeros((0, 4), np.float32)
    number, classes, scores, boxes = (np.concatenate(column) for column in zip(none, *parts))
    videos = sorted({video for video, _ in keys})
    place = {video: index for index, video in enumerate(videos)}
    frames = np.array([frame for _, frame in keys], np.int64)
    table = BoxTable(
        videos=videos,
        video=np.array([place[video] for video, _ in keys], np.int64)[number],
        labels=classes,
        scores=scores.astype(np.float64),
        frames=frames[number],
        boxes=boxes.astype(np.float64),
        name=name,
        place=lambda row: f'{keys[number[row]][0]} at {keys[number[row]][1] / TIME_STEPS:g} s',
    )
    table.check(int(classes.max(initial=-1)) + 1)
    return table
