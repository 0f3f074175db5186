"""AR@AN in a Runner. The numbers are those of ``tools/evaluate.py proposals``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmtube.evaluation.functional.proposals import IOUS
from mmtube.evaluation.protocols import proposals
from mmtube.evaluation.readers.segments import read_activitynet_truth
from mmtube.evaluation.readers.video_names import agree_on_names
from mmtube.evaluation.result import EvaluationResult
from mmtube.registry import METRICS

from .base import EvaluationMetric
from .segment_records import SegmentRecord, class_list, ground_truth, predictions, segment_record


@METRICS.register_module()
class ProposalRecall(EvaluationMetric):
    """Average recall at an average number of proposals, and the area under that curve.

    A sample has ``pred_segments`` (``segments_s`` (M, 2) seconds of the film and ``scores``) and in its meta data the
    name (``tid``, ``video_id`` or ``video_name``) and the ground truth (``gt_segments_s`` and ``gt_labels``, or
    ``annotations``). Outputs of MMAction2's BMN (``video_name``, ``proposal_list``) are taken too; their ground truth
    is that of the data samples of the batch.

    Args:
        iou (str): ``'iou'``, or ``'new'`` for the duration-aware one of FineAction. Defaults to 'iou'.
        auc (str): ``'official'``, of which perfect recall gives 0.99, or ``'normalised'``. Defaults to 'official'.
        max_number (float): Largest average number of proposals per video. Defaults to 100.
        bins_s (Sequence[float]): Lower edges in seconds of the bins of length. Defaults to (0, 2, 5, 10).
        ann_file (str | None): Ground truth as ``tools/evaluate.py`` reads it, in place of that of the samples; videos
            that have no sample are missed. Defaults to None.
        subset (str | None): Subset of the videos of ``ann_file``. Defaults to None.
        dedup (bool): Whether ground truth that stands twice or has no length is removed. Defaults to False: refused.
        kwargs (Any): Those of :class:`EvaluationMetric`: ``out_file``, ``collect_device``, ``prefix``,
            ``collect_dir``.

    Raises:
        ValueError: If an option is unknown.
    """

    default_prefix = 'proposals'

    def __init__(
        self,
        iou: str = 'iou',
        auc: str = 'official',
        max_number: float = 100,
        bins_s: Sequence[float] = proposals.BINS_S,
        ann_file: str | None = None,
        subset: str | None = None,
        dedup: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if iou not in IOUS or auc not in proposals.AUCS:
            raise ValueError(f'iou must be one of {IOUS}, auc one of {proposals.AUCS}, got {iou!r} and {auc!r}')
        self.iou = iou
        self.auc = auc
        self.max_number = max_number
        self.bins_s = tuple(bins_s)
        self.ann_file = ann_file
        self.subset = subset
        self.dedup = dedup

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep one record for each sample; an output that is no data sample takes its meta data from the batch."""
        samples = list(data_samples)
        inputs = data_batch.get('data_samples') if isinstance(data_batch, dict) else None
        for number, sample in enumerate(samples):
            if 'proposal_list' in sample and 'annotations' not in sample and inputs is not None:
                samples[number] = {**inputs[number].metainfo, **sample}
        super().process(data_batch, samples)

    def record(self, sample: dict) -> SegmentRecord:
        """Keep proposals and ground truth."""
        return segment_record(sample, ('tid', 'video_id', 'video_name'), labelled=False)

    def evaluate_records(self, records: list[SegmentRecord]) -> EvaluationResult:
        """Score all videos."""
        if self.ann_file is None:
            classes = class_list(records, (self.dataset_meta or {}).get('classes'))
            truth = ground_truth(records, classes, 'ground truth')
        else:
            truth, classes = read_activitynet_truth(self.ann_file, self.subset)
        truth, found, notes = agree_on_names(truth, predictions(records, 1, 'proposals'))
        return proposals.score_tables(
            truth,
            found,
            classes,
            iou=self.iou,
            auc=self.auc,
            max_number=self.max_number,
            bins_s=self.bins_s,
            dedup=self.dedup,
            notes=notes,
        )
