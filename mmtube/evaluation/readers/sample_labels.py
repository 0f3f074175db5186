"""Names and labels of whole samples: lists of MMAction2, csv and json; names of classes."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmtube.errors import InputError
from mmtube.fileio import read_text

COLUMNS = ('video', 'rawframes')
CATEGORY = re.compile(r'(?:Clabel|Glabel|set):\s*(\d+);.*?([^;\s][^;]*)')
NUMBERED = re.compile(r'(\d+)\s*[:,]\s*(.+)')


def row_place(number: int) -> str:
    """Return where a row stands in a file of which nothing better is known."""
    return f'row {number + 1}'


@dataclass(frozen=True, eq=False)
class SampleLabels:
    """What is true of each sample.

    Args:
        file (str): Where it was read.
        names (list[str]): (N,) names, no two alike.
        labels (list[tuple[int, ...]]): (N,) classes from 0 of each sample, at least one.
        place (Callable[[int], str]): Returns for a row where it stands, such as ``line 12``. Defaults to ``row N``.
    """

    file: str
    names: list[str]
    labels: list[tuple[int, ...]]
    place: Callable[[int], str] = field(default=row_place, repr=False)


def read_class_names(path: str | os.PathLike) -> list[str]:
    """Read class names in the order of their numbers.

    Args:
        path (str | os.PathLike): A name per line, lines ``0: name``, a category file of FineGym
            (``Clabel: 0; set: 1; ...; (VT) text``), or a label map (json with ``names``).

    Returns:
        list[str]: (C,) names; two may be alike, as they are in FineGym.

    Raises:
        InputError: If the file cannot be read, has no name, or its numbers are not 0, 1, 2, ...
    """
    text = read_text(path)
    if Path(path).suffix == '.json':
        document = load_json(path, text)
        names = document.get('names') if isinstance(document, dict) else None
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise InputError(f'{path}: must have a list of texts under "names"')
    else:
        lines = [' '.join(line.split()) for line in text.splitlines() if line.strip()]
        for pattern in (CATEGORY, NUMBERED):
            matches = [pattern.fullmatch(line) for line in lines]
            if lines and all(matches):
                break
        else:
            matches = []
        names = [match[2] for match in matches if match] or lines
        numbers = [int(match[1]) for match in matches if match]
        wrong = next((place for place, number in enumerate(numbers) if number != place), None)
        if wrong is not None:
            raise InputError(f'{path}: class {numbers[wrong]} stands where class {wrong} is expected')
    if not names:
        raise InputError(f'{path}: has no class')
    return names


def unique_names(names: Sequence[str]) -> list[str]:
    """Give classes that share a name their number: ``'jump (58)'``.

    Examples:
        >>> unique_names(['jump', 'turn', 'jump'])
        ['jump (0)', 'turn', 'jump (2)']
    """
    times = Counter(names)
    return [f'{name} ({number})' if times[name] > 1 else name for number, name in enumerate(names)]


def read_labels(
    path: str | os.PathLike, *, columns: str = 'video', class_names: Sequence[str] | None = None
) -> SampleLabels:
    """Read what is true of each sample.

    Args:
        path (str | os.PathLike): ``.json`` (``{name: class}`` or ``{name: [class, ...]}``), ``.csv``
            (``name,class,...``, with or without a header whose first cell is ``name``), or a list of MMAction2 with a
            sample per line, its parts separated by blanks.
        columns (str): Of such a list: ``'video'`` for ``name class ...``, ``'rawframes'`` for ``name frames class
            ...``. Defaults to 'video'.
        class_names (Sequence[str] | None): Classes may be given by these names in csv and json,
            where two are alike with the number: ``jump (58)``. Defaults to None.

    Returns:
        SampleLabels: Names and classes, in the order of the file.

    Raises:
        InputError: If the file is missing or empty, a line has no class, a class is unknown, or a name stands twice.
    """
    if columns not in COLUMNS:
        raise ValueError(f'columns must be one of {COLUMNS}, got {columns!r}')
    text = read_text(path)
    suffix = Path(path).suffix.lower()
    if suffix == '.json':
        document = load_json(path, text)
        if not isinstance(document, dict):
            raise InputError(f'{path}: must be an object of names and classes')
        entries = [(json.dumps(name), name, label) for name, label in document.items()]
    elif suffix == '.csv':
        rows = [(number, row) for number, row in enumerate(csv.reader(io.StringIO(text)), 1) if any(row)]
        if rows and rows[0][1][0].strip().lower() == 'name':
            rows = rows[1:]
        entries = [
            (f'line {number}', row[0], [cell.strip() for cell in row[1:] if cell.strip()]) for number, row in rows
        ]
    else:
        skip = 2 if columns == 'rawframes' else 1
        parts = [(number, line.split()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
        entries = [(f'line {number}', part[0], part[skip:]) for number, part in parts]
    if not entries:
        raise InputError(f'{path}: has no ground truth, there is nothing to score')
    known = {name: number for number, name in enumerate(unique_names(class_names or ()))}
    places = [place for place, _, _ in entries]
    labels = [_classes(f'{path}: {place}', label, known) for place, _, label in entries]
    names = [name for _, name, _ in entries]
    refuse_twice(path, names, places.__getitem__)
    return SampleLabels(str(path), names, labels, places.__getitem__)


def _classes(place: str, value: Any, known: dict[str, int]) -> tuple[int, ...]:
    values = value if isinstance(value, list) else [value]
    if not values:
        raise InputError(f'{place}: has no class')
    found = []
    for item in values:
        if isinstance(item, str) and item in known:
            found.append(known[item])
        elif isinstance(item, bool) or not re.fullmatch(r'\d+', str(item)):
            raise InputError(f'{place}: {item!r} is no class' + (' and no number of one' if known else ' number'))
        else:
            found.append(int(item))
    if len(set(found)) < len(found):
        raise InputError(f'{place}: class {max(found, key=found.count)} stands twice')
    return tuple(sorted(found))


def load_json(path: str | os.PathLike, text: str) -> Any:
    """Read JSON in which no key stands twice.

    Raises:
        InputError: If one does, or the text is not JSON.
    """

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                raise InputError(f'{path}: {key!r} stands twice')
            found[key] = value
        return found

    try:
        return json.loads(text, object_pairs_hook=once)
    except json.JSONDecodeError as error:
        raise InputError(f'{path}:{error.lineno}: is not JSON ({error.msg})') from None
    except RecursionError:
        raise InputError(f'{path}: is nested too deeply') from None


def refuse_twice(path: str | os.PathLike, names: list[str], place: Callable[[int], str]) -> None:
    """Refuse a list of names in which one stands twice.

    Raises:
        InputError: One line that names the file, the place and the name.
    """
    seen: set[str] = set()
    for row, name in enumerate(names):
        if name in seen:
            raise InputError(f'{path}: {place(row)}: {name!r} stands twice')
        seen.add(name)
