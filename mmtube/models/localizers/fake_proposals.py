"""Proposals made from the truth, for training."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from .truths import TruthTable


class FakeProposals(nn.Module):
    """Segments near each instance in steps of tIoU, and some that are near none.

    They show the second stage good proposals from the first step on, whatever the first stage finds (Faster-TAD names
    its fake-proposal block, Chen et al. 2022, Sec. 1; its inside is our design). A jitter draws its tIoU and how its
    change is shared out, both boundaries inwards or outwards, and the size of the change follows: where ``inner`` and
    ``outer`` are what goes inwards and outwards, in lengths, the tIoU is ``(1 - inner) / (1 + outer)``. What leaves the
    sequence is cut off afterwards, for no real proposal does.

    Args:
        steps (Sequence[float]): Edges of the steps of tIoU, falling. Defaults to (1.0, 0.9, 0.7, 0.5, 0.3).
        each (int): Jitters of an instance in each step. Defaults to 2.
        negatives (int): Random segments of a sequence with a tIoU below the last edge. Defaults to 8.

    Raises:
        ValueError: If an argument is out of range.
    """

    def __init__(self, steps: Sequence[float] = (1.0, 0.9, 0.7, 0.5, 0.3), each: int = 2, negatives: int = 8) -> None:
        super().__init__()
        if len(steps) < 2 or not all(1 >= high > low > 0 for high, low in pairwise(steps)):
            raise ValueError(f'steps must fall within (0, 1], got {steps}')
        if each < 0 or negatives < 0 or each + negatives < 1:
            raise ValueError(f'each and negatives must be 0 or more, not both 0: {each}, {negatives}')
        self.steps, self.each, self.negatives = tuple(steps), each, negatives

    def forward(self, truth: TruthTable, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Draw proposals.

        Args:
            truth (TruthTable): Of N sequences.
            lengths (Tensor): (N,) rows of each; a sequence of none gets no proposals.

        Returns:
            tuple[Tensor, Tensor]: (N, F, 2) rows and (N, F) bool, whether there is one.
        """
        near, there = self.jitter(truth)
        far, found = self.away(truth, lengths)
        edge = (lengths.to(near.dtype) - 0.5).view(-1, 1, 1).clamp(min=-0.5)
        segments = torch.cat([near, far], 1).clamp(min=-0.5).minimum(edge)
        return segments, torch.cat([there, found], 1) & (segments[..., 1] > segments[..., 0])

    def jitter(self, truth: TruthTable) -> tuple[Tensor, Tensor]:
        """Return (N, G * steps * each, 2) segments near the instances and (N, ...) whether there is one, uncut."""
        edges = truth.segments.new_tensor(self.steps).repeat_interleave(self.each)
        high, low = edges[: -self.each or None], edges[self.each :]
        shape = (*truth.labels.shape, len(low))
        wanted = high - torch.rand(shape, device=edges.device) * (high - low)
        share = torch.rand(shape, device=edges.device)
        share = torch.stack([share, 1 - share], -1)
        inwards = torch.rand_like(share) < 0.5
        inner = (share * inwards).sum(-1)
        change = (1 - wanted) / (inner + wanted * (1 - inner))
        move = torch.where(inwards, 1.0, -1.0) * share * change[..., None] * share.new_tensor([1.0, -1.0])
        length = (truth.segments[..., 1] - truth.segments[..., 0])[..., None, None]
        segments = truth.segments[:, :, None] + move * length
        return segments.flatten(1, 2), truth.there.repeat_interleave(len(low), 1)

    def away(self, truth: TruthTable, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return (N, negatives, 2) random segments with little in common with any instance, and whether there is one.

        Eight times as many are drawn as are wanted; where the instances leave no room, fewer are found.
        """
        drawn = torch.rand(len(lengths), 8 * self.negatives, 2, device=lengths.device)
        segments = drawn.sort(-1).values * lengths.view(-1, 1, 1) - 0.5
        good = truth.tiou(segments).amax(-1) < self.steps[-1]
        first = good.to(torch.int8).sort(dim=1, descending=True, stable=True).indices[:, : self.negatives]
        return segments.gather(1, first[..., None].expand(-1, -1, 2)), good.gather(1, first)
