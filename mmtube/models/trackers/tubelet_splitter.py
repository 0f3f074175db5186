"""Where a tubelet changes from one person to another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from mmtube.ops.boxes import box_overlap, paired_box_iou
from mmtube.registry import TASK_UTILS
from mmtube.structures import Tube, TubeletLook, TubeletSplit, apply_splits


@TASK_UTILS.register_module()
class TubeletSplitter:
    """Part a tubelet in which a tracker went over from one person to another (an ID switch; SEAL, Sec. 3.2, step 2).

    The described boxes of a tubelet are a sequence of vectors. Where it falls best into two parts (largest sum of
    squares between them), and both parts are long enough and stay alike in themselves, the tubelet may be two people.
    That they differ by ``max_distance`` is enough. Less, ``min_distance``, is enough where another tubelet explains it:
    one that is close by at the change, and that looks like the second part before the change, or like the first part
    after it, much more than the parts look alike.

    Switches of a few frames do not show in described boxes; they are mended as runs of a foreign ID (SEAL, Sec. 3.2).

    Args:
        min_distance (float): Least appearance distance of two parts that another tubelet explains. Defaults to 0.1.
        max_distance (float): From this distance on no explanation is needed. Defaults to 0.5.
        min_rows (int): Fewest described good boxes in a part. Defaults to 4.
        min_frames (int): Shortest part in frames. Defaults to 7, longer than a switch that is mended as a run.
        min_ratio (float): The parts differ by so many times the spread within them. Defaults to 2.
        near_frames (int): An explaining tubelet is close by within so many frames of the change. Defaults to 12.

    Raises:
        ValueError: If a limit is negative, ``max_distance`` is below ``min_distance`` or ``min_rows`` is not positive.
    """

    def __init__(
        self,
        min_distance: float = 0.1,
        max_distance: float = 0.5,
        min_rows: int = 4,
        min_frames: int = 7,
        min_ratio: float = 2.0,
        near_frames: int = 12,
    ) -> None:
        if not 0 <= min_distance <= max_distance:
            raise ValueError(f'need 0 <= min_distance <= max_distance, got {min_distance} and {max_distance}')
        if min(min_frames, min_ratio, near_frames) < 0 or min_rows < 1:
            raise ValueError('limits must not be negative and min_rows must be positive')
        self.min_distance = min_distance
        self.max_distance = max_distance
        self.min_rows = min_rows
        self.min_frames = min_frames
        self.min_ratio = min_ratio
        self.near_frames = near_frames

    def __call__(
        self, tubelets: Sequence[Tube], looks: Mapping[int, TubeletLook]
    ) -> tuple[list[Tube], dict[int, TubeletLook], list[TubeletSplit]]:
        """Part the tubelets that show two people.

        Args:
            tubelets (Sequence[Tube]): Tubelets of one film, not linked yet; not changed.
            looks (Mapping[int, TubeletLook]): How they look, by ID.

        Returns:
            tuple: Tubelets ordered by ID, of which new ones have IDs above all others; the looks of all; the splits in
            the order in which they were made.
        """
        by_id = {tube.track_id: tube for tube in tubelets}
        looks, splits = dict(looks), []
        next_id = max(by_id, default=0) + 1
        queue = sorted(by_id)
        while queue:
            track_id = queue.pop(0)
            found = self._change(by_id, looks, track_id)
            if found is None:
                continue
            split = TubeletSplit(track_id, next_id, *found)
            look, frame = looks[track_id], split.frame_ind
            looks[track_id], looks[next_id] = look.span(0, frame), look.span(frame, 2**62)
            for part in apply_splits([by_id[track_id]], [split]):
                by_id[part.track_id] = replace(part, embedding=looks[part.track_id].mean())
            splits.append(split)
            queue[:0] = [track_id, next_id]
            next_id += 1
        return [by_id[track_id] for track_id in sorted(by_id)], looks, splits

    def _change(
        self, by_id: Mapping[int, Tube], looks: Mapping[int, TubeletLook], track_id: int
    ) -> tuple[int, float, int | None] | None:
        """Return first frame of the second person, distance and partner; None where there is one person."""
        tube, look = by_id[track_id], looks.get(track_id)
        if look is None or look.num_good < 2 * self.min_rows:
            return None
        rows, frames = look.rows[look.good].astype(np.float64), look.frame_inds[look.good]
        sums = np.cumsum(rows, axis=0)
        cuts = np.arange(1, len(rows))  # rows before the change
        left, right = sums[:-1] / cuts[:, None], (sums[-1] - sums[:-1]) / (len(rows) - cuts)[:, None]
        best = int((cuts * (len(rows) - cuts) * ((left - right) ** 2).sum(axis=1)).argmax())
        cut = int(cuts[best])
        lengths = frames[cut - 1] - tube.frame_inds[0] + 1, tube.frame_inds[-1] - frames[cut] + 1
        if min(cut, len(rows) - cut) < self.min_rows or min(lengths) < self.min_frames:
            return None  # what stands out most is too short to be judged
        # The length of a mean of unit vectors tells how much they spread.
        norms = np.linalg.norm(left[best]), np.linalg.norm(right[best])
        distance = float(1 - left[best] @ right[best] / max(norms[0] * norms[1], 1e-12))
        spread = 1 - min(norms)
        if distance < self.min_distance or distance < self.min_ratio * spread:
            return None
        frame = self._frame_of_change(tube, int(frames[cut - 1]), int(frames[cut]))
        partner = self._partner(by_id, looks, track_id, frame, left[best], right[best], distance)
        if partner is None and distance < self.max_distance:
            return None
        return frame, distance, partner

    @staticmethod
    def _frame_of_change(tube: Tube, before: int, after: int) -> int:
        """Return the frame between two rows at which the box jumps most."""
        inside = np.flatnonzero((tube.frame_inds >= before) & (tube.frame_inds <= after))
        steps = paired_box_iou(tube.boxes_px[inside[:-1]], tube.boxes_px[inside[1:]])
        return int(tube.frame_inds[inside[1 + int(steps.argmin())]])

    def _partner(
        self,
        by_id: Mapping[int, Tube],
        looks: Mapping[int, TubeletLook],
        track_id: int,
        frame: int,
        left: np.ndarray,
        right: np.ndarray,
        distance: float,
    ) -> int | None:
        """Return the tubelet close by that looks most like the other side; None if none does more than both parts."""
        best, closest = None, distance
        first, end = frame - self.near_frames, frame + self.near_frames
        own = _part(by_id[track_id], first, end)
        for other_id, other in by_id.items():
            if other_id == track_id or other_id not in looks or not self._touches(own, other, first, end):
                continue
            for side, span in ((right, (0, frame)), (left, (frame, 2**62))):
                look = looks[other_id].span(*span)
                if look.num_good >= self.min_rows:
                    apart = float(1 - look.mean() @ side / max(float(np.linalg.norm(side)), 1e-12))
                    if apart < closest:
                        best, closest = other_id, apart
        return best if closest < distance / 2 else None

    @staticmethod
    def _touches(own: Tube, other: Tube, first: int, end: int) -> bool:
        """Whether the two boxes overlap at some time, or where one ends the other begins."""
        if not len(other) or not len(own) or other.frame_inds[-1] < first or other.frame_inds[0] >= end:
            return False  # most of a long film, told without cutting anything
        other = _part(other, first, end)
        return bool((box_overlap(own.boxes_px, other.boxes_px) > 0).any())


def _part(tube: Tube, first: int, end: int) -> Tube:
    return tube.rows(slice(*np.searchsorted(tube.frame_inds, [first, end]).tolist()))


def parted_pairs(splits: Sequence[TubeletSplit]) -> list[tuple[int, int]]:
    """Return the IDs of the parts that follow each other after all splits, earlier and later.

    Examples:
        >>> parted_pairs([TubeletSplit(1, 5, 30, 0.4, None), TubeletSplit(1, 6, 10, 0.4, None)])
        [(1, 6), (6, 5)]
    """
    chains: dict[int, list[int]] = {}
    for split in splits:
        chain = next((c for c in chains.values() if split.earlier_id in c), None)
        if chain is None:
            chain = chains.setdefault(split.earlier_id, [split.earlier_id])
        chain.insert(chain.index(split.earlier_id) + 1, split.later_id)
    return [pair for chain in chains.values() for pair in pairwise(chain)]
