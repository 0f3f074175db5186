"""Features of the tubelets of one film and one extractor in an npz, with what made them.

``feat_<tid>`` float16 (T, C), ``valid_<tid>`` uint8 (T,), ``offset_<tid>``, ``t0_<tid>`` and ``t1_<tid>`` float64, and
``meta``, a JSON text. A tubelet is read without the others.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from mmtube.errors import InputError
from mmtube.fileio import atomic_path

from ..feature_grid import FeatureGrid

VERSION = 'features-1'


@dataclass(frozen=True)
class FeatureMeta:
    """What made a feature file.

    Args:
        stream (str): Extractor, such as ``'slowfast_t'`` or ``'tsp_t'``.
        fps (float): Rate that the film was resampled to.
        window (int): Frames of a window.
        stride (int): Frames from window to window.
        box_fps (float): Boxes per second in a window.
        dim (int): Length of a feature.
        roi (str): How a person was cut out of the feature map, such as ``'align7-max'``.
        checkpoint (str): Hash of the weights.
        frames (str): How frames came to the network, such as ``'short256-every-nearest'``. Defaults to '', not told.
    """

    stream: str
    fps: float
    window: int
    stride: int
    box_fps: float
    dim: int
    roi: str = ''
    checkpoint: str = ''
    frames: str = ''

    @property
    def grid(self) -> FeatureGrid:
        """Grid of the windows."""
        return FeatureGrid(self.fps, self.window, self.stride)


@dataclass(eq=False)
class TubeletFeatures:
    """Feature rows of one tubelet; row ``i`` is at ``offset_s + i / rate`` of the film.

    Args:
        features (np.ndarray): (T, C) float16.
        valid (np.ndarray): (T,) bool, False where the person had no box: the row is 0.
        offset_s (float): Film time of the centre of row 0 in seconds.
        t0_s (float): Film time where the tubelet begins.
        t1_s (float): Film time where it ends.

    Raises:
        ValueError: If the shapes do not fit together.
    """

    features: np.ndarray
    valid: np.ndarray
    offset_s: float
    t0_s: float
    t1_s: float

    def __post_init__(self) -> None:
        self.features = np.asarray(self.features, np.float16)
        self.valid = np.asarray(self.valid).astype(bool)
        if self.features.ndim != 2 or self.valid.shape != self.features.shape[:1]:
            raise ValueError(f'features {self.features.shape} and valid {self.valid.shape} do not fit together')


def write_features_npz(path: str | os.PathLike, meta: FeatureMeta, tubelets: Mapping[str, TubeletFeatures]) -> None:
    """Write the features of a film; equal ones give equal bytes.

    Args:
        path (str | os.PathLike): File to write, ``<vid>.npz``.
        meta (FeatureMeta): What made them.
        tubelets (Mapping[str, TubeletFeatures]): By tubelet.

    Raises:
        InputError: If a feature is not finite or not of ``meta.dim`` numbers, or the file cannot be written.
    """
    members: dict[str, Any] = {'meta': json.dumps({'version': VERSION, **asdict(meta)})}
    for tid, tubelet in tubelets.items():
        if tubelet.features.shape[1] != meta.dim or not np.isfinite(tubelet.features).all():
            problem = f'are {tubelet.features.shape[1]} numbers, not {meta.dim}, or not finite as float16'
            raise InputError(f'{path}: not written, features of {tid!r} {problem}')
        members[f'feat_{tid}'], members[f'valid_{tid}'] = tubelet.features, tubelet.valid.astype(np.uint8)
        for name, value in (('offset', tubelet.offset_s), ('t0', tubelet.t0_s), ('t1', tubelet.t1_s)):
            members[f'{name}_{tid}'] = np.float64(value)
    with atomic_path(path) as temporary, zipfile.ZipFile(temporary, 'w', zipfile.ZIP_STORED) as archive:
        for name, column in members.items():
            with archive.open(zipfile.ZipInfo(f'{name}.npy'), 'w', force_zip64=True) as stream:
                np.lib.format.write_array(stream, np.asarray(column), allow_pickle=False)


class FeatureFile:
    """A feature file whose tubelets are read when they are asked for.

    Args:
        path (str | os.PathLike): The file.
        demanded (Mapping[str, Any] | None): Values that its meta data must have, by the names of
            :class:`FeatureMeta`. Defaults to None.

    Attributes:
        meta (FeatureMeta): What made it.
        tids (tuple[str, ...]): Its tubelets.

    Raises:
        InputError: If it is missing, cut off, no feature file, or was made by another extractor than is demanded.
    """

    def __init__(self, path: str | os.PathLike, demanded: Mapping[str, Any] | None = None) -> None:
        self.path = path
        with self._archive() as archive:
            names = [member.filename for member in archive.infolist()]
            if 'meta.npy' not in names:
                raise InputError(f'{path}: is no feature file, it has no meta data')
            told = self._member(archive, 'meta')
        try:
            found = json.loads(str(told))
            if found.pop('version') != VERSION:
                raise ValueError('another version')
            self.meta = FeatureMeta(**found)
            self.meta.grid  # noqa: B018
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise InputError(f'{path}: meta data cannot be used ({error})') from None
        self.tids = tuple(name[len('feat_') : -len('.npy')] for name in names if name.startswith('feat_'))
        for name, value in (demanded or {}).items():
            if name not in {field.name for field in fields(FeatureMeta)}:
                raise ValueError(f'feature files have no {name!r}')
            if getattr(self.meta, name) != value:
                raise InputError(f'{path}: {name} is {getattr(self.meta, name)!r}, the config demands {value!r}')

    def __contains__(self, tid: str) -> bool:
        return tid in self.tids

    def __iter__(self) -> Iterator[str]:
        return iter(self.tids)

    def num_rows(self, tid: str) -> int:
        """Return the number of rows of a tubelet without reading them.

        Raises:
            InputError: If the file does not have it.
        """
        with self._archive() as archive:
            return len(self._member(archive, f'valid_{tid}'))

    def __getitem__(self, tid: str) -> TubeletFeatures:
        with self._archive() as archive:
            features, valid, *times = (
                self._member(archive, f'{name}_{tid}') for name in ('feat', 'valid', 'offset', 't0', 't1')
            )
        if features.shape[1:] != (self.meta.dim,) or features.shape[:1] != valid.shape:
            shapes = f'shapes {features.shape} and {valid.shape} for {self.meta.dim} numbers'
            raise InputError(f'{self.path}: features of {tid!r} do not fit: {shapes}')
        return TubeletFeatures(features, valid, *map(float, times))

    def _archive(self) -> zipfile.ZipFile:
        try:
            return zipfile.ZipFile(self.path)
        except OSError as error:
            raise InputError(f'{self.path}: cannot be read ({error.strerror or error})') from None
        except zipfile.BadZipFile as error:
            raise InputError(f'{self.path}: is no npz, or is cut off ({error})') from None

    def _member(self, archive: zipfile.ZipFile, name: str) -> np.ndarray:
        try:
            return np.load(io.BytesIO(archive.read(f'{name}.npy')), allow_pickle=False)
        except KeyError:
            raise InputError(f'{self.path}: has no {name}') from None
        except (ValueError, EOFError, zipfile.BadZipFile) as error:
            raise InputError(f'{self.path}: {name} cannot be read ({error})') from None


def read_features_npz(path: str | os.PathLike, demanded: Mapping[str, Any] | None = None) -> FeatureFile:
    """Open a feature file.

    Args:
        path (str | os.PathLike): The file.
        demanded (Mapping[str, Any] | None): Values that its meta data must have. Defaults to None.

    Raises:
        InputError: As :class:`FeatureFile`.
    """
    return FeatureFile(path, demanded)
