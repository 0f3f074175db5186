"""GCNeXt: rows that look at their neighbours in time and at those that are like them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .sequence import MaskedConv1d

MAP_ENTRIES = 2**24  # distances held at a time


def nearest_rows(features: Tensor, mask: Tensor, count: int) -> Tensor:
    """Return for each row itself and the rows that are most like it, by Euclidean distance.

    Distances are looked at in parts, so memory grows with the length of the sequence and not with its square.

    Args:
        features (Tensor): (N, C, T).
        mask (Tensor): (N, T) bool; a masked row is nobody's neighbour.
        count (int): Rows for each, itself among them.

    Returns:
        Tensor: (N, T, count) int64; a row with fewer neighbours has itself in the place of those that lack.
    """
    features = features.detach()
    number, _, rows = features.shape
    far = features.square().sum(1).masked_fill(~mask, torch.inf)
    own = torch.arange(rows, device=features.device)
    found = own[None, :, None].repeat(number, 1, count)
    part = max(MAP_ENTRIES // max(number * rows, 1), 1)
    for begin in range(0, rows, part):
        here = own[begin : begin + part]
        # Without the squared length of the row itself, which is the same for all others.
        apart = torch.baddbmm(far[:, None], features[:, :, here].transpose(1, 2), features, alpha=-2)
        apart[:, here - begin, here] = torch.inf
        for place in range(1, count):
            least, index = apart.min(-1)
            found[:, here, place] = torch.where(least.isfinite(), index, here)
            apart.scatter_(-1, index[..., None], torch.inf)
    return found


class GCNeXt(nn.Module):
    """``relu(x + temporal(x) + semantic(x))``, the base of G-TAD (Xu et al. 2020, Sec. 3.2) and of Faster-TAD.

    The temporal branch is a grouped convolution of 3 rows. The semantic one makes an edge of each of the nearest rows
    (in the space of features) and the row itself, and keeps the largest answer in each channel. Both have a bottleneck.
    The first map of an edge is taken apart into that of the neighbour and that of the row, which is the same and does
    the work once for each row and not for each edge.

    Args:
        channels (int): Channels. Defaults to 256.
        width (int): Channels of the bottlenecks. Defaults to 128.
        groups (int): Groups of the middle convolutions. Defaults to 32.
        neighbours (int): Rows that an edge leads to, the row itself among them. Defaults to 3.

    Raises:
        ValueError: If a number is not positive, or the groups do not divide the width.
    """

    def __init__(self, channels: int = 256, width: int = 128, groups: int = 32, neighbours: int = 3) -> None:
        super().__init__()
        if min(channels, width, groups, neighbours) < 1 or width % groups:
            told = f'{channels=}, {width=}, {groups=}, {neighbours=}'
            raise ValueError(f'numbers must be positive and groups divide the width: {told}')
        self.neighbours = neighbours
        self.narrow = MaskedConv1d(channels, width, 1)
        self.along = MaskedConv1d(width, width, 3, groups=groups)
        self.widen = MaskedConv1d(width, channels, 1)
        self.own = nn.Conv1d(channels, width, 1)
        self.other = nn.Conv1d(channels, width, 1, bias=False)
        self.edge = nn.Conv1d(width, width, 1, groups=groups)
        self.answer = nn.Conv1d(width, channels, 1)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map (N, C, T) to (N, C, T), 0 in masked rows.

        Args:
            x (Tensor): (N, C, T), 0 in masked rows.
            mask (Tensor): (N, T) bool.
        """
        number, _, rows = x.shape
        temporal = self.widen(self.along(self.narrow(x, mask).relu(), mask).relu(), mask)
        near = nearest_rows(x, mask, self.neighbours).flatten(1)[:, None].expand(-1, self.other.out_channels, -1)
        edges = self.other(x).gather(2, near) + self.own(x).repeat_interleave(self.neighbours, 2)
        answers = self.answer(self.edge(edges.relu()).relu())
        semantic = answers.view(number, -1, rows, self.neighbours).amax(-1) * mask[:, None]
        return (x + temporal + semantic).relu()
