"""Attention of segments to one another and to the sequence they are in."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmtube.ops.torch_segments import pairwise_tiou

LEAST_ROWS = 1e-3


def pairwise_geometry(segments: Tensor) -> Tensor:
    """Return how each segment stands to each other one.

    Args:
        segments (Tensor): (N, P, 2) start and end.

    Returns:
        Tensor: (N, P, P, 3): log of one plus the distance of the centres in lengths of the first, log of the ratio of
        the lengths, and tIoU. The plus one keeps the first finite where the centres are the same.
    """
    center, length = segments.mean(-1), (segments[..., 1] - segments[..., 0]).clamp(min=LEAST_ROWS)
    away = (center[:, None, :] - center[:, :, None]).abs() / length[:, :, None]
    ratio = length.log()[:, None, :] - length.log()[:, :, None]
    return torch.stack([away.log1p(), ratio, pairwise_tiou(segments, segments)], -1)


class GeometryBias(nn.Module):
    """A bias of attention for each head from :func:`pairwise_geometry`.

    Args:
        heads (int): Heads.
        width (int): Width of the layer between. Defaults to 16.
    """

    def __init__(self, heads: int, width: int = 16) -> None:
        super().__init__()
        self.first = nn.Linear(3, width)
        self.second = nn.Linear(width, heads, bias=False)  # a constant would change nothing

    def forward(self, segments: Tensor) -> Tensor:
        """Return (N, heads, P, P) for (N, P, 2)."""
        return self.second(self.first(pairwise_geometry(segments)).relu()).permute(0, 3, 1, 2)


class ContextAttention(nn.Module):
    """Multi-head attention and a feed-forward layer, both with a norm in front and a shortcut (pre-norm transformer).

    Args:
        dim (int): Channels of what looks. Defaults to 512.
        memory_dim (int | None): Channels of what is looked at, which gets a norm of its own. Defaults to None: what
            looks looks at itself.
        heads (int): Heads. Defaults to 8.
        ffn (int): Width of the feed-forward layer. Defaults to 2048.
        dropout (float): After both. Defaults to 0.1.

    Raises:
        ValueError: If the heads do not divide the channels.
    """

    def __init__(
        self, dim: int = 512, memory_dim: int | None = None, heads: int = 8, ffn: int = 2048, dropout: float = 0.1
    ) -> None:
        super().__init__()
        if dim % heads:
            raise ValueError(f'{heads} heads do not divide {dim} channels')
        self.heads = heads
        self.norm = nn.LayerNorm(dim)
        self.memory_norm = None if memory_dim is None else nn.LayerNorm(memory_dim)
        self.query = nn.Linear(dim, dim)
        self.key = nn.Linear(memory_dim or dim, dim, bias=False)  # a constant would change nothing
        self.value = nn.Linear(memory_dim or dim, dim)
        self.out = nn.Linear(dim, dim)
        self.feed = nn.Sequential(
            nn.LayerNorm(dim), nn.Linear(dim, ffn), nn.ReLU(inplace=True), nn.Linear(ffn, dim), nn.Dropout(dropout)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        x: Tensor,
        bias: Tensor,
        memory: Tensor | None = None,
        place: Tensor | None = None,
        memory_place: Tensor | None = None,
    ) -> Tensor:
        """Let ``x`` look.

        Args:
            x (Tensor): (N, P, dim).
            bias (Tensor): Float that fits (N, heads, P, M), added before the softmax; -inf where nothing is to be seen.
            memory (Tensor | None): (N, M, memory_dim). Defaults to None: ``x``.
            place (Tensor | None): (N, P, dim), added to what asks. Defaults to None.
            memory_place (Tensor | None): Fits (N, M, memory_dim), added to what is asked, not to the answers. Defaults
                to None.

        Returns:
            Tensor: (N, P, dim).
        """
        own = self.norm(x)
        memory = own if memory is None or self.memory_norm is None else self.memory_norm(memory)
        asked = memory if memory_place is None else memory + memory_place
        query, key, value = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for part in (self.query(own if place is None else own + place), self.key(asked), self.value(memory))
        )
        seen = F.scaled_dot_product_attention(query, key, value, attn_mask=bias.to(query.dtype))
        x = x + self.dropout(self.out(seen.transpose(1, 2).flatten(2)))
        return x + self.feed(x)
