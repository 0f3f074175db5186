"""From annotation files of MMAction2 and MMDetection to columns; wrong rows stay in."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from mmtube.errors import InputError
from mmtube.fileio import read_text

from .columns import Boxes, Column, Keys, Labels, Times
from .sources import Names


def coco_columns(path: str | os.PathLike, document: Mapping[str, Any], classes: tuple[str, ...]) -> list[Column]:
    """Return labels and boxes of a COCO file: boxes are x, y, width, height there, and are turned into corners.

    Args:
        path (str | os.PathLike): Where ``document`` comes from.
        document (Mapping[str, Any]): ``images``, ``annotations`` and ``categories``.
        classes (tuple[str, ...]): Classes that the data set uses; annotations of others are left out.
    """
    names = {int(item['id']): str(item['name']) for item in document['categories']}
    pictures = {item['id']: (item['width'], item['height']) for item in document['images']}
    wanted = {label for label, name in names.items() if name in classes} if classes else set(names)
    items = [
        (number, item)
        for number, item in enumerate(document['annotations'])
        if item['category_id'] in wanted or item['category_id'] not in names
    ]
    corner = np.array([item['bbox'] for _, item in items], np.float64).reshape(-1, 4)
    boxes = np.concatenate([corner[:, :2], corner[:, :2] + corner[:, 2:]], axis=1)
    sizes = np.array([pictures.get(item['image_id'], (np.nan, np.nan)) for _, item in items], np.float64).reshape(-1, 2)
    labels = np.array([item['category_id'] for _, item in items], np.int64)
    image = np.array([item['image_id'] for _, item in items], np.float64)

    def place(row: int) -> str:
        return f'annotations[{items[row][0]}]'

    return [
        Labels(str(path), place, labels, names),
        Keys(str(path), place, np.column_stack([image, labels, corner]), 'annotation'),
        Boxes(str(path), place, boxes, sizes, from_widths=True),
    ]


def list_columns(
    path: str | os.PathLike,
    names: Names | None,
    label_cells: Callable[[list[str]], list[str]],
    delimiter: str | None = None,
) -> list[Column]:
    """Return labels of an annotation list of MMAction2, ``path [frames] label [label ...]``.

    Args:
        path (str | os.PathLike): The list.
        names (Mapping[int, str] | None): Class names by label.
        label_cells (Callable[[list[str]], list[str]]): Returns the labels of a row.
        delimiter (str | None): Between cells. Defaults to None, any white space.

    Raises:
        InputError: If the file cannot be read or a label is no number.
    """
    lines = read_text(path).splitlines()
    rows = [(number, line.strip().split(delimiter)) for number, line in enumerate(lines, 1) if line.strip()]
    labels, owners = [], []
    for place, (number, row) in enumerate(rows):
        for cell in label_cells(row):
            if not cell.lstrip('+-').isdecimal():
                raise InputError(f'{path}:{number}: the label {cell!r} is no whole number')
            labels.append(int(cell))
            owners.append(place)
    films: dict[str, int] = {}
    keys = np.array([films.setdefault(row[0], len(films)) for _, row in rows], np.int64)

    def row_place(row: int) -> str:
        return f'line {rows[row][0]}'

    def label_place(row: int) -> str:
        return row_place(owners[row])

    file = str(path)
    return [
        Labels(file, label_place, np.array(labels, np.int64), names),
        Keys(file, row_place, keys, 'film'),
    ]


def activitynet_columns(path: str | os.PathLike, document: Mapping[str, Any]) -> list[Column]:
    """Return the segments of ActivityNet's JSON: ``{'database': {vid: {...}}}``, or MMAction2's ``{vid: {...}}``.

    Args:
        path (str | os.PathLike): Where ``document`` comes from.
        document (Mapping[str, Any]): The content.

    Raises:
        InputError: If a film has no segments, or a segment is no pair of numbers.
    """
    films = document.get('database', document)
    rows = [row for number, (vid, record) in enumerate(films.items()) for row in _segments(path, number, vid, record)]
    numbers = np.array([row[1:] for row in rows], np.float64).reshape(-1, 5)
    names: dict[str, int] = {}
    labels = np.array([names.setdefault(label, len(names)) for (_, label), *_ in rows], np.float64)
    film, spans_s = numbers[:, 0].astype(np.int64), numbers[:, 1:3]

    def place(row: int) -> str:
        return rows[row][0][0]

    return [
        Times(str(path), place, spans_s, film, numbers[:, 3], numbers[:, 4]),
        Keys(str(path), place, np.column_stack([film, labels, spans_s]), 'segment'),
    ]


def _segments(path: str | os.PathLike, number: int, vid: str, record: Any) -> list[tuple]:
    """Place and label, film, start, end, length and rate of the segments of a film."""
    try:
        length = float(record.get('duration_second', record.get('duration', np.nan)))
        fps = float(record.get('fps') or record.get('duration_frame', np.nan) / length)
        spans = [tuple(map(float, item['segment'])) for item in record['annotations']]
        if any(len(span) != 2 for span in spans):
            raise ValueError('a segment is no pair of start and end')
        names = [str(item.get('label')) for item in record['annotations']]
    except (AttributeError, KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise InputError(f'{path}: {vid!r}: is no film with segments ({type(error).__name__}: {error})') from None
    places = [(f'{vid!r} annotations[{index}]', name) for index, name in enumerate(names)]
    return [(place, number, *span, length, fps) for place, span in zip(places, spans)]
