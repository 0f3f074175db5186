"""Recognition of whole samples: accuracy where a sample has one class, average precision where it may have several.

A score of minus infinity says that a class was not predicted: it is never found. A sample without any prediction has a
row of them and counts as wrong.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .average_precision import average_precision


def true_ranks(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return at which place the true class comes, from 0.

    Of equal scores the smaller class comes first. scikit-learn's ``top_k_accuracy_score`` takes the larger first;
    MMAction2's ``top_k_accuracy`` takes either, because its sort is not stable.

    Args:
        scores (np.ndarray): (N, C) floats, not NaN.
        labels (np.ndarray): (N,) int64 true class.

    Returns:
        np.ndarray: (N,) int64 number of classes before the true one; C where it was not predicted.

    Examples:
        >>> true_ranks(np.array([[0.2, 0.5, 0.5], [0.2, 0.5, 0.5]]), np.array([1, 2])).tolist()
        [0, 1]
    """
    scores, labels = np.asarray(scores), np.asarray(labels, np.int64)
    true = np.take_along_axis(scores, labels[:, None], axis=1)
    smaller = np.arange(scores.shape[1]) < labels[:, None]
    ranks = ((scores > true) | ((scores == true) & smaller)).sum(axis=1)
    return np.where(true[:, 0] == -np.inf, scores.shape[1], ranks)


def top_k_accuracy(ranks: np.ndarray, ks: Sequence[int]) -> np.ndarray:
    """Return the share of samples whose true class is among the first k.

    Args:
        ranks (np.ndarray): (N,) int64 as from :func:`true_ranks`.
        ks (Sequence[int]): Values of k, each at least 1.

    Returns:
        np.ndarray: (K,) float64.

    Raises:
        ValueError: If there is no sample or a k is below 1.
    """
    if not len(ranks) or min(ks, default=1) < 1:
        raise ValueError(f'there must be samples and every k at least 1, got {len(ranks)} and {list(ks)}')
    return (np.asarray(ranks)[:, None] < np.asarray(ks, np.int64)).sum(axis=0) / len(ranks)


def top_classes(scores: np.ndarray) -> np.ndarray:
    """Return the class with the highest score, of equal ones the smallest, -1 where nothing was predicted.

    Args:
        scores (np.ndarray): (N, C) floats, not NaN.

    Returns:
        np.ndarray: (N,) int64.
    """
    scores = np.asarray(scores)
    return np.where(np.isneginf(scores).all(axis=1), -1, scores.argmax(axis=1))


def confusion_counts(labels: np.ndarray, predicted: np.ndarray, num_classes: int) -> np.ndarray:
    """Count what each true class was taken for.

    Args:
        labels (np.ndarray): (N,) int64 true class.
        predicted (np.ndarray): (N,) int64 predicted class, -1 for none.
        num_classes (int): Number of classes C.

    Returns:
        np.ndarray: (C, C + 1) int64 [true, predicted]; the last column are the samples without a prediction.
    """
    predicted = np.where(np.asarray(predicted) < 0, num_classes, predicted)
    cells = np.asarray(labels, np.int64) * (num_classes + 1) + predicted
    return np.bincount(cells, minlength=num_classes * (num_classes + 1)).reshape(num_classes, num_classes + 1)


def class_recall(confusion: np.ndarray) -> np.ndarray:
    """Return for each class the share of its samples that were recognised.

    The mean over the classes that are not NaN is the mean class accuracy (FineGym, Sec. 4.2; scikit-learn's
    ``balanced_accuracy_score``). MMAction2's ``mean_class_accuracy`` takes a class that was predicted but does not
    occur in the ground truth as 0, which lowers the mean.

    Args:
        confusion (np.ndarray): (C, C + 1) as from :func:`confusion_counts`.

    Returns:
        np.ndarray: (C,) float64; NaN for a class that does not occur.

    Examples:
        >>> counts = confusion_counts(np.array([0, 0, 1, 1]), np.array([0, 2, 1, 1]), 3)
        >>> np.nanmean(class_recall(counts)).item()  # MMAction2: 0.5
        0.75
    """
    return _ratio(np.diagonal(confusion), confusion.sum(axis=1))


