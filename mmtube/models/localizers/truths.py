"""The truth of a batch in tables of one size, and what segments have in common with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mmtube.ops.torch_segments import pairwise_tiou

from .base import Truth


@dataclass
class TruthTable:
    """Instances of the sequences of a batch, side by side.

    Args:
        segments (Tensor): (N, G, 2) rows; (0, 0) where there is none.
        labels (Tensor): (N, G) int64.
        there (Tensor): (N, G) bool. G is at least 1.
    """

    segments: Tensor
    labels: Tensor
    there: Tensor

    @classmethod
    def of(cls, truths: Sequence[Truth]) -> TruthTable:
        """Put the instances of sequences side by side."""
        most = max(1, *(len(truth.labels) for truth in truths))
        segments = truths[0].segments.new_zeros(len(truths), most, 2)
        labels = truths[0].labels.new_zeros(len(truths), most)
        there = torch.zeros_like(labels, dtype=torch.bool)
        for row, truth in enumerate(truths):
            count = len(truth.labels)
            segments[row, :count], labels[row, :count], there[row, :count] = truth.segments, truth.labels, True
        return cls(segments, labels, there)

    def tiou(self, segments: Tensor) -> Tensor:
        """Return (N, P, G) the temporal IoU of segments (N, P, 2) with the instances; 0 where there is none."""
        return pairwise_tiou(segments, self.segments)

    def touch(self, segments: Tensor, context: float) -> Tensor:
        """Return (N, P, G) the temporal IoU with the instances made longer by ``context`` lengths on both sides."""
        more = (self.segments[..., 1] - self.segments[..., 0]) * context
        return pairwise_tiou(segments, self.segments + torch.stack([-more, more], -1))

    def best(self, segments: Tensor) -> tuple[Tensor, Tensor]:
        """Return (N, P) the largest IoU of each segment and (N, P, 2) the instance that has it."""
        overlap, which = self.tiou(segments).max(-1)
        return overlap, self.segments.gather(1, which[..., None].expand(-1, -1, 2))
