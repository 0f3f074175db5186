"""AVA csv: who does what at a key time.

One row for each person, key time and action: ``video,timestamp,x1,y1,x2,y2,action_id,score`` and, where asked for, the
person's ID in a ninth column. Boxes are fractions of the frame, timestamps are seconds of the film.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmtube.errors import InputError
from mmtube.fileio import write_text
from mmtube.ops import clip_boxes, denormalize_boxes, normalize_boxes

from ..tube import Tube
from ..video_result import VideoInfo, VideoResult
from ._common import check_writable, shortest, text_of, video_id_of

STEPS = 1_000_000  # boxes are rounded to a millionth of the frame
MAX_ACTIONS = 100_000  # a higher action ID is a slip, not a label map


def write_ava_csv(
    result: VideoResult,
    path: str | os.PathLike,
    *,
    score_thr: float = 0.0,
    first_id: int = 1,
    person_ids: bool = False,
) -> None:
    """Write the clip scores of a film.

    The box at a key time is the one of the tube's row nearest in time, cut at the frame; a person who is outside the
    frame then has no row. Segments are not kept.

    Args:
        result (VideoResult): The film.
        path (str | os.PathLike): File to write.
        score_thr (float): Rows with a lower score are left out. Defaults to 0.
        first_id (int): Action ID of column 0 of ``clip_scores``, which ``label_maps['clip'][0]`` names. AVA counts its
            actions from 1, so that column c is action c + 1 (MMAction2's head has an unused output 0 in front, which
            is no column here). 0 for clip scores that have kept such a column. Defaults to 1.
        person_ids (bool): Whether to add the ninth column. AVA's evaluation takes 8 columns. Defaults to False.

    Raises:
        InputError: If a number is not finite, the film's size is not known, a tube has clips but no box or a clip score
            outside [0, 1], or the file cannot be written.
    """
    check_writable(result, path)
    if result.video.width <= 0 or result.video.height <= 0:
        raise InputError(f'{path}: not written, the size of the film is not known and boxes are fractions of it')
    text = io.StringIO()
    writer = csv.writer(text, lineterminator='\n')
    video_id = video_id_of(result).encode('utf-8', 'replace').decode('utf-8')
    for tube in result.tubes:
        if not len(tube.clip_times_s):
            continue
        if not len(tube):
            raise InputError(f'{path}: not written, tube {tube.track_id} has clip scores but no box')
        if (tube.clip_scores < 0).any() or (tube.clip_scores > 1).any():
            raise InputError(f'{path}: not written, tube {tube.track_id} has a clip score outside [0, 1]')
        clips, labels = np.nonzero(tube.clip_scores >= score_thr)
        boxes = _boxes_at(tube, result.video)[clips].tolist()
        times = [_timestamp(time_s) for time_s in tube.clip_times_s[clips].tolist()]
        scores = shortest(tube.clip_scores[clips, labels]).tolist()
        last = [tube.track_id] if person_ids else []
        writer.writerows(
            [video_id, time, *(f'{value:.6g}' for value in box), label + first_id, score, *last]
            for time, box, label, score in zip(times, boxes, labels.tolist(), scores)
            if box[0] < box[2] and box[1] < box[3]
        )
    write_text(path, text.getvalue())


def _timestamp(time_s: float) -> str:
    """Four digits for a whole second, as in AVA; evaluation scripts take nothing else."""
    return f'{int(time_s):04d}' if time_s.is_integer() else repr(time_s)


def _boxes_at(tube: Tube, video: VideoInfo) -> np.ndarray:
    """Return (K, 4) float64 fractions of the frame, on the grid of the file; without area outside the frame."""
    after = np.clip(np.searchsorted(tube.times_s, tube.clip_times_s), 1, max(len(tube) - 1, 1))
    before = after - 1
    after = np.minimum(after, len(tube) - 1)
    later = tube.times_s[after] - tube.clip_times_s < tube.clip_times_s - tube.times_s[before]
    boxes_px = tube.boxes_px[np.where(later, after, before)].astype(np.float64)
    boxes = clip_boxes(normalize_boxes(boxes_px, video.width, video.height), 1, 1)
    steps = np.rint(boxes * STEPS)
    thin = (steps[:, :2] == steps[:, 2:]) & (boxes[:, :2] < boxes[:, 2:])
    steps[:, :2] -= thin & (steps[:, :2] > 0)
    steps[:, 2:] += thin & (steps[:, :2] == steps[:, 2:])
    return steps / STEPS


def read_ava_csv(
    path: str | os.PathLike,
    frame_size: tuple[int, int],
    fps: float,
    *,
    label_names: Sequence[str] = (),
    first_id: int = 1,
    video_id: str | None = None,
) -> VideoResult:
    """Read the predictions for one film as clip scores; an action without a row has the score 0.

    With the ninth column each person is one tube with that ID, one box for each key time. Without it nothing says who
    is who from one time to the next: each box is a tube of its own, numbered from 0 in the order of the file.

    Args:
        path (str | os.PathLike): File to read. A file without rows is a film without clips.
        frame_size (tuple[int, int]): Width and height of the film in pixels.
        fps (float): Frames per second, from which frame indices are made.
        label_names (Sequence[str]): Names of the actions, the first one that of ``first_id``. Defaults to (), not
            known; there are then as many actions as the highest ID says.
        first_id (int): Action ID of column 0 of ``clip_scores``, see :func:`write_ava_csv`. Defaults to 1.
        video_id (str | None): Which film, where the file has several. Defaults to None, the only one.

    Returns:
        VideoResult: The video is named by its ID.

    Raises:
        InputError: If the file is missing or not text, has several films, or a row has another number of columns, a
            value that is not a number, a score outside [0, 1], a box without area, an unknown action, or contradicts
            another row.
    """
    rows = list(_rows(path, first_id, len(label_names) or MAX_ACTIONS))
    ids = sorted({row.video_id for row in rows})
    if video_id is None and len(ids) > 1:
        raise InputError(f'{path}: holds {len(ids)} films, video_id must say which one')
    if video_id is not None and ids and video_id not in ids:
        raise InputError(f'{path}: has no row of {video_id}')
    name = video_id if video_id is not None else (ids[0] if ids else Path(path).stem)
    rows = [row for row in rows if row.video_id == name]
    groups: dict[object, dict[float, list[_Row]]] = {}
    for row in rows:
        person = row.person if row.person is not None else (row.time_s, row.box)
        groups.setdefault(person, {}).setdefault(row.time_s, []).append(row)
    classes = len(label_names) or max((row.label + 1 for row in rows), default=0)
    tubes = [
        _tube(path, person if isinstance(person, int) else index, clips, classes, frame_size, fps)
        for index, (person, clips) in enumerate(groups.items())
    ]
    video = VideoInfo(name, *frame_size, fps, 0, 0.0)
    return VideoResult(video, tubes, label_maps={'clip': list(label_names)} if label_names else {})


@dataclass(frozen=True)
class _Row:
    line: int
    video_id: str
    time_s: float
    box: tuple[float, ...]
    label: int
    score: float
    person: int | None


def _rows(path: str | os.PathLike, first_id: int, classes: int) -> Iterator[_Row]:
    reader = csv.reader(io.StringIO(text_of(path)))
    width = 0
    try:
        for fields in reader:
            if fields:
                width = width or len(fields)
                if len(fields) not in (8, 9) or len(fields) != width:
                    raise ValueError(f'has {len(fields)} columns, not {width if width in (8, 9) else "8 or 9"}')
                yield _row(reader.line_num, fields, first_id, classes)
    except (ValueError, csv.Error) as error:
        raise InputError(f'{path}:{reader.line_num}: {" ".join(str(error).split())}') from None


def _row(line: int, fields: list[str], first_id: int, classes: int) -> _Row:
    time_s, *box, score = (float(field) for field in [*fields[1:6], fields[7]])
    label = int(fields[6]) - first_id
    person = int(fields[8]) if len(fields) == 9 else None
    if not np.isfinite([time_s, *box]).all():
        raise ValueError('a value is not a finite number')
    if not (box[0] < box[2] and box[1] < box[3]):
        raise ValueError('the box has no area')
    if min(box) < -1 or max(box) > 2:
        raise ValueError('the box is not in fractions of the frame')
    if not 0 <= score <= 1:
        raise ValueError(f'the score {fields[7]} is outside [0, 1]; column 8 of an annotation file is a person')
    if not 0 <= label < classes:
        raise ValueError(f'there is no action {fields[6]}')
    if person is not None and not 0 <= person <= 2**53:
        raise ValueError(f'there is no person {fields[8]}')
    return _Row(line, fields[0], time_s, tuple(box), label, score, person)


def _tube(
    path: str | os.PathLike,
    track_id: int,
    clips: dict[float, list[_Row]],
    classes: int,
    frame_size: tuple[int, int],
    fps: float,
) -> Tube:
    times_s = np.array(sorted(clips))
    clip_scores = np.full((len(times_s), classes), -1, np.float32)
    for index, time_s in enumerate(times_s):
        for row in clips[time_s]:
            if row.box != clips[time_s][0].box:
                raise InputError(f'{path}:{row.line}: person {row.person} has another box at {row.time_s} s already')
            if clip_scores[index, row.label] >= 0:
                raise InputError(f'{path}:{row.line}: the action has a score at {row.time_s} s already')
            clip_scores[index, row.label] = row.score
    boxes = np.array([clips[time_s][0].box for time_s in times_s])
    clip_scores = np.maximum(clip_scores, 0)
    try:
        frame_inds = np.rint(times_s * fps).astype(np.int64)
        boxes_px = denormalize_boxes(boxes, *frame_size)
        return Tube(track_id, frame_inds, times_s, boxes_px, clip_times_s=times_s, clip_scores=clip_scores)
    except ValueError as error:
        line = clips[times_s[0]][0].line
        raise InputError(f'{path}:{line}: at {fps} fps and {frame_size} pixels this is no tube ({error})') from None
