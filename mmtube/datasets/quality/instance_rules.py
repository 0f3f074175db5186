"""Rules about action instances: how long they are, where they lie, and what stands twice."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .columns import FRAME_SPAN, Columns, Instances

Places = Iterator[tuple[str, str]]
TOLERANCE_S = 0.1
SHORTEST_S = 0.6  # SEAL counts no shorter actions (Sec. 3.3)


def _span(instances: Instances, row: int) -> str:
    return f'{instances.table.start_s[row]:g} to {instances.table.end_s[row]:g} s'


def short_action(columns: Columns) -> Places:
    """an atomic action is shorter than 0.6 s"""
    aa = columns.aa
    for row in np.flatnonzero(aa.usable & (aa.table.duration_s < SHORTEST_S - 1e-6)):
        yield aa.place(row), f'lasts {aa.table.duration_s[row]:.3g} s ({_span(aa, row)}), less than {SHORTEST_S} s'


def outside_tubelet(columns: Columns) -> Places:
    """an instance reaches more than 0.1 s, or half the time between two boxes, over the frames of its tubelet"""
    tolerance_s = np.maximum(TOLERANCE_S, columns.box_step_s / 2)
    for instances in columns.instances:
        rows = np.flatnonzero(instances.usable & (np.append(columns.tubelet_video, -1)[instances.tubelet] >= 0))
        tubelet = instances.tubelet[rows]
        with np.errstate(divide='ignore', invalid='ignore'):
            bounds = columns.frame_ranges[tubelet] / columns.fps[columns.tubelet_video[tubelet]][:, None]
        over = np.maximum(bounds[:, 0] - instances.table.start_s[rows], instances.table.end_s[rows] - bounds[:, 1])
        for index in np.flatnonzero(over > tolerance_s[tubelet] + 1e-6):
            first, end = bounds[index]
            cause = f'{_span(instances, rows[index])} is not within its tubelet, {first:.6g} to {end:.6g} s'
            yield instances.place(rows[index]), cause


def instance_without_box(columns: Columns) -> Places:
    """a tubelet has boxes, but none during an instance"""
    boxes, spans = columns.annotations.boxes, columns.box_spans
    keys = columns.box_key.astype(np.int64) * FRAME_SPAN + boxes.frame_inds
    if (np.diff(keys) < 0).any():
        keys = np.sort(keys)
    for instances in columns.instances:
        rows = np.flatnonzero(instances.usable & (np.append(columns.tubelet_video, -1)[instances.tubelet] >= 0))
        tubelet = instances.tubelet[rows]
        fps = columns.fps[columns.tubelet_video[tubelet]]
        # Frame i is shown from i / fps on; of an instance outside of its tubelet another rule tells.
        with np.errstate(invalid='ignore'):
            first = np.ceil(np.nan_to_num(instances.table.start_s[rows] * fps) - 1)
            last = np.floor(np.nan_to_num(instances.table.end_s[rows] * fps))
        inside = (first <= spans[tubelet, 1]) & (last >= spans[tubelet, 0])
        rows, tubelet, first, last = (column[inside] for column in (rows, tubelet, first, last))
        key = columns.tubelet_key[tubelet] * FRAME_SPAN
        first, last = (np.clip(frames, 0, FRAME_SPAN - 1).astype(np.int64) for frames in (first, last))
        none = np.searchsorted(keys, key + first) == np.searchsorted(keys, key + last, side='right')
        for row in rows[none]:
            tid = str(instances.table.tids[row])
            yield instances.place(row), f'tubelet {tid!r} has no box in {_span(instances, row)}'


def action_outside_activity(columns: Columns) -> Places:
    """an atomic action is not within one complex activity of its tubelet (0.1 s tolerance)"""
    aa, ca = columns.aa, columns.ca
    if not len(ca.table):
        return  # a file of actions alone
    inside = within(
        np.stack([aa.table.start_s, aa.table.end_s], axis=1)[aa.usable],
        aa.tubelet[aa.usable],
        np.stack([ca.table.start_s, ca.table.end_s], axis=1)[ca.usable],
        ca.tubelet[ca.usable],
        TOLERANCE_S + 1e-6,
    )
    for row in np.flatnonzero(aa.usable)[~inside]:
        yield aa.place(row), f'{_span(aa, row)} is in no activity of tubelet {str(aa.table.tids[row])!r}'


def within(
    segments: np.ndarray, owners: np.ndarray, outer: np.ndarray, outer_owners: np.ndarray, tolerance_s: float
) -> np.ndarray:
    """Return whether each segment lies within one outer segment of the same owner.

    Args:
        segments (np.ndarray): (N, 2) float64 seconds.
        owners (np.ndarray): (N,) int64, >= 0.
        outer (np.ndarray): (M, 2) float64 seconds.
        outer_owners (np.ndarray): (M,) int64, >= 0.
        tolerance_s (float): How far a segment may reach over each end.

    Returns:
        np.ndarray: (N,) bool.
    """
    if not len(segments) or not len(outer):
        return np.zeros(len(segments), bool)
    order = np.lexsort((outer[:, 0], outer_owners))
    outer, outer_owners = outer[order], outer_owners[order]
    latest_end = outer[latest(outer_owners, outer[:, 1]), 1]
    # Of the segments of its owner that begin early enough, the one with the latest end decides.
    _, ranks = np.unique(np.concatenate([outer[:, 0], segments[:, 0] + tolerance_s]), return_inverse=True)
    keys = np.concatenate([outer_owners, owners]) * (len(ranks) + 1) + ranks
    found = np.searchsorted(keys[: len(outer)], keys[len(outer) :], side='right')
    found = np.maximum(found - 1, 0)
    return (
        (outer_owners[found] == owners)
        & (outer[found, 0] <= segments[:, 0] + tolerance_s)
        & (latest_end[found] >= segments[:, 1] - tolerance_s)
    )


def latest(owners: np.ndarray, end_s: np.ndarray) -> np.ndarray:
    """Return, for rows sorted by owner, which row of the same owner up to and with this one has the latest end.

    Examples:
        >>> latest(np.array([0, 0, 0, 1]), np.array([5.0, 2.0, 9.0, 1.0])).tolist()
        [0, 0, 2, 3]
    """
    rank = np.empty(len(owners), np.int64)  # whole numbers: adding the owner cannot lose the end in rounding
    rank[np.argsort(end_s, kind='stable')] = np.arange(len(owners))
    step = np.cumsum(np.diff(owners, prepend=owners[:1]) != 0)
    best = np.maximum.accumulate(rank + step * len(owners)) - step * len(owners)
    row_of_rank = np.empty(len(owners), np.int64)
    row_of_rank[rank] = np.arange(len(owners))
    return row_of_rank[best]


def repeats(instances: Instances) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return instances that overlap an earlier one of the same tubelet and class, that one, and whether they are equal.

    Args:
        instances (Instances): Instances of a task.

    Returns:
        tuple: (K,) int64 rows, increasing; (K,) int64 rows; (K,) bool.
    """
    rows = np.flatnonzero(instances.usable)
    table = instances.table
    order = rows[np.lexsort((table.end_s[rows], table.start_s[rows], table.labels[rows], instances.tubelet[rows]))]
    tubelet, labels, start_s, end_s = (
        column[order] for column in (instances.tubelet, table.labels, table.start_s, table.end_s)
    )
    owner = np.cumsum((np.diff(tubelet, prepend=tubelet[:1]) != 0) | (np.diff(labels, prepend=labels[:1]) != 0))
    before = latest(owner, end_s)[:-1] if len(order) else order
    later = np.arange(1, len(order))
    overlap = (owner[before] == owner[later]) & (end_s[before] > start_s[later])
    later, before = later[overlap], before[overlap]
    same = (
        (start_s[later] == start_s[later - 1]) & (end_s[later] == end_s[later - 1]) & (owner[later] == owner[later - 1])
    )
    before = np.where(same, later - 1, before)
    # Of equal rows the later one in the file is the repeat: lexsort keeps the order of the file among them.
    by_row = np.argsort(order[later], kind='stable')
    return order[later][by_row], order[before][by_row], same[by_row]


