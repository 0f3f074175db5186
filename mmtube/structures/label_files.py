"""Class names in the files that AVA-like data sets come with."""

from __future__ import annotations

import os
import re

from mmtube.errors import InputError
from mmtube.fileio import read_text

ITEM = re.compile(r'(?:item|label)\s*\{(.*?)\}', re.DOTALL)
NAME = re.compile(r'name:\s*"([^"]*)"')
ID = re.compile(r'\b(?:id|label_id):\s*(\d+)')
TYPE = re.compile(r'label_type:\s*(\w+)')
NUMBERED = re.compile(r'(\d+)\s*[:,]\s*(.+)')


def read_label_file(path: str | os.PathLike, first_label: int = 1) -> dict[int, str]:
    """Read names by the labels that annotations use.

    Args:
        path (str | os.PathLike): AVA's pbtxt (``item { name: "walk" id: 12 }``), lines ``12: walk``, or a name per
            line.
        first_label (int): Label of the first line of a file of bare names. Defaults to 1, as AVA counts.

    Returns:
        dict[int, str]: In the order of the file.

    Raises:
        InputError: If the file cannot be read, has no name, or a label stands twice.
    """
    text = read_text(path)
    pairs: list[tuple[int, str]] = []
    if ITEM.search(text):
        for number, item in enumerate(ITEM.findall(text), 1):
            name, label = NAME.search(item), ID.search(item)
            if name is None or label is None:
                raise InputError(f'{path}: item {number} has no name or no id')
            pairs.append((int(label[1]), name[1]))
    else:
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        numbered = [NUMBERED.fullmatch(line) for line in lines]
        if lines and all(numbered):
            pairs = [(int(match[1]), match[2]) for match in numbered if match]
        else:
            pairs = list(enumerate(lines, first_label))
    if not pairs:
        raise InputError(f'{path}: has no class')
    labels = [label for label, _ in pairs]
    if len(set(labels)) < len(labels):
        raise InputError(f'{path}: label {max(labels, key=labels.count)} stands twice')
    return dict(pairs)


def read_label_types(path: str | os.PathLike) -> dict[int, str]:
    """Read the ``label_type`` of each label of a pbtxt, such as AVA's ``PERSON_MOVEMENT``; none where it has none.

    Raises:
        InputError: If the file cannot be read.
    """
    types = {}
    for item in ITEM.findall(read_text(path)):
        label, kind = ID.search(item), TYPE.search(item)
        if label is not None and kind is not None:
            types[int(label[1])] = kind[1]
    return types
