"""Labels that count from another number than the class list, and rows that stand twice."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mmtube.structures.seal import Finding

from .columns import Keys, Labels


def _share(mask: np.ndarray) -> str:
    return f'{int(mask.sum()):,d} of {len(mask):,d}'


def label_findings(labels: Labels) -> Iterator[Finding]:
    """Find labels that are none of the classes, and say whether all are one too high or too low.

    Yields:
        Finding: At most one: ``label-offset``, ``unknown-label`` or the hint ``first-class-unused``.
    """
    values = labels.values
    if labels.names is None or not len(values):
        return
    known = np.array(sorted(labels.names), np.int64)
    first, last = int(known[0]), int(known[-1])
    low, high = int(values.min()), int(values.max())
    unknown = ~np.isin(values, known)
    if unknown.any():
        row = int(np.argmax(unknown))
        told = f'label {values[row]} is none of the {len(known)} classes {first} to {last}'
        down, up = np.isin(values - 1, known).all(), np.isin(values + 1, known).all()
        if down and high == last + 1:
            cause = f'{told}: the labels go from {low} to {high}, one too high; they count from {first + 1}'
            yield Finding(labels.file, labels.place(row), 'label-offset', f'{cause} where {first} is expected')
        elif up and low == first - 1:
            cause = f'{told}: the labels go from {low} to {high}, one too low; they count from {first - 1}'
            yield Finding(labels.file, labels.place(row), 'label-offset', f'{cause} where {first} is expected')
        else:
            yield Finding(labels.file, labels.place(row), 'unknown-label', f'{told} ({_share(unknown)} labels)')
        return
    used = np.isin(known, values)
    if len(known) > 2 and not used[0] and used[1:].all():
        cause = f'class {first} ({labels.names[first]!r}) alone never occurs: do the labels count from {first + 1}?'
        yield Finding(labels.file, labels.place(int(np.argmin(values))), 'first-class-unused', cause)
    elif len(known) > 2 and not used[-1] and used[:-1].all():
        cause = f'class {last} ({labels.names[last]!r}) alone never occurs: do the labels count from {first - 1}?'
        yield Finding(labels.file, labels.place(int(np.argmax(values))), 'last-class-unused', cause)


def duplicate_findings(keys: Keys) -> Iterator[Finding]:
    """Find rows that say the same as an earlier one.

    Yields:
        Finding: At most one, ``duplicate-row``: of two alike the second can be found by no detection.
    """
    if len(keys.values) < 2:
        return
    values = keys.values.reshape(len(keys.values), -1)
    # Rows as bytes: unique over axis 0 sorts a million rows ten times slower.
    packed = np.ascontiguousarray(values).view([('', values.dtype)] * values.shape[1]).reshape(-1)
    _, first, inverse = np.unique(packed, return_index=True, return_inverse=True)
    again = first[inverse.reshape(-1)] != np.arange(len(packed))
    if again.any():
        row = int(np.argmax(again))
        original = keys.place(int(first[inverse.reshape(-1)[row]]))
        cause = f'is the same {keys.noun} as {original}: a detection can find only one of them'
        yield Finding(
            keys.file, keys.place(row), 'duplicate-row', f'{cause} ({_share(again)} {keys.noun}s stand twice)'
        )
