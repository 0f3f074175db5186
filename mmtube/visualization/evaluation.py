"""Charts of the result of any evaluation protocol."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np

from mmtube.errors import InputError

from .evaluation_charts import (
    MOST_BARS,
    SERIES,
    draw_bars,
    draw_class_bars,
    draw_classes_over_count,
    draw_curve,
    floats,
)
from .evaluation_detad import detad_charts
from .figure import SUFFIXES, readable, short_name

Chart = Callable[[Path, str], None]
NOT_DRAWN = ('classes', 'worst')
COUNTS = ('num_gt', 'num_pred')
OF_DETAD = ('errors', 'characteristics')


def draw_result(document: Mapping[str, Any], folder: str | Path, suffix: str = '.png') -> dict[str, Path]:
    """Draw everything that an evaluation has to show.

    Every curve as a line; the classes over their number of ground truths and as sorted bars; other tables whose first
    column names what the rows are (bins, groups) as bars; the errors of a temporal detector (protocol ``detad``).
    Missing numbers are gaps.

    Args:
        document (Mapping[str, Any]): Result as JSON types, as ``tools/evaluate.py --json`` writes it.
        folder (str | Path): Where the files go.
        suffix (str): ``'.png'``, or ``'.svg'`` with text as text and nothing outside the file. Defaults to '.png'.

    Returns:
        dict[str, Path]: File of each chart by title; empty if there is nothing to draw.

    Raises:
        ValueError: If the suffix is another one.
        InputError: If the document is broken, or a file cannot be written.
    """
    if suffix not in SUFFIXES:
        raise ValueError(f'suffix must be one of {SUFFIXES}, got {suffix!r}')
    if not isinstance(document, Mapping) or not isinstance(document.get('protocol'), str):
        raise InputError('the result of an evaluation: must be an object with the name of its protocol')
    files: dict[str, Path] = {}
    for title, draw in _charts(document).items():
        whole = f'{document["protocol"]}: {title}'
        path = Path(folder) / f'{_slug(whole, {file.stem for file in files.values()})}{suffix}'
        draw(path, whole)
        files[whole] = path
    return files


def _charts(document: Mapping[str, Any]) -> dict[str, Chart]:
    """Return the charts by title, after everything was checked, so that nothing is half drawn."""
    charts: dict[str, Chart] = {}
    tables, curves = _object(document, 'tables'), _object(document, 'curves')
    details = _object(document, 'details')
    for name, table in tables.items():
        _check_table(f'tables.{name}', table)
    if 'detad' in details:
        analysis = _object(details, 'detad')
        _check_table('details.detad.characteristics', analysis.get('characteristics', {}))
        charts |= detad_charts(analysis)
    for title, curve in curves.items():
        _check_curve(title, curve)
        if len(curve['x']):
            charts[title] = partial(_draw_curve, curve)
    if 'classes' in tables:
        charts |= _class_charts(tables['classes'])
    for name, table in tables.items():
        if name not in NOT_DRAWN and not ('detad' in details and name in OF_DETAD):
            charts |= _table_charts(name, table)
    return charts


def _draw_curve(curve: Mapping[str, Any], path: Path, title: str) -> None:
    draw_curve(path, title, curve)


def _class_charts(table: Mapping[str, Sequence]) -> dict[str, Chart]:
    keys = [name for name in table if name not in ('class', *COUNTS) and _is_fraction(table[name])]
    if 'class' not in table or not keys:
        return {}
    # Protocols put their headline first; recall at more and more proposals ends with it.
    key = max(takewhile(lambda name: name.startswith('AR@'), keys), key=keys.index, default=keys[0])
    values = floats(table[key])
    shown = np.isfinite(values)
    counts = None
    if 'num_gt' in table:
        counts = floats(table['num_gt'])
        shown &= counts > 0
    if not shown.any():
        return {}
    names = [str(name) for name, show in zip(table['class'], shown) if show]
    values, label = values[shown], readable(key)
    counts = None if counts is None else counts[shown]
    charts: dict[str, Chart] = {}
    if counts is not None and len(names) > 2 and counts.min() < counts.max():
        charts[f'{label} of {len(names)} classes over their ground truths'] = lambda path, title: (
            draw_classes_over_count(path, title, names, counts, values, label)
        )
    charts[f'{label} of each class'] = lambda path, title: draw_class_bars(path, title, names, counts, values, label)
    return charts


def _table_charts(name: str, table: Mapping[str, Sequence]) -> dict[str, Chart]:
    keys = list(table)
    if not keys or not 0 < len(table[keys[0]]) <= MOST_BARS:
        return {}
    leading = list(takewhile(lambda key: _is_text(table[key]), keys)) or [key for key in keys[:1] if 'bin' in key]
    rest = [key for key in keys if key not in leading]
    # Tubes and people are numbered within their video: rows of one name need the number beside it.
    while leading and rest and len(set(zip(*(table[key] for key in leading)))) < len(table[keys[0]]):
        if not _is_whole(table[rest[0]]):
            return {}
        leading.append(rest.pop(0))
    fractions = [key for key in rest if _is_fraction(table[key]) and np.nanmax(np.abs(floats(table[key]))) <= 1]
    numbers = fractions[: len(SERIES)] or [key for key in rest if _is_number(table[key])][:1]
    if not leading or not numbers:
        return {}
    length = 52 // len(leading)
    groups = [
        ' / '.join(short_name(str(part), length) for part in row) for row in zip(*(table[key] for key in leading))
    ]
    series = {readable(key): floats(table[key]) for key in numbers}
    label, title = next(iter(series)) if len(series) == 1 else 'fraction', readable(name)
    if 'num_gt' in keys and fractions:
        groups = [f'{group} ({count or 0:,})' for group, count in zip(groups, table['num_gt'])]
        title += ' (in brackets: ground truths)'
    what = ' / '.join(map(readable, leading))
    return {title: lambda path, title: draw_bars(path, title, groups, series, x_label=what, y_label=label)}


def _is_text(values: Sequence) -> bool:
    return all(isinstance(value, str) for value in values)


def _is_whole(values: Sequence) -> bool:
    return all(isinstance(value, int) and not isinstance(value, bool) for value in values)


def _is_number(values: Sequence) -> bool:
    told = [value for value in values if value is not None]
    return bool(told) and all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in told)


def _is_fraction(values: Sequence) -> bool:
    return _is_number(values) and any(isinstance(value, float) for value in values)


def _object(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = document.get(key) or {}
    if not isinstance(value, Mapping):
        raise InputError(f'{key}: must be an object')
    return value


def _check_table(name: str, table: Any) -> None:
    if not isinstance(table, Mapping) or not all(isinstance(column, (list, tuple)) for column in table.values()):
        raise InputError(f'{name}: must be columns, each a list')
    lengths = {key: len(column) for key, column in table.items()}
    if len(set(lengths.values())) > 1:
        raise InputError(f'{name}: columns must have one length, they have {lengths}')


def _check_curve(title: str, curve: Any) -> None:
    if not isinstance(curve, Mapping):
        raise InputError(f'curves.{title}: must be an object')
    for key in ('x', 'y', 'x_label', 'y_label'):
        if key not in curve:
            raise InputError(f'curves.{title}: {key!r} is missing')
    for key in ('x', 'y'):
        values = curve[key]
        if not isinstance(values, (list, tuple)) or (any(v is not None for v in values) and not _is_number(values)):
            raise InputError(f'curves.{title}.{key}: must be a list of numbers')
    if len(curve['x']) != len(curve['y']):
        raise InputError(f'curves.{title}: has {len(curve["x"])} x and {len(curve["y"])} y')


def _slug(title: str, taken: set[str]) -> str:
    """Return a name for a file: letters and digits of the title, and a number if there is such a file already."""
    slug = re.sub(r'[^a-z0-9.]+', '_', title.lower()).strip('_.')[:80] or 'chart'
    number = 1
    while (name := slug if number == 1 else f'{slug}_{number}') in taken:
        number += 1
    return name
