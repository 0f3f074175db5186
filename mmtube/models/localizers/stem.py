"""Streams of features brought to one width and put together."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mmtube.registry import MODELS

from ..layers.sequence import ChannelNorm, MaskedConv1d


@MODELS.register_module()
class StreamStem(nn.Module):
    """Main stream and auxiliary streams of a tubelet or a video, each normalised and projected, then put together.

    Faster-TAD calls this its auxiliary-features block (SoccerNet 2022 report, arXiv 2411.00881, names it; its inside is
    our design). Streams differ in scale, so each has a layer norm of its own. In training an auxiliary stream is
    dropped as a whole now and then, for one stream must work as well.

    Args:
        dims (Sequence[int]): Channels of the streams, in the order in which they are concatenated; the first is the
            main one.
        channels (int): Width afterwards. Defaults to 256.
        stream_dropout (float): How often an auxiliary stream of a sequence is dropped in training. Defaults to 0.1.

    Raises:
        ValueError: If there is no stream or an argument is out of range.
    """

    def __init__(self, dims: Sequence[int], channels: int = 256, stream_dropout: float = 0.1) -> None:
        super().__init__()
        if not dims or min(dims) < 1 or channels < 1 or not 0 <= stream_dropout < 1:
            raise ValueError(f'no streams, or out of range: {dims=}, {channels=}, {stream_dropout=}')
        self.dims = tuple(dims)
        self.channels = channels
        self.stream_dropout = stream_dropout
        self.norms = nn.ModuleList(ChannelNorm(dim) for dim in dims)
        self.projections = nn.ModuleList(MaskedConv1d(dim, channels) for dim in dims)
        self.fuse = MaskedConv1d(channels * len(dims), channels, 1) if len(dims) > 1 else None

    def forward(self, features: Tensor, mask: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Put the streams together.

        Args:
            features (Tensor): (N, sum of dims, T).
            mask (Tensor): (N, T) bool, True where a row counts.

        Returns:
            tuple[Tensor, list[Tensor]]: (N, channels, T), 0 in masked rows; and the same of each stream alone.

        Raises:
            ValueError: If the channels are not those of the streams.
        """
        if features.shape[1] != sum(self.dims):
            raise ValueError(
                f'features have {features.shape[1]} channels, the streams {self.dims} together {sum(self.dims)}'
            )
        parts = []
        for part, norm, projection in zip(features.split(self.dims, 1), self.norms, self.projections):
            parts.append(projection(norm(part) * mask[:, None].to(part.dtype), mask).relu())
        if self.fuse is None:
            return parts[0], parts
        kept = parts
        if self.training and self.stream_dropout:
            keep = torch.rand(len(parts) - 1, len(features), 1, 1, device=features.device) >= self.stream_dropout
            kept = [parts[0], *(part * there for part, there in zip(parts[1:], keep))]
        return self.fuse(torch.cat(kept, 1), mask), parts
