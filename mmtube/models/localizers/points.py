"""Points of all levels of a pyramid in one sequence, and which instance each stands for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from .base import Truth


@dataclass
class Points:
    """Where the rows of all levels stand.

    Args:
        centers (Tensor): (P,) float, in rows of the input. Row i of a level of stride s stands in the middle of what it
            stands for: ``s * i + (s - 1) / 2``.
        strides (Tensor): (P,) float.
        levels (Tensor): (P,) int64.
        mask (Tensor): (N, P) bool, True where a row counts.
    """

    centers: Tensor
    strides: Tensor
    levels: Tensor
    mask: Tensor

    def ranges(self, base: float, num_levels: int) -> Tensor:
        """Return (P, 2): a point answers for instances whose farther boundary is so many rows away.

        Level 0 has 0 to ``base``, each next one ends at twice as many, and the last one has no end
        (ActionFormer, arXiv 2202.07925, its settings for THUMOS14, where ``base`` is 4).
        """
        ends = base * 2.0 ** torch.arange(num_levels, device=self.levels.device)
        starts = torch.cat([ends.new_zeros(1), ends[:-1]])
        ends[-1] = float('inf')
        return torch.stack([starts, ends], 1)[self.levels]


def join_levels(levels: Sequence[Tensor], masks: Sequence[Tensor], gap: int) -> tuple[Tensor, Points]:
    """Put levels one after another, ``gap`` empty rows before, between and behind them.

    What looks no farther than the gap sees zeros beyond the ends of a level, as it would alone; so a head that all
    levels share runs once.

    Args:
        levels (Sequence[Tensor]): (N, C, T_l) each, the stride of level l is ``2 ** l``.
        masks (Sequence[Tensor]): (N, T_l) bool each.
        gap (int): Rows.

    Returns:
        tuple[Tensor, Points]: (N, C, P) and its points.
    """
    parts: list[list[Tensor]] = [[], [], []]
    last = len(levels) - 1
    for number, level in enumerate(levels):
        length = level.shape[2] + gap * (2 if number == last else 1)
        place = torch.arange(length, device=level.device) - gap
        stride = 2**number
        parts[0].append((stride * place + (stride - 1) / 2).to(level.dtype))
        parts[1].append(torch.full_like(parts[0][-1], stride))
        parts[2].append(torch.full_like(place, number))
    ends = [(gap, gap if number == last else 0) for number in range(len(levels))]
    joined = torch.cat([F.pad(level, end) for level, end in zip(levels, ends)], 2)
    mask = torch.cat([F.pad(mask, end) for mask, end in zip(masks, ends)], 1)
    centers, strides, numbers = (torch.cat(part) for part in parts)
    return joined, Points(centers, strides, numbers, mask)


def assign_points(
    points: Points, item: int, truth: Truth, ranges: Tensor, radius: float, num_classes: int, multi_label: bool
) -> tuple[Tensor, Tensor]:
    """Return which points of a sequence stand for which instances.

    A point stands for an instance if it is within it and within ``radius`` strides of its centre, and the farther of
    its boundaries is within the range of the point (FCOS, arXiv 2006.09214, on a line: ActionFormer, Sec. 3.3). Where
    there are several, the shortest is taken, of each class its own with ``multi_label``, else of all. Of equal ones it
    is the first.

    Args:
        points (Points): Points.
        item (int): Sequence of the batch.
        truth (Truth): Its instances.
        ranges (Tensor): (P, 2) in rows, closed.
        radius (float): Strides.
        num_classes (int): Classes.
        multi_label (bool): Whether a point may stand for several classes.

    Returns:
        tuple[Tensor, Tensor]: (K,) points and (K,) instances, int64.
    """
    count = len(truth.labels)
    start, end = truth.segments[:, 0], truth.segments[:, 1]
    left, right = points.centers[:, None] - start, end - points.centers[:, None]  # (P, n)
    from_center = (points.centers[:, None] - (start + end) / 2).abs()
    farther = torch.maximum(left, right)
    stands = (torch.minimum(left, right) > 0) & (from_center < radius * points.strides[:, None])
    stands &= (farther >= ranges[:, :1]) & (farther <= ranges[:, 1:]) & points.mask[item, :, None]
    order = (end - start).argsort(stable=True)
    rank = torch.empty_like(order).scatter_(0, order, torch.arange(count, device=order.device))
    place, instance = stands.nonzero(as_tuple=True)
    # One cell for each point, or for each point and class; the instance of the lowest rank has it.
    width = num_classes if multi_label else 1
    cell = place * width + (truth.labels[instance] if multi_label else 0)
    cells = torch.full((len(points.centers) * width,), count, dtype=torch.int64, device=order.device)
    cells.scatter_reduce_(0, cell, rank[instance], 'amin')
    taken = (cells < count).nonzero()[:, 0]
    return taken // width, order[cells[taken]]
