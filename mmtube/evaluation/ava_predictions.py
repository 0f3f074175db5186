"""Predictions of many films in AVA's csv, read by columns: millions of rows in seconds."""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass

import numpy as np

from mmtube.errors import InputError

TIME_STEPS = 1000  # times are compared in milliseconds


@dataclass(frozen=True, eq=False)
class AVAPredictions:
    """Boxes with a score for each class.

    Args:
        vids (list[str]): Films.
        video (np.ndarray): (N,) int64 number in ``vids``.
        key_s (np.ndarray): (N,) float64 seconds.
        boxes (np.ndarray): (N, 4) float64 xyxy as fractions of the frame.
        scores (np.ndarray): (N, C) float32; 0 for a class without a row.
    """

    vids: list[str]
    video: np.ndarray
    key_s: np.ndarray
    boxes: np.ndarray
    scores: np.ndarray


def read_ava_predictions(path: str | os.PathLike, num_classes: int, *, first_id: int = 1) -> AVAPredictions:
    """Read ``video,timestamp,x1,y1,x2,y2,action_id,score`` rows; further columns are passed over.

    Args:
        path (str | os.PathLike): File to read.
        num_classes (int): Number of classes.
        first_id (int): Action ID of class 0. Defaults to 1.

    Returns:
        AVAPredictions: One entry for each box, in the order of film, time and box; of two rows with one box and class
        the higher score counts.

    Raises:
        InputError: If the file is missing or not text, or a row has too few columns, a value that is not a number or
            out of range, or an unknown action: the file and the line.
    """
    index: dict[str, int] = {}
    try:
        with open(path, encoding='utf-8', newline='') as stream:
            lines = stream.readlines()
    except UnicodeDecodeError:
        raise InputError(f'{path}: is not a UTF-8 text file') from None
    except OSError as error:
        raise InputError(f'{path}: cannot be read ({error.strerror or error})') from None
    rows = [line for line in lines if line.strip()]
    video = np.array([index.setdefault(_name(row), len(index)) for row in rows], np.int64)
    if not rows:
        return AVAPredictions([], video, np.zeros(0), np.zeros((0, 4)), np.zeros((0, num_classes), np.float32))
    try:
        values = np.loadtxt(rows, delimiter=',', usecols=range(1, 8), ndmin=2, comments=None, quotechar='"')
    except ValueError:
        nth = next(number for number, row in enumerate(rows) if not _has_numbers(row))
        raise _wrong(path, lines, nth, 'has no seven numbers after the film') from None
    labels = values[:, 5] - first_id
    broken = [
        ('a value is not a finite number', ~np.isfinite(values).all(axis=1)),
        ('the score is outside [0, 1]', ~((values[:, 6] >= 0) & (values[:, 6] <= 1))),
        (
            f'the action is none of {first_id} to {first_id + num_classes - 1}',
            ~((labels >= 0) & (labels < num_classes)),
        ),
        ('the action is no whole number', labels != np.floor(labels)),
        ('the box has no area', ~(values[:, 3:5] > values[:, 1:3]).all(axis=1)),
        ('the box is not in fractions of the frame', (np.abs(values[:, 1:5]) > 2).any(axis=1)),
    ]
    for cause, mask in broken:
        if mask.any():
            raise _wrong(path, lines, int(mask.argmax()), cause)
    keys = np.column_stack([video, np.rint(values[:, 0] * TIME_STEPS), values[:, 1:5]])
    keys, inverse = np.unique(keys, axis=0, return_inverse=True)
    scores = np.zeros((len(keys), num_classes), np.float32)
    np.maximum.at(scores, (inverse.reshape(-1), labels.astype(np.int64)), values[:, 6].astype(np.float32))
    return AVAPredictions(list(index), keys[:, 0].astype(np.int64), keys[:, 1] / TIME_STEPS, keys[:, 2:], scores)


def _has_numbers(row: str) -> bool:
    fields = next(csv.reader([row]))[1:8]
    try:
        return len([float(field) for field in fields]) == 7
    except ValueError:
        return False


def _wrong(path: str | os.PathLike, lines: list[str], nth: int, cause: str) -> InputError:
    """Return the error of the nth row that is not blank."""
    line = [number for number, line in enumerate(lines) if line.strip()][nth]
    return InputError(f'{path}:{line + 1}: {cause}: {lines[line].strip()[:80]}')


def _name(row: str) -> str:
    return next(csv.reader([row]))[0] if row.startswith('"') else row.partition(',')[0]
