"""Which classes a model takes for one another, where a sample may have several (SEAL, Sec. 3.2, quality assurance)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mmtube.ops import paired_box_iou

MERGE_ABOVE = 0.4


@dataclass(frozen=True, eq=False)
class Confusion:
    """Counts over samples with at least one true class.

    Args:
        matrix (np.ndarray): (C, C) int64: [true, predicted] the class was not predicted, the wrong one was on top.
        hits (np.ndarray): (C,) int64 samples in which the true class was predicted.
        misses (np.ndarray): (C,) int64 samples in which it was not, and another true class was on top.
        support (np.ndarray): (C,) int64 samples that have the class; hits, misses and a row of the matrix add up to it.
    """

    matrix: np.ndarray
    hits: np.ndarray
    misses: np.ndarray
    support: np.ndarray

    @property
    def rates(self) -> np.ndarray:
        """(C, C) float64 share of the samples of a class (row) that are taken for another one; 0 without samples."""
        return self.matrix / np.maximum(self.support, 1)[:, None]


class ConfusedPair(NamedTuple):
    """Two classes that are taken for one another.

    Args:
        first (int): The smaller class.
        second (int): The other.
        rate (float): Symmetric confusion: the mean of the two shares.
        first_as_second (int): Samples of the first that are taken for the second.
        second_as_first (int): The other way round.
        merge (bool): Whether the rate says that they may be one class.
    """

    first: int
    second: int
    rate: float
    first_as_second: int
    second_as_first: int
    merge: bool


def _predicted(scores: np.ndarray, truth: np.ndarray, score_thr: float) -> tuple[np.ndarray, ...]:
    scores, truth = np.asarray(scores), np.asarray(truth, bool)
    if scores.ndim != 2 or scores.shape != truth.shape:
        raise ValueError(f'scores and truth must have one shape (N, C), got {scores.shape} and {truth.shape}')
    if not np.isfinite(scores).all():
        raise ValueError('a score is not a finite number')
    if not scores.size:
        return truth, truth, np.zeros(len(scores), np.int64), np.zeros(len(scores), bool)
    top = scores.argmax(axis=1)
    missed = truth & (scores < score_thr)
    missed[np.arange(len(top)), top] = False
    right = truth[np.arange(len(top)), top]
    return truth, missed, top, right


def multi_label_confusion(
    scores: np.ndarray, truth: np.ndarray, score_thr: float = 0.5, *, count_true_top: bool = False
) -> Confusion:
    """Count, for each true class that is not predicted, what was predicted on top.

    Predicted are the classes with a score of ``score_thr`` or more, and the one on top. A sample without true classes
    is not labelled and counts nowhere. How SEAL counts is not published.

    Args:
        scores (np.ndarray): (N, C) scores.
        truth (np.ndarray): (N, C) bool.
        score_thr (float): Defaults to 0.5.
        count_true_top (bool): Whether a class on top that is itself true counts as what the missed one was taken for.
            Defaults to False: who lifts and walks, and is seen to walk, is not taken for somebody else; else classes
            that often occur together would look confused.

    Returns:
        Confusion: The counts.

    Raises:
        ValueError: If the shapes differ or a score is not finite.

    Examples:
        >>> multi_label_confusion(np.array([[0.1, 0.9]]), np.array([[True, False]])).matrix.tolist()
        [[0, 1], [0, 0]]
    """
    truth, missed, top, right = _predicted(scores, truth, score_thr)
    classes = truth.shape[1]
    rows, labels = np.nonzero(missed if count_true_top else missed & ~right[:, None])
    matrix = np.bincount(labels * classes + top[rows], minlength=classes**2).reshape(classes, classes)
    misses = missed.sum(axis=0) - matrix.sum(axis=1)
    return Confusion(matrix, (truth & ~missed).sum(axis=0), misses, truth.sum(axis=0))


def confused_pairs(
    confusion: Confusion, top: int = 5, *, min_support: int = 10, merge_above: float = MERGE_ABOVE
) -> list[ConfusedPair]:
    """Rank the pairs of classes by how often they are taken for one another.

    Args:
        confusion (Confusion): Counts.
        top (int): At most this many pairs; SEAL looks at 5 at a time. Defaults to 5.
        min_support (int): Classes with fewer samples are left out. Defaults to 10.
        merge_above (float): A symmetric confusion above it suggests to merge the two. Defaults to 0.4.

    Returns:
        list[ConfusedPair]: The most confused first; of equal pairs the smaller classes first.
    """
    enough = confusion.support >= min_support
    rates = confusion.rates * (enough[:, None] & enough[None])
    symmetric = np.triu(rates + rates.T, 1) / 2
    order = np.argsort(-symmetric.reshape(-1), kind='stable')[:top]
    pairs = []
    for first, second in zip(*(axis.tolist() for axis in np.unravel_index(order, symmetric.shape))):
        rate, matrix = float(symmetric[first, second]), confusion.matrix
        if rate > 0:
            counts = int(matrix[first, second]), int(matrix[second, first])
            pairs.append(ConfusedPair(first, second, rate, *counts, rate > merge_above))
    return pairs


def confused_samples(
    scores: np.ndarray, truth: np.ndarray, pairs: list[ConfusedPair], score_thr: float = 0.5
) -> np.ndarray:
    """Find the samples in which the classes of a pair are taken for one another.

    Args:
        scores (np.ndarray): (N, C) scores.
        truth (np.ndarray): (N, C) bool.
        pairs (list[ConfusedPair]): Pairs.
        score_thr (float): As for :func:`multi_label_confusion`. Defaults to 0.5.

    Returns:
        np.ndarray: (K, 4) int64: rank of the pair, sample, true class, predicted class; by pair, the most confident
        wrong prediction first.
    """
    truth, missed, top, right = _predicted(scores, truth, score_thr)
    found = []
    for rank, pair in enumerate(pairs):
        for true, wrong in ((pair.first, pair.second), (pair.second, pair.first)):
            rows = np.flatnonzero(missed[:, true] & (top == wrong) & ~right)
            found += [(rank, row, true, wrong) for row in rows.tolist()]
    table = np.array(found, np.int64).reshape(-1, 4)
    return table[np.lexsort((table[:, 1], -np.asarray(scores)[table[:, 1], table[:, 3]], table[:, 0]))]


def match_boxes(
    boxes: np.ndarray, frames: np.ndarray, other_boxes: np.ndarray, other_frames: np.ndarray, min_iou: float = 0.5
) -> np.ndarray:
    """Give each box of one set at most one of another in the same frame, the best pairs first.

    Args:
        boxes (np.ndarray): (N, 4) xyxy.
        frames (np.ndarray): (N,) int64 number of the frame, over all films.
        other_boxes (np.ndarray): (M, 4) xyxy.
        other_frames (np.ndarray): (M,) int64.
        min_iou (float): Defaults to 0.5.

    Returns:
        np.ndarray: (N,) int64 index into ``other_boxes``, -1 where there is none.
    """
    order = np.argsort(other_frames, kind='stable')
    begin = np.searchsorted(other_frames[order], frames)
    count = np.searchsorted(other_frames[order], frames, side='right') - begin
    mine = np.repeat(np.arange(len(frames)), count)
    nth = np.arange(len(mine)) - np.repeat(np.cumsum(count) - count, count)
    theirs = order[np.repeat(begin, count) + nth] if len(mine) else mine
    iou = paired_box_iou(boxes[mine], other_boxes[theirs])
    by_iou = np.argsort(-iou, kind='stable')
    by_iou = by_iou[iou[by_iou] >= min_iou]
    match, taken = np.full(len(frames), -1, np.int64), np.zeros(len(other_frames), bool)
    for row, other in zip(mine[by_iou].tolist(), theirs[by_iou].tolist()):
        if match[row] < 0 and not taken[other]:
            match[row], taken[other] = other, True
    return match
