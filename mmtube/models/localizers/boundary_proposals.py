"""Proposals from boundaries and from the confidence of dense pairs of a start and a duration."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmtube.ops.temporal_roi import temporal_roi_linear
from mmtube.ops.torch_segments import keep_apart

from ..layers.sequence import MaskedConv1d
from .truths import TruthTable

EDGE = 0.5  # a row reaches half a row to both sides
SIDES = (-EDGE, EDGE)  # where a start, and where an end stands in its row


def balanced_bce(logits: Tensor, positive: Tensor, counted: Tensor) -> Tensor:
    """Return the binary cross-entropy in which both sides have half of the weight (BSN, Lin et al. 2018, Sec. 3.3).

    Args:
        logits (Tensor): Any shape.
        positive (Tensor): Bool of that shape.
        counted (Tensor): Bool of that shape; what is not counted has no part. A side that is empty has none either.
    """
    loss = F.binary_cross_entropy_with_logits(logits, positive.to(logits.dtype), reduction='none')
    return sum(loss[side].sum() / side.sum().clamp(min=1) for side in (counted & positive, counted & ~positive)) / 2


def boundary_targets(truth: TruthTable, rows: int, region: float) -> tuple[Tensor, Tensor]:
    """Return which rows hold a start, and which an end.

    Args:
        truth (TruthTable): Of N sequences.
        rows (int): Rows T of a sequence.
        region (float): Rows that belong to a boundary, which is their middle. The edge of a row is looked at with half
            a row to both sides: it holds the boundary if more than half of that lies inside, which is to say if the
            boundary is less than half of the region away.

    Returns:
        tuple[Tensor, Tensor]: (N, T) bool each.
    """
    own = torch.arange(rows, device=truth.segments.device, dtype=truth.segments.dtype)
    found = []
    for side, edge in enumerate(SIDES):
        away = (own + edge - truth.segments[..., side, None]).abs()
        found.append(((away < region / 2) & truth.there[..., None]).any(1))
    return found[0], found[1]


class BoundaryProposals(nn.Module):
    """Where something begins and ends, and which of the pairs are instances.

    Two heads say for each row how likely it holds a start or an end (BSN); a third says for pairs of a start and an end
    how well they match (BMN, Lin et al. 2019, Sec. 3.3: a classification and a regression of the tIoU). A pair is from
    the left edge of its first row to the right edge of its last, so one row has a proposal too. In training the third
    head sees a random part of all pairs, and some near the truth, of which a random part has few; in testing only
    pairs of kept boundaries, for only they can become proposals. Our design; SEAL and Faster-TAD print none.

    Args:
        channels (int): Channels of the sequence. Defaults to 256.
        width (int): Channels of the heads. Defaults to 128.
        bins (int): Bins of a pair. Defaults to 16.
        region (float): Rows that belong to a boundary. Defaults to 3.
        max_duration_rows (int): Longest pair. Defaults to 512.
        share (float): Part of all pairs that training looks at. Defaults to 0.06.
        near (int): Pairs near each instance that it looks at too. Defaults to 16.
        most_pairs (int): Pairs at most, in training of a sequence's random part and in testing those with the largest
            product of the boundaries. Defaults to 2000.
        top (int): Pairs that go into suppression. Defaults to 300.
        iou_thr (float): Pairs that overlap more are the same. Defaults to 0.8.
        count (int): Proposals of a sequence. Defaults to 100.

    Raises:
        ValueError: If an argument is out of range.
    """

    def __init__(
        self,
        channels: int = 256,
        width: int = 128,
        bins: int = 16,
        region: float = 3.0,
        max_duration_rows: int = 512,
        share: float = 0.06,
        near: int = 16,
        most_pairs: int = 2000,
        top: int = 300,
        iou_thr: float = 0.8,
        count: int = 100,
    ) -> None:
        super().__init__()
        if min(channels, width, bins, max_duration_rows, most_pairs, top, count) < 1 or near < 0 or region <= 0:
            raise ValueError(f'out of range: {width=}, {bins=}, {max_duration_rows=}, {most_pairs=}, {top=}, {near=}')
        if not (0 < share <= 1 and 0 < iou_thr <= 1):
            raise ValueError(f'share and iou_thr must lie in (0, 1]: {share}, {iou_thr}')
        self.region, self.max_duration_rows = region, max_duration_rows
        self.share, self.near, self.most_pairs = share, near, most_pairs
        self.top, self.iou_thr, self.count = top, iou_thr, count
        self.boundary = MaskedConv1d(channels, 2 * width)
        self.edges = nn.Conv1d(2 * width, 2, 1, groups=2)
        self.narrow = MaskedConv1d(channels, width)
        self.pair_weight = nn.Parameter(torch.empty(bins, width, width))
        self.pair_bias = nn.Parameter(torch.zeros(width))
        self.quality = nn.Linear(width, 2)
        nn.init.normal_(self.pair_weight, std=(2 / (bins * width)) ** 0.5)

    def forward(self, base: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return (N, 2, T) logits of starts and ends, and (N, width, T), what pairs are judged by."""
        return self.edges(self.boundary(base, mask).relu()), self.narrow(base, mask).relu()

    def judge(self, sequence: Tensor, segments: Tensor, mask: Tensor) -> Tensor:
        """Return (N, P, 2) logits: that a pair is an instance, and how large its tIoU is."""
        hidden = temporal_roi_linear(sequence, segments, self.pair_weight, mask) + self.pair_bias
        return self.quality(hidden.relu())

    def losses(self, edges: Tensor, sequence: Tensor, mask: Tensor, truth: TruthTable) -> dict[str, Tensor]:
        """Return ``loss_boundary`` and ``loss_confidence``.

        The tIoU of a pair is learned by squares in three parts of equal weight, above 0.7, from 0.3 and below, and the
        classification above 0.9 with both sides of equal weight, in place of drawing as many of each.

        Args:
            edges (Tensor): (N, 2, T) of :meth:`forward`.
            sequence (Tensor): (N, width, T) likewise.
            mask (Tensor): (N, T) bool.
            truth (TruthTable): What there is.
        """
        targets = boundary_targets(truth, mask.shape[1], self.region)
        boundary = [balanced_bce(edges[:, side], target, mask) for side, target in enumerate(targets)]
        segments, real = self._draw(mask, truth)
        overlap = truth.best(segments)[0]
        judged = self.judge(sequence, segments, mask)
        off = (judged[..., 1].sigmoid() - overlap) ** 2
        parts = [real & (overlap > 0.7), real & (overlap >= 0.3) & (overlap <= 0.7), real & (overlap < 0.3)]
        squares = sum(off[part].sum() / part.sum().clamp(min=1) for part in parts) / len(parts)
        matched = balanced_bce(judged[..., 0], overlap > 0.9, real)
        return {'loss_boundary': boundary[0] + boundary[1], 'loss_confidence': matched + 5 * squares}

    def _draw(self, mask: Tensor, truth: TruthTable) -> tuple[Tensor, Tensor]:
        """Draw pairs of all rows, and pairs near the instances: (N, P, 2) and (N, P) bool, whether it is one."""
        number, rows = mask.shape
        length = (mask * torch.arange(1, rows + 1, device=mask.device)).amax(1)[:, None, None]
        drawn = min(max(round(self.share * rows * (rows + 1) / 2), 1), self.most_pairs)
        pairs = (torch.rand(number, drawn, 2, device=mask.device) * length).floor().sort(-1).values
        ends = truth.segments[:, :, None].expand(-1, -1, self.near, -1)
        off = torch.rand_like(ends) * 0.4 - 0.2
        beside = (ends + off * (ends[..., 1:] - ends[..., :1]) - ends.new_tensor(SIDES)).round().flatten(1, 2)
        there = truth.there.repeat_interleave(self.near, 1)
        pairs = torch.cat([pairs, beside], 1)
        first, last = pairs.clamp(min=0).minimum((length - 1).clamp(min=0)).long().unbind(-1)
        real = mask.gather(1, first) & mask.gather(1, last) & (first <= last)
        real &= last - first < self.max_duration_rows
        real[:, drawn:] &= there
        last = last.maximum(first)
        return torch.stack([first, last], -1) + mask.new_tensor(SIDES, dtype=torch.float32), real

    @torch.no_grad()
    def propose(self, edges: Tensor, sequence: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return the proposals of each sequence, best first.

        A row is a boundary if it is more likely one than both rows beside it, or half as likely as the best row. The
        score of a pair is that of its start times that of its end times the root of both answers of the third head.

        Args:
            edges (Tensor): (N, 2, T) of :meth:`forward`.
            sequence (Tensor): (N, width, T) likewise.
            mask (Tensor): (N, T) bool.

        Returns:
            tuple[Tensor, Tensor]: (N, P, 2) rows and (N, P) scores, which are 0 where there is no proposal. P is at
            least 1 and at most ``count``.
        """
        likely = edges.float().sigmoid() * mask[:, None]
        around = F.pad(likely, (1, 1))
        peak = (likely > around[..., :-2]) & (likely > around[..., 2:])
        kept = likely * (peak | (likely > likely.amax(-1, keepdim=True) / 2))
        pairs = [self._pairs(*one) for one in kept]
        segments = nn.utils.rnn.pad_sequence([pair[0] for pair in pairs], batch_first=True)
        product = nn.utils.rnn.pad_sequence([pair[1] for pair in pairs], batch_first=True)
        quality = self.judge(sequence, segments, mask).float().sigmoid()
        product, order = (product * quality.prod(-1).sqrt()).sort(descending=True, stable=True)
        order, product = order[:, : self.top], product[:, : self.top]
        segments = segments.gather(1, order[..., None].expand(-1, -1, 2))
        product = product * keep_apart(segments, product, self.iou_thr)
        product, order = product.sort(descending=True, stable=True)
        order, product = order[:, : self.count], product[:, : self.count]
        most = max(int((product > 0).sum(1).max()), 1)
        return segments.gather(1, order[:, :most, None].expand(-1, -1, 2)), product[:, :most]

    def _pairs(self, starts: Tensor, ends: Tensor) -> tuple[Tensor, Tensor]:
        """Return (M, 2) the pairs of kept boundaries of one sequence and (M,) the products of both; M is at least 1."""
        longest = min(self.max_duration_rows, len(ends))
        first = starts.nonzero()[:, 0]
        if not len(first):
            return starts.new_tensor([SIDES]), starts.new_zeros(1)
        table = starts[first, None] * F.pad(ends, (0, longest - 1)).unfold(0, longest, 1)[first]
        product, index = table.flatten().topk(min(self.most_pairs, table.numel()))
        first = first[index // longest].to(starts.dtype)
        return torch.stack([first, first + index % longest], -1) + starts.new_tensor(SIDES), product
