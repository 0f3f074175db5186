"""Millions of boxes beside an annotation file, mapped into memory and not read until they are looked at.

SEAL has 8.8 million boxes in 19,050 tubelets. The file is an uncompressed npz of six flat columns: ``frames`` (N,)
int32, ``xyxy`` (N, 4) float32, ``score`` (N,) float16, ``flags`` (N,) uint8, and the index ``keys`` (K,) str and
``offsets`` (K + 1,) int64: rows ``offsets[k]`` to ``offsets[k + 1]`` belong to ``keys[k]``. One member for each key
and column would be 76,200 zip members, which take seconds to list.
"""

from __future__ import annotations

import io
import os
import struct
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mmtube.errors import InputError
from mmtube.fileio import atomic_path

INTERPOLATED, EDITED, HEAD_VISIBLE = 1, 2, 4
COLUMNS = {'frames': (np.int32, 1), 'xyxy': (np.float32, 2), 'score': (np.float16, 1), 'flags': (np.uint8, 1)}
ALIGNMENT = 64
LOCAL_HEADER = struct.Struct('<4s5H3L2H')  # of the zip format
PADDING_ID = 0x6D74  # of the extra field that moves the data to a multiple of ALIGNMENT


class BoxTrack(NamedTuple):
    """The boxes of one key.

    Args:
        frame_inds (np.ndarray): (N,) int32 frame indices.
        boxes_px (np.ndarray): (N, 4) float32 xyxy in pixels, half open.
        scores (np.ndarray): (N,) float16.
        flags (np.ndarray): (N,) uint8, the sum of ``INTERPOLATED`` (1), ``EDITED`` (2) and ``HEAD_VISIBLE`` (4).
    """

    frame_inds: np.ndarray
    boxes_px: np.ndarray
    scores: np.ndarray
    flags: np.ndarray


@dataclass(eq=False)
class BoxTable:
    """Boxes by key; the columns may be mapped from a file.

    Args:
        keys (np.ndarray): (K,) str, no two alike.
        offsets (np.ndarray): (K + 1,) int64 rows where each key begins, and N.
        frame_inds (np.ndarray): (N,) int32.
        boxes_px (np.ndarray): (N, 4) float32 xyxy in pixels, half open.
        scores (np.ndarray): (N,) float16.
        flags (np.ndarray): (N,) uint8.

    Raises:
        ValueError: If the columns do not fit together or a key stands twice.

    Examples:
        >>> table = BoxTable.from_tracks({'t1': ([0, 1], [[0, 0, 4, 8], [1, 0, 5, 8]], [1, 1], [0, 0])})
        >>> len(table), table['t1'].frame_inds.tolist()
        (2, [0, 1])
    """

    keys: np.ndarray
    offsets: np.ndarray
    frame_inds: np.ndarray
    boxes_px: np.ndarray
    scores: np.ndarray
    flags: np.ndarray

    def __post_init__(self) -> None:
        rows = len(self.frame_inds)
        if self.boxes_px.shape != (rows, 4) or self.scores.shape != (rows,) or self.flags.shape != (rows,):
            raise ValueError('columns of a box table must have one length')
        if len(self.offsets) != len(self.keys) + 1 or self.offsets[0] != 0 or self.offsets[-1] != rows:
            raise ValueError('offsets must begin at 0, end at the number of boxes and have one entry more than keys')
        if (np.diff(self.offsets) < 0).any():
            raise ValueError('offsets must not decrease')
        self._index = {key: number for number, key in enumerate(self.keys.tolist())}
        if len(self._index) != len(self.keys):
            names, counts = np.unique(self.keys, return_counts=True)
            raise ValueError(f'key {str(names[counts > 1][0])!r} stands twice')

    def __len__(self) -> int:
        return len(self.frame_inds)

    def __contains__(self, key: str) -> bool:
        return key in self._index

    def __iter__(self) -> Iterator[str]:
        return iter(self._index)

    def rows(self, key: str) -> slice:
        """Return the rows of a key.

        Raises:
            KeyError: If there is no such key.
        """
        number = self._index[key]
        return slice(int(self.offsets[number]), int(self.offsets[number + 1]))

    def __getitem__(self, key: str) -> BoxTrack:
        rows = self.rows(key)
        return BoxTrack(self.frame_inds[rows], self.boxes_px[rows], self.scores[rows], self.flags[rows])

    @classmethod
    def from_tracks(cls, tracks: Mapping[str, tuple]) -> BoxTable:
        """Make a table from ``{key: (frame_inds, boxes_px, scores, flags)}``, in the order of the mapping."""
        by_key = {key: BoxTrack(*track) for key, track in tracks.items()}
        lengths = [len(track.frame_inds) for track in by_key.values()]

        def column(name: str, dtype: type, *width: int) -> np.ndarray:
            parts: list[np.ndarray] = [
                np.asarray(getattr(track, name), dtype).reshape(-1, *width) for track in by_key.values()
            ]
            return np.concatenate([np.zeros((0, *width), dtype), *parts])

        return cls(
            np.array(list(by_key), str),
            np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]),
            column('frame_inds', np.int32),
            column('boxes_px', np.float32, 4),
            column('scores', np.float16),
            column('flags', np.uint8),
        )