def duplicate_instance(columns: Columns) -> Places:
    """an instance stands twice"""
    for instances in columns.instances:
        for row, before, same in zip(*repeats(instances)):
            if same:
                yield instances.place(row), f'is {instances.place(before)} again'


def overlapping_instance(columns: Columns) -> Places:
    """two instances of one class overlap on one tubelet"""
    for instances in columns.instances:
        for row, before, same in zip(*repeats(instances)):
            if not same:
                other = f'{instances.place(before)}, {_span(instances, before)}'
                yield (
                    instances.place(row),
                    f'class {instances.table.labels[row]} at {_span(instances, row)} overlaps {other}',
                )


def activity_without_action(columns: Columns) -> Places:
    """a complex activity has no atomic action"""
    aa, ca = columns.aa, columns.ca
    if not len(aa.table):
        return  # a file of activities alone
    start_s, end_s, owners = aa.table.start_s[aa.usable], aa.table.end_s[aa.usable], aa.tubelet[aa.usable]
    order = np.lexsort((start_s, owners))
    rows = np.flatnonzero(ca.usable)
    first = np.searchsorted(owners[order], np.arange(len(columns.tids)))
    last = np.searchsorted(owners[order], np.arange(len(columns.tids)), side='right')
    for row in rows:
        mine = order[first[ca.tubelet[row]] : last[ca.tubelet[row]]]
        if not ((start_s[mine] < ca.table.end_s[row]) & (end_s[mine] > ca.table.start_s[row])).any():
            yield ca.place(row), f'no atomic action in {_span(ca, row)}'
