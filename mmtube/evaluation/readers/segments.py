"""Files of temporal detection: ActivityNet json and what differs a little from it.

Ground truth is as ActivityNet has it, or flat as MMAction2 has it:

    {"database": {vid: {"subset": "validation", "duration": 12.3,
                        "annotations": [{"segment": [1.5, 4.0], "label": "run"}]}}}
    {vid: {"duration_second": 12.3, "annotations": [...]}}

Predictions, without ``label`` where they are proposals, are

    {"results": {vid: [{"segment": [1.5, 4.0], "label": "run", "score": 0.9}]}}
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from mmtube.errors import InputError
from mmtube.evaluation.functional.segments import SAME_S, duplicated_segments
from mmtube.evaluation.tables import Place, SegmentTable
from mmtube.structures.io.documents import Node, text_of

from .json_rows import Row, RowBuffer, parse_json

ALL = 'all'


def read_class_names(path: str | os.PathLike) -> list[str]:
    """Read class names: a text file with one in each line, a JSON list, or a JSON object with ``names``.

    Raises:
        InputError: If the file cannot be read, has no class or one twice.
    """
    text = text_of(path)
    if Path(path).suffix == '.json':
        root = parse_json(path, text)
        names = [name.text() for name in (root['names'] if isinstance(root.value, dict) else root)]
    else:
        names = [line.strip() for line in text.splitlines() if line.strip()]
    if not names:
        raise InputError(f'{path}: names no class')
    if len(set(names)) < len(names):
        raise InputError(f'{path}: names class {max(names, key=names.count)!r} twice')
    return names


def read_activitynet_truth(
    path: str | os.PathLike,
    subset: str | None = None,
    labels: Sequence[str] | None = None,
    *,
    aside: str | None = None,
) -> tuple[SegmentTable, list[str]]:
    """Read ground truth of ActivityNet, HACS, FineAction, THUMOS14 in that form, or of MMAction2's flat form.

    The rows are not checked, see :func:`clean_truth`.

    Args:
        path (str | os.PathLike): File.
        subset (str | None): Which videos: ``'validation'``; ``'all'`` takes all of them. Defaults to None, the only
            subset that has annotations.
        labels (Sequence[str] | None): Class names. Defaults to None, those that occur in the file in any subset,
            sorted.
        aside (str | None): Label that is no class, even if ``labels`` has it; its rows have class -1. Defaults to None.

    Returns:
        tuple: Ground truth with the durations where the file has them, and the class names.

    Raises:
        InputError: If the file is not of this form, a label is unknown or the subset is not there.
    """
    root = parse_json(path, text_of(path))
    nested = isinstance(root.value, dict) and 'database' in root.value
    database = root['database'] if nested else root
    videos: dict[str, dict[str, Any]] = {}
    for vid, node in database.items():
        videos[vid] = node._of(dict)
        if 'annotations' in node or not nested:
            node['annotations']._of(list)
    chosen = _subset(path, videos, subset)
    if labels is None:
        told = chain.from_iterable(video.get('annotations', ()) for video in videos.values())
        names = {item.get('label') for item in told if isinstance(item, dict)}
        labels = sorted(name for name in names if isinstance(name, str))
    labels = [name for name in labels if name != aside]
    entries = [videos[vid].get('annotations', []) for vid in chosen]
    where = database.where

    def place(video: int, number: int) -> str:
        key = f'[{json.dumps(chosen[video])}]' if where else json.dumps(chosen[video])
        return f'{where}{key}.annotations[{number}]'

    number_of = {name: number for number, name in enumerate(labels)}
    if aside is not None:
        number_of[aside] = -1
    columns = _columns(path, entries, place, number_of, scored=False)
    durations = [_duration(database, vid, videos[vid]) for vid in chosen]
    known = np.isfinite(durations).any()
    durations_s = np.array(durations, np.float64) if known else None
    return SegmentTable(chosen, **columns, name=str(path), durations_s=durations_s), labels


def read_activitynet_predictions(
    path: str | os.PathLike, classes: Sequence[str] | None, *, numbers: bool = False, task: str | None = None
) -> SegmentTable:
    """Read detections, or proposals.

    Args:
        path (str | os.PathLike): File.
        classes (Sequence[str] | None): Class names. None reads proposals: labels are not looked at and are all 0.
        numbers (bool): Whether a label may also be the number of a class. Defaults to False.
        task (str | None): Rows that say that they are of another ``task`` are passed over. Defaults to None, all rows.

    Returns:
        SegmentTable: Checked detections; videos with an empty list of detections are in its list of videos.

    Raises:
        InputError: If the file is not of this form, a label is unknown, a score or time is not a finite number, or a
            segment does not end after its start.
    """
    buffer = RowBuffer()
    root = parse_json(path, text_of(path), buffer)
    root._of(dict)
    rows_of = {vid: node._of(list) for vid, node in root['results'].items()}
    number_of: dict[str | int, int] | None = None
    if classes is not None:
        number_of = {name: number for number, name in enumerate(classes)}
        number_of |= {number: number for number in range(len(classes))} if numbers else {}
    columns = _buffered_columns(rows_of, buffer, number_of) or _object_columns(path, rows_of, buffer, number_of, task)
    found = SegmentTable(list(rows_of), **columns, name=str(path))
    found.check(len(classes) if classes is not None else 1)
    return found


def clean_truth(truth: SegmentTable, num_classes: int, *, dedup: bool = False) -> tuple[SegmentTable, list[str]]:
    """Check ground truth, and refuse or remove what stands twice.

    Args:
        truth (SegmentTable): As it was read.
        num_classes (int): Number of classes.
        dedup (bool): Whether segments without length and repeated ones (one video and class, both times within 1 ms)
            are removed and counted, as OpenTAD does, rather than refused. Defaults to False.

    Returns:
        tuple: The ground truth and notes for the reader of the numbers.

    Raises:
        InputError: If a row cannot be scored, or stands twice and ``dedup`` is False; the message names the row.
    """
    notes = []
    if dedup:
        empty = truth.segments_s[:, 1] <= truth.segments_s[:, 0]
        if empty.any():
            notes.append(f'{int(empty.sum())} ground truths without length removed')
            truth = truth.rows(~empty)
    truth.check(num_classes)
    repeated = duplicated_segments(truth)
    if not dedup:
        truth.refuse(repeated, 'the ground truth stands twice, --dedup removes such rows')
    elif repeated.any():
        within = f'{SAME_S * 1000:g} ms'
        notes.append(f'{int(repeated.sum())} repeated ground truths removed (of one class, times within {within})')
        truth = truth.rows(~repeated)
    if truth.durations_s is not None:
        late = truth.segments_s[:, 1] > truth.durations_s[truth.video] + SAME_S
        if late.any():
            first = truth.place(int(np.flatnonzero(late)[0]))
            notes.append(
                f'{int(late.sum())} ground truths end after their video does (first: {first}), kept as they are'
            )
    return truth, notes


def set_aside(truth: SegmentTable, name: str, *, dedup: bool = False) -> tuple[SegmentTable, SegmentTable]:
    """Return the ground truth that has a class, not checked, and the segments that have none (class -1).

    Args:
        truth (SegmentTable): As it was read.
        name (str): Name of the segments without a class, for the reader of the numbers.
        dedup (bool): Whether those without length are left out rather than refused. Defaults to False.

    Raises:
        InputError: If a segment without a class has a time that is not finite or does not end after its start.
    """
    aside = truth.rows(truth.labels < 0)
    if dedup:
        aside = aside.rows(~(aside.segments_s[:, 1] <= aside.segments_s[:, 0]))
    replace(aside, labels=np.zeros(len(aside), np.int64)).check(1)
    return truth.rows(truth.labels >= 0), replace(aside, name=name)


def _subset(path: str | os.PathLike, videos: dict[str, dict[str, Any]], subset: str | None) -> list[str]:
    there = {str(video['subset']) for video in videos.values() if 'subset' in video}
    if subset == ALL:
        return list(videos)
    if subset is None:
        annotated = {str(video.get('subset')) for video in videos.values() if video.get('annotations')}
        if len(annotated) > 1:
            raise InputError(f'{path}: has the subsets {", ".join(sorted(annotated))}; say which (--subset)')
        return [vid for vid, video in videos.items() if str(video.get('subset')) in annotated]
    if subset not in there:
        told = f'it has {", ".join(sorted(there))}' if there else 'its videos name none'
        raise InputError(f'{path}: has no subset {subset!r}, {told}')
    return [vid for vid, video in videos.items() if str(video.get('subset')) == subset]


def _duration(database: Node, vid: str, video: dict[str, Any]) -> float:
    key = next((key for key in ('duration', 'duration_second') if key in video), None)
    return np.nan if key is None or video[key] is None else database[vid][key].number()


def _buffered_columns(
    rows_of: dict[str, list[Any]], buffer: RowBuffer, number_of: dict[Any, int] | None
) -> dict[str, Any] | None:
    """Return the columns of a table if all rows are in the buffer, and their labels are known; else None."""
    counts = list(map(len, rows_of.values()))
    if sum(counts) != len(buffer) or not all(type(row) is Row for row in chain.from_iterable(rows_of.values())):
        return None
    segments, scores, labels, names = buffer.columns()
    if number_of is None:
        labels = np.zeros_like(labels)
    elif all(name in number_of for name in names):
        labels = np.array([number_of[name] for name in names], np.int64)[labels] if names else labels
    else:
        return None
    videos, offsets = list(rows_of), np.cumsum([0, *counts])

    def place(row: int) -> str:
        video = int(np.searchsorted(offsets, row, side='right')) - 1
        return f'results[{json.dumps(videos[video])}][{row - offsets[video]}]'

    video = np.repeat(np.arange(len(videos)), counts)
    return {'video': video, 'labels': labels, 'scores': scores, 'segments_s': segments, 'place': place}


def _object_columns(
    path: str | os.PathLike,
    rows_of: dict[str, list[Any]],
    buffer: RowBuffer,
    number_of: dict[Any, int] | None,
    task: str | None,
) -> dict[str, Any]:
    """Return the columns of a table of rows of any form, of one task."""
    videos, entries, rows_in_file = list(rows_of), [], []
    for rows in rows_of.values():
        rows = [buffer.row(row) if type(row) is Row else row for row in rows]
        keep = [n for n, row in enumerate(rows) if not isinstance(row, dict) or row.get('task', task) == task]
        entries.append(rows if task is None else [rows[number] for number in keep])
        rows_in_file.append(range(len(rows)) if task is None else keep)

    def place(video: int, number: int) -> str:
        return f'results[{json.dumps(videos[video])}][{rows_in_file[video][number]}]'

    return _columns(path, entries, place, number_of, scored=True)


def _columns(
    path: str | os.PathLike,
    entries: list[list[dict[str, Any]]],
    place: Callable[[int, int], str],
    number_of: dict[Any, int] | None,
    *,
    scored: bool,
) -> dict[str, Any]:
    """Return the columns of a table. Rows are read all at once; what is wrong is looked for only if that fails."""
    offsets = np.cumsum([0, *map(len, entries)])

    def row_place(row: int) -> str:
        video = int(np.searchsorted(offsets, row, side='right')) - 1
        return place(video, int(row - offsets[video]))

    rows = list(chain.from_iterable(entries))
    try:
        times, told = [row['segment'] for row in rows], [row['score'] for row in rows] if scored else []
        if not {*map(type, told), *map(type, chain.from_iterable(times))} <= {int, float}:
            raise TypeError  # numpy would take texts and truth values for numbers
        segments = np.array(times, np.float64)
        scores = np.array(told, np.float64) if scored else None
        labels = np.zeros(len(rows), np.int64)
        if number_of is not None:
            labels = np.fromiter((number_of[row['label']] for row in rows), np.int64, len(rows))
        if segments.shape != (len(rows), 2) and rows:
            raise ValueError
    except (KeyError, TypeError, ValueError, OverflowError):
        raise _wrong_row(path, rows, row_place, number_of, scored) from None
    columns = {'labels': labels, 'scores': scores, 'segments_s': segments.reshape(-1, 2), 'place': row_place}
    return {'video': np.repeat(np.arange(len(entries)), np.diff(offsets)), **columns}


def _wrong_row(
    path: str | os.PathLike, rows: list[Any], place: Place, number_of: dict[Any, int] | None, scored: bool
) -> InputError:
    for number, row in enumerate(rows):
        node = Node(path, place(number), row)
        try:
            _floats(node['segment'], 2)
            if scored:
                _floats(node['score'], None)
            if number_of is not None:
                label = node['label'].value
                if isinstance(label, (list, dict)) or label not in number_of:
                    classes = sum(isinstance(name, str) for name in number_of)
                    return node.error(f'label {json.dumps(label)[:60]} is none of {classes} classes')
        except InputError as error:
            return error
    return InputError(f'{path}: holds numbers that cannot be read')


def _floats(node: Node, length: int | None) -> None:
    """See that a node is a number, or a list of so many."""
    values = [node] if length is None else list(node)
    if length is not None and len(values) != length:
        raise node.error(f'has {len(values)} numbers, not {length}')
    for value in values:
        if isinstance(value.value, bool) or not isinstance(value.value, (int, float)):
            raise value.error(f'must be a number, not {json.dumps(value.value)[:40]}')
        try:
            float(value.value)
        except OverflowError:
            raise value.error('is too large a number') from None
