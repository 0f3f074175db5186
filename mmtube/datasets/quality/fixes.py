"""Repairs that need no judgement. What could be meant in two ways stays as it is, and is reported by the check."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mmtube.structures.seal import BoxTable, Finding, InstanceTable, SEALAnnotations, TubeletRecord, VideoRecord

from .box_rules import EDGE_PX
from .columns import Columns

MAX_OVER_S = 1.0  # an instance that ends this much after its film is cut there


@dataclass(frozen=True)
class Change:
    """One repair.

    Args:
        row (str): The place in the file that was read, as a finding names it.
        before (str): What stood there.
        after (str): What stands there now; ``'dropped'`` where nothing does.
    """

    row: str
    before: str
    after: str

    def __str__(self) -> str:
        return f'{self.row}: {self.before} -> {self.after}'


def fix_annotations(
    annotations: SEALAnnotations, read_findings: Iterable[Finding] = ()
) -> tuple[SEALAnnotations, list[Change]]:
    """Repair what can only be meant in one way; repairing twice changes nothing more.

    - Boxes: those that are not finite, have no area or share nothing with the frame go, others are cut at the frame;
      tracks are put in the order of their frames, the second of two equal boxes of a frame goes.
    - ``frame_range`` goes from the first box to the last, where the film has these frames.
    - Segments: reversed ones are turned, all are cut at the film; those that then have no length, or are not finite,
      and the second of two equal instances go.
    - A film's length follows from its frames and rate where it is missing, and the number of frames likewise.

    Args:
        annotations (SEALAnnotations): What was read; it is not changed.
        read_findings (Iterable[Finding]): What reading found, for the row numbers. Defaults to none.

    Returns:
        tuple[SEALAnnotations, list[Change]]: Repaired annotations, and the repairs in the order above.
    """
    changes: list[Change] = []
    videos = {vid: _fix_video(vid, video, changes) for vid, video in annotations.videos.items()}
    annotations = replace(annotations, videos=videos)
    columns = Columns(annotations, read_findings)
    boxes = _fix_boxes(columns, changes)
    tubelets = {
        tid: _fix_range(tid, tubelet, videos.get(tubelet.vid), boxes, changes)
        for tid, tubelet in annotations.tubelets.items()
    }
    aa, ca = (_fix_instances(columns, number, changes) for number in (0, 1))
    return replace(annotations, tubelets=tubelets, aa=aa, ca=ca, boxes=boxes), changes


def _fix_video(vid: str, video: VideoRecord, changes: list[Change]) -> VideoRecord:
    fixed = video
    if np.isfinite(video.fps) and video.fps > 0:
        long = np.isfinite(video.duration_s) and video.duration_s > 0
        if not long and video.num_frames > 0:
            fixed = replace(video, duration_s=video.num_frames / video.fps)
        elif long and video.num_frames < 1:
            fixed = replace(video, num_frames=max(1, round(video.duration_s * video.fps)))
    if fixed != video:
        told = (f'{record.num_frames} frames in {record.duration_s:g} s' for record in (video, fixed))
        changes.append(Change(f'videos["{vid}"]', *told))
    return fixed


def _fix_boxes(columns: Columns, changes: list[Change]) -> BoxTable:
    table = columns.annotations.boxes
    boxes, frames = np.array(table.boxes_px), table.frame_inds
    known = columns.box_video >= 0
    sizes = np.stack([columns.width, columns.height] * 2, axis=1).astype(np.float32)
    usable = np.append((sizes > 0).all(axis=1), False)[columns.box_video] & known
    limit = np.append(sizes, np.zeros((1, 4), np.float32), axis=0)[columns.box_video]
    with np.errstate(invalid='ignore'):
        beyond = usable & ((boxes < -EDGE_PX) | (boxes > limit + EDGE_PX)).any(axis=1)
        boxes[beyond] = np.clip(boxes[beyond], 0, limit[beyond])
        keep = np.isfinite(table.boxes_px).all(axis=1) & (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
    for row in np.flatnonzero(~keep | beyond):
        after = _box(boxes[row]) if keep[row] else 'dropped'
        changes.append(Change(columns.box_place(row, row), _box(table.boxes_px[row]), after))
    order = np.arange(len(frames))
    steps = np.diff(frames.astype(np.int64), prepend=-1)
    inner = np.ones(len(frames), bool)
    inner[table.offsets[:-1][table.offsets[:-1] < len(frames)]] = False
    for key in np.unique(columns.box_key[inner & (steps <= 0)]):
        begin, end = table.offsets[key], table.offsets[key + 1]
        order[begin:end] = begin + np.argsort(frames[begin:end], kind='stable')
        if (np.diff(frames[begin:end]) < 0).any():
            told = f'{(np.diff(frames[begin:end]) < 0).sum()} frames out of order'
            changes.append(Change(f'boxes["{table.keys[key]}"]', told, 'sorted'))
        _drop_equal(columns, boxes, order[begin:end], keep, changes)
    order = order[keep[order]]
    kept = np.concatenate([[0], np.cumsum(keep)])[table.offsets]
    return BoxTable(table.keys, kept, frames[order], boxes[order], table.scores[order], table.flags[order])


def _drop_equal(columns: Columns, boxes: np.ndarray, rows: np.ndarray, keep: np.ndarray, changes: list[Change]) -> None:
    """Drop the later of equal boxes in one frame of a track, whose rows are in the order of frames."""
    frames = columns.annotations.boxes.frame_inds
    seen: dict[int, list[int]] = {}
    for row in rows[keep[rows]].tolist():
        others = seen.setdefault(int(frames[row]), [])
        if any((boxes[row] == boxes[other]).all() for other in others):
            keep[row] = False
            changes.append(Change(columns.box_place(row, row), f'{_box(boxes[row])} twice', 'dropped'))
        else:
            others.append(row)


def _box(box: np.ndarray) -> str:
    return '(' + ', '.join(f'{value:g}' for value in box) + ')'


def _fix_range(
    tid: str, tubelet: TubeletRecord, video: VideoRecord | None, boxes: BoxTable, changes: list[Change]
) -> TubeletRecord:
    frames = boxes[tubelet.box_key].frame_inds if tubelet.box_key in boxes else np.zeros(0, np.int32)
    if not len(frames):
        return tubelet
    span = (int(frames[0]), int(frames[-1]) + 1)
    within_film = span[0] >= 0 and (video is None or span[1] <= video.num_frames)
    if span == tubelet.frame_range or not within_film:
        return tubelet
    changes.append(Change(f'tubelets["{tid}"]', f'frame_range {list(tubelet.frame_range)}', str(list(span))))
    return replace(tubelet, frame_range=span)


def _fix_instances(columns: Columns, number: int, changes: list[Change]) -> InstanceTable:
    instances = columns.instances[number]
    table = instances.table
    durations = [video.duration_s for video in columns.annotations.videos.values()]
    lengths = np.array([length if length > 0 else np.inf for length in durations] + [np.inf])
    film = np.append(columns.tubelet_video, -1)[instances.tubelet]
    start_s, end_s = np.minimum(table.start_s, table.end_s), np.maximum(table.start_s, table.end_s)
    slightly = (start_s >= -MAX_OVER_S) & (
        end_s <= lengths[film] + MAX_OVER_S
    )  # more than that may be a slip of a digit
    start_s, end_s = (np.where(slightly, np.clip(times, 0, lengths[film]), times) for times in (start_s, end_s))
    finite = np.isfinite(table.start_s) & np.isfinite(table.end_s)
    drop = ~(finite & (end_s > start_s))
    changed = drop | (start_s != table.start_s) | (end_s != table.end_s)
    equal = _equal_rows([table.tids, table.labels, table.groups, start_s, end_s], ~drop)
    for row in np.flatnonzero(changed | equal):
        before, after = (f'{first:g} to {end:g} s' for first, end in _spans(table, start_s, end_s, row))
        place = instances.place(row)
        if equal[row]:
            changes.append(Change(place, f'class {table.labels[row]} at {after} twice', 'dropped'))
        else:
            changes.append(Change(place, before, 'dropped' if drop[row] else after))
    keep = ~(drop | equal)
    return InstanceTable(table.tids[keep], table.labels[keep], table.groups[keep], start_s[keep], end_s[keep])


def _spans(table: InstanceTable, start_s: np.ndarray, end_s: np.ndarray, row: int) -> Sequence[tuple[float, float]]:
    return (table.start_s[row], table.end_s[row]), (start_s[row], end_s[row])


def _equal_rows(columns: list[np.ndarray], keep: np.ndarray) -> np.ndarray:
    """Return (M,) bool: the row repeats an earlier one; rows that are not kept neither repeat nor are repeated."""
    rows = np.flatnonzero(keep)
    if not len(rows):
        return np.zeros(len(keep), bool)
    codes = [np.unique(column[rows], return_inverse=True)[1] for column in columns]
    _, first, inverse = np.unique(np.stack(codes), axis=1, return_index=True, return_inverse=True)
    repeated = np.zeros(len(keep), bool)
    repeated[rows] = first[inverse.reshape(-1)] != np.arange(len(rows))
    return repeated
