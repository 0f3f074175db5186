"""Two classes become one, where they mean the same (SEAL, Sec. 3.2, quality assurance)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mmtube.errors import InputError
from mmtube.structures.seal import InstanceTable, LabelMap, SEALAnnotations


def merge_classes(
    annotations: SEALAnnotations, label_map: LabelMap, name: str, into: str
) -> tuple[SEALAnnotations, LabelMap]:
    """Give the instances of one class to another and drop the class; classes behind it move up by one.

    Where instances of the two overlap or touch on one tubelet, they become one; all others stay as they are.

    Args:
        annotations (SEALAnnotations): Annotations; they are not changed.
        label_map (LabelMap): Classes of the task in question.
        name (str): Class that goes.
        into (str): Class that takes its instances.

    Returns:
        tuple[SEALAnnotations, LabelMap]: New annotations and the new label map.

    Raises:
        InputError: If a class is not in the label map, both are one, or they are of different groups.
    """
    for told in (name, into):
        if told not in label_map.names:
            raise InputError(f'the {label_map.task} label map has no class {told!r}')
    gone, target = label_map.names.index(name), label_map.names.index(into)
    if gone == target:
        raise InputError(f'class {name!r} cannot be merged with itself')
    group = label_map.group_of(target)
    if label_map.group_of(gone) != group:
        raise InputError(f'{name!r} is a class of {label_map.group_of(gone)!r} and {into!r} of {group!r}: not merged')
    table = annotations.instances(label_map.task)
    table.check_classes(len(label_map), f'{annotations.name}: {label_map.task}')
    labels = np.where(table.labels == gone, target, table.labels)
    table = _joined(replace(table, labels=labels), target, table.labels == gone)
    table = replace(table, labels=table.labels - (table.labels > gone))
    groups = {key: tuple(edge - (edge > gone) for edge in edges) for key, edges in label_map.groups.items()}
    names = tuple(told for told in label_map.names if told != name)
    column = 'aa' if label_map.task == 'atomic' else 'ca'
    return replace(annotations, **{column: table}), replace(label_map, names=names, groups=groups)


def _joined(table: InstanceTable, label: int, came: np.ndarray) -> InstanceTable:
    """Join instances of a class that overlap or touch on one tubelet and of which one ``came`` from the other class."""
    rows = np.flatnonzero(table.labels == label)
    order = rows[np.lexsort((table.start_s[rows], table.tids[rows]))]
    start_s, end_s, keep = table.start_s.copy(), table.end_s.copy(), np.ones(len(table), bool)
    came, first = came.copy(), -1
    for row in order.tolist():
        meets = first >= 0 and table.tids[first] == table.tids[row] and table.start_s[row] <= end_s[first]
        if meets and (came[first] or came[row]):
            end_s[first] = max(end_s[first], table.end_s[row])
            keep[row], came[first] = False, True
        else:
            first = row
    return replace(table, start_s=start_s, end_s=end_s).rows(keep)
