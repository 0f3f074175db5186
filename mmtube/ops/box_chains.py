"""Chains of boxes that follow one another by overlap, whatever their IDs, and what they say about the IDs.

A tracker may give a person's boxes another ID for some frames, mostly where two people meet. The chain does not look at
IDs, so the person's own ID is the one on both sides of such a run. All functions take the boxes of many films at once.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .boxes import paired_box_iou


class Relabel(NamedTuple):
    """A run of boxes of a chain that had another ID than the boxes before and after it.

    Args:
        rows (np.ndarray): (R,) int64 boxes in the order of time.
        new_id (int): ID that they get.
        is_exchange (bool): False for the run itself; True for the box that had ``new_id``'s place and gets the run's
            ID.
    """

    rows: np.ndarray
    new_id: int
    is_exchange: bool


def picture_numbers(frame_inds: np.ndarray, shots: np.ndarray, max_gap: int) -> np.ndarray:
    """Number the pictures of many shots so that neighbours differ by 1 and shots are further apart than any gap.

    Args:
        frame_inds (np.ndarray): (N,) int64 frame of each box.
        shots (np.ndarray): (N,) int64 shot of each box, different for the shots of different films.
        max_gap (int): Missing frames that a chain may bridge.

    Returns:
        np.ndarray: (N,) int64.

    Examples:
        >>> picture_numbers(np.array([0, 1, 2, 0]), np.array([0, 0, 1, 2]), max_gap=0).tolist()
        [0, 1, 3, 5]
    """
    frame_inds, shots = np.asarray(frame_inds, np.int64), np.asarray(shots, np.int64)
    _, which = np.unique(shots, return_inverse=True)
    which = which.reshape(-1)
    count = which.max(initial=-1) + 1
    first, last = np.full(count, np.iinfo(np.int64).max), np.full(count, -1)
    np.minimum.at(first, which, frame_inds)
    np.maximum.at(last, which, frame_inds)
    offset = np.concatenate([[0], np.cumsum(last - first + 2 + max_gap)])[:count]
    return frame_inds - first[which] + offset[which]


def follow_boxes(
    pictures: np.ndarray,
    boxes_px: np.ndarray,
    min_iou: float = 0.5,
    max_gap: int = 0,
    ids: np.ndarray | None = None,
    id_bonus: float = 0.0,
) -> np.ndarray:
    """Return for each box the one that follows it: greedy by IoU, one to one, in the next picture.

    Boxes without a follower may be followed after a gap. Smaller gaps go first. Where the boxes of two people nearly
    coincide, noise would decide; there the ID may have a say (``id_bonus``).

    Args:
        pictures (np.ndarray): (N,) int64 number of each box's picture, see :func:`picture_numbers`.
        boxes_px (np.ndarray): (N, 4) xyxy.
        min_iou (float): Least IoU of a box with its follower. Defaults to 0.5.
        max_gap (int): Missing pictures that are bridged. Defaults to 0.
        ids (np.ndarray | None): (N,) int64 ID of each box. Defaults to None: IDs have no say.
        id_bonus (float): What equal IDs add to the IoU of a pair that reaches ``min_iou``. Defaults to 0.

    Returns:
        np.ndarray: (N,) int64 row of the follower, -1 where there is none.
    """
    pictures, boxes_px = np.asarray(pictures, np.int64), np.asarray(boxes_px).reshape(-1, 4)
    follower, leader = np.full(len(pictures), -1), np.full(len(pictures), -1)
    for step in range(1, max_gap + 2):
        ends, begins = np.flatnonzero(follower < 0), np.flatnonzero(leader < 0)
        begins = begins[np.argsort(pictures[begins], kind='stable')]
        low = np.searchsorted(pictures[begins], pictures[ends] + step)
        count = np.searchsorted(pictures[begins], pictures[ends] + step, side='right') - low
        one = np.repeat(ends, count)
        nth = np.arange(len(one)) - np.repeat(np.cumsum(count) - count, count)
        other = begins[np.repeat(low, count) + nth]
        iou = paired_box_iou(boxes_px[one], boxes_px[other])
        near = iou >= min_iou
        one, other, iou = one[near], other[near], iou[near]
        if ids is not None:
            iou = iou + id_bonus * (ids[one] == ids[other])
        order = np.lexsort((other, one, -iou))
        one, other = one[order], other[order]
        while len(one):
            best = np.zeros(len(one), bool)
            best[np.unique(one, return_index=True)[1]] = True
            mutual = np.zeros(len(one), bool)
            mutual[np.unique(other, return_index=True)[1]] = True
            mutual &= best
            follower[one[mutual]], leader[other[mutual]] = other[mutual], one[mutual]
            open_ = (follower[one] < 0) & (leader[other] < 0)
            one, other = one[open_], other[open_]
    return follower


def chain_numbers(follower: np.ndarray) -> np.ndarray:
    """Return (N,) int64 the first box of the chain of each box, from what :func:`follow_boxes` returned."""
    root = np.arange(len(follower))
    some = np.flatnonzero(follower >= 0)
    root[follower[some]] = some
    while True:
        further = root[root]
        if (further == root).all():
            return root
        root = further


class IDRuns:
    """Runs of one ID within chains.

    Args:
        pictures (np.ndarray): (N,) int64 number of each box's picture.
        ids (np.ndarray): (N,) int64 ID of each box, different for different films.
        chains (np.ndarray): (N,) int64 chain of each box.

    Attributes:
        order (np.ndarray): (N,) int64 boxes by chain and picture.
        run_of (np.ndarray): (N,) int64 run of each box; runs count up along the chains.
        begin (np.ndarray): (R + 1,) int64 where the runs begin in ``order``.
        chain, id, first, last (np.ndarray): (R,) int64 chain, ID, first and last picture of each run.
    """

    def __init__(self, pictures: np.ndarray, ids: np.ndarray, chains: np.ndarray) -> None:
        self.order = np.lexsort((pictures, chains))
        chain, number, picture = chains[self.order], ids[self.order], pictures[self.order]
        is_first = np.ones(len(chain), bool)
        is_first[1:] = (np.diff(chain) != 0) | (np.diff(number) != 0)
        starts = np.flatnonzero(is_first)
        self.begin = np.append(starts, len(chain))
        self.run_of = np.empty(len(chain), np.int64)
        self.run_of[self.order] = np.cumsum(is_first) - 1
        self.chain, self.id = chain[starts], number[starts]
        self.first, self.last = picture[starts], picture[self.begin[1:] - 1]

    def rows(self, first_run: int, end_run: int) -> np.ndarray:
        """Return the boxes of a range of runs in the order of time."""
        return self.order[self.begin[first_run] : self.begin[end_run]]

    def returns(self) -> tuple[np.ndarray, np.ndarray]:
        """Return (K,) int64 runs after which an ID comes back in its chain, and (K,) int64 the runs where it does."""
        order = np.lexsort((np.arange(len(self.id)), self.id, self.chain))
        again = (np.diff(self.chain[order]) == 0) & (np.diff(self.id[order]) == 0)
        return order[:-1][again], order[1:][again]

    def foreign_lengths(self) -> tuple[np.ndarray, np.ndarray]:
        """Return for how many pictures the chain is of other IDs after and before each run.

        Returns:
            tuple: (R,) int64 from the end of each run until its ID comes back or the chain ends, 0 at the chain's end;
            (R,) int64 the same backwards.
        """
        runs = len(self.id)
        last_run, first_run = np.arange(runs), np.arange(runs)
        if runs:
            edges = np.flatnonzero(np.diff(self.chain)) + 1
            counts = np.diff([0, *edges, runs])
            first_run = np.repeat([0, *edges], counts)
            last_run = first_run + np.repeat(counts, counts) - 1
        left, right = self.returns()
        last_run[left], first_run[right] = right - 1, left + 1
        here = np.arange(runs)
        after, before = np.zeros(runs, np.int64), np.zeros(runs, np.int64)
        some = last_run > here
        after[some] = self.last[last_run[some]] - self.first[here[some] + 1] + 1
        some = first_run < here
        before[some] = self.last[here[some] - 1] - self.first[first_run[some]] + 1
        return after, before


def short_switches(pictures: np.ndarray, ids: np.ndarray, chains: np.ndarray, max_run: int = 6) -> list[Relabel]:
    """Find runs of foreign IDs of at most ``max_run`` pictures with one ID on both sides (SEAL, Sec. 3.2, step 2).

    Shorter runs go first; a run that gives another one its ID is not changed itself. Where the ID already has another
    box in the picture, that box and the run exchange their IDs; if that would give an ID two boxes in a picture, the
    run stays as it is.

    Args:
        pictures (np.ndarray): (N,) int64 number of each box's picture.
        ids (np.ndarray): (N,) int64 ID of each box, at most one box of an ID in a picture.
        chains (np.ndarray): (N,) int64 chain of each box, see :func:`chain_numbers`.
        max_run (int): Longest run in pictures. Defaults to 6.

    Returns:
        list[Relabel]: What to change.
    """
    runs = IDRuns(pictures, ids, chains)
    left, right = runs.returns()
    length = runs.last[right - 1] - runs.first[left + 1] + 1
    short = np.flatnonzero(length <= max_run)
    changed, anchors = np.zeros(len(runs.id), bool), np.zeros(len(runs.id), bool)
    found: list[Relabel] = []
    for number in short[np.lexsort((left[short], length[short]))].tolist():
        a, b = int(left[number]), int(right[number])
        if changed[[a, b]].any() or changed[a + 1 : b].any() or anchors[a + 1 : b].any():
            continue
        changed[a + 1 : b], anchors[[a, b]] = True, True
        found.append(Relabel(runs.rows(a + 1, b), int(runs.id[a]), False))
    return _without_collisions(found, pictures, ids)


def _without_collisions(found: list[Relabel], pictures: np.ndarray, ids: np.ndarray) -> list[Relabel]:
    """Return the changes, with exchanges where an ID would have two boxes in a picture and without what cannot be."""
    rows = np.concatenate([np.zeros(0, np.int64), *(change.rows for change in found)])
    near = np.flatnonzero(np.isin(pictures, pictures[rows]))
    at = dict(zip(zip(pictures[near].tolist(), ids[near].tolist()), near.tolist()))
    moved = {row for change in found for row in change.rows.tolist()}
    settled: list[Relabel] = []
    taken: set[tuple[int, int]] = set()  # picture and ID that a change gives away
    dropped = True
    while dropped:  # a change that is dropped keeps its boxes' IDs, which another change may have counted on
        dropped, settled, taken = False, [], set()
        for change in found:
            pairs, fits = [], True
            for row in change.rows.tolist():
                picture, old = int(pictures[row]), int(ids[row])
                other = at.get((picture, change.new_id))
                fits &= (picture, change.new_id) not in taken
                if other is not None and other not in moved:
                    pairs.append((other, old))
                    fits &= (picture, old) not in taken
            if not fits:
                found = [kept for kept in found if kept is not change]
                moved -= set(change.rows.tolist())
                dropped = True
                break
            taken |= {(int(pictures[row]), change.new_id) for row in change.rows.tolist()}
            taken |= {(int(pictures[other]), old) for other, old in pairs}
            settled.append(change)
            for old in dict.fromkeys(old for _, old in pairs):
                settled.append(Relabel(np.array([row for row, mine in pairs if mine == old]), old, True))
    return settled


def long_switches(
    pictures: np.ndarray,
    ids: np.ndarray,
    boxes_px: np.ndarray,
    follower: np.ndarray,
    max_run: int = 6,
    min_iou: float = 0.5,
) -> tuple[np.ndarray, np.ndarray]:
    """Find where an ID goes over to another person, or leaves its own, for longer than ``max_run`` pictures.

    Between two boxes of an ID it does so when the chain comes back to the ID after a longer foreign run; or when the
    second box is not where the first one was (IoU below ``min_iou``) and the chain of the first goes on with other IDs,
    or that of the second was of other IDs before, for longer.

    Args:
        pictures (np.ndarray): (N,) int64 number of each box's picture.
        ids (np.ndarray): (N,) int64 ID of each box, after short switches were put right.
        boxes_px (np.ndarray): (N, 4) xyxy.
        follower (np.ndarray): (N,) int64 from :func:`follow_boxes`.
        max_run (int): Longest run in pictures that is no reason to split. Defaults to 6.
        min_iou (float): See above. Defaults to 0.5.

    Returns:
        tuple: (S,) int64 boxes with which a new piece of their ID begins; (S,) int64 length of the foreign run.
    """
    chains, boxes_px = chain_numbers(follower), np.asarray(boxes_px).reshape(-1, 4)
    runs = IDRuns(pictures, ids, chains)
    after, before = runs.foreign_lengths()
    order = np.lexsort((pictures, ids))
    one, other = order[:-1], order[1:]
    same = (ids[one] == ids[other]) & (runs.run_of[one] != runs.run_of[other])
    one, other = one[same], other[same]
    comes_back = chains[one] == chains[other]
    jumps = paired_box_iou(boxes_px[one], boxes_px[other]) < min_iou
    # Only the end of a run is followed by foreign boxes, and only its beginning comes after some.
    ends = pictures[one] == runs.last[runs.run_of[one]]
    begins = pictures[other] == runs.first[runs.run_of[other]]
    length = np.maximum(np.where(ends, after[runs.run_of[one]], 0), np.where(begins, before[runs.run_of[other]], 0))
    long = (length > max_run) & (comes_back | jumps)
    return other[long], length[long]
