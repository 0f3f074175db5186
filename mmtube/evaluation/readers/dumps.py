"""Pickles that MMEngine's ``DumpResults`` writes, tensors in them too; nothing that stands in the file is run."""

from __future__ import annotations

import io
import os
import pickle
from typing import Any

import numpy as np

from mmtube.structures.io.safe_pickle import RefusedError, load_pickle

STORAGES = {
    'FloatStorage': np.float32,
    'DoubleStorage': np.float64,
    'HalfStorage': np.float16,
    'LongStorage': np.int64,
    'IntStorage': np.int32,
    'ShortStorage': np.int16,
    'CharStorage': np.int8,
    'ByteStorage': np.uint8,
    'BoolStorage': np.bool_,
}


def load_dump(path: str | os.PathLike) -> Any:
    """Read a pickle as :func:`mmtube.structures.io.load_pickle` does, with tensors of the CPU as arrays.

    ``tools/test.py --dump`` writes a list with one dict of plain values and tensors for each sample.

    Args:
        path (str | os.PathLike): The file.

    Returns:
        Any: What was pickled; a tensor is a numpy array.

    Raises:
        InputError: If the file is missing, cut off, no pickle, or holds anything else: one line that names it.
    """
    names = {('torch._utils', '_rebuild_tensor_v2'): _tensor, ('torch.storage', '_load_from_bytes'): _storage}
    return load_pickle(path, also=names)


class _StorageReader(pickle.Unpickler):
    """Reads one of the pickles that a storage consists of: they name nothing but the type of the numbers."""

    def find_class(self, module: str, name: str) -> Any:
        if module not in ('torch', 'torch.storage') or name not in STORAGES:
            raise RefusedError(f'holds {module}.{name}')
        return name

    def persistent_load(self, pid: Any) -> Any:
        kind, storage, _, device, length, *view = pid
        if kind != 'storage' or view not in ([], [None]):
            raise RefusedError('holds a view of a tensor')
        return storage, device, length


def _storage(content: bytes) -> np.ndarray:
    """Read the numbers of a tensor: five pickles (mark, version, machine, storage, keys), a length, raw bytes."""
    stream = io.BytesIO(content)
    _, _, machine, (kind, device, length), _ = (_StorageReader(stream).load() for _ in range(5))
    if device != 'cpu':
        raise RefusedError(f'holds a tensor of the device {device!r}')
    order = '<' if machine['little_endian'] else '>'
    dtype = np.dtype(STORAGES[kind]).newbyteorder(order)
    stated = int.from_bytes(stream.read(8), 'little' if order == '<' else 'big')
    raw = stream.read()
    if stated != length or len(raw) != length * dtype.itemsize:
        raise ValueError('a tensor is not as long as it says')
    return np.frombuffer(raw, dtype).astype(STORAGES[kind])


def _tensor(storage: np.ndarray, offset: int, size: tuple, stride: tuple, *ignored: Any) -> np.ndarray:
    place = offset + np.zeros(size, np.int64)
    for axis, (length, step) in enumerate(zip(size, stride)):
        place += (np.arange(length) * step).reshape([-1] + [1] * (len(size) - axis - 1))
    return storage[place] if len(size) else storage[offset]