def class_precision(confusion: np.ndarray) -> np.ndarray:
    """Return for each class the share of its predictions that are right.

    Args:
        confusion (np.ndarray): (C, C + 1) as from :func:`confusion_counts`.

    Returns:
        np.ndarray: (C,) float64; NaN for a class that was not predicted.
    """
    return _ratio(np.diagonal(confusion), confusion[:, :-1].sum(axis=0))


def step_average_precision(scores: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return the average precision of each class as scikit-learn computes it.

    The sum over the distinct scores, from the highest, of the recall gained times the precision reached. Samples of
    one score are one step: what comes first among them does not matter. Nothing is interpolated: without ties the value
    is never above that of the VOC envelope. MMAction2's ``mean_average_precision`` is the mean of
    the same values; its ``mmit_mean_average_precision`` is another number: the AP of the classes of each sample,
    averaged over samples.

    Args:
        scores (np.ndarray): (N, C) floats, not NaN.
        truth (np.ndarray): (N, C) bool.

    Returns:
        np.ndarray: (C,) float64; NaN for a class without a positive sample.

    Examples:
        >>> step_average_precision(np.array([[0.9], [0.5], [0.5]]), np.array([[True], [True], [False]])).round(4)
        array([0.8333])
    """
    scores, truth = np.asarray(scores), np.asarray(truth, bool)
    ap = np.full(truth.shape[1], np.nan)
    for label in np.flatnonzero(truth.any(axis=0)):
        ap[label] = _steps(scores[:, label], truth[:, label])
    return ap


def micro_average_precision(scores: np.ndarray, truth: np.ndarray) -> float:
    """Return the average precision over all pairs of a sample and a class, ranked together.

    Args:
        scores (np.ndarray): (N, C) floats, not NaN.
        truth (np.ndarray): (N, C) bool with at least one positive.

    Returns:
        float: As scikit-learn's ``average_precision_score(average='micro')``.
    """
    return _steps(np.ravel(scores), np.ravel(np.asarray(truth, bool)))


def _steps(scores: np.ndarray, truth: np.ndarray) -> float:
    rows = np.flatnonzero(scores > -np.inf)
    rows = rows[np.argsort(-scores[rows], kind='stable')]
    tied = np.zeros(len(rows), bool)
    tied[1:] = scores[rows[1:]] == scores[rows[:-1]]
    hits, one, total = truth[rows][None], np.zeros(len(rows), np.int64), np.array([truth.sum()])
    return float(average_precision(hits, one, total, integration='step', tied=tied)[0, 0])


def softmax(scores: np.ndarray) -> np.ndarray:
    """Return scores as probabilities over classes; a class that was not predicted stays so.

    Args:
        scores (np.ndarray): (N, C) floats, not NaN.

    Returns:
        np.ndarray: (N, C) float64; a row of minus infinities stays as it is.
    """
    scores = np.asarray(scores, np.float64)
    highest = scores.max(axis=1, keepdims=True, initial=-np.inf)
    powers = np.exp(scores - np.where(np.isneginf(highest), 0.0, highest))
    total = powers.sum(axis=1, keepdims=True)
    return np.where(np.isneginf(scores), -np.inf, powers / np.where(total > 0, total, 1.0))


def are_probabilities(scores: np.ndarray, tolerance: float = 1e-3) -> bool:
    """Return whether every predicted row is a distribution over classes already: none negative, sum 1.

    Args:
        scores (np.ndarray): (N, C) floats.
        tolerance (float): Of the sums, for scores that were kept as float16. Defaults to 1e-3.
    """
    predicted = scores[~np.isneginf(scores).all(axis=1)]
    return bool(len(predicted) and (predicted >= 0).all() and (np.abs(predicted.sum(axis=1) - 1) < tolerance).all())


def fuse_scores(streams: Sequence[np.ndarray], weights: Sequence[float]) -> np.ndarray:
    """Return the weighted sum of scores, for late fusion of streams.

    Args:
        streams (Sequence[np.ndarray]): (N, C) float64 each.
        weights (Sequence[float]): One positive weight each.

    Returns:
        np.ndarray: (N, C) float64; what one of the streams did not predict is not predicted.

    Raises:
        ValueError: If a weight is not positive or there is not one for each stream.
    """
    if len(streams) != len(weights) or not streams or not all(0 < weight < np.inf for weight in weights):
        raise ValueError(f'{len(streams)} streams need as many positive weights, got {list(weights)}')
    return sum(weight * np.asarray(scores, np.float64) for scores, weight in zip(streams, weights))


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0)
