"""Segment geometry on tensors, for networks; the rules are those of :mod:`mmtube.ops.segments`."""

from __future__ import annotations

import math

import torch
from torch import Tensor

# A segment of 16 rows may grow to 1,000 at most in one step; exp() of an untrained network stays finite.
MAX_LOG_SCALE = math.log(1000 / 16)


def pairwise_tiou(segments_a: Tensor, segments_b: Tensor) -> Tensor:
    """Return the temporal IoU of every segment of one set with every segment of another.

    Args:
        segments_a (Tensor): (..., N, 2) start and end.
        segments_b (Tensor): (..., M, 2) start and end, of the same leading shape.

    Returns:
        Tensor: (..., N, M) in [0, 1]; 0 where the union has no length.
    """
    start_a, end_a = segments_a[..., :, None, 0], segments_a[..., :, None, 1]
    start_b, end_b = segments_b[..., None, :, 0], segments_b[..., None, :, 1]
    inter = (torch.minimum(end_a, end_b) - torch.maximum(start_a, start_b)).clamp(min=0)
    union = (end_a - start_a).clamp(min=0) + (end_b - start_b).clamp(min=0) - inter
    return torch.where(union > 0, inter / torch.where(union > 0, union, 1), 0)


def encode_segments(segments: Tensor, targets: Tensor) -> Tensor:
    """Return what moves segments onto targets: the shift of the centre in lengths, and the log of the scale.

    Args:
        segments (Tensor): (..., 2) start and end, of positive length.
        targets (Tensor): (..., 2) likewise.

    Returns:
        Tensor: (..., 2).
    """
    length, wanted = segments[..., 1] - segments[..., 0], targets[..., 1] - targets[..., 0]
    shift = (targets.sum(-1) - segments.sum(-1)) / 2 / length
    return torch.stack([shift, (wanted / length).log()], -1)


def decode_segments(segments: Tensor, deltas: Tensor, max_log_scale: float = MAX_LOG_SCALE) -> Tensor:
    """Return segments moved by deltas, the inverse of :func:`encode_segments`.

    Args:
        segments (Tensor): (..., 2) start and end.
        deltas (Tensor): (..., 2) shift of the centre in lengths, and log of the scale.
        max_log_scale (float): The log of the scale is clamped to this, on both sides. Defaults to log(1000 / 16), as
            detectors of objects have it.

    Returns:
        Tensor: (..., 2) start and end.
    """
    length = segments[..., 1] - segments[..., 0]
    center = segments.mean(-1) + deltas[..., 0] * length
    half = length * deltas[..., 1].clamp(-max_log_scale, max_log_scale).exp() / 2
    return torch.stack([center - half, center + half], -1)


def keep_apart(segments: Tensor, scores: Tensor, iou_thr: float) -> Tensor:
    """Return which segments are left when those that overlap a better one are dropped, for many sequences at once.

    Args:
        segments (Tensor): (N, M, 2) start and end, of each sequence the best first.
        scores (Tensor): (N, M); those of 0 are not there.
        iou_thr (float): Segments that overlap more than this are the same.

    Returns:
        Tensor: (N, M) bool.
    """
    same = pairwise_tiou(segments, segments) > iou_thr
    alive = scores > 0
    for place in range(segments.shape[1] - 1):
        alive[:, place + 1 :] &= ~(same[:, place, place + 1 :] & alive[:, place, None])
    return alive
