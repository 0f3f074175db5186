"""Boxes of people a little larger or smaller than they were drawn."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform

from mmtube.ops import clip_boxes
from mmtube.registry import TRANSFORMS


@TRANSFORMS.register_module()
class JitterBoxes(BaseTransform):
    """Move the edges of the boxes that a network looks at, so that it learns to live with those of a detector.

    Each edge of a person moves by a random share of the box's own width or height, outward up to the first number or
    inward up to the second, all as likely, and boxes are then cut at the frame. The defaults are AlphAction's. All
    boxes of a person in a clip, at the key time and over time, have the same shares. Boxes that carry labels stay as
    they are, and so do proposals of a detector, which are off by themselves.

    It stands before ``DecodeWindow``. Required keys: ``proposals``, ``proposals_are_gt``, ``ori_shape``. Changed keys:
    ``proposals`` and ``tube_boxes``. Added key: ``gt_tube_boxes``, what ``tube_boxes`` were, where there are any.

    Args:
        horizontal (Sequence[float]): Outward and inward share of the width. Defaults to (0.2, 0.1).
        vertical (Sequence[float]): Outward and inward share of the height. Defaults to (0.1, 0.05).

    Raises:
        ValueError: If a share is negative, or inward so large that a box could vanish.
    """

    def __init__(self, horizontal: Sequence[float] = (0.2, 0.1), vertical: Sequence[float] = (0.1, 0.05)) -> None:
        for shares in (horizontal, vertical):
            if len(shares) != 2 or min(shares) < 0 or shares[1] >= 0.5:
                raise ValueError(f'shares must be outward >= 0 and inward in [0, 0.5), got {tuple(shares)}')
        self.outward = np.array([horizontal[0], vertical[0]] * 2)
        self.inward = np.array([horizontal[1], vertical[1]] * 2)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Move the edges."""
        if 'imgs' in results:
            raise ValueError('JitterBoxes must stand before DecodeWindow')
        if not results['proposals_are_gt']:
            return results
        people = len(results['proposals'])
        generator = np.random.default_rng(random.getrandbits(64))  # MMEngine seeds `random` in each worker
        outward = generator.uniform(-self.inward, self.outward, (people, 4))
        height, width = results['ori_shape']

        def moved(boxes: np.ndarray, shares: np.ndarray) -> np.ndarray:
            sides = np.tile(boxes[..., 2:] - boxes[..., :2], 2)
            edges = boxes + sides * shares * [-1, -1, 1, 1]
            return clip_boxes(edges.reshape(-1, 4), width, height).reshape(boxes.shape).astype(np.float32)

        results['proposals'] = moved(results['proposals'], outward)
        if 'tube_boxes' in results:
            results['gt_tube_boxes'] = results['tube_boxes']
            results['tube_boxes'] = moved(results['tube_boxes'], outward[:, None])
        return results
