"""Scores of whole samples: csv, json, npz and dumped results."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from mmtube.errors import InputError
from mmtube.fileio import read_text

from .csv_columns import is_number
from .dumps import load_dump
from .sample_labels import SampleLabels, load_json, refuse_twice, row_place

NAME_KEYS = ('name', 'filename', 'frame_dir', 'video_id')


@dataclass(frozen=True, eq=False)
class SampleScores:
    """What was predicted of each sample.

    Args:
        file (str): Where it was read.
        names (list[str] | None): (N,) names, no two alike; None where the file has none and counts on the order.
        scores (np.ndarray): (N, C) float64.
        labels (list[tuple[int, ...]] | None): True classes that the file has beside the scores. Defaults to None.
        place (Callable[[int], str]): As for :class:`SampleLabels`.
    """

    file: str
    names: list[str] | None
    scores: np.ndarray
    labels: list[tuple[int, ...]] | None = None
    place: Callable[[int], str] = field(default=row_place, repr=False)


def read_scores(path: str | os.PathLike) -> SampleScores:
    """Read what was predicted of each sample.

    Args:
        path (str | os.PathLike): ``.pkl`` (as ``tools/test.py --dump`` writes it: a list of dicts with ``pred_score``;
            or ``{name: scores}``, or a list of arrays), ``.npz`` (``names`` and ``scores``), ``.csv``
            (``name,score,score,...``, with or without a header) or ``.json`` (``{name: [score, ...]}``).

    Returns:
        SampleScores: Names and scores, in the order of the file. A file without a sample has scores of shape (0, 0).

    Raises:
        InputError: If the file is missing or not of this form, rows are of different lengths, a score is NaN or
            infinite, or a name stands twice.
    """
    suffix = Path(path).suffix.lower()
    readers = {'.pkl': _read_dump, '.pickle': _read_dump, '.npz': _read_npz, '.csv': _read_csv, '.json': _read_json}
    if suffix not in readers:
        raise InputError(f'{path}: scores are read from {", ".join(readers)}, not {suffix or "a file without suffix"}')
    found = readers[suffix](path)
    rows = np.flatnonzero(~np.isfinite(found.scores).all(axis=1))
    if len(rows):
        raise InputError(f'{path}: {found.place(int(rows[0]))}: a score is not a finite number')
    if found.names is not None:
        refuse_twice(path, found.names, found.place)
    return found


def by_stem(table: SampleLabels | SampleScores) -> Any:
    """Return a table whose names are without folder and suffix: ``train/dive.mp4`` becomes ``dive``.

    Raises:
        InputError: If two names become one.
    """
    if table.names is None:
        return table
    names = [PurePosixPath(name.replace('\\', '/')).stem for name in table.names]
    refuse_twice(table.file, names, table.place)
    return replace(table, names=names)


def _read_npz(path: str | os.PathLike) -> SampleScores:
    try:
        with np.load(path, allow_pickle=False) as file:
            names, scores = file['names'], file['scores']
    except OSError as error:
        raise InputError(f'{path}: cannot be read ({error.strerror or error})') from None
    except (ValueError, KeyError, EOFError) as error:
        raise InputError(f'{path}: has no names and scores ({" ".join(str(error).split())})') from None
    except Exception as error:  # a damaged archive
        raise InputError(f'{path}: is damaged ({type(error).__name__})') from None
    if scores.ndim != 2 or len(names) != len(scores) or scores.dtype.kind not in 'iuf' or names.dtype.kind != 'U':
        raise InputError(
            f'{path}: names and scores must be N texts and N x C numbers, got {names.shape}, {scores.shape}'
        )
    return SampleScores(str(path), names.tolist(), scores.astype(np.float64))


def _read_csv(path: str | os.PathLike) -> SampleScores:
    rows = [(number, row) for number, row in enumerate(csv.reader(io.StringIO(read_text(path))), 1) if any(row)]
    if rows and not is_number(rows[0][1][-1]):
        rows = rows[1:]
    places = [f'line {number}' for number, _ in rows]
    return _stack(path, [row[0] for _, row in rows], [row[1:] for _, row in rows], places)


def _read_json(path: str | os.PathLike) -> SampleScores:
    document = load_json(path, read_text(path))
    if not isinstance(document, dict):
        raise InputError(f'{path}: must be an object of names and lists of scores')
    return _stack(path, list(document), list(document.values()), [json.dumps(name) for name in document])


def _read_dump(path: str | os.PathLike) -> SampleScores:
    dump = load_dump(path)
    if isinstance(dump, dict):
        return _stack(path, list(dump), list(dump.values()), [repr(name) for name in dump])
    if not isinstance(dump, list):
        raise InputError(f'{path}: must be a list of samples or {{name: scores}}, not {type(dump).__name__}')
    places = [f'sample {number}' for number in range(1, len(dump) + 1)]
    if not all(isinstance(sample, dict) for sample in dump):
        return _stack(path, None, dump, places)
    for place, sample in zip(places, dump):
        if isinstance(sample.get('pred_score'), dict):
            raise InputError(f'{path}: {place}: has scores of several streams; write each to a file and use --fuse')
        if 'pred_score' not in sample:
            raise InputError(f'{path}: {place}: has no pred_score')
    found = _stack(path, None, [sample['pred_score'] for sample in dump], places)
    labels = [_dumped_label(sample['gt_label'], found.scores.shape[1]) for sample in dump if 'gt_label' in sample]
    names = None
    for key in NAME_KEYS:
        values = [str(sample.get(key)) for sample in dump]
        if names is None and len(set(values)) == len(dump) and all(key in sample for sample in dump):
            names = values
    return replace(found, names=names, labels=labels if dump and len(labels) == len(dump) else None)


def _dumped_label(value: Any, num_classes: int) -> tuple[int, ...]:
    value = np.asarray(value).reshape(-1)
    return tuple(np.flatnonzero(value).tolist() if len(value) == num_classes > 1 else value.astype(int).tolist())


def _stack(path: str | os.PathLike, names: list | None, rows: list, places: list[str]) -> SampleScores:
    """Make one array of rows that must be numbers and of one length."""
    scores = np.zeros((len(rows), 0))
    for number, row in enumerate(rows):
        place = f'{path}: {places[number]}'
        try:
            values = np.asarray(row, np.float64)
        except (ValueError, TypeError):
            raise InputError(f'{place}: must be a list of numbers') from None
        if values.ndim != 1 or not len(values):
            raise InputError(f'{place}: must be a list of scores, one for each class')
        if number == 0:
            scores = np.zeros((len(rows), len(values)))
        elif len(values) != scores.shape[1]:
            raise InputError(f'{place}: has {len(values)} scores, the first sample has {scores.shape[1]}')
        scores[number] = values
    return SampleScores(str(path), None if names is None else list(map(str, names)), scores, None, places.__getitem__)
