"""Boxes with scores and without IDs: MOT text, results of the library; single files and folders."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from mmtube.structures.io import read_mot_detections

from .tracks import TrackTable, prediction_files, read_results, read_truth, track_table
from .tubelets import read_tubelets


def read_detection_files(
    gt: str | os.PathLike, pred: str | os.PathLike, *, layout: str = 'auto', distractors: Sequence[int] = ()
) -> tuple[TrackTable, TrackTable, dict[str, int]]:
    """Read ground truth and detections.

    Args:
        gt (str | os.PathLike): MOT text, a folder of it, or SEAL annotations, as
            :func:`~mmtube.evaluation.readers.tracks.read_track_files` reads it.
        pred (str | os.PathLike): MOT text with scores, whose IDs are not read, a result (``.json``), or a folder of
            either. A single file belongs to the single sequence of ``gt``, whatever it is called.
        layout (str): Of MOT ground truth. Defaults to 'auto'.
        distractors (Sequence[int]): Likewise. Defaults to none.

    Returns:
        tuple: Ground truth; detections, whose ``ids`` are their numbers; and for each video of the ground truth its
        number of frames: what the annotations say, else up to the last frame that has a box in either.

    Raises:
        InputError: If a file cannot be used.
    """
    truth = read_truth(gt, layout=layout, distractors=distractors)
    found = read_detections(pred)
    if Path(gt).is_file() and Path(gt).suffix != '.json' and Path(pred).is_file():
        found = replace(found, videos=list(truth.videos))
    if Path(gt).suffix == '.json' and not Path(gt).is_dir():
        return truth, found, {vid: video.num_frames for vid, video in read_tubelets(gt).videos.items()}
    counts = dict.fromkeys(truth.videos, 0)
    for table in (truth, found):
        for number, name in enumerate(table.videos):
            if name in counts:
                counts[name] = max(counts[name], int(table.frames[table.video == number].max(initial=-1)) + 1)
    return truth, found, counts


def read_detections(path: str | os.PathLike) -> TrackTable:
    """Read detections: MOT text, a result (``.json``), or a folder of either; an empty folder is refused.

    Returns:
        TrackTable: With scores. The IDs are the numbers of the rows.

    Raises:
        InputError: If a file cannot be used.
    """
    files, names = prediction_files(path)
    if files[0].suffix == '.json':
        results = read_results(path)
        table = track_table([(name, result.tubes, None) for name, result in results], str(path))
        tubes = [tube for _, result in results for tube in result.tubes]
        scores = np.concatenate([np.zeros(0, np.float32), *(tube.scores for tube in tubes)])
        return replace(table, scores=scores, ids=np.arange(len(table)))
    none = (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 4), np.float32), np.zeros(0, np.float32))
    parts = []
    for number, file in enumerate(files):
        for frame in read_mot_detections(file):
            rows = len(frame)
            parts.append((np.full(rows, number), np.full(rows, frame.frame_ind), frame.boxes_px, frame.scores))
    video, frames, boxes, scores = (np.concatenate(columns) for columns in zip(none, *parts))
    unlabelled = np.zeros(len(video), np.int64)

    def place(row: int) -> str:
        return f'{names[video[row]]!r}, frame {frames[row] + 1}'

    table = TrackTable(
        names,
        video,
        unlabelled,
        scores,
        str(path),
        place,
        frames,
        boxes,
        ids=np.arange(len(video)),
        tubelets=unlabelled,
        times_s=np.full(len(video), np.nan),
    )
    table.check()
    return table
