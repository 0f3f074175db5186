"""IDs that go over to another person for a moment, put right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mmtube.ops.box_chains import chain_numbers, follow_boxes, long_switches, picture_numbers, short_switches
from mmtube.registry import TASK_UTILS
from mmtube.structures import Tube, TubeletLook


@dataclass(frozen=True, eq=False)
class IDChange:
    """One correction.

    Args:
        kind (str): ``'relabel'``: a short run gets the ID of the boxes around it; ``'exchange'``: boxes that were in
            the way of a relabelled run get that run's ID; ``'split'``: the rest of an ID becomes a new one.
        rows (np.ndarray): (R,) int64 boxes that get the new ID, in the order of time; rows of the columns given.
        old_id (int): The ID they had (the first one's, where a run had several).
        new_id (int): The ID they get.
        frames (tuple[int, int]): First and last frame.
        cause (str): Why, for a person to read.
    """

    kind: str
    rows: np.ndarray
    old_id: int
    new_id: int
    frames: tuple[int, int]
    cause: str


@TASK_UTILS.register_module()
class IDSwitchCorrector:
    """Put ID switches of a tracker right (SEAL, Sec. 3.2, step 2, in which an annotator is offered the correction).

    Boxes are followed from frame to frame by overlap, whatever their IDs. A run of other IDs of at most ``max_run``
    frames with one ID on both sides gets that ID; so two people who exchanged their IDs for some frames both come out
    right. Where an ID goes over to another person for longer, it is split there, and every piece but the longest gets a
    new ID; linking may join pieces again. Nothing is followed across a shot change, and a run at the end of a chain,
    which has an ID on one side only, stays as it is. The paper gives the six frames; the IoU of 0.5 is ours.

    Args:
        max_run (int): Longest run in frames that is relabelled. Defaults to 6.
        min_iou (float): Least IoU of a box with the one that follows it. Defaults to 0.5.
        max_gap (int): Frames without a box that are bridged. Defaults to 1.
        id_bonus (float): What equal IDs add to an IoU. Where two people nearly coincide, the noise of the boxes would
            else exchange them. Defaults to 0.1.

    Raises:
        ValueError: If a number is negative, ``max_run`` not positive or ``min_iou`` outside (0, 1].
    """

    def __init__(self, max_run: int = 6, min_iou: float = 0.5, max_gap: int = 1, id_bonus: float = 0.1) -> None:
        if max_run < 1 or max_gap < 0 or id_bonus < 0 or not 0 < min_iou <= 1:
            raise ValueError('max_run must be positive, max_gap and id_bonus not negative, min_iou in (0, 1]')
        self.max_run = max_run
        self.min_iou = min_iou
        self.max_gap = max_gap
        self.id_bonus = id_bonus

    def __call__(self, tubelets: list[Tube], shots: list[tuple[int, int]]) -> tuple[list[Tube], list[IDChange]]:
        """Correct the tubelets of a film.

        Args:
            tubelets (list[Tube]): Distinct IDs; not changed. Before linking: rows get the new ID as tubelet ID too.
            shots (list[tuple[int, int]]): Half-open frame ranges; empty means one shot.

        Returns:
            tuple[list[Tube], list[IDChange]]: The tubelets by ID, those that lost all their boxes left out; and what
            was changed. A new piece has no embedding, because that of its tubelet may be of another person.
        """
        if not tubelets:
            return [], []
        starts = [start for start, _ in shots]
        lengths = [len(tube) for tube in tubelets]
        ids = np.repeat([tube.track_id for tube in tubelets], lengths)
        frames = np.concatenate([tube.frame_inds for tube in tubelets])
        new_ids, changes = self.correct(
            frames, np.searchsorted(starts, frames, side='right'), ids, np.concatenate([t.boxes_px for t in tubelets])
        )
        if not changes:
            return sorted(tubelets, key=lambda tube: tube.track_id), []
        columns = ('times_s', 'boxes_px', 'scores', 'observed')
        flat = {name: np.concatenate([getattr(tube, name) for tube in tubelets]) for name in columns}
        by_id = {tube.track_id: tube for tube in tubelets}
        touched = {int(number) for number in np.unique(np.concatenate([ids[new_ids != ids], new_ids[new_ids != ids]]))}
        result = [tube for number, tube in by_id.items() if number not in touched]
        for number in sorted(touched):
            rows = np.flatnonzero(new_ids == number)
            if not len(rows):
                continue
            rows = rows[np.argsort(frames[rows], kind='stable')]
            given = {name: column[rows] for name, column in flat.items()}
            before = by_id.get(number) or replace(by_id[int(ids[rows[0]])], embedding=None)
            result.append(
                replace(
                    before, track_id=number, frame_inds=frames[rows], tubelet_ids=np.full(len(rows), number), **given
                )
            )
        return sorted(result, key=lambda tube: tube.track_id), changes

    def correct(
        self, frame_inds: np.ndarray, shots: np.ndarray, ids: np.ndarray, boxes_px: np.ndarray
    ) -> tuple[np.ndarray, list[IDChange]]:
        """Correct the boxes of many films at once.

        Args:
            frame_inds (np.ndarray): (N,) int64.
            shots (np.ndarray): (N,) int64 shot of each box, different for the shots of different films.
            ids (np.ndarray): (N,) int64 >= 0, different for different films, at most one box of an ID in a frame.
            boxes_px (np.ndarray): (N, 4) float32 xyxy in pixels.

        Returns:
            tuple[np.ndarray, list[IDChange]]: (N,) int64 corrected IDs, new ones count up from the largest; and what
            was changed, relabelling first, in the order of the new IDs.
        """
        frame_inds, ids = np.asarray(frame_inds, np.int64), np.asarray(ids, np.int64)
        pictures = picture_numbers(frame_inds, shots, self.max_gap)
        follower = follow_boxes(pictures, boxes_px, self.min_iou, self.max_gap, ids, self.id_bonus)
        new_ids = ids.copy()
        changes: list[IDChange] = []
        for rows, new_id, is_exchange in short_switches(pictures, ids, chain_numbers(follower), self.max_run):
            new_ids[rows] = new_id
            frames = (int(frame_inds[rows[0]]), int(frame_inds[rows[-1]]))
            span = frames[1] - frames[0] + 1
            cause = f'a run of {span} frames between boxes of the other ID, at most {self.max_run} are put right'
            if is_exchange:
                cause = 'had the ID of a run that was put right, and takes its ID'
            kind = 'exchange' if is_exchange else 'relabel'
            changes.append(IDChange(kind, rows, int(ids[rows[0]]), new_id, frames, cause))
        begins, lengths = long_switches(pictures, new_ids, boxes_px, follower, self.max_run, self.min_iou)
        return self._split(pictures, frame_inds, new_ids, begins, lengths, changes)

    def _split(
        self,
        pictures: np.ndarray,
        frame_inds: np.ndarray,
        new_ids: np.ndarray,
        begins: np.ndarray,
        lengths: np.ndarray,
        changes: list[IDChange],
    ) -> tuple[np.ndarray, list[IDChange]]:
        after = dict(zip(begins.tolist(), lengths.tolist()))
        next_id = int(new_ids.max(initial=-1)) + 1
        order = np.lexsort((pictures, new_ids)) if len(begins) else begins
        numbers, ordered = np.unique(new_ids[begins]), new_ids[order]
        first, end = np.searchsorted(ordered, numbers), np.searchsorted(ordered, numbers, side='right')
        for number, rows in zip(numbers.tolist(), [order[low:high] for low, high in zip(first, end)]):
            starts = [place for place, row in enumerate(rows.tolist()) if row in after]
            pieces = np.split(rows, starts)
            longest = max(range(len(pieces)), key=lambda index: (len(pieces[index]), -index))
            for index, piece in enumerate(pieces):
                if index == longest:
                    continue
                foreign = after[int(pieces[max(index, 1)][0])]  # the first piece ends where the second begins
                new_ids[piece] = next_id
                frames = (int(frame_inds[piece[0]]), int(frame_inds[piece[-1]]))
                cause = f'the person goes on under another ID for {foreign} frames, more than {self.max_run}'
                changes.append(IDChange('split', piece, number, next_id, frames, cause))
                next_id += 1
        return new_ids, changes


def moved_looks(
    looks: Mapping[int, TubeletLook], tubelets: Sequence[Tube], changes: Sequence[IDChange]
) -> dict[int, TubeletLook]:
    """Return how tubelets look after ID switches were put right: a described box goes where its box went.

    Args:
        looks (Mapping[int, TubeletLook]): How they looked, by ID; those of other tubelets are left out, because a new
            piece may have got their ID.
        tubelets (Sequence[Tube]): What an :class:`IDSwitchCorrector` was called with.
        changes (Sequence[IDChange]): What it changed.
    """
    if not tubelets:
        return {}
    lengths = [len(tube) for tube in tubelets]
    new_ids = np.repeat(np.array([tube.track_id for tube in tubelets], np.int64), lengths)
    for change in changes:
        new_ids[change.rows] = change.new_id
    parts: dict[int, list[TubeletLook]] = {}
    for tube, ids in zip(tubelets, np.split(new_ids, np.cumsum(lengths)[:-1])):
        look = looks.get(tube.track_id)
        if look is None:
            continue
        known = np.isin(look.frame_inds, tube.frame_inds)  # a tracker may have taken a box back
        owner = ids[np.searchsorted(tube.frame_inds, look.frame_inds[known])]
        for track_id in np.unique(owner).tolist():
            rows = np.flatnonzero(known)[owner == track_id]
            parts.setdefault(track_id, []).append(TubeletLook(look.frame_inds[rows], look.rows[rows], look.good[rows]))
    moved = {}
    for track_id, pieces in parts.items():
        frames = np.concatenate([piece.frame_inds for piece in pieces])
        order = np.argsort(frames)
        rows, good = (np.concatenate([getattr(piece, name) for piece in pieces])[order] for name in ('rows', 'good'))
        moved[track_id] = TubeletLook(frames[order], rows, good)
    return moved
