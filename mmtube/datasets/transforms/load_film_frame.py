"""One frame out of a film, for detectors."""

from __future__ import annotations

from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform

from mmtube.errors import InputError
from mmtube.registry import TRANSFORMS

from ..window_reader import WindowReader


@TRANSFORMS.register_module()
class LoadFilmFrame(BaseTransform):
    """Read one frame as mmdet's ``LoadImageFromFile`` reads an image.

    It seeks to the key frame before the time and decodes from there; the nearest frame by the film's own timestamps is
    taken. A few films stay open in each worker.

    Required keys: ``film``, ``time_s``, ``img_path``, ``height``, ``width``. Added keys: ``img`` (H, W, 3) uint8 BGR,
    ``img_shape``, ``ori_shape``.

    Args:
        max_open (int): Films kept open. Defaults to 4.

    Raises:
        InputError: When it meets a film that is missing, cannot be read, ends before the frame or is of another size
            than the annotation says.
    """

    def __init__(self, max_open: int = 4) -> None:
        self.reader = WindowReader(max_open)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add the frame."""
        try:
            film = self.reader(results['film'])
            [image], end_s = film.read(np.array([results['time_s']]), None, 'bgr')
        except InputError as error:
            self.reader.forget(results['film'])
            raise InputError(f'{error}, read for {results["img_path"]}') from None
        if end_s < results['time_s'] - 0.5 / float(film.fps):
            raise InputError(f'{results["img_path"]}: the film ends after {end_s:.2f} s')
        if image.shape[:2] != (results['height'], results['width']):
            told = f'the annotation says {results["width"]}x{results["height"]}'
            raise InputError(f'{results["img_path"]}: the film is {image.shape[1]}x{image.shape[0]}, {told}')
        results['img'] = image
        results['img_shape'] = results['ori_shape'] = image.shape[:2]
        return results
