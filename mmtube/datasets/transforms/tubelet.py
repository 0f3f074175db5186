"""Feature rows of a tubelet and its segments, moved, cut and stretched together.

Everywhere row ``i`` is at ``offset_s + i / rate`` seconds of the film, so a result in rows goes back to seconds by
:func:`mmtube.structures.feature_grid.rows_to_seconds` with the ``offset_s`` and ``rate`` of the sample, whatever was
done to the rows. A segment in rows may reach half a row beyond the first and the last row: that is where they end.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmaction.structures import ActionDataSample
from mmcv.transforms import BaseTransform
from mmengine.structures import InstanceData

from mmtube.errors import InputError
from mmtube.registry import TRANSFORMS
from mmtube.structures.feature_grid import seconds_to_rows
from mmtube.structures.io.features_npz import read_features_npz

SAME_TIME_S = 1e-3
META_KEYS = (
    *('tid', 'video_id', 'person_id', 'task', 't0_s', 't1_s', 'offset_s', 'rate', 'num_rows', 'dims'),
    *('gt_segments_s', 'gt_labels', 'duration_s', 'row_range', 'sample_idx'),
)


def set_rows(results: dict[str, Any], features: np.ndarray, valid: np.ndarray, offset_s: float, rate: float) -> None:
    """Put rows into ``results`` and bring its segments to them."""
    count = len(features)
    results.update(features=features, valid=valid, offset_s=float(offset_s), rate=float(rate), num_rows=count)
    rows = seconds_to_rows(results['segments_s'], offset_s, rate)
    results['segments'] = np.clip(rows, -0.5, count - 0.5).astype(np.float32)


def keep_segments(results: dict[str, Any], keep: np.ndarray) -> None:
    """Drop the other segments."""
    for key in ('segments', 'segments_s', 'labels'):
        results[key] = results[key][keep]


def interpolate_rows(features: np.ndarray, valid: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Return rows at places between rows, by linear interpolation over the valid ones.

    Args:
        features (np.ndarray): (T, C) float32.
        valid (np.ndarray): (T,) bool. Where there is none, the result is 0.
        positions (np.ndarray): (M,) rows with fractions; beyond the first and last valid row these stay.

    Returns:
        np.ndarray: (M, C) of the dtype of the features.
    """
    known = np.flatnonzero(valid)
    if not len(known):
        return np.zeros((len(positions), features.shape[1]), features.dtype)
    after = np.clip(np.searchsorted(known, positions), 1, max(len(known) - 1, 1))
    left, right = known[after - 1], known[np.minimum(after, len(known) - 1)]
    share = np.clip((positions - left) / np.maximum(right - left, 1), 0, 1)[:, None].astype(features.dtype)
    return features[left] * (1 - share) + features[right] * share


@TRANSFORMS.register_module()
class LoadTubeletFeatures(BaseTransform):
    """Read the rows of a tubelet; several streams stand side by side on the same rows.

    Required keys: ``tid``, ``feature_files``, ``demanded``, ``gt_segments_s``, ``gt_labels``. Added keys: ``features``
    (T, C) float32, ``valid`` (T,) bool (in all streams), ``offset_s``, ``rate`` rows per second, ``dims`` of the
    streams, ``num_rows``, ``segments`` (n, 2) float32 rows, ``segments_s`` and ``labels``. Segments of which no row has
    a part, such as one in the last half second of a film, where no window fits, and those without length are left out
    of the last three; ``gt_segments_s`` and ``gt_labels`` stay whole.

    Raises:
        InputError: When it meets a file that cannot be used or does not have the tubelet, or streams that differ in
            rate or offset, or by more than one row in length.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add the rows."""
        tid, paths = results['tid'], results['feature_files']
        files = [read_features_npz(path, demanded) for path, demanded in zip(paths, results['demanded'])]
        tubelets = [file[tid] for file in files]
        first, rate = tubelets[0], files[0].meta.grid.rate
        for path, file, tubelet in zip(paths[1:], files[1:], tubelets[1:]):
            if abs(file.meta.grid.rate - rate) > 1e-6:
                told = f'{file.meta.grid.rate:g} rows per second, {paths[0]} has {rate:g}'
                raise InputError(f'{path}: tubelet {tid}: has {told}')
            if abs(tubelet.offset_s - first.offset_s) > SAME_TIME_S:
                told = f'{tubelet.offset_s:.4f} s, in {paths[0]} at {first.offset_s:.4f} s'
                raise InputError(f'{path}: tubelet {tid}: row 0 is at {told}')
            if abs(len(tubelet.features) - len(first.features)) > 1:
                told = f'{len(tubelet.features)} rows, {paths[0]} has {len(first.features)}'
                raise InputError(f'{path}: tubelet {tid}: has {told}')
        count = min(len(tubelet.features) for tubelet in tubelets)
        if not count:
            raise InputError(f'{paths[0]}: tubelet {tid}: has no rows')
        features = np.concatenate([tubelet.features[:count] for tubelet in tubelets], 1).astype(np.float32)
        valid = np.logical_and.reduce([tubelet.valid[:count] for tubelet in tubelets])
        results['dims'] = [file.meta.dim for file in files]
        results['segments_s'], results['labels'] = results['gt_segments_s'], results['gt_labels']
        set_rows(results, features, valid, first.offset_s, rate)
        keep_segments(results, results['segments'][:, 1] > results['segments'][:, 0])
        return results


