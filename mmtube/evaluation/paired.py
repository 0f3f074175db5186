"""Values of two evaluations over the same samples of their units: the paired bootstrap."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mmtube.errors import InputError

from .evidence import APEvidence, Evidence
from .functional.bootstrap import percentile_interval, unit_weights, weighted_average_precision, weighted_ratios


@dataclass(frozen=True, eq=False)
class PairedIntervals:
    """Two evaluations of one metric and the intervals of their difference, second less first.

    Args:
        classes (list[str]): (C,) class names.
        values (np.ndarray): (2, C) float64 value of each class in both; NaN without ground truth.
        low (np.ndarray): (C,) float64 lower end; NaN where there is no interval.
        high (np.ndarray): (C,) float64 upper end.
        mean_low (float): Lower end for the mean over the classes; NaN where there is no interval.
        mean_high (float): Upper end for it.
    """

    classes: list[str]
    values: np.ndarray
    low: np.ndarray
    high: np.ndarray
    mean_low: float
    mean_high: float


def evidence_values(evidence: Evidence, weights: np.ndarray) -> np.ndarray:
    """Return the value of each class over samples of the units; the metric is their mean.

    Args:
        evidence (Evidence): Of U units and C classes.
        weights (np.ndarray): (B, U) int32, how often each unit counts.

    Returns:
        np.ndarray: (B, C) float64; NaN for a class that has nothing in a sample.
    """
    size = len(evidence.classes)
    if isinstance(evidence, APEvidence):
        ap = weighted_average_precision(
            weights,
            evidence.unit,
            evidence.labels,
            evidence.hits,
            evidence.gt_unit,
            evidence.gt_labels,
            size,
            integration=evidence.integration,
            tied=evidence.tied,
        )
        return ap.mean(axis=1)
    return weighted_ratios(weights, evidence.unit, evidence.labels, evidence.numerators, evidence.denominators, size)


def class_mean(values: np.ndarray) -> np.ndarray:
    """Return the mean over the classes that have a value.

    Args:
        values (np.ndarray): (B, C) float64.

    Returns:
        np.ndarray: (B,) float64; NaN where no class has one.
    """
    known = ~np.isnan(values)
    return np.where(known, values, 0.0).sum(axis=1) / np.where(known.any(axis=1), known.sum(axis=1), np.nan)


def paired_intervals(
    a: Evidence, b: Evidence, *, replicates: int = 1000, seed: int = 0, level: float = 0.95
) -> PairedIntervals:
    """Return the percentile intervals of the differences of two evaluations.

    In each replicate the same units are drawn for both. What has ground truth in few units has no interval: with k
    units that all agree a sign test has a p of 2 to the power of 1 - k, so fewer than 6 units say nothing at 95 %.
    Percentile intervals of few units are too narrow: in a simulation those of 12 units held the truth in 90 % of the
    cases instead of 95 %, those of 40 units in 95 %.

    Args:
        a (Evidence): The first.
        b (Evidence): The second, with the classes and units of the first (:func:`same_classes`, :func:`same_units`).
        replicates (int): Samples of the units. Defaults to 1000.
        seed (int): The same seed gives the same intervals. Defaults to 0.
        level (float): Of the intervals. Defaults to 0.95.

    Returns:
        PairedIntervals: Values and intervals.

    Raises:
        ValueError: If classes or units differ.
    """
    if a.classes != b.classes or a.units != b.units:
        raise ValueError('both must have the same classes and units')
    ones = np.ones((1, len(a.units)), np.int32)
    values = np.stack([evidence_values(evidence, ones)[0] for evidence in (a, b)])
    drawn = [
        np.stack([evidence_values(evidence, weights) for evidence in (a, b)])
        for weights in unit_weights(len(a.units), replicates, seed)
    ]
    first, second = np.concatenate(drawn, axis=1)
    low, high = percentile_interval(second - first, level)
    few = np.minimum(_units_of_class(a), _units_of_class(b)) < min_units(level)
    low[few], high[few] = np.nan, np.nan
    ends = percentile_interval(class_mean(second) - class_mean(first), level)
    if min(len(np.unique(_truth_cells(evidence)[0])) for evidence in (a, b)) < min_units(level):
        ends = np.array(np.nan), np.array(np.nan)
    return PairedIntervals(a.classes, values, low, high, float(ends[0]), float(ends[1]))


def min_units(level: float) -> int:
    """Return in how many units there must be ground truth for an interval.

    Examples:
        >>> min_units(0.95), min_units(0.9)
        (6, 5)
    """
    return math.ceil(math.log2(2 / (1 - level)) - 1e-9)


def _truth_cells(evidence: Evidence) -> tuple[np.ndarray, np.ndarray]:
    """Return unit and class of each ground truth, or of each row that has a denominator."""
    if isinstance(evidence, APEvidence):
        return evidence.gt_unit, evidence.gt_labels
    some = evidence.denominators != 0
    return evidence.unit[some], evidence.labels[some]


def _units_of_class(evidence: Evidence) -> np.ndarray:
    """(C,) int64 units in which a class has ground truth, or a denominator."""
    unit, labels = _truth_cells(evidence)
    size = len(evidence.classes)
    cells = np.unique(np.asarray(unit, np.int64) * size + labels)
    return np.bincount(cells % size, minlength=size)


def same_classes(a: Evidence, b: Evidence) -> tuple[Evidence, Evidence]:
    """Number the classes of both alike, by name; the order is that of the first."""
    if a.classes == b.classes:
        return a, b
    names = [*a.classes, *sorted(set(b.classes) - set(a.classes))]
    number = {name: place for place, name in enumerate(names)}
    places = np.array([number[name] for name in b.classes], np.int32)
    changed: dict[str, Any] = {'classes': names, 'labels': places[b.labels]}
    if isinstance(b, APEvidence):
        changed['gt_labels'] = places[b.gt_labels]
    return replace(a, classes=names), replace(b, **changed)


def same_units(a: Evidence, b: Evidence, *, force: bool = False) -> tuple[Evidence, Evidence, list[str]]:
    """Number the units of both alike, in the order of their names.

    Units without ground truth, which only have false positives, may be missing in one of the two.

    Args:
        a (Evidence): The first.
        b (Evidence): The second.
        force (bool): Whether units that one of them lacks are left out and not refused. Defaults to False.

    Returns:
        tuple: Both, and the units that were left out.

    Raises:
        InputError: If units differ, or none is in both.
    """
    needed = [_needed_units(evidence) for evidence in (a, b)]
    alone = sorted(needed[0] ^ needed[1])
    if alone and not force:
        more = f' and {len(alone) - 1} more' if len(alone) > 1 else ''
        raise InputError(f'only one of the runs has the unit {alone[0]!r}{more} (--force compares the common ones)')
    names = sorted((set(a.units) | set(b.units)) - set(alone))
    if not names:
        raise InputError('the runs have no unit in common')
    return _on_units(a, names), _on_units(b, names), alone


def _needed_units(evidence: Evidence) -> set[str]:
    """Units that a run cannot lack: those with ground truth. Others only have false positives."""
    if isinstance(evidence, APEvidence):
        return {evidence.units[unit] for unit in np.unique(evidence.gt_unit).tolist()}
    return set(evidence.units)


def _on_units(evidence: Evidence, names: Sequence[str]) -> Evidence:
    number = {name: place for place, name in enumerate(names)}
    places = np.array([number.get(name, -1) for name in evidence.units], np.int32)
    unit = places[evidence.unit]
    keep = unit >= 0
    changed: dict[str, Any] = {'units': list(names), 'unit': unit[keep], 'labels': evidence.labels[keep]}
    if isinstance(evidence, APEvidence):
        gt_unit = places[evidence.gt_unit]
        changed |= {'hits': evidence.hits[:, keep], 'gt_unit': gt_unit[gt_unit >= 0]}
        changed['gt_labels'] = evidence.gt_labels[gt_unit >= 0]
        if evidence.tied is not None:  # to the one before it that stays, if that is of the same score
            changed['tied'] = np.diff(np.cumsum(~evidence.tied)[keep], prepend=-1) == 0
    else:
        changed |= {'numerators': evidence.numerators[keep], 'denominators': evidence.denominators[keep]}
    return replace(evidence, **changed)
