"""What an anchor-free detector says of a point: classes, and how far away the boundaries are."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..layers.sequence import ChannelNorm, MaskedConv1d

PRIOR = 0.01  # probability of a class at first (Lin et al., ICCV 2017, Sec. 4.1)


class ConvTower(nn.Module):
    """Convolutions of three rows, each with a norm and ReLU.

    Args:
        channels (int): Channels in and out.
        num_layers (int): Convolutions.
    """

    def __init__(self, channels: int, num_layers: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList(MaskedConv1d(channels, channels, bias=False) for _ in range(num_layers))
        self.norms = nn.ModuleList(ChannelNorm(channels) for _ in range(num_layers))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map (N, C, P), 0 in masked rows, to the same shape."""
        for conv, norm in zip(self.convs, self.norms):
            x = norm(conv(x, mask)).relu() * mask[:, None].to(x.dtype)
        return x


class ClassHead(nn.Module):
    """Logits of the classes of each point.

    Args:
        channels (int): Channels in.
        num_classes (int): Classes.
        num_layers (int): Convolutions before the last.
    """

    def __init__(self, channels: int, num_classes: int, num_layers: int) -> None:
        super().__init__()
        self.tower = ConvTower(channels, num_layers)
        self.conv = MaskedConv1d(channels, num_classes)
        assert self.conv.bias is not None
        nn.init.constant_(self.conv.bias, -math.log((1 - PRIOR) / PRIOR))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map (N, C, P) to (N, classes, P)."""
        return self.conv(self.tower(x, mask), mask)


class DistanceHead(nn.Module):
    """Distances as numbers, made positive by ReLU, with a learned scale per level (ActionFormer, Sec. 3.3).

    Args:
        channels (int): Channels in.
        num_outputs (int): 1, or the classes where each has boundaries of its own.
        num_layers (int): Convolutions before the last.
        num_levels (int): Levels of the pyramid.
    """

    def __init__(self, channels: int, num_outputs: int, num_layers: int, num_levels: int) -> None:
        super().__init__()
        self.num_outputs = num_outputs
        self.tower = ConvTower(channels, num_layers)
        self.conv = MaskedConv1d(channels, 2 * num_outputs)
        assert self.conv.bias is not None
        nn.init.ones_(self.conv.bias)  # where ReLU has a slope
        self.scales = nn.Parameter(torch.ones(num_levels))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map (N, C, P) to a table for :meth:`distances`."""
        return self.conv(self.tower(x, mask), mask)

    def distances(self, table: Tensor, item: Tensor, point: Tensor, label: Tensor, level: Tensor) -> Tensor:
        """Return how far the boundaries of classes are from points.

        Args:
            table (Tensor): What :meth:`forward` gave.
            item (Tensor): (K,) sequences of the batch.
            point (Tensor): (K,) points.
            label (Tensor): (K,) classes.
            level (Tensor): (K,) levels of the points.

        Returns:
            Tensor: (K, 2) distances of 0 or more to start and end, in strides.
        """
        output = label if self.num_outputs > 1 else torch.zeros_like(label)
        values = table.unflatten(1, (self.num_outputs, 2))[item, output, :, point]
        return (values * self.scales[level, None]).relu()


class DistributionHead(nn.Module):
    """Distances as expectations over bins of one stride (TriDet's Trident head, arXiv 2303.07347, Sec. 3.3).

    How likely a start is ``j`` strides before a point is a softmax over ``j`` of what the row over there says of a
    start being there, plus what the point says of the distance ``j``; so for ends, behind the point.

    Args:
        channels (int): Channels in.
        num_outputs (int): 1, or the classes where each has boundaries of its own.
        num_layers (int): Convolutions before the last.
        bins (int): The greatest distance, in strides.
    """

    def __init__(self, channels: int, num_outputs: int, num_layers: int, bins: int) -> None:
        super().__init__()
        self.num_outputs, self.bins = num_outputs, bins
        self.tower = ConvTower(channels, num_layers)
        self.edges = MaskedConv1d(channels, 2 * num_outputs)
        self.offsets = MaskedConv1d(channels, 2 * (bins + 1))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map (N, C, P) to a table for :meth:`distances`."""
        x = self.tower(x, mask)
        return torch.cat([self.edges(x, mask), self.offsets(x, mask)], 1)

    def distances(self, table: Tensor, item: Tensor, point: Tensor, label: Tensor, level: Tensor) -> Tensor:
        """Return distances to start and end in strides as :meth:`DistanceHead.distances` does, up to ``bins``."""
        output = label if self.num_outputs > 1 else torch.zeros_like(label)
        edges, offsets = table.split([2 * self.num_outputs, 2 * (self.bins + 1)], 1)
        steps = torch.arange(self.bins + 1, device=table.device)
        # Start and end look into opposite directions; beyond the ends of all levels there is 0 as in between.
        places = point[:, None, None] + self.bins + torch.stack([-steps, steps])  # (K, 2, bins + 1)
        edges = F.pad(edges, (self.bins, self.bins)).unflatten(1, (self.num_outputs, 2))
        side = torch.arange(2, device=table.device)[:, None]
        there = edges[item[:, None, None], output[:, None, None], side, places]
        here = offsets.unflatten(1, (2, -1))[item, :, :, point]
        return ((there + here).softmax(-1) * steps).sum(-1)
