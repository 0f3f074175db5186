"""Rules about where refined tubelets come from: SEAL's first and most important check (Sec. 3.2, quality assurance)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from mmtube.ops import paired_box_iou
from mmtube.structures.seal import EDITED

from .box_rules import runs
from .columns import FRAME_SPAN, Columns

Places = Iterator[tuple[str, str]]
MATCH_IOU = 0.5


class Trace:
    """Refined annotations beside the coarse ones that they were made from.

    Args:
        refined (Columns): The annotations to check.
        coarse (Columns): Those of the step before.
    """

    def __init__(self, refined: Columns, coarse: Columns) -> None:
        self.refined, self.coarse = refined, coarse
        pairs = [
            (number, coarse.tubelet_index.get(tid, -1), tid)
            for number, tubelet in enumerate(refined.annotations.tubelets.values())
            for tid in tubelet.origin
        ]
        self.owner = np.array([pair[0] for pair in pairs], np.int64)
        self.origin = np.array([pair[1] for pair in pairs], np.int64)
        self.origin_tids = [pair[2] for pair in pairs]

    @cached_property
    def matches(self) -> tuple[np.ndarray, np.ndarray]:
        """(N,) int64 best coarse box of each box, -1 for none; ``tubelet * (coarse tubelets + 1) + coarse``, sorted."""
        refined, coarse = self.refined, self.coarse
        boxes, coarse_boxes = refined.annotations.boxes.boxes_px, coarse.annotations.boxes.boxes_px
        video_of = np.array([coarse.video_index.get(vid, -1) for vid in [*refined.vids, None]], np.int64)
        order = coarse.frame_order
        coarse_keys = coarse.frame_keys(order)
        best, best_iou = np.full(len(boxes), -1), np.full(len(boxes), MATCH_IOU)
        links = [np.zeros(0, np.int64)]
        for rows, _ in refined.frame_chunks():
            rows = rows[video_of[refined.box_video[rows]] >= 0]
            video = video_of[refined.box_video[rows]]
            keys = video * FRAME_SPAN + refined.annotations.boxes.frame_inds[rows]
            begin = np.searchsorted(coarse_keys, keys)
            count = np.searchsorted(coarse_keys, keys, side='right') - begin
            for nth in range(count.max(initial=0)):
                some = count > nth
                mine, theirs = rows[some], order[begin[some] + nth]
                with np.errstate(invalid='ignore'):
                    iou = paired_box_iou(boxes[mine], coarse_boxes[theirs])
                    match = iou >= MATCH_IOU
                    better = iou >= best_iou[mine]
                best[mine[better]], best_iou[mine[better]] = theirs[better], iou[better]
                pair = refined.box_tubelet[mine[match]].astype(np.int64) * (len(coarse.tids) + 1)
                links.append(np.unique(pair + coarse.box_tubelet[theirs[match]]))
        return best, np.unique(np.concatenate(links))

    def share(self, tubelet: int, origin: int) -> np.ndarray:
        """Return (n,) int64 boxes of a coarse tubelet that are the best coarse ones for boxes of a refined one."""
        key = self.refined.tubelet_key[tubelet]
        if key < 0:
            return np.zeros(0, np.int64)
        offsets = self.refined.annotations.boxes.offsets
        best = self.matches[0][offsets[key] : offsets[key + 1]]
        best = best[best >= 0]
        return np.unique(best[self.coarse.box_tubelet[best] == origin])

    def covers(self, refined_tubelet: np.ndarray, coarse_tubelet: np.ndarray) -> np.ndarray:
        """Return whether a coarse tubelet has a box on a refined one, for each pair."""
        return np.isin(refined_tubelet * (len(self.coarse.tids) + 1) + coarse_tubelet, self.matches[1])


def untraced_box(trace: Trace) -> Places:
    """a box has no coarse box in its frame with an IoU of 0.5 or more and is not marked as edited"""
    columns = trace.refined
    best, _ = trace.matches
    rows = np.flatnonzero((best < 0) & ((columns.annotations.boxes.flags & EDITED) == 0) & (columns.box_video >= 0))
    for run in runs(rows, columns.box_key[rows]):
        yield columns.box_place(run[0], run[-1]), f'no coarse box is on it and it is not marked as edited ({len(run)})'


def no_origin(trace: Trace) -> Places:
    """a tubelet names no coarse tubelet that it came from, though not all of its boxes are marked as edited"""
    boxes = trace.refined.annotations.boxes
    for number, tubelet in enumerate(trace.refined.annotations.tubelets.values()):
        drawn = tubelet.box_key in boxes and ((boxes[tubelet.box_key].flags & EDITED) != 0)
        if not tubelet.origin and not (np.any(drawn) and np.all(drawn)):
            yield trace.refined.tubelet_place(number), 'names no coarse tubelet that it came from'


def unknown_origin(trace: Trace) -> Places:
    """a tubelet names an origin that the coarse file does not have"""
    for row in np.flatnonzero(trace.origin < 0):
        yield (
            trace.refined.tubelet_place(trace.owner[row]),
            f'the coarse file has no tubelet {trace.origin_tids[row]!r}',
        )


def origin_of_other_video(trace: Trace) -> Places:
    """a tubelet names an origin of another film"""
    refined, coarse = trace.refined.annotations, trace.coarse.annotations
    for row in np.flatnonzero(trace.origin >= 0):
        tid, origin = trace.refined.tids[trace.owner[row]], trace.origin_tids[row]
        if refined.tubelets[tid].vid != coarse.tubelets[origin].vid:
            told = f'is of {coarse.tubelets[origin].vid!r}, not of {refined.tubelets[tid].vid!r}'
            yield trace.refined.tubelet_place(trace.owner[row]), f'its origin {origin!r} {told}'


def shared_origin(trace: Trace) -> Places:
    """two IDs name one origin, and do not divide its boxes among them"""
    columns = trace.refined
    people = np.stack([columns.tubelet_video, columns.person_ids], axis=1)
    order = np.argsort(trace.origin, kind='stable')
    order = order[trace.origin[order] >= 0]
    for run in np.split(order, np.flatnonzero(np.diff(trace.origin[order])) + 1) if len(order) else []:
        owners = trace.owner[run]
        if (people[owners] == people[owners[0]]).all():
            continue
        shares = [trace.share(owner, trace.origin[run[0]]) for owner in owners]
        for nth, other in enumerate(owners):
            for before, share in zip(owners[:nth], shares):
                strangers = (people[before] != people[other]).any()
                if strangers and not _divided(share, shares[nth]):
                    origin, who = trace.origin_tids[run[0]], columns.person_ids[before]
                    told = f'its origin {origin!r} is also one of {columns.tids[before]!r}, person {who}'
                    yield columns.tubelet_place(other), told
                    break


def _divided(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two tubelets have boxes of an origin, each its own: a tubelet that was split at an ID switch."""
    return bool(len(one) and len(other) and not len(np.intersect1d(one, other)))


def idle_origin(trace: Trace) -> Places:
    """an origin covers none of the tubelet's boxes"""
    spans = trace.refined.box_spans
    rows = np.flatnonzero((trace.origin >= 0) & (spans[trace.owner, 1] >= spans[trace.owner, 0]))
    same_film = np.array(
        [
            trace.refined.annotations.tubelets[trace.refined.tids[trace.owner[row]]].vid
            == trace.coarse.annotations.tubelets[trace.origin_tids[row]].vid
            for row in rows
        ],
        bool,
    )
    rows = rows[same_film]
    for row in rows[~trace.covers(trace.owner[rows], trace.origin[rows])]:
        yield (
            trace.refined.tubelet_place(trace.owner[row]),
            f'its origin {trace.origin_tids[row]!r} covers none of its boxes',
        )


def stage_order(trace: Trace) -> Places:
    """a tubelet's stage does not come after that of its origin"""
    for row in np.flatnonzero(trace.origin >= 0):
        stage, before = trace.refined.stages[trace.owner[row]], trace.coarse.stages[trace.origin[row]]
        if stage <= before:
            cause = f'is of stage {stage}, its origin {trace.origin_tids[row]!r} of stage {before}'
            yield trace.refined.tubelet_place(trace.owner[row]), cause
