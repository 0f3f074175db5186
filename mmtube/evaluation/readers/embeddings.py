"""What re-identification reads: the list of images or tracklets, and features by name."""

from __future__ import annotations

import csv
import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmtube.errors import InputError
from mmtube.fileio import read_text

ROLES = ('query', 'gallery')
COLUMNS = ('name', 'id', 'camera', 'role')
ARRAYS = {'name': 'names', 'id': 'ids', 'camera': 'cameras', 'role': 'roles', 'tracklet': 'tracklets'}


@dataclass(frozen=True, eq=False)
class Gallery:
    """Images or tracklets to be found and to find.

    Args:
        names (np.ndarray): (N,) str, no two alike within one role.
        ids (np.ndarray): (N,) int64 person: -1 is junk, 0 a distractor.
        cameras (np.ndarray): (N,) int64.
        queries (np.ndarray): (N,) bool, True for a query and False for an entry of the gallery.
        tracklets (np.ndarray | None): (N,) str tracklet of each image. Defaults to None.
        name (str): Source, for messages. Defaults to 'list'.
    """

    names: np.ndarray
    ids: np.ndarray
    cameras: np.ndarray
    queries: np.ndarray
    tracklets: np.ndarray | None = None
    name: str = 'list'

    def __len__(self) -> int:
        return len(self.names)

    def refuse(self, wrong: np.ndarray, cause: str) -> None:
        """Raise an :class:`~mmtube.errors.InputError` that names the first row where ``wrong`` (N,) is true."""
        rows = np.flatnonzero(wrong)
        if len(rows):
            more = f' (and {len(rows) - 1} more)' if len(rows) > 1 else ''
            raise InputError(f'{self.name}: row {rows[0] + 1} ({self.names[rows[0]]}): {cause}{more}')

    def check(self) -> None:
        """See that the list can be scored.

        Raises:
            InputError: If there is no query or no gallery, a name stands twice in one role, an ID is below -1, or a
                query has the ID of junk or of distractors.
        """
        for role, present in zip(ROLES, (self.queries.any(), (~self.queries).any())):
            if not present:
                raise InputError(f'{self.name}: has no row with the role {role!r}, there is nothing to score')
        _, row, of_row = np.unique(
            np.char.add(np.where(self.queries, 'q', 'g'), self.names), return_index=True, return_inverse=True
        )
        self.refuse(row[of_row] != np.arange(len(self)), 'the name stands there before in this role')
        self.refuse(self.ids < -1, 'the ID is below -1')
        self.refuse(self.queries & (self.ids <= 0), 'a query cannot be junk (ID -1) or a distractor (ID 0)')

    def rows(self, keep: np.ndarray) -> Gallery:
        """Return some rows."""
        tracklets = None if self.tracklets is None else self.tracklets[keep]
        columns = (self.names[keep], self.ids[keep], self.cameras[keep], self.queries[keep])
        return Gallery(*columns, tracklets, self.name)


def read_gallery(path: str | os.PathLike) -> Gallery:
    """Read a list: csv with the header ``name,id,camera,role[,tracklet]``, or npz with arrays ``names``, ``ids``,
    ``cameras``, ``roles`` and, if need be, ``tracklets``. A role is ``query`` or ``gallery``.

    Raises:
        InputError: If the file cannot be used.
    """
    columns = _npz_columns(path) if Path(path).suffix == '.npz' else _csv_columns(path)
    for key in ('id', 'camera'):
        columns[key] = _whole(path, columns[key], key)
    roles = columns['role']
    wrong = np.flatnonzero(~np.isin(roles, ROLES))
    if len(wrong):
        raise InputError(f'{path}: row {wrong[0] + 1}: the role is {str(roles[wrong[0]])!r}, not query or gallery')
    gallery = Gallery(
        columns['name'], columns['id'], columns['camera'], roles == 'query', columns.get('tracklet'), str(path)
    )
    gallery.check()
    return gallery


