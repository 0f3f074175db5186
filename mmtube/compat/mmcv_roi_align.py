"""``roi_align_forward`` and ``roi_align_backward`` of ``mmcv._ext`` in PyTorch; see :mod:`mmtube.compat.mmcv_ext`.

A bin of RoIAlign (He et al., 2017) is a weighted sum over pixels: a few sample points, four pixels each. All bins of
many RoIs are therefore one ragged weighted sum over the rows of a (pixels, channels) table, whatever the number of
sample points, and its gradient is the same list of weights read backwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

# Sample points, and values (sample points times channels), that are held in memory at once.
MAX_SAMPLES = 1 << 18
MAX_VALUES = 1 << 24
# What mmcv's max pooling starts from: the value of a bin without sample points.
LOWEST = -10000.0


class _Grid(NamedTuple):
    """Where RoIs are sampled: starts and bin sizes in feature pixels as (R, 2) y and x, points per bin as (R, 2)."""

    image_inds: Tensor
    starts: Tensor
    bin_sizes: Tensor
    points: Tensor

    def counts(self) -> Tensor:
        """(R,) sample points per bin."""
        return self.points.prod(dim=1)


class _Samples(NamedTuple):
    """Sample points of RoIs, ordered by RoI, bin row, bin column, point row, point column."""

    bins: Tensor
    """(S,) int64 bin of each point, counted over all bins of these RoIs."""
    y: Tensor
    x: Tensor
    pixels: Tensor
    """(S, 4) int64 rows of the pixel table."""
    weights: Tensor
    """(S, 4) bilinear weights, zeros for a point outside the map."""


def _grid(
    rois: Tensor, output_size: tuple[int, int], spatial_scale: float, sampling_ratio: int, aligned: bool
) -> _Grid:
    spatial_scale = torch.tensor(spatial_scale, dtype=torch.float32).item()  # the operator takes a 32-bit scale
    corners = rois[:, 1:] * spatial_scale - (0.5 if aligned else 0.0)
    starts = corners[:, [1, 0]]
    sizes = corners[:, [3, 2]] - starts
    if not aligned:
        sizes = sizes.clamp(min=1)
    elif (sizes < 0).any():
        raise RuntimeError(f'RoI {int((sizes < 0).any(dim=1).nonzero()[0, 0])} of RoIAlign has a negative size')
    bin_sizes = sizes / sizes.new_tensor(output_size)
    points = torch.full_like(bin_sizes, sampling_ratio) if sampling_ratio > 0 else bin_sizes.float().ceil()
    return _Grid(rois[:, 0].long(), starts, bin_sizes, points.long())


def _chunks(grid: _Grid, bins: int, max_samples: int) -> Iterator[tuple[slice, _Grid]]:
    """Split the RoIs so that a part has at most ``max_samples`` sample points, or is a single RoI."""
    counts = (grid.counts() * bins).tolist()
    start, total = 0, 0
    for stop, count in enumerate(counts):
        if stop > start and total + count > max_samples:
            yield slice(start, stop), _Grid(*(column[start:stop] for column in grid))
            start, total = stop, 0
        total += count
    yield slice(start, len(counts)), _Grid(*(column[start:] for column in grid))


def _sample(grid: _Grid, output_size: tuple[int, int], map_size: tuple[int, int]) -> _Samples:
    rows, columns = output_size
    counts = grid.counts()
    device = counts.device
    roi_inds = torch.arange(len(counts), device=device).repeat_interleave(counts * rows * columns)
    first = (counts * rows * columns).cumsum(0) - counts * rows * columns
    in_roi = torch.arange(len(roi_inds), device=device) - first[roi_inds]
    bin_inds, in_bin = in_roi // counts[roi_inds], in_roi % counts[roi_inds]
    along_x = grid.points[roi_inds, 1]
    bin_yx = torch.stack([bin_inds // columns, bin_inds % columns], dim=1)
    point_yx = torch.stack([in_bin // along_x, in_bin % along_x], dim=1)
    bin_sizes = grid.bin_sizes[roi_inds]
    yx = grid.starts[roi_inds] + bin_yx * bin_sizes + (point_yx + 0.5) * bin_sizes / grid.points[roi_inds]
    pixels, weights = _bilinear(yx[:, 0], yx[:, 1], grid.image_inds[roi_inds], map_size)
    return _Samples(roi_inds * (rows * columns) + bin_inds, yx[:, 0], yx[:, 1], pixels, weights)


def _bilinear(y: Tensor, x: Tensor, image_inds: Tensor, map_size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """The four pixels around each point and their weights; a point at most one pixel outside is drawn to the edge."""
    height, width = map_size
    inside = (y >= -1) & (y <= height) & (x >= -1) & (x <= width)
    # Outside points may lie anywhere, NaN included; they read pixel 0 with weight 0.
    y = torch.where(inside, y, 0).clamp(0, height - 1)
    x = torch.where(inside, x, 0).clamp(0, width - 1)
    top, left = y.long(), x.long()
    bottom, right = (top + 1).clamp(max=height - 1), (left + 1).clamp(max=width - 1)
    down, across = y - top, x - left
    up, back = 1 - down, 1 - across
    base = image_inds * height
    upper, lower = (base + top) * width, (base + bottom) * width
    pixels = torch.stack([upper + left, upper + right, lower + left, lower + right], dim=1)
    weights = torch.stack([up * back, up * across, down * back, down * across], dim=1)
    return pixels, weights * inside[:, None]


def _weighted_sums(table: Tensor, pixels: Tensor, weights: Tensor, starts: Tensor) -> Tensor:
    """Sum of weighted table rows from each start to the next, without the rows ever being gathered."""
    return F.embedding_bag(pixels.flatten(), table, starts, mode='sum', per_sample_weights=weights.flatten())


def _bag_starts(grid: _Grid, bins: int) -> Tensor:
    counts = grid.counts().repeat_interleave(bins) * 4
    return counts.cumsum(0) - counts


def _compute_dtype(dtype: torch.dtype) -> torch.dtype:
    return dtype if dtype == torch.float64 else torch.float32


def roi_align_forward(
    input: Tensor,
    rois: Tensor,
    output: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    aligned_height: int,
    aligned_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    pool_mode: int,
    aligned: bool,
) -> None:
    """Pool RoIs of feature maps into ``output``, in place.

    Args:
        input (Tensor): (N, C, H, W) feature maps of any float type; 16-bit types are computed in 32 bits.
        rois (Tensor): (R, 5) index of the map, then xyxy in pixels of the image.
        output (Tensor): (R, C, aligned_height, aligned_width), written.
        argmax_y (Tensor): Like ``output`` for max pooling, written: y of the largest sample in feature pixels, -1 for
            none. Empty for average pooling.
        argmax_x (Tensor): Likewise x.
        aligned_height (int): Bins along y.
        aligned_width (int): Bins along x.
        spatial_scale (float): Feature pixels per image pixel.
        sampling_ratio (int): Points per bin and axis, or 0 for as many as the bin has pixels, rounded up.
        pool_mode (int): 0 max, 1 average.
        aligned (bool): Whether pixel centres lie at half coordinates; if not, RoIs are at least one pixel large.

    Raises:
        RuntimeError: If a RoI has a negative size and ``aligned`` is set.
    """
    if not len(rois) or not input.numel():
        return
    dtype = _compute_dtype(input.dtype)
    size, bins = (aligned_height, aligned_width), aligned_height * aligned_width
    channels, map_size = input.shape[1], tuple(input.shape[2:])
    table = input.detach().to(dtype).permute(0, 2, 3, 1).reshape(-1, channels)
    grid = _grid(rois.detach().to(dtype), size, spatial_scale, sampling_ratio, aligned)
    max_samples = MAX_SAMPLES if pool_mode == 1 else max(min(MAX_SAMPLES, MAX_VALUES // channels), 1)
    for part, part_grid in _chunks(grid, bins, max_samples):
        samples = _sample(part_grid, size, map_size)
        if pool_mode == 1:
            sums = _weighted_sums(table, samples.pixels, samples.weights, _bag_starts(part_grid, bins))
            pooled = sums / part_grid.counts().clamp(min=1).repeat_interleave(bins)[:, None]
        else:
            pooled, best_y, best_x = _max_bins(table, samples, len(part_grid.starts) * bins)
            argmax_y[part] = _to_nchw(best_y, size).to(input.dtype)
            argmax_x[part] = _to_nchw(best_x, size).to(input.dtype)
        output[part] = _to_nchw(pooled, size).to(input.dtype)


def _to_nchw(pooled: Tensor, size: tuple[int, int]) -> Tensor:
    return pooled.view(-1, *size, pooled.shape[1]).permute(0, 3, 1, 2)


def _max_bins(table: Tensor, samples: _Samples, bins: int) -> tuple[Tensor, Tensor, Tensor]:
    """Largest sample of every bin and channel and where it lies; of equal samples the first."""
    points = len(samples.bins)
    starts = torch.arange(0, 4 * points, 4, device=table.device)
    values = _weighted_sums(table, samples.pixels, samples.weights, starts)
    where = samples.bins[:, None].expand_as(values)
    best = table.new_full((bins, table.shape[1]), LOWEST).scatter_reduce_(0, where, values, 'amax')
    order = torch.arange(points, device=table.device)[:, None].expand_as(values)
    is_best = (values == best[samples.bins]) & (values > LOWEST)
    first = order.new_full(best.shape, points).scatter_reduce_(0, where, torch.where(is_best, order, points), 'amin')
    none = table.new_full((1,), -1)
    return best, torch.cat([samples.y, none])[first], torch.cat([samples.x, none])[first]


def roi_align_backward(
    grad_output: Tensor,
    rois: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    grad_input: Tensor,
    aligned_height: int,
    aligned_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    pool_mode: int,
    aligned: bool,
) -> None:
    """Add the gradient of :func:`roi_align_forward` with respect to its input to ``grad_input``, in place.

    Args:
        grad_output (Tensor): (R, C, aligned_height, aligned_width).
        grad_input (Tensor): (N, C, H, W), changed.
        rois, argmax_y, argmax_x, aligned_height, aligned_width, spatial_scale, sampling_ratio, pool_mode, aligned: As
            in the forward pass.
    """
    if not len(rois) or not grad_input.numel():
        return
    dtype = _compute_dtype(grad_input.dtype)
    size, bins = (aligned_height, aligned_width), aligned_height * aligned_width
    images, channels, height, width = grad_input.shape
    grad_table = grad_output.new_zeros(images * height * width, channels, dtype=dtype)
    grad_bins = grad_output.to(dtype).permute(0, 2, 3, 1).reshape(-1, channels)
    if pool_mode == 0:
        _scatter_max(grad_table, grad_bins, rois, argmax_y, argmax_x, (height, width))
    else:
        grid = _grid(rois.to(dtype), size, spatial_scale, sampling_ratio, aligned)
        for part, part_grid in _chunks(grid, bins, max(min(MAX_SAMPLES, MAX_VALUES // (4 * channels)), 1)):
            samples = _sample(part_grid, size, (height, width))
            share = grad_bins[part.start * bins : part.stop * bins]
            share = share / part_grid.counts().clamp(min=1).repeat_interleave(bins)[:, None]
            for pixels, weights in zip(samples.pixels.T, samples.weights.T):
                grad_table.index_add_(0, pixels, weights[:, None] * share[samples.bins])
    grad_input += grad_table.view(images, height, width, channels).permute(0, 3, 1, 2).to(grad_input.dtype)


def _scatter_max(
    grad_table: Tensor,
    grad_bins: Tensor,
    rois: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    map_size: tuple[int, int],
) -> None:
    bins = argmax_y.shape[2] * argmax_y.shape[3]
    channels = grad_bins.shape[1]
    rois_at_once = max(MAX_VALUES // (4 * bins * channels), 1)
    for start in range(0, len(rois), rois_at_once):
        part = slice(start, start + rois_at_once)
        y, x = (column[part].permute(0, 2, 3, 1).to(grad_bins.dtype).flatten() for column in (argmax_y, argmax_x))
        image_inds = rois[part, 0].long().repeat_interleave(bins * channels)
        pixels, weights = _bilinear(y, x, image_inds, map_size)
        # mmcv takes -1 for "no sample"; a sample that really lies there gets no gradient either.
        weights = weights * (y != -1)[:, None]
        grads = weights * grad_bins[start * bins : (start + rois_at_once) * bins].flatten()[:, None]
        channel_inds = torch.arange(channels, device=pixels.device).repeat(len(pixels) // channels)
        grad_table.view(-1).index_add_(0, (pixels * channels + channel_inds[:, None]).flatten(), grads.flatten())
