"""What the tables of several protocols have in common: numbers that may be absent, and the worst cases of segments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mmtube.evaluation.tables import SegmentTable

# Returns film, x1, y1, x2 and y2 of a video and a time, or the film alone.
Locate = Callable[[str, float], Sequence[Any]]


def optional(values: np.ndarray) -> list[float | None]:
    """Return numbers (N,) as JSON has them; NaN, where there is no such number, as None."""
    return [None if np.isnan(value) else float(value) for value in values]


def longest_first(table: SegmentTable, rows: np.ndarray) -> np.ndarray:
    """Return rows of a table from the longest segment to the shortest; equal ones by video, start and class."""
    start_s, end_s = table.segments_s[rows].T
    return rows[np.lexsort((table.labels[rows], start_s, table.video[rows], start_s - end_s))]


def worst_segments(
    parts: Sequence[tuple[SegmentTable, np.ndarray, Callable[[int], str]]],
    classes: Sequence[str],
    locate: Locate | None = None,
) -> dict[str, list]:
    """Return the table ``'worst'`` of a result.

    Args:
        parts (Sequence[tuple[SegmentTable, np.ndarray, Callable[[int], str]]]): Tables, the rows of each that are
            shown, and what is wrong with a row.
        classes (Sequence[str]): Class names.
        locate (Locate | None): Film and box of a video and a time. Defaults to None: the video is the film, no box.
    """
    shown: list[tuple] = []
    for table, rows, what in parts:
        for row in rows.tolist():
            begin, end = table.segments_s[row].tolist()
            video = table.videos[table.video[row]]
            film, *box = locate(video, (begin + end) / 2) if locate is not None else (video,)
            score = '' if table.scores is None else f' {table.scores[row]:.3f}'
            inside = '' if film == video else f' in {video}'
            text = f'{what(row)}: {classes[table.labels[row]]}{score}, {begin:.1f} to {end:.1f} s{inside}'
            shown.append((film, (begin + end) / 2, *(box or [None] * 4), text))
    names = ('video', 'time_s', 'x1', 'y1', 'x2', 'y2', 'text')
    return {name: [row[place] for row in shown] for place, name in enumerate(names)}