def _csv_columns(path: str | os.PathLike) -> dict[str, np.ndarray]:
    try:
        rows = [row for row in csv.reader(io.StringIO(read_text(path).removeprefix('\ufeff'))) if row]
    except csv.Error as error:
        raise InputError(f'{path}: is no csv ({error})') from None
    header = [cell.strip() for cell in rows[0]] if rows else []
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise InputError(f'{path}: the first line must name the columns {",".join(COLUMNS)}; {missing[0]} is missing')
    for number, row in enumerate(rows[1:], 1):
        if len(row) != len(header):
            raise InputError(f'{path}: row {number}: has {len(row)} columns, the first line names {len(header)}')
    wanted = [name for name in ARRAYS if name in header]
    return {name: np.array([row[header.index(name)].strip() for row in rows[1:]], str).reshape(-1) for name in wanted}


def _load(path: str | os.PathLike) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except OSError as error:
        raise InputError(f'{path}: cannot be read ({error.strerror or error})') from None
    except Exception as error:  # a damaged zip raises nearly anything
        raise InputError(f'{path}: is no npz of plain arrays, or is cut off ({" ".join(str(error).split())})') from None


def _npz_columns(path: str | os.PathLike) -> dict[str, np.ndarray]:
    arrays = _load(path)
    columns = {name: np.asarray(arrays[array]) for name, array in ARRAYS.items() if array in arrays}
    for name in COLUMNS:
        if name not in columns:
            raise InputError(f'{path}: has no array {ARRAYS[name]!r}')
    rows = len(np.atleast_1d(columns['name']))
    for name, column in columns.items():
        if column.shape != (rows,):
            raise InputError(f'{path}: {ARRAYS[name]} must have shape ({rows},) like the names, not {column.shape}')
    return {name: column if name in ('id', 'camera') else column.astype(str) for name, column in columns.items()}


def _whole(path: str | os.PathLike, column: np.ndarray, name: str) -> np.ndarray:
    try:
        numbers = column.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        row = next(row for row in range(len(column)) if not _is_number(column[row]))
        raise InputError(f'{path}: row {row + 1}: {name} is no number: {str(column[row])[:40]!r}') from None
    # Beyond 2^53 neighbours are one float.
    wrong = np.flatnonzero(~((np.abs(numbers) < 2.0**53) & (numbers == np.floor(numbers))))
    if len(wrong):
        cell = str(column[wrong[0]])[:40]
        raise InputError(f'{path}: row {wrong[0] + 1}: {name} is no whole number below 2^53: {cell!r}')
    return numbers.astype(np.int64)


def _is_number(cell: Any) -> bool:
    try:
        np.asarray(cell).astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        return False
    return True


def read_embeddings(path: str | os.PathLike) -> tuple[np.ndarray, np.ndarray]:
    """Read features: npz with ``names`` (N,) and ``features`` (N, D).

    Returns:
        tuple: (N,) str names, (N, D) float features. N may be 0.

    Raises:
        InputError: If the file cannot be used, a name stands twice with other features, or a feature is not finite.
    """
    arrays = _load(path)
    for name in ('names', 'features'):
        if name not in arrays:
            raise InputError(f'{path}: has no array {name!r}')
    names, features = np.atleast_1d(arrays['names']).astype(str), arrays['features']
    if features.dtype.kind not in 'fiu' or features.shape[:1] != names.shape or (len(names) and features.ndim != 2):
        raise InputError(f'{path}: features must be numbers of shape ({len(names)}, D), not {features.shape}')
    features = features.reshape(len(names), -1 if len(names) else 0)
    if len(names) and not features.shape[1]:
        raise InputError(f'{path}: features have no column')
    wrong = np.flatnonzero(~np.isfinite(features).all(axis=1))
    if len(wrong):
        raise InputError(f'{path}: row {wrong[0] + 1} ({names[wrong[0]]}): the feature is not finite')
    unique, row, of_row = np.unique(names, return_index=True, return_inverse=True)
    again = np.flatnonzero((features[row[of_row]] != features).any(axis=1)) if len(names) else []
    if len(again):
        raise InputError(f'{path}: row {again[0] + 1}: {names[again[0]]} stands there before with another feature')
    return unique, features[row]
