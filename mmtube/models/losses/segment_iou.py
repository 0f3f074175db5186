"""Losses of segments by how they overlap."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmtube.registry import MODELS

KINDS = ('iou', 'giou', 'diou')


@MODELS.register_module()
class SegmentIoULoss(nn.Module):
    """One minus the temporal IoU of segments and their targets, with a penalty for those that lie apart.

    ``'giou'`` adds the share of the hull that neither covers (Rezatofighi et al., CVPR 2019), ``'diou'`` the squared
    distance of the centres in lengths of the hull (Zheng et al., AAAI 2020), both on a line instead of in an image.
    Segments about a common point have no gap between them: there ``'giou'`` is ``'iou'``.

    Args:
        kind (str): ``'iou'``, ``'giou'`` or ``'diou'``. Defaults to 'diou'.
        loss_weight (float): Factor. Defaults to 1.0.

    Raises:
        ValueError: If the kind is unknown.
    """

    def __init__(self, kind: str = 'diou', loss_weight: float = 1.0) -> None:
        super().__init__()
        if kind not in KINDS:
            raise ValueError(f'kind must be one of {KINDS}, got {kind!r}')
        self.kind, self.loss_weight = kind, loss_weight

    def forward(self, segments: Tensor, targets: Tensor, avg_factor: float | Tensor | None = None) -> Tensor:
        """Return the sum over segments, divided by their number.

        Args:
            segments (Tensor): (n, 2) start and end, the start not after the end.
            targets (Tensor): (n, 2) likewise, of positive length.
            avg_factor (float | Tensor | None): What the sum is divided by. Defaults to None, n.

        Returns:
            Tensor: A scalar; 0, with a gradient of 0, for no segment.
        """
        low, high = torch.minimum(segments, targets), torch.maximum(segments, targets)
        inter = (low[:, 1] - high[:, 0]).clamp(min=0)
        union = (segments[:, 1] - segments[:, 0]) + (targets[:, 1] - targets[:, 0]) - inter
        hull = high[:, 1] - low[:, 0]
        loss = 1 - inter / union
        if self.kind == 'giou':
            loss = loss + 1 - union / hull
        elif self.kind == 'diou':
            loss = loss + ((segments.mean(1) - targets.mean(1)) / hull) ** 2
        return self.loss_weight * loss.sum() / (max(len(segments), 1) if avg_factor is None else avg_factor)
