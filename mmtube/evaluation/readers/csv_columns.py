"""Csv files with a name in the first column and numbers behind it, by columns: millions of rows in seconds."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TextIO

import numpy as np

from mmtube.errors import InputError

CHUNK = 1 << 16  # lines held as text at a time


@dataclass(frozen=True, eq=False)
class Columns:
    """Rows of a csv.

    Args:
        path (str): The file, for messages.
        names (list[str]): Different names of the first column, in the order of the file.
        name (np.ndarray): (N,) int64 number in ``names``.
        values (np.ndarray): (N, K) float64 numbers behind the name; NaN where a column that may be absent is.
        lines (np.ndarray): (N,) int64 line in the file, from 1.
    """

    path: str
    names: list[str]
    name: np.ndarray
    values: np.ndarray
    lines: np.ndarray

    def __len__(self) -> int:
        return len(self.lines)

    def place(self, row: int) -> str:
        """Return where a row stands, for messages."""
        return f'line {self.lines[row]}'

    def refuse(self, wrong: np.ndarray, cause: str) -> None:
        """Raise an :class:`~mmtube.errors.InputError` that names the first row where ``wrong`` (N,) is true."""
        rows = np.flatnonzero(wrong)
        if len(rows):
            more = f' (and {len(rows) - 1} more)' if len(rows) > 1 else ''
            raise InputError(f'{self.path}: {self.place(int(rows[0]))}: {cause}{more}')


def read_columns(
    path: str | os.PathLike, layout: str, *, optional: int = 0, further: bool = False, bare: int | None = None
) -> Columns:
    """Read a csv. Empty lines and lines in front that begin with ``#`` are passed over.

    Args:
        path (str | os.PathLike): File to read, UTF-8.
        layout (str): Names of the columns with commas, the name's too; told to the user whose row is of another form.
        optional (int): How many of the last columns may be absent or empty; they are NaN then. Defaults to 0.
        further (bool): Whether rows may have more columns, which are passed over. Defaults to False.
        bare (int | None): Rows in which nothing stands after so many numbers are left out, such as AVA's key times
            without people. Defaults to None, there are no such rows.

    Raises:
        InputError: If the file is missing or not text, or a row has too few or too many columns or something that is
            no number: the file and the line.
    """
    width = layout.count(',')
    index: dict[str, int] = {}
    parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    try:
        with open(path, encoding='utf-8-sig', newline='') as stream:
            for lines, rows in _chunks(stream):
                split = [_split(row) if '"' in row else row.partition(',') for row in rows]
                rest = [numbers for _, _, numbers in split]
                values = _fast(rest, width, optional, further)
                keep = np.ones(len(rows), bool)
                if values is None:
                    values, keep = _slow(path, lines, rest, layout, optional, further, bare)
                    split = [split[row] for row in np.flatnonzero(keep)]
                name = [index.setdefault(name.strip(), len(index)) for name, _, _ in split]
                parts.append((np.array(name, np.int64), values, lines[keep]))
    except UnicodeDecodeError:
        raise InputError(f'{path}: is not a UTF-8 text file') from None
    except OSError as error:
        raise InputError(f'{path}: cannot be read ({error.strerror or error})') from None
    if not parts:
        none = np.zeros(0, np.int64)
        return Columns(str(path), [], none, np.zeros((0, width)), none)
    name, values, lines = (np.concatenate(column) for column in zip(*parts))
    return Columns(str(path), list(index), name, values, lines)


def _chunks(stream: TextIO) -> Iterator[tuple[np.ndarray, list[str]]]:
    """Yield the numbers and texts of lines that hold something."""
    first, begun = 1, False
    while chunk := list(islice(stream, CHUNK)):
        keep = [not line.isspace() for line in chunk]
        if not begun:
            for place in range(len(chunk)):
                keep[place] = keep[place] and not chunk[place].lstrip().startswith('#')
                begun = begun or keep[place]
                if begun:
                    break
        rows = chunk if all(keep) else [line for line, kept in zip(chunk, keep) if kept]
        if rows:
            yield first + np.flatnonzero(keep), rows
        first += len(chunk)


def _split(row: str) -> tuple[str, str, str]:
    """As ``row.partition(',')``, where the name stands in quotation marks."""
    name, *numbers = next(csv.reader([row]))
    return name, ',', ','.join(numbers)


def _fast(rest: list[str], width: int, optional: int, further: bool) -> np.ndarray | None:
    """Return the numbers where all rows are of one form, else None."""
    commas = {row.count(',') for row in rest}
    found = commas.pop() + 1
    if commas or found < width - optional or (found > width and not further):
        return None
    try:
        values = np.loadtxt(rest, delimiter=',', usecols=range(min(found, width)), ndmin=2, comments=None)
    except ValueError:
        return None
    return np.pad(values, ((0, 0), (0, width - values.shape[1])), constant_values=np.nan)


def _slow(
    path: str | os.PathLike,
    lines: np.ndarray,
    rest: list[str],
    layout: str,
    optional: int,
    further: bool,
    bare: int | None,
) -> tuple[np.ndarray, np.ndarray]:
    width = layout.count(',')
    keep = np.ones(len(rest), bool)
    values = np.full((len(rest), width), np.nan)
    for number, row in enumerate(rest):
        cells = [cell.strip() for cell in row.split(',')]
        if bare is not None and not any(cells[bare:]):
            cells, least = cells[:bare], bare
            keep[number] = False
        else:
            least = width - optional
        if len(cells) < least or (len(cells) > width and not further):
            raise InputError(f'{path}: line {lines[number]}: has {len(cells) + 1} columns, needed are {layout}')
        for column, cell in enumerate(cells[:width]):
            if column >= least and not cell:
                continue
            try:
                values[number, column] = float(cell)
            except ValueError:
                name = layout.split(',')[column + 1].strip('[]')
                raise InputError(f'{path}: line {lines[number]}: {name} is no number: {cell[:40]!r}') from None
    return values[keep], keep


def is_number(text: str) -> bool:
    """Return whether a text can be read as a float."""
    try:
        float(text)
    except ValueError:
        return False
    return True
