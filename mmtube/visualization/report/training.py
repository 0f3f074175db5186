"""What MMEngine logged while it trained, as curves over iterations."""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass, field
from pathlib import Path

from mmtube.errors import InputError
from mmtube.fileio import read_text

from .numbers import is_number

CLOCK = frozenset({'epoch', 'iter', 'step', 'time', 'data_time', 'memory', 'eta'})


@dataclass
class Training:
    """Curves of one training.

    Args:
        title (str): What it is called on the page.
        series (dict[str, tuple[list[float], list[float]]]): By name: iterations, increasing, and values; NaN where a
            value was not finite.
        notes (list[str]): What was left out, one line each. Defaults to none.
    """

    title: str
    series: dict[str, tuple[list[float], list[float]]]
    notes: list[str] = field(default_factory=list)


def read_training(work_dir: str | os.PathLike) -> Training:
    """Read the log of a training.

    MMEngine writes one folder for each start. A training that was resumed goes on where it was resumed: what an earlier
    start logged beyond is left out, as are starts that only tested. Validation is logged by epoch or by iteration; here
    it stands at the last iteration before it.

    Args:
        work_dir (str | os.PathLike): The ``work_dir`` of a config, or one of the folders in it.

    Raises:
        InputError: If there is no ``vis_data/scalars.json`` or a line of it is no JSON object. A last line that was cut
            off is left out and told.
    """
    folder = Path(work_dir)
    files = sorted(folder.glob('*/vis_data/scalars.json')) or [
        path for path in (folder / 'vis_data' / 'scalars.json', folder / 'scalars.json') if path.is_file()
    ]
    if not files:
        raise InputError(f'{folder}: has no vis_data/scalars.json, which MMEngine writes when it trains')
    training = Training(folder.resolve().name, {})
    starts = [_read_rows(path, training.notes) for path in files]
    trained = [rows for rows in starts if any(map(_is_training, rows))]
    if trained and len(trained) < len(starts):
        count = len(starts) - len(trained)
        training.notes.append(f'{count} start{"s" if count > 1 else ""} without training left out')
    points: list[tuple[float, dict]] = []
    for rows in trained or starts:
        first = next((_step(row) for row in rows if _is_training(row)), None)
        if first is not None:
            points = [point for point in points if point[0] < first]
        for row in rows:
            is_behind = not _is_training(row) and points and trained
            points.append((points[-1][0] if is_behind else _step(row), row))
    for step, row in points:
        for name, value in row.items():
            if name in CLOCK or not is_number(value) or (name == 'base_lr' and 'lr' in row):
                continue
            steps, values = training.series.setdefault(name, ([], []))
            steps.append(step)
            values.append(value if math.isfinite(value) else math.nan)
    return training


def _is_training(row: dict) -> bool:
    """Rows of validation have neither an iteration nor an epoch beside their step."""
    return 'iter' in row or 'epoch' in row


def _step(row: dict) -> float:
    step = row.get('step', 0)
    return step if is_number(step) and math.isfinite(step) else 0


def _read_rows(path: Path, notes: list[str]) -> list[dict]:
    lines = read_text(path).split('\n')
    rows = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            if number == len(lines):  # no line end behind it: the training was killed while it wrote
                notes.append('the last line of the log was cut off and is left out')
                continue
            raise InputError(f'{path}:{number}: is not JSON ({error.msg})') from None
        if not isinstance(row, dict):
            raise InputError(f'{path}:{number}: is no JSON object')
        rows.append(row)
    return rows
