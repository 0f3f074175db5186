"""Ground truth and detections in AVA's csv, as tables of boxes at key times."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mmtube.errors import InputError
from mmtube.evaluation.tables import LARGEST as LARGEST_TIME
from mmtube.evaluation.tables import BoxTable
from mmtube.structures.label_files import read_label_file, read_label_types
from mmtube.structures.seal import read_label_map

from .csv_columns import Columns, read_columns

TIME_STEPS = 1000  # key times are compared in milliseconds
MAX_ACTION = 100_000  # a higher action ID is a slip, not one of a larger label map
LARGEST = 2.0  # no box in fractions of the frame goes so far
TRUTH = 'video,timestamp,x1,y1,x2,y2,action_id,person_id'
FOUND = 'video,timestamp,x1,y1,x2,y2,action_id,score'
# The official names of AVA's groups, and classes by which a label map without types is known to be AVA's.
AVA_GROUPS = {'person_movement': (1, 14), 'object_manipulation': (15, 63), 'person_interaction': (64, 80)}
AVA_MARKS = {1: 'bend/bow', 14: 'walk', 15: 'answer phone', 63: 'write', 64: 'fight/hit', 80: 'watch'}


@dataclass(frozen=True)
class ActionLabels:
    """Classes and the action IDs that stand for them in a csv.

    Args:
        ids (tuple[int, ...]): Action ID of each class.
        names (tuple[str, ...]): Name of each class, no two alike.
        groups (Mapping[str, tuple[int, ...]]): Classes of each group. Defaults to none.
        path (str): Where they come from, for messages. Defaults to ''.
    """

    ids: tuple[int, ...]
    names: tuple[str, ...]
    groups: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    path: str = ''

    def __len__(self) -> int:
        return len(self.ids)


def read_action_labels(path: str | os.PathLike, first_id: int = 1) -> ActionLabels:
    """Read classes from AVA's pbtxt, lines ``12: walk``, a name per line, or a label map of ours (json).

    Groups are the ``label_type`` of a pbtxt, AVA's own three where the names are AVA's, or those of a label map.

    Args:
        path (str | os.PathLike): File to read.
        first_id (int): Action ID of the first class of files that give names only. Defaults to 1, as AVA counts.

    Raises:
        InputError: If the file cannot be read, has no class or an action ID stands twice.
    """
    if Path(path).suffix == '.json':
        label_map = read_label_map(path)
        groups = {name: tuple(range(*edges)) for name, edges in label_map.groups.items() if edges[0] < edges[1]}
        ids = tuple(range(first_id, first_id + len(label_map)))
        return ActionLabels(ids, label_map.names, groups, str(path))
    found = read_label_file(path, first_id)
    types = {label: kind.lower() for label, kind in read_label_types(path).items()}
    if not types and all(found.get(label, '').startswith(name) for label, name in AVA_MARKS.items()):
        types = {label: _ava_group(label) for label in found}
    kinds = [types.get(label) for label in found]
    by_kind = {
        kind: tuple(place for place, other in enumerate(kinds) if other == kind)
        for kind in sorted(set(types.values()))
        if kind in kinds
    }
    twice = Counter(found.values())
    names = tuple(f'{name} ({label})' if twice[name] > 1 else name for label, name in found.items())
    return ActionLabels(tuple(found), names, by_kind, str(path))


def _ava_group(label: int) -> str:
    return next((name for name, (first, last) in AVA_GROUPS.items() if first <= label <= last), 'other')


@dataclass(frozen=True, eq=False)
class AVAFiles:
    """What two csv of AVA say.

    Args:
        truth (BoxTable): Ground truth, boxes as fractions of the frame, frames in milliseconds.
        found (BoxTable): Detections.
        labels (ActionLabels): Classes.
        ignored_truth (int): Rows of the ground truth with an action that the labels do not have.
        ignored_found (int): Rows of the detections with such an action.
    """

    truth: BoxTable
    found: BoxTable
    labels: ActionLabels
    ignored_truth: int
    ignored_found: int


def read_ava_files(
    truth: str | os.PathLike, found: str | os.PathLike, labels: ActionLabels | None = None, first_id: int = 1
) -> AVAFiles:
    """Read ground truth (7 or 8 columns, the person last) and detections (8 columns, further ones are passed over).

    Rows of the ground truth that end after the timestamp, key times without people, are left out: they say nothing that
    is scored. Rows with an action that ``labels`` does not have are left out of both, as AVA's own script does.

    Args:
        truth (str | os.PathLike): Ground truth.
        found (str | os.PathLike): Detections.
        labels (ActionLabels | None): Classes. Defaults to None: the actions of the ground truth.
        first_id (int): Smallest action ID where ``labels`` is not given. Defaults to 1.

    Raises:
        InputError: If a file cannot be read, or a row has too few columns, something that is no number, an action that
            is no ID, a box in pixels or reversed, a score that is not finite, or ground truth stands there twice.
    """
    rows = read_ava_truth_rows(truth)
    if labels is None:
        ids = tuple(np.unique(rows.values[:, 5]).astype(int).tolist())
        labels = ActionLabels(ids, tuple(f'action {number}' for number in ids), path=str(truth))
        least = min(first_id, 1)
    else:
        least = _least(labels)
    truth_table, ignored_truth = _table(rows, labels, least, None)
    refuse_duplicates(truth_table, rows.values[:, 6][_known(rows, labels)])
    found_rows = read_columns(found, FOUND, further=True)
    found_table, ignored_found = _table(found_rows, labels, least, found_rows.values[:, 6])
    return AVAFiles(truth_table, found_table, labels, ignored_truth, ignored_found)


def read_ava_truth(path: str | os.PathLike, labels: ActionLabels) -> tuple[BoxTable, int]:
    """Read ground truth alone; see :func:`read_ava_files`.

    Returns:
        tuple[BoxTable, int]: The table and the number of rows with an action that ``labels`` does not have.
    """
    rows = read_ava_truth_rows(path)
    table, ignored = _table(rows, labels, _least(labels), None)
    refuse_duplicates(table, rows.values[:, 6][_known(rows, labels)])
    return table, ignored


def read_ava_truth_rows(path: str | os.PathLike) -> Columns:
    """Read the rows of ground truth that have a box; see :func:`read_ava_files`."""
    rows = read_columns(path, TRUTH, optional=1, bare=1)
    _refuse_actions(rows, 0)
    return rows


def _least(labels: ActionLabels) -> int:
    """0 is an action only where the labels count from 0; elsewhere it is a file that counts otherwise."""
    return min(*labels.ids, 1)


def _refuse_actions(rows: Columns, least: int) -> None:
    actions = rows.values[:, 5]
    rows.refuse(~np.isfinite(actions) | (actions != np.floor(actions)), 'the action is no whole number')
    rows.refuse((actions < least) | (actions > MAX_ACTION), f'the action is no ID from {least} to {MAX_ACTION}')


def _known(rows: Columns, labels: ActionLabels) -> np.ndarray:
    return np.isin(rows.values[:, 5], labels.ids)


def _table(rows: Columns, labels: ActionLabels, least: int, scores: np.ndarray | None) -> tuple[BoxTable, int]:
    values = rows.values
    _refuse_actions(rows, least)
    rows.refuse(~np.isfinite(values[:, 0]), 'the timestamp is not a finite number')
    rows.refuse(np.abs(values[:, 0]) > LARGEST_TIME, f'the timestamp is beyond {LARGEST_TIME:g} s')
    rows.refuse((np.abs(values[:, 1:5]) > LARGEST).any(axis=1), 'the box is not in fractions of the frame')
    known = _known(rows, labels)
    order = np.argsort(labels.ids)
    classes = order[np.searchsorted(np.array(labels.ids)[order], values[known, 5])]
    kept = np.flatnonzero(known)
    table = BoxTable(
        videos=rows.names,
        video=rows.name[known],
        labels=classes.astype(np.int64),
        scores=None if scores is None else scores[known],
        frames=np.rint(values[known, 0] * TIME_STEPS).astype(np.int64),
        boxes=values[known, 1:5],
        name=rows.path,
        place=lambda row: rows.place(int(kept[row])),
    )
    table.check(len(labels))
    return table, len(rows) - len(kept)


def refuse_duplicates(table: BoxTable, persons: np.ndarray) -> None:
    """Refuse ground truth that stands there twice: one film, key time, class, box and person.

    Args:
        table (BoxTable): Ground truth.
        persons (np.ndarray): (N,) person of each row, NaN where it is not told.
    """
    columns = np.array([table.video, table.frames, table.labels, *table.boxes.T, np.nan_to_num(persons, nan=-1)])
    order = np.lexsort(columns)
    same = (columns[:, order[1:]] == columns[:, order[:-1]]).all(axis=0)
    twice = np.zeros(len(table), bool)
    twice[order[1:][same]] = True
    table.refuse(twice, 'the ground truth of this row stands in an earlier one')


def excluded_rows(table: BoxTable, path: str | os.PathLike) -> np.ndarray:
    """Say which rows are at a key time that does not count.

    Args:
        table (BoxTable): Ground truth or detections.
        path (str | os.PathLike): ``video,timestamp`` rows.

    Returns:
        np.ndarray: (N,) bool.

    Raises:
        InputError: If the file cannot be read or a row is of another form.
    """
    rows = read_columns(path, 'video,timestamp')
    rows.refuse(~np.isfinite(rows.values[:, 0]), 'the timestamp is not a finite number')
    number = {name: place for place, name in enumerate(table.videos)}
    video = np.array([number.get(name, -1) for name in rows.names], np.int64)[rows.name]
    frames, inverse = np.unique(
        np.r_[table.frames, np.rint(rows.values[:, 0] * TIME_STEPS).astype(np.int64)], return_inverse=True
    )
    keys = np.r_[table.video, video] * len(frames) + inverse.reshape(-1)
    return np.isin(keys[: len(table)], keys[len(table) :][video >= 0])


def refuse_without_truth(files: AVAFiles) -> None:
    """Refuse ground truth of which every row has another action than the labels: the files do not belong together."""
    if not len(files.truth) and files.ignored_truth:
        raise InputError(
            f'{files.truth.name}: none of its {files.ignored_truth} rows has an action of {files.labels.path}'
        )
