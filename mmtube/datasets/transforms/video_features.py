"""Feature rows of whole videos, as those of tubelets."""

from __future__ import annotations

from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform

from mmtube.errors import InputError
from mmtube.registry import TRANSFORMS
from mmtube.structures.io.video_rows import VideoRows

from .tubelet import interpolate_rows, keep_segments, set_rows


@TRANSFORMS.register_module()
class LoadVideoFeatures(BaseTransform):
    """Read the rows of a whole video; several streams stand side by side on the rows of the first.

    The other streams are brought to these rows by linear interpolation over time; beyond their first and last row
    these stay. Required keys: ``video_id``, ``streams``, ``fps``, ``covered_s``, ``duration_s``, ``gt_segments_s``,
    ``gt_labels``, as ``VideoFeatures`` gives them. Added keys are those of ``LoadTubeletFeatures``: ``features`` (T, C)
    float32, ``valid`` (T,) bool, ``offset_s``, ``rate`` rows per second, ``dims`` of the streams, ``num_rows``,
    ``segments`` (n, 2) float32 rows, ``segments_s`` and ``labels``. Segments of which no row has a part, and those of
    no class (-1), are left out of the last three; ``gt_segments_s`` and ``gt_labels`` stay whole.

    Args:
        tolerance (float | None): Share of the video by which rows may end before or after it: a wrong ``fps`` or
            ``stride`` puts all rows at wrong times, and nothing else would tell. A window is always allowed. Defaults
            to 0.25; None does not look.

    Raises:
        InputError: When it meets a file that cannot be used, or whose rows end elsewhere than the video.
        ValueError: If the tolerance is negative.
    """

    def __init__(self, tolerance: float | None = 0.25) -> None:
        if tolerance is not None and tolerance < 0:
            raise ValueError(f'tolerance must not be negative, got {tolerance}')
        self.tolerance = tolerance

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add the rows."""
        vid = results['video_id']
        found = []
        for stream in results['streams']:
            found.append(stream.read(vid, results['fps'], results['covered_s']))
            self._check_end(str(stream.path(vid)), found[-1], results['duration_s'])
        first, *others = found
        columns, valid = [first.features], first.valid
        times_s = first.offset_s + np.arange(len(first.features)) / first.rate
        for other in others:
            positions = (times_s - other.offset_s) * other.rate
            columns.append(interpolate_rows(other.features, other.valid, positions))
            valid = valid & other.valid.any()
        results['dims'] = [column.shape[1] for column in columns]
        results['segments_s'], results['labels'] = results['gt_segments_s'], results['gt_labels']
        set_rows(results, np.concatenate(columns, 1), valid, first.offset_s, first.rate)
        start, end = results['segments'].T
        keep_segments(results, (end > start) & (results['labels'] >= 0))
        return results

    def _check_end(self, path: str, rows: VideoRows, duration_s: float) -> None:
        if self.tolerance is None:
            return
        end_s = rows.offset_s + (len(rows.features) - 0.5) / rows.rate
        if abs(end_s - duration_s) > max(self.tolerance * duration_s, 2 * rows.offset_s + 1 / rows.rate):
            grid = f'{len(rows.features)} rows, {rows.rate:.4g} per second'
            told = f'{grid}, end at {end_s:.1f} s of a video of {duration_s:.1f} s'
            raise InputError(f'{path}: {told}; are fps, stride and window right? (tolerance={self.tolerance:g})')
