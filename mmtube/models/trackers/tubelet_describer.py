"""Which boxes of a tubelet show how the person looks, and what they look like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from mmtube.ops.boxes import box_iou
from mmtube.registry import TASK_UTILS
from mmtube.structures import Tube, TubeletLook

_NO_ROWS = np.zeros((0, 0), np.float32)


@dataclass
class _Kept:
    """What is kept of one tubelet while a film goes by: every ``stride``-th good box, and the best of the others."""

    good: list[tuple[int, np.ndarray]] = field(default_factory=list)
    weak: list[tuple[float, int, np.ndarray]] = field(default_factory=list)  # fault, frame, row
    seen: int = 0
    stride: int = 1


@TASK_UTILS.register_module()
class TubeletDescriber:
    """Describe tubelets by the boxes that show the person well, for SEAL's long merge (Sec. 3.2, step 3).

    The paper only says that video re-ID compares tubelets; which boxes stand for one is ours. A box is good if the
    detector is sure of it, it is large enough, no other box of its frame covers it, and the edge of the picture does
    not cut it at a side or at the top (feet below the picture change a look little). At most ``max_boxes`` good boxes,
    evenly spaced, stand for a tubelet; where there are fewer than ``min_good``, the best of the others join them and
    are marked, so that a linker can ask more of such weak evidence.

    Only chosen boxes need a descriptor. There are two ways to it: :meth:`choose` for tubelets that are known already,
    and :meth:`reset`, :meth:`watch` and :meth:`finish` beside a tracker, which keep a bounded number of rows for each
    tubelet of what the tracker was given.

    Args:
        max_boxes (int): Boxes that stand for a tubelet at most. Defaults to 64.
        min_good (int): With fewer good boxes others join them. Defaults to 4.
        min_score (float): Least detection score. Defaults to 0.5.
        min_height_px (float): Least height in pixels. Defaults to 64.
        min_height_part (float): A box that is so large a part of the picture's height is large enough too, for small
            films. Defaults to 0.2.
        max_iou (float): Largest IoU with another box of the frame. Defaults to 0.5.
        edge_px (float): A box that comes so near to an edge is cut. Defaults to 1.

    Raises:
        ValueError: If a count is not positive or a limit is negative.

    Examples:
        >>> describer = TubeletDescriber(max_boxes=2)
        >>> tube = Tube(1, [0, 1, 2], [0.0, 0.04, 0.08], [[50, 50, 90, 150]] * 3)
        >>> rows, good = describer.choose([tube], frame_size=(320, 240))[0]
        >>> rows.tolist(), good.tolist()
        ([0, 2], [True, True])
    """

    def __init__(
        self,
        max_boxes: int = 64,
        min_good: int = 4,
        min_score: float = 0.5,
        min_height_px: float = 64.0,
        min_height_part: float = 0.2,
        max_iou: float = 0.5,
        edge_px: float = 1.0,
    ) -> None:
        if min(max_boxes, min_good) < 1:
            raise ValueError('max_boxes and min_good must be positive')
        if min(min_score, min_height_px, min_height_part, max_iou, edge_px) < 0:
            raise ValueError('limits must not be negative')
        self.max_boxes = max_boxes
        self.min_good = min_good
        self.min_score = min_score
        self.min_height_px = min_height_px
        self.min_height_part = min_height_part
        self.max_iou = max_iou
        self.edge_px = edge_px
        self.reset()

    def faults(self, boxes_px: np.ndarray, scores: np.ndarray, frame_size: tuple[int, int]) -> np.ndarray:
        """Return how far each box of one frame is from a good one: 0 is good, the whole part counts broken rules.

        Args:
            boxes_px (np.ndarray): (N, 4) float32 xyxy in pixels, all boxes of the frame.
            scores (np.ndarray): (N,) float32.
            frame_size (tuple[int, int]): Width and height of the picture in pixels.

        Returns:
            np.ndarray: (N,) float64; among boxes that break equally many rules those with a better score have less.
        """
        boxes_px = np.asarray(boxes_px, np.float64).reshape(-1, 4)
        width, height = frame_size
        iou = box_iou(boxes_px, boxes_px)
        np.fill_diagonal(iou, 0)
        cut = (boxes_px[:, 0] <= self.edge_px) | (boxes_px[:, 1] <= self.edge_px)
        cut |= boxes_px[:, 2] >= width - self.edge_px
        small = boxes_px[:, 3] - boxes_px[:, 1] < min(self.min_height_px, self.min_height_part * height)
        broken = np.stack([scores < self.min_score, small, (iou > self.max_iou).any(axis=1), cut])
        count = broken.sum(axis=0).astype(np.float64)
        return np.where(count > 0, count + 0.5 * (1 - np.clip(scores, 0, 1)), 0.0)

    def choose(self, tubelets: Sequence[Tube], frame_size: tuple[int, int]) -> list[tuple[np.ndarray, np.ndarray]]:
        """Choose the boxes that are to be described.

        Args:
            tubelets (Sequence[Tube]): All tubelets of a film; filled-in boxes have no part in it.
            frame_size (tuple[int, int]): Width and height of the picture in pixels.

        Returns:
            list[tuple[np.ndarray, np.ndarray]]: For each tubelet (M,) int64 rows, increasing, and (M,) bool whether
            each is good. M is 0 only for a tubelet without a detected box.
        """
        if not tubelets:
            return []
        owner = np.concatenate([np.full(len(tube), number) for number, tube in enumerate(tubelets)])
        frames, observed = (np.concatenate([getattr(t, key) for t in tubelets]) for key in ('frame_inds', 'observed'))
        boxes_px, scores = (np.concatenate([getattr(t, key) for t in tubelets]) for key in ('boxes_px', 'scores'))
        fault = np.full(len(owner), np.inf)
        rows = np.flatnonzero(observed)
        rows = rows[np.argsort(frames[rows], kind='stable')]
        for same in np.split(rows, np.flatnonzero(np.diff(frames[rows])) + 1):
            fault[same] = self.faults(boxes_px[same], scores[same], frame_size)
        starts = np.cumsum([0, *map(len, tubelets)])
        return [self._best(fault[start:end]) for start, end in pairwise(starts)]

    def _best(self, fault: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        good = np.flatnonzero(fault == 0)
        if len(good) > self.max_boxes:
            good = good[np.linspace(0, len(good) - 1, self.max_boxes).round().astype(np.int64)]
        weak = np.flatnonzero((fault > 0) & np.isfinite(fault))
        weak = weak[np.argsort(fault[weak], kind='stable')][: max(self.min_good - len(good), 0)]
        rows = np.sort(np.concatenate([good, weak]))
        return rows, fault[rows] == 0

    def reset(self) -> None:
        """Forget the film."""
        self._kept: dict[int, _Kept] = {}

    def watch(
        self,
        frame_ind: int,
        ids: np.ndarray,
        boxes_px: np.ndarray,
        scores: np.ndarray,
        features: np.ndarray,
        frame_size: tuple[int, int],
    ) -> None:
        """Look at what a tracker made of a frame.

        Args:
            frame_ind (int): The frame; frames come in order.
            ids (np.ndarray): (N,) int64 tubelet of each box, -1 for none.
            boxes_px (np.ndarray): (N, 4) float32 xyxy in pixels.
            scores (np.ndarray): (N,) float32.
            features (np.ndarray): (N, D) float32 descriptors of unit length.
            frame_size (tuple[int, int]): Width and height of the picture in pixels.
        """
        fault = self.faults(boxes_px, scores, frame_size)
        for row in np.flatnonzero(np.asarray(ids) >= 0):
            kept = self._kept.setdefault(int(ids[row]), _Kept())
            if fault[row] > 0:
                kept.weak.append((float(fault[row]), frame_ind, features[row].copy()))
                kept.weak = sorted(kept.weak, key=lambda entry: entry[:2])[: self.min_good]
                continue
            if kept.seen % kept.stride == 0:
                kept.good.append((frame_ind, features[row].copy()))
                if len(kept.good) > self.max_boxes:  # twice the distance from now on, so that they stay even
                    kept.good = kept.good[::2]
                    kept.stride *= 2
            kept.seen += 1

    def finish(self) -> dict[int, TubeletLook]:
        """Return the looks of the tubelets by ID, and forget the film."""
        looks = {}
        for track_id, kept in self._kept.items():
            weak = kept.weak[: max(self.min_good - len(kept.good), 0)]
            entries = [(frame, row, True) for frame, row in kept.good] + [(frame, row, False) for _, frame, row in weak]
            frames, rows, good = zip(*sorted(entries, key=lambda entry: entry[0]))
            looks[track_id] = TubeletLook(frames, np.stack(rows), good)
        self.reset()
        return looks
