"""MOTChallenge text: boxes with IDs, or detections without.

One row for each box: ``frame,id,left,top,width,height,conf,-1,-1,-1``. MOTChallenge counts frames *and pixels* from 1:
the top left pixel of the picture is (1, 1). Frame index 0 is therefore written as 1, and ``left`` is ``x1 + 1``; the
readers subtract both again, as motmetrics does.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from mmtube.errors import InputError
from mmtube.fileio import write_text

from ..detections import FrameDetections
from ..tube import Tube
from ..video_result import VideoInfo, VideoResult
from ._common import check_writable, shortest, text_of

COLUMNS = ('frame', 'id', 'left', 'top', 'width', 'height', 'conf')
STEPS_PER_PIXEL = 1000


def write_mot_txt(result: VideoResult, path: str | os.PathLike) -> None:
    """Write the boxes and IDs of a film, ordered by frame and ID.

    Boxes are rounded to a thousandth of a pixel (a side is never written as less), scores are exact. Rows that were
    filled in are written like the others. A film without people gives a file without rows.

    Args:
        result (VideoResult): The film.
        path (str | os.PathLike): File to write.

    Raises:
        InputError: If a number is not finite, two tubes share an ID, or the file cannot be written.
    """
    check_writable(result, path)
    tubes = [tube for tube in result.tubes if len(tube)]
    _write_rows(
        path,
        [tube.frame_inds for tube in tubes],
        [np.full(len(tube), tube.track_id) for tube in tubes],
        [tube.boxes_px for tube in tubes],
        [tube.scores for tube in tubes],
    )


def write_mot_detections(detections: Iterable[FrameDetections], path: str | os.PathLike) -> None:
    """Write detections: rows with the ID -1, ordered by frame.

    Args:
        detections (Iterable[FrameDetections]): One item for each frame; appearance features are not kept.
        path (str | os.PathLike): File to write.

    Raises:
        InputError: If a number is not finite or the file cannot be written.
    """
    frames = [frame for frame in detections if len(frame)]
    for frame in frames:
        if not (np.isfinite(frame.boxes_px).all() and np.isfinite(frame.scores).all()):
            raise InputError(f'{path}: not written, frame {frame.frame_ind} has a number that is not finite')
        if (frame.boxes_px[:, 2:] < frame.boxes_px[:, :2]).any():
            raise InputError(f'{path}: not written, frame {frame.frame_ind} has a reversed box')
    _write_rows(
        path,
        [np.full(len(frame), frame.frame_ind) for frame in frames],
        [np.full(len(frame), -1) for frame in frames],
        [frame.boxes_px for frame in frames],
        [frame.scores for frame in frames],
    )


def _write_rows(
    path: str | os.PathLike,
    frame_inds: list[np.ndarray],
    ids: list[np.ndarray],
    boxes_px: list[np.ndarray],
    scores: list[np.ndarray],
) -> None:
    if not frame_inds:
        write_text(path, '')
        return
    frame_numbers, id_numbers = np.concatenate(frame_inds) + 1, np.concatenate(ids)
    boxes = np.concatenate(boxes_px).astype(np.float64)
    # Both corners are rounded, not the sides, so that the far corner is as exact as the near one.
    steps = np.rint((boxes + 1) * STEPS_PER_PIXEL)
    sides = steps[:, 2:] - steps[:, :2]
    sides[(sides == 0) & (boxes[:, 2:] > boxes[:, :2])] = 1
    columns = [frame_numbers, id_numbers, *steps[:, :2].T / STEPS_PER_PIXEL, *sides.T / STEPS_PER_PIXEL]
    order = np.lexsort([id_numbers, frame_numbers])
    rows = zip(*(column[order].tolist() for column in [*columns, shortest(np.concatenate(scores))]))
    lines = [
        f'{frame},{track_id},{left:.12g},{top:.12g},{width:.12g},{height:.12g},{score:.9g},-1,-1,-1\n'
        for frame, track_id, left, top, width, height, score in rows
    ]
    write_text(path, ''.join(lines))


def read_mot_txt(
    path: str | os.PathLike,
    fps: float = 25.0,
    frame_size: tuple[int, int] = (0, 0),
    num_frames: int | None = None,
) -> VideoResult:
    """Read boxes with IDs. Rows may come in any order, with spaces and blank lines, separated by commas or spaces.

    Args:
        path (str | os.PathLike): File to read; 6 columns or more. A file without rows is a film without people.
        fps (float): Frames per second, from which the times are made. Defaults to 25.
        frame_size (tuple[int, int]): Width and height of the film in pixels, which the format does not hold. Defaults
            to (0, 0), not known.
        num_frames (int | None): Frames of the film. Defaults to None, the last frame that has a box.

    Returns:
        VideoResult: Tubes ordered by ID, without actions; the video is named after the file. A score that is absent or
        -1 (MOTChallenge's "not given") is read as 1; in ground truth the column is the flag "to be considered".

    Raises:
        InputError: If the file is missing or not text, or a row has a value that is not a finite number, a frame below
            1, an ID below 0, a box without area, or an ID for the second time in its frame.
    """
    table = _Table(path)
    table.refuse(table.ids < 0, 'the ID is negative; detections are read by read_mot_detections')
    table.refuse((table.boxes_px[:, 2:] <= table.boxes_px[:, :2]).any(axis=1), 'the box has no area')
    order = np.lexsort([table.frame_inds, table.ids])
    ids, frame_inds = table.ids[order], table.frame_inds[order]
    again = np.zeros(len(order), bool)
    again[order[1:]] = (np.diff(ids) == 0) & (np.diff(frame_inds) == 0)
    table.refuse(again, 'the ID has a box in this frame already')
    scores = np.where(table.scores == -1, np.float32(1), table.scores)
    tubes = [
        Tube(
            int(table.ids[rows[0]]),
            table.frame_inds[rows],
            table.frame_inds[rows] / _rate(fps),
            table.boxes_px[rows],
            scores[rows],
        )
        for rows in np.split(order, np.flatnonzero(np.diff(ids)) + 1)
        if len(rows)
    ]
    last = table.frame_count(num_frames)
    return VideoResult(VideoInfo(Path(path).stem, *frame_size, fps, last, last / _rate(fps)), tubes)


def read_mot_detections(
    path: str | os.PathLike, fps: float = 25.0, num_frames: int | None = None
) -> list[FrameDetections]:
    """Read boxes and scores; the ID column, -1 in such files, is ignored.

    Args:
        path (str | os.PathLike): File to read; 6 columns or more.
        fps (float): Frames per second, from which the times are made. Defaults to 25.
        num_frames (int | None): Frames of the film: one item is returned for each, empty where the file has no box.
            Defaults to None, only the frames that have a box.

    Returns:
        list[FrameDetections]: In the order of time; inside a frame in the order of the file. Scores are kept as they
        are (some detectors of MOTChallenge score beyond [0, 1]); without the column they are 1.

    Raises:
        InputError: If the file is missing or not text, or a row has a value that is not a finite number, a frame below
            1 or beyond ``num_frames``, or a negative width or height.
    """
    table = _Table(path)
    count = table.frame_count(num_frames)
    order = np.argsort(table.frame_inds, kind='stable')
    frame_inds = np.unique(table.frame_inds) if num_frames is None else np.arange(count)
    edges = np.searchsorted(table.frame_inds[order], frame_inds, side='right')
    groups = np.split(order, edges[:-1]) if len(edges) else []
    return [
        FrameDetections(int(frame_ind), float(frame_ind / _rate(fps)), table.boxes_px[rows], table.scores[rows])
        for frame_ind, rows in zip(frame_inds, groups)
    ]


def _rate(fps: float) -> float:
    if not 0 < fps < np.inf:
        raise ValueError(f'fps must be positive, got {fps}')
    return fps


class _Table:
    """The columns of a file, checked as far as tracks and detections have it in common."""

    def __init__(self, path: str | os.PathLike) -> None:
        self.path = path
        self._lines = text_of(path).splitlines()
        filled = [line for line in self._lines if line and not line.isspace()]
        values = self._parse(filled) if filled else np.zeros((0, len(COLUMNS)))
        self.refuse(~np.isfinite(values).all(axis=1), 'a value is not a finite number')
        whole = (values[:, :2] == np.floor(values[:, :2])) & (np.abs(values[:, :2]) <= 2.0**53)
        self.refuse(~whole.all(axis=1), 'frame and ID must be whole numbers')
        self.refuse(values[:, 0] < 1, 'frames are counted from 1')
        self.refuse((values[:, 4:6] < 0).any(axis=1), 'the width or height is negative')
        self.frame_inds = values[:, 0].astype(np.int64) - 1
        self.ids = values[:, 1].astype(np.int64)
        corners = np.concatenate([values[:, 2:4], values[:, 2:4] + values[:, 4:6]], axis=1) - 1
        limit = float(np.finfo(np.float32).max)
        self.refuse((np.abs(corners) > limit).any(axis=1) | (np.abs(values[:, 6]) > limit), 'a value is out of range')
        self.boxes_px = corners.astype(np.float32)
        self.scores = values[:, 6].astype(np.float32)

    def _parse(self, lines: list[str]) -> np.ndarray:
        delimiter = ',' if ',' in lines[0] else None
        columns = min(len(lines[0].split(delimiter)), len(COLUMNS))
        if columns < len(COLUMNS) - 1:
            self.refuse(np.arange(len(lines)) == 0, f'has {columns} columns, at least 6 are needed')
        try:
            values = np.loadtxt(lines, delimiter=delimiter, usecols=range(columns), comments=None, ndmin=2)
        except ValueError as error:
            self.refuse(np.array([not _is_row(line, delimiter, columns) for line in lines]), 'a value is not a number')
            raise InputError(f'{self.path}: is not MOT text ({" ".join(str(error).split())})') from None
        return values if columns == len(COLUMNS) else np.column_stack([values, np.ones(len(values))])

    def frame_count(self, num_frames: int | None) -> int:
        """Return the number of frames; rows beyond it are refused."""
        if num_frames is None:
            return int(self.frame_inds.max()) + 1 if len(self.frame_inds) else 0
        self.refuse(self.frame_inds >= num_frames, f'the frame lies beyond the {num_frames} frames of the film')
        return num_frames

    def refuse(self, wrong: np.ndarray, cause: str) -> None:
        """Raise an InputError that names the first row where ``wrong`` is true."""
        if wrong.any():
            row = int(np.argmax(wrong))
            filled = (i for i, line in enumerate(self._lines) if line and not line.isspace())
            number = next(i for skipped, i in enumerate(filled) if skipped == row)
            raise InputError(f'{self.path}:{number + 1}: {cause}: {self._lines[number].strip()[:80]}')


def _is_row(line: str, delimiter: str | None, columns: int) -> bool:
    fields = line.split(delimiter)
    try:
        return len([float(field) for field in fields[:columns]]) == columns
    except ValueError:
        return False
