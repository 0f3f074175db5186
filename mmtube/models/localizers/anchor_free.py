"""A temporal detector without anchors and proposals, on several scales of time."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.dist import all_reduce
from torch import Tensor, nn

from mmtube.registry import MODELS

from ..layers.pyramid import TemporalPyramid
from .anchor_free_head import ClassHead, DistanceHead, DistributionHead
from .base import Candidates, TemporalLocalizer, Truth, best_pairs
from .points import Points, assign_points, join_levels

BOUNDARIES = ('distance', 'distribution')
NORMALIZER, KEEP = 100.0, 0.9  # of the number of positive points: at first, and what is kept of it each step


@MODELS.register_module()
class AnchorFreeLocalizer(TemporalLocalizer):
    """Each point of a pyramid says which actions it is in the middle of, and where they start and end.

    The family of ActionFormer (Zhang et al., ECCV 2022, arXiv 2202.07925) and TriDet (Shi et al., CVPR 2023,
    arXiv 2303.07347), one step, without proposals. The defaults are ActionFormer's at half its width;
    ``pyramid=dict(mixer='sgp')`` with ``boundary='distribution'`` are TriDet's parts.

    A row of the sequence is one wide: row 0 reaches from -0.5 to 0.5. Row i of a level of stride s stands at
    ``s * i + (s - 1) / 2``, in the middle of the rows that it stands for.

    Args:
        stem (dict): See :class:`TemporalLocalizer`.
        num_classes (int): Classes.
        multi_label (bool): Whether instances of different classes overlap, as atomic actions do: then each class has
            boundaries of its own, and a point may stand for an instance of each. Defaults to False.
        pyramid (dict | None): Arguments of :class:`mmtube.models.layers.pyramid.TemporalPyramid`. Defaults to None.
        head_layers (int): Convolutions of a head before its last. Defaults to 2.
        boundary (str): ``'distance'`` (ActionFormer) or ``'distribution'`` (TriDet). Defaults to 'distance'.
        bins (int): Greatest distance of ``'distribution'`` in strides. Defaults to 16.
        radius (float): A point stands for an instance whose centre is within so many strides. Defaults to 1.5.
        base_range (float): Rows to the farther boundary up to which level 0 is responsible; see :class:`Points`.
            Defaults to 4.0.
        loss_cls (dict | None): Loss of logits and labels (Q, C). Defaults to None: ``mmdet.FocalLoss``.
        loss_boundary (dict | None): Loss of segments and their targets. Defaults to None: ``SegmentIoULoss``.
        max_candidates (int): Segments of a window before suppression. Defaults to 2000.
        kwargs (Any): Of :class:`TemporalLocalizer`.

    Raises:
        ValueError: If an argument is out of range.
    """

    normalizer: Tensor

    def __init__(
        self,
        stem: dict,
        num_classes: int,
        multi_label: bool = False,
        pyramid: dict | None = None,
        head_layers: int = 2,
        boundary: str = 'distance',
        bins: int = 16,
        radius: float = 1.5,
        base_range: float = 4.0,
        loss_cls: dict | None = None,
        loss_boundary: dict | None = None,
        max_candidates: int = 2000,
        **kwargs: Any,
    ) -> None:
        super().__init__(stem, num_classes, **kwargs)
        if boundary not in BOUNDARIES or min(bins, max_candidates) < 1 or head_layers < 0:
            told = f'{boundary=}, {bins=}, {max_candidates=}, {head_layers=}'
            raise ValueError(f'boundary must be one of {BOUNDARIES} and numbers positive: {told}')
        if radius <= 0 or base_range <= 0:
            raise ValueError(f'radius and base_range must be positive, got {radius} and {base_range}')
        self.multi_label = multi_label
        self.pyramid = TemporalPyramid(self.stem.channels, **(pyramid or {}))
        width, outputs = self.pyramid.channels, num_classes if multi_label else 1
        self.class_head = ClassHead(width, num_classes, head_layers)
        self.boundary_head: nn.Module
        if boundary == 'distance':
            self.boundary_head = DistanceHead(width, outputs, head_layers, self.pyramid.num_levels)
        else:
            self.boundary_head = DistributionHead(width, outputs, head_layers, bins)
        # What looks farther than one row must not see the next level.
        self.gap = 1 if boundary == 'distance' else bins
        self.radius, self.base_range, self.max_candidates = radius, base_range, max_candidates
        self.loss_cls: nn.Module = MODELS.build({'type': 'mmdet.FocalLoss', **(loss_cls or {})})
        self.loss_boundary: nn.Module = MODELS.build({'type': 'SegmentIoULoss', **(loss_boundary or {})})
        self.register_buffer('normalizer', torch.tensor(NORMALIZER))

    def heads(self, base: Tensor, mask: Tensor) -> tuple[Points, Tensor, Tensor]:
        """Return the points, (N, C, P) logits and the table of the boundary head."""
        joined, points = join_levels(*self.pyramid(base, mask), self.gap)
        return points, self.class_head(joined, points.mask), self.boundary_head(joined, points.mask)

    def losses(self, base: Tensor, mask: Tensor, truths: list[Truth], parts: list[Tensor]) -> dict[str, Tensor]:
        """Return ``loss_cls`` and ``loss_boundary``, both by the mean number of positive points of late."""
        points, logits, table = self.heads(base, mask)
        ranges = points.ranges(self.base_range, self.pyramid.num_levels)
        found = [
            assign_points(points, item, truth, ranges, self.radius, self.num_classes, self.multi_label)
            for item, truth in enumerate(truths)
        ]
        point = torch.cat([place for place, _ in found])
        item = torch.cat([torch.full_like(place, number) for number, (place, _) in enumerate(found)])
        label = torch.cat([truth.labels[instance] for truth, (_, instance) in zip(truths, found)])
        segments = torch.cat([truth.segments[instance] for truth, (_, instance) in zip(truths, found)])
        if self.training:
            self.count(len(point))
        targets = torch.zeros_like(logits).transpose(1, 2)
        targets[item, point, label] = 1
        distances = self.boundary_head.distances(table, item, point, label, points.levels[point])
        there = (segments - points.centers[point, None]) / points.strides[point, None]
        logits, targets = logits.transpose(1, 2)[points.mask], targets[points.mask]
        number = self.normalizer.clone()  # the next step changes it
        return {
            'loss_cls': self.loss_cls(logits, targets, avg_factor=number),
            'loss_boundary': self.loss_boundary(distances * distances.new_tensor([-1, 1]), there, avg_factor=number),
        }

    @torch.no_grad()
    def count(self, positives: int) -> None:
        """Take the number of positive points, the mean of all ranks, into the running mean."""
        number = self.normalizer.new_tensor(float(max(positives, 1)))
        all_reduce(number, 'mean')
        self.normalizer.lerp_(number, 1 - KEEP)

    def find(self, base: Tensor, mask: Tensor) -> list[Candidates]:
        """Return the best pairs of a point and a class of each sequence as segments."""
        points, logits, table = self.heads(base, mask)
        found = []
        for item, real in enumerate(points.mask):
            rows = real.nonzero()[:, 0]
            place, label, scores = best_pairs(logits[item].T[rows].sigmoid(), self.min_score, self.max_candidates)
            point = rows[place]
            distances = self.boundary_head.distances(
                table, torch.full_like(point, item), point, label, points.levels[point]
            )
            reach = distances * points.strides[point, None]
            segments = points.centers[point, None] + reach * reach.new_tensor([-1, 1])
            found.append(Candidates(segments, scores, label))
        return found
