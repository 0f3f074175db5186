"""Mixing of rows without attention."""

from __future__ import annotations

from torch import Tensor, nn

from .sequence import MaskedConv1d


class ScalableGranularity(nn.Module):
    """The scalable-granularity perception layer of TriDet (arXiv 2303.07347, Sec. 3.2).

    Attention makes rows alike; this keeps them apart. ``x + phi * FC(x) + psi * (Conv_w(x) + Conv_kw(x))``: the
    instant branch weighs channels by ``phi``, made of the mean of the sequence, the window branch weighs a short and a
    long depthwise convolution by ``psi``, a third one.

    Args:
        channels (int): Channels in and out.
        window (int): Odd; rows of the short convolutions. Defaults to 3.
        factor (int): Odd; the long one has so many times as many. Defaults to 5.

    Raises:
        ValueError: If the window or the factor is even.
    """

    def __init__(self, channels: int, window: int = 3, factor: int = 5) -> None:
        super().__init__()
        if window < 1 or factor < 1 or not window * factor % 2:
            raise ValueError(f'window and factor must be odd, got {window} and {factor}')
        self.instant = nn.Conv1d(channels, channels, 1)
        self.weigh = nn.Linear(channels, channels)
        self.gate, self.short, self.long = (
            MaskedConv1d(channels, channels, size, groups=channels) for size in (window, window, window * factor)
        )

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Mix (N, C, T), which is 0 in masked rows, with a mask (N, T) of bool; the result is 0 there too."""
        real = mask[:, None].to(x.dtype)
        mean = x.sum(2) / real.sum(2).clamp(min=1)
        instant = self.weigh(mean).relu()[:, :, None] * self.instant(x)
        return (x + instant + self.gate(x, mask) * (self.short(x, mask) + self.long(x, mask))) * real
