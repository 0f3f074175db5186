"""Feature files of whole videos as others publish them, and the times of their rows.

An npy, csv or pt holds rows and says nothing of their times: a :class:`VideoStream` does. An npz is one of ours
(:mod:`~mmtube.structures.io.features_npz`) and says what made it.
"""

from __future__ import annotations

import os
import pickle
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mmtube.errors import InputError

from .features_npz import FeatureMeta, read_features_npz

SUFFIXES = ('.npy', '.npz', '.csv', '.pt')


class VideoRows(NamedTuple):
    """Rows of one video; row ``i`` is at ``offset_s + i / rate`` seconds.

    Args:
        features (np.ndarray): (T, C) float32.
        valid (np.ndarray): (T,) bool.
        offset_s (float): Time of the centre of row 0 in seconds.
        rate (float): Rows per second.
    """

    features: np.ndarray
    valid: np.ndarray
    offset_s: float
    rate: float


class VideoStream:
    """A folder with one file of features for each video, and the times of their rows.

    Rows of an npy, csv or pt are either windows of ``window`` frames every ``stride`` frames at ``fps``, the first at
    the beginning, so that row ``i`` is at ``(i * stride + window / 2) / fps`` seconds; or, ``rescaled``, equal parts
    of the video, as the 100 rows of ActivityNet's csv files are. An npz tells its own times: what is given of ``fps``,
    ``window``, ``stride``, ``dim`` and ``demanded`` it must have been made with.

    Args:
        folder (str | os.PathLike): The folder.
        file (str): Name of a file, where ``{vid}`` is the video: ``'v_{vid}.npy'``; npy, npz, csv or pt. Defaults to
            '{vid}.npy'.
        dim (int | None): Numbers of a row. Defaults to None, any.
        fps (float | None): Frames per second that the video was resampled to. Defaults to None: its own rate, as the
            annotations tell it.
        window (int | None): Frames of a window. Defaults to None, as many as ``stride``.
        stride (int | None): Frames from window to window. Defaults to None.
        offset_s (float | None): Time of the centre of row 0. Defaults to None, the middle of the first window.
        rescaled (bool): Whether the rows are equal parts of the video. Defaults to False.
        channels_first (bool): Whether a file holds C x T instead of T x C numbers. Defaults to False.
        demanded (Any): ``stream``, ``checkpoint`` and the other meta data that an npz must have.

    Raises:
        ValueError: If these do not fit together.

    Examples:
        >>> VideoStream('tsp', 'v_{vid}.npy', fps=15, window=16, stride=16).path('abc').as_posix()
        'tsp/v_abc.npy'
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        file: str = '{vid}.npy',
        dim: int | None = None,
        fps: float | None = None,
        window: int | None = None,
        stride: int | None = None,
        offset_s: float | None = None,
        rescaled: bool = False,
        channels_first: bool = False,
        **demanded: Any,
    ) -> None:
        self.folder, self.file, self.suffix = Path(folder), file, Path(file).suffix
        if '{vid}' not in file or self.suffix not in SUFFIXES:
            raise ValueError(f"file must have '{{vid}}' in it and end in one of {', '.join(SUFFIXES)}, got {file!r}")
        if any(value is not None and value <= 0 for value in (dim, fps, window, stride)):
            raise ValueError(f'dim, fps, window and stride must be positive: {dim}, {fps}, {window}, {stride}')
        grid = {'fps': fps, 'window': window, 'stride': stride}
        grid = {name: value for name, value in grid.items() if value is not None}
        if self.suffix == '.npz':
            self.demanded = {**grid, **demanded} | ({} if dim is None else {'dim': dim})
            known = {field.name for field in fields(FeatureMeta)}
            if rescaled or channels_first or offset_s is not None or set(demanded) - known:
                raise ValueError(f'{file}: an npz tells its times itself, and of its making {", ".join(sorted(known))}')
        elif demanded:
            raise ValueError(f'{file}: only an npz tells its {", ".join(demanded)}')
        elif rescaled and (grid or offset_s is not None):
            raise ValueError(f'{file}: rescaled rows have no fps, window, stride or offset_s')
        elif not rescaled and stride is None:
            raise ValueError(f'{file}: the times of its rows are not known, give stride, or rescaled=True')
        self.dim, self.fps, self.stride, self.window = dim, fps, stride, window or stride
        self.offset_s, self.rescaled, self.channels_first = offset_s, rescaled, channels_first

    def path(self, vid: str) -> Path:
        """Return the file of a video."""
        return self.folder / self.file.replace('{vid}', vid)

    def num_rows(self, vid: str) -> int:
        """Return the number of rows of a video; only csv and pt are read for it.

        Raises:
            InputError: If the file cannot be used.
        """
        path = self.path(vid)
        if self.suffix == '.npz':
            return read_features_npz(path, self.demanded).num_rows(path.stem)
        return len(self._rows(path))

    def read(self, vid: str, fps: float = np.nan, covered_s: float = np.nan) -> VideoRows:
        """Read the rows of a video.

        Args:
            vid (str): The video.
            fps (float): Its own frames per second, for a stream that has no ``fps``. Defaults to NaN, not known.
            covered_s (float): Seconds that rescaled rows cover. Defaults to NaN, not known.

        Raises:
            InputError: If the file cannot be used, or a time that is needed is not known; one line that names the
                file, and the row where there is one.
        """
        path = self.path(vid)
        if self.suffix == '.npz':
            file = read_features_npz(path, self.demanded)
            found = file[path.stem]
            rows = VideoRows(found.features.astype(np.float32), found.valid, found.offset_s, file.meta.grid.rate)
        else:
            with np.errstate(over='ignore'):
                features = np.ascontiguousarray(self._rows(path), np.float32)
            bad = np.flatnonzero(~np.isfinite(features).all(1))
            if len(bad):
                raise InputError(f'{path}: row {bad[0]} has a number that is not finite as float32')
            rows = VideoRows(features, np.ones(len(features), bool), *self._times(path, len(features), fps, covered_s))
        if not len(rows.features):
            raise InputError(f'{path}: has no rows')
        return rows

    def _times(self, path: Path, count: int, fps: float, covered_s: float) -> tuple[float, float]:
        """Time of row 0 and rows per second."""
        if self.rescaled:
            if not covered_s > 0:
                raise InputError(f'{path}: its rows are parts of the video, but how long that is is not known')
            return covered_s / max(count, 1) / 2, count / covered_s
        fps = fps if self.fps is None else self.fps
        if not fps > 0:
            raise InputError(f'{path}: neither the config nor the annotations tell the frames per second of its video')
        assert self.stride is not None and self.window is not None
        return self.window / 2 / fps if self.offset_s is None else self.offset_s, fps / self.stride

    def _rows(self, path: Path) -> np.ndarray:
        """(T, C) numbers of any kind; of an npy only the header is read."""
        values = read_array(path)
        if values.ndim != 2:
            raise InputError(f'{path}: must be rows of numbers, its shape is {values.shape}')
        if self.channels_first:
            values = values.T
        if self.dim not in (None, values.shape[1]):
            turned = f', channels_first={not self.channels_first} would turn it' if self.dim == len(values) else ''
            told = f'{len(values)} rows of {values.shape[1]} numbers, the config demands {self.dim}{turned}'
            raise InputError(f'{path}: has {told}')
        return values


def read_array(path: str | os.PathLike) -> np.ndarray:
    """Read the numbers of an npy, csv or pt; an npy is mapped, not read.

    A csv may begin with a line of names. A pt holds one tensor, and nothing in it is run.

    Raises:
        InputError: If the file is missing, cut off, or holds something else.
    """
    path = Path(path)
    try:
        if path.suffix == '.csv':
            with path.open(encoding='utf-8') as stream:
                names = sum(not _is_number(value) for value in stream.readline().split(','))
            return np.loadtxt(path, np.float32, delimiter=',', skiprows=int(names > 0), ndmin=2)
        if path.suffix == '.pt':
            import torch

            values = torch.load(path, map_location='cpu', weights_only=True)
            if not isinstance(values, torch.Tensor):
                raise ValueError(f'holds {type(values).__name__}, not a tensor')
            values = values.detach().float().numpy()
        else:
            values = np.load(path, mmap_mode='r', allow_pickle=False)
    except OSError as error:
        raise InputError(f'{path}: cannot be read ({error.strerror or error})') from None
    except (ValueError, EOFError, RuntimeError, pickle.UnpicklingError) as error:
        cause = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f'{path}: cannot be used ({cause})') from None
    if values.dtype.kind not in 'iuf':
        raise InputError(f'{path}: holds {values.dtype}, not numbers')
    return values


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
