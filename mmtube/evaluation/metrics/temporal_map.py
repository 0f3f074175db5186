"""Temporal mAP in a Runner: whole videos, and given tubelets. The numbers are those of ``tools/evaluate.py``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from mmtube.evaluation.protocols import activitynet, thumos, tubelet
from mmtube.evaluation.readers.segments import read_activitynet_truth, read_class_names
from mmtube.evaluation.readers.tubelets import class_names, locate_in, read_rank, read_tubelets, tubelet_table
from mmtube.evaluation.readers.video_names import agree_on_names
from mmtube.evaluation.result import EvaluationResult
from mmtube.registry import METRICS
from mmtube.structures.seal import read_class_rank, read_label_map
from mmtube.structures.tube import TASKS

from .base import EvaluationMetric
from .segment_records import SegmentRecord, class_list, ground_truth, predictions, segment_record

PROTOCOLS = ('activitynet', 'thumos')


@METRICS.register_module()
class TemporalMAP(EvaluationMetric):
    """Temporal mAP of whole videos: ActivityNet, HACS, FineAction, THUMOS14.

    A sample has ``pred_segments`` (``segments_s`` (M, 2) seconds of the film, ``labels``, ``scores``) and in its meta
    data ``video_id`` or ``video_name`` and the ground truth: ``gt_segments_s`` and ``gt_labels``, or ``annotations``.
    Several samples of one video are put together.

    Args:
        protocol (str): ``'activitynet'`` (temporal IoU 0.5:0.05:0.95) or ``'thumos'`` (0.3:0.1:0.7). Defaults to
            'activitynet'.
        thresholds (Sequence[float] | None): Other thresholds. Defaults to None.
        classes (str | None): File of the class names, one in each line. Defaults to None: ``classes`` of the data set,
            else those that occur.
        ann_file (str | None): Ground truth as ``tools/evaluate.py`` reads it, in place of that of the samples; videos
            that have no sample are missed. Defaults to None.
        subset (str | None): Subset of the videos of ``ann_file``. Defaults to None.
        ambiguous (str): ``'ignore'`` or ``'drop'``, see ``tools/evaluate.py thumos --help``. Defaults to 'ignore'.
        dedup (bool): Whether ground truth that stands twice or has no length is removed. Defaults to False: refused.
        kwargs (Any): Those of :class:`EvaluationMetric`: ``out_file``, ``collect_device``, ``prefix``,
            ``collect_dir``.

    Raises:
        ValueError: If the protocol or what happens to ambiguous segments is unknown.
    """

    default_prefix = 'temporal'

    def __init__(
        self,
        protocol: str = 'activitynet',
        thresholds: Sequence[float] | None = None,
        classes: str | None = None,
        ann_file: str | None = None,
        subset: str | None = None,
        ambiguous: str = 'ignore',
        dedup: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if protocol not in PROTOCOLS or ambiguous not in ('ignore', 'drop'):
            raise ValueError(f'protocol must be one of {PROTOCOLS}, ambiguous ignore or drop: {protocol}, {ambiguous}')
        self.protocol = protocol
        self.thresholds = thresholds
        self.classes = classes
        self.ann_file = ann_file
        self.subset = subset
        self.ambiguous = ambiguous
        self.dedup = dedup

    def record(self, sample: dict) -> SegmentRecord:
        """Keep predictions and ground truth."""
        return segment_record(sample, ('video_id', 'video_name'))

    def evaluate_records(self, records: list[SegmentRecord]) -> EvaluationResult:
        """Score all videos."""
        given = read_class_names(self.classes) if self.classes else (self.dataset_meta or {}).get('classes')
        aside = thumos.AMBIGUOUS if self.protocol == 'thumos' else None
        if self.ann_file is None:
            names = [name for name in class_list(records, given) if name != aside]
            truth = ground_truth(records, names, 'ground truth', aside=aside)
        else:
            truth, names = read_activitynet_truth(self.ann_file, self.subset, given, aside=aside)
        found = predictions(records, len(names), 'predictions')
        truth, found, notes = agree_on_names(truth, found)
        if self.protocol == 'thumos':
            score = partial(thumos.score_tables, ambiguous=self.ambiguous)
            thresholds = self.thresholds or thumos.THUMOS_THRESHOLDS
        else:
            score, thresholds = activitynet.score_tables, self.thresholds or activitynet.ACTIVITYNET_THRESHOLDS
        return score(truth, found, names, thresholds, dedup=self.dedup, notes=notes)


@METRICS.register_module()
class TubeletMAP(EvaluationMetric):
    """Temporal mAP on given tubelets (SEAL, Table 4), temporal IoU 0.5:0.05:0.95.

    A sample is what ``PackTubelet`` packs, with ``pred_segments``: ``segments_s`` (M, 2) in seconds of the film,
    ``labels`` and ``scores``. Windows of one tubelet are put together; its ground truth counts once.

    Args:
        task (str): ``'atomic'`` or ``'complex'``. Defaults to 'atomic'.
        subset (str | Sequence[str] | None): Classes by frequency: ``'top60'``, ``'top50-100'``; the first one is the
            headline. Defaults to None: those of SEAL that the class rank can give.
        class_rank (str | None): Frozen class rank. Defaults to None: the one beside ``ann_file``.
        label_map (str | None): Label map. Defaults to None: the one beside ``ann_file``, else ``classes`` of the data
            set.
        ann_file (str | None): Annotations in the SEAL schema, in place of the ground truth of the samples; tubelets
            without a sample are missed. Only with them atomic actions are restricted to the complex activities of
            their tubelet. Defaults to None.
        restrict (bool): Whether atomic actions are so restricted. Defaults to True.
        label_range (tuple[int, int] | None): First label of the task and the one after its last, where a detector finds
            both tasks (``JointLocalizer``); others are left out. Defaults to None, all are of the task.
        kwargs (Any): Those of :class:`EvaluationMetric`: ``out_file``, ``collect_device``, ``prefix``,
            ``collect_dir``.

    Raises:
        ValueError: If the task is unknown, or a subset is asked for without a class rank or annotations to look beside.
    """

    default_prefix = 'tubelet'

    def __init__(
        self,
        task: str = 'atomic',
        subset: str | Sequence[str] | None = None,
        class_rank: str | None = None,
        label_map: str | None = None,
        ann_file: str | None = None,
        restrict: bool = True,
        label_range: tuple[int, int] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if task not in TASKS:
            raise ValueError(f'task must be one of {TASKS}, got {task!r}')
        if subset is not None and class_rank is None and ann_file is None:
            raise ValueError('a subset needs class_rank, or ann_file with a class rank beside it')
        self.task = task
        self.subset = [subset] if isinstance(subset, str) else subset
        self.class_rank = class_rank
        self.label_map = label_map
        self.ann_file = ann_file
        self.restrict = restrict
        self.label_range = label_range

    def record(self, sample: dict) -> SegmentRecord:
        """Keep predictions and ground truth."""
        record = segment_record(sample, ('tid',))
        return record if self.label_range is None else record.of_labels(*self.label_range)

    def evaluate_records(self, records: list[SegmentRecord]) -> EvaluationResult:
        """Score all tubelets."""
        activities, locate = None, None
        if self.ann_file is not None:
            annotations = read_tubelets(self.ann_file)
            truth = tubelet_table(annotations, self.task)
            classes = class_names(self.ann_file, self.task, self.label_map, truth.labels)
            rank = read_rank(self.ann_file, self.task, self.class_rank)
            locate = partial(locate_in, annotations)
            if self.task == 'atomic' and self.restrict:
                activities = tubelet_table(annotations, 'complex')
        else:
            given = read_label_map(self.label_map, self.task).names if self.label_map else None
            told = (self.dataset_meta or {}).get('classes')
            if told is not None and self.label_range is not None:
                told = told[slice(*self.label_range)]
            classes = class_list(records, given or told)
            truth = ground_truth(records, classes, 'ground truth')
            rank = read_class_rank(self.class_rank) if self.class_rank else None
            films = {record.name: record.film for record in records}
            locate = partial(_film, films)
        subsets, notes = tubelet.choose_subsets(self.task, rank, self.subset)
        found = predictions(records, len(classes), 'predictions')
        return tubelet.score_tables(
            truth, found, classes, self.task, subsets=subsets, activities=activities, notes=notes, locate=locate
        )


def _film(films: dict[str, str], tid: str, _: float) -> tuple[str]:
    return (films.get(tid, tid),)
