"""The csv of AVA: who does what at a key time, one action in a row."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np

from mmtube.errors import InputError
from mmtube.fileio import read_text

EDGE = 0.01  # AVA's own boxes exceed the frame by rounding


@dataclass(eq=False)
class AVATable:
    """Rows of a csv.

    Args:
        lines (np.ndarray): (R,) int64 line in the file, from 1.
        vids (np.ndarray): (R,) str film.
        timestamps (np.ndarray): (R,) float64.
        boxes (np.ndarray): (R, 4) float32 xyxy as fractions of the frame.
        labels (np.ndarray): (R,) int64 as in the file.
        person_ids (np.ndarray): (R,) int64, -1 where the file has none.
    """

    lines: np.ndarray
    vids: np.ndarray
    timestamps: np.ndarray
    boxes: np.ndarray
    labels: np.ndarray
    person_ids: np.ndarray

    def __len__(self) -> int:
        return len(self.lines)

    def rows(self, keep: np.ndarray) -> AVATable:
        """Return the rows that ``keep`` (mask or indices) selects."""
        columns = (self.lines, self.vids, self.timestamps, self.boxes, self.labels, self.person_ids)
        return AVATable(*(column[keep] for column in columns))


def read_ava_table(path: str | os.PathLike) -> AVATable:
    """Read ``video,timestamp,x1,y1,x2,y2,action[,person]``.

    Rows that end after the timestamp, a key time without people, and empty lines are left out.

    Raises:
        InputError: If the file cannot be read, or a row has another number of columns, something that is no number,
            boxes in pixels, or a box without area: one line that names the row.
    """
    fields = [line.split(',') for line in read_text(path).removeprefix('\ufeff').splitlines()]
    numbered = [(number, row) for number, row in enumerate(fields, 1) if any(cell.strip() for cell in row[2:])]
    for number, row in numbered:
        if len(row) not in (7, 8):
            told = 'video,timestamp,x1,y1,x2,y2,action[,person]'
            raise InputError(f'{path}:{number}: has {len(row)} columns, needed are {told}')
    lines = np.array([number for number, _ in numbered], np.int64)
    vids = np.array([row[0].strip() for _, row in numbered], str)
    cells = [[*row[1:], *(['-1'] * (8 - len(row)))] for _, row in numbered]
    try:
        numbers = np.array(cells, np.float64).reshape(-1, 7)
    except ValueError:
        numbers = np.array([_numbers(path, number, row) for (number, _), row in zip(numbered, cells)]).reshape(-1, 7)
    boxes = numbers[:, 1:5]

    def refuse(wrong: np.ndarray, cause: str) -> None:
        if wrong.any():
            row = int(np.argmax(wrong))
            raise InputError(f'{path}:{lines[row]}: {cause.format(*cells[row])}')

    refuse(~np.isfinite(numbers).all(axis=1), 'a number is not finite')
    box = 'box {1},{2},{3},{4}'
    refuse((boxes > 1 + EDGE).any(axis=1), f'{box} is in pixels, fractions of the frame (0 to 1) are needed')
    refuse((boxes < -EDGE).any(axis=1), f'{box} is outside of the frame')
    refuse((boxes[:, 2:] <= boxes[:, :2]).any(axis=1), f'{box} has no area, needed are x1,y1,x2,y2')
    refuse(numbers[:, 5] != np.floor(numbers[:, 5]), 'action {5} is no whole number')
    return AVATable(
        lines,
        vids,
        numbers[:, 0],
        boxes.astype(np.float32),
        numbers[:, 5].astype(np.int64),
        numbers[:, 6].astype(np.int64),
    )


def _numbers(path: str | os.PathLike, number: int, row: list[str]) -> list[float]:
    try:
        return [float(cell) if cell.strip() else -1.0 for cell in row]  # an empty person ID is none
    except ValueError as error:
        raise InputError(f'{path}:{number}: {error}') from None


def read_excluded(path: str | os.PathLike) -> set[tuple[str, float]]:
    """Read ``video,timestamp`` rows of key times that do not count.

    Raises:
        InputError: If the file cannot be read or a row is of another form.
    """
    found = set()
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if not line.strip():
            continue
        vid, _, timestamp = line.strip().partition(',')
        try:
            found.add((vid, float(timestamp)))
        except ValueError:
            raise InputError(f'{path}:{number}: {line!r} is not video,timestamp') from None
    return found
