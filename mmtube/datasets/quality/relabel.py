"""Where annotators look first: the clips that a model takes for something else, joined to stretches of a tubelet."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mmtube.structures.seal import SEALAnnotations

from ..clip_index import ClipIndex


class Doubt(NamedTuple):
    """A stretch of a tubelet whose label a model does not see.

    Args:
        pair (int): Rank of the confused pair of classes, from 1.
        video (str): Film.
        tubelet (str): Tubelet.
        person_id (int): Person.
        start_s (float): Begin of the first clip in seconds.
        end_s (float): End of the last one.
        label (int): Class that is annotated.
        predicted (int): Class that the model sees.
        clips (int): How many clips.
        score (float): Mean score of the predicted class.
    """

    pair: int
    video: str
    tubelet: str
    person_id: int
    start_s: float
    end_s: float
    label: int
    predicted: int
    clips: int
    score: float


def relabel_queue(
    annotations: SEALAnnotations, index: ClipIndex, samples: np.ndarray, scores: np.ndarray
) -> list[Doubt]:
    """Join the clips of a tubelet that overlap or touch and are mistaken in the same way.

    Args:
        annotations (SEALAnnotations): Annotations.
        index (ClipIndex): Their clips.
        samples (np.ndarray): (K, 4) int64 rank of the pair from 0, row of ``index``, true class, predicted class.
        scores (np.ndarray): (K,) scores of the predicted classes.

    Returns:
        list[Doubt]: By pair, the most confident first.
    """
    pair, row, true, wrong = samples.T
    tubelet, start_s = index.row_tubelets[row], index.clip_starts_s[index.row_clips[row]]
    order = np.lexsort((start_s, tubelet, wrong, true, pair))
    breaks = np.diff(start_s[order]) > index.window_s
    for column in (pair, true, wrong, tubelet):
        breaks |= np.diff(column[order]) != 0
    doubts = []
    for run in np.split(order, np.flatnonzero(breaks) + 1) if len(order) else []:
        tid, first = index.tids[tubelet[run[0]]], int(run[0])
        record, end_s = annotations.tubelets[tid], float(start_s[run[-1]]) + index.window_s
        who, what = (record.vid, tid, record.person_id), (int(true[first]), int(wrong[first]))
        times = float(start_s[first]), end_s
        doubts.append(Doubt(int(pair[first]) + 1, *who, *times, *what, len(run), float(scores[run].mean())))
    return sorted(doubts, key=lambda doubt: (doubt.pair, -doubt.score, doubt))
