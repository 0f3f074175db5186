"""Appearance without a trained network: where on the body which colours are."""

from __future__ import annotations

import cv2
import numpy as np

from mmtube.registry import TASK_UTILS


@TASK_UTILS.register_module()
class ColorHistogram:
    """Describe each box by HSV histograms of its upper and lower half.

    Clothes differ most between shirt and trousers, hence the two stripes. The middle of the box weighs most, because
    its border is background. Each stripe has ``hue_bins x saturation_bins`` colours and ``grey_bins`` shades for pixels
    with too little colour to have a hue. The descriptor is the square root of the normalised histogram, so that the dot
    product of two descriptors is their Bhattacharyya coefficient.

    Args:
        hue_bins (int): Defaults to 12.
        saturation_bins (int): Defaults to 3.
        grey_bins (int): Defaults to 4.
        grey_saturation (int): Below this saturation (0-255) a pixel counts as grey; so does one darker than the
            first grey shade. Defaults to 40.
        size (tuple[int, int]): Width and height to which a crop is reduced. Defaults to (24, 48).
    """

    def __init__(
        self,
        hue_bins: int = 12,
        saturation_bins: int = 3,
        grey_bins: int = 4,
        grey_saturation: int = 40,
        size: tuple[int, int] = (24, 48),
    ) -> None:
        if min(hue_bins, saturation_bins) < 1 or min(grey_bins, *size) < 2 or not 0 <= grey_saturation < 256:
            raise ValueError('bins must be positive, grey_bins and size at least 2, grey_saturation in 0 to 255')
        self.size = size
        self.bins_per_stripe = hue_bins * saturation_bins + grey_bins
        # One table look-up per pixel: hue (0-179), saturation and value -> bin.
        hue = np.arange(180)[:, None] * hue_bins // 180
        saturation = (np.arange(256) - grey_saturation).clip(0) * saturation_bins // (256 - grey_saturation)
        self._color_bin = (hue * saturation_bins + saturation[None]).astype(np.int32)
        self._grey_bin = (hue_bins * saturation_bins + np.arange(256) * grey_bins // 256).astype(np.int32)
        self._grey_saturation = grey_saturation
        self._dark_value = 256 // grey_bins
        x = (np.arange(size[0]) + 0.5) / size[0] - 0.5
        column_weight = np.exp(-0.5 * (x / 0.22) ** 2)
        self._weights = np.broadcast_to(column_weight, size[::-1]).ravel()
        stripe = (np.arange(size[1]) * 2 // size[1])[:, None]
        self._stripe_offset = np.broadcast_to(stripe * self.bins_per_stripe, size[::-1]).ravel()

    def __call__(self, image: np.ndarray, boxes_px: np.ndarray) -> np.ndarray:
        """Return one descriptor per box.

        Args:
            image (np.ndarray): (H, W, 3) uint8 BGR.
            boxes_px (np.ndarray): (N, 4) float32 xyxy in pixels.

        Returns:
            np.ndarray: (N, 2 * (hue_bins * saturation_bins + grey_bins)) float32 of unit length. A box without a pixel
            inside the image gets the uniform descriptor.
        """
        height, width = image.shape[:2]
        dims = 2 * self.bins_per_stripe
        features = np.full((len(boxes_px), dims), dims**-0.5, np.float32)
        corners = np.asarray(boxes_px).round().astype(np.int64).clip(0, [width, height, width, height])
        for row, (x1, y1, x2, y2) in enumerate(corners):
            if x2 <= x1 or y2 <= y1:
                continue
            crop = cv2.resize(image[y1:y2, x1:x2], self.size, interpolation=cv2.INTER_NEAREST)
            hue, saturation, value = cv2.split(cv2.cvtColor(crop, cv2.COLOR_BGR2HSV))
            grey = (saturation < self._grey_saturation) | (value < self._dark_value)
            bins = np.where(grey, self._grey_bin[value], self._color_bin[hue, saturation])
            histogram = np.bincount(bins.ravel() + self._stripe_offset, self._weights, dims)
            features[row] = np.sqrt(histogram / histogram.sum())
        return features
