"""The outcome of an evaluation: numbers with the name of their protocol, for people and for programs."""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mmtube.errors import InputError
from mmtube.fileio import read_text, write_text

from .evidence import Evidence, write_evidence

FORMAT = 'mmtube-evaluation/1'
UNITS = ('_s', '_px', '_per_frame')


@dataclass
class EvaluationResult:
    """Numbers of one protocol.

    Args:
        protocol (str): Name as on the command line: ``'ava'``.
        convention (str): What exactly was computed, in one line, for a person to read beside the numbers.
        metrics (dict[str, float | int]): Headline numbers. Floats are fractions, 1 is perfect, and are printed times
            100; integers are counts; a name that ends in ``_s``, ``_px`` or ``_per_frame`` is printed as it is.
        counts (dict[str, int]): What went in: videos, videos without predictions, ground truths, predictions.
        notes (list[str]): What was left out or looks odd, one line each.
        tables (dict[str, dict[str, list]]): Tables as columns of one length. ``'classes'`` has at least ``class`` (str)
            and ``num_gt``; ``'worst'``, for thumbnails, has ``video``, ``time_s``, ``x1 y1 x2 y2`` (pixels or None) and
            ``text``. Entries are str, int, float or None.
        curves (dict[str, dict[str, Any]]): By title: ``x`` and ``y`` (lists of numbers), ``x_label``, ``y_label``.
        details (dict[str, Any]): What only this protocol has, as JSON.
        inputs (dict[str, Any]): Files and options. Defaults to none.
        evidence (Evidence | None): For confidence intervals. Defaults to None.

    Raises:
        ValueError: If a metric is NaN or infinite: such a number is never printed.
    """

    protocol: str
    convention: str
    metrics: dict[str, float | int]
    counts: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    tables: dict[str, dict[str, list]] = field(default_factory=dict)
    curves: dict[str, dict[str, Any]] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)
    inputs: dict[str, Any] = field(default_factory=dict)
    evidence: Evidence | None = None

    def __post_init__(self) -> None:
        for name, value in self.metrics.items():
            if not math.isfinite(value):
                raise ValueError(f'metric {name} of protocol {self.protocol} is {value}')

    def document(self) -> dict[str, Any]:
        """Return the result as JSON types; NaN becomes None."""
        names = ('protocol', 'convention', 'metrics', 'counts', 'notes', 'inputs', 'tables', 'curves', 'details')
        return {'format': FORMAT, **{name: _plain(getattr(self, name)) for name in names}}

    def write(self, path: str | os.PathLike) -> None:
        """Write ``path`` (JSON) and, with evidence, ``<path without suffix>.evidence.npz`` beside it.

        Raises:
            InputError: If a file cannot be written.
        """
        document = self.document()
        if self.evidence is not None:
            beside = evidence_path(path)
            write_evidence(self.evidence, beside)
            document['evidence'] = beside.name
        write_text(path, json.dumps(document, indent=1, allow_nan=False) + '\n')

    def text(self) -> str:
        """Return what is printed: the protocol, what was counted, the notes and the headline numbers."""
        lines = [f'{self.protocol}: {self.convention}']
        if self.counts:
            lines.append(', '.join(_counted(name, value) for name, value in self.counts.items()))
        lines += [f'note: {note}' for note in self.notes]
        width = max(map(len, self.metrics), default=0)
        lines += [f'  {name:{width}s}  {_shown(name, value):>10s}' for name, value in self.metrics.items()]
        return '\n'.join(lines)


def evidence_path(path: str | os.PathLike) -> Path:
    """Return where the evidence of a result lies."""
    return Path(path).with_suffix('.evidence.npz')


def read_document(path: str | os.PathLike) -> dict[str, Any]:
    """Read a written result as JSON types.

    Raises:
        InputError: If the file is missing, no JSON, or no result of an evaluation.
    """
    try:
        document = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise InputError(f'{path}:{error.lineno}: is not JSON ({error.msg})') from None
    if not isinstance(document, dict) or document.get('format') != FORMAT:
        raise InputError(f'{path}: is no result of tools/evaluate.py (its format is not {FORMAT!r})')
    return document


def decimal(value: float) -> str:
    """Return a number as it stands in the names of metrics: the shortest text that is this number and no other."""
    short = f'{value:g}'
    return short if float(short) == value else repr(float(value))


def _counted(name: str, value: int) -> str:
    words = name.split('_')
    if value == 1:
        plural = next((word for word in words if word.endswith('s')), '')
        single = plural.removesuffix('es') if plural.endswith('sses') else plural.removesuffix('s')
        words = [single if word is plural else word for word in words]
    return f'{value:,d} {" ".join(words)}'


def _shown(name: str, value: float) -> str:
    if isinstance(value, (int, np.integer)):
        return f'{value:,d}'
    return f'{value:.3f}' if name.endswith(UNITS) else f'{100 * value:.4f}'


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
