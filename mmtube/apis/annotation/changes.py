"""What a step of the annotation did or would do, as a file in which a reviewer decides.

    {"version": "mmtube-changes-1", "step": "short-refine", "persons": {tid: person},
     "changes": [{"film", "kind", "tubelet", "to", "frames": [first, last], "cause", "decision"}]}

``decision`` is what is edited: ``accepted`` is applied, ``proposed`` (nobody has decided), ``rejected`` and ``undone``
are not. ``persons`` are the IDs before the merges of a step. Merges have ``cost`` and ``gap_s`` too.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from mmtube.structures.io.documents import Node, read_json, write_json

VERSION = 'mmtube-changes-1'
DECISIONS = ('accepted', 'proposed', 'rejected', 'undone')
ACCEPTED, PROPOSED = DECISIONS[:2]


@dataclass(frozen=True)
class Change:
    """One change.

    Args:
        film (str): The film.
        kind (str): What is done, such as ``'relabel'``, ``'split'``, ``'delete'`` or ``'merge'``.
        tubelet (str): The tubelet it is done to; of a merge the earlier one.
        to (str): The tubelet that gets the boxes; of a merge the later one. ``''`` where there is none.
        frames (tuple[int, int]): First and last frame.
        cause (str): Why, for a person to read.
        decision (str): One of :data:`DECISIONS`. Defaults to 'accepted'.
        cost (float | None): Cost of a merge. Defaults to None.
        gap_s (float | None): Seconds between the two tubelets of a merge. Defaults to None.
    """

    film: str
    kind: str
    tubelet: str
    to: str
    frames: tuple[int, int]
    cause: str
    decision: str = ACCEPTED
    cost: float | None = None
    gap_s: float | None = None

    @property
    def key(self) -> tuple[str, str, str, str, tuple[int, int]]:
        """What tells one change from another, whatever was decided."""
        return self.film, self.kind, self.tubelet, self.to, self.frames

    def __str__(self) -> str:
        to = f' -> {self.to}' if self.to else ''
        return (
            f'{self.film}: {self.kind} {self.tubelet}{to}, frames {self.frames[0]} to {self.frames[1]}: {self.cause} '
            f'[{self.decision}]'
        )


@dataclass
class ChangeList:
    """The changes of a step.

    Args:
        step (str): Name of the step.
        changes (list[Change]): In the order of the films. Defaults to none.
        persons (dict[str, int]): Person of tubelets before the merges of the step. Defaults to none.
        name (str): Where they come from, for messages. Defaults to 'changes'.
    """

    step: str
    changes: list[Change] = field(default_factory=list)
    persons: dict[str, int] = field(default_factory=dict)
    name: str = 'changes'


def write_changes(changes: ChangeList, path: str | os.PathLike) -> None:
    """Write changes as JSON, one line each.

    Raises:
        InputError: If the file cannot be written.
    """
    rows: list[dict[str, Any]] = []
    for change in changes.changes:
        row: dict[str, Any] = {
            'film': change.film,
            'kind': change.kind,
            'tubelet': change.tubelet,
            'to': change.to,
            'frames': ' to '.join(map(str, change.frames)),
        }
        row |= {name: value for name in ('cost', 'gap_s') if (value := getattr(change, name)) is not None}
        rows.append({**row, 'cause': change.cause, 'decision': change.decision})
    write_json({'version': VERSION, 'step': changes.step, 'persons': changes.persons, 'changes': rows}, path)


def read_changes(path: str | os.PathLike, step: str) -> ChangeList:
    """Read changes in which somebody may have decided.

    Args:
        path (str | os.PathLike): The file.
        step (str): Step that they must be of.

    Raises:
        InputError: If the file is missing, not of this form or of another step, or a decision is unknown.
    """
    root = read_json(path)
    for name, value in (('version', VERSION), ('step', step)):
        if root[name].text() != value:
            raise root[name].error(f'must be "{value}", not "{root[name].value}"')
    persons = {tid: node.integer() for tid, node in root['persons'].items()} if 'persons' in root else {}
    return ChangeList(step, [_read_change(node) for node in root['changes']], persons, str(path))


def _read_change(node: Node) -> Change:
    decision = node['decision'].text()
    if decision not in DECISIONS:
        raise node['decision'].error(f'must be one of {", ".join(DECISIONS)}, not "{decision}"')
    first, _, last = node['frames'].text().partition(' to ')
    if not (first.isdecimal() and last.isdecimal()):
        raise node['frames'].error(f'must be such as "3 to 8", not "{node["frames"].value}"')
    texts = (node[name].text() for name in ('film', 'kind', 'tubelet', 'to'))
    numbers = {name: node[name].number() for name in ('cost', 'gap_s') if name in node}
    return Change(*texts, (int(first), int(last)), node['cause'].text(), decision, **numbers)


def decide(found: Iterable[Change], decided: ChangeList | None, apply: bool) -> list[Change]:
    """Return what was found with the decisions of a reviewer.

    Args:
        found (Iterable[Change]): What a step found.
        decided (ChangeList | None): What a reviewer decided of it; what is not in it is ``proposed``. Defaults to None.
        apply (bool): Without ``decided``: whether what the step accepts is accepted, or all is only proposed.

    Raises:
        InputError: If something was accepted that is not found, because the input has changed.
    """
    found = list(found)
    if decided is None:
        return found if apply else [replace(change, decision=PROPOSED) for change in found]
    decisions = {change.key: change.decision for change in decided.changes}
    known = {change.key for change in found}
    for number, change in enumerate(decided.changes):
        if change.decision == ACCEPTED and change.key not in known:
            row = Node(decided.name, f'changes[{number}]', None)
            raise row.error(f'{change.kind} of {change.tubelet!r} is accepted, but is not found in this input')
    return [replace(change, decision=decisions.get(change.key, PROPOSED)) for change in found]
