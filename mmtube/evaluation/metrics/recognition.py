"""Recognition of whole samples in a Runner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mmtube.evaluation.functional.attributes import FINEGYM, tag_classes
from mmtube.evaluation.functional.recognition import fuse_scores
from mmtube.evaluation.readers.sample_labels import read_class_names
from mmtube.evaluation.readers.subsets import classes_of_subsets
from mmtube.evaluation.result import EvaluationResult
from mmtube.evaluation.scoring.samples import TASKS, Samples, score_samples
from mmtube.registry import METRICS
from mmtube.structures.seal import read_class_rank

from .base import EvaluationMetric


@METRICS.register_module()
class RecognitionMetric(EvaluationMetric):
    """Top-k and mean class accuracy, or mAP where a sample may have several classes.

    Takes what MMAction2's ``AccMetric`` takes, samples with ``pred_score`` and ``gt_label``, and gives the numbers of
    ``tools/evaluate.py recognition``. Where ``pred_score`` has several streams, each is scored under its name and their
    sum is the headline.

    Args:
        task (str | None): ``'single'`` or ``'multi'``. Defaults to None: multi if labels are multi-hot.
        topk (int | Sequence[int]): Values of k. Defaults to (1, 5).
        class_names (str | Sequence[str] | None): Names, or a file as for ``--labels``. Defaults to None, numbers.
        attributes (str | Mapping[str, str] | None): ``'finegym'`` or regular expressions by attribute, by which errors
            are told apart; needs ``class_names``. Defaults to None.
        class_rank (str | None): Frozen list of classes by frequency, for ``subset``. Defaults to None.
        subset (str | Sequence[str]): Such as ``'top60'``: the mean over their classes too. Defaults to none.
        score_field (str): Field of the samples with the scores. Defaults to 'pred_score'.
        label_field (str): Field with the labels. Defaults to 'gt_label'.
        ignore_label (int | None): Samples with this label have none and do not count. Defaults to None.
        kwargs (Any): Those of :class:`EvaluationMetric`.

    Raises:
        ValueError: If the task is unknown, a k is below 1, or names or a rank list are needed and missing.
        InputError: If a file cannot be read.
    """

    default_prefix = 'recognition'

    def __init__(
        self,
        task: str | None = None,
        topk: int | Sequence[int] = (1, 5),
        class_names: str | Sequence[str] | None = None,
        attributes: str | Mapping[str, str] | None = None,
        class_rank: str | None = None,
        subset: str | Sequence[str] = (),
        score_field: str = 'pred_score',
        label_field: str = 'gt_label',
        ignore_label: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.score_field = score_field
        self.label_field = label_field
        self.ignore_label = ignore_label
        self.topk = (topk,) if isinstance(topk, int) else tuple(topk)
        if task not in (None, *TASKS):
            raise ValueError(f'task must be one of {TASKS}, got {task!r}')
        if min(self.topk, default=1) < 1:
            raise ValueError(f'topk must be at least 1, got {topk}')
        if attributes is not None and class_names is None:
            raise ValueError('attributes are read from the names of the classes: class_names is missing')
        if subset and class_rank is None:
            raise ValueError('subset needs the list of classes by frequency: class_rank is missing')
        self.task = task
        names = read_class_names(class_names) if isinstance(class_names, str) else class_names
        self.class_names = None if names is None else list(names)
        patterns = FINEGYM if attributes == 'finegym' else attributes
        if isinstance(patterns, str):
            raise ValueError(f"attributes must be 'finegym' or expressions by attribute, got {attributes!r}")
        self.attributes = None if patterns is None else tag_classes(self.class_names or [], patterns)
        names = [subset] if isinstance(subset, str) else subset
        self.subsets = {}
        if class_rank is not None:
            self.subsets = classes_of_subsets(read_class_rank(class_rank), names, class_rank)

    def record(self, sample: dict) -> dict[str, Any]:
        """Return scores and labels as arrays."""
        scores = sample[self.score_field]
        streams = scores if isinstance(scores, Mapping) else {'': scores}
        label = _array(sample[self.label_field])
        return {'scores': {name: _array(item) for name, item in streams.items()}, 'label': label}

    def evaluate_records(self, records: list) -> EvaluationResult:
        """Score all samples; their names are their numbers among those that count."""
        if self.ignore_label is not None:
            records = [record for record in records if record['label'].tolist() != [self.ignore_label]]
        task = self.task or ('multi' if any(record['label'].size > 1 for record in records) else 'single')
        labels = [tuple(_classes(record['label'])) for record in records]
        names = [f'{number:08d}' for number in range(len(records))]
        streams = {
            name: np.stack([record['scores'][name] for record in records]).astype(np.float64)
            for name in (records[0]['scores'] if records else ())
        }
        if len(streams) < 2:
            scores = next(iter(streams.values()), np.zeros((0, 0)))
            return self._score(names, labels, scores, task)
        total = self._score(names, labels, fuse_scores(list(streams.values()), [1.0] * len(streams)), task)
        for name, scores in streams.items():
            alone = self._score(names, labels, scores, task)
            total.metrics |= {f'{name}_{key}': value for key, value in alone.metrics.items()}
        total.notes.append(f'fused: the sum of the scores of {", ".join(streams)}')
        return total

    def _score(
        self, names: list[str], labels: list[tuple[int, ...]], scores: np.ndarray, task: str
    ) -> EvaluationResult:
        classes = self.class_names or [str(label) for label in range(scores.shape[1])]
        if len(classes) != scores.shape[1] and len(scores):
            raise ValueError(f'class_names has {len(classes)} names, the model gives {scores.shape[1]} scores')
        return score_samples(
            Samples(names, labels, scores, classes, 'the data set'),
            task,
            topk=self.topk,
            subsets=self.subsets,
            attributes=self.attributes if task == 'single' else None,
        )


def _array(value: Any) -> np.ndarray:
    return value.detach().cpu().numpy() if hasattr(value, 'detach') else np.asarray(value)


def _classes(label: np.ndarray) -> list[int]:
    """Return the classes of a label: one number, or one of 0 and 1 for each class."""
    label = label.reshape(-1)
    return [int(label[0])] if len(label) == 1 else np.flatnonzero(label).tolist()
