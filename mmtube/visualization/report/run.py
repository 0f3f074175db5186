"""One result as the page needs it: a checked document with its figures and pictures."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from mmtube.errors import InputError

from .numbers import is_number
from .thumbnails import Picture

KINDS = {
    'metrics': dict,
    'counts': dict,
    'notes': list,
    'tables': dict,
    'curves': dict,
    'details': dict,
    'inputs': dict,
}
WORST = ('video', 'time_s', 'x1', 'y1', 'x2', 'y2', 'text')


@dataclass(frozen=True)
class Run:
    """A result of ``tools/evaluate.py`` and what was made of it.

    Args:
        title (str): What it is called on the page; different for all runs of a page.
        document (dict[str, Any]): The result as JSON types, see
            :class:`~mmtube.evaluation.result.EvaluationResult`; what is missing is empty.
        path (str): The file, for messages and to be told. Defaults to 'result'.
        facts (Mapping[str, str]): What else is told of the file: its hash, its date. Defaults to nothing.
        figures (Mapping[str, str]): SVG by title. Defaults to none.
        pictures (Mapping[int, Picture | str]): For rows of ``tables['worst']`` the picture, or why there is none.
            Defaults to none.

    Raises:
        InputError: If the document is not built like a result.
    """

    title: str
    document: dict[str, Any]
    path: str = 'result'
    facts: Mapping[str, str] = field(default_factory=dict)
    figures: Mapping[str, str] = field(default_factory=dict)
    pictures: Mapping[int, Picture | str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ('protocol', 'convention'):
            if not isinstance(self.document.get(name, ''), str):
                self._refuse(f'{name} is no text')
        for name, kind in KINDS.items():
            if not isinstance(self.part(name), kind):
                self._refuse(f'{name} is no {"object" if kind is dict else "list"}')
        for name in ('metrics', 'counts'):
            for key, value in self.part(name).items():
                if not is_number(value) or not math.isfinite(value):
                    self._refuse(f'{name}[{key!r}] is {value!r}, not a number')
        for name, table in self.part('tables').items():
            if not isinstance(table, dict) or not all(isinstance(column, list) for column in table.values()):
                self._refuse(f'tables[{name!r}] is no object of columns')
            if len({len(column) for column in table.values()}) > 1:
                self._refuse(f'tables[{name!r}] has columns of different lengths')
        if self.worst:
            missing = [name for name in WORST if name not in self.worst]
            if missing:
                self._refuse(f"tables['worst'] has no column {missing[0]!r}")

    def _refuse(self, cause: str) -> None:
        raise InputError(f'{self.path}: {cause}')

    def part(self, name: str) -> Any:
        """Return a part of the document, empty where it is missing."""
        return self.document.get(name, KINDS[name]())

    @property
    def protocol(self) -> str:
        """Name of the protocol."""
        return self.document.get('protocol', '')

    @property
    def worst(self) -> dict[str, list]:
        """The table of the worst tubes, empty where there is none."""
        return self.part('tables').get('worst', {})


def worst_rows(document: dict[str, Any], limit: int) -> list[dict[str, Any]]:
    """Return rows of ``tables['worst']`` for pictures, with the number of the row as ``row``.

    They are taken by turns from each kind of mistake, which is what stands before the colon of ``text``, so that one
    kind does not take all the room.
    """
    table = document.get('tables', {}).get('worst', {})
    rows = zip(*(table[name] for name in WORST)) if all(name in table for name in WORST) else ()
    found = [dict(zip(WORST, row), row=number) for number, row in enumerate(rows)]
    turns: Counter[str] = Counter()
    order = []
    for row in found:
        kind = str(row['text']).partition(':')[0]
        order.append((turns[kind], row['row']))
        turns[kind] += 1
    return [found[number] for _, number in sorted(order)[:limit]]


def run_titles(paths: Sequence[str]) -> list[str]:
    """Return a title for each file: its name without the suffix, with as many folders as tell it from the others.

    Raises:
        InputError: If a file is given twice.
    """
    twice = [path for path, count in Counter(paths).items() if count > 1]
    if twice:
        raise InputError(f'{twice[0]}: is given twice')
    parts = [PurePath(path).with_suffix('').parts for path in paths]
    titles = []
    for own, path in zip(parts, paths):
        ends = [own[-length:] for length in range(1, len(own) + 1)]
        alone = [end for end in ends if sum(other[-len(end) :] == end for other in parts) == 1]
        if not alone and parts.count(own) == 1:
            alone = [own]  # the others end like it and have more folders before
        # Without: two files that differ in the suffix only, or one path in two spellings.
        titles.append('/'.join(alone[0]).replace('//', '/') if alone else path)
    return titles
