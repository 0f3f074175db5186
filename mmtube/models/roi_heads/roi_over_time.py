"""Features of a person out of feature maps over time, with a box for each part of the time."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmcv.ops import roi_align
from torch import Tensor, nn

from mmtube.registry import MODELS

SPATIAL_POOLS = ('max', 'avg')


def slice_times(frame_times_s: Tensor, num_slices: int) -> Tensor:
    """Return the film times of the time slices of a feature map.

    Args:
        frame_times_s (Tensor): (T,) float times of the frames that the network saw.
        num_slices (int): Slices of the map; slice k stands for the frames from ``k T / num_slices`` on.

    Returns:
        Tensor: (num_slices,) float64 mean times of the frames of each slice.
    """
    times_s = torch.as_tensor(frame_times_s, dtype=torch.float64)
    edges = torch.arange(num_slices + 1) * len(times_s) / num_slices
    first, last = edges[:-1].floor().long(), (edges[1:].ceil().long() - 1).clamp(min=0)
    last = torch.maximum(first, last)
    sums = torch.cat([times_s.new_zeros(1), times_s.cumsum(0)])
    return (sums[last + 1] - sums[first]) / (last + 1 - first)


def nearest_slots(slice_times_s: Tensor, box_times_s: Tensor) -> Tensor:
    """Return which of the boxes over time is nearest to each slice, the earlier of two that are as near.

    Args:
        slice_times_s (Tensor): (T,) times of the slices.
        box_times_s (Tensor): (B,) times of the boxes.

    Returns:
        Tensor: (T,) int64.
    """
    slices_s = torch.as_tensor(slice_times_s, dtype=torch.float64)
    boxes_s = torch.as_tensor(box_times_s, dtype=torch.float64)
    # Times are rounded: two distances within a microsecond are a tie.
    return ((slices_s[:, None] - boxes_s).abs() * 1e6).round().argmin(dim=1)


@MODELS.register_module()
class RoIOverTime(nn.Module):
    """Pool the features of people from maps of one or more pathways, with one or more boxes over time.

    Each time slice of a map is pooled in the box that is nearest to it in time (RoIAlign, He et al., 2017), the mean is
    taken over time, then the maximum (or mean) over the bins. With one box this is AlphAction's order, temporal mean
    before RoIAlign (Tang et al., 2020); with several it is SEAL's features with 4 boxes per second (SEAL, Sec. 4).
    Because pooling is linear, slices that share a box are averaged before it: the cost is one RoIAlign per person and
    box, however many slices there are, and the result is that of pooling each slice.

    Slices whose nearest box a person does not have do not count for this person. A pathway of few slices may so have
    none for somebody who is there for a moment: the 4 of a SlowFast 4x16 take 4 of the 8 boxes of SEAL's clips, and not
    those around the key time. The slice nearest to a box of this person then takes it.

    Args:
        output_size (int): Bins along each side. Defaults to 7.
        spatial_stride (int): Pixels of the network's input per cell of the maps. Defaults to 16.
        aligned (bool): Whether boxes are shifted by half a pixel; AlphAction's weights were trained without (legacy:
            width and height are at least one cell). Defaults to False.
        sampling_ratio (int): Sample points along each side of a bin; 0 takes as many as the bin has cells. Defaults
            to 0.
        spatial_pool (str): ``'max'`` or ``'avg'`` over the bins. Defaults to 'max'.

    Raises:
        ValueError: If an argument is out of range.
    """

    def __init__(
        self,
        output_size: int = 7,
        spatial_stride: int = 16,
        aligned: bool = False,
        sampling_ratio: int = 0,
        spatial_pool: str = 'max',
    ) -> None:
        super().__init__()
        if output_size < 1 or spatial_stride < 1 or sampling_ratio < 0:
            raise ValueError(f'bad {output_size=}, {spatial_stride=} or {sampling_ratio=}')
        if spatial_pool not in SPATIAL_POOLS:
            raise ValueError(f'spatial_pool must be one of {SPATIAL_POOLS}, got {spatial_pool!r}')
        self.output_size = output_size
        self.spatial_stride = spatial_stride
        self.aligned = aligned
        self.sampling_ratio = sampling_ratio
        self.spatial_pool = spatial_pool

    def tell(self) -> str:
        """Return in a word how people are cut out, such as ``'align7-max'``, for files of features."""
        words = [f'align{self.output_size}', self.spatial_pool]
        words += ['aligned'] if self.aligned else []
        words += [f'samples{self.sampling_ratio}'] if self.sampling_ratio else []
        return '-'.join(words)

    def forward(
        self,
        maps: Sequence[Tensor],
        boxes: Tensor,
        clip_inds: Tensor,
        slots: Sequence[Tensor] | None = None,
        valid: Tensor | None = None,
    ) -> Tensor:
        """Return the features of people.

        Args:
            maps (Sequence[Tensor]): (N, C_i, T_i, h, w) of each pathway.
            boxes (Tensor): (n, B, 4) xyxy in pixels of the network's input.
            clip_inds (Tensor): (n,) int64 clip of each person.
            slots (Sequence[Tensor] | None): For each pathway (T_i,) or (N, T_i) int64, the box that each slice takes,
                see :func:`nearest_slots`. Defaults to None, which is for one box.
            valid (Tensor | None): (n, B) bool, whether a box exists; slices of others do not count. Defaults to None,
                all exist.

        Returns:
            Tensor: (n, sum of C_i); zeros for a person without a valid box.

        Raises:
            ValueError: If there are several boxes and no slots.
        """
        people, num_boxes = boxes.shape[:2]
        if num_boxes != 1 and slots is None:
            raise ValueError(f'{num_boxes} boxes over time need slots')
        # At least single precision: corners of boxes in half precision are pixels off.
        dtypes = [torch.promote_types(channels.dtype, torch.float32) for channels in maps]
        if not people:
            # Empty, but made of the maps: with several ranks a backbone that has no gradient holds up the others.
            return torch.cat([channels.mean((2, 3, 4), dtype=dtype) for channels, dtype in zip(maps, dtypes)], 1)[:0]
        if valid is None:
            valid = boxes.new_ones(people, num_boxes, dtype=torch.bool)
        with torch.autocast(maps[0].device.type, enabled=False):
            features = [
                self._pool(features, dtype, boxes, clip_inds, None if slots is None else slots[number], valid)
                for number, (features, dtype) in enumerate(zip(maps, dtypes))
            ]
        return torch.cat(features, dim=1)

    def _pool(
        self,
        features: Tensor,
        dtype: torch.dtype,
        boxes: Tensor,
        clip_inds: Tensor,
        slots: Tensor | None,
        valid: Tensor,
    ) -> Tensor:
        clips, channels, length = features.shape[:3]
        people, num_boxes = boxes.shape[:2]
        if slots is None:
            slots = torch.zeros(length, dtype=torch.int64)
        slots = slots.to(features.device).expand(clips, length)
        if num_boxes > 1:
            boxes, valid = _with_a_slice(boxes, valid, slots[clip_inds])
        # (N, B, T) share of each slice in the mean map of each box; a mean of its own would weigh boxes alike.
        shares = (slots[:, None] == torch.arange(num_boxes, device=features.device)[:, None]).to(dtype)
        counts = shares.sum(dim=2)
        if num_boxes == 1:
            by_box = features.mean(dim=2, dtype=dtype)
        else:
            means = shares / counts.clamp(min=1)[..., None]
            by_box = torch.einsum('nbt,ncthw->nbchw', means, features.to(dtype)).flatten(0, 1)
        weights = counts[clip_inds] * valid  # (n, B) slices that count for this person
        total = weights.sum(dim=1)
        rows, box_inds = weights.nonzero(as_tuple=True)
        map_inds = clip_inds[rows] * num_boxes + box_inds
        rois = torch.cat([map_inds[:, None].to(dtype), boxes[rows, box_inds].to(dtype)], dim=1)
        size, scale = (self.output_size, self.output_size), 1 / self.spatial_stride
        bins = roi_align(by_box.contiguous(), rois, size, scale, self.sampling_ratio, 'avg', self.aligned)
        if num_boxes > 1:
            share = (weights[rows, box_inds] / total[rows]).to(bins.dtype)
            mean = bins.new_zeros(people, channels, *size)
            bins = mean.index_add(0, rows, bins * share[:, None, None, None])
        elif len(rows) < people:
            bins = bins.new_zeros(people, channels, *size).index_copy(0, rows, bins)
        bins = bins.flatten(2)
        return bins.amax(dim=2) if self.spatial_pool == 'max' else bins.mean(dim=2)


def _with_a_slice(boxes: Tensor, valid: Tensor, slots: Tensor) -> tuple[Tensor, Tensor]:
    """Give people who have boxes (n, B, 4), but none that one of their slices (n, T) takes, a box that one does."""
    lost = (valid.any(dim=1) & ~valid.gather(1, slots).any(dim=1)).nonzero()[:, 0]
    if not len(lost):
        return boxes, valid
    far = (slots[lost, :, None] - torch.arange(valid.shape[1], device=slots.device)).abs()
    far = far.masked_fill(~valid[lost, None], valid.shape[1])
    nearest = far.flatten(1).argmin(dim=1)
    time, box = nearest // valid.shape[1], nearest % valid.shape[1]
    taken = slots[lost, time]
    boxes, valid = boxes.clone(), valid.clone()
    boxes[lost, taken], valid[lost, taken] = boxes[lost, box], True
    return boxes, valid
