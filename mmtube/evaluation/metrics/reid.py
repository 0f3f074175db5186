"""Re-identification in a Runner."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from mmtube.errors import InputError
from mmtube.evaluation.functional.retrieval import AVERAGES
from mmtube.evaluation.functional.retrieval import METRICS as DISTANCES
from mmtube.evaluation.protocols.reid import score_gallery
from mmtube.evaluation.readers.embeddings import ROLES, Gallery
from mmtube.evaluation.result import EvaluationResult
from mmtube.registry import METRICS

from .base import EvaluationMetric


@METRICS.register_module()
class ReIDMetric(EvaluationMetric):
    """CMC, mAP and mINP of tracklets or images, as ``tools/evaluate.py reid``.

    A sample has ``pred_feature`` (D,) float and, from ``MARSSequences``, ``pid``, ``camid``, ``tracklet`` and ``role``
    (``'query'`` or ``'gallery'``); a tracklet has one number within its role.

    Args:
        distance (str): ``'cosine'`` or ``'euclidean'``. Defaults to 'cosine'.
        average (str): ``'mean'`` or ``'trapezoid'``, the precision that AP averages. Defaults to 'mean'.
        kwargs (Any): Those of ``EvaluationMetric``.

    Raises:
        ValueError: If an option is unknown.
    """

    default_prefix = 'reid'

    def __init__(self, distance: str = 'cosine', average: str = 'mean', **kwargs: Any) -> None:
        if distance not in DISTANCES or average not in AVERAGES:
            raise ValueError(f'distance must be one of {DISTANCES}, average one of {AVERAGES}: {distance}, {average}')
        super().__init__(**kwargs)
        self.distance = distance
        self.average = average

    def record(self, sample: dict) -> tuple[np.ndarray, str, int, int, bool]:
        """Return the feature, the name, the ID, the camera and whether it is a query."""
        feature, role = sample['pred_feature'], sample.get('role')
        if role not in ROLES:
            raise InputError(f'a sample for ReIDMetric must have a role, query or gallery, not {role!r}')
        feature = feature.detach().float().cpu().numpy() if isinstance(feature, torch.Tensor) else np.asarray(feature)
        name = f'{role} {int(sample["tracklet"]):08d}'
        return feature.reshape(-1), name, int(sample['pid']), int(sample['camid']), role == 'query'

    def evaluate_records(self, records: list) -> EvaluationResult:
        """Score all tracklets."""
        features, names, ids, cameras, queries = zip(*sorted(records, key=lambda record: record[1]))
        stacked = np.stack(features)
        for row in np.flatnonzero(~np.isfinite(stacked).all(axis=1))[:1]:
            raise InputError(f'predictions: {names[row]}: the feature is not finite')
        columns = (np.array(names), np.array(ids, np.int64), np.array(cameras, np.int64), np.array(queries, bool))
        gallery = Gallery(*columns, name='samples')
        return score_gallery(gallery, columns[0], stacked, metric=self.distance, average=self.average)
