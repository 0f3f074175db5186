"""Which tubes of a film are its subjects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mmtube.ops.heads import heads_in_sight
from mmtube.registry import TASK_UTILS
from mmtube.structures import Tube


def longest_tubes(tubes: list[Tube], count: int) -> list[Tube]:
    """Return the ``count`` tubes with most boxes in the order given; of equal ones those that begin first."""
    order = sorted(range(len(tubes)), key=lambda index: (-len(tubes[index]), *_begin(tubes[index])))
    return [tubes[index] for index in sorted(order[:count])]


def _begin(tube: Tube) -> tuple[int, int]:
    return (int(tube.frame_inds[0]) if len(tube) else 0, tube.track_id)


@dataclass(frozen=True, eq=False)
class Verdict:
    """What was decided about one tube.

    Args:
        track_id (int): The tube.
        keep (np.ndarray): (T,) bool rows that are kept; none where the tube is no subject.
        reason (str): Why it is no subject, or which part of it is; ``''`` where all of it is kept.
    """

    track_id: int
    keep: np.ndarray
    reason: str


@TASK_UTILS.register_module()
class SubjectChooser:
    """Choose the subjects of a film from its whole tubes (SEAL, Sec. 3.1; the paper leaves the choice to annotators).

    The longest tubes are candidates. They are taken in the order of length x mean score, where the head is visible in
    enough of the frames. At most ``max_active`` subjects have a box in a frame: a candidate loses the frames in which
    so many others were taken before, and keeps what is left of its time in pieces of at least ``min_piece_s``. The head
    rule is applied to the whole candidate and to what is left of it.

    Heads are taken from the flags of an annotation where the caller gives them. Without, they are guessed from the
    boxes (``mmtube.ops.heads.heads_in_sight``), a proxy that misses heads that turn away or are behind furniture.

    Args:
        top_k (int): Candidates in a film. Defaults to 50.
        max_active (int): Subjects at any time. Defaults to 3.
        min_head (float): Least share of frames with a visible head. Defaults to 1 / 3.
        min_piece_s (float): Shortest piece that is kept of a candidate which is not kept whole, in seconds in which it
            has boxes. Defaults to 1.

    Raises:
        ValueError: If a count is not positive, the share outside [0, 1] or the time negative.
    """

    def __init__(self, top_k: int = 50, max_active: int = 3, min_head: float = 1 / 3, min_piece_s: float = 1.0) -> None:
        if min(top_k, max_active) < 1 or not 0 <= min_head <= 1 or min_piece_s < 0:
            raise ValueError('top_k and max_active must be positive, min_head in [0, 1], min_piece_s not negative')
        self.top_k = top_k
        self.max_active = max_active
        self.min_head = min_head
        self.min_piece_s = min_piece_s

    def __call__(self, tubes: list[Tube], heads: list[np.ndarray] | None = None) -> list[Tube]:
        """Return the subjects in the order given, each with the rows that are kept; see :meth:`choose`.

        Clip scores and segments of a subject that lost some of its time stay as they are.
        """
        verdicts = self.choose(tubes, heads)
        kept = [(tube, verdict.keep) for tube, verdict in zip(tubes, verdicts) if verdict.keep.any()]
        return [tube if keep.all() else tube.rows(keep) for tube, keep in kept]

    def choose(self, tubes: list[Tube], heads: list[np.ndarray] | None = None) -> list[Verdict]:
        """Decide about the tubes of a film.

        Args:
            tubes (list[Tube]): All people of the film, one tube each; others hide heads even if they are no candidates.
            heads (list[np.ndarray] | None): (T,) bool for each tube, whether the head is visible. Defaults to None: it
                is guessed from the boxes.

        Returns:
            list[Verdict]: One for each tube, in their order.

        Raises:
            ValueError: If ``heads`` does not fit the tubes.
        """
        if heads is None:
            heads = guess_heads(tubes)
        if [len(head) for head in heads] != [len(tube) for tube in tubes]:
            raise ValueError('heads must have one value for each box of each tube')
        verdicts: dict[int, Verdict] = {}
        candidates = {id(tube) for tube in longest_tubes(tubes, self.top_k)}
        frames = 1 + max((int(tube.frame_inds[-1]) for tube in tubes if len(tube)), default=-1)
        active = np.zeros(frames, np.int64)
        order = sorted(range(len(tubes)), key=lambda i: (-len(tubes[i]) * tubes[i].mean_score, *_begin(tubes[i])))
        for index in order:
            tube, head = tubes[index], np.asarray(heads[index], bool)
            keep, reason = np.zeros(len(tube), bool), ''
            if not len(tube):
                reason = 'has no box'
            elif id(tube) not in candidates:
                reason = f'is not among the {self.top_k} longest'
            elif not self._shows_head(head):
                reason = f'the head is seen in {head.sum()} of {len(tube)} frames'
            else:
                free = active[tube.frame_inds] < self.max_active
                keep = free if free.all() else self._long_pieces(tube, free)
                if not keep.any():
                    reason = f'{self.max_active} others with a higher length x score are there'
                elif not self._shows_head(head[keep]):
                    reason = f'the head is seen in {head[keep].sum()} of the {keep.sum()} frames that are left of it'
                    keep = np.zeros(len(tube), bool)
                elif not keep.all():
                    reason = f'{keep.sum()} of {len(tube)} frames: {self.max_active} others are there at other times'
            active[tube.frame_inds[keep]] += 1
            verdicts[index] = Verdict(tube.track_id, keep, reason)
        return [verdicts[index] for index in range(len(tubes))]

    def _shows_head(self, head: np.ndarray) -> bool:
        return bool(head.sum() >= self.min_head * len(head) - 1e-9)

    def _long_pieces(self, tube: Tube, free: np.ndarray) -> np.ndarray:
        """Return the free rows in pieces that last long enough; a box lasts as long as usual from one to the next."""
        edges = np.flatnonzero(np.diff(np.concatenate([[0], free.astype(np.int8), [0]])))
        step_s = float(np.median(np.diff(tube.times_s))) if len(tube) > 1 else 0.0
        keep = np.zeros(len(free), bool)
        for begin, end in zip(edges[::2].tolist(), edges[1::2].tolist()):
            keep[begin:end] = (end - begin) * step_s >= self.min_piece_s - 1e-9
        return keep


def guess_heads(tubes: list[Tube]) -> list[np.ndarray]:
    """Return for the tubes of a film (T,) bool each, whether the head can be in sight; see ``heads_in_sight``."""
    if not tubes:
        return []
    frames = np.concatenate([tube.frame_inds for tube in tubes])
    seen = heads_in_sight(np.concatenate([tube.boxes_px for tube in tubes]), frames)
    return np.split(seen, np.cumsum([len(tube) for tube in tubes])[:-1])
