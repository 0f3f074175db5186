"""Tracks in a Runner."""

from __future__ import annotations

from typing import Any

from mmtube.evaluation.protocols import mot
from mmtube.evaluation.readers.track_scope import ENDS_AT_SHOTS, shots_of, split_at_shots
from mmtube.evaluation.readers.tracks import TrackTable, film_name, read_truth, track_table
from mmtube.evaluation.result import EvaluationResult
from mmtube.evaluation.scoring.tracks import score_tables
from mmtube.registry import METRICS
from mmtube.structures import Tube

from .base import EvaluationMetric


class TubeMetric(EvaluationMetric):
    """What metrics of tubes have in common: a sample is a film with ``video_id`` and ``pred_tubes`` (list[Tube]).

    Ground truth is read from a file when scoring begins, films that no sample has included: they count as missed.

    Args:
        ann_file (str): SEAL annotations (``.json``), MOT text or a folder of it.
        iou (float): Smallest IoU of a match. Defaults to 0.5.
        ids_per_shot (bool): Whether IDs of the ground truth (SEAL annotations) end at shot changes, because none is
            merged over a cut. Defaults to False.
        kwargs (Any): Those of ``EvaluationMetric``.
    """

    def __init__(self, ann_file: str, iou: float = 0.5, ids_per_shot: bool = False, **kwargs: Any) -> None:
        if not 0 < iou <= 1:
            raise ValueError(f'iou must lie in (0, 1], got {iou}')
        super().__init__(**kwargs)
        self.ann_file = ann_file
        self.iou = iou
        self.ids_per_shot = ids_per_shot

    @property
    def scope(self) -> list[str]:
        """What part of the ground truth is scored, in words for the convention."""
        return [ENDS_AT_SHOTS] if self.ids_per_shot else []

    def read_truth(self, **options: Any) -> TrackTable:
        """Read the ground truth.

        Args:
            options (Any): Those of ``mmtube.evaluation.readers.tracks.read_truth``.

        Raises:
            InputError: If it cannot be read, or has no shots where IDs are to end at them.
        """
        truth = read_truth(self.ann_file, **options)
        return split_at_shots(truth, shots_of(self.ann_file)) if self.ids_per_shot else truth

    def record(self, sample: dict) -> tuple[str, list[Tube]]:
        """Return the name of the film and its tubes, without what is not scored."""
        tubes = [
            Tube(tube.track_id, tube.frame_inds, tube.times_s, tube.boxes_px, tubelet_ids=tube.tubelet_ids)
            for tube in sample['pred_tubes']
        ]
        return film_name(str(sample['video_id'])), tubes


@METRICS.register_module()
class TrackingMetric(TubeMetric):
    """MOTA, IDF1, HOTA and their parts, as ``tools/evaluate.py mot``.

    Args:
        ann_file (str): SEAL annotations (``.json``), MOT text or a folder of it.
        iou (float): Smallest IoU of a match, for all but HOTA. Defaults to 0.5.
        layout (str): Of MOT ground truth: ``'auto'``, ``'mot15'`` or ``'mot16'``. Defaults to 'auto'.
        distractors (tuple[int, ...]): Classes of MOT16+ that may be found or not. Defaults to (2, 7, 8, 12).
        ids_per_shot (bool): Whether IDs of the ground truth (SEAL annotations) end at shot changes. Defaults to False.
        kwargs (Any): Those of ``EvaluationMetric``.

    Raises:
        ValueError: If ``iou`` is out of range.
    """

    default_prefix = 'mot'

    def __init__(
        self,
        ann_file: str,
        iou: float = 0.5,
        layout: str = 'auto',
        distractors: tuple[int, ...] = mot.DISTRACTORS,
        ids_per_shot: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(ann_file, iou, ids_per_shot, **kwargs)
        self.layout = layout
        self.distractors = tuple(distractors)

    def evaluate_records(self, records: list) -> EvaluationResult:
        """Score all films."""
        truth = self.read_truth(layout=self.layout, distractors=self.distractors)
        found = track_table([(video, tubes, None) for video, tubes in records], 'predictions')
        return score_tables(truth, found, iou=self.iou, scope=self.scope)
