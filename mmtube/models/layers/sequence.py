"""Layers on sequences of rows that do not see what is masked: a batch gives what each sequence alone gives."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn


class MaskedConv1d(nn.Conv1d):
    """A convolution over time that keeps the length and puts 0 into masked rows.

    Args:
        in_channels (int): Channels of the input, which must be 0 in masked rows.
        out_channels (int): Channels of the output.
        kernel_size (int): Odd. Defaults to 3.
        kwargs (Any): Of ``torch.nn.Conv1d``, such as ``groups`` and ``stride``.

    Raises:
        ValueError: If the kernel is even.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int = 3, **kwargs: Any) -> None:
        if not kernel_size % 2:
            raise ValueError(f'kernel_size must be odd, got {kernel_size}')
        super().__init__(in_channels, out_channels, kernel_size, padding=kernel_size // 2, **kwargs)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:  # type: ignore[override]
        """Return (N, C, T) for (N, C, T) and a mask (N, T) of bool; with a stride, the mask is that of the output."""
        return super().forward(x) * mask[:, None].to(x.dtype)


class ChannelNorm(nn.LayerNorm):
    """Layer normalisation of each row over its channels, for (N, C, T)."""

    def forward(self, x: Tensor) -> Tensor:
        """Normalise."""
        return super().forward(x.transpose(1, 2)).transpose(1, 2)


def time_encoding(rows: Tensor, channels: int, longest: float = 10000.0) -> Tensor:
    """Return sines and cosines of rows (Vaswani et al. 2017, Sec. 3.5).

    Args:
        rows (Tensor): (...) rows, with fractions.
        channels (int): Even.
        longest (float): The longest wavelength is 2 pi times this. Defaults to 10000.

    Returns:
        Tensor: (..., channels) float32, sines first.
    """
    steps = torch.arange(channels // 2, dtype=torch.float32, device=rows.device)
    angles = rows[..., None].float() * torch.exp(steps * (-2 * math.log(longest) / channels))
    return torch.cat([angles.sin(), angles.cos()], -1)
