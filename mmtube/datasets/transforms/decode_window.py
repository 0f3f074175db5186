"""Frames out of a film, at some times."""

from __future__ import annotations

from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform

from mmtube.errors import InputError
from mmtube.registry import TRANSFORMS

from ..window_reader import PIXELS, WindowReader

ASPECT_TOLERANCE = 0.02


@TRANSFORMS.register_module()
class DecodeWindow(BaseTransform):
    """Read the frames that a sampler chose and bring boxes to their size.

    It seeks to the key frame before the first of them and decodes to the last, so the length of the film costs
    nothing. Each time takes the nearest frame by the film's own timestamps. A few films stay open in each worker.

    Required keys: ``film``, ``frame_times_s``, ``img_key``, ``ori_shape``, ``duration_s``. Added keys: ``imgs``, a list
    of (H, W, 3) uint8, ``img_shape``, ``original_shape``, ``scale_factor``. Changed keys: ``gt_bboxes`` and
    ``proposals`` from pixels of ``ori_shape`` to pixels of ``imgs``. ``tube_boxes`` (m, B, 4), where present, go behind
    the proposals, ``proposals`` (m + m * B, 4), so that the transforms of MMAction2 treat them as boxes, likewise
    ``gt_tube_boxes`` behind ``gt_bboxes``, and ``objects`` (k, 4) behind all proposals, (m + m * B + k, 4);
    :class:`PackSEALClip` takes them apart again.

    Args:
        short_side (int | None): Frames whose shorter side is longer are made smaller to it while they are decoded.
            Defaults to None.
        order (str): Channels, ``'rgb'`` as MMAction2's or ``'bgr'``. Defaults to 'rgb'.
        max_open (int): Films kept open. Defaults to 4.

    Raises:
        InputError: When it meets a film that is missing, cannot be read, is shorter or of another shape than the
            annotation says; the message names the film and the clip.
    """

    # What rides behind which boxes, in this order.
    RIDERS = (('proposals', 'tube_boxes'), ('gt_bboxes', 'gt_tube_boxes'), ('proposals', 'objects'))

    def __init__(self, short_side: int | None = None, order: str = 'rgb', max_open: int = 4) -> None:
        if order not in PIXELS or (short_side is not None and short_side < 1):
            raise ValueError(f'order must be one of {tuple(PIXELS)} and short_side positive, got {order}, {short_side}')
        self.short_side = short_side
        self.order = order
        self.reader = WindowReader(max_open)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add the frames."""
        try:
            film = self.reader(results['film'])
            size = self._size(*film.size)
            images, end_s = film.read(results['frame_times_s'], size, self.order)
        except InputError as error:
            self.reader.forget(results['film'])
            raise InputError(f'{error}, read for clip {results["img_key"]}') from None
        last_s = float(results['frame_times_s'][-1])
        if end_s < last_s - max(0.5, 3 / float(film.fps)):
            told = f'the annotation says {results["duration_s"]:.2f} s'
            raise InputError(f'{results["film"]}: ends after {end_s:.2f} s, {told}, clip {results["img_key"]}')
        height, width = results['ori_shape']
        if abs(film.size[0] * height / (film.size[1] * width) - 1) > ASPECT_TOLERANCE:
            shapes = f'is {film.size[0]}x{film.size[1]}, the annotation says {width}x{height}'
            raise InputError(f'{results["film"]}: {shapes}, clip {results["img_key"]}')
        results['imgs'] = images
        results['img_shape'] = results['original_shape'] = (size[1], size[0])
        results['scale_factor'] = np.array([size[0] / width, size[1] / height], np.float32)
        for key, riders in self.RIDERS:
            if riders in results:
                results[key] = np.concatenate([results[key], results[riders].reshape(-1, 4)])
        for key in ('gt_bboxes', 'proposals'):
            if key in results:
                results[key] = results[key] * np.tile(results['scale_factor'], 2)
        return results

    def _size(self, width: int, height: int) -> tuple[int, int]:
        shorter = min(width, height)
        if self.short_side is None or shorter <= self.short_side:
            return width, height
        return round(width * self.short_side / shorter), round(height * self.short_side / shorter)
