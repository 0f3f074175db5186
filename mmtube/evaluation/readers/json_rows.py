"""JSON of millions of rows in little memory: rows of the usual form become columns while they are parsed."""

from __future__ import annotations

import gc
import json
import os
from array import array
from collections import Counter
from typing import Any

import numpy as np

from mmtube.errors import InputError
from mmtube.structures.io.documents import Node

FORMS = ({'segment', 'label', 'score'}, {'segment', 'score'})
NUMBERS = {float, int}
LARGEST_INT = 1 << 53


class Row(int):
    """Stands in the document for a row that a buffer took: its number there."""

    __slots__ = ()


class RowBuffer:
    """Rows ``{"segment": [start, end], "label": text, "score": number}``, with or without a label, as columns.

    A row takes 32 bytes here and ten times as much as Python objects.
    """

    def __init__(self) -> None:
        self._times_s, self._scores, self._labels = array('d'), array('d'), array('q')
        self._names: dict[str | None, int] = {}

    def __len__(self) -> int:
        return len(self._scores)

    def take(self, row: dict[str, Any]) -> Row | None:
        """Keep a row and return its number, or None if it has another form; such a row stays as it is."""
        if row.keys() not in FORMS:
            return None
        segment, score, label = row['segment'], row['score'], row.get('label')
        if type(segment) is not list or len(segment) != 2 or ('label' in row and type(label) is not str):
            return None
        for value in (*segment, score):
            if type(value) not in NUMBERS or (type(value) is int and abs(value) > LARGEST_INT):
                return None
        self._times_s.extend(segment)
        self._scores.append(score)
        self._labels.append(self._names.setdefault(label, len(self._names)))
        return Row(len(self._scores) - 1)

    def row(self, number: int) -> dict[str, Any]:
        """Return a row as it stood in the document; whole numbers are floats."""
        label = list(self._names)[self._labels[number]]
        named = {} if label is None else {'label': label}
        return {'segment': self._times_s[2 * number : 2 * number + 2].tolist(), **named, 'score': self._scores[number]}

    def columns(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str | None]]:
        """Return segments (N, 2), scores (N,), numbers of the label texts (N,), and the texts; None is no label."""
        times_s, scores, labels = (np.array(column) for column in (self._times_s, self._scores, self._labels))
        return times_s.reshape(-1, 2), scores, labels, list(self._names)


def parse_json(path: str | os.PathLike, text: str, buffer: RowBuffer | None = None) -> Node:
    """Parse JSON. A name that stands twice in one object is refused, because ``json`` would keep the last one only.

    NaN is let through, so that the row that has it can be named.

    Args:
        path (str | os.PathLike): Where the text is from.
        text (str): The document.
        buffer (RowBuffer | None): Takes rows out of the document, a :class:`Row` stays in their place. Defaults to
            None.

    Raises:
        InputError: If the text is not JSON.
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any] | Row:
        result = dict(pairs)
        if len(result) < len(pairs):
            twice, _ = Counter(key for key, _ in pairs).most_common(1)[0]
            raise InputError(f'{path}: {json.dumps(twice)}: stands twice in one object')
        taken = None if buffer is None else buffer.take(result)
        return result if taken is None else taken

    collecting = gc.isenabled()
    gc.disable()  # it would go through a million small objects again and again, none of which can be freed
    try:
        return Node(path, '', json.loads(text, object_pairs_hook=unique))
    except json.JSONDecodeError as error:
        cause = 'is empty' if not text.strip() else f'is not JSON, or is cut off ({error.msg})'
        raise InputError(f'{path}:{error.lineno}: {cause}') from None
    except RecursionError:
        raise InputError(f'{path}: is nested too deeply') from None
    finally:
        if collecting:
            gc.enable()
