"""Reader of the pickles that action data sets come in, which runs nothing that stands in the file.

A pickle is a program. This reader lets it name numpy arrays, numpy numbers and plain containers, and builds these
itself from the raw bytes, so that neither a foreign function nor numpy's own unpickling sees what the file says.
"""

from __future__ import annotations

import io
import os
import pickle
import re
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

from mmtube.errors import InputError

NUMBER = re.compile(r'[<>|=]?(?:b1|\?|[iuf][1248]|c8|c16|[SU]\d+)')
PLAIN = (str, bytes, bytearray, int, float, complex, bool, type(None), np.generic, np.ndarray)


def load_pickle(path: str | os.PathLike, *, also: Mapping[tuple[str, str], Callable] | None = None) -> Any:
    """Read a pickle of numpy arrays, numbers, text and containers; of Python 2 too.

    Containers are dict, list, tuple, set, frozenset, OrderedDict and defaultdict. Text of Python 2 is read as Latin-1.

    Args:
        path (str | os.PathLike): The file.
        also (Mapping[tuple[str, str], Callable] | None): What is called in place of further names, by module and name,
            such as ``('torch._utils', '_rebuild_tensor_v2')``. It gets what the file says and must trust none of it;
            it may raise :class:`RefusedError`. Defaults to None, no further name is read.

    Returns:
        Any: What was pickled.

    Raises:
        InputError: If the file is missing, cut off, no pickle, or holds anything else: one line that names it.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f'{path}: cannot be read ({error.strerror or error})') from None
    try:
        return _Finish()(_Reader(io.BytesIO(content), also or {}).load())
    except RefusedError as error:
        raise InputError(f'{path}: {error}; only numpy arrays, numbers, text and containers are read') from None
    except RecursionError:
        raise InputError(f'{path}: is nested too deeply') from None
    except Exception as error:  # a damaged pickle raises nearly anything
        raise InputError(f'{path}: is no pickle, or is damaged ({type(error).__name__}: {error})') from None


class RefusedError(Exception):
    """The file names something that is not read."""


class _Sealed(type):
    """A class that a pickle cannot change, as it could change attributes of an ordinary class."""

    def __setattr__(cls, name: str, value: object) -> None:
        raise RefusedError(f'changes {cls.__name__}')


class _Dtype(metaclass=_Sealed):
    """Stands for a numpy type until the whole file is read."""

    __slots__ = ('code', 'order')

    def __init__(self, code: str, align: object = False, copy: object = True) -> None:
        self.code, self.order = code, '='

    def __setstate__(self, state: tuple) -> None:
        if any(part is not None for part in state[2:5]):
            raise RefusedError('holds an array with fields')
        self.order = state[1]

    @property
    def is_object(self) -> bool:
        return self.code in ('O', 'O8', '|O')

    def resolve(self) -> np.dtype:
        """Return numpy's type."""
        if not isinstance(self.code, str) or not NUMBER.fullmatch(self.code):
            raise RefusedError(f'holds an array of type {self.code!r}')
        return np.dtype((self.order if self.order in ('<', '>') else '=') + self.code.lstrip('<>|='))


class _Array(metaclass=_Sealed):
    """Stands for an array until the whole file is read."""

    __slots__ = ('content', 'dtype', 'fortran', 'shape')

    def __init__(self, *ignored: object) -> None:
        self.content: Any = None

    def __setstate__(self, state: tuple) -> None:
        _, self.shape, self.dtype, self.fortran, self.content = state


class _Scalar(metaclass=_Sealed):
    """Stands for a numpy number until the whole file is read."""

    __slots__ = ('content', 'dtype')

    def __init__(self, dtype: _Dtype, content: Any = b'') -> None:
        self.dtype, self.content = dtype, content


def _from_buffer(content: Any, dtype: _Dtype, shape: tuple, order: str) -> _Array:
    array = _Array()
    array.__setstate__((1, shape, dtype, order == 'F', bytes(content)))
    return array


