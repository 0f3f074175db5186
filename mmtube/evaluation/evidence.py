"""What a bootstrap needs of an evaluation: who was found in which video, not only the sums."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np

from mmtube.errors import InputError
from mmtube.fileio import atomic_path

from .functional.average_precision import check_integration


@dataclass(frozen=True, eq=False)
class APEvidence:
    """Hits and misses of detections, from which an AP over any sample of the units follows.

    Args:
        metric (str): The headline metric that is the mean of these APs over classes and thresholds.
        units (list[str]): What is drawn with replacement: videos, tubelets.
        classes (list[str]): Class names.
        unit (np.ndarray): (D,) int32 unit of each detection, from the most to the least confident.
        labels (np.ndarray): (D,) int32 class.
        hits (np.ndarray): (T, D) bool, true positive at each threshold.
        gt_unit (np.ndarray): (G,) int32 unit of each ground truth.
        gt_labels (np.ndarray): (G,) int32 class.
        integration (str): As for ``average_precision``. Defaults to 'envelope'.
        tied (np.ndarray | None): (D,) bool, whether a detection has the score of the one before it; only for the
            integration 'step'. Defaults to None.
    """

    metric: str
    units: list[str]
    classes: list[str]
    unit: np.ndarray
    labels: np.ndarray
    hits: np.ndarray
    gt_unit: np.ndarray
    gt_labels: np.ndarray
    integration: str = 'envelope'
    tied: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class RatioEvidence:
    """Numerators and denominators, from which a ratio over any sample of the units follows.

    The value of a class is the sum of its numerators over the sum of its denominators; the metric is the mean of the
    values over the classes that have a denominator. A metric without classes has one class, named ``'all'``.

    Args:
        metric (str): The headline metric.
        units (list[str]): What is drawn with replacement: videos, samples, queries.
        classes (list[str]): Class names.
        unit (np.ndarray): (R,) int32 unit of each row.
        labels (np.ndarray): (R,) int32 class of each row.
        numerators (np.ndarray): (R,) float64.
        denominators (np.ndarray): (R,) float64.
    """

    metric: str
    units: list[str]
    classes: list[str]
    unit: np.ndarray
    labels: np.ndarray
    numerators: np.ndarray
    denominators: np.ndarray


Evidence = APEvidence | RatioEvidence
_COLUMNS = {
    'ap': {'unit': np.int32, 'labels': np.int32, 'gt_unit': np.int32, 'gt_labels': np.int32},
    'ratio': {'unit': np.int32, 'labels': np.int32, 'numerators': np.float64, 'denominators': np.float64},
}


def write_evidence(evidence: Evidence, path: str | os.PathLike) -> None:
    """Write evidence as npz, whole or not at all.

    Raises:
        InputError: If the file cannot be written.
    """
    kind = 'ap' if isinstance(evidence, APEvidence) else 'ratio'
    columns = {name: np.asarray(getattr(evidence, name), dtype) for name, dtype in _COLUMNS[kind].items()}
    texts = {'units': evidence.units, 'classes': evidence.classes}
    columns |= {name: np.asarray(values, np.str_) for name, values in texts.items()}
    if isinstance(evidence, APEvidence):
        columns['hits'] = np.packbits(np.asarray(evidence.hits, bool), axis=1)
        columns['integration'] = np.asarray(evidence.integration)
        if evidence.tied is not None:
            columns['tied'] = np.asarray(evidence.tied, bool)
    with atomic_path(path) as temporary:
        np.savez_compressed(temporary, kind=np.asarray(kind), metric=np.asarray(evidence.metric), **columns)


def read_evidence(path: str | os.PathLike) -> Evidence:
    """Read evidence.

    Raises:
        InputError: If the file is missing or is not such a file.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            data = {name: file[name] for name in file.files}
        kind, metric = str(data['kind']), str(data['metric'])
        columns = {name: data[name].astype(dtype) for name, dtype in _COLUMNS[kind].items()}
        units, classes = data['units'].tolist(), data['classes'].tolist()
        if kind == 'ratio':
            return RatioEvidence(metric, units, classes, **columns)
        hits = np.unpackbits(data['hits'], axis=1, count=len(columns['unit'])).astype(bool)
        integration, tied = str(data['integration']), data.get('tied')
        check_integration(integration, tied)
        if tied is not None and (tied.dtype != bool or tied.shape != columns['unit'].shape):
            raise ValueError('tied is not one truth value for each detection')
        return APEvidence(metric, units, classes, **columns, hits=hits, integration=integration, tied=tied)
    except OSError as error:
        raise InputError(f'{path}: cannot be read ({error.strerror or error})') from None
    except (ValueError, KeyError, EOFError, TypeError) as error:
        raise InputError(f'{path}: is no evidence of an evaluation ({" ".join(str(error).split())})') from None
