"""The stage of the pipeline that describes boxes by a re-identification network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mmtube.errors import InputError
from mmtube.ops.crops import cut_boxes, resize_crop
from mmtube.registry import TASK_UTILS

if TYPE_CHECKING:
    from mmengine.config import Config


@TASK_UTILS.register_module()
class ReIDAppearance:
    """Describe each box by a trained re-identification network.

    A crop is cut and resized as in training: the size and the order of channels are those of ``LoadSequence`` in the
    config's test pipeline. The crops of a frame share a forward pass. The descriptor is ``f_i`` of the one image, of
    unit length; the mean over a tubelet is then nearly that of :class:`~mmtube.models.reid.video_reid.VideoReID`.

    Args:
        model (str): Config of a ``VideoReID``, see :func:`mmtube.config.load_config`. Defaults to the small network
            trained on SEAL-mini.
        checkpoint (str | None): Its weights, see :func:`mmtube.models.checkpoint.load_weights`; those of a training
            only are not needed. Defaults to 'mmtube://reid_seal_mini.pth'; None takes the config's ``load_from``.
        device (str): Where the network runs. Defaults to 'cpu'.
        max_crops (int): Crops in one forward pass; more take several. Defaults to 64.

    Raises:
        InputError: If the config or the weights cannot be had or do not fit each other, or the device is not there.
        ValueError: If ``max_crops`` is not positive.

    Examples:
        >>> appearance = ReIDAppearance()
        >>> frame = np.full((240, 320, 3), 128, np.uint8)
        >>> appearance(frame, np.array([[10, 20, 60, 200]], np.float32)).shape
        (1, 128)
    """

    def __init__(
        self,
        model: str = 'mmtube::seal_mini/reid',
        checkpoint: str | None = 'mmtube://reid_seal_mini.pth',
        device: str = 'cpu',
        max_crops: int = 64,
    ) -> None:
        if max_crops < 1:
            raise ValueError(f'max_crops must be positive, got {max_crops}')
        from .inference import load_network, loading_step

        self.max_crops = max_crops
        cfg = self._config(model)
        step = loading_step(cfg, model)
        self.size, self.order = tuple(step.get('size', (256, 128))), step.get('order', 'rgb')
        self._network = load_network(cfg, checkpoint or cfg.get('load_from'), device, model)
        self.feature_dims = int(self._network.neck.num_features)

    @staticmethod
    def _config(model: str) -> Config:
        from mmtube.config import load_config

        cfg = load_config(model)
        if 'model' not in cfg:
            raise InputError(f'{model}: is not the config of a network (no model)')
        return cfg

    def crops(self, image: np.ndarray, boxes_px: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return what the network gets.

        Args:
            image (np.ndarray): (H, W, 3) uint8 BGR.
            boxes_px (np.ndarray): (N, 4) xyxy in pixels.

        Returns:
            tuple[np.ndarray, np.ndarray]: (M, 3, height, width) uint8 crops of the boxes that have a pixel inside the
            image, and (M,) int64 rows of those boxes.
        """
        cut = cut_boxes(image, boxes_px)
        rows = np.array([row for row, crop in enumerate(cut) if crop is not None], np.int64)
        resized = [resize_crop(cut[row], self.size, self.order) for row in rows]
        stacked = np.stack(resized) if resized else np.zeros((0, *self.size, 3), np.uint8)
        return np.ascontiguousarray(stacked.transpose(0, 3, 1, 2)), rows

    def __call__(self, image: np.ndarray, boxes_px: np.ndarray) -> np.ndarray:
        """Return one descriptor per box.

        Args:
            image (np.ndarray): (H, W, 3) uint8 BGR.
            boxes_px (np.ndarray): (N, 4) float32 xyxy in pixels.

        Returns:
            np.ndarray: (N, D) float32 of unit length. A box without a pixel inside the image, or that is not finite,
            gets the uniform descriptor.
        """
        from .inference import unit_features

        features = np.full((len(boxes_px), self.feature_dims), self.feature_dims**-0.5, np.float32)
        crops, rows = self.crops(image, boxes_px)
        for begin in range(0, len(rows), self.max_crops):
            part = slice(begin, begin + self.max_crops)
            features[rows[part]] = unit_features(self._network, crops[part])
        return features
