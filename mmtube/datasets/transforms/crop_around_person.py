"""A part of the picture in which somebody is."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform

from mmtube.ops import box_areas, clip_boxes
from mmtube.registry import TRANSFORMS


@TRANSFORMS.register_module()
class CropAroundPerson(BaseTransform):
    """Cut a square with a random person of the ground truth out of all frames, for training.

    The same computation per clip sees people larger than the whole frame would, and no clip is lost to a crop without
    anybody. The square lies at random among those that hold the person, as far as there are such. Boxes of which less
    than ``min_share`` is left become empty; ``PackSEALClip`` leaves them out.

    It stands behind ``DecodeWindow``. Required keys: ``imgs``, ``img_shape``, ``gt_bboxes``, ``person_ids``. Changed
    keys: ``imgs``, ``img_shape``, ``gt_bboxes``, ``proposals``.

    Args:
        size (int): Side in pixels; a shorter side of the frame stays whole. Defaults to 112.
        min_share (float): Share of a box, in [0, 1], that must be in the picture. Defaults to 0.5.

    Raises:
        ValueError: If an argument is out of range.
    """

    def __init__(self, size: int = 112, min_share: float = 0.5) -> None:
        if size < 1 or not 0 <= min_share <= 1:
            raise ValueError(f'size must be positive and min_share in [0, 1], got {size} and {min_share}')
        self.size = size
        self.min_share = min_share

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Crop."""
        height, width = results['img_shape']
        sides = np.minimum([width, height], self.size)
        space = np.array([width, height]) - sides
        people = results['gt_bboxes'][: len(results['person_ids'])]
        lowest, highest = np.zeros(2), space.astype(np.float64)
        if len(people):
            box = people[random.randrange(len(people))]
            # A person larger than the square is cut on a random side.
            edges = np.sort([box[2:] - sides, box[:2]], axis=0)
            lowest, highest = np.clip(edges, 0, space)
        left, top = (round(random.uniform(low, high)) for low, high in zip(lowest, highest))
        wide, high = sides.tolist()
        results['imgs'] = [image[top : top + high, left : left + wide] for image in results['imgs']]
        results['img_shape'] = (high, wide)
        for key in ('gt_bboxes', 'proposals'):
            if key in results:
                results[key] = self._moved(results[key], left, top, wide, high)
        return results

    def _moved(self, boxes: np.ndarray, left: int, top: int, wide: int, high: int) -> np.ndarray:
        moved = boxes - np.array([left, top] * 2, boxes.dtype)
        inside = clip_boxes(moved, wide, high)
        kept = box_areas(inside) >= self.min_share * box_areas(moved)
        return np.where(kept[:, None], inside, 0).astype(boxes.dtype)
