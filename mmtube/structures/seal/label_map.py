"""Class names of a task, with SEAL's groups of atomic actions."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mmtube.errors import InputError
from mmtube.fileio import write_text

from ..io._json import read_json
from ..tube import TASKS
from .records import GROUPS

ASSETS = Path(__file__).parents[2] / 'assets' / 'label_maps'


@dataclass(frozen=True)
class LabelMap:
    """Class names in the order of their indices.

    Args:
        task (str): ``'atomic'`` or ``'complex'``.
        names (tuple[str, ...]): Class names, no two alike.
        groups (Mapping[str, tuple[int, int]]): Half-open ranges of classes for ``'pose'``, ``'pp'`` (person-person)
            and ``'po'`` (person-object), which cover all classes in this order. Defaults to none.
        placeholder (bool): Whether names stand in for names that are not public. Defaults to False.

    Raises:
        ValueError: If the task or a group is unknown, a name stands twice or the groups do not cover the classes.

    Examples:
        >>> LabelMap('atomic', ('walk', 'hug', 'lift'), {'pose': (0, 1), 'pp': (1, 2), 'po': (2, 3)}).group_of(1)
        'pp'
    """

    task: str
    names: tuple[str, ...]
    groups: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    placeholder: bool = False

    def __post_init__(self) -> None:
        if self.task not in TASKS:
            raise ValueError(f'task must be one of {TASKS}, got {self.task!r}')
        if len(set(self.names)) < len(self.names):
            raise ValueError(f'class name {max(self.names, key=self.names.count)!r} stands twice')
        if self.groups:
            if tuple(self.groups) != GROUPS:
                raise ValueError(f'groups must be {GROUPS}, in this order, got {tuple(self.groups)}')
            edges = [edge for group in self.groups.values() for edge in group]
            if edges[0] != 0 or edges[-1] != len(self.names) or edges[1:-1:2] != edges[2::2] or edges != sorted(edges):
                raise ValueError(f'groups must cover 0 to {len(self.names)} without a gap, got {dict(self.groups)}')

    def __len__(self) -> int:
        return len(self.names)

    def group_of(self, label: int) -> str:
        """Return the group of a class, ``''`` where there are no groups."""
        return next((name for name, (first, end) in self.groups.items() if first <= label < end), '')


def write_label_map(label_map: LabelMap, path: str | os.PathLike) -> None:
    """Write a label map as JSON.

    Raises:
        InputError: If the file cannot be written.
    """
    document = {
        'task': label_map.task,
        'placeholder': label_map.placeholder,
        'groups': {name: list(group) for name, group in label_map.groups.items()},
        'names': list(label_map.names),
    }
    write_text(path, json.dumps(document, indent=1, ensure_ascii=False) + '\n')


def read_label_map(path: str | os.PathLike, task: str | None = None) -> LabelMap:
    """Read a label map: a JSON with ``task`` and ``names``, and, where there are any, ``groups`` and ``placeholder``.

    Args:
        path (str | os.PathLike): File to read.
        task (str | None): The task that it must be of. Defaults to None, any.

    Raises:
        InputError: If the file is missing, not of this form, or of another task.
    """
    root = read_json(path)
    ranges = root['groups'].items() if 'groups' in root else ()
    groups = {name: tuple(int(edge.integer()) for edge in group) for name, group in ranges}
    placeholder = 'placeholder' in root and bool(root['placeholder'].value)
    names = tuple(name.text() for name in root['names'])
    label_map = root.build(LabelMap, root['task'].text(), names, groups, placeholder)
    if task not in (None, label_map.task):
        raise InputError(f'{path}: is a label map of the task {label_map.task!r}, not {task!r}')
    return label_map


def label_maps_beside(path: str | os.PathLike) -> dict[str, LabelMap]:
    """Return the label maps that lie beside an annotation file, by task.

    For ``train.json``: ``train_label_map_atomic.json``, else ``label_map_atomic.json``, and so for complex.

    Raises:
        InputError: If one is there but not of this form, or is of the other task.
    """
    found = {}
    for task in TASKS:
        names = (f'{Path(path).stem}_label_map_{task}.json', f'label_map_{task}.json')
        files = [file for file in (Path(path).with_name(name) for name in names) if file.is_file()]
        if files:
            found[task] = read_label_map(files[0], task)
    return found


def seal_label_map(task: str) -> LabelMap:
    """Return SEAL's label map: 172 atomic actions (61 pose, 15 person-person, 96 person-object) or 200 activities.

    SEAL's complex activities are those of ActivityNet 1.3. The names of its atomic actions are not public: the map has
    the groups of the paper (Sec. 3.2) and placeholder names.

    Args:
        task (str): ``'atomic'`` or ``'complex'``.
    """
    return read_label_map(ASSETS / f'seal_{task}.json')
