"""The result of recognition from samples: what the protocol and the metric of a Runner share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmtube.errors import InputError
from mmtube.evaluation.evidence import APEvidence, RatioEvidence
from mmtube.evaluation.functional.attributes import ClassAttributes, errors_by_attribute
from mmtube.evaluation.functional.recognition import (
    class_precision,
    class_recall,
    confusion_counts,
    micro_average_precision,
    step_average_precision,
    top_classes,
    top_k_accuracy,
    true_ranks,
)
from mmtube.evaluation.readers.sample_labels import unique_names
from mmtube.evaluation.result import EvaluationResult

TASKS = ('single', 'multi')
PAIRS = 20
WORST = 50
MAX_CURVE = 10
MAX_CELLS = 20_000_000


@dataclass(frozen=True, eq=False)
class Samples:
    """What is true and what was predicted of each sample.

    Args:
        names (list[str]): (N,) names, no two alike.
        labels (list[tuple[int, ...]]): (N,) true classes of each sample, at least one.
        scores (np.ndarray): (N, C) float64; minus infinity where nothing was predicted.
        classes (list[str]): (C,) class names.
        source (str): Where the labels come from, for messages. Defaults to 'samples'.
    """

    names: list[str]
    labels: list[tuple[int, ...]]
    scores: np.ndarray
    classes: list[str]
    source: str = 'samples'

    def check(self, task: str) -> None:
        """See that the samples can be scored.

        Raises:
            InputError: If there is none, a class is unknown, a sample has no class or, for ``'single'``, several, a
                name stands twice or a score is NaN.
        """
        if not self.names:
            raise InputError(f'{self.source}: has no ground truth, there is nothing to score')
        if len(set(self.names)) < len(self.names):
            raise InputError(f'{self.source}: sample {max(self.names, key=self.names.count)!r} stands twice')
        for name, labels in zip(self.names, self.labels):
            if not labels or (task == 'single' and len(labels) > 1):
                cause = 'has several classes, which needs the task multi' if labels else 'has no class'
                raise InputError(f'{self.source}: sample {name!r} {cause}')
            if not 0 <= min(labels) <= max(labels) < len(self.classes):
                wrong = max(labels) if min(labels) >= 0 else min(labels)
                raise InputError(
                    f'{self.source}: sample {name!r} has class {wrong}, there are {len(self.classes)} from 0'
                )
        rows = np.flatnonzero(np.isnan(self.scores).any(axis=1) | np.isposinf(self.scores).any(axis=1))
        if len(rows):
            raise InputError(f'{self.source}: sample {self.names[rows[0]]!r}: a score is not a finite number')


def score_samples(
    samples: Samples,
    task: str,
    *,
    topk: Sequence[int] = (1, 5),
    subsets: Mapping[str, Sequence[int]] | None = None,
    attributes: ClassAttributes | None = None,
    notes: Sequence[str] = (),
) -> EvaluationResult:
    """Score recognition.

    Args:
        samples (Samples): Truth and scores; their order does not matter.
        task (str): ``'single'``, one class a sample: top-k and mean class accuracy. ``'multi'``: mAP.
        topk (Sequence[int]): Values of k for ``'single'``. Defaults to (1, 5).
        subsets (Mapping[str, Sequence[int]] | None): Classes of subsets by name, over which the mean is taken too.
            Defaults to None.
        attributes (ClassAttributes | None): Tags of the classes, to which errors of ``'single'`` are laid. Defaults to
            None.
        notes (Sequence[str]): What to tell the reader beforehand. Defaults to none.

    Returns:
        EvaluationResult: Of the protocol ``'recognition'``.

    Raises:
        InputError: If the samples cannot be scored or a subset has no class in the ground truth.
        ValueError: If the task is unknown.
    """
    if task not in TASKS:
        raise ValueError(f'task must be one of {TASKS}, got {task!r}')
    samples.check(task)
    order = sorted(range(len(samples.names)), key=samples.names.__getitem__)
    samples = Samples(
        [samples.names[row] for row in order],
        [samples.labels[row] for row in order],
        np.asarray(samples.scores, np.float64)[order],
        unique_names(samples.classes),
        samples.source,
    )
    truth = np.zeros(samples.scores.shape, bool)
    for row, labels in enumerate(samples.labels):
        truth[row, list(labels)] = True
    predicted = ~np.isneginf(samples.scores).all(axis=1)
    result = EvaluationResult('recognition', '', {}, notes=list(notes))
    result.counts = {
        'samples': len(predicted),
        'samples_without_predictions': int((~predicted).sum()),
        'ground_truths': int(truth.sum()),
        'predictions': int(predicted.sum()),
        'classes': truth.shape[1],
        'classes_without_ground_truth': int((~truth.any(axis=0)).sum()),
    }
    if not predicted.any():
        result.notes.append('there are no predictions, everything is missed')
    if task == 'single':
        name, values = _single(result, samples, truth, topk, attributes)
    else:
        name, values = _multi(result, samples, truth)
    for subset, members in (subsets or {}).items():
        of_subset = values[np.asarray(members, np.int64)]
        if np.isnan(of_subset).all():
            raise InputError(f'{samples.source}: no class of {subset} has ground truth')
        if np.isnan(of_subset).any():
            result.notes.append(f'{int(np.isnan(of_subset).sum())} classes of {subset} have no ground truth')
        result.metrics[f'{name}_{subset}'] = float(np.nanmean(of_subset))
    result.tables['worst'] = _worst(samples, truth)
    return result


def _single(
    result: EvaluationResult,
    samples: Samples,
    truth: np.ndarray,
    topk: Sequence[int],
    attributes: ClassAttributes | None,
) -> tuple[str, np.ndarray]:
    labels = truth.argmax(axis=1)
    ranks = true_ranks(samples.scores, labels)
    num_classes = len(samples.classes)
    ks = sorted({k for k in topk if k <= num_classes})
    if len(ks) < len(set(topk)):
        result.notes.append(f'of top {", ".join(map(str, topk))} those above {num_classes} classes are left out')
    confusion = confusion_counts(labels, top_classes(samples.scores), num_classes)
    recall = class_recall(confusion)
    result.metrics |= {f'top{k}': float(value) for k, value in zip(ks, top_k_accuracy(ranks, ks))} if ks else {}
    result.metrics['mean_class_accuracy'] = float(np.nanmean(recall))
    result.convention = (
        'one class a sample; top-k: share of samples with the true class among the k highest scores, of equal scores '
        f'the smaller class first; mean class accuracy: mean recall over the {int((~np.isnan(recall)).sum())} classes '
        'with ground truth; a sample without a prediction is wrong'
    )
    result.tables['classes'] = {
        'class': samples.classes,
        'num_gt': truth.sum(axis=0).tolist(),
        'num_pred': confusion[:, :-1].sum(axis=0).tolist(),
        'recall': recall.tolist(),
        'precision': class_precision(confusion).tolist(),
        'ap': step_average_precision(samples.scores, truth).tolist(),
    }
    result.tables['confused'] = _pairs(confusion, samples.classes)
    true, taken = np.nonzero(confusion)
    names = [*samples.classes, '(no prediction)']
    result.details['confusion'] = {
        'true': [names[row] for row in true.tolist()],
        'predicted': [names[column] for column in taken.tolist()],
        'count': confusion[true, taken],
    }
    steps = list(range(1, min(MAX_CURVE, num_classes) + 1))
    accuracy = top_k_accuracy(ranks, steps).tolist()
    result.curves['accuracy against k'] = {'x': steps, 'y': accuracy, 'x_label': 'k', 'y_label': 'top-k accuracy'}
    if attributes is not None:
        _lay_to_attributes(result, confusion, attributes)
    result.evidence = RatioEvidence(
        'mean_class_accuracy',
        samples.names,
        samples.classes,
        np.arange(len(labels), dtype=np.int32),
        labels.astype(np.int32),
        (ranks == 0).astype(np.float64),
        np.ones(len(labels)),
    )
    return 'mean_class_accuracy', recall


def _lay_to_attributes(result: EvaluationResult, confusion: np.ndarray, attributes: ClassAttributes) -> None:
    errors = errors_by_attribute(confusion, attributes)
    combinations = [
        ' + '.join(name for name, differs in zip(errors.names, mask) if differs) or 'nothing: the names are alike'
        for mask in errors.masks
    ]
    total = max(errors.total, 1)
    result.tables['attributes'] = {
        'differs': combinations,
        'errors': errors.counts.tolist(),
        'share': (errors.counts / total).tolist(),
    }
    result.details['attributes'] = {
        name: {'differs': int(some), 'alone': int(alone)}
        for name, some, alone in zip(errors.names, errors.differs, errors.only)
    }
    for name, alone in zip(errors.names, errors.only):
        result.metrics[f'errors_in_{name.replace(" ", "_")}_only'] = float(alone / total)


def _multi(result: EvaluationResult, samples: Samples, truth: np.ndarray) -> tuple[str, np.ndarray]:
    ap = step_average_precision(samples.scores, truth)
    num_gts = truth.sum(axis=0)
    scored = ~np.isneginf(samples.scores)
    result.metrics['mAP'] = float(np.nanmean(ap))
    result.metrics['mAP_micro'] = micro_average_precision(samples.scores, truth)
    result.convention = (
        f'several classes a sample; mAP: mean over the {int((num_gts > 0).sum())} classes with ground truth of the '
        'precision summed over steps of recall, samples of one score are one step (as scikit-learn); mAP_micro: all '
        'pairs of sample and class ranked together; a sample without a prediction is never found'
    )
    result.tables['classes'] = {
        'class': samples.classes,
        'num_gt': num_gts.tolist(),
        'num_pred': scored.sum(axis=0).tolist(),
        'ap': ap.tolist(),
    }
    scored[:, num_gts == 0] = False
    cells = np.flatnonzero(scored)
    if len(cells) > MAX_CELLS:
        result.notes.append(f'{len(cells):,d} scores are too many for evidence: there will be no intervals')
        return 'mAP', ap
    cells = cells[np.argsort(-samples.scores.reshape(-1)[cells], kind='stable')]
    sample, label = np.divmod(cells.astype(np.int64), truth.shape[1])
    ranked = samples.scores.reshape(-1)[cells]
    tied = np.zeros(len(ranked), bool)
    tied[1:] = ranked[1:] == ranked[:-1]
    gt_sample, gt_label = np.nonzero(truth)
    result.evidence = APEvidence(
        'mAP',
        samples.names,
        samples.classes,
        sample.astype(np.int32),
        label.astype(np.int32),
        truth.reshape(-1)[cells][None],
        gt_sample.astype(np.int32),
        gt_label.astype(np.int32),
        'step',
        tied,
    )
    return 'mAP', ap


def _pairs(confusion: np.ndarray, classes: list[str]) -> dict[str, list]:
    wrong = confusion[:, :-1].copy()
    np.fill_diagonal(wrong, 0)
    true, taken = np.unravel_index(np.argsort(-wrong.reshape(-1), kind='stable')[:PAIRS], wrong.shape)
    keep = wrong[true, taken] > 0
    true, taken = true[keep], taken[keep]
    return {
        'true': [classes[row] for row in true.tolist()],
        'predicted': [classes[column] for column in taken.tolist()],
        'count': wrong[true, taken].tolist(),
        'share_of_true': (wrong[true, taken] / confusion.sum(axis=1)[true]).tolist(),
    }


def _worst(samples: Samples, truth: np.ndarray) -> dict[str, list[Any]]:
    """List the samples in which a false class lies furthest above a true one."""
    false = np.where(truth, -np.inf, samples.scores)
    true = np.where(truth, samples.scores, np.inf)
    top, low = false.argmax(axis=1), true.argmin(axis=1)
    rows = np.arange(len(top))
    above, below = false[rows, top], true[rows, low]
    wrong = np.flatnonzero(above > below)
    wrong = wrong[np.argsort(below[wrong] - above[wrong], kind='stable')][:WORST]
    texts = [
        f'true {samples.classes[low[row]]} ({below[row]:.3g}), predicted {samples.classes[top[row]]} ({above[row]:.3g})'
        for row in wrong
    ]
    empty = [None] * len(wrong)
    names = [samples.names[row] for row in wrong.tolist()]
    return {'video': names, **dict.fromkeys(('time_s', 'x1', 'y1', 'x2', 'y2'), empty), 'text': texts}