@TRANSFORMS.register_module()
class TubeletRescale(BaseTransform):
    """Stretch rows and segments together to a fixed number of rows, by linear interpolation over the valid ones.

    Rows are intervals of equal length: the new ones cover what the old ones covered. Where the tubelet has a valid
    row at all, every new row is valid. ActivityNet style (SEAL's complex activities: 128 rows).

    Args:
        rows (int): Rows afterwards. Defaults to 128.
    """

    def __init__(self, rows: int = 128) -> None:
        if rows < 1:
            raise ValueError(f'rows must be positive, got {rows}')
        self.rows = rows

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Stretch."""
        features, valid = results['features'], results['valid']
        step = len(features) / self.rows
        positions = (np.arange(self.rows) + 0.5) * step - 0.5
        offset_s, rate = results['offset_s'] + positions[0] / results['rate'], results['rate'] / step
        stretched = interpolate_rows(features, valid, positions)
        set_rows(results, stretched, np.full(self.rows, valid.any()), offset_s, rate)
        return results


@TRANSFORMS.register_module()
class TubeletWindow(BaseTransform):
    """Cut a window out of a long tubelet: the ``row_range`` of the item, else a random one.

    A random window keeps the segments of which it has at least ``min_inside``; one in which no segment would be left is
    drawn again up to ``tries`` times. A ``row_range`` (testing) keeps the segments that it touches.

    Args:
        rows (int): Rows of a window; shorter tubelets stay as they are. Defaults to 512.
        min_inside (float): Share of a segment. Defaults to 0.75.
        tries (int): Draws. Defaults to 10.
    """

    def __init__(self, rows: int = 512, min_inside: float = 0.75, tries: int = 10) -> None:
        if rows < 1 or not 0 < min_inside <= 1 or tries < 1:
            raise ValueError(f'rows and tries must be positive, min_inside in (0, 1]: {rows}, {tries}, {min_inside}')
        self.rows = rows
        self.min_inside = min_inside
        self.tries = tries

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Cut."""
        count = results['num_rows']
        if 'row_range' in results:
            begin, end = results['row_range']
            return self._cut(results, begin, min(end, count), np.nextafter(0, 1))
        if count <= self.rows:
            return results
        for _ in range(self.tries):
            begin = random.randrange(count - self.rows + 1)
            if (self._inside(results['segments'], begin, begin + self.rows) >= self.min_inside).any():
                break
        return self._cut(results, begin, begin + self.rows, self.min_inside)

    def _inside(self, segments: np.ndarray, begin: int, end: int) -> np.ndarray:
        """Share of each segment between the edges of two rows; a segment without length is in or out."""
        start, stop = np.clip(segments, begin - 0.5, end - 0.5).T
        length = segments[:, 1] - segments[:, 0]
        within = (segments[:, 0] >= begin - 0.5) & (segments[:, 0] <= end - 0.5)
        return np.where(length > 0, (stop - start) / np.maximum(length, 1e-9), within)

    def _cut(self, results: dict[str, Any], begin: int, end: int, least: float) -> dict[str, Any]:
        keep_segments(results, self._inside(results['segments'], begin, end) >= least)
        offset_s = results['offset_s'] + begin / results['rate']
        set_rows(results, results['features'][begin:end], results['valid'][begin:end], offset_s, results['rate'])
        return results


@TRANSFORMS.register_module()
class PackTubelet(BaseTransform):
    """Pack a tubelet: ``inputs`` (C, T) float32, and a data sample.

    ``gt_instances`` has ``segments`` (n, 2) float32 rows and ``labels`` (n,) int64; ``valid`` (T,) bool is a field of
    the sample; the meta data has what maps a result back: ``tid``, ``video_id``, ``offset_s``, ``rate``.

    Args:
        meta_keys (Sequence[str]): Meta data that goes along where it is present. Defaults to ``META_KEYS``.
    """

    def __init__(self, meta_keys: Sequence[str] = META_KEYS) -> None:
        self.meta_keys = tuple(meta_keys)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Pack."""
        sample = ActionDataSample(metainfo={key: results[key] for key in self.meta_keys if key in results})
        labels, segments = torch.from_numpy(results['labels']), torch.from_numpy(results['segments'])
        sample.gt_instances = InstanceData(segments=segments, labels=labels)
        sample.set_field(torch.from_numpy(results['valid']), 'valid')
        return {'inputs': torch.from_numpy(np.ascontiguousarray(results['features'].T)), 'data_samples': sample}
