"""What the readers and writers share."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from mmtube.errors import InputError
from mmtube.fileio import read_text

from ..tube import Segment, Tube
from ..video_result import VideoResult


def video_id_of(result: VideoResult) -> str:
    """Return the name of the film without its suffix, on one line: what AVA and ActivityNet call the video."""
    return ' '.join(Path(result.video.name).stem.split())


def tube_without_boxes(track_id: int, segments: list[Segment]) -> Tube:
    """Return a tube of a format that knows who does what, but not where."""
    return Tube(track_id, np.zeros(0, np.int64), np.zeros(0), np.zeros((0, 4)), segments=segments)


def text_of(path: str | os.PathLike) -> str:
    """Read a text file, without the byte order mark that some editors put in front.

    Raises:
        InputError: If the file is missing, unreadable or not text.
    """
    return read_text(path).removeprefix('\ufeff')


def shortest(values: np.ndarray) -> np.ndarray:
    """Return float32 values as the float64 with the fewest digits that becomes the same float32 again.

    Args:
        values (np.ndarray): Float32 of any shape; 0.1 as float32 is 0.10000000149 as float64, but 0.1 is enough.

    Returns:
        np.ndarray: Float64 of the same shape.
    """
    values = np.asarray(values, np.float32)
    exact = values.astype(np.float64)
    short = values.astype('U').astype(np.float64)
    return np.where(short.astype(np.float32) == values, short, exact)


def check_writable(result: VideoResult, path: str | os.PathLike) -> None:
    """Refuse a result that no format can hold.

    Args:
        result (VideoResult): What is to be written.
        path (str | os.PathLike): Where, for the message.

    Raises:
        InputError: If a number is not finite or two tubes share an ID.
    """
    numbers: list[tuple[str, object]] = [('the video', (result.video.fps, result.video.duration_s))]
    numbers += [(f'stage {stage.name}', stage.seconds) for stage in result.stages]
    numbers += [(f'link {link.earlier_id} to {link.later_id}', (link.cost, link.gap_s)) for link in result.links]
    for tube in result.tubes:
        for column in ('times_s', 'boxes_px', 'scores', 'embedding', 'clip_times_s', 'clip_scores'):
            if getattr(tube, column) is not None:
                numbers.append((f'{column} of tube {tube.track_id}', getattr(tube, column)))
    for name, values in numbers:
        if not np.isfinite(np.asarray(values, np.float64)).all():
            raise InputError(f'{path}: not written, {name} has a number that is not finite')
    ids = [tube.track_id for tube in result.tubes]
    if len(set(ids)) < len(ids):
        raise InputError(f'{path}: not written, tube ID {max(ids, key=ids.count)} is used twice')
