"""AVA annotations, many films to a file: who does what at a key time.

One row for each person, key time and action: ``video,timestamp,x1,y1,x2,y2,action_id,person_id``. Boxes are fractions
of the frame, timestamps seconds, actions are counted from 1 (AVA, Sec. 3). AVA cuts minutes 15 to 30 out of its films
and goes on counting, so that timestamp 902 may be second 2 of a file: say so with ``start_s=900``.
"""

from __future__ import annotations

import csv
import io
import math
import os

import numpy as np

from mmtube.errors import InputError
from mmtube.fileio import atomic_path
from mmtube.ops import clip_boxes, denormalize_boxes, normalize_boxes

from ...io._common import text_of
from ..annotations import SEALAnnotations
from ..findings import Finding
from ..label_map import LabelMap
from ..records import VideoRecord
from ._common import Collector, Losses, Videos, counted, own_boxes

MAX_ACTION = 100_000  # a higher action ID is a slip
STEPS = 1_000_000  # boxes are written to a millionth of the frame
EDGE = 1e-3  # of the frame: what a box of three digits may lie beyond it
Box = tuple[float, ...]  # xyxy as fractions of the frame, within it


def read_ava_csv(
    path: str | os.PathLike,
    videos: Videos,
    *,
    label_map: LabelMap | None = None,
    first_id: int = 1,
    start_s: float = 0.0,
    step_s: float = 1.0,
    findings: list[Finding] | None = None,
) -> SEALAnnotations:
    """Read AVA annotations.

    Each person of a film becomes one tubelet with a box at each of the key times, in the nearest frame; without the
    person's column each box is a tubelet of its own. An action at key time t stands for [t - step/2, t + step/2);
    neighbouring seconds of one action are joined, and the instance is cut at the ends of the film. A row that has
    nothing but film and time says that nobody is there.

    Args:
        path (str | os.PathLike): File to read.
        videos (Videos): Films by ID (see ``read_videos``): pixels and frames come from them.
        label_map (LabelMap | None): Classes, for their groups. Defaults to None, groups stay empty.
        first_id (int): Action ID of class 0. Defaults to 1.
        start_s (float): Timestamp at which the films begin; 900 for AVA's 15 minutes. Defaults to 0.
        step_s (float): Seconds between key times. Defaults to 1.
        findings (list[Finding] | None): Where given, wrong rows are left out and told here. Defaults to None: refused.

    Returns:
        SEALAnnotations: With the films that have a row, in the order of the file.

    Raises:
        InputError: If the file is missing or not text, or a row has another number of columns, something that is no
            number, a film that is not in the table, a time outside it, a box in pixels or without area, an unknown
            action, or contradicts another row.
    """
    collector = Collector(path, videos)
    lines, fields = _rows(path, collector)
    people: dict[tuple[str, str], dict[float, tuple[Box, set[int]]]] = {}
    for line, row in zip(lines, fields):
        nobody = not any(row[2:])
        try:
            if nobody:
                _film(row[0], collector)
                continue
            vid, person, time_s, box, label = _parse(row, line, collector, first_id, start_s, label_map)
            known, labels = people.setdefault((vid, person), {}).setdefault(time_s, (box, set()))
            if known != box:
                raise ValueError(f'person {person} has another box at this time already')
            if label in labels:
                raise ValueError(f'person {person} has this action at this time already')
            labels.add(label)
        except ValueError as error:
            collector.wrong(f'line {line}', 'ava-row', str(error))
    numbers: dict[str, int] = {}
    for (vid, person), keys in people.items():
        person_id = int(person) if person.isdecimal() else numbers.get(vid, 0)
        numbers[vid] = numbers.get(vid, 0) + 1
        _add_person(collector, vid, person_id, keys, label_map, step_s)
    return collector.finish(findings)


