"""JSON that is easy on the eye, and a reader that says where a document is wrong."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np

from mmtube.errors import InputError
from mmtube.fileio import write_text

from ._common import text_of

T = TypeVar('T')
KINDS = {dict: 'an object', list: 'a list', str: 'a text', bool: 'true or false'}


def _one_line(value: Any) -> bool:
    """Whether a value stays on one line: a list without objects, or an object of single values and pairs of numbers."""
    if isinstance(value, dict):
        return all(_is_pair(item) if isinstance(item, list) else not isinstance(item, dict) for item in value.values())
    # The items of a list are alike, so the first one tells.
    return not (isinstance(value, list) and value and isinstance(value[0], dict))


def _is_pair(value: list[Any]) -> bool:
    return len(value) == 2 and isinstance(value[0], float)


def _layout(value: Any, indent: str, ascii_only: bool) -> str:
    if _one_line(value):
        return json.dumps(value, allow_nan=False, ensure_ascii=ascii_only)
    inner = indent + ' '
    if isinstance(value, dict):
        items = [
            f'{json.dumps(key, ensure_ascii=ascii_only)}: {_layout(item, inner, ascii_only)}'
            for key, item in value.items()
        ]
        opening, closing = '{', '}'
    else:
        items = [_layout(item, inner, ascii_only) for item in value]
        opening, closing = '[', ']'
    return f'{opening}\n{inner}' + f',\n{inner}'.join(items) + f'\n{indent}{closing}'


def write_json(document: dict[str, Any], path: str | os.PathLike) -> None:
    """Write a document with one line for each array and each small object.

    Raises:
        InputError: If the file cannot be written.
    """
    text = _layout(document, '', ascii_only=False) + '\n'
    try:
        text.encode('utf-8')
    except UnicodeEncodeError:  # a file name that was not UTF-8 on disk
        text = _layout(document, '', ascii_only=True) + '\n'
    write_text(path, text)


class Node:
    """A value in a JSON document that knows its place, so that what is wrong with it can be said in one line.

    Args:
        path (str | os.PathLike): The file.
        where (str): Place in the document, such as ``tubes[2].boxes_px``; '' is the document itself.
        value (Any): What the file says there.
    """

    def __init__(self, path: str | os.PathLike, where: str, value: Any) -> None:
        self.path = path
        self.where = where
        self.value = value

    def error(self, cause: object) -> InputError:
        place = f'{self.path}: {self.where}' if self.where else str(self.path)
        return InputError(' '.join(f'{place}: {cause}'.split()))

    def _of(self, kind: type) -> Any:
        if not isinstance(self.value, kind):
            raise self.error(f'must be {KINDS[kind]}, not {json.dumps(self.value)[:40]}')
        return self.value

    def __contains__(self, key: str) -> bool:
        return key in self._of(dict)

    def __getitem__(self, key: str) -> Node:
        if key not in self:
            raise self.error(f'"{key}" is missing')
        return Node(self.path, f'{self.where}.{key}' if self.where else key, self.value[key])

    def __iter__(self) -> Iterator[Node]:
        for index, item in enumerate(self._of(list)):
            yield Node(self.path, f'{self.where}[{index}]', item)

    def items(self) -> Iterator[tuple[str, Node]]:
        for key, item in self._of(dict).items():
            yield key, Node(self.path, f'{self.where}[{json.dumps(key)}]', item)

    def text(self) -> str:
        return self._of(str)

    def number(self) -> float:
        return float(self.array(np.float64, ()))

    def integer(self, minimum: int = 0) -> int:
        value = int(self.array(np.int64, ()))
        if value < minimum:
            raise self.error(f'must be at least {minimum}, not {value}')
        return value

    def array(self, dtype: type, shape: tuple[int | None, ...]) -> np.ndarray:
        """Return numbers (or booleans) as an array.

        Args:
            dtype (type): ``bool``, ``np.int64``, ``np.float32`` or ``np.float64``.
            shape (tuple[int | None, ...]): Expected shape; None is any length.

        Raises:
            InputError: If a value is of another kind, a row of another length, or a number does not fit the dtype.
        """
        if len(shape) > 1:
            self._check_rows(shape)
        try:
            values = np.array(self.value)
        except (ValueError, OverflowError):
            raise self.error('must hold numbers in rows of equal length') from None
        if values.shape == (0,):
            values = np.zeros((0, *(size or 0 for size in shape[1:])), dtype)
        elif values.dtype.kind not in ('b' if dtype is bool else 'iuf'):
            raise self.error('must hold true and false only' if dtype is bool else 'must hold numbers only')
        if values.ndim != len(shape) or any(size not in (None, found) for size, found in zip(shape, values.shape)):
            wanted = ' x '.join('N' if size is None else str(size) for size in shape) or 'one number'
            raise self.error(f'must be {wanted}, not {" x ".join(map(str, values.shape)) or "one number"}')
        if dtype is bool:
            return values.astype(bool)
        with np.errstate(over='ignore'):
            fits = np.isfinite(values.astype(np.float32 if dtype is np.float32 else np.float64))
        if dtype is np.int64:
            fits &= (np.abs(values.astype(np.float64)) <= 2.0**53) & (values == np.floor(values))
        if not fits.all():
            index = ''.join(f'[{i}]' for i in np.argwhere(~fits)[0])
            cause = 'is not a whole number' if dtype is np.int64 else 'is out of range'
            raise Node(self.path, self.where + index, None).error(cause)
        return values.astype(dtype)

    def _check_rows(self, shape: tuple[int | None, ...]) -> None:
        rows = self._of(list)
        width = shape[1] if shape[1] is not None else len(rows[0]) if rows and isinstance(rows[0], list) else 0
        if all(isinstance(row, list) and len(row) == width for row in rows):
            return
        for row in self:
            if len(row._of(list)) != width:
                raise row.error(f'has {len(row.value)} numbers, not {width}')

    def build(self, make: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Call ``make``; what it refuses is said with this place."""
        try:
            return make(*args, **kwargs)
        except InputError:
            raise
        except ValueError as error:
            raise self.error(error) from None


def read_json(path: str | os.PathLike) -> Node:
    """Read a JSON document whose root is an object.

    Raises:
        InputError: If the file is missing, empty, not JSON, cut off, or its root is something else.
    """
    text = text_of(path)
    if not text.strip():
        raise InputError(f'{path}: is empty')

    def refuse(constant: str) -> None:
        raise InputError(f'{path}: holds {constant}, which is not JSON')

    try:
        root = Node(path, '', json.loads(text, parse_constant=refuse))
    except json.JSONDecodeError as error:
        cut_off = error.pos >= len(text.rstrip()) or error.msg.startswith('Unterminated')
        cause = 'is cut off' if cut_off else 'is not JSON'
        raise InputError(f'{path}:{error.lineno}: {cause} ({error.msg})') from None
    except RecursionError:
        raise InputError(f'{path}: is nested too deeply') from None
    root._of(dict)
    return root
