"""Self-attention of rows to the rows near them."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .sequence import ChannelNorm, MaskedConv1d


def band_attention(query: Tensor, key: Tensor, value: Tensor, mask: Tensor, window: int) -> Tensor:
    """Return softmax attention of each row to the rows at most ``window // 2`` away that count.

    Rows are taken a block of ``window`` at a time, each with the keys that any of its rows may see, so the cost grows
    with T * window and not with T ** 2 (the sliding window of Beltagy et al., arXiv 2004.05150, Sec. 3.1).

    Args:
        query (Tensor): (N, H, T, D).
        key (Tensor): (N, H, T, D).
        value (Tensor): (N, H, T, D).
        mask (Tensor): (N, T) bool, True where a row counts.
        window (int): Odd number of rows that a row may see, itself in the middle.

    Returns:
        Tensor: (N, H, T, D); 0 in a row that sees none.
    """
    rows, half = query.shape[2], window // 2
    block = min(window, rows)
    after = -rows % block
    seen = block + 2 * half
    query = F.pad(query, (0, 0, 0, after)).unflatten(2, (-1, block))  # (N, H, blocks, block, D)
    key, value = (F.pad(x, (0, 0, half, half + after)).unfold(2, seen, block) for x in (key, value))
    real = F.pad(mask, (half, half + after)).unfold(1, seen, block)  # (N, blocks, seen)
    # Row i of a block stands at place i + half of what the block sees.
    distance = torch.arange(seen, device=mask.device) - torch.arange(block, device=mask.device)[:, None] - half
    allowed = (distance.abs() <= half) & real[:, None, :, None]
    scores = (query * query.shape[-1] ** -0.5) @ key
    weights = scores.masked_fill(~allowed, torch.finfo(scores.dtype).min).softmax(-1) * allowed
    return (weights @ value.transpose(-1, -2)).flatten(2, 3)[:, :, :rows]


class LocalAttention(nn.Module):
    """Multi-head self-attention in a window of time, as ActionFormer has it (arXiv 2202.07925, Sec. 3.2).

    Queries, keys and values first go through a depthwise convolution of three rows and a norm each; with a stride of 2
    these convolutions halve the sequence.

    Args:
        channels (int): Channels in and out.
        heads (int): Heads, which divide the channels. Defaults to 4.
        window (int): Odd; rows of the output that a row may see. Defaults to 19.
        stride (int): Defaults to 1.

    Raises:
        ValueError: If the window is even or the heads do not divide the channels.
    """

    def __init__(self, channels: int, heads: int = 4, window: int = 19, stride: int = 1) -> None:
        super().__init__()
        if window < 1 or not window % 2 or heads < 1 or channels % heads:
            raise ValueError(f'window must be odd and heads divide the channels: {window=}, {heads=}, {channels=}')
        self.heads, self.window = heads, window
        self.convs = nn.ModuleList(
            MaskedConv1d(channels, channels, stride=stride, groups=channels, bias=False) for _ in range(3)
        )
        self.norms = nn.ModuleList(ChannelNorm(channels) for _ in range(3))
        self.projections = nn.ModuleList(nn.Conv1d(channels, channels, 1) for _ in range(3))
        self.out = MaskedConv1d(channels, channels, 1)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Attend.

        Args:
            x (Tensor): (N, C, T * stride), 0 in masked rows.
            mask (Tensor): (N, T) bool, of the output.

        Returns:
            Tensor: (N, C, T), 0 in masked rows.
        """
        query, key, value = (
            projection(norm(conv(x, mask))).unflatten(1, (self.heads, -1)).transpose(2, 3)
            for conv, norm, projection in zip(self.convs, self.norms, self.projections)
        )
        return self.out(band_attention(query, key, value, mask, self.window).transpose(2, 3).flatten(1, 2), mask)