def _rows(path: str | os.PathLike, collector: Collector) -> tuple[list[int], list[list[str]]]:
    reader = csv.reader(io.StringIO(text_of(path)))
    lines, fields, width = [], [], 0
    try:
        for row in reader:
            if not row or not any(row):
                continue
            width = width or (len(row) if len(row) in (7, 8) else 0)
            if len(row) == 2 or (len(row) in (7, 8) and len(row) == width):
                lines.append(reader.line_num)
                fields.append([field.strip() for field in row])
            else:
                cause = f'has {len(row)} columns, not {width or "8 (or 7 without the person)"}'
                collector.wrong(f'line {reader.line_num}', 'ava-columns', cause)
    except csv.Error as error:
        raise InputError(f'{path}: line {reader.line_num}: {error}') from None
    return lines, fields


def _parse(
    row: list[str], line: int, collector: Collector, first_id: int, start_s: float, label_map: LabelMap | None
) -> tuple[str, str, float, Box, int]:
    """Return film, person, seconds of the film, box and class of a row."""
    time_s, *box = map(float, row[1:6])
    if not all(map(math.isfinite, (time_s, *box))):
        raise ValueError('a value is not a finite number')
    if min(box) < -EDGE or max(box) > 1 + EDGE:
        raise ValueError(f'the box {",".join(row[2:6])} is not in fractions of the frame')
    inside = tuple(min(max(value, 0.0), 1.0) for value in box)
    if not (inside[0] < inside[2] and inside[1] < inside[3]):
        raise ValueError('the box has no area')
    label = int(row[6]) - first_id
    if not 0 <= label < (MAX_ACTION if label_map is None else len(label_map)):
        raise ValueError(f'there is no action {row[6]}, the first one is {first_id}')
    person = row[7] if len(row) == 8 else f'line {line}'
    if len(row) == 8 and not (person.isdecimal() and len(person) < 16):
        raise ValueError(f'there is no person {person}')
    video = _film(row[0], collector)
    time_s -= start_s
    if not 0 <= time_s <= video.duration_s:
        raise ValueError(f'timestamp {row[1]} is second {time_s:g} of a film of {video.duration_s:g} s')
    return row[0], str(int(person)) if len(row) == 8 else person, time_s, inside, label


def _film(vid: str, collector: Collector) -> VideoRecord:
    video = collector.video(vid)
    if video is None:
        raise ValueError(f'the film {vid!r} is not in the table of films')
    return video


def _add_person(
    collector: Collector,
    vid: str,
    person_id: int,
    keys: dict[float, tuple[Box, set[int]]],
    label_map: LabelMap | None,
    step_s: float,
) -> None:
    video = collector.videos[vid]
    times = sorted(keys)
    frames = np.minimum(np.rint(np.array(times) * video.fps).astype(np.int64), video.num_frames - 1)
    keep = np.flatnonzero(np.diff(frames, prepend=-1) > 0)  # key times nearer than a frame share its box
    boxes = denormalize_boxes(np.array([keys[times[row]][0] for row in keep]), video.width, video.height)
    tid = collector.tubelet(vid, person_id, (frames[keep], boxes, np.ones(len(keep)), np.zeros(len(keep))))
    by_label: dict[int, list[float]] = {}
    for time_s in times:
        for label in keys[time_s][1]:
            by_label.setdefault(label, []).append(time_s)
    for label, found in sorted(by_label.items()):
        group = label_map.group_of(label) if label_map is not None else ''
        for run in np.split(np.array(found), np.flatnonzero(np.diff(found) > step_s * 1.001) + 1):
            start, end = max(float(run[0]) - step_s / 2, 0.0), min(float(run[-1]) + step_s / 2, video.duration_s)
            collector.rows['atomic'].append((tid, label, group, start, end))