def _encode(text: str, codec: str) -> bytes:
    if codec not in ('latin1', 'latin-1'):
        raise RefusedError(f'encodes text as {codec!r}')
    return text.encode('latin1')


def _bytes(kind: Callable) -> Callable:
    def make(content: Any = b'', *codec: str) -> Any:
        return kind(_encode(content, *codec) if isinstance(content, str) else b'' if content == 0 else content[:])

    return make


def _allowed() -> dict[tuple[str, str], Any]:
    found: dict[tuple[str, str], Any] = {
        ('numpy', 'dtype'): _Dtype,
        ('numpy', 'ndarray'): _Array,
        ('_codecs', 'encode'): _encode,
        ('collections', 'OrderedDict'): OrderedDict,
        ('collections', 'defaultdict'): defaultdict,
        ('builtins', 'bytes'): _bytes(bytes),
        ('builtins', 'bytearray'): _bytes(bytearray),
    }
    for core in ('numpy.core', 'numpy._core'):
        found[f'{core}.multiarray', '_reconstruct'] = _Array
        found[f'{core}.multiarray', 'scalar'] = _Scalar
        found[f'{core}.numeric', '_frombuffer'] = _from_buffer
    for kind in (list, dict, set, frozenset, tuple, int, float, str, bool, complex):
        found['builtins', kind.__name__] = kind
    return found


ALLOWED = _allowed()


class _Reader(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, also: Mapping[tuple[str, str], Callable]) -> None:
        super().__init__(file, encoding='latin1')
        self.known = {**also, **ALLOWED}

    def find_class(self, module: str, name: str) -> Any:
        module = 'builtins' if module == '__builtin__' else module  # of Python 2
        if (module, name) not in self.known:
            raise RefusedError(f'holds {module}.{name}')
        return self.known[module, name]

    def persistent_load(self, pid: Any) -> Any:
        raise RefusedError('refers to an object outside the file')


class _Finish:
    """Replaces the stand-ins by what they stand for; an object that is used twice stays one object."""

    def __init__(self) -> None:
        self.done: dict[int, tuple[Any, Any]] = {}  # the stand-in is kept, so that its id is not used again

    def __call__(self, value: Any) -> Any:
        if isinstance(value, PLAIN):
            return value
        if id(value) not in self.done:
            self._convert(value)
        return self.done[id(value)][1]

    def _convert(self, value: Any) -> None:
        def keep(result: Any) -> Any:
            self.done[id(value)] = (value, result)
            return result

        if isinstance(value, dict):
            empty = defaultdict(value.default_factory) if isinstance(value, defaultdict) else type(value)()
            keep(empty).update((self(key), self(item)) for key, item in value.items())
        elif isinstance(value, list):
            keep([]).extend(map(self, value))
        elif isinstance(value, (tuple, set, frozenset)):
            keep(type(value)(map(self, value)))
        elif isinstance(value, _Array):
            keep(self._array(value))
        elif isinstance(value, _Scalar):
            keep(_numbers(value.content, value.dtype.resolve(), ()).reshape(())[()])
        else:
            raise RefusedError(f'holds a {getattr(value, "__name__", type(value).__name__)}')

    def _array(self, value: _Array) -> np.ndarray:
        order: Literal['F', 'C'] = 'F' if value.fortran else 'C'
        if not value.dtype.is_object:
            return _numbers(value.content, value.dtype.resolve(), value.shape).reshape(value.shape, order=order)
        if len(value.content) != np.prod(value.shape, dtype=object):
            raise ValueError('an array is not as long as it says')
        result = np.empty(len(value.content), object)
        for index, item in enumerate(value.content):
            result[index] = self(item)
        return result.reshape(value.shape, order=order)


def _numbers(content: Any, dtype: np.dtype, shape: tuple) -> np.ndarray:
    raw = content.encode('latin1') if isinstance(content, str) else bytes(content)
    if len(raw) != np.prod(shape, dtype=object) * dtype.itemsize or any(length < 0 for length in shape):
        raise ValueError('an array is not as long as it says')
    return np.frombuffer(raw, dtype).copy() if raw else np.zeros(0, dtype)
