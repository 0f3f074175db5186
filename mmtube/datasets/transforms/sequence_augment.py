"""What training changes about the images of a person's sequence."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform

from mmtube.registry import TRANSFORMS

# The values 0.485, 0.456, 0.406 after normalisation, as RGB pixels before it: mean + value * std, rounded.
IMAGENET_FILL = (152, 142, 127)
MAX_TRIES = 100


@TRANSFORMS.register_module()
class PadCropSequence(BaseTransform):
    """Shift the images of a sequence: pad them with black and cut out their own size at one random place.

    All images of the sequence get the same place (strong baseline, arXiv 1903.07071, Sec. 2: padding of 10 pixels).

    Required keys: ``imgs`` (list of (H, W, 3) uint8 of one size). Changed key: ``imgs``.

    Args:
        padding (int): Pixels on each side, so the largest shift. Defaults to 10.

    Raises:
        ValueError: If ``padding`` is negative.
    """

    def __init__(self, padding: int = 10) -> None:
        if padding < 0:
            raise ValueError(f'padding must not be negative, got {padding}')
        self.padding = padding

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Shift."""
        images, pad = results['imgs'], self.padding
        height, width = images[0].shape[:2]
        top, left = random.randint(0, 2 * pad), random.randint(0, 2 * pad)
        margins = ((pad, pad), (pad, pad), (0, 0))
        results['imgs'] = [np.pad(image, margins)[top : top + height, left : left + width] for image in images]
        return results


@TRANSFORMS.register_module()
class EraseSequence(BaseTransform):
    """Random erasing (Zhong et al., arXiv 1708.04896): fill a random rectangle, in each image another.

    A sequence whose images lose different parts is what a person behind obstacles looks like, hence no shared place.

    Required keys: ``imgs`` (list of (H, W, 3) uint8). Changed key: ``imgs``.

    Args:
        prob (float): Share of the images that lose a rectangle. Defaults to 0.5.
        area (Sequence[float]): Least and greatest area as a fraction of the image. Defaults to (0.02, 0.4).
        min_aspect (float): Height over width is between this and its inverse. Defaults to 0.3.
        fill (Sequence[int]): Value per channel, in the order of the images. Defaults to ``IMAGENET_FILL``: the strong
            baseline normalises first and then fills in ImageNet's mean (0.485, 0.456, 0.406), which is this in RGB
            pixels before normalisation.

    Raises:
        ValueError: If an argument is out of range.
    """

    def __init__(
        self,
        prob: float = 0.5,
        area: Sequence[float] = (0.02, 0.4),
        min_aspect: float = 0.3,
        fill: Sequence[int] = IMAGENET_FILL,
    ) -> None:
        if not 0 <= prob <= 1 or not 0 < area[0] <= area[1] <= 1 or not 0 < min_aspect <= 1:
            raise ValueError(f'prob, area and min_aspect must lie in [0, 1], got {prob}, {area} and {min_aspect}')
        self.prob = prob
        self.area = tuple(area)
        self.min_aspect = min_aspect
        self.fill = np.array(fill, np.uint8)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Erase."""
        results['imgs'] = [self._erased(image) if random.random() < self.prob else image for image in results['imgs']]
        return results

    def _erased(self, image: np.ndarray) -> np.ndarray:
        height, width = image.shape[:2]
        for _ in range(MAX_TRIES):
            area = random.uniform(*self.area) * height * width
            aspect = random.uniform(self.min_aspect, 1 / self.min_aspect)
            rows, columns = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
            if 0 < rows < height and 0 < columns < width:
                top, left = random.randint(0, height - rows), random.randint(0, width - columns)
                image = image.copy()  # the same image may stand in the sequence twice
                image[top : top + rows, left : left + columns] = self.fill
                break
        return image
