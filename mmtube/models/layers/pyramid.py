"""A sequence at several scales of time."""

from __future__ import annotations

from typing import Any

from mmcv.cnn.bricks.drop import DropPath
from mmcv.cnn.bricks.scale import LayerScale
from torch import Tensor, nn
from torch.nn import functional as F

from .granularity import ScalableGranularity
from .local_attention import LocalAttention
from .sequence import ChannelNorm, MaskedConv1d

MIXERS = ('attention', 'sgp')


def halve_mask(mask: Tensor) -> Tensor:
    """Return the mask (N, ceil(T / 2)) of the next level: a row counts if one of the two that it stands for does."""
    return F.pad(mask, (0, mask.shape[1] % 2)).unflatten(1, (-1, 2)).any(2)


def halve_rows(x: Tensor, mask: Tensor) -> Tensor:
    """Return the largest of the rows 2i - 1, 2i and 2i + 1 that count, for (N, C, T) and a mask (N, T); else 0."""
    # A masked row is no 0, which might be the largest.
    pooled = F.max_pool1d(x.masked_fill(~mask[:, None], -float('inf')), 3, 2, 1)
    return pooled.masked_fill(~halve_mask(mask)[:, None], 0)


class PyramidBlock(nn.Module):
    """Mix rows, then channels, each with a norm before and a shortcut around it.

    With ``mixer='attention'`` the block is that of ActionFormer (arXiv 2202.07925, Sec. 3.2), with ``'sgp'`` that of
    TriDet (arXiv 2303.07347, Sec. 3.2), with a layer norm of each row where TriDet normalises groups of channels over
    time: what is masked then plays no part. Both branches begin with a small learned scale per channel and are dropped
    for a whole sequence now and then.

    Args:
        channels (int): Channels in and out.
        mixer (str): ``'attention'`` or ``'sgp'``. Defaults to 'attention'.
        mixer_args (dict | None): Arguments of :class:`LocalAttention` or :class:`ScalableGranularity`. Defaults to
            None.
        halve (bool): Whether the sequence is halved. Defaults to False.
        drop_path (float): How often a branch is dropped in training. Defaults to 0.1.
        layer_scale (float): Scale of the branches at first. Defaults to 1e-4, ActionFormer's.

    Raises:
        ValueError: If the mixer is unknown.
    """

    def __init__(
        self,
        channels: int,
        mixer: str = 'attention',
        mixer_args: dict[str, Any] | None = None,
        halve: bool = False,
        drop_path: float = 0.1,
        layer_scale: float = 1e-4,
    ) -> None:
        super().__init__()
        if mixer not in MIXERS:
            raise ValueError(f'mixer must be one of {MIXERS}, got {mixer!r}')
        self.halve = halve
        # Attention halves by the stride of its convolutions; TriDet halves what goes into the block.
        self.halve_first = halve and mixer == 'sgp'
        arguments = dict(mixer_args or {})
        self.mixer: nn.Module
        if mixer == 'attention':
            self.mixer = LocalAttention(channels, stride=2 if halve else 1, **arguments)
        else:
            self.mixer = ScalableGranularity(channels, **arguments)
        self.norms = nn.ModuleList(ChannelNorm(channels) for _ in range(2))
        self.channel_mixer = nn.Sequential(
            nn.Conv1d(channels, 4 * channels, 1), nn.GELU(), nn.Conv1d(4 * channels, channels, 1)
        )
        self.scales = nn.ModuleList(LayerScale(channels, False, 'channels_first', layer_scale) for _ in range(2))
        self.drop = DropPath(drop_path)

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return (N, C, T') and its mask (N, T') for (N, C, T), 0 in masked rows, and a mask (N, T) of bool."""
        shortcut, after = (halve_rows(x, mask), halve_mask(mask)) if self.halve else (x, mask)
        if self.halve_first:
            x, mask = shortcut, after
        mixed = self.mixer(self.norms[0](x) * mask[:, None].to(x.dtype), after)
        x = shortcut + self.drop(self.scales[0](mixed))
        x = x + self.drop(self.scales[1](self.channel_mixer(self.norms[1](x))))
        return x * after[:, None].to(x.dtype), after


class TemporalPyramid(nn.Module):
    """Two convolutions, some blocks at full length, then a block for each further level that halves the sequence.

    Row i of level l stands for the rows ``2 ** l * i`` to ``2 ** l * (i + 1) - 1`` of the input; any length will do.

    Args:
        in_channels (int): Channels of the input.
        channels (int): Channels of the levels. Defaults to 256.
        num_levels (int): Levels, the first at full length. Defaults to 6.
        stem_blocks (int): Blocks at full length. Defaults to 2.
        mixer (str): See :class:`PyramidBlock`. Defaults to 'attention'.
        mixer_args (dict | None): See :class:`PyramidBlock`. Defaults to None.
        drop_path (float): See :class:`PyramidBlock`. Defaults to 0.1.
        layer_scale (float): See :class:`PyramidBlock`. Defaults to 1e-4.

    Raises:
        ValueError: If there is no level.
    """

    def __init__(
        self,
        in_channels: int,
        channels: int = 256,
        num_levels: int = 6,
        stem_blocks: int = 2,
        mixer: str = 'attention',
        mixer_args: dict[str, Any] | None = None,
        drop_path: float = 0.1,
        layer_scale: float = 1e-4,
    ) -> None:
        super().__init__()
        if num_levels < 1 or stem_blocks < 0:
            raise ValueError(f'there must be a level, got {num_levels=}, {stem_blocks=}')
        self.channels, self.num_levels, self.stem_blocks = channels, num_levels, stem_blocks
        self.convs = nn.ModuleList(MaskedConv1d(width, channels, bias=False) for width in (in_channels, channels))
        self.conv_norms = nn.ModuleList(ChannelNorm(channels) for _ in range(2))
        self.blocks = nn.ModuleList(
            PyramidBlock(channels, mixer, mixer_args, number >= stem_blocks, drop_path, layer_scale)
            for number in range(stem_blocks + num_levels - 1)
        )
        self.norms = nn.ModuleList(ChannelNorm(channels) for _ in range(num_levels))

    def forward(self, x: Tensor, mask: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Return the levels.

        Args:
            x (Tensor): (N, C, T), 0 in masked rows.
            mask (Tensor): (N, T) bool, True where a row counts.

        Returns:
            tuple[list[Tensor], list[Tensor]]: Of each level (N, channels, ceil(T / 2 ** l)), 0 in masked rows, and its
            mask.
        """
        for conv, norm in zip(self.convs, self.conv_norms):
            x = norm(conv(x, mask)).relu() * mask[:, None].to(x.dtype)
        levels = [] if self.stem_blocks else [(x, mask)]
        for number, block in enumerate(self.blocks, 1):
            x, mask = block(x, mask)
            if number >= self.stem_blocks:
                levels.append((x, mask))
        normed = [norm(x) * mask[:, None].to(x.dtype) for norm, (x, mask) in zip(self.norms, levels)]
        return normed, [mask for _, mask in levels]
