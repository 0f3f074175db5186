"""Rules about single boxes and the order of a track. Each yields (place, cause); a run of a track is one place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np

from mmtube.structures.seal import EDITED, HEAD_VISIBLE, INTERPOLATED

from .columns import Columns

Places = Iterator[tuple[str, str] | None]  # None is one more that is counted and not told
MAX_TOLD = 10_000
KNOWN_FLAGS = INTERPOLATED | EDITED | HEAD_VISIBLE
EDGE_PX = 1 / 64  # rounding of a writer
HEAD_SHARE = 1 / 3  # SEAL, Sec. 3.1
JUMP_S = 0.1  # in which nobody leaves his own box


def runs(rows: np.ndarray, *alike: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the parts of increasing rows, divided where one is left out or a column of ``alike`` changes.

    Examples:
        >>> [run.tolist() for run in runs(np.array([3, 4, 7]), np.array([1, 1, 1]))]
        [[3, 4], [7]]
    """
    if not len(rows):
        return
    breaks = np.diff(rows) != 1
    for column in alike:
        breaks |= np.diff(column) != 0
    for begin, end in pairwise([0, *(np.flatnonzero(breaks) + 1).tolist(), len(rows)]):
        yield rows[begin:end]


def _places(columns: Columns, broken: np.ndarray, cause: Callable[[np.ndarray], str]) -> Places:
    """Yield the runs of a mask over all boxes; ``cause`` is told the rows of a run."""
    rows = np.flatnonzero(broken)
    for number, run in enumerate(runs(rows, columns.box_key[rows])):
        yield (columns.box_place(run[0], run[-1]), cause(run)) if number < MAX_TOLD else None


def _box(columns: Columns, row: int) -> str:
    return '(' + ', '.join(f'{value:g}' for value in columns.annotations.boxes.boxes_px[row]) + ')'


def _beyond_px(columns: Columns) -> tuple[np.ndarray, np.ndarray]:
    """Return (N,) bool whether a proper box shares nothing with the frame, and (N,) float32 how far it is beyond it."""
    boxes, video = columns.annotations.boxes.boxes_px, columns.box_video
    width = np.append(columns.width, 0).astype(np.float32)[video]
    height = np.append(columns.height, 0).astype(np.float32)[video]
    with np.errstate(invalid='ignore'):
        beyond = np.maximum(
            np.maximum(-boxes[:, 0], -boxes[:, 1]), np.maximum(boxes[:, 2] - width, boxes[:, 3] - height)
        )
        apart = (boxes[:, 2] <= 0) | (boxes[:, 3] <= 0) | (boxes[:, 0] >= width) | (boxes[:, 1] >= height)
    return apart & columns.proper, np.where(columns.proper, beyond, 0)


def box_not_a_number(columns: Columns) -> Places:
    """a box has a coordinate that is not a finite number"""
    return _places(columns, ~columns.finite, lambda run: f'the box is {_box(columns, run[0])}')


def box_without_area(columns: Columns) -> Places:
    """a box has no width or no height, or is reversed"""
    return _places(
        columns, columns.finite & ~columns.with_area, lambda run: f'the box {_box(columns, run[0])} has no area'
    )


def box_outside_frame(columns: Columns) -> Places:
    """a box shares nothing with the frame"""
    apart, _ = _beyond_px(columns)
    return _places(
        columns,
        apart,
        lambda run: f'the box {_box(columns, run[0])} is outside the frame of {_frame_size(columns, run[0])}',
    )


def box_beyond_edge(columns: Columns) -> Places:
    """a box reaches over the edge of the frame"""
    apart, beyond = _beyond_px(columns)

    def cause(run: np.ndarray) -> str:
        worst = run[beyond[run].argmax()]
        size = _frame_size(columns, worst)
        return f'the box {_box(columns, worst)} reaches {beyond[worst]:.3g} pixels over the edge of {size}'

    return _places(columns, ~apart & (beyond > EDGE_PX), cause)


def box_in_fractions(columns: Columns) -> Places:
    """a box lies within the first pixel: fractions of the frame where pixels are needed"""
    boxes = columns.annotations.boxes.boxes_px
    broken = columns.proper & (boxes[:, 2] <= 1) & (boxes[:, 3] <= 1)
    return _places(columns, broken, lambda run: f'the box {_box(columns, run[0])} is in fractions, not in pixels')


def box_jump(columns: Columns) -> Places:
    """a box shares nothing with the one a frame before: the track may have gone over to somebody else"""
    table, video = columns.annotations.boxes, columns.box_video
    boxes, frames = table.boxes_px, table.frame_inds
    x1, y1, x2, y2 = boxes.T
    apart = (x1[1:] >= x2[:-1]) | (x1[:-1] >= x2[1:]) | (y1[1:] >= y2[:-1]) | (y1[:-1] >= y2[1:])
    rows = np.flatnonzero(apart) + 1
    rows = rows[(columns.box_key[rows] == columns.box_key[rows - 1]) & (frames[rows] == frames[rows - 1] + 1)]
    with np.errstate(invalid='ignore', divide='ignore'):
        dense = np.append(1 / columns.fps <= JUMP_S, False)[video[rows]]
    rows = rows[dense & columns.proper[rows] & columns.proper[rows - 1]]
    for row in rows[~columns.is_cut(video[rows], frames[rows])]:
        yield columns.box_place(row, row), f'goes from {_box(columns, row - 1)} to {_box(columns, row)} in one frame'


