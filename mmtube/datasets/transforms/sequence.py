"""Images of a person's sequence."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import torch
from mmaction.structures import ActionDataSample
from mmcv.transforms import BaseTransform

from mmtube.errors import InputError
from mmtube.ops.crops import CHANNEL_ORDERS, resize_crop
from mmtube.registry import TRANSFORMS

META_KEYS = ('pid', 'camid', 'tracklet', 'role', 'chunks', 'img_shape', 'sample_idx')


@TRANSFORMS.register_module()
class SampleSequence(BaseTransform):
    """Choose the images of a sequence.

    In training ``length`` random ones in the order of time, with repeats where there are fewer (SEAL, Sec. 3.2: 6). In
    testing all, whose features are averaged; ``chunks`` says how many to run at a time.

    Changed key: ``img_paths``. Added keys: ``chunks`` (list of int, the lengths of the parts), ``num_clips``,
    ``clip_len``.

    Args:
        length (int): Images in training, and of a chunk. Defaults to 6.
        test_mode (bool): Whether to take all. Defaults to False.
    """

    def __init__(self, length: int = 6, test_mode: bool = False) -> None:
        if length < 1:
            raise ValueError(f'length must be positive, got {length}')
        self.length = length
        self.test_mode = test_mode

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Choose."""
        paths = results['img_paths']
        if not self.test_mode:
            places = range(len(paths))
            few = len(paths) < self.length
            chosen = random.choices(places, k=self.length) if few else random.sample(places, self.length)
            paths = [paths[place] for place in sorted(chosen)]
        begins = range(0, len(paths), self.length)
        results['chunks'] = [min(self.length, len(paths) - begin) for begin in begins]
        results['img_paths'] = paths
        results['num_clips'], results['clip_len'] = 1, len(paths)
        return results


@TRANSFORMS.register_module()
class LoadSequence(BaseTransform):
    """Read the images of a sequence and bring them to one size.

    Required key: ``img_paths``. Added keys: ``imgs`` (list of (H, W, 3) uint8), ``img_shape``, ``modality``: one flip
    or crop of MMAction2 then treats all images of the sequence alike.

    Args:
        size (Sequence[int]): Height and width. Defaults to (256, 128), the strong baseline's.
        order (str): Channels, ``'rgb'`` or ``'bgr'``. Defaults to 'rgb'.

    Raises:
        InputError: When it meets an image that is missing or cannot be read.
    """

    def __init__(self, size: Sequence[int] = (256, 128), order: str = 'rgb') -> None:
        if len(size) != 2 or min(size) < 1 or order not in CHANNEL_ORDERS:
            raise ValueError(f'size must be height and width and order rgb or bgr, got {size} and {order!r}')
        self.height, self.width = size
        self.order = order

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Read."""
        images = []
        for path in results['img_paths']:
            image = cv2.imread(path, cv2.IMREAD_COLOR)
            if image is None:
                raise InputError(f'{path}: is no image that can be read')
            images.append(resize_crop(image, (self.height, self.width), self.order))
        results.update(imgs=images, img_shape=(self.height, self.width), modality='RGB')
        return results


@TRANSFORMS.register_module()
class PackSequence(BaseTransform):
    """Pack a sequence: ``inputs`` (T, C, H, W) uint8 and a data sample with ``gt_label`` (1,) int64.

    Args:
        meta_keys (Sequence[str]): Meta data that goes along where it is present. Defaults to ``META_KEYS``.
    """

    def __init__(self, meta_keys: Sequence[str] = META_KEYS) -> None:
        self.meta_keys = tuple(meta_keys)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Pack."""
        images = np.ascontiguousarray(np.stack(results['imgs']).transpose(0, 3, 1, 2))
        sample = ActionDataSample(metainfo={key: results[key] for key in self.meta_keys if key in results})
        sample.set_gt_label(results['gt_label'])
        return {'inputs': torch.from_numpy(images), 'data_samples': sample}
