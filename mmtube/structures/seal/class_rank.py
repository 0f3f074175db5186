"""The order of classes by frequency, counted once and then frozen.

Subsets such as top60 are classes of a rank list over training and validation data. Counting again on other data would
give other classes under the same name, so the list is a file that is made once and read ever after.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmtube.errors import InputError
from mmtube.fileio import write_text

from ..io._json import read_json

SUBSET = re.compile(r'top(\d+)(?:-(\d+))?')


@dataclass(frozen=True)
class ClassRank:
    """Classes from the most to the least frequent.

    Args:
        task (str): ``'atomic'`` or ``'complex'``.
        source (str): What was counted, for a person to read.
        order (tuple[int, ...]): Class indices, most frequent first, each class once.
        counts (tuple[int, ...]): Instances of each, in the same order.

    Raises:
        ValueError: If ``order`` is no permutation or ``counts`` does not fit it or increases.

    Examples:
        >>> rank = ClassRank.count('atomic', [2, 0, 2], num_classes=3, source='an example')
        >>> rank.order, rank.subset(0, 2)
        ((2, 0, 1), (2, 0))
    """

    task: str
    source: str
    order: tuple[int, ...]
    counts: tuple[int, ...]

    def __post_init__(self) -> None:
        if sorted(self.order) != list(range(len(self.order))):
            raise ValueError('order must hold each class once')
        if len(self.counts) != len(self.order) or list(self.counts) != sorted(self.counts, reverse=True):
            raise ValueError('counts must not increase and must be as many as classes')

    @classmethod
    def count(cls, task: str, labels: np.ndarray | list[int], num_classes: int, source: str) -> ClassRank:
        """Rank classes by how often they occur in ``labels``; of equal classes the smaller index comes first."""
        counts = np.bincount(np.asarray(labels, np.int64), minlength=num_classes)
        order = np.argsort(-counts, kind='stable')
        return cls(task, source, tuple(order.tolist()), tuple(counts[order].tolist()))

    def subset(self, first: int, end: int) -> tuple[int, ...]:
        """Return the classes of the ranks from ``first`` to ``end``, half open, from 0; (0, 60) is top60."""
        return self.order[first:end]


def write_class_rank(rank: ClassRank, path: str | os.PathLike, *, replace: bool = False) -> None:
    """Freeze a rank list as JSON.

    Args:
        rank (ClassRank): The list.
        path (str | os.PathLike): File to write.
        replace (bool): Whether an existing file with another order may be replaced. Defaults to False.

    Raises:
        InputError: If the file holds another list and ``replace`` is False, or cannot be written.
    """
    if not replace and Path(path).exists() and read_class_rank(path).order != rank.order:
        raise InputError(f'{path}: holds another order of classes, a frozen list is not changed')
    document = {'task': rank.task, 'source': rank.source, 'order': list(rank.order), 'counts': list(rank.counts)}
    write_text(path, '{\n' + ',\n'.join(f' "{key}": {json.dumps(item)}' for key, item in document.items()) + '\n}\n')


def read_class_rank(path: str | os.PathLike) -> ClassRank:
    """Read a rank list.

    Raises:
        InputError: If the file is missing or not of this form.
    """
    root = read_json(path)
    order = tuple(root['order'].array(np.int64, (None,)).tolist())
    counts = tuple(root['counts'].array(np.int64, (None,)).tolist())
    return root.build(ClassRank, root['task'].text(), root['source'].text(), order, counts)


def parse_subset(name: str) -> tuple[int, int]:
    """Return the first and the end of the ranks of a subset, half open, from 0.

    Args:
        name (str): ``top50``, or ``top50-100`` for the 50 classes after the first 50.

    Raises:
        ValueError: If the name is of another form or says no class.

    Examples:
        >>> parse_subset('top50'), parse_subset('top50-100')
        ((0, 50), (50, 100))
    """
    found = SUBSET.fullmatch(name)
    if found is None:
        raise ValueError(f'subset {name!r} is neither topN nor topN-M')
    first, end = (0, int(found[1])) if found[2] is None else (int(found[1]), int(found[2]))
    if first >= end:
        raise ValueError(f'subset {name!r} has no class')
    return first, end


def subset_classes(name: str, order: Sequence[int]) -> tuple[int, ...]:
    """Return the classes of a subset.

    Args:
        name (str): As for :func:`parse_subset`.
        order (Sequence[int]): Classes, most frequent first.

    Raises:
        ValueError: If the name cannot be parsed or asks for more ranks than there are.

    Examples:
        >>> subset_classes('top1-3', (4, 0, 2, 1))
        (0, 2)
    """
    first, end = parse_subset(name)
    if end > len(order):
        raise ValueError(f'subset {name!r} goes to rank {end}, the list has {len(order)} classes')
    return tuple(order[first:end])
