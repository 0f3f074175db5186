"""Detections of frames joined to tubes, as the MultiSports evaluation does (after the ACT detector's linking)."""

from __future__ import annotations

import numpy as np

from mmtube.evaluation.tables import BoxTable, TubeTable
from mmtube.ops import paired_box_iou

from .ordering import pairs_of_groups, rank_by_score

NMS = ('damped', 'hard')
COMPAT = (None, 'mmaction2')


def link_boxes(
    found: BoxTable,
    *,
    nms: str = 'damped',
    nms_iou: float = 0.6,
    keep: int = 10,
    min_iou: float = 0.5,
    min_score: float = 0.005,
    min_frames: int = 15,
    compat: str | None = None,
) -> TubeTable:
    """Join the boxes of each video and class to tubes.

    In each frame the boxes are thinned out and the ``keep`` best stay. Then the tubes that reach up to the frame
    before, in decreasing order of their mean score, take the most confident box that is still free and overlaps their
    last box by ``min_iou``; one that finds none ends. Boxes that are left begin tubes. So a tube has no holes.

    Args:
        found (BoxTable): Boxes in pixels, frames as whole numbers that follow one another.
        nms (str): ``'damped'``, what MultiSports does: a box that overlaps a better one by more than ``nms_iou`` stays,
            but its score is multiplied by 1 - IoU. ``'hard'``, as in the ACT detector: it is dropped. IoU here counts
            inclusive pixels (+ 1), as both scripts. Defaults to 'damped'.
        nms_iou (float): Defaults to 0.6.
        keep (int): Boxes kept in a frame. Defaults to 10.
        min_iou (float): Overlap of two boxes of a tube in following frames. Defaults to 0.5.
        min_score (float): Tubes with a lower mean score are dropped. Defaults to 0.005.
        min_frames (int): Shorter tubes are dropped. Defaults to 15.
        compat (str | None): ``'mmaction2'`` repeats a slip of its linking, so that its figures can be checked: all
            boxes get the score of the last row of the table, and of boxes of one score the later row is the better.
            Defaults to None.

    Returns:
        TubeTable: Tubes; their scores are the mean scores of their boxes.

    Raises:
        ValueError: If ``nms`` or ``compat`` is unknown, an IoU is outside [0, 1], ``min_score`` is not finite, ``keep``
            is below 1 or ``min_frames`` below 0.
    """
    if nms not in NMS or compat not in COMPAT:
        raise ValueError(f'nms must be one of {NMS} and compat one of {COMPAT}, got {nms!r} and {compat!r}')
    if not (0 <= nms_iou <= 1 and 0 <= min_iou <= 1 and np.isfinite(min_score) and keep >= 1 and min_frames >= 0):
        raise ValueError(
            'IoUs must lie in [0, 1], min_score must be finite, keep at least 1 and min_frames at least 0, got '
            f'{dict(nms_iou=nms_iou, min_iou=min_iou, min_score=min_score, keep=keep, min_frames=min_frames)}'
        )
    scores, ties = found.scores, [found.video, found.labels, found.frames, *found.boxes.T]
    if compat == 'mmaction2' and len(found):
        scores, ties = np.full(len(found), found.scores[-1]), [-np.arange(len(found))]
    num_labels = 1 + int(found.labels.max(initial=0))
    first_frame = int(found.frames.min(initial=0))
    span = int(found.frames.max(initial=0)) - first_frame + 2  # one more, so that groups do not follow one another
    moment = (found.video * num_labels + found.labels) * span + found.frames - first_frame

    order = rank_by_score(scores, ties)
    order = order[np.argsort(moment[order], kind='stable')]
    kept, damped = _thin_out(found.boxes[order], scores[order], moment[order], nms_iou)
    if nms == 'hard':
        order, damped = order[kept], damped[kept]
    again = np.lexsort((-damped, moment[order]))
    order, damped = order[again], damped[again]
    few = _nth_of_run(moment[order]) < keep
    order, damped = order[few], damped[few]

    chains = _chains(found.boxes[order], damped, moment[order], min_iou)
    chains = [chain for chain in chains if len(chain) >= min_frames and damped[chain].mean() >= min_score]
    heads = order[[chain[0] for chain in chains]] if chains else np.zeros(0, np.int64)
    rows = order[np.concatenate(chains)] if chains else np.zeros(0, np.int64)
    return TubeTable(
        videos=found.videos,
        video=found.video[heads],
        labels=found.labels[heads],
        scores=np.array([damped[chain].mean() for chain in chains], np.float64),
        name=found.name,
        place=lambda tube: f'the tube that begins at {found.place(int(heads[tube]))}',
        offsets=np.cumsum([0, *map(len, chains)]),
        frames=found.frames[rows],
        boxes_px=np.asarray(found.boxes[rows], np.float64),
    )


def _nth_of_run(values: np.ndarray) -> np.ndarray:
    """Number the items of each run of equal values from 0."""
    begin = np.flatnonzero(np.r_[True, values[1:] != values[:-1]]) if len(values) else np.zeros(0, np.int64)
    return np.arange(len(values)) - np.repeat(begin, np.diff(np.r_[begin, len(values)]))


def _thin_out(
    boxes: np.ndarray, scores: np.ndarray, moment: np.ndarray, max_iou: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return which boxes no better one of their frame suppresses, and the scores with the damped ones.

    Boxes of a frame stand from the best to the worst.
    """
    grown = boxes + np.array([0, 0, 1, 1])
    kept, damped = np.ones(len(boxes), bool), scores.copy()
    for better, worse in pairs_of_groups(moment, moment):
        later = worse > better
        better, worse = better[later], worse[later]
        iou = paired_box_iou(grown[better], grown[worse])
        over = iou > max_iou
        for first, second, overlap in zip(better[over].tolist(), worse[over].tolist(), iou[over].tolist()):
            if kept[first] and kept[second]:
                kept[second] = False
                damped[second] *= 1 - overlap
    return kept, damped


def _chains(boxes: np.ndarray, scores: np.ndarray, moment: np.ndarray, min_iou: float) -> list[list[int]]:
    """Return the rows of each tube; rows are ordered by moment, then from the best to the worst."""
    following: dict[int, list[int]] = {}
    for rows, next_rows in pairs_of_groups(moment + 1, moment):
        near = paired_box_iou(boxes[rows], boxes[next_rows]) >= min_iou
        for row, next_row in zip(rows[near].tolist(), next_rows[near].tolist()):
            following.setdefault(row, []).append(next_row)
    chains: list[list[int]] = []
    open_chains: list[list[int]] = []
    edges = np.flatnonzero(np.r_[True, moment[1:] != moment[:-1], True]) if len(moment) else np.zeros(1, np.int64)
    for begin, end in zip(edges[:-1].tolist(), edges[1:].tolist()):
        if len(open_chains) > 1:
            open_chains.sort(key=lambda chain: -scores[chain].mean())
        free, going_on = dict.fromkeys(range(begin, end)), []
        for chain in open_chains:
            taken = next((row for row in following.get(chain[-1], ()) if row in free), None)
            if taken is not None:
                del free[taken]
                chain.append(taken)
                going_on.append(chain)
        begun = [[row] for row in free]
        chains += begun
        open_chains = going_on + begun
    return chains