def write_ava_csv(
    annotations: SEALAnnotations,
    path: str | os.PathLike,
    *,
    first_id: int = 1,
    start_s: float = 0.0,
    window_s: float = 2.0,
    stride_s: float = 1.0,
) -> Losses:
    """Write the atomic actions that are going on at the key times of SEAL's clips.

    Clip k covers [k stride, k stride + window); its middle is the key time (SEAL, Sec. 3.2). A person is there with the
    box nearest to it, at most one frame away, cut at the frame. A person who does nothing then has no row: AVA has none
    for that.

    Args:
        annotations (SEALAnnotations): Valid annotations.
        path (str | os.PathLike): File to write.
        first_id (int): Action ID of class 0. Defaults to 1.
        start_s (float): Timestamp at which the films begin. Defaults to 0.
        window_s (float): Length of a clip; 0 for key times from the first to the last moment. Defaults to 2.
        stride_s (float): Seconds between key times. Defaults to 1.

    Returns:
        Losses: What the file does not hold, counted.

    Raises:
        InputError: If two tubelets of a person have a box at one key time, or the file cannot be written.
    """
    rows_written = boxes_written = 0
    seen: set[int] = set()
    by_tubelet = annotations.rows_by_tubelet('atomic')
    with atomic_path(path) as temporary, temporary.open('w', encoding='utf-8', newline='') as stream:
        writer = csv.writer(stream, lineterminator='\n')
        for vid, tids in annotations.tids_by_video().items():
            video = annotations.videos[vid]
            count = int(np.floor((video.duration_s - window_s) / stride_s + 1e-9)) + 1
            keys = np.arange(max(count, 0)) * stride_s + window_s / 2
            found: list[tuple[int, int, list]] = []
            owners: dict[tuple[int, int], str] = {}
            for tid in tids:
                person = annotations.tubelets[tid].person_id
                rows = by_tubelet.get(tid, np.zeros(0, np.int64))
                at, boxes = _boxes_at(annotations, tid, video, keys)
                active = (annotations.aa.start_s[rows] <= keys[at, None]) & (
                    keys[at, None] < annotations.aa.end_s[rows]
                )
                for key, box, mask in zip(at.tolist(), boxes.tolist(), active):
                    if not mask.any():
                        continue
                    if owners.setdefault((key, person), tid) != tid:
                        other = owners[key, person]
                        raise InputError(
                            f'{path}: not written, person {person} of {vid!r} has a box in {other!r} and in {tid!r} '
                            f'at {keys[key]:g} s'
                        )
                    boxes_written += 1
                    seen.update(rows[mask].tolist())
                    head = [vid, _timestamp(float(keys[key]) + start_s), *(f'{value:.6g}' for value in box)]
                    labels = np.unique(annotations.aa.labels[rows[mask]]) + first_id
                    found += [(key, person, [*head, label, person]) for label in labels.tolist()]
            found.sort(key=lambda item: item[:2])
            writer.writerows(row for _, _, row in found)
            rows_written += len(found)
    return counted(
        {
            'boxes': own_boxes(annotations).sum() - boxes_written,
            'atomic instances between key times': len(annotations.aa) - len(seen),
            'complex instances': len(annotations.ca),
        }
    )


def _boxes_at(
    annotations: SEALAnnotations, tid: str, video: VideoRecord, keys: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the key times (M,) at which a tubelet has a box, and the boxes (M, 4) as fractions of the frame."""
    track = annotations.track(tid)
    if not len(track.frame_inds) or not len(keys):
        return np.zeros(0, np.int64), np.zeros((0, 4))
    frames = np.asarray(track.frame_inds, np.float64)
    wanted = keys * video.fps
    after = np.clip(np.searchsorted(frames, wanted), 0, len(frames) - 1)
    before = np.maximum(after - 1, 0)
    nearest = np.where(np.abs(frames[after] - wanted) < np.abs(frames[before] - wanted), after, before)
    boxes = clip_boxes(
        normalize_boxes(np.asarray(track.boxes_px, np.float64)[nearest], video.width, video.height), 1, 1
    )
    boxes = np.rint(boxes * STEPS) / STEPS
    there = (np.abs(frames[nearest] - wanted) <= 1) & (boxes[:, :2] < boxes[:, 2:]).all(axis=1)
    return np.flatnonzero(there), boxes[there]


def _timestamp(time_s: float) -> str:
    """Four digits for a whole second, as in AVA."""
    return f'{int(time_s):04d}' if time_s.is_integer() else repr(time_s)