def _frame_size(columns: Columns, row: int) -> str:
    video = columns.box_video[row]
    return f'{columns.width[video]}x{columns.height[video]}'


def box_score(columns: Columns) -> Places:
    """a score is not in [0, 1]"""
    scores = columns.annotations.boxes.scores
    return _places(columns, ~((scores >= 0) & (scores <= 1)), lambda run: f'the score is {scores[run[0]]:g}')


def box_flags(columns: Columns) -> Places:
    """a flag is none of 1, 2 and 4"""
    flags = columns.annotations.boxes.flags
    return _places(columns, (flags & ~np.uint8(KNOWN_FLAGS)) != 0, lambda run: f'flags are {flags[run[0]]}')


def orphan_boxes(columns: Columns) -> Places:
    """boxes belong to no tubelet"""
    boxes = columns.annotations.boxes
    for key in np.flatnonzero(columns.key_tubelet < 0):
        count = boxes.offsets[key + 1] - boxes.offsets[key]
        yield f'boxes["{boxes.keys[key]}"]', f'no tubelet has this key ({count} boxes)'


def _steps(columns: Columns) -> np.ndarray:
    """Return (N,) int64 how many frames a box is after the one before it in its track, 1 for the first."""
    frames = columns.annotations.boxes.frame_inds
    steps = np.ones(len(frames), np.int64)
    steps[1:] = np.diff(frames.astype(np.int64))
    starts = columns.annotations.boxes.offsets[:-1]
    steps[starts[starts < len(frames)]] = 1
    return steps


def frames_not_increasing(columns: Columns) -> Places:
    """frames of a track are not in order"""
    frames = columns.annotations.boxes.frame_inds
    for row in np.flatnonzero(_steps(columns) < 0):
        yield columns.box_place(row, row), f'stands after frame {frames[row - 1]}'


def duplicate_frame(columns: Columns) -> Places:
    """a track has two boxes in one frame"""
    boxes = columns.annotations.boxes
    for key in np.unique(columns.box_key[_steps(columns) <= 0]):
        rows = np.arange(boxes.offsets[key], boxes.offsets[key + 1])
        rows = rows[np.argsort(boxes.frame_inds[rows], kind='stable')]
        again = np.flatnonzero(np.diff(boxes.frame_inds[rows]) == 0) + 1
        for before, row in zip(rows[again - 1], rows[again]):
            yield columns.box_place(row, row), f'has the boxes {_box(columns, before)} and {_box(columns, row)}'


def frame_outside_video(columns: Columns) -> Places:
    """a box is in a frame that the film does not have"""
    frames, video = columns.annotations.boxes.frame_inds, columns.box_video
    lengths = np.append(columns.num_frames, np.iinfo(np.int64).max)
    broken = (frames < 0) | (frames >= lengths[video])
    return _places(
        columns, broken & (video >= 0), lambda run: f'the film has {lengths[video[run[0]]]} frames, counted from 0'
    )


def frame_range(columns: Columns) -> Places:
    """frame_range does not go from the first box to the last"""
    spans = columns.box_spans
    for number in np.flatnonzero((spans[:, 1] >= spans[:, 0]) & (columns.frame_ranges - spans != [0, 1]).any(axis=1)):
        told, (first, last) = columns.frame_ranges[number].tolist(), spans[number]
        yield columns.tubelet_place(number), f'frame_range is {told}, but its boxes go from frame {first} to {last}'


def empty_track(columns: Columns) -> Places:
    """a tubelet has no box"""
    spans = columns.box_spans
    for number in np.flatnonzero((spans[:, 1] < spans[:, 0]) & (columns.tubelet_key >= 0)):
        yield columns.tubelet_place(number), 'has no box'


def head_visible(columns: Columns) -> Places:
    """the head is seen in less than a third of a subject's frames"""
    boxes = columns.annotations.boxes
    head = (boxes.flags & HEAD_VISIBLE) != 0
    if not head.any():
        return  # the file does not say
    tubelets, keys = columns.key_tubelet[columns.key_tubelet >= 0], np.flatnonzero(columns.key_tubelet >= 0)
    subjects = np.stack([columns.tubelet_video[tubelets], columns.person_ids[tubelets]], axis=1)
    _, first, subject = np.unique(subjects, axis=0, return_index=True, return_inverse=True)
    seen = np.diff(np.concatenate([[0], np.cumsum(head)])[boxes.offsets])[keys]
    seen, total = (
        np.bincount(subject.reshape(-1), counts).astype(np.int64) for counts in (seen, np.diff(boxes.offsets)[keys])
    )
    for number in np.flatnonzero(seen < HEAD_SHARE * total - 1e-9):
        cause = f'the head of the person is seen in {seen[number]} of {total[number]} frames'
        yield columns.tubelet_place(tubelets[first[number]]), cause
