"""Predictions of many films in AVA's csv, box by box with the scores of all classes."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np

from .ava_csv import FOUND, LARGEST, TIME_STEPS
from .csv_columns import read_columns


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
    rows = read_columns(path, FOUND, further=True)
    values = rows.values
    labels = values[:, 5] - first_id
    rows.refuse(~np.isfinite(values).all(axis=1), 'a value is not a finite number')
    rows.refuse(~((values[:, 6] >= 0) & (values[:, 6] <= 1)), 'the score is outside [0, 1]')
    unknown = f'the action is none of {first_id} to {first_id + num_classes - 1}'
    rows.refuse(~((labels >= 0) & (labels < num_classes)), unknown)
    rows.refuse(labels != np.floor(labels), 'the action is no whole number')
    rows.refuse(~(values[:, 3:5] > values[:, 1:3]).all(axis=1), 'the box has no area')
    rows.refuse((np.abs(values[:, 1:5]) > LARGEST).any(axis=1), 'the box is not in fractions of the frame')
    keys = np.column_stack([rows.name, np.rint(values[:, 0] * TIME_STEPS), values[:, 1:5]])
    keys, inverse = np.unique(keys, axis=0, return_inverse=True)
    scores = np.zeros((len(keys), num_classes), np.float32)
    np.maximum.at(scores, (inverse.reshape(-1), labels.astype(np.int64)), values[:, 6].astype(np.float32))
    return AVAPredictions(rows.names, keys[:, 0].astype(np.int64), keys[:, 1] / TIME_STEPS, keys[:, 2:], scores)
