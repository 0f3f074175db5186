"""Clips in another light."""

from __future__ import annotations

import random
from typing import Any

import cv2
import numpy as np
from mmcv.transforms import BaseTransform

from mmtube.registry import TRANSFORMS

HUES = 180  # of an 8-bit image: OpenCV counts hue in steps of two degrees


@TRANSFORMS.register_module()
class JitterClipColors(BaseTransform):
    """Shift hue, saturation and brightness of a clip, all of its frames alike.

    Amounts are drawn evenly and added in HSV, with hue going round (AlphAction's augmentation). MMAction2's
    ``ColorJitter`` multiplies brightness and contrast instead.

    It stands behind ``DecodeWindow``. Required and changed key: ``imgs``, a list of (H, W, 3) uint8 RGB.

    Args:
        hue (float): Largest shift in degrees, either way, in [0, 180]. Defaults to 20.
        saturation (float): Largest shift as a share of the full range. Defaults to 0.1.
        value (float): Of the brightness, likewise. Defaults to 0.1.

    Raises:
        ValueError: If an argument is out of range.
    """

    def __init__(self, hue: float = 20, saturation: float = 0.1, value: float = 0.1) -> None:
        if not (0 <= hue <= 180 and 0 <= saturation <= 1 and 0 <= value <= 1):
            raise ValueError(f'hue must lie in [0, 180], saturation and value in [0, 1], got {hue, saturation, value}')
        self.bounds = (round(hue * HUES / 360), round(saturation * 255), round(value * 255))

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Shift the colours."""
        if 'imgs' not in results:
            raise ValueError('JitterClipColors must stand behind DecodeWindow')
        hue, saturation, value = (random.randint(-bound, bound) for bound in self.bounds)
        levels = np.arange(256)
        shifted = ((levels + hue) % HUES, levels + saturation, levels + value)
        table = np.stack(shifted, axis=-1).clip(0, 255).astype(np.uint8)[None]
        results['imgs'] = [_recoloured(image, table) for image in results['imgs']]
        return results


def _recoloured(image: np.ndarray, table: np.ndarray) -> np.ndarray:
    shifted = cv2.LUT(cv2.cvtColor(image, cv2.COLOR_RGB2HSV), table)
    return cv2.cvtColor(shifted, cv2.COLOR_HSV2RGB)
