"""Linked tubes in a Runner."""

from __future__ import annotations

from typing import Any

from mmtube.evaluation.protocols.linking import MIN_SHARE, score_tables
from mmtube.evaluation.readers.tracks import track_table
from mmtube.evaluation.result import EvaluationResult
from mmtube.registry import METRICS

from .tracking import TubeMetric


@METRICS.register_module()
class LinkingMetric(TubeMetric):
    """Wrong and missed merges and how pure IDs are, as ``tools/evaluate.py linking``.

    Args:
        ann_file (str): SEAL annotations (``.json``).
        iou (float): Smallest IoU of a box with a person. Defaults to 0.5.
        min_share (float): Share of a tubelet's boxes that must show its person. Defaults to 0.1.
        ids_per_shot (bool): Whether IDs of the ground truth (SEAL annotations) end at shot changes. Defaults to False.
        kwargs (Any): Those of ``EvaluationMetric``.

    Raises:
        ValueError: If an argument is out of range.
    """

    default_prefix = 'linking'

    def __init__(
        self,
        ann_file: str,
        iou: float = 0.5,
        min_share: float = MIN_SHARE,
        ids_per_shot: bool = False,
        **kwargs: Any,
    ) -> None:
        if not 0 <= min_share <= 1:
            raise ValueError(f'min_share must lie in [0, 1], got {min_share}')
        super().__init__(ann_file, iou, ids_per_shot, **kwargs)
        self.min_share = min_share

    def evaluate_records(self, records: list) -> EvaluationResult:
        """Score all films."""
        found = track_table([(video, tubes, None) for video, tubes in records], 'predictions')
        return score_tables(self.read_truth(), found, iou=self.iou, min_share=self.min_share, scope=self.scope)