def write_box_table(table: BoxTable, path: str | os.PathLike) -> None:
    """Write a table; equal tables give equal bytes.

    Raises:
        InputError: If the file cannot be written.
    """
    columns = {
        'keys': np.asarray(table.keys, str),
        'offsets': np.asarray(table.offsets, np.int64),
        'frames': np.asarray(table.frame_inds, np.int32),
        'xyxy': np.asarray(table.boxes_px, np.float32),
        'score': np.asarray(table.scores, np.float16),
        'flags': np.asarray(table.flags, np.uint8),
    }
    with atomic_path(path) as temporary, zipfile.ZipFile(temporary, 'w', zipfile.ZIP_STORED) as archive:
        assert archive.fp is not None
        for name, column in columns.items():
            member = zipfile.ZipInfo(f'{name}.npy')  # dated 1980, whenever it is written
            member.file_size = column.nbytes + 4096
            begins = archive.fp.tell() + LOCAL_HEADER.size + len(member.filename) + 4
            padding = -begins % ALIGNMENT  # numpy aligns the data within a member, this aligns the member
            member.extra = struct.pack('<2H', PADDING_ID, padding) + bytes(padding)
            with archive.open(member, 'w', force_zip64=False) as stream:
                np.lib.format.write_array(stream, np.ascontiguousarray(column), version=(1, 0), allow_pickle=False)


def read_box_table(path: str | os.PathLike) -> BoxTable:
    """Open a table; boxes are read from the file when they are used.

    A compressed npz is read into memory.

    Raises:
        InputError: If the file is missing, cut off, no npz, or lacks a column or has one of another type or length.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            columns = {member.filename: _column(archive, member, path) for member in archive.infolist()}
    except OSError as error:
        raise InputError(f'{path}: cannot be read ({error.strerror or error})') from None
    except Exception as error:  # a damaged zip raises nearly anything
        raise InputError(f'{path}: is not an npz of boxes, or is cut off ({error})') from None
    for name in ('keys', 'offsets', *COLUMNS):
        if f'{name}.npy' not in columns:
            raise InputError(f'{path}: has no column {name!r}')
    found = {name.removesuffix('.npy'): column for name, column in columns.items()}
    for name, (dtype, ndim) in COLUMNS.items():
        if found[name].dtype != dtype or found[name].ndim != ndim:
            raise InputError(f'{path}: column {name!r} must be {np.dtype(dtype)}, not {found[name].dtype}')
    if found['keys'].dtype.kind != 'U' or found['offsets'].dtype != np.int64 or found['keys'].ndim != 1:
        raise InputError(f'{path}: keys must be text and offsets int64, in one row each')
    try:
        return BoxTable(found['keys'], found['offsets'], found['frames'], found['xyxy'], found['score'], found['flags'])
    except ValueError as error:
        raise InputError(f'{path}: {error}') from None


def _column(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: str | os.PathLike) -> np.ndarray:
    if member.compress_type != zipfile.ZIP_STORED or member.filename in ('keys.npy', 'offsets.npy'):
        return np.load(io.BytesIO(archive.read(member)), allow_pickle=False)
    with archive.open(member) as stream:
        version = np.lib.format.read_magic(stream)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = read_header(stream)
        header_size = stream.tell()
    if dtype.hasobject:
        raise ValueError(f'column {member.filename} is of a type that is not read')
    if not np.prod(shape):
        return np.zeros(shape, dtype)
    if fortran:  # np.savez keeps the order in memory, and that of xyxy[:, [1, 0, 3, 2]] is by columns
        return np.load(io.BytesIO(archive.read(member)), allow_pickle=False)
    with open(path, 'rb') as raw:
        raw.seek(member.header_offset)
        header = LOCAL_HEADER.unpack(raw.read(LOCAL_HEADER.size))
    begins = member.header_offset + LOCAL_HEADER.size + header[-2] + header[-1] + header_size
    return np.memmap(path, dtype, 'r', begins, shape).view(np.ndarray)
