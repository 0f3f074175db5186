"""RoIAlign in time: segments of any length brought to a fixed number of bins."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def roi_taps(
    segments: Tensor, rows: int, mask: Tensor | None = None, bins: int = 16, extend: float = 0.5, samples: int = 2
) -> tuple[Tensor, Tensor]:
    """Return which rows make up the bins of segments, and with which weights.

    A segment is lengthened on both sides and cut into equal bins; a bin is the mean of ``samples`` places that stand
    evenly in it, and a place is between two rows by linear interpolation. Rows before the first, after the last and
    those that are masked count as 0.

    Args:
        segments (Tensor): (N, P, 2) start and end in rows, with fractions.
        rows (int): Rows T of a sequence.
        mask (Tensor | None): (N, T) bool, True where a row counts. Defaults to None: all.
        bins (int): Bins. Defaults to 16.
        extend (float): What is added on each side, in lengths of the segment. Defaults to 0.5.
        samples (int): Places of a bin. Defaults to 2.

    Returns:
        tuple[Tensor, Tensor]: (N, P, bins, 2 * samples) int64 rows and float weights.
    """
    start, length = segments[..., :1], segments[..., 1:] - segments[..., :1]
    share = (torch.arange(bins * samples, dtype=segments.dtype, device=segments.device) + 0.5) / (bins * samples)
    places = start + length * (share * (1 + 2 * extend) - extend)
    below = places.floor()
    index = torch.stack([below, below + 1], -1)
    weight = torch.stack([below + 1 - places, places - below], -1) / samples
    weight = weight * ((index >= 0) & (index < rows))
    index = index.clamp(0, rows - 1).long()
    if mask is not None:
        weight = weight * mask.gather(1, index.flatten(1)).view_as(index)
    shape = (*segments.shape[:2], bins, 2 * samples)
    return index.reshape(shape), weight.reshape(shape)


def _pool(table: Tensor, index: Tensor, weight: Tensor) -> Tensor:
    """Return (K, C), the weighted sums of the rows (R, C) that (K, taps) name."""
    return F.embedding_bag(index, table, mode='sum', per_sample_weights=weight.to(table.dtype))


def temporal_roi_align(
    features: Tensor,
    segments: Tensor,
    mask: Tensor | None = None,
    bins: int = 16,
    extend: float = 0.5,
    samples: int = 2,
) -> Tensor:
    """Bring segments to bins, as RoIAlign does for boxes (He et al. 2017, Sec. 3), with context on both sides.

    The sum over the rows of a bin is taken at once, so nothing as long as the sequence is kept for each segment.

    Args:
        features (Tensor): (N, C, T).
        segments (Tensor): (N, P, 2) start and end in rows, with fractions; they get no gradient.
        mask (Tensor | None): (N, T) bool, as in :func:`roi_taps`. Defaults to None.
        bins (int): Bins. Defaults to 16.
        extend (float): Context on each side, in lengths. Defaults to 0.5.
        samples (int): Places of a bin. Defaults to 2.

    Returns:
        Tensor: (N, P, bins, C).
    """
    count, channels, rows = features.shape
    index, weight = roi_taps(segments.detach(), rows, mask, bins, extend, samples)
    index = index + torch.arange(count, device=index.device).view(-1, 1, 1, 1) * rows
    table = features.transpose(1, 2).reshape(-1, channels)
    return _pool(table, index.flatten(0, 2), weight.flatten(0, 2)).view(*segments.shape[:2], bins, channels)


def temporal_roi_linear(
    features: Tensor,
    segments: Tensor,
    weight: Tensor,
    mask: Tensor | None = None,
    extend: float = 0.5,
    samples: int = 2,
) -> Tensor:
    """Return a linear map of the bins of segments, without the bins.

    Interpolation and a linear map can be exchanged: each row goes through the map of each bin once, and a segment adds
    up what its bins need. That is the same as ``temporal_roi_align`` and a linear layer, and for many segments much
    less work.

    Args:
        features (Tensor): (N, C, T).
        segments (Tensor): (N, P, 2), as in :func:`temporal_roi_align`.
        weight (Tensor): (bins, C, D), the map.
        mask (Tensor | None): (N, T) bool. Defaults to None.
        extend (float): Context on each side, in lengths. Defaults to 0.5.
        samples (int): Places of a bin. Defaults to 2.

    Returns:
        Tensor: (N, P, D).
    """
    count, channels, rows = features.shape
    bins, _, width = weight.shape
    index, share = roi_taps(segments.detach(), rows, mask, bins, extend, samples)
    index = index + torch.arange(count, device=index.device).view(-1, 1, 1, 1) * rows
    index = index * bins + torch.arange(bins, device=index.device)[:, None]
    table = features.transpose(1, 2).reshape(-1, channels) @ weight.transpose(0, 1).reshape(channels, -1)
    pooled = _pool(table.view(-1, width), index.flatten(2).flatten(0, 1), share.flatten(2).flatten(0, 1))
    return pooled.view(*segments.shape[:2], width)
