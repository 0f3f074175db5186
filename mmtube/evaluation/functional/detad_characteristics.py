"""For which ground truths a temporal detector fails: long or short ones, alone in their video or many (DETAD).

The characteristics that every annotation has are used: coverage (length over the video's duration), length in seconds
and how many instances of the class the video has. Context and agreement need what only DETAD's own annotations have.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from mmtube.evaluation.tables import SegmentTable

from .detad_precision import normalised_average_precision, precision_at_hits
from .segments import SegmentMatches

MIN_PRECISION = 0.05
SIZES = {3: 'S M L', 4: 'XS S M L', 5: 'XS S M L XL'}
CHARACTERISTICS = ('coverage', 'length', 'instances')
# Inner edges of the bins; an edge belongs to the bin below it. The first two are those of DETAD's released scripts; for
# actions of seconds ('short') the lengths are those of FineAction (Fig. 9).
BINS = {
    'activitynet': {
        'coverage': (0.2, 0.4, 0.6, 0.8),
        'length': (30.0, 60.0, 120.0, 180.0),
        'instances': (1.0, 4.0, 8.0),
    },
    'thumos': {
        'coverage': (0.02, 0.04, 0.06, 0.08),
        'length': (3.0, 6.0, 12.0, 18.0),
        'instances': (1.0, 40.0, 80.0),
    },
    'short': {
        'coverage': (0.2, 0.4, 0.6, 0.8),
        'length': (2.0, 5.0, 10.0),
        'instances': (1.0, 4.0, 8.0),
    },
}
COVERAGE_TOLERANCE = 1e-9


@dataclass(frozen=True, eq=False)
class BinnedTruth:
    """Ground truths told apart by one characteristic.

    Args:
        name (str): ``'coverage'``, ``'length'`` or ``'instances'``.
        bins (list[str]): Sizes of the bins, from the smallest: ``'XS'``.
        ranges (list[str]): What is in them: ``'30 to 60 s'``.
        number (np.ndarray): (G,) int64 bin of each ground truth.
    """

    name: str
    bins: list[str]
    ranges: list[str]
    number: np.ndarray


def coverage(truth: SegmentTable) -> np.ndarray:
    """Return (G,) float64, the length of each ground truth over the duration of its video; NaN where not known."""
    if truth.durations_s is None:
        return np.full(len(truth), np.nan)
    durations_s = truth.durations_s[truth.video]
    lengths_s = np.diff(truth.segments_s, axis=1)[:, 0]
    share = np.divide(lengths_s, durations_s, out=np.full(len(truth), np.nan), where=durations_s > 0)
    return np.where((share > 1) & (share <= 1 + COVERAGE_TOLERANCE), 1.0, share)


def instances_of_class(truth: SegmentTable) -> np.ndarray:
    """Return (G,) int64, how many ground truths of its class are in the video of each."""
    _, group, counts = np.unique(np.stack([truth.video, truth.labels]), axis=1, return_inverse=True, return_counts=True)
    return counts[group.ravel()]


def bin_truth(truth: SegmentTable, edges: dict[str, tuple[float, ...]]) -> list[BinnedTruth]:
    """Tell ground truths apart by each characteristic.

    Args:
        truth (SegmentTable): Ground truth.
        edges (dict[str, tuple[float, ...]]): Increasing inner edges of the bins of each of :data:`CHARACTERISTICS`; a
            value on an edge is in the bin below, as in DETAD.

    Returns:
        list[BinnedTruth]: Of coverage only if all durations are known.

    Raises:
        ValueError: If edges do not increase or are not finite.
    """
    values = {
        'coverage': coverage(truth),
        'length': np.diff(truth.segments_s, axis=1)[:, 0],
        'instances': instances_of_class(truth),
    }
    binned = []
    for name in CHARACTERISTICS:
        inner = np.asarray(edges[name], np.float64)
        if not (np.isfinite(inner).all() and (np.diff(inner) > 0).all()):
            raise ValueError(f'edges of {name} must increase, got {inner.tolist()}')
        if np.isfinite(values[name]).all():
            number = np.searchsorted(inner, values[name], side='left')
            binned.append(BinnedTruth(name, *_bin_names(name, inner), number))
    return binned


def missed_truth(
    matches: SegmentMatches, truth: SegmentTable, labels: np.ndarray, num_classes: int, min_precision: float
) -> np.ndarray:
    """Return which ground truths are missed at each threshold.

    A ground truth that is found only where the normalised precision of its class has fallen to ``min_precision`` or
    below counts as missed: with enough detections anything is found.

    Args:
        matches (SegmentMatches): Which ground truth each detection found.
        truth (SegmentTable): Ground truth.
        labels (np.ndarray): (D,) int64 class of the detections, in the order of rank.
        num_classes (int): Number of classes.
        min_precision (float): 0.05 in DETAD; 0 takes every match.

    Returns:
        np.ndarray: (T, G) bool.
    """
    num_gts = np.bincount(truth.labels, minlength=num_classes)
    normal = len(truth) / max(int((num_gts > 0).sum()), 1)
    by_class = np.argsort(labels, kind='stable')
    missed = np.ones((len(matches.matched), len(truth)), bool)
    for row, matched in zip(missed, matches.matched):
        places, precision = precision_at_hits(matched >= 0, labels, num_gts, normal, by_class)
        row[matched[by_class[places[precision > min_precision]]]] = False
    return missed


def missed_by_bin(missed: np.ndarray, binned: BinnedTruth) -> np.ndarray:
    """Return the share of the ground truths of each bin that are missed, mean over the thresholds.

    Args:
        missed (np.ndarray): (T, G) bool, see :func:`missed_truth`.
        binned (BinnedTruth): Bin of each ground truth.

    Returns:
        np.ndarray: (B,) float64, NaN for an empty bin.
    """
    counts = np.bincount(binned.number, minlength=len(binned.bins))
    weights = np.bincount(binned.number, missed.mean(axis=0), minlength=len(binned.bins))
    return np.divide(weights, counts, out=np.full(len(counts), np.nan), where=counts > 0)


def sensitivity_by_bin(
    matches: SegmentMatches, truth: SegmentTable, labels: np.ndarray, num_classes: int, binned: BinnedTruth
) -> np.ndarray:
    """Return the average mAP_N as if only the ground truths of a bin existed.

    Detections that find a ground truth of another bin at any of the thresholds are left out at all of them, as DETAD
    does; all other false positives stay. N stays that of the whole ground truth. The mean is over the classes that have
    ground truth in the bin.

    Args:
        matches (SegmentMatches): Which ground truth each detection found.
        truth (SegmentTable): Ground truth.
        labels (np.ndarray): (D,) int64 class of the detections, in the order of rank.
        num_classes (int): Number of classes.
        binned (BinnedTruth): Bin of each ground truth.

    Returns:
        np.ndarray: (B,) float64, NaN for an empty bin.
    """
    normal = len(truth) / max(len(np.unique(truth.labels)), 1)
    scores = np.full(len(binned.bins), np.nan)
    for number in np.unique(binned.number):
        inside = binned.number == number
        allowed = np.append(inside, True)  # the last is for -1, a false positive
        keep = allowed[matches.matched].all(axis=0)
        num_gts = np.bincount(truth.labels[inside], minlength=num_classes)
        ap = normalised_average_precision(matches.hits[:, keep], labels[keep], num_gts, normal)
        scores[number] = ap[:, num_gts > 0].mean()
    return scores


def _bin_names(name: str, inner: np.ndarray) -> tuple[list[str], list[str]]:
    number = len(inner) + 1
    sizes = SIZES[number].split() if number in SIZES else [str(place) for place in range(1, number + 1)]
    unit = ' s' if name == 'length' else ''
    if not len(inner):
        return sizes, ['all']
    if name == 'instances':
        bounds = [1, *(int(edge) + 1 for edge in inner)]
        between = [f'{low}' if low == int(high) else f'{low} to {int(high)}' for low, high in zip(bounds, inner)]
    else:
        between = [f'up to {inner[0]:g}{unit}']
        between += [f'{low:g} to {high:g}{unit}' for low, high in pairwise(inner)]
    return sizes, [*between, f'over {inner[-1]:g}{unit}']
